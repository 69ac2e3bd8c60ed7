/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program that serves NTFS: whoever is killed, and whenever, nothing of it stays. */
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "engine/server.h"
#include "tests/root/ntfs_util.h"

#define ENDED_MS 20000
#define ID_LEN 8 /* of a session */

/* Processes whose parent is @parent, that are ntfs-3g: one is expected. */
static pid_t server_of(pid_t parent)
{
    char *path = mem_printf("/proc/%d/task/%d/children", (int)parent, (int)parent);
    char *text = NULL, *save = NULL;
    struct err err = ERR_NONE;
    pid_t found = 0;

    must(io_read_file(path, 65536, &text, NULL, &err), &err);
    for (char *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        char *comm = mem_printf("/proc/%s/comm", word), *name = NULL;
        uint64_t pid = 0;

        if (io_read_file(comm, 64, &name, NULL, &err) == 0 && strcmp(name, "ntfs-3g\n") == 0 &&
            io_parse_u64(word, INT32_MAX, &pid) == 0)
            found = (pid_t)pid;
        free(name);
        free(comm);
    }
    free(text);
    free(path);
    return found;
}

/* A process that holds a volume mounted for writing, with something written, until it is killed.
 * Says the session's id as soon as there is one, and "r" in the end. */
static void hold(int ready)
{
    struct err err = ERR_NONE;
    const struct mount_opts opts = { .read_only = false };
    struct image_opts image_opts = { .format = "raw", .allow_stale = true };
    struct disk_opts disk_opts = { .mode = DISK_OVERLAY };
    char *path = path_of("ntfs.raw");

    if (session_open(NULL, &on.session, &err) < 0 ||
        write(ready, session_id(on.session), ID_LEN) != ID_LEN ||
        image_open(path, &image_opts, &on.images[0], &err) < 0 ||
        disk_attach(on.session, on.images[0], &disk_opts, &on.disks[0], &err) < 0 ||
        stack_build(on.session, on.disks, 1, &on.stack, &err) < 0 ||
        mtree_new(on.stack, &on.tree, &err) < 0 ||
        mtree_mount(on.tree, &on.stack->volumes[0], "/", &opts, &err) < 0)
        _exit(1);
    put("/file", "text\n");
    if (write(ready, "r", 1) != 1)
        _exit(1);
    for (;;)
        (void)pause();
}

static pid_t start_holder(void (*run_child)(int ready), char id[ID_LEN + 1], int *ret_ready)
{
    int pipe_fds[2];
    pid_t child;

    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    child = fork();
    if (child == 0)
        run_child(pipe_fds[1]);
    (void)close(pipe_fds[1]);
    assert_int_equal(io_read_full(pipe_fds[0], id, ID_LEN), 0);
    id[ID_LEN] = '\0';
    *ret_ready = pipe_fds[0];
    return child;
}

/* Does a process name the session's folder? */
static bool is_in_use(const char *id)
{
    char *folder = mem_printf("/run/h2k/%s.d", id);
    struct strlist names = { 0 };
    struct guest_root *root = NULL;
    struct err err = ERR_NONE;
    int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool found = false;

    must(guest_root_new(fd, &root, &err), &err);
    must(guest_list(root, "/", &names, &err), &err);
    for (size_t i = 0; i < names.n; i++) {
        char *path = mem_printf("/proc/%s/cmdline", names.items[i]), *text = NULL;
        size_t len = 0;

        if (io_read_file(path, 65536, &text, &len, &err) == 0 && len > 0)
            found |= memmem(text, len, folder, strlen(folder)) != NULL;
        free(text);
        free(path);
    }
    strlist_done(&names);
    guest_root_free(root);
    (void)close(fd);
    free(folder);
    return found;
}

/* A server that was killed before it was recorded goes by itself, but nobody waits for it; and the
 * cleaner may be another process of the host that has just started. */
static void clean_until_gone(const char *id)
{
    uint64_t end = io_now_ms() + ENDED_MS;
    char *file = mem_printf("/run/h2k/%s", id);

    for (;;) {
        struct err ignored = ERR_NONE; /* it may be about another session */

        (void)leftovers_clean(NULL, &ignored);
        if (access(file, F_OK) < 0 && !is_in_use(id))
            break;
        if (io_now_ms() >= end)
            fail_msg("something of the session %s is left", id);
        (void)poll(NULL, 0, 2);
    }
    free(file);
}

static void kill_a_holder(void)
{
    struct pollfd end = { .events = POLLIN };
    char id[ID_LEN + 1], byte;
    int ready;
    pid_t child = start_holder(hold, id, &ready), server;

    assert_int_equal(read(ready, &byte, 1), 1);
    (void)close(ready);
    server = server_of(child);
    if (server > 0)
        end.fd = (int)syscall(SYS_pidfd_open, server, 0);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    if (server > 0)
        assert_int_equal(poll(&end, 1, ENDED_MS), 1);
    (void)close(end.fd);
    clean_until_gone(id);
}

static void nothing_is_left_of_a_killed_process(void **state)
{
    (void)state;
    if (!can_test())
        skip();
    free(new_ntfs("ntfs.raw"));
    for (int i = 0; i < 10; i++)
        kill_a_holder();
}

/* Killed while the server starts, mounts, or is taken over. */
static void nothing_is_left_whenever_it_is_killed(void **state)
{
    (void)state;
    if (!can_test())
        skip();
    free(new_ntfs("ntfs.raw"));
    for (int ms = 0; ms < 100; ms += 4) {
        char id[ID_LEN + 1];
        int ready;
        pid_t child = start_holder(hold, id, &ready);

        (void)poll(NULL, 0, ms);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        (void)close(ready);
        clean_until_gone(id);
    }
}

static int is_mounted(void *arg, struct err *err)
{
    struct stat here, below;
    char *parent = mem_printf("%s/..", (const char *)arg);
    int r = stat(arg, &here) < 0 || stat(parent, &below) < 0
                ? err_set(err, errno, "stat %s", (const char *)arg)
                : here.st_dev != below.st_dev;

    free(parent);
    return r;
}

static int wait_and_die(void *arg, struct err *err)
{
    while (is_mounted(arg, err) == 0)
        (void)poll(NULL, 0, 1);
    (void)kill(getpid(), SIGKILL);
    return 0;
}

/* As fsserver_start() does it, up to the moment at which the mount is there and not taken over. */
static void die_before_the_take_over(int ready)
{
    struct err err = ERR_NONE;
    struct image_opts image_opts = { .format = "raw", .allow_stale = true };
    struct disk_opts disk_opts = { .mode = DISK_READ_ONLY }; /* without a server of its own */
    struct server server;
    const char *node = NULL;
    char *folder, *number;
    struct stat st;

    if (session_open(NULL, &on.session, &err) < 0 ||
        write(ready, session_id(on.session), ID_LEN) != ID_LEN ||
        image_open(path_of("ntfs.raw"), &image_opts, &on.images[0], &err) < 0 ||
        disk_attach(on.session, on.images[0], &disk_opts, &on.disks[0], &err) < 0 ||
        stack_build(on.session, on.disks, 1, &on.stack, &err) < 0 ||
        volume_node(on.stack, &on.stack->volumes[0], &node, &err) < 0 || stat(node, &st) < 0)
        _exit(1);
    folder = mem_printf("%s/window", session_run_dir(on.session));
    number = mem_printf("%u", major(st.st_rdev) << 20 | minor(st.st_rdev));
    const char *const argv[] = { "ntfs-3g", "-o", "ro,no_detach", node, folder, NULL };

    if (mkdir(folder, 0700) < 0 || session_record(on.session, "fuse", number, &err) < 0 ||
        server_start(on.session, argv, "ntfs-3g", &server, &err) < 0)
        _exit(1);
    (void)session_in_outer(on.session, wait_and_die, folder, &err);
    _exit(1);
}

/* It is a member of the namespace that its mount is in then, and waits for itself: cleanup ends
 * that. */
static void a_server_that_waits_for_itself_is_freed(void **state)
{
    char id[ID_LEN + 1];
    int ready, status;
    pid_t child;

    (void)state;
    if (!can_test() || !exec_have("ntfs-3g"))
        skip();
    free(new_ntfs("ntfs.raw"));
    child = start_holder(die_before_the_take_over, id, &ready);
    assert_int_equal(waitpid(child, &status, 0), child);
    (void)close(ready);
    assert_true(WIFSIGNALED(status));
    clean_until_gone(id);
}

/* What was written is lost with it, and that is said. */
static void a_dead_server_is_noticed(void **state)
{
    struct guest_piece piece = { .data = "", .len = 0 };
    struct err err = ERR_NONE;
    struct pollfd end = { .events = POLLIN };
    pid_t server;

    (void)state;
    if (!can_test())
        skip();
    free(new_ntfs("ntfs.raw"));
    open_image("ntfs.raw", DISK_OVERLAY);
    mount_rw("/dev/sda", "/");
    server = server_of(getpid());
    if (server == 0)
        skip(); /* the kernel's driver */
    end.fd = (int)syscall(SYS_pidfd_open, server, 0);
    assert_int_equal(kill(server, SIGKILL), 0);
    assert_int_equal(poll(&end, 1, ENDED_MS), 1);
    (void)close(end.fd);
    assert_true(guest_replace(mtree_root(on.tree), "/a", &piece, 1, &plain, &err) < 0);
    assert_true(mtree_sync(on.tree, &err) < 0);
    assert_true(mtree_release(on.tree, &err) < 0);
    on.tree = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_left_of_a_killed_process),
        cmocka_unit_test(nothing_is_left_whenever_it_is_killed),
        cmocka_unit_test(a_server_that_waits_for_itself_is_freed),
        cmocka_unit_test_teardown(a_dead_server_is_noticed, release),
    };

    if (geteuid() != 0) {
        print_message("needs root\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
