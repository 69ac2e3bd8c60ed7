/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of NTFS as Windows sees them: letters, the partition beside it, junctions. Volumes of
 * mkntfs, looked at with the tools of ntfs-3g afterwards. */
#include <sys/xattr.h>

#include "engine/base/le.h"
#include "engine/upcase.h"
#include "tests/root/ntfs_util.h"

/* ---- names ---- */

/* The table in each volume is the rule. */
static void letters_are_those_of_the_volume(void **state)
{
    char *path;
    const char *argv[] = { "ntfscat", "-i", "10", NULL, NULL };
    struct exec_opts opts = { .argv = argv };
    struct exec_result result = { 0 };
    struct err err = ERR_NONE;

    (void)state;
    if (!can_test())
        skip();
    path = new_ntfs("ntfs.raw");
    argv[3] = path;
    must(exec_run(&opts, &result, &err), &err);
    assert_int_equal(result.out.len, 65536 * 2);
    for (size_t unit = 0; unit < 65536; unit++)
        assert_int_equal(upcase_unit((uint16_t)unit),
                         get_le16((const uint8_t *)result.out.data + 2 * unit));
    exec_result_done(&result);
    free(path);
}

static void expect_real(const char *path, const char *want)
{
    struct err err = ERR_NONE;
    char *real = NULL;

    must(guest_real_path(mtree_root(on.tree), path, &real, &err), &err);
    assert_string_equal(real, want);
    free(real);
}

static void names_are_found_whatever_their_case(void **state)
{
    static const char short_name[] = "PROGRA~1";
    struct err err = ERR_NONE;
    int fd;

    (void)state;
    start_ntfs();
    make_folder("/Program Files/Größe");
    guest_root_ignore_case(mtree_root(on.tree));
    put("/PROGRAM FILES/größe/A.txt", "first\n");
    put("/program files/GRÖßE/a.TXT", "second\n");
    expect("/Program Files/Größe/A.txt", "second\n");
    expect_real("/PROGRAM files/GRÖßE/a.txt", "/Program Files/Größe/A.txt");
    fd = openat(guest_root_fd(mtree_root(on.tree)), "Program Files", O_RDONLY | O_CLOEXEC);
    if (!is_ntfs3() && /* takes any name of an attribute, and makes a short name of none */
        fsetxattr(fd, "system.ntfs_dos_name", short_name, sizeof(short_name) - 1, 0) == 0)
        expect_real("/progra~1/größe/A.txt", "/Program Files/Größe/A.txt");
    (void)close(fd);
    must(guest_remove(mtree_root(on.tree), "/Program files/Größe/a.txt", &err), &err);
    assert_false(guest_exists(mtree_root(on.tree), "/Program Files/Größe/A.txt"));
}

/* A partition that the firmware starts from, beside that of Windows. */
static void mount_beside(const char *volume)
{
    struct mount_opts opts = { .read_only = false };
    struct err err = ERR_NONE;

    must(mtree_mount_beside(on.tree, stack_find(on.stack, volume), "/SYSTEM:", &opts, &err), &err);
}

static void write_beside(bool is_fat)
{
    char *path = new_image("system.raw", 64 * MIB), *overlay = path_of("system.qcow2");
    char *after = path_of("after.raw");

    if (is_fat)
        RUN("mkfs.vfat", path);
    else
        RUN("mkntfs", "-FQq", path);
    free(new_ntfs("ntfs.raw"));
    attach_image("ntfs.raw", DISK_OVERLAY, NULL);
    attach_image("system.raw", DISK_OVERLAY, overlay);
    build();
    mount_rw("/dev/sda", "/");
    guest_root_ignore_case(mtree_root(on.tree));
    mount_beside("/dev/sdb");
    make_folder("/SYSTEM:/EFI/Boot");
    put("/system:/efi/BOOT/bootx64.efi", "loader\n");
    expect_real("/system:/efi/boot/BOOTX64.EFI", "/SYSTEM:/EFI/Boot/bootx64.efi");
    sync_tree();
    again();
    mount_rw("/dev/sda", "/");
    assert_false(guest_exists(mtree_root(on.tree), "/SYSTEM:"));
    guest_root_ignore_case(mtree_root(on.tree));
    mount_beside("/dev/sdb");
    expect("/SYSTEM:/efi/boot/bootx64.efi", "loader\n");
    assert_int_equal(release(NULL), 0);
    RUN("qemu-img", "convert", "-O", "raw", overlay, after);
    if (is_fat)
        RUN("mdir", "-i", after, "::/EFI/Boot/bootx64.efi");
    else
        expect_in_image(after, "/EFI/Boot/bootx64.efi", "loader\n");
    RUN("rm", overlay, after);
    free(path);
    free(overlay);
    free(after);
}

static void the_system_partition_is_beside_the_root(void **state)
{
    (void)state;
    if (!can_test() || mount_support("vfat", false) == MOUNT_NONE)
        skip();
    write_beside(true);
    write_beside(false);
}

/* ---- junctions ---- */

/* Words of an IO_REPARSE_TAG_MOUNT_POINT: "\??\C:\..." and the same for people. */
static void make_junction(const char *name, const char *to)
{
    struct strbuf data = { 0 };
    char *nt = mem_printf("\\??\\%s", to);
    const char *const names[] = { nt, to };
    uint8_t header[16] = { 3, 0, 0, 0xa0 };
    int top = guest_root_fd(mtree_root(on.tree)), fd;

    strbuf_add(&data, header, sizeof(header));
    for (size_t i = 0; i < 2; i++) {
        put_le16(data.data + 8 + 4 * i, (uint16_t)(data.len - sizeof(header)));
        put_le16(data.data + 10 + 4 * i, (uint16_t)(2 * strlen(names[i])));
        for (const char *c = names[i]; *c; c++)
            strbuf_add(&data, (const char[]){ *c, 0 }, 2);
        strbuf_add(&data, "\0", 2);
    }
    put_le16(data.data + 4, (uint16_t)(data.len - 8));
    assert_int_equal(mkdirat(top, name, 0755), 0);
    fd = openat(top, name, O_RDONLY | O_CLOEXEC);
    assert_int_equal(fsetxattr(fd, "system.ntfs_reparse_data", data.data, data.len, 0), 0);
    (void)close(fd);
    strbuf_done(&data);
    free(nt);
}

static void set_compactos(const char *name)
{
    static const uint8_t reparse[] = { 0x17, 0, 0, 0x80, 16, 0, 0, 0, 1, 0, 0, 0,
                                       2,    0, 0, 0,    1,  0, 0, 0, 0, 0, 0, 0 };
    int fd = openat(guest_root_fd(mtree_root(on.tree)), name, O_RDONLY | O_CLOEXEC);

    assert_int_equal(fsetxattr(fd, "system.ntfs_reparse_data", reparse, sizeof(reparse), 0), 0);
    (void)close(fd);
}

static void junctions_lead_to_folders_of_the_volume(void **state)
{
    struct guest_piece piece = { .data = "", .len = 0 };
    struct err err = ERR_NONE;
    char *text = NULL;

    (void)state;
    start_ntfs();
    if (is_ntfs3())
        skip(); /* makes none */
    make_folder("/Users/Public");
    put("/Users/Public/a.txt", "text\n");
    put("/compact.dll", "x");
    make_junction("Documents and Settings", "C:\\users");
    make_junction("Elsewhere", "D:\\Data");
    set_compactos("compact.dll");
    again();
    mount_rw("/dev/sda", "/");
    guest_root_ignore_case(mtree_root(on.tree));
    expect("/documents and settings/public/a.txt", "text\n");
    expect_real("/Documents And Settings/Public", "/Users/Public");
    put("/Documents and Settings/Public/b.txt", "new\n");
    expect("/Users/Public/b.txt", "new\n");
    must(guest_readlink(mtree_root(on.tree), "/Documents and Settings", &text, &err), &err);
    assert_string_equal(text, "/Users");
    free(text);
    assert_false(guest_exists(mtree_root(on.tree), "/Elsewhere/a"));
    assert_int_equal(guest_read(mtree_root(on.tree), "/compact.dll", 10, &text, NULL, &err),
                     -EOPNOTSUPP);
    assert_int_equal(guest_replace(mtree_root(on.tree), "/compact.dll", &piece, 1, &plain, &err),
                     -EOPNOTSUPP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_are_those_of_the_volume),
        cmocka_unit_test_teardown(names_are_found_whatever_their_case, release),
        cmocka_unit_test_teardown(the_system_partition_is_beside_the_root, release),
        cmocka_unit_test_teardown(junctions_lead_to_folders_of_the_volume, release),
    };

    if (geteuid() != 0) {
        print_message("needs root\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
