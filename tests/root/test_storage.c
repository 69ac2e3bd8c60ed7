/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Real file systems, made here, mounted and written through overlays; the images never change. */
#include <sys/ioctl.h>

#include "tests/root/mount_util.h"

#define XFS_SHUTDOWN _IOR('X', 125, uint32_t) /* XFS_IOC_GOINGDOWN; 1: flush the log before */

/* ---- the tests ---- */

static const char *const kinds[] = { "ext2", "ext3", "ext4", "xfs", "btrfs" };

static void each_kind_is_written_and_read(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const char *quiet = kinds[i][0] == 'e' ? "-Fq" : "-fq";
        char *mkfs = mem_printf("mkfs.%s", kinds[i]), *path = new_image("fs.raw", 512 * MIB);
        struct err err = ERR_NONE;
        uint64_t trimmed = 0;

        print_message("%s\n", kinds[i]);
        RUN(mkfs, quiet, path);
        free(mkfs);
        free(path);
        open_image("fs.raw", DISK_OVERLAY);
        assert_string_equal(on.stack->volumes[0].fstype, kinds[i]);
        assert_int_equal(mount_support(kinds[i], false), MOUNT_KERNEL);
        mount_rw("/dev/sda", "/");
        make_folder("/etc");
        put("/etc/fstab", "text\n");
        sync_tree();
        must(mtree_trim(on.tree, &trimmed, &err), &err);
        assert_true(trimmed > 256 * MIB);
        again();
        mount_ro("/dev/sda", "/");
        expect("/etc/fstab", "text\n");
        assert_int_equal(guest_remove(mtree_root(on.tree), "/etc/fstab", &err), -EROFS);
        assert_int_equal(release(state), 0);
    }
}

/* A table with an ESP and an ext4 root. */
static void make_uefi_disk(void)
{
    char *path = new_image("uefi.raw", 128 * MIB);
    char *esp = mem_printf("%s@@1M", path);
    const char *const sfdisk[] = { "sfdisk", "-q", path, NULL };

    run(sfdisk, "label: gpt\nstart=2048, size=40MiB, type=uefi\ntype=linux\n");
    RUN("mkfs.vfat", "-n", "ESP", "--offset", "2048", path, "40960");
    RUN("mke2fs", "-Fq", "-t", "ext4", "-E", "offset=42991616", path, "80M");
    RUN("mmd", "-i", esp, "::/EFI", "::/EFI/debian", "::/EFI/old");
    free(esp);
    free(path);
}

static void fat_is_read_and_written(void **state)
{
    struct err err = ERR_NONE;
    struct volume *esp;
    struct strlist names = { 0 };
    char *big = mem_alloc(300001);
    const char *node;

    (void)state;
    make_uefi_disk();
    memset(big, 'x', 300000);
    open_image("uefi.raw", DISK_OVERLAY);
    esp = stack_find(on.stack, "/dev/sda1");
    assert_string_equal(esp->fstype, "vfat");
    assert_string_equal(esp->label, "ESP");
    assert_int_not_equal(mount_support("vfat", false), MOUNT_NONE);
    mount_rw("/dev/sda2", "/");
    make_folder("/boot/efi");
    mount_rw("/dev/sda1", "/boot/efi");
    assert_true(guest_is_dir(mtree_root(on.tree), "/boot/efi/EFI/debian"));
    put("/boot/efi/EFI/debian/grubx64.efi", "first\n");
    put("/boot/efi/A long näme.txt", "long\n");
    make_folder("/boot/efi/EFI/BOOT");
    put("/boot/efi/EFI/BOOT/BOOTX64.EFI", big);
    must(guest_remove(mtree_root(on.tree), "/boot/efi/EFI/old", &err), &err);
    sync_tree();
    put("/boot/efi/EFI/debian/grubx64.efi", "second\n");
    must(guest_remove(mtree_root(on.tree), "/boot/efi/A long näme.txt", &err), &err);
    sync_tree();
    sync_tree(); /* nothing left to write */
    again();
    mount_ro("/dev/sda2", "/");
    mount_ro("/dev/sda1", "/boot/efi");
    expect("/boot/efi/EFI/debian/grubx64.efi", "second\n");
    expect("/boot/efi/EFI/BOOT/BOOTX64.EFI", big);
    must(guest_list(mtree_root(on.tree), "/boot/efi", &names, &err), &err);
    assert_int_equal(names.n, 1);
    strlist_done(&names);
    must(guest_list(mtree_root(on.tree), "/boot/efi/EFI", &names, &err), &err);
    assert_int_equal(names.n, 2);
    strlist_done(&names);
    must(volume_node(on.stack, esp, &node, &err), &err);
    RUN("fsck.vfat", "-n", node);
    free(big);
}

/* A long name is UTF-16 in the directory: this one gets what no tool would write there. */
static void fat_names_never_lead_out(void **state)
{
    static const char slashes[] = ".\0.\0/\0.\0.\0";
    char *path = new_image("names.raw", 16 * MIB), *data = NULL, *found;
    struct strlist names = { 0 };
    struct err err = ERR_NONE;
    size_t len = 0;
    int fd;

    (void)state;
    RUN("mkfs.vfat", path);
    RUN("mmd", "-i", path, "::/abcde long name of a folder");
    must(io_read_file(path, 16 * MIB, &data, &len, &err), &err);
    found = memmem(data, len, "a\0b\0c\0d\0e\0", 10);
    assert_non_null(found);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(io_pwrite_full(fd, slashes, 10, (uint64_t)(found - data)), 0);
    (void)close(fd);
    free(data);
    free(path);
    open_image("names.raw", DISK_READ_ONLY);
    mount_ro("/dev/sda", "/");
    if (guest_list(mtree_root(on.tree), "/", &names, &err) < 0)
        assert_int_equal(err.code, EIO); /* the kernel's driver refuses the folder */
    for (size_t i = 0; i < names.n; i++)
        assert_null(strchr(names.items[i], '/'));
    strlist_done(&names);
    assert_int_equal(guest_mkdir(mtree_root(on.tree), "/new", &plain, &err), -EROFS);
}

static void a_full_fat_says_so(void **state)
{
    char *data = mem_alloc(41 * MIB);
    struct guest_piece piece = { .data = data, .len = 41 * MIB };
    struct err err = ERR_NONE;

    (void)state;
    make_uefi_disk();
    open_image("uefi.raw", DISK_OVERLAY);
    mount_rw("/dev/sda1", "/");
    assert_int_equal(guest_replace(mtree_root(on.tree), "/big", &piece, 1, &plain, &err), -ENOSPC);
    assert_int_equal(err.status, STATUS_FAILED);
    assert_false(guest_exists(mtree_root(on.tree), "/big"));
    free(data);
}

/* An ext4 whose journal holds a transaction that was not written to its place. */
static void make_dirty_ext4(void)
{
    char *path = new_image("dirty.raw", 64 * MIB), *script = path_of("debugfs.cmd");
    struct err err = ERR_NONE;
    static const char commands[] = "jo\njw -b 3000 /dev/zero\njc\n";

    RUN("mke2fs", "-Fq", "-t", "ext4", path);
    must(io_write_file(script, commands, strlen(commands), 0600, &err), &err);
    RUN("debugfs", "-w", "-f", script, path);
    free(path);
    free(script);
}

static void a_dirty_journal_is_not_replayed_for_reading(void **state)
{
    uint64_t before;

    (void)state;
    make_dirty_ext4();
    open_image("dirty.raw", DISK_OVERLAY);
    before = hash_fd(on.disks[0]->fd, on.disks[0]->size_bytes);
    mount_ro("/dev/sda", "/");
    assert_true(mtree_was_dirty(on.tree, "/"));
    assert_true(guest_is_dir(mtree_root(on.tree), "/lost+found"));
    again();
    assert_true(hash_fd(on.disks[0]->fd, on.disks[0]->size_bytes) == before);
    mount_rw("/dev/sda", "/"); /* replays, in the overlay */
    assert_true(mtree_was_dirty(on.tree, "/"));
    again();
    mount_ro("/dev/sda", "/");
    assert_false(mtree_was_dirty(on.tree, "/"));
}

static void a_dirty_xfs_log_is_noticed(void **state)
{
    char *path = new_image("xfs.raw", 512 * MIB), *dirty = path_of("xfs-dirty.raw");
    char *overlay = path_of("xfs.qcow2");
    uint32_t how = 1;
    int fd;

    RUN("mkfs.xfs", "-fq", path);
    attach_image("xfs.raw", DISK_OVERLAY, overlay);
    build();
    mount_rw("/dev/sda", "/");
    assert_false(mtree_was_dirty(on.tree, "/"));
    put("/file", "text\n");
    fd = openat(guest_root_fd(mtree_root(on.tree)), ".", O_RDONLY | O_CLOEXEC);
    assert_int_equal(ioctl(fd, XFS_SHUTDOWN, &how), 0);
    (void)close(fd);
    assert_int_equal(release(state), 0);
    RUN("qemu-img", "convert", "-O", "raw", overlay, dirty);

    open_image("xfs-dirty.raw", DISK_READ_ONLY);
    mount_ro("/dev/sda", "/");
    assert_true(mtree_was_dirty(on.tree, "/"));
    assert_int_equal(release(state), 0);
    open_image("xfs-dirty.raw", DISK_OVERLAY);
    mount_ro("/dev/sda", "/");
    assert_true(mtree_was_dirty(on.tree, "/"));
    again();
    mount_rw("/dev/sda", "/");
    assert_true(mtree_was_dirty(on.tree, "/"));
    expect("/file", "text\n");
    sync_tree();
    again();
    mount_rw("/dev/sda", "/"); /* replayed and unmounted: clean */
    assert_false(mtree_was_dirty(on.tree, "/"));
    assert_int_equal(release(state), 0);
    open_image("xfs.raw", DISK_READ_ONLY);
    mount_ro("/dev/sda", "/");
    assert_false(mtree_was_dirty(on.tree, "/"));
    free(path);
    free(dirty);
    free(overlay);
}

static const struct subvolume *subvolume(const struct subvolume *list, size_t n, const char *path)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].path, path) == 0)
            return &list[i];
    fail_msg("there is no subvolume %s", path);
    return NULL;
}

static void btrfs(int top, const char *verb, const char *arg1, const char *arg2, const char *arg3)
{
    const char *const argv[] = { "btrfs", "-q", "subvolume", verb, arg1, arg2, arg3, NULL };
    struct exec_opts opts = { .argv = argv, .keep_fds = &top, .n_keep_fds = 1 };
    struct err err = ERR_NONE;

    must(exec_check(&opts, NULL, &err), &err);
}

static void make_subvolumes(void)
{
    int top = openat(guest_root_fd(mtree_root(on.tree)), ".", O_RDONLY | O_CLOEXEC);
    char *root = mem_printf("/proc/self/fd/%d/@", top);
    char *home = mem_printf("/proc/self/fd/%d/vol/home", top);
    char *snapshot = mem_printf("/proc/self/fd/%d/@/.snapshots/1", top);

    btrfs(top, "create", root, NULL, NULL);
    make_folder("/vol");
    btrfs(top, "create", home, NULL, NULL);
    make_folder("/@/.snapshots");
    put("/@/etc-fstab", "root\n");
    make_folder("/@/home");
    put("/vol/home/mine", "home\n");
    btrfs(top, "snapshot", "-r", root, snapshot);
    btrfs(top, "set-default", root, NULL, NULL);
    (void)close(top);
    free(root);
    free(home);
    free(snapshot);
}

static void subvolumes_are_listed_and_mounted(void **state)
{
    char *path = new_image("btrfs.raw", 256 * MIB);
    const struct mount_opts home = { .read_only = true, .subvol = "vol/home" };
    const struct mount_opts top = { .read_only = true, .subvol = "/" };
    struct err err = ERR_NONE;
    struct subvolume *list = NULL;
    size_t n = 0;

    (void)state;
    RUN("mkfs.btrfs", "-fq", path);
    free(path);
    open_image("btrfs.raw", DISK_OVERLAY);
    mount_rw("/dev/sda", "/");
    make_subvolumes();
    sync_tree();
    again();
    mount_ro("/dev/sda", "/"); /* the default one */
    must(try_mount("/dev/sda", "/home", &home, &err), &err);
    expect("/etc-fstab", "root\n");
    expect("/home/mine", "home\n");
    must(mtree_subvolumes(on.tree, "/", &list, &n, &err), &err);
    assert_int_equal(n, 4);
    assert_int_equal(subvolume(list, n, "")->id, 5);
    assert_true(subvolume(list, n, "@")->is_default);
    assert_false(subvolume(list, n, "@")->is_snapshot);
    assert_false(subvolume(list, n, "vol/home")->is_default);
    assert_true(subvolume(list, n, "@/.snapshots/1")->is_snapshot);
    assert_true(subvolume(list, n, "@/.snapshots/1")->read_only);
    subvolumes_free(list, n);
    again();
    must(try_mount("/dev/sda", "/", &top, &err), &err);
    expect("/@/etc-fstab", "root\n");
}

static void copies_of_a_btrfs_are_kept_apart(void **state)
{
    char *path = new_image("one.raw", 256 * MIB), *copy = path_of("two.raw");
    struct mtree *first;
    struct err err = ERR_NONE;

    (void)state;
    RUN("mkfs.btrfs", "-fq", path);
    RUN("cp", "--sparse=always", path, copy);
    attach_image("one.raw", DISK_OVERLAY, NULL);
    attach_image("two.raw", DISK_OVERLAY, NULL);
    build();
    mount_rw("/dev/sda", "/");
    put("/which", "one\n");
    first = on.tree;
    must(mtree_new(on.stack, &on.tree, &err), &err);
    if (try_mount("/dev/sdb", "/", &(struct mount_opts){ 0 }, &err) == 0) {
        assert_false(guest_exists(mtree_root(on.tree), "/which"));
        put("/which", "two\n");
    } else { /* a kernel before 6.7 */
        assert_int_equal(err.status, STATUS_REFUSED);
    }
    must(mtree_release(first, &err), &err);
    again();
    mount_ro("/dev/sda", "/");
    expect("/which", "one\n");
    free(path);
    free(copy);
}

static void mount_points_never_lead_out(void **state)
{
    char *path = new_image("trap.raw", 64 * MIB);
    const struct mount_opts opts = { .read_only = false };
    struct err err = ERR_NONE;

    (void)state;
    RUN("mke2fs", "-Fq", "-t", "ext4", path);
    free(path);
    open_image("trap.raw", DISK_OVERLAY);
    mount_rw("/dev/sda", "/");
    must(guest_symlink(mtree_root(on.tree), "/var/tmp", "/home", &err), &err);
    assert_int_equal(try_mount("/dev/sda", "/home", &opts, &err), -ENOENT);
    must(guest_symlink(mtree_root(on.tree), "../../../../../../tmp", "/home", &err), &err);
    assert_int_equal(try_mount("/dev/sda", "/home", &opts, &err), -ENOENT);
    put("/file", "");
    assert_int_equal(try_mount("/dev/sda", "/file", &opts, &err), -ENOTDIR);
    make_folder("/tmp"); /* now the link leads to a folder of the guest */
    must(try_mount("/dev/sda", "/home", &opts, &err), &err);
    assert_true(guest_is_dir(mtree_root(on.tree), "/tmp/lost+found"));
}

static void only_known_file_systems_reach_the_kernel(void **state)
{
    char *path = new_image("swap.raw", 64 * MIB);
    const struct mount_opts opts = { .read_only = true };
    struct err err = ERR_NONE;

    (void)state;
    RUN("mkswap", path);
    free(path);
    open_image("swap.raw", DISK_READ_ONLY);
    assert_true(try_mount("/dev/sda", "/", &opts, &err) < 0);
    assert_non_null(strstr(err.text[0], "swap"));
    assert_int_equal(mount_support("squashfs", true), MOUNT_NONE);
    assert_int_equal(mount_support("swap", true), MOUNT_NONE);
}

static void ntfs_is_read_where_the_host_can(void **state)
{
    char *path;

    (void)state;
    if (mount_support("ntfs", true) == MOUNT_NONE || !exec_have("mkntfs"))
        skip();
    path = new_image("ntfs.raw", 64 * MIB);
    RUN("mkntfs", "-FQq", path);
    free(path);
    open_image("ntfs.raw", DISK_READ_ONLY);
    mount_ro("/dev/sda", "/");
    assert_true(guest_exists(mtree_root(on.tree), "/$MFT") ||
                guest_is_dir(mtree_root(on.tree), "/System Volume Information"));
}

/* What lies outside of all files: a boot sector, under a mounted file system. */
static void a_sector_is_replaced_if_it_is_the_one_that_was_seen(void **state)
{
    static const char boot[] = "boot code", other[] = "something";
    char now[sizeof(boot)], old[sizeof(boot)];
    const struct patch stale = { 100, other, boot, sizeof(boot) };
    const struct patch good = { 100, old, boot, sizeof(boot) };
    struct patch beyond = { 0, old, boot, sizeof(boot) };
    struct err err = ERR_NONE;
    struct volume *root;

    (void)state;
    make_uefi_disk();
    open_image("uefi.raw", DISK_OVERLAY);
    mount_rw("/dev/sda2", "/");
    root = stack_find(on.stack, "/dev/sda2");
    beyond.at = root->size_bytes - 4;
    must(volume_read(root, 100, old, sizeof(old)), &err); /* ext4 leaves its first KiB alone */
    assert_int_equal(volume_patch(on.stack, root, &stale, &err), -ESTALE);
    err_clear(&err);
    assert_int_equal(volume_patch(on.stack, root, &beyond, &err), -EIO);
    err_clear(&err);
    must(volume_patch(on.stack, root, &good, &err), &err);
    sync_tree();
    again();
    root = stack_find(on.stack, "/dev/sda2");
    must(volume_read(root, 100, now, sizeof(now)), &err);
    assert_memory_equal(now, boot, sizeof(boot));
    volume_set_read_only(root, STATUS_REFUSED, "it is somebody's");
    assert_true(volume_patch(on.stack, root, &stale, &err) < 0);
    assert_int_equal(err.status, STATUS_REFUSED);
}

static void the_undo_stack_releases_all(void **state)
{
    struct err err = ERR_NONE;

    (void)state;
    make_uefi_disk();
    open_image("uefi.raw", DISK_OVERLAY);
    mount_rw("/dev/sda2", "/");
    make_folder("/boot/efi");
    mount_rw("/dev/sda1", "/boot/efi");
    stack_free(on.stack);
    on.stack = NULL;
    must(session_close(on.session, &err), &err); /* busy loops would fail here */
    on.session = NULL;
    assert_int_equal(mtree_release(on.tree, &err), 0);
    on.tree = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(each_kind_is_written_and_read, release),
        cmocka_unit_test_teardown(fat_is_read_and_written, release),
        cmocka_unit_test_teardown(fat_names_never_lead_out, release),
        cmocka_unit_test_teardown(a_full_fat_says_so, release),
        cmocka_unit_test_teardown(a_dirty_journal_is_not_replayed_for_reading, release),
        cmocka_unit_test_teardown(a_dirty_xfs_log_is_noticed, release),
        cmocka_unit_test_teardown(subvolumes_are_listed_and_mounted, release),
        cmocka_unit_test_teardown(copies_of_a_btrfs_are_kept_apart, release),
        cmocka_unit_test_teardown(mount_points_never_lead_out, release),
        cmocka_unit_test_teardown(only_known_file_systems_reach_the_kernel, release),
        cmocka_unit_test_teardown(ntfs_is_read_where_the_host_can, release),
        cmocka_unit_test_teardown(a_sector_is_replaced_if_it_is_the_one_that_was_seen, release),
        cmocka_unit_test_teardown(the_undo_stack_releases_all, release),
    };

    if (geteuid() != 0) {
        print_message("needs root\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
