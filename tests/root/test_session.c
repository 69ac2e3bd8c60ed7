/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sessions, their namespaces and state files, on the real kernel. */
#include "engine/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/leftovers.h"
#include "engine/state.h"
#include "tests/unit/unit.h"

static struct session *open_session(void)
{
    struct session *session = NULL;
    struct err err = ERR_NONE;
    char text[2048];

    if (session_open(NULL, &session, &err) < 0)
        fail_msg("%s", err_text(&err, text, sizeof(text)));
    return session;
}

static void makes_private_things_and_removes_them(void **state)
{
    struct session *session = open_session();
    char *run_dir = mem_strdup(session_run_dir(session));
    char *work_dir = mem_strdup(session_work_dir(session));
    char *state_file = mem_strndup(run_dir, strlen(run_dir) - 2);
    struct err err = ERR_NONE;
    struct stat st;

    (void)state;
    assert_int_equal(stat(STATE_DIR, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(stat(run_dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(stat(work_dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_true(state_is_id(session_id(session)));

    assert_int_equal(session_close(session, &err), 0);
    assert_int_equal(access(state_file, F_OK), -1);
    assert_int_equal(access(run_dir, F_OK), -1);
    assert_int_equal(access(work_dir, F_OK), -1);
    free(run_dir);
    free(work_dir);
    free(state_file);
}

static char *own_namespace(void)
{
    char buf[64] = { 0 };

    assert_true(readlink("/proc/self/ns/mnt", buf, sizeof(buf) - 1) > 0);
    return mem_strdup(buf);
}

static int mount_in_outer(void *arg, struct err *err)
{
    char **seen = arg;

    *seen = own_namespace();
    if (mount("h2k-test", "/mnt", "tmpfs", 0, NULL) < 0)
        return err_set(err, errno, "mount");
    return 7;
}

static dev_t device_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_dev;
}

static void namespaces_are_nested_and_private(void **state)
{
    char *home = own_namespace();
    dev_t mnt = device_of("/mnt");
    char cwd[4096], now[4096];
    struct session *session = open_session();
    char *inner = own_namespace();
    char *outer = NULL;
    char *again;
    struct err err = ERR_NONE;

    (void)state;
    assert_non_null(getcwd(cwd, sizeof(cwd)));
    assert_string_not_equal(home, inner);
    assert_int_equal(session_in_outer(session, mount_in_outer, &outer, &err), 7);
    assert_string_not_equal(outer, inner);
    assert_string_not_equal(outer, home);
    again = own_namespace();
    assert_string_equal(again, inner);
    /* a mount of the outer one is seen neither here nor by the host */
    assert_int_equal(device_of("/mnt"), mnt);
    assert_non_null(getcwd(now, sizeof(now)));
    assert_string_equal(cwd, now);

    assert_int_equal(session_close(session, &err), 0);
    free(again);
    again = own_namespace();
    assert_string_equal(again, home);
    assert_int_equal(device_of("/mnt"), mnt);
    assert_non_null(getcwd(now, sizeof(now)));
    assert_string_equal(cwd, now);
    free(home);
    free(inner);
    free(outer);
    free(again);
}

/* Open a session in a child that kills itself; its run and work folders stay. */
static void die_with_a_session(const char *file, char *ret_id, size_t size)
{
    int pipe_fds[2];
    pid_t child;
    int status = 0;

    assert_int_equal(pipe(pipe_fds), 0);
    child = fork();
    if (child == 0) {
        struct session *session = NULL;
        struct err err = ERR_NONE;

        if (session_open(NULL, &session, &err) < 0 ||
            session_record(session, "file", file, &err) < 0 ||
            write(pipe_fds[1], session_id(session), size) != (ssize_t)size)
            _exit(1);
        (void)kill(getpid(), SIGKILL);
    }
    assert_int_equal(read(pipe_fds[0], ret_id, size), size);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    (void)close(pipe_fds[0]);
    (void)close(pipe_fds[1]);
}

static void next_session_cleans_dead_ones_only(void **state)
{
    char file[] = "/tmp/h2k-test-XXXXXX";
    int fd = mkstemp(file);
    struct session *alive = open_session();
    char id[9] = { 0 };
    char *state_file, *work_dir;
    struct strlist released = { 0 };
    struct err err = ERR_NONE;

    (void)state;
    assert_true(fd >= 0);
    (void)close(fd);
    die_with_a_session(file, id, 8);
    state_file = mem_printf("%s/%s", STATE_DIR, id);
    work_dir = mem_printf("/var/tmp/h2k-%s", id);
    assert_int_equal(access(state_file, F_OK), 0);
    assert_int_equal(access(work_dir, F_OK), 0);
    assert_int_equal(access(file, F_OK), 0);

    assert_int_equal(leftovers_clean(&released, &err), 0);
    assert_int_equal(access(state_file, F_OK), -1);
    assert_int_equal(access(work_dir, F_OK), -1);
    assert_int_equal(access(file, F_OK), -1);
    assert_int_equal(access(session_run_dir(alive), F_OK), 0);
    assert_int_equal(access(session_work_dir(alive), F_OK), 0);
    assert_true(released.n >= 3);

    assert_int_equal(session_close(alive, &err), 0);
    strlist_done(&released);
    free(state_file);
    free(work_dir);
}

static void forgotten_files_stay(void **state)
{
    char file[] = "/tmp/h2k-test-XXXXXX";
    int fd = mkstemp(file);
    struct session *session = open_session();
    char *text = NULL, *path;
    struct state parsed;
    struct err err = ERR_NONE;

    (void)state;
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(session_record(session, "file", file, &err), 0);
    assert_int_equal(session_forget(session, "file", file, &err), 0);
    path = mem_printf("%s/%s", STATE_DIR, session_id(session));
    assert_int_equal(io_read_file(path, 65536, &text, NULL, &err), 0);
    state_parse(text, &parsed);
    assert_null(state_get(&parsed, "file"));
    assert_non_null(state_get(&parsed, "work"));
    state_done(&parsed);
    assert_int_equal(session_close(session, &err), 0);
    assert_int_equal(unlink(file), 0);
    free(text);
    free(path);
}

static int release_fails(void *arg, struct err *err)
{
    (void)arg;
    return err_set(err, EIO, "release nothing");
}

/* Devices may be released long before the session ends. */
static void a_failed_release_is_made_up_for(void **state)
{
    char file[] = "/tmp/h2k-test-XXXXXX";
    int fd = mkstemp(file);
    struct session *session = open_session();
    char *path = mem_printf("%s/%s", STATE_DIR, session_id(session));
    size_t mark = undo_mark(session_undo(session));
    struct err err = ERR_NONE;

    (void)state;
    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(session_record(session, "file", file, &err), 0);
    undo_push(session_undo(session), "nothing", release_fails, NULL);
    assert_int_equal(undo_run_to(session_undo(session), mark, &err), -EIO);
    err_clear(&err);
    assert_int_equal(session_close(session, &err), 0);
    assert_int_equal(access(file, F_OK), -1);
    assert_int_equal(access(path, F_OK), -1);
    free(path);
}

static int make_dev_node(struct session *session, const char *name, unsigned major, unsigned minor,
                         char **ret)
{
    struct err err = ERR_NONE;

    return session_dev_node(session, name, S_IFCHR, makedev(major, minor), ret, &err);
}

static void makes_device_nodes_where_dev_has_none(void **state)
{
    struct session *session = open_session();
    char *node = NULL, *own = NULL;
    char byte = 'x';
    struct err err = ERR_NONE;
    int fd;

    (void)state;
    assert_int_equal(make_dev_node(session, "zero", 1, 5, &node), 0);
    assert_string_equal(node, "/dev/zero");
    assert_int_equal(make_dev_node(session, "no-such-zero", 1, 5, &own), 0);
    assert_memory_equal(own, session_run_dir(session), strlen(session_run_dir(session)));
    fd = open(own, O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, &byte, 1), 1);
    assert_int_equal(byte, 0);
    (void)close(fd);
    assert_int_equal(session_close(session, &err), 0);
    free(node);
    free(own);
}

/* Many processes start and clean at once: nobody takes away what is in use. */
static void starts_and_cleaners_do_not_race(void **state)
{
    pid_t children[8];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
        children[i] = fork();
        if (children[i] != 0)
            continue;
        for (int round = 0; round < 20; round++) {
            struct session *session = NULL;
            struct err err = ERR_NONE;

            if (session_open(NULL, &session, &err) < 0 || leftovers_clean(NULL, &err) < 0 ||
                access(session_run_dir(session), F_OK) < 0 ||
                access(session_work_dir(session), F_OK) < 0 || session_close(session, &err) < 0)
                _exit(1);
        }
        _exit(0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(children); i++) {
        int status = 1;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_private_things_and_removes_them),
        cmocka_unit_test(namespaces_are_nested_and_private),
        cmocka_unit_test(next_session_cleans_dead_ones_only),
        cmocka_unit_test(forgotten_files_stay),
        cmocka_unit_test(a_failed_release_is_made_up_for),
        cmocka_unit_test(makes_device_nodes_where_dev_has_none),
        cmocka_unit_test(starts_and_cleaners_do_not_race),
    };

    if (geteuid() != 0)
        return 77;
    (void)unsetenv("TMPDIR");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
