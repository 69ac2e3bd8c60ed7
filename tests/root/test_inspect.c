/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Systems on real file systems: found, told apart, chosen and mounted as their fstab says. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/image.h"
#include "inspect/inspect.h"
#include "tests/unit/run_util.h"

static char dir[] = "/var/tmp/inspect-test-XXXXXX";

/* What a test holds; released by release(), also after a failure. */
static struct {
    struct session *session;
    struct image *image;
    struct stack *stack;
    struct system *systems;
    size_t n;
} on;

static const struct inspect_opts looking = { .read_only = true, .with_packages = true };

static char *path_of(const char *file)
{
    return mem_printf("%s/%s", dir, file);
}

static void must(int r, const struct err *err)
{
    char text[4096];

    if (r < 0)
        fail_msg("%s", err_text(err, text, sizeof(text)));
}

/* ---- making guests ---- */

/* A file of the tree @tree, with its folders. */
static void put(const char *tree, const char *file, const char *text)
{
    char *path = mem_printf("%s/%s/%s", dir, tree, file);
    char *folder = mem_strndup(path, (size_t)(strrchr(path, '/') - path));
    struct err err = ERR_NONE;

    RUN("mkdir", "-p", folder);
    must(io_write_file(path, text, strlen(text), 0644, &err), &err);
    free(folder);
    free(path);
}

static void put_system(const char *tree, const char *name, const char *fstab)
{
    char *release = mem_printf("ID=debian\nPRETTY_NAME=%s\nVERSION_ID=12\n", name);

    put(tree, "etc/os-release", release);
    put(tree, "etc/fstab", fstab);
    put(tree, "bin/sh", "x");
    put(tree, "usr/share/doc/x", "x");
    put(tree, "var/lib/dpkg/status",
        "Package: x\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n\n");
    free(release);
}

static char *new_image(const char *file, const char *table)
{
    char *path = path_of(file);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 256 << 20), 0);
    (void)close(fd);
    if (table)
        run((const char *const[]){ "sfdisk", "-q", path, NULL }, table);
    return path;
}

/* Three partitions of 32 MiB from 1 MiB on. */
static const char three[] = "label: dos\n1M,32M\n33M,32M\n65M,32M\n";
static const char *const offsets[] = { "offset=1048576", "offset=34603008", "offset=68157440" };

static void fill(const char *image, unsigned part, const char *tree)
{
    char *from = path_of(tree);

    RUN("mkfs.ext4", "-q", "-F", "-d", from, "-E", offsets[part], image, "32M");
    free(from);
}

static void make_one(void)
{
    char *image = new_image("one.raw", three);

    put_system("one", "One",
               "/dev/sda3 /boot/deep ext4 defaults 0 2\n"
               "/dev/hda2 /boot/ ext4 defaults 0 2\n"
               "/dev/sda1 / ext4 defaults 0 1\n"
               "UUID=no-such /data ext4 nofail 0 2\n"
               "/dev/sda3 /later ext4 noauto 0 2\n"
               "/dev/sda3 /missing ext4 nofail 0 2\n"
               "/dev/sr0 /media iso9660 noauto 0 0\n");
    put("one", "boot/hidden", "below the mount");
    put("one", "lib/modules/6.1/modules.builtin", "");
    put("one-boot", "vmlinuz-6.1", "x");
    put("one-boot", "grub/grub.cfg", "menuentry A {\nlinux /vmlinuz-6.1 root=/dev/sda1\n}\n");
    put("one-boot", "deep/x", "");
    put("one-deep", "file", "x");
    fill(image, 0, "one");
    fill(image, 1, "one-boot");
    fill(image, 2, "one-deep");
    free(image);
}

/* An ESP that fstab does not name. */
static void make_esp(void)
{
    char *image = new_image("esp.raw", "label: dos\n1M,32M\n33M,32M,ef\n");
    char *shell_line;

    put_system("esp", "E", "/dev/sda1 / ext4 defaults 0 1\n");
    put("esp", "boot/grub/grub.cfg", "menuentry A {\nlinux /vmlinuz root=/dev/sda1\n}\n");
    put("esp-files", "debian/grubx64.efi", "GRUB");
    shell_line = mem_printf("mkdir -p %s/esp/boot/efi && mkfs.vfat --offset 67584 %s 32768 && "
                            "mmd -i %s@@33M ::/EFI && mcopy -s -i %s@@33M %s/esp-files/debian "
                            "::/EFI",
                            dir, image, image, image, dir);
    RUN("sh", "-c", shell_line);
    fill(image, 0, "esp");
    free(shell_line);
    free(image);
}

static void make_two(void)
{
    char *image = new_image("two.raw", three);

    put_system("two-a", "A", "");
    put_system("two-b", "B", "LABEL=gone / ext4 defaults 0 1\n");
    put("two-a", "boot/grub/grub.cfg",
        "menuentry B {\nlinux /boot/vmlinuz root=/dev/sda2\n}\n"
        "menuentry A {\nlinux /boot/vmlinuz root=/dev/sda1\n}\n");
    put("two-c", "data", "x");
    fill(image, 0, "two-a");
    fill(image, 1, "two-b");
    fill(image, 2, "two-c");
    free(image);
    image = new_image("unclear.raw", three);
    put_system("unclear", "C", "");
    fill(image, 0, "unclear");
    fill(image, 1, "unclear");
    free(image);
}

static void make_btrfs(void)
{
    char *image = new_image("btrfs.raw", NULL);
    char *tree = path_of("btrfs"), *point = path_of("point");

    put_system("btrfs", "Btrfs",
               "/dev/sda / btrfs subvol=@ 0 0\n/dev/sda /home btrfs subvol=/@home 0 0\n"
               "/dev/sda /srv btrfs subvolid=257 0 0\n");
    put("btrfs", "home/hidden", "");
    put("btrfs", "srv/hidden", "");
    RUN("mkfs.btrfs", "-q", image);
    RUN("mkdir", point);
    run((const char *const[]){ "unshare", "-m", "sh", "-es", image, tree, point, NULL },
        "mount -o loop \"$1\" \"$3\"\n"
        "cd \"$3\"\n"
        "for s in @ @home @other; do btrfs -q subvolume create $s; done\n"
        "cp -a \"$2\"/. @\n"
        "echo x >@home/user\n"
        "mkdir -p timeshift-btrfs/snapshots/1\n"
        "btrfs -q subvolume snapshot -r @ @before\n"
        "btrfs -q subvolume snapshot @ @apt-snapshot\n"
        "btrfs -q subvolume snapshot @ timeshift-btrfs/snapshots/1/@\n"
        "cd /\n"
        "umount \"$3\"\n");
    free(image);
    free(tree);
    free(point);
}

static int make_guests(void **state)
{
    char *image;

    (void)state;
    assert_non_null(mkdtemp(dir));
    make_one();
    make_esp();
    make_two();
    make_btrfs();
    put("none", "file", "x");
    image = new_image("none.raw", three);
    fill(image, 0, "none");
    free(image);
    return 0;
}

static int remove_guests(void **state)
{
    (void)state;
    RUN("rm", "-rf", "--one-file-system", dir);
    return 0;
}

/* ---- opening them ---- */

static void open_volumes(const char *file, enum disk_mode mode, struct err *err)
{
    struct image_opts image_opts = { .format = "raw" };
    struct disk_opts disk_opts = { .mode = mode };
    struct disk *disk = NULL;
    char *path = path_of(file);

    must(session_open(NULL, &on.session, err), err);
    must(image_open(path, &image_opts, &on.image, err), err);
    must(disk_attach(on.session, on.image, &disk_opts, &disk, err), err);
    must(stack_build(on.session, &disk, 1, &on.stack, err), err);
    free(path);
}

static int find(const char *file, enum disk_mode mode, const struct inspect_opts *opts,
                struct err *err)
{
    open_volumes(file, mode, err);
    return inspect_find(on.stack, opts, &on.systems, &on.n, err);
}

static int release(void **state)
{
    struct err err = ERR_NONE;
    int r;

    (void)state;
    systems_free(on.systems, on.n);
    stack_free(on.stack);
    r = session_close(on.session, &err);
    image_free(on.image);
    (void)memset(&on, 0, sizeof(on));
    return r;
}

static const struct fact_mount *mount_of(const struct facts *facts, const char *target)
{
    const struct fact_mount *mount = facts_mount(facts, target);

    if (!mount)
        fail_msg("no mount at %s", target);
    return mount;
}

static void check_one(const struct facts *facts)
{
    static const struct {
        const char *target, *device; /* NULL: not known */
        bool mounted;
    } want[] = {
        { "/", "/dev/sda1", true },          { "/boot", "/dev/sda2", true },
        { "/boot/deep", "/dev/sda3", true }, { "/data", NULL, false },
        { "/later", "/dev/sda3", false },    { "/missing", "/dev/sda3", false },
        { "/media", NULL, false },
    };

    for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
        const struct fact_mount *mount = mount_of(facts, want[i].target);

        print_message("mount: %s\n", want[i].target);
        assert_int_equal(mount->mounted, want[i].mounted);
        assert_int_equal(mount->device != NULL, want[i].device != NULL);
        if (mount->device)
            assert_string_equal(mount->device->name, want[i].device);
        assert_false(mount->dirty);
    }
    assert_int_equal(facts->n_kernels, 1);
    assert_true(facts->kernels[0].is_default);
    assert_string_equal(facts->kernels[0].modules_dir, "/lib/modules/6.1");
    assert_true(facts_has_package(facts, "x"));
    assert_string_equal(facts->boot_config, "/boot/grub/grub.cfg");
}

/* What Windows' boot files name partitions by. */
static void check_places(const struct facts *facts)
{
    uint64_t end = 0;

    assert_string_equal(facts->devices[0].name, "/dev/sda");
    assert_string_equal(facts->devices[0].table, "dos");
    assert_int_equal(strlen(facts->devices[0].table_id), 8);
    assert_int_equal(facts->devices[0].part_number, 0);
    for (size_t i = 1; i < facts->n_devices; i++) {
        assert_int_equal(facts->devices[i].part_number, i);
        assert_true(facts->devices[i].start_bytes >= end);
        end = facts->devices[i].start_bytes + facts->devices[i].size_bytes;
    }
    assert_true(end > 0 && end <= facts->devices[0].size_bytes);
}

static void one_system_is_mounted_as_fstab_says(void **state)
{
    static const struct inspect_opts repairing = { .with_packages = true };
    static const struct {
        enum disk_mode mode;
        const struct inspect_opts *opts;
    } ways[] = { { DISK_READ_ONLY, &looking }, { DISK_OVERLAY, &repairing } };

    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        struct system *chosen = NULL;
        struct err err = ERR_NONE;

        must(find("one.raw", ways[i].mode, ways[i].opts, &err), &err);
        assert_int_equal(on.n, 1);
        assert_string_equal(on.systems[0].facts->root, "/dev/sda1");
        must(inspect_choose(on.systems, on.n, ways[i].opts, &chosen, &err), &err);
        must(inspect_open(on.stack, chosen, ways[i].opts, &err), &err);
        check_one(chosen->facts);
        check_places(chosen->facts);
        assert_true(guest_exists(mtree_root(chosen->tree), "/boot/deep/file"));
        assert_false(guest_exists(mtree_root(chosen->tree), "/boot/hidden"));
        assert_int_equal(release(state), 0);
    }
}

static void an_esp_that_fstab_does_not_name_is_mounted(void **state)
{
    static const struct inspect_opts repairing = { 0 };
    struct system *chosen = NULL;
    struct err err = ERR_NONE;
    const struct fact_mount *mount;

    (void)state;
    must(find("esp.raw", DISK_OVERLAY, &repairing, &err), &err);
    must(inspect_choose(on.systems, on.n, &repairing, &chosen, &err), &err);
    must(inspect_open(on.stack, chosen, &repairing, &err), &err);
    mount = mount_of(chosen->facts, "/boot/efi");
    assert_true(mount->mounted);
    assert_string_equal(mount->device->name, "/dev/sda2");
    assert_int_equal(chosen->facts->firmware, FIRMWARE_UEFI);
    assert_true(guest_exists(mtree_root(chosen->tree), "/boot/efi/EFI/debian/grubx64.efi"));
}

static void an_unclean_journal_is_said_and_not_replayed(void **state)
{
    char *one = path_of("one.raw"), *dirty = path_of("dirty.raw"), *copy = path_of("copy.raw");
    char *system = mem_printf("%s?offset=1048576", dirty);
    struct err err = ERR_NONE;

    (void)state;
    RUN("cp", "--sparse=always", one, dirty);
    RUN("debugfs", "-w", "-R", "feature needs_recovery", system);
    RUN("cp", "--sparse=always", dirty, copy);
    must(find("dirty.raw", DISK_READ_ONLY, &looking, &err), &err);
    must(inspect_open(on.stack, &on.systems[0], &looking, &err), &err);
    assert_true(mount_of(on.systems[0].facts, "/")->dirty);
    assert_false(mount_of(on.systems[0].facts, "/boot")->dirty);
    assert_int_equal(release(state), 0);
    RUN("cmp", dirty, copy);
    free(one);
    free(dirty);
    free(copy);
    free(system);
}

static void several_systems_are_chosen_by_boot_loader_or_name(void **state)
{
    static const struct {
        const char *root, *name; /* NULL: refused */
    } cases[] = {
        { NULL, "B" },        { "auto", "B" },      { "first", "A" },
        { "/dev/sda1", "A" }, { "/dev/sda2", "B" }, { "single", NULL },
    };
    struct inspect_opts opts = looking;
    struct system *chosen = NULL;
    struct err err = ERR_NONE;

    (void)state;
    must(find("two.raw", DISK_READ_ONLY, &opts, &err), &err);
    assert_int_equal(on.n, 2);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err one = ERR_NONE;
        int r;

        opts.root = cases[i].root;
        print_message("root: %s\n", opts.root ? opts.root : "(none)");
        r = inspect_choose(on.systems, on.n, &opts, &chosen, &one);
        assert_int_equal(r == 0, cases[i].name != NULL);
        if (r == 0)
            assert_string_equal(chosen->facts->product_name, cases[i].name);
        else
            assert_int_equal(one.status, STATUS_REFUSED);
    }
    opts.root = "/dev/sda3";
    assert_true(inspect_choose(on.systems, on.n, &opts, &chosen, &err) < 0);
    assert_int_equal(err.status, STATUS_NO_OS);
    for (size_t i = 0; i < on.n; i++)
        must(inspect_open(on.stack, &on.systems[i], &looking, &err), &err);
    assert_int_equal(on.systems[0].facts->n_mounts, 1);
    /* what is mounted at "/" is known, whatever name the guest has for it */
    assert_string_equal(mount_of(on.systems[1].facts, "/")->device->name, "/dev/sda2");
}

static void systems_without_a_common_boot_loader_are_refused(void **state)
{
    struct system *chosen = NULL;
    struct err err = ERR_NONE;
    char text[2 * ERR_TEXT];

    (void)state;
    must(find("unclear.raw", DISK_READ_ONLY, &looking, &err), &err);
    assert_int_equal(on.n, 2);
    assert_true(inspect_choose(on.systems, on.n, &looking, &chosen, &err) < 0);
    assert_int_equal(err.status, STATUS_REFUSED);
    (void)err_text(&err, text, sizeof(text));
    assert_non_null(strstr(text, "/dev/sda1 (C), /dev/sda2 (C)"));
}

static void btrfs_snapshots_are_no_systems(void **state)
{
    struct err err = ERR_NONE;
    const struct facts *facts;

    (void)state;
    must(find("btrfs.raw", DISK_READ_ONLY, &looking, &err), &err);
    assert_int_equal(on.n, 1);
    facts = on.systems[0].facts;
    assert_string_equal(facts->root, "btrfsvol:/dev/sda/@");
    must(inspect_open(on.stack, &on.systems[0], &looking, &err), &err);
    assert_true(mount_of(facts, "/")->mounted);
    assert_true(mount_of(facts, "/home")->mounted);
    assert_true(guest_exists(mtree_root(on.systems[0].tree), "/home/user"));
    assert_true(mount_of(facts, "/srv")->mounted); /* 257 is @home too */
    assert_true(guest_exists(mtree_root(on.systems[0].tree), "/srv/user"));
}

/* As LVM says it; a device mapper would be needed to have real ones. */
static void call_snapshot(const char *name, const char *of)
{
    struct volume *volume = stack_find(on.stack, name);

    assert_non_null(volume);
    free(volume->snapshot_of);
    volume->snapshot_of = mem_strdup(of);
}

static void volumes_that_are_snapshots_are_no_systems(void **state)
{
    static const struct {
        const char *file, *root;
        const char *origin; /* what the second volume is a snapshot of */
        bool origin_is_one; /* ... which is one itself */
        size_t n;           /* systems */
        const char *chosen; /* NULL: refused */
    } cases[] = {
        { "unclear.raw", NULL, "/dev/sda1", false, 1, "/dev/sda1" },
        { "unclear.raw", "/dev/sda2", "/dev/sda1", false, 2, "/dev/sda2" },
        { "two.raw", NULL, "/dev/sda1", false, 2, "/dev/sda2" }, /* GRUB starts it */
        { "unclear.raw", NULL, "/dev/sda1", true, 2, NULL },     /* nothing else is there */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct inspect_opts opts = looking;
        struct system *chosen = NULL;
        struct err err = ERR_NONE;
        int r;

        print_message("case %zu\n", i);
        opts.root = cases[i].root;
        open_volumes(cases[i].file, DISK_READ_ONLY, &err);
        call_snapshot("/dev/sda2", cases[i].origin);
        if (cases[i].origin_is_one)
            call_snapshot("/dev/sda1", "/dev/sda3");
        must(inspect_find(on.stack, &opts, &on.systems, &on.n, &err), &err);
        assert_int_equal(on.n, cases[i].n);
        r = inspect_choose(on.systems, on.n, &opts, &chosen, &err);
        assert_int_equal(r == 0, cases[i].chosen != NULL);
        if (r == 0)
            assert_string_equal(chosen->facts->root, cases[i].chosen);
        assert_int_equal(release(state), 0);
    }
}

static void a_disk_without_system_says_so(void **state)
{
    struct err err = ERR_NONE;

    (void)state;
    assert_true(find("none.raw", DISK_READ_ONLY, &looking, &err) < 0);
    assert_int_equal(err.status, STATUS_NO_OS);
}

static void what_is_not_opened_may_hide_the_system(void **state)
{
    static const char header[] = "\x0d\xd0\x01\xc0"; /* enough for libblkid to know it */
    char *image = new_image("member.raw", three);
    int fd = open(image, O_WRONLY | O_CLOEXEC);
    struct err err = ERR_NONE;
    char text[2 * ERR_TEXT];

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, header, sizeof(header) - 1, 34603008 + 1048576),
                     (int)sizeof(header) - 1);
    (void)close(fd);
    free(image);
    assert_true(find("member.raw", DISK_READ_ONLY, &looking, &err) < 0);
    assert_int_equal(err.status, STATUS_HOST);
    (void)err_text(&err, text, sizeof(text));
    assert_non_null(strstr(text, "/dev/sda2 (VMFS_volume_member)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(one_system_is_mounted_as_fstab_says, release),
        cmocka_unit_test_teardown(an_esp_that_fstab_does_not_name_is_mounted, release),
        cmocka_unit_test_teardown(an_unclean_journal_is_said_and_not_replayed, release),
        cmocka_unit_test_teardown(several_systems_are_chosen_by_boot_loader_or_name, release),
        cmocka_unit_test_teardown(systems_without_a_common_boot_loader_are_refused, release),
        cmocka_unit_test_teardown(btrfs_snapshots_are_no_systems, release),
        cmocka_unit_test_teardown(volumes_that_are_snapshots_are_no_systems, release),
        cmocka_unit_test_teardown(a_disk_without_system_says_so, release),
        cmocka_unit_test_teardown(what_is_not_opened_may_hide_the_system, release),
    };

    if (geteuid() != 0)
        return 77;
    return cmocka_run_group_tests(tests, make_guests, remove_guests);
}
