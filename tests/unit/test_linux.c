/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Facts of whole guests: each folder of tests/data/guests has the guest's files (root/), its
 * devices (one a line: name kind fstype uuid label partition-type; "root NAME" where the root is
 * not /dev/sda1) and the facts that are expected. With H2K_WRITE_EXPECTED set, the facts are
 * written instead: look at the difference.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/exec.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "inspect/fields.h"
#include "inspect/linux.h"
#include "tests/unit/unit.h"

#define GUESTS TEST_DATA_DIR "/guests"

static void read_devices(const char *path, struct facts *facts)
{
    struct err err = ERR_NONE;
    char *text = NULL;
    size_t len = 0, pos = 0;
    struct span line;

    assert_int_equal(io_read_file(path, 65536, &text, &len, &err), 0);
    while (line_next(text, len, &pos, &line)) {
        struct span fields[6];
        struct fact_device *device;
        char **to[6];

        size_t n = fields_split(text, &line, fields, 6);

        if (n == 2 && span_is(text, fields[0], "root")) {
            free(facts->root);
            facts->root = span_dup(text, fields[1]);
        }
        if (n != 6)
            continue;
        device = facts_add_device(facts);
        to[0] = &device->name;
        to[1] = &device->kind;
        to[2] = &device->fstype;
        to[3] = &device->uuid;
        to[4] = &device->label;
        to[5] = &device->part_type;
        for (size_t i = 0; i < 6; i++) {
            char *value = span_dup(text, fields[i]);

            facts_set(to[i], strcmp(value, "-") == 0 ? "" : value);
            free(value);
        }
    }
    free(text);
}

static struct facts *inspect_folder(const char *name)
{
    char path[512];
    struct inspect_opts opts = { .with_packages = true, .with_initrds = true };
    struct guest_root *root = NULL;
    struct facts *facts = facts_new();
    struct err err = ERR_NONE;
    int fd;

    facts_set(&facts->root, "/dev/sda1");
    (void)snprintf(path, sizeof(path), GUESTS "/%s/devices", name);
    read_devices(path, facts);
    (void)snprintf(path, sizeof(path), GUESTS "/%s/root", name);
    fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(guest_root_new(fd, &root, &err), 0);
    assert_true(os_probe_linux.match(root));
    os_probe_linux.mounts(root, facts);
    assert_int_equal(os_probe_linux.collect(root, &opts, facts, &err), 0);
    guest_root_free(root);
    (void)close(fd);
    return facts;
}

static void check_guest(const char *name)
{
    struct facts *facts = inspect_folder(name);
    json_t *json = facts_to_json(facts);
    char *got = json_dumps(json, JSON_INDENT(2)), *want = NULL;
    struct err err = ERR_NONE;
    char path[512];
    size_t len;

    got = mem_realloc(got, strlen(got) + 2);
    (void)strcat(got, "\n");
    (void)snprintf(path, sizeof(path), GUESTS "/%s/facts.json", name);
    if (getenv("H2K_WRITE_EXPECTED"))
        assert_int_equal(io_write_file(path, got, strlen(got), 0644, &err), 0);
    assert_int_equal(io_read_file(path, 1 << 20, &want, &len, &err), 0);
    assert_string_equal(got, want);
    json_decref(json);
    facts_free(facts);
    free(got);
    free(want);
}

static void facts_of_whole_guests(void **state)
{
    struct guest_root *data = NULL;
    struct strlist names = { 0 };
    struct err err = ERR_NONE;
    int fd = open(GUESTS, O_PATH | O_DIRECTORY | O_CLOEXEC);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(guest_root_new(fd, &data, &err), 0);
    assert_int_equal(guest_list(data, "/", &names, &err), 0);
    assert_true(names.n >= 4);
    for (size_t i = 0; i < names.n; i++) {
        print_message("guest: %s\n", names.items[i]);
        check_guest(names.items[i]);
    }
    strlist_done(&names);
    guest_root_free(data);
    (void)close(fd);
}

static void other_file_systems_are_no_system(void **state)
{
    static const char *const folders[] = { "debian12-ifupdown/root/etc",
                                           "debian12-ifupdown/root/boot",
                                           "debian12-ifupdown/root/usr", "." };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        struct guest_root *root = NULL;
        struct err err = ERR_NONE;
        char path[512];
        int fd;

        (void)snprintf(path, sizeof(path), GUESTS "/%s", folders[i]);
        fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(guest_root_new(fd, &root, &err), 0);
        assert_false(os_probe_linux.match(root));
        guest_root_free(root);
        (void)close(fd);
    }
}

static void boot_default_is_read_from_grub(void **state)
{
    int fd = open(GUESTS "/debian12-ifupdown/root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct guest_root *root = NULL;
    struct err err = ERR_NONE;
    char *found;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(guest_root_new(fd, &root, &err), 0);
    found = linux_default_root(root, "/boot");
    assert_string_equal(found, "/dev/sda1");
    free(found);
    found = linux_default_root(root, "");
    assert_string_equal(found, "");
    free(found);
    guest_root_free(root);
    (void)close(fd);
}

/* A tree that only a hostile guest has: nothing of it may hang, reach the host or use up memory. */
static void make_hostile(const char *dir)
{
    static const char *const folders[] = { "etc",           "usr",
                                           "usr/lib",       "boot",
                                           "boot/grub",     "etc/network",
                                           "etc/netplan",   "var",
                                           "var/lib",       "var/lib/dpkg",
                                           "lib",           "lib/modules",
                                           "lib/modules/1", "boot/grub/grub.cfg" };
    static const char *const huge[] = { "etc/fstab", "var/lib/dpkg/status",
                                        "lib/modules/1/modules.builtin", "boot/initrd.img-1",
                                        "boot/initrd.img-2" };
    static const struct {
        const char *target, *path;
    } links[] = {
        { "../../../../../../etc/hostname", "etc/hostname" },
        { "/proc/self/root/etc/machine-id", "etc/machine-id" },
        { "loop-b", "etc/loop-a" },
        { "loop-a", "etc/loop-b" },
        { "loop-a", "etc/debian_version" },
        { "/dev/zero", "boot/vmlinuz-1" },
        { "..", "etc/netplan/up" },
    };
    static const char sources[] = "source interfaces\nsource /etc/network/*\nsource /\nsource *\n"
                                  "source-directory ../../../../..\niface lo inet loopback\n";
    struct err err = ERR_NONE;
    char path[512];

    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", dir, folders[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(huge); i++) {
        int fd;

        (void)snprintf(path, sizeof(path), "%s/%s", dir, huge[i]);
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(ftruncate(fd, 10LL << 30), 0);
        (void)close(fd);
    }
    for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", dir, links[i].path);
        assert_int_equal(symlink(links[i].target, path), 0);
    }
    (void)snprintf(path, sizeof(path), "%s/boot/vmlinuz-2", dir);
    assert_int_equal(io_write_file(path, "x", 1, 0600, &err), 0);
    (void)snprintf(path, sizeof(path), "%s/etc/os-release", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    (void)snprintf(path, sizeof(path), "%s/etc/network/interfaces", dir);
    assert_int_equal(io_write_file(path, sources, strlen(sources), 0600, &err), 0);
}

static void hostile_files_leave_facts_unknown(void **state)
{
    char dir[] = "/tmp/linux-test-XXXXXX";
    struct inspect_opts opts = { .with_packages = true, .with_initrds = true };
    struct guest_root *root = NULL;
    struct facts *facts = facts_new();
    struct err err = ERR_NONE;
    const char *const argv[] = { "rm", "-rf", dir, NULL };
    struct exec_opts remove = { .argv = argv };
    int fd;

    (void)state;
    assert_non_null(mkdtemp(dir));
    make_hostile(dir);
    fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(guest_root_new(fd, &root, &err), 0);
    assert_true(os_probe_linux.match(root));
    os_probe_linux.mounts(root, facts);
    assert_int_equal(os_probe_linux.collect(root, &opts, facts, &err), 0);
    assert_int_equal(facts->n_mounts, 1);
    assert_string_equal(facts->mounts[0].target, "/");
    assert_string_equal(facts->hostname, "");
    assert_string_equal(facts->machine_id, "");
    assert_string_equal(facts->distro, "");
    assert_int_equal(facts->n_packages, 0);
    assert_int_equal(facts->n_kernels, 1);
    assert_string_equal(facts->kernels[0].initrd_compression, "");
    assert_int_equal(facts->n_nics, 0);
    facts_free(facts);
    guest_root_free(root);
    (void)close(fd);
    assert_int_equal(exec_check(&remove, NULL, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_of_whole_guests),
        cmocka_unit_test(other_file_systems_are_no_system),
        cmocka_unit_test(boot_default_is_read_from_grub),
        cmocka_unit_test(hostile_files_leave_facts_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
