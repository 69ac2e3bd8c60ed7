/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of NTFS as Windows sees them: security descriptors, attributes, how they are stored.
 * Volumes of mkntfs, looked at with the tools of ntfs-3g afterwards. */
#include <poll.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "tests/root/ntfs_util.h"
#include "tests/unit/sd_util.h"

#define READY_MS 20000

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

/* As System32\drivers has it, in short; @name: as the driver calls it. Closes @fd. */
static void give_descriptor(int fd, const char *name)
{
    static const struct sd_ace aces[] = {
        { 0, 0, 0x1301bf, "5-18" },        { 0, 11, 0x10000000, "5-18" },
        { 0, 11, 0x10000000, "3-0" },      { 0, 0, 0x1200a9, "5-32-545" },
        { 0, 11, 0xa0000000, "5-32-545" },
    };
    const struct sd_list dacl = { aces, ARRAY_SIZE(aces) }, none = { 0 };
    struct strbuf sd = { 0 };

    sd_build(0, &dacl, &none, &sd);
    assert_int_equal(fsetxattr(fd, name, sd.data, sd.len, 0), 0);
    (void)close(fd);
    strbuf_done(&sd);
}

static void set_descriptor(const char *path)
{
    give_descriptor(open_below(path), descriptor_name());
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
    start_ntfs();
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
    start_ntfs();
    put("/file", "body\n");
    pieces[1].fd = guest_open(mtree_root(on.tree), "/file", &err);
    assert_true(pieces[1].fd >= 0);
    must(guest_replace(mtree_root(on.tree), "/file", pieces, 2, &plain, &err), &err);
    (void)close(pieces[1].fd);
    expect("/file", "header body\n");
}

/* ---- compression ---- */

/* Where h2k is not to use it, it is hidden from it and only named here. */
static const char *ntfs_3g(void)
{
    const char *hidden = getenv("NTFS_3G");

    return hidden ? hidden : "ntfs-3g";
}

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
        (void)execlp(ntfs_3g(), "ntfs-3g", "-o", "no_detach,compression", image, at, (char *)NULL);
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
    /* ntfs3 takes none for what ntfs-3g has made without one */
    give_descriptor(open(file, O_RDONLY | O_CLOEXEC), "system.ntfs_acl");
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
    if (!can_test() || (!getenv("NTFS_3G") && !exec_have("ntfs-3g")))
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
