/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lies beside an image, and who holds it. */
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "engine/base/cleanup.h"
#include "tests/unit/image_util.h"

/* Files beside "vm.vmdk". */
static const struct {
    const char *name;
    int stale;
} siblings[] = {
    { "vm.vmdk.lck", 1 },
    { "vm.lck", 1 },
    { "vm.vmx.lck", 1 },
    { "vm.vswp", 1 },
    { "vm.vmss", 1 },
    { "vm-1a2b3c4d.vswp", 1 },
    { "vmx-vm-1a2b3c4d-1.vswp", 1 },
    { "vm-5e6f7a8b.vmss", 1 },
    { "other.vswp", 0 },
    { "vm2.vswp", 0 },
    { "vm-test.vmss", 0 },
    { "vm.vmx", 0 },
    { "vm.nvram", 0 },
    { ".lck", 0 },
    { "vm-1a2b3c4d-x.vswp", 0 },
    { "vmx-vm-1a2b3c4d.vswp", 1 },
    { "vm_1F0C6A54-0A3B-4D5E-8F11-0123456789AB.avhdx", 1 },
    { "vm_1F0C6A54-0A3B-4D5E-8F11-0123456789AB.avhd", 1 },
    { "vm2_1F0C6A54-0A3B-4D5E-8F11-0123456789AB.avhdx", 0 },
};

static void traces_of_a_running_machine_are_refused(void **state)
{
    const char *path = make_image("vm.vmdk", "vmdk", "", 4 * MB);
    const struct image_opts stale = { .allow_stale = true };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(siblings); i++) {
        const char *name = in(siblings[i].name);

        print_message("%s\n", siblings[i].name);
        if (strcmp(siblings[i].name, "vm.vmdk.lck") == 0)
            assert_int_equal(mkdir(name, 0700), 0);
        else
            write_text(name, "x");
        if (siblings[i].stale)
            assert_refused(path, NULL, STATUS_REFUSED, siblings[i].name);
        else
            image_free(open_image(path, NULL));
        image_free(open_image(path, &stale));
        assert_int_equal(remove(name), 0);
    }
}

static void second_disks_belong_to_the_machine_too(void **state)
{
    const char *path = make_image("vm_1.vmdk", "vmdk", "", 4 * MB);

    (void)state;
    write_text(in("vm.vmss"), "x");
    assert_refused(path, NULL, STATUS_REFUSED, "vm.vmss");
}

static void a_disk_with_snapshots_is_refused(void **state)
{
    const char *path = make_image("vm.vmdk", "vmdk", "", 4 * MB), *child = in("vm-000001.vmdk");
    const struct image_opts stale = { .allow_stale = true };

    (void)state;
    /* as ESX has it: a text descriptor */
    write_text(child, "# Disk DescriptorFile\nparentCID=1234abcd\ncreateType=\"vmfsSparse\"\n"
                      "parentFileNameHint=\"vm.vmdk\"\n");
    assert_refused(path, NULL, STATUS_REFUSED, "vm-000001.vmdk is a snapshot of it");
    assert_refused(child, NULL, STATUS_REFUSED, "snapshot child of vm.vmdk");
    image_free(open_image(path, &stale));
    write_text(child, "# Disk DescriptorFile\nparentFileNameHint=\"other.vmdk\"\n");
    image_free(open_image(path, NULL));
    /* as Workstation and qemu have it: one sparse file */
    (void)unlink(child);
    run(ARGS("qemu-img", "create", "-q", "-f", "vmdk", "-b", path, "-F", "vmdk", child));
    assert_refused(path, NULL, STATUS_REFUSED, "vm-000001.vmdk is a snapshot of it");
    assert_refused(child, NULL, STATUS_REFUSED, "snapshot child of");
}

static void overlay(const char *backing, const char *format, const char *path)
{
    run(ARGS("qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", backing, "-F", format, path,
             "4M"));
}

static void a_base_of_overlays_is_refused(void **state)
{
    static const char *const children[] = { "other.qcow2", "base.snapshot1" };
    const struct image_opts stale = { .allow_stale = true };
    const char *base = make_raw("base.raw", 4 * MB), *top;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
        top = in(children[i]);
        overlay("base.raw", "raw", top);
        assert_refused(base, NULL, STATUS_REFUSED, "is a snapshot of it");
        image_free(open_image(base, &stale));
        image_free(open_image(top, NULL));
        overlay(base, "raw", top);
        assert_refused(base, NULL, STATUS_REFUSED, children[i]);
        overlay("/nowhere/base.raw", "raw", top);
        assert_refused(base, NULL, STATUS_REFUSED, children[i]);
        overlay("second.raw", "raw", top);
        image_free(open_image(base, NULL));
        assert_int_equal(unlink(top), 0);
    }
    /* another file of that name elsewhere, and what h2k itself puts over a source */
    assert_int_equal(mkdir(in("elsewhere"), 0700), 0);
    overlay(make_raw("elsewhere/base.raw", 4 * MB), "raw", in("other.qcow2"));
    overlay(base, "raw", in("base.raw.abc.h2k-overlay"));
    image_free(open_image(base, NULL));
}

/* Each of many overlays is the newest state, and finding that out does not read all the others. */
static void many_overlays_of_one_base(void **state)
{
    const char *base = make_raw("base.raw", 4 * MB);
    char name[32];
    char *first;
    size_t len;
    struct err err = ERR_NONE;

    (void)state;
    overlay("base.raw", "raw", in("copy0.qcow2"));
    assert_int_equal(io_read_file(in("copy0.qcow2"), 1 << 20, &first, &len, &err), 0);
    for (int i = 1; i < 100; i++) {
        CLEANUP_FREE char *path = NULL;

        (void)snprintf(name, sizeof(name), "copy%d.qcow2", i);
        path = mem_printf("%s/%s", folder, name);
        write_at(path, 0, first, len);
    }
    free(first);
    for (int i = 0; i < 100; i++) {
        CLEANUP_FREE char *path = mem_printf("%s/copy%d.qcow2", folder, i);

        image_free(open_image(path, NULL));
    }
    assert_refused(base, NULL, STATUS_REFUSED, "is a snapshot of it");
}

static void a_pending_commit_is_refused(void **state)
{
    const char *path = make_image("a.qcow2", "qcow2", "", 4 * MB);
    const struct image_opts finish = { .allow_commit_pending = true };
    const struct image_opts stale = { .allow_stale = true };

    (void)state;
    write_text(in("a.qcow2.h2k-commit"), "x");
    assert_refused(path, NULL, STATUS_REFUSED, "commit into it was interrupted");
    assert_refused(path, &stale, STATUS_REFUSED, "commit into it was interrupted");
    image_free(open_image(path, &finish));
}

/* Wait until the server greets: it listens before it has opened the image. */
static void wait_for(const char *path)
{
    const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    char greeting[8];

    assert_true(strlen(path) < sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path));
    for (int i = 0; i < 1000; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int r = connect(fd, (const struct sockaddr *)&address, sizeof(address));

        if (r == 0)
            r = io_read_full(fd, greeting, sizeof(greeting));
        (void)close(fd);
        if (r == 0) {
            assert_memory_equal(greeting, "NBDMAGIC", sizeof(greeting));
            return;
        }
        (void)nanosleep(&pause, NULL);
    }
    fail_msg("no server at %s", path);
}

/* A real qemu-nbd holds the image. */
static void serve(const char *path, const char *format, int read_only, struct process *ret)
{
    struct err err = ERR_NONE;
    const char *name = in("socket");
    struct exec_opts opts = { .argv = ARGS("qemu-nbd", "-f", format, "-k", name, "-t", path,
                                           read_only ? "-r" : NULL) };

    (void)unlink(name);
    assert_int_equal(process_start(&opts, ret, &err), 0);
    wait_for(name);
}

static void an_image_in_use_is_refused(void **state)
{
    static const struct {
        const char *name, *format, *options;
    } kinds[] = {
        { "a.qcow2", "qcow2", "" }, { "a.raw", "raw", "" },
        { "a.vmdk", "vmdk", "" },   { "flat.vmdk", "vmdk", "subformat=monolithicFlat" },
        { "a.vdi", "vdi", "" },
    };
    struct process server = { 0 };

    (void)state;
    if (!exec_have("qemu-nbd"))
        skip();
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const char *path = make_image(kinds[i].name, kinds[i].format, kinds[i].options, 4 * MB);

        print_message("%s\n", kinds[i].name);
        serve(path, kinds[i].format, 0, &server);
        assert_refused(path, NULL, STATUS_TEMPORARY, "in use");
        (void)process_stop(&server, 5000);
        image_free(open_image(path, NULL));
        /* readers do not disturb each other */
        serve(path, kinds[i].format, 1, &server);
        image_free(open_image(path, NULL));
        (void)process_stop(&server, 5000);
    }
}

static void other_locks_count_as_well(void **state)
{
    const char *path = make_image("a.qcow2", "qcow2", "", 4 * MB);
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    int fd = open(path, O_RDWR | O_CLOEXEC);

    (void)state;
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
    assert_refused(path, NULL, STATUS_TEMPORARY, "locked");
    /* a killed commit's qemu-img may hold them for a moment: trying again is no way out of that */
    write_text(in("a.qcow2.h2k-commit"), "x");
    assert_refused(path, NULL, STATUS_REFUSED, "commit into it was interrupted");
    assert_int_equal(unlink(in("a.qcow2.h2k-commit")), 0);
    (void)close(fd);
    image_free(open_image(path, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        image_test(traces_of_a_running_machine_are_refused),
        image_test(second_disks_belong_to_the_machine_too),
        image_test(a_disk_with_snapshots_is_refused),
        image_test(a_base_of_overlays_is_refused),
        image_test(many_overlays_of_one_base),
        image_test(a_pending_commit_is_refused),
        image_test(an_image_in_use_is_refused),
        image_test(other_locks_count_as_well),
    };

    if (skip_without_qemu())
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
