/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The jail from inside and from outside, on the real kernel. The guest is a tree of this host's
 * programs, mounted as guests are (nosuid,nodev,noexec); what attacks the host from inside is this
 * program, too: `test_jail PROBE` is run in the jail and says with its exit status what it could
 * do.
 */
#include "engine/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "tests/root/jail_probes.h"
#include "tests/unit/unit.h"

/* ---- the guest ---- */

static char dir[] = "/var/tmp/h2k-jail-test-XXXXXX";
static struct guest_root *root;

static char *below(const char *path)
{
    return mem_printf("%s%s", dir, path);
}

/* This host's folder at @path, with the flags of a guest's mount. */
static void show(const char *path)
{
    const unsigned long flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
    char *target = below(path);
    char link[256] = "";

    if (readlink(path, link, sizeof(link) - 1) > 0) {
        assert_int_equal(symlink(link, target), 0);
    } else if (access(path, F_OK) == 0) {
        (void)mkdir(target, 0755);
        assert_int_equal(mount(path, target, NULL, MS_BIND, NULL), 0);
        assert_int_equal(mount(NULL, target, NULL, flags, NULL), 0);
    }
    free(target);
}

static void put_file(const char *path, const char *text, mode_t mode)
{
    char *target = below(path);
    struct err err = ERR_NONE;

    assert_int_equal(io_write_file(target, text, strlen(text), mode, &err), 0);
    free(target);
}

static void put_probe(void)
{
    char *target = below("/probe");
    char self[4096] = ""; /* the link itself leads to a mount of another namespace */

    assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
    put_file("/probe", "", 0755);
    assert_int_equal(mount(self, target, NULL, MS_BIND, NULL), 0);
    assert_int_equal(mount(NULL, target, NULL,
                           MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
                           NULL),
                     0);
    free(target);
}

static int setup(void **state)
{
    static const char *const made[] = { "/proc", "/sys",     "/dev", "/tmp", "/run",
                                        "/var",  "/var/tmp", "/mnt", "/etc" };
    static const char *const shown[] = { "/usr", "/bin", "/sbin", "/lib", "/lib64" };
    struct err err = ERR_NONE;
    int fd;

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(unshare(CLONE_NEWNS), 0);
    assert_int_equal(mount("", "/", NULL, MS_PRIVATE | MS_REC, NULL), 0);
    assert_int_equal(mount("guest", dir, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(made); i++) {
        char *path = below(made[i]);

        assert_int_equal(mkdir(path, 0755), 0);
        free(path);
    }
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
        show(shown[i]);
    put_probe();
    put_file("/the-guest", "as it was\n", 0644);
    put_file("/etc/conf", "MODULES=dep\n", 0644);
    fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(guest_root_new(fd, &root, &err), 0);
    (void)close(fd);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    guest_root_free(root);
    /* busy when a process of a jail is alive */
    assert_int_equal(umount2(dir, MNT_DETACH), 0);
    return rmdir(dir);
}

static int run(const char *const *argv, unsigned timeout_ms, struct jail_result *ret,
               struct err *err)
{
    struct jail_opts opts = { .root = root, .argv = argv, .timeout_ms = timeout_ms };

    return jail_run(&opts, ret, err);
}

static int run_shell(const char *command, struct jail_result *ret)
{
    const char *const argv[] = { "/bin/sh", "-c", command, NULL };
    struct err err = ERR_NONE;
    char text[2048];

    if (run(argv, 60000, ret, &err) < 0)
        fail_msg("%s", err_text(&err, text, sizeof(text)));
    return ret->exit_status;
}

/* Only the guest's mounts are there, and nobody uses them any more. */
static void nothing_is_left(void)
{
    char *probe = below("/probe");

    assert_int_equal(umount2(probe, 0), 0);
    put_probe();
    free(probe);
}

/* ---- what is there inside ---- */

static void programs_run_and_say_something(void **state)
{
    struct jail_result result = { 0 };

    (void)state;
    assert_int_equal(run_shell("echo out; echo err >&2; printf '\\033[31m\\0'; exit 3", &result),
                     3);
    assert_string_equal(result.tail, "out\nerr\n?[31m?");
    free(result.tail);
    assert_int_equal(run_shell("kill -SEGV $$", &result), 128 + SIGSEGV);
    free(result.tail);
}

static void usual_things_work(void **state)
{
    static const char *const commands[] = {
        "echo x >/dev/null && head -c 4 /dev/urandom >/tmp/a && test -s /tmp/a",
        "test \"$HOME$TMPDIR\" = /root/tmp && test \"$(pwd)\" = /",
        "echo a | cat /dev/fd/0 >/dev/null && echo b | cat /dev/stdin >/dev/stderr",
        "grep -q ' /proc ' /proc/mounts && test -d /sys/block && test -d /dev/pts",
        "cp /bin/sh /tmp/sh && /tmp/sh -c true",
        "mkfifo /tmp/f && chown 1:1 /tmp/f && chmod 4755 /tmp/f && chroot / /bin/true",
        "echo x >/run/a && echo x >/var/tmp/a",
    };
    struct jail_result result = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (run_shell(commands[i], &result) != 0)
            fail_msg("%s: %s", commands[i], result.tail);
        free(result.tail);
    }
}

static void files_of_the_guest_are_written(void **state)
{
    struct jail_result result = { 0 };
    struct err err = ERR_NONE;
    char *text = NULL;

    (void)state;
    assert_int_equal(
        run_shell("echo new >/the-guest; echo x >/tmp/gone; echo x >/run/gone", &result), 0);
    free(result.tail);
    assert_int_equal(guest_read(root, "/the-guest", 100, &text, NULL, &err), 0);
    assert_string_equal(text, "new\n");
    free(text);
    assert_false(guest_exists(root, "/tmp/gone"));
    assert_false(guest_exists(root, "/run/gone"));
    assert_false(guest_exists(root, "/dev/null"));
}

static void files_are_replaced_inside_only(void **state)
{
    const char *const argv[] = { "/bin/sh", "-c", "cat /etc/conf >" JAIL_OUT "/seen; echo $MORE",
                                 NULL };
    const char *const env[] = { "MORE=more", NULL };
    const struct jail_file file = { "/etc/conf", "MODULES=most\n" };
    char out[] = "/var/tmp/h2k-jail-out-XXXXXX";
    struct jail_opts opts = {
        .root = root, .argv = argv, .env = env, .files = &file, .n_files = 1
    };
    struct jail_result result = { 0 };
    struct err err = ERR_NONE;
    char *text = NULL, *seen;

    (void)state;
    assert_non_null(mkdtemp(out));
    opts.out_fd = open(out, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(jail_run(&opts, &result, &err), 0);
    assert_string_equal(result.tail, "more\n");
    free(result.tail);
    seen = mem_printf("%s/seen", out);
    assert_int_equal(io_read_file(seen, 100, &text, NULL, &err), 0);
    assert_string_equal(text, "MODULES=most\n");
    free(text);
    assert_int_equal(guest_read(root, "/etc/conf", 100, &text, NULL, &err), 0);
    assert_string_equal(text, "MODULES=dep\n");
    free(text);
    (void)close(opts.out_fd);
    assert_int_equal(unlink(seen), 0);
    assert_int_equal(rmdir(out), 0);
    free(seen);
}

/* ---- what is not ---- */

static void the_host_is_out_of_reach(void **state)
{
    static const char *const names[] = { "disk",    "mount", "namespaces", "kernel", "processes",
                                         "network", "host",  "chroot",     "setuid" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *const argv[] = { "/probe", names[i], NULL };
        struct jail_result result = { 0 };
        struct err err = ERR_NONE;
        char text[2048];

        if (run(argv, 60000, &result, &err) < 0)
            fail_msg("%s", err_text(&err, text, sizeof(text)));
        if (result.exit_status != HELD)
            fail_msg("probe %s: status %d, %s", names[i], result.exit_status, result.tail);
        free(result.tail);
    }
    nothing_is_left();
}

static void a_fork_bomb_is_stopped(void **state)
{
    const char *const argv[] = { "/probe", "forks", NULL };
    struct jail_result result = { 0 };
    struct err err = ERR_NONE;

    (void)state;
    assert_int_equal(run(argv, 120000, &result, &err), 0);
    assert_int_equal(result.exit_status, 128);
    assert_non_null(strstr(result.tail, "too many processes"));
    free(result.tail);
    nothing_is_left();
}

static void time_is_limited(void **state)
{
    static const char *const names[] = { "stays", "talks" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *const argv[] = { "/probe", names[i], NULL };
        struct jail_result result = { 0 };
        struct err err = ERR_NONE;

        assert_int_equal(run(argv, 1000, &result, &err), -ETIMEDOUT);
        nothing_is_left();
    }
}

static void what_is_left_behind_ends_with_it(void **state)
{
    const char *const argv[] = { "/probe", "daemon", NULL };
    struct jail_result result = { 0 };
    struct err err = ERR_NONE;

    (void)state;
    assert_int_equal(run(argv, 60000, &result, &err), 0);
    assert_int_equal(result.exit_status, HELD);
    free(result.tail);
    nothing_is_left();
}

/* h2k is killed: the jail goes with it. */
static void it_dies_with_its_parent(void **state)
{
    const char *const argv[] = { "/bin/sh", "-c", "echo x >/the-guest.started; sleep 1000", NULL };
    char *started = below("/the-guest.started");
    struct jail_result result = { 0 };
    struct err err = ERR_NONE;
    int fds[2], status = 0;
    char byte;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(fds), 0); /* closed by all when all are gone: not O_CLOEXEC */
    pid = fork();
    if (pid == 0) {
        (void)close(fds[0]);
        (void)run(argv, 0, &result, &err);
        _exit(0);
    }
    (void)close(fds[1]);
    while (access(started, F_OK) < 0)
        (void)usleep(1000);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(read(fds[0], &byte, 1), 0);
    (void)close(fds[0]);
    for (int i = 0; i < 1000; i++) {
        char *probe = below("/probe");
        int r = umount2(probe, 0);

        free(probe);
        if (r == 0) {
            put_probe();
            (void)unlink(started);
            free(started);
            return;
        }
        (void)usleep(10000);
    }
    fail_msg("the jail is still there");
}

/* ---- what cannot be started ---- */

static void another_processor_is_told_of(void **state)
{
    /* an ELF header of a machine that there is not: no emulator is registered for it */
    static const char header[64] = "\x7f"
                                   "ELF\x02\x02\x01\0\0\0\0\0\0\0\0\0\0\x02\xfe\xfe\0\0\0\x01";
    const char *const argv[] = { "/foreign", NULL };
    char *path = below("/foreign");
    struct jail_result result = { 0 };
    struct err err = ERR_NONE;

    (void)state;
    assert_int_equal(io_write_file(path, header, sizeof(header), 0755, &err), 0);
    assert_true(run(argv, 60000, &result, &err) < 0);
    assert_int_equal(err.status, STATUS_HOST);
    assert_non_null(strstr(err.text[0], "qemu-user-static"));
    free(path);
}

static void failures_are_errors(void **state)
{
    const char *const missing[] = { "/no/such/program", NULL };
    const char *const fails[] = { "/bin/sh", "-c", "echo first; echo the reason >&2; exit 9",
                                  NULL };
    struct jail_opts opts = { .root = root, .argv = fails };
    struct jail_result result = { 0 };
    struct err err = ERR_NONE;

    (void)state;
    assert_true(run(missing, 60000, &result, &err) < 0);
    assert_non_null(strstr(err.text[0], "the guest has no /no/such/program"));
    assert_int_equal(jail_check(&opts, &err), -EPROTO);
    assert_non_null(strstr(err.text[0], "status 9: first;the reason"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_run_and_say_something),
        cmocka_unit_test(usual_things_work),
        cmocka_unit_test(files_of_the_guest_are_written),
        cmocka_unit_test(files_are_replaced_inside_only),
        cmocka_unit_test(the_host_is_out_of_reach),
        cmocka_unit_test(a_fork_bomb_is_stopped),
        cmocka_unit_test(time_is_limited),
        cmocka_unit_test(what_is_left_behind_ends_with_it),
        cmocka_unit_test(it_dies_with_its_parent),
        cmocka_unit_test(another_processor_is_told_of),
        cmocka_unit_test(failures_are_errors),
    };

    if (argc > 1)
        _exit(run_probe(argv[1]));
    if (geteuid() != 0)
        return 77;
    return cmocka_run_group_tests(tests, setup, teardown);
}
