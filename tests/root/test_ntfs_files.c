/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of NTFS as Windows sees them: names, security descriptors, attributes. Volumes of mkntfs,
 * looked at with the tools of ntfs-3g afterwards. */
#include <poll.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "engine/base/le.h"
#include "engine/upcase.h"
#include "tests/root/ntfs_util.h"
#include "tests/unit/sd_util.h"

#define NTFS3 0x7366746e
#define READY_MS 20000

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
    if (!can_test())
        skip();
    free(new_ntfs("ntfs.raw"));
    open_image("ntfs.raw", DISK_OVERLAY);
    mount_rw("/dev/sda", "/");
    make_folder("/Program Files/Größe");
    guest_root_ignore_case(mtree_root(on.tree));
    put("/PROGRAM FILES/größe/A.txt", "first\n");
    put("/program files/GRÖßE/a.TXT", "second\n");
    expect("/Program Files/Größe/A.txt", "second\n");
    expect_real("/PROGRAM files/GRÖßE/a.txt", "/Program Files/Größe/A.txt");
    fd = openat(guest_root_fd(mtree_root(on.tree)), "Program Files", O_RDONLY | O_CLOEXEC);
    if (fsetxattr(fd, "system.ntfs_dos_name", short_name, sizeof(short_name) - 1, 0) == 0)
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

static bool is_ntfs3(void)
{
    struct statfs fs;

    assert_int_equal(fstatfs(guest_root_fd(mtree_root(on.tree)), &fs), 0);
    return fs.f_type == NTFS3;
}

static void junctions_lead_to_folders_of_the_volume(void **state)
{
    struct guest_piece piece = { .data = "", .len = 0 };
    struct err err = ERR_NONE;
    char *text = NULL;

    (void)state;
    if (!can_test())
        skip();
    free(new_ntfs("ntfs.raw"));
    open_image("ntfs.raw", DISK_OVERLAY);
    mount_rw("/dev/sda", "/");
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

/* ---- security ---- */

static const char *descriptor_name(void)
{
    return is_ntfs3() ? "system.ntfs_security" : "system.ntfs_acl";
}

static int open_below(const char *path)
{
    int fd = openat(guest_root_fd(mtree_root(on.tree)), path + 1, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}

/* As System32\drivers has it, in short. */
static void set_descriptor(const char *path)
{
    static const struct sd_ace aces[] = {
        { 0, 0, 0x1301bf, "5-18" },        { 0, 11, 0x10000000, "5-18" },
        { 0, 11, 0x10000000, "3-0" },      { 0, 0, 0x1200a9, "5-32-545" },
        { 0, 11, 0xa0000000, "5-32-545" },
    };
    const struct sd_list dacl = { aces, ARRAY_SIZE(aces) }, none = { 0 };
    struct strbuf sd = { 0 };
    int fd = open_below(path);

    sd_build(0, &dacl, &none, &sd);
    assert_int_equal(fsetxattr(fd, descriptor_name(), sd.data, sd.len, 0), 0);
    (void)close(fd);
    strbuf_done(&sd);
}

static void expect_descriptor(const char *path, const char *want)
{
    uint8_t sd[4096];
    int fd = open_below(path);
    ssize_t n = fgetxattr(fd, descriptor_name(), sd, sizeof(sd));
    char *text;

    (void)close(fd);
    assert_true(n > 20);
    text = sd_show(sd);
    assert_string_equal(text, want);
    free(text);
}

static uint32_t attributes_of(const char *path)
{
    uint32_t attributes = 0;
    int fd = open_below(path);

    assert_int_equal(fgetxattr(fd, "system.ntfs_attrib", &attributes, 4), 4);
    (void)close(fd);
    return attributes;
}

static void set_attributes(const char *path, uint32_t attributes)
{
    int fd = open_below(path);

    assert_int_equal(fsetxattr(fd, "system.ntfs_attrib", &attributes, 4, 0), 0);
    (void)close(fd);
}

#define OWNED "O:5-32-544 G:5-18"
#define FILE_IN_DRIVERS                                                                            \
    "8404 " OWNED " D:(0;10;1f01ff;5-18)(0;10;1f01ff;5-32-544)(0;10;1200a9;5-32-545)"
#define FOLDER_IN_DRIVERS                                                                          \
    "8404 " OWNED " D:(0;10;1f01ff;5-18)(0;1b;10000000;5-18)(0;10;1f01ff;5-32-544)"                \
    "(0;1b;10000000;3-0)(0;10;1200a9;5-32-545)(0;1b;a0000000;5-32-545)"
#define PRIVATE_FOLDER "9004 " OWNED " D:(0;3;1f01ff;5-18)(0;3;1f01ff;5-32-544)"
#define FILE_IN_PRIVATE "8404 " OWNED " D:(0;10;1f01ff;5-18)(0;10;1f01ff;5-32-544)"
#define PRIVATE_FILE "9004 " OWNED " D:(0;0;1f01ff;5-18)(0;0;1f01ff;5-32-544)"

/* What the tools of ntfs-3g say of the image. */
static void check_image(const char *overlay)
{
    char *raw = path_of("after.raw");
    const char *const audit[] = { "ntfssecaudit", "-a", raw, NULL };
    const char *const show[] = { "ntfssecaudit", "-v", raw, "/drivers/new.sys", NULL };
    char *text;

    RUN("qemu-img", "convert", "-O", "raw", overlay, raw);
    RUN("ntfsfix", "-n", raw);
    RUN("ntfsinfo", "-m", raw);
    if (exec_have("ntfssecaudit")) {
        text = output_of(audit, NULL);
        assert_non_null(strstr(text, "No errors were found"));
        free(text);
        text = output_of(show, NULL);
        assert_non_null(strstr(text, "Windows owner S-1-5-32-544"));
        assert_non_null(strstr(text, "Windows group S-1-5-18"));
        free(text);
    }
    RUN("rm", raw);
    free(raw);
}

static void what_is_made_has_the_security_of_its_folder(void **state)
{
    struct guest_piece piece = { .data = "secret\n", .len = 7 };
    const struct guest_attr private_folder = { .mode = 0700 }, private_file = { .mode = 0600 };
    char *overlay = path_of("sd.qcow2");
    const struct guest_root *root;
    struct err err = ERR_NONE;

    (void)state;
    if (!can_test())
        skip();
    free(new_ntfs("ntfs.raw"));
    attach_image("ntfs.raw", DISK_OVERLAY, overlay);
    build();
    mount_rw("/dev/sda", "/");
    root = mtree_root(on.tree);
    make_folder("/drivers");
    set_descriptor("/drivers");
    put("/drivers/new.sys", "driver\n");
    expect_descriptor("/drivers/new.sys", FILE_IN_DRIVERS);
    make_folder("/drivers/sub/deep");
    expect_descriptor("/drivers/sub", FOLDER_IN_DRIVERS);
    put("/drivers/sub/deep/file", "text\n");
    expect_descriptor("/drivers/sub/deep/file", FILE_IN_DRIVERS);
    must(guest_mkdir(root, "/drivers/scripts", &private_folder, &err), &err);
    put("/drivers/scripts/1.cmd", "rem\n");
    must(guest_replace(root, "/drivers/key", &piece, 1, &private_file, &err), &err);
    sync_tree();
    again();
    mount_rw("/dev/sda", "/");
    expect_descriptor("/drivers/scripts", PRIVATE_FOLDER);
    expect_descriptor("/drivers/scripts/1.cmd", FILE_IN_PRIVATE);
    expect_descriptor("/drivers/key", PRIVATE_FILE);
    put("/drivers/key", "other\n");
    expect_descriptor("/drivers/key", PRIVATE_FILE);
    assert_int_equal(release(state), 0);
    check_image(overlay);
    free(overlay);
}

/* ---- replacing ---- */

struct kept {
    struct stat st;
    uint8_t created[8];
    char short_name[16];
};

static struct kept look(const char *path)
{
    struct kept kept = { 0 };
    int fd = open_below(path);

    assert_int_equal(fstat(fd, &kept.st), 0);
    if (!is_ntfs3()) {
        assert_int_equal(fgetxattr(fd, "system.ntfs_crtime", kept.created, 8), 8);
        assert_true(fgetxattr(fd, "system.ntfs_dos_name", kept.short_name, 15) > 0);
    }
    (void)close(fd);
    return kept;
}

static void a_replaced_file_is_the_same_file(void **state)
{
    static const char *const contents[] = { "", "short\n", "much longer than what was there\n" };
    struct kept before, after;
    int fd;

    (void)state;
    if (!can_test())
        skip();
    free(new_ntfs("ntfs.raw"));
    open_image("ntfs.raw", DISK_OVERLAY);
    mount_rw("/dev/sda", "/");
    put("/SOFTWARE.hive", "old content\n");
    set_descriptor("/SOFTWARE.hive");
    set_attributes("/SOFTWARE.hive", 0x27); /* read-only, hidden, system, archive */
    fd = open_below("/SOFTWARE.hive");
    if (!is_ntfs3())
        assert_int_equal(fsetxattr(fd, "system.ntfs_dos_name", "SOFTWA~1.HIV", 12, 0), 0);
    (void)close(fd);
    before = look("/SOFTWARE.hive");
    for (size_t i = 0; i < ARRAY_SIZE(contents); i++)
        put("/SOFTWARE.hive", contents[i]);
    again();
    mount_rw("/dev/sda", "/");
    after = look("/SOFTWARE.hive");
    expect("/SOFTWARE.hive", contents[ARRAY_SIZE(contents) - 1]);
    assert_int_equal(after.st.st_ino, before.st.st_ino);
    assert_int_equal(attributes_of("/SOFTWARE.hive"), 0x27);
    assert_memory_equal(after.created, before.created, sizeof(after.created));
    assert_string_equal(after.short_name, before.short_name);
    expect_descriptor("/SOFTWARE.hive",
                      "8004 O:5-18 G:5-18 D:(0;0;1301bf;5-18)(0;b;10000000;5-18)"
                      "(0;b;10000000;3-0)(0;0;1200a9;5-32-545)(0;b;a0000000;5-32-545)");
}

/* A file may be a source of its own new content. */
static void a_file_can_be_put_behind_a_header(void **state)
{
    struct guest_piece pieces[] = { { .data = "header ", .len = 7 }, { .fd = -1 } };
    struct err err = ERR_NONE;

    (void)state;
    if (!can_test())
        skip();
    free(new_ntfs("ntfs.raw"));
    open_image("ntfs.raw", DISK_OVERLAY);
    mount_rw("/dev/sda", "/");
    put("/file", "body\n");
    pieces[1].fd = guest_open(mtree_root(on.tree), "/file", &err);
    assert_true(pieces[1].fd >= 0);
    must(guest_replace(mtree_root(on.tree), "/file", pieces, 2, &plain, &err), &err);
    (void)close(pieces[1].fd);
    expect("/file", "header body\n");
}

/* ---- compression ---- */

/* A folder that compresses what is put into it, and a file in it. */
static void make_compressed(const char *image)
{
    char *at = path_of("mnt"), *folder = path_of("mnt/packed"), *file = path_of("mnt/packed/old");
    uint32_t attributes = 0x810;
    uint64_t end = io_now_ms() + READY_MS;
    struct stat before, st;
    struct err err = ERR_NONE;
    char *zeros = mem_alloc(300000);
    int status;
    pid_t pid;

    (void)mkdir(at, 0700);
    assert_int_equal(stat(at, &before), 0);
    pid = fork();
    if (pid == 0) {
        (void)execlp("ntfs-3g", "ntfs-3g", "-o", "no_detach,compression", image, at, (char *)NULL);
        _exit(1);
    }
    do {
        (void)poll(NULL, 0, 5);
        assert_int_equal(stat(at, &st), 0);
    } while (st.st_dev == before.st_dev && io_now_ms() < end);
    assert_int_equal(mkdir(folder, 0755), 0);
    assert_int_equal(setxattr(folder, "system.ntfs_attrib", &attributes, 4, 0), 0);
    must(io_write_file(file, zeros, 300000, 0600, &err), &err);
    assert_int_equal(getxattr(file, "system.ntfs_attrib", &attributes, 4), 4);
    assert_true(attributes & 0x800);
    RUN("umount", at);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    free(zeros);
    free(file);
    free(folder);
    free(at);
}

static void nothing_is_compressed(void **state)
{
    char *path;

    (void)state;
    if (!can_test() || !exec_have("ntfs-3g"))
        skip();
    path = new_ntfs("ntfs.raw");
    make_compressed(path);
    open_image("ntfs.raw", DISK_OVERLAY);
    mount_rw("/dev/sda", "/");
    assert_true(attributes_of("/packed") & 0x800);
    put("/packed/new", "text\n");
    assert_int_equal(attributes_of("/packed/new") & 0xe00, 0);
    make_folder("/packed/folder");
    assert_int_equal(attributes_of("/packed/folder") & 0xe00, 0);
    put("/packed/folder/file", "text\n");
    assert_int_equal(attributes_of("/packed/folder/file") & 0xe00, 0);
    set_descriptor("/packed/old");
    put("/packed/old", "no longer compressed\n");
    assert_int_equal(attributes_of("/packed/old") & 0xe00, 0);
    expect("/packed/old", "no longer compressed\n");
    expect_descriptor("/packed/old",
                      "8004 O:5-18 G:5-18 D:(0;0;1301bf;5-18)(0;b;10000000;5-18)"
                      "(0;b;10000000;3-0)(0;0;1200a9;5-32-545)(0;b;a0000000;5-32-545)");
    assert_true(attributes_of("/packed") & 0x800);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_are_those_of_the_volume),
        cmocka_unit_test_teardown(names_are_found_whatever_their_case, release),
        cmocka_unit_test_teardown(the_system_partition_is_beside_the_root, release),
        cmocka_unit_test_teardown(junctions_lead_to_folders_of_the_volume, release),
        cmocka_unit_test_teardown(what_is_made_has_the_security_of_its_folder, release),
        cmocka_unit_test_teardown(a_replaced_file_is_the_same_file, release),
        cmocka_unit_test_teardown(a_file_can_be_put_behind_a_header, release),
        cmocka_unit_test_teardown(nothing_is_compressed, release),
    };

    if (geteuid() != 0) {
        print_message("needs root\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
