/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest full of traps, beside it a folder of the "host" with a canary: whatever is asked for,
 * the canary is neither read nor written, and nothing hangs.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "engine/base/exec.h"
#include "engine/base/io.h"
#include "engine/guest.h"
#include "tests/unit/unit.h"

#define CANARY "host secret"

static struct {
    char *base; /* holds "guest" and "host" */
    int top, host;
    struct guest_root *root;
} at;

static const struct guest_attr plain = { .mode = 0644 };

static char *outside(const char *name)
{
    return mem_printf("%s/host/%s", at.base, name);
}

static void put(int dir, const char *name, const char *text)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(io_write_full(fd, text, strlen(text)), 0);
    (void)close(fd);
}

static void expect_text(const char *path, const char *want)
{
    struct err err = ERR_NONE;
    char *text = NULL;
    size_t len = 0;

    assert_int_equal(guest_read(at.root, path, GUEST_TEXT_MAX, &text, &len, &err), 0);
    assert_string_equal(text, want);
    assert_int_equal(len, strlen(want));
    free(text);
}

static void canary_is_alive(void)
{
    char *path = outside("canary"), *text = NULL;
    struct err err = ERR_NONE;

    assert_int_equal(io_read_file(path, 100, &text, NULL, &err), 0);
    assert_string_equal(text, CANARY);
    free(text);
    free(path);
}

static int replace(const char *path, const char *text, struct err *err)
{
    struct guest_piece piece = { .data = text, .len = strlen(text) };

    return guest_replace(at.root, path, &piece, 1, &plain, err);
}

static int setup(void **state)
{
    char dir[] = "/tmp/h2k-guest-XXXXXX";
    char *guest, *host;
    struct err err = ERR_NONE;
    struct open_how how = { .flags = O_PATH, .resolve = RESOLVE_IN_ROOT };
    long fd = syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));

    (void)state;
    if (fd < 0) /* valgrind 3.19 does not know the call; every test skips then */
        return 0;
    (void)close((int)fd);
    if (!mkdtemp(dir))
        return -1;
    at.base = mem_strdup(dir);
    guest = mem_printf("%s/guest", dir);
    host = mem_printf("%s/host", dir);
    (void)mkdir(guest, 0755);
    (void)mkdir(host, 0755);
    at.top = open(guest, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    at.host = open(host, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(guest);
    free(host);
    put(at.host, "canary", CANARY);
    (void)mkdirat(at.top, "etc", 0755);
    put(at.top, "etc/fstab", "inside\n");
    return guest_root_new(at.top, &at.root, &err);
}

static int teardown(void **state)
{
    const char *argv[] = { "rm", "-rf", at.base, NULL };
    struct exec_opts opts = { .argv = argv };
    struct err err = ERR_NONE;

    (void)state;
    if (!at.base)
        return 0;
    guest_root_free(at.root);
    (void)close(at.top);
    (void)close(at.host);
    (void)exec_check(&opts, NULL, &err);
    free(at.base);
    return 0;
}

static void need_openat2(void)
{
    if (!at.root)
        skip();
}

static void reading_works(void **state)
{
    struct strlist names = { 0 };
    struct err err = ERR_NONE;
    char buf[4] = "";
    uint64_t space = 0;
    char *path = NULL;

    (void)state;
    need_openat2();
    expect_text("/etc/fstab", "inside\n");
    expect_text("/../../etc/./fstab", "inside\n");
    assert_int_equal(guest_pread(at.root, "/etc/fstab", buf, 3, 2, &err), 3);
    assert_string_equal(buf, "sid");
    assert_int_equal(guest_pread(at.root, "/etc/fstab", buf, 3, 100, &err), 0);
    assert_true(guest_is_file(at.root, "/etc/fstab"));
    assert_false(guest_is_file(at.root, "/etc"));
    assert_true(guest_is_dir(at.root, "/etc"));
    assert_false(guest_exists(at.root, "/etc/nothing"));
    assert_int_equal(guest_list(at.root, "/etc", &names, &err), 0);
    assert_int_equal(names.n, 1);
    assert_string_equal(names.items[0], "fstab");
    strlist_done(&names);
    assert_int_equal(guest_free_space(at.root, "/etc", &space, &err), 0);
    assert_true(space > 0);
    assert_int_equal(symlinkat("/etc/fstab", at.top, "absolute"), 0);
    assert_int_equal(guest_real_path(at.root, "/absolute", &path, &err), 0);
    assert_string_equal(path, "/etc/fstab");
    free(path);
    assert_int_equal(guest_real_path(at.root, "/", &path, &err), 0);
    assert_string_equal(path, "/");
    free(path);
    assert_int_equal(guest_readlink(at.root, "/absolute", &path, &err), 0);
    assert_string_equal(path, "/etc/fstab");
    free(path);
    assert_int_equal(guest_readlink(at.root, "/etc/fstab", &path, &err), -EINVAL);
}

static void links_never_lead_out(void **state)
{
    char *canary;
    struct err err = ERR_NONE;
    char *text = NULL;

    (void)state;
    need_openat2();
    canary = outside("canary");
    const char *const targets[] = {
        canary,
        "../host/canary",
        "../../../../../../../../../../../../etc/hostname",
        "/proc/self/root/etc/hostname",
        "/proc/self/fd/0",
        "/dev/null",
        "loop",
    };

    for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
        const char *name = i == ARRAY_SIZE(targets) - 1 ? "loop" : "trap";

        print_message("link to %s\n", targets[i]);
        (void)unlinkat(at.top, name, 0);
        assert_int_equal(symlinkat(targets[i], at.top, name), 0);
        assert_true(guest_read(at.root, i == ARRAY_SIZE(targets) - 1 ? "/loop" : "/trap", 100,
                               &text, NULL, &err) < 0);
        assert_null(text);
        err_clear(&err);
        /* writing: the folder is not there in the guest, or it is a loop, or etc/hostname inside */
        (void)replace(i == ARRAY_SIZE(targets) - 1 ? "/loop" : "/trap", "changed", &err);
        err_clear(&err);
        canary_is_alive();
    }
    expect_text("/etc/hostname", "changed"); /* the ".." chain ended at the guest's own root */
    assert_int_equal(guest_read(at.root, "/loop", 100, &text, NULL, &err), -ELOOP);
    assert_int_equal(replace("/loop", "x", &err), -ELOOP);
    free(canary);
}

static void folders_that_are_links_out(void **state)
{
    struct err err = ERR_NONE;
    struct stat st;
    char *host;

    (void)state;
    need_openat2();
    host = mem_printf("%s/host", at.base);
    assert_int_equal(symlinkat(host, at.top, "out"), 0);
    assert_int_equal(symlinkat("../host", at.top, "up"), 0);
    assert_int_equal(guest_remove(at.root, "/out/canary", &err), -ENOENT);
    assert_int_equal(guest_remove(at.root, "/up/canary", &err), -ENOENT);
    assert_true(replace("/out/new", "x", &err) < 0);
    assert_true(guest_symlink(at.root, "x", "/up/new", &err) < 0);
    assert_true(guest_chmod(at.root, "/out/canary", 0, &err) < 0);
    assert_true(guest_mkdir(at.root, "/out/dir", &plain, &err) < 0);
    assert_int_equal(fstatat(at.host, "new", &st, 0), -1);
    assert_int_equal(fstatat(at.host, "dir", &st, 0), -1);
    canary_is_alive();
    assert_int_equal(guest_remove(at.root, "/out", &err), 0); /* the link itself */
    canary_is_alive();
    free(host);
}

static void odd_files_are_not_opened(void **state)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    static const char *const names[] = { "/fifo", "/socket", "/etc", "/zero" };
    size_t n = ARRAY_SIZE(names);
    int fd;

    (void)state;
    need_openat2();
    assert_int_equal(mkfifoat(at.top, "fifo", 0644), 0);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%.60s/guest/socket", at.base);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    (void)close(fd);
    if (mknodat(at.top, "zero", S_IFCHR | 0666, makedev(1, 5)) < 0)
        n--; /* only root makes devices */
    for (size_t i = 0; i < n; i++) {
        struct err err = ERR_NONE;
        char *text = NULL;
        char byte;

        assert_int_equal(guest_read(at.root, names[i], 100, &text, NULL, &err), -EINVAL);
        assert_int_equal(guest_open(at.root, names[i], &err), -EINVAL);
        assert_int_equal(guest_pread(at.root, names[i], &byte, 1, 0, &err), -EINVAL);
        assert_int_equal(replace(names[i], "x", &err), -EINVAL);
    }
}

static void sizes_are_capped(void **state)
{
    struct err err = ERR_NONE;
    char *text = NULL;
    char name[300], path[5001];
    int fd;

    (void)state;
    need_openat2();
    fd = openat(at.top, "huge", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    assert_int_equal(ftruncate(fd, 10LL << 30), 0);
    (void)close(fd);
    assert_int_equal(guest_read(at.root, "/huge", GUEST_TEXT_MAX, &text, NULL, &err), -EFBIG);
    (void)memset(name, 'n', sizeof(name) - 1);
    name[0] = '/';
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(guest_read(at.root, name, 10, &text, NULL, &err), -ENAMETOOLONG);
    assert_int_equal(replace(name, "x", &err), -ENAMETOOLONG);
    for (size_t i = 0; i < sizeof(path) - 1; i++)
        path[i] = i % 2 ? 'd' : '/';
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(replace(path, "x", &err), -ENAMETOOLONG);
    assert_int_equal(guest_open(at.root, path, &err), -ENAMETOOLONG);
}

static void replacing_keeps_what_was_there(void **state)
{
    char value[16] = "";
    struct err err = ERR_NONE;
    struct stat before, after;
    struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };

    (void)state;
    need_openat2();
    put(at.top, "etc/kept", "old");
    assert_int_equal(fchmodat(at.top, "etc/kept", 0640, 0), 0);
    if (geteuid() == 0)
        assert_int_equal(fchownat(at.top, "etc/kept", 12, 34, 0), 0);
    int fd = openat(at.top, "etc/kept", O_RDONLY | O_CLOEXEC);
    bool xattrs = fsetxattr(fd, "user.mark", "here", 4, 0) == 0;
    (void)close(fd);
    assert_int_equal(utimensat(at.top, "etc/kept", old, 0), 0);
    assert_int_equal(fstatat(at.top, "etc/kept", &before, 0), 0);
    assert_int_equal(symlinkat("kept", at.top, "etc/alias"), 0);

    assert_int_equal(replace("/etc/alias", "new", &err), 0);
    expect_text("/etc/kept", "new");
    assert_int_equal(fstatat(at.top, "etc/kept", &after, 0), 0);
    assert_int_equal(after.st_mode, before.st_mode);
    assert_int_equal(after.st_uid, before.st_uid);
    assert_int_equal(after.st_gid, before.st_gid);
    assert_int_not_equal(after.st_ino, before.st_ino);
    assert_true(after.st_mtim.tv_sec > 1000);
    assert_int_equal(guest_lstat(at.root, "/etc/alias", &after), 0);
    assert_true(S_ISLNK(after.st_mode));
    if (xattrs) {
        fd = openat(at.top, "etc/kept", O_RDONLY | O_CLOEXEC);
        assert_int_equal(fgetxattr(fd, "user.mark", value, sizeof(value)), 4);
        assert_string_equal(value, "here");
        (void)close(fd);
    }
}

static unsigned flags_of(const char *name)
{
    int flags = 0, fd = openat(at.top, name, O_RDONLY | O_CLOEXEC);

    (void)ioctl(fd, FS_IOC_GETFLAGS, &flags);
    (void)close(fd);
    return (unsigned)flags;
}

static void change_flags(const char *name, int flags, int *ret)
{
    int fd = openat(at.top, name, O_RDONLY | O_CLOEXEC);

    *ret = ioctl(fd, FS_IOC_SETFLAGS, &flags);
    (void)close(fd);
}

static void immutable_files_stay_so(void **state)
{
    struct err err = ERR_NONE;
    int r;

    (void)state;
    need_openat2();
    put(at.top, "etc/resolv.conf", "old");
    change_flags("etc/resolv.conf", FS_IMMUTABLE_FL | (int)flags_of("etc/resolv.conf"), &r);
    if (r < 0)
        skip(); /* not root, or a file system without flags */
    assert_int_equal(replace("/etc/resolv.conf", "new", &err), 0);
    expect_text("/etc/resolv.conf", "new");
    assert_true(flags_of("etc/resolv.conf") & FS_IMMUTABLE_FL);
    assert_int_equal(guest_remove(at.root, "/etc/resolv.conf", &err), 0);
}

static void new_things_get_mode_and_label(void **state)
{
    const struct guest_attr attr = { .mode = 0750 };
    struct err err = ERR_NONE;
    struct stat st;
    char label[32] = "";
    int fd;
    bool labels;

    (void)state;
    need_openat2();
    assert_int_equal(guest_mkdir(at.root, "/a/b/c", &attr, &err), 0);
    assert_int_equal(guest_mkdir(at.root, "/a/b/c/", &attr, &err), 0);
    assert_int_equal(guest_stat(at.root, "/a/b", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0750);
    assert_int_equal(guest_mkdir(at.root, "/etc/fstab/x", &attr, &err), -ENOTDIR);
    fd = openat(at.top, "a/b/c", O_RDONLY | O_CLOEXEC);
    labels = fsetxattr(fd, "security.selinux", "u:r:t:s0", 9, 0) == 0;
    (void)close(fd);
    assert_int_equal(replace("/a/b/c/file", "text", &err), 0);
    assert_int_equal(guest_stat(at.root, "/a/b/c/file", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(guest_chmod(at.root, "/a/b/c/file", 0600, &err), 0);
    assert_int_equal(guest_stat(at.root, "/a/b/c/file", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(guest_symlink(at.root, "/etc/fstab", "/a/b/c/link", &err), 0);
    assert_int_equal(guest_symlink(at.root, "file", "/a/b/c/link", &err), 0);
    expect_text("/a/b/c/link", "text");
    assert_int_equal(guest_symlink(at.root, "file", "/a/b/c", &err), -EISDIR);
    if (labels) {
        fd = openat(at.top, "a/b/c/file", O_RDONLY | O_CLOEXEC);
        assert_true(fgetxattr(fd, "security.selinux", label, sizeof(label)) > 0);
        assert_string_equal(label, "u:r:t:s0");
        (void)close(fd);
    }
}

static void pieces_are_put_together(void **state)
{
    struct guest_piece pieces[3] = { { .data = "head ", .len = 5 }, { 0 }, { 0 } };
    struct err err = ERR_NONE;
    char *path;

    (void)state;
    need_openat2();
    path = outside("canary");
    pieces[1].fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(guest_replace(at.root, "/joined", pieces, 3, &plain, &err), 0);
    expect_text("/joined", "head " CANARY);
    assert_int_equal(guest_remove(at.root, "/joined", &err), 0);
    assert_int_equal(guest_remove(at.root, "/joined", &err), -ENOENT);
    (void)close(pieces[1].fd);
    free(path);
}

/* Swaps "swap/dir" and a link out of the guest as fast as it can. */
static void swap_for_ever(void)
{
    for (;;)
        (void)syscall(SYS_renameat2, at.top, "swap/dir", at.top, "swap/link", RENAME_EXCHANGE);
}

static void races_never_lead_out(void **state)
{
    size_t ours = 0;
    uint64_t end;
    struct stat st;
    pid_t pid;

    (void)state;
    need_openat2();
    assert_int_equal(mkdirat(at.top, "swap", 0755), 0);
    assert_int_equal(mkdirat(at.top, "swap/dir", 0755), 0);
    put(at.top, "swap/dir/canary", "inside\n");
    assert_int_equal(symlinkat("../../host", at.top, "swap/link"), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        swap_for_ever();
    end = io_now_ms() + 1000;
    while (io_now_ms() < end) {
        struct err err = ERR_NONE;
        char *text = NULL;

        if (guest_read(at.root, "/swap/dir/canary", 100, &text, NULL, &err) == 0) {
            if (strcmp(text, CANARY) == 0)
                break;
            ours++;
        }
        free(text);
        err_clear(&err);
        (void)replace("/swap/dir/canary", "inside\n", &err);
        err_clear(&err);
        (void)guest_symlink(at.root, "x", "/swap/dir/planted", &err);
        (void)guest_remove(at.root, "/swap/dir/planted", &err);
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    print_message("%zu reads met the guest's own file\n", ours);
    assert_true(ours > 0);
    assert_true(io_now_ms() >= end);
    canary_is_alive();
    assert_int_equal(fstatat(at.host, "planted", &st, AT_SYMLINK_NOFOLLOW), -1);
}

static void nothing_temporary_is_left(void **state)
{
    static const char *const dirs[] = { "/", "/etc", "/a/b/c", "/swap/link", "/swap/dir" };

    (void)state;
    need_openat2();
    for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
        struct strlist names = { 0 };
        struct err err = ERR_NONE;

        if (guest_list(at.root, dirs[i], &names, &err) < 0)
            continue;
        for (size_t j = 0; j < names.n; j++)
            assert_int_not_equal(strncmp(names.items[j], ".h2k-", 5), 0);
        strlist_done(&names);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_works),
        cmocka_unit_test(links_never_lead_out),
        cmocka_unit_test(folders_that_are_links_out),
        cmocka_unit_test(odd_files_are_not_opened),
        cmocka_unit_test(sizes_are_capped),
        cmocka_unit_test(replacing_keeps_what_was_there),
        cmocka_unit_test(immutable_files_stay_so),
        cmocka_unit_test(new_things_get_mode_and_label),
        cmocka_unit_test(pieces_are_put_together),
        cmocka_unit_test(races_never_lead_out),
        cmocka_unit_test(nothing_temporary_is_left),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
