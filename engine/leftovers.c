/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "engine/btrfsdev.h"
#include "engine/dmdev.h"
#include "engine/loopdev.h"
#include "engine/nbddev.h"
#include "engine/state.h"

/* A killed server that takes longer hangs on its own FUSE mount. */
#define SERVER_END_MS 1000
#define SERVER_ABORTED_MS 10000 /* and when that was aborted */

/* One dead session on its way out. */
struct dead {
    const char *id;
    struct state state;
    bool same_boot; /* else no kernel object of it is left */
    struct strlist *released;
};

static void note(struct dead *dead, const char *what, const char *which)
{
    char *line;

    if (!dead->released)
        return;
    line = mem_printf("%s %s", what, which);
    strlist_take(dead->released, line);
}

/* ---- folders and files ---- */

int leftovers_remove_tree(const char *path, struct err *err)
{
    char *copy = mem_strdup(path);
    char *const roots[] = { copy, NULL };
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
    FTSENT *entry;
    int r = 0;

    while (tree && (entry = fts_read(tree))) {
        bool is_dir = entry->fts_info == FTS_DP || entry->fts_info == FTS_DNR;

        if (entry->fts_info == FTS_D)
            continue;
        if (unlinkat(AT_FDCWD, entry->fts_accpath, is_dir ? AT_REMOVEDIR : 0) < 0 &&
            errno != ENOENT)
            r = err_set(err, errno, "remove %s", entry->fts_path);
    }
    if (tree)
        (void)fts_close(tree);
    free(copy);
    return r;
}

/* The folder's name holds the id, so a record cannot name a folder of somebody else. */
static int remove_work_dir(struct dead *dead, const char *path, struct err *err)
{
    CLEANUP_FREE char *own = mem_printf("/h2k-%s", dead->id);
    size_t len = strlen(path);
    struct stat st;
    int r;

    if (len < strlen(own) || strcmp(path + len - strlen(own), own) != 0 || lstat(path, &st) < 0)
        return 0;
    if (!S_ISDIR(st.st_mode) || st.st_uid != 0)
        return 0;
    r = leftovers_remove_tree(path, err);
    if (r == 0)
        note(dead, "folder", path);
    return r;
}

static int remove_file(struct dead *dead, const char *path, struct err *err)
{
    struct stat st;

    if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return 0;
    if (unlink(path) < 0)
        return err_set(err, errno, "remove %s", path);
    note(dead, "file", path);
    return 0;
}

/* "MARKER<tab>PATH": while the marker is there, the file is what a pending commit needs. */
static int remove_redo(struct dead *dead, const char *value, struct err *err)
{
    const char *tab = strchr(value, '\t');
    CLEANUP_FREE char *marker = tab ? mem_strndup(value, (size_t)(tab - value)) : NULL;
    struct stat st;

    if (!marker || lstat(marker, &st) == 0)
        return 0;
    return remove_file(dead, tab + 1, err);
}

/* ---- processes ---- */

/* A pidfd of the recorded process, if it is still that one. */
static int open_server(const char *value, pid_t *ret_pid)
{
    uint64_t numbers[2];
    pid_t pid;
    int fd;

    if (state_numbers(value, numbers, 2) < 0 || numbers[0] <= 1 || numbers[0] > INT_MAX)
        return -1;
    pid = (pid_t)numbers[0];
    fd = (int)syscall(SYS_pidfd_open, pid, 0);
    /* compared after the pidfd is held: the number cannot pass to another process now */
    if (fd >= 0 && state_start_time(pid) != numbers[1]) {
        (void)close(fd);
        return -1;
    }
    *ret_pid = pid;
    return fd;
}

static int end_server(struct dead *dead, const char *value, int wait_ms, struct err *err)
{
    pid_t pid = 0;
    CLEANUP_FD int fd = open_server(value, &pid);
    struct pollfd end = { .fd = fd, .events = POLLIN };

    if (fd < 0)
        return 0;
    (void)syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
    if (poll(&end, 1, wait_ms) <= 0)
        return err_set(err, ETIMEDOUT, "end the block server %d", (int)pid);
    note(dead, "process", value);
    return 0;
}

static int kill_server(struct dead *dead, const char *value, struct err *err)
{
    return end_server(dead, value, SERVER_END_MS, err);
}

static int await_server(struct dead *dead, const char *value, struct err *err)
{
    return end_server(dead, value, SERVER_ABORTED_MS, err);
}

/* Is one of its servers still there (killed, but held up in the kernel)? */
static bool has_server(const struct dead *dead)
{
    for (size_t i = 0; i < dead->state.n_records; i++) {
        pid_t pid = 0;
        CLEANUP_FD int fd = -1;
        struct pollfd end = { .events = POLLIN };

        if (strcmp(dead->state.records[i].kind, "server") != 0)
            continue;
        fd = open_server(dead->state.records[i].value, &pid);
        end.fd = fd;
        if (fd >= 0 && poll(&end, 1, 0) == 0)
            return true;
    }
    return false;
}

/* ---- FUSE ---- */

/* In a child with a mount namespace of its own: fusectl may not be mounted here. */
static __attribute__((noreturn)) void abort_child(const char *number)
{
    CLEANUP_FREE char *path = mem_printf("/sys/fs/fuse/connections/%s/abort", number);
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0 && unshare(CLONE_NEWNS) == 0 && mount("", "/", NULL, MS_SLAVE | MS_REC, NULL) == 0 &&
        mount("fusectl", "/sys/fs/fuse/connections", "fusectl", 0, NULL) == 0)
        fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        _exit(errno == ENOENT ? 2 : 1);
    _exit(write(fd, "1", 1) == 1 ? 0 : 1);
}

/* Numbers of connections are used again, so a connection is aborted only while a server of the
 * session still exists: an ended server has closed its connection. */
static int abort_fuse(struct dead *dead, const char *value, struct err *err)
{
    uint64_t number = 0;
    int status = 0;
    pid_t child;

    if (io_parse_u64(value, UINT32_MAX, &number) < 0 || !has_server(dead))
        return 0;
    child = fork();
    if (child == 0)
        abort_child(value);
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return err_set(err, errno, "abort the FUSE connection %s", value);
    if (status == 0)
        note(dead, "fuse connection", value);
    return 0;
}

/* ---- devices ---- */

static void note_loop(void *arg, const char *node, const char *name)
{
    (void)name;
    note(arg, "loop device", node);
}

static int release_loop(struct dead *dead, const char *value, struct err *err)
{
    CLEANUP_FREE char *name = mem_printf(STATE_LOOP_NAME "%s", dead->id);
    struct loop_match match = { .name = name, .found = note_loop, .arg = dead };
    uint64_t numbers[3];

    if (state_numbers(value, numbers, 3) < 0)
        return 0;
    match.dev = (dev_t)numbers[1];
    match.ino = (ino_t)numbers[2];
    return loop_find(&match, true, err);
}

static int release_nbd(struct dead *dead, const char *value, struct err *err)
{
    int r = nbd_release_recorded(dead->id, value, err);

    if (r > 0)
        note(dead, "nbd device", value);
    return r < 0 ? r : 0;
}

static int release_dm(struct dead *dead, const char *name, struct err *err)
{
    CLEANUP_FREE char *own = mem_printf("h2k-%s-", dead->id);
    int r = strncmp(name, own, strlen(own)) == 0 ? dmdev_remove(name, err) : 0;

    if (r > 0)
        note(dead, "device-mapper device", name);
    return r < 0 ? r : 0;
}

static int forget_btrfs(struct dead *dead, const char *value, struct err *err)
{
    uint64_t numbers[2];

    (void)err; /* what it is about is gone in any case */
    if (state_numbers(value, numbers, 2) == 0 &&
        btrfsdev_forget_number(makedev((unsigned)numbers[0], (unsigned)numbers[1])) > 0)
        note(dead, "btrfs device", value);
    return 0;
}

/* ---- one session ---- */

/* In this order: what hangs is freed first, users go before what they use. */
static const struct {
    const char *kind;
    bool kernel; /* gone after a reboot */
    int (*release)(struct dead *dead, const char *value, struct err *err);
} kinds[] = {
    { "server", true, kill_server },  { "fuse", true, abort_fuse },
    { "server", true, await_server }, { "dm", true, release_dm },
    { "loop", true, release_loop },   { "nbd", true, release_nbd },
    { "btrfs", true, forget_btrfs },  { "file", false, remove_file },
    { "redo", false, remove_redo },   { "work", false, remove_work_dir },
};

static int release_all(struct dead *dead, struct err *err)
{
    int first = 0;

    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        /* a server that does not end now may end once its connection is aborted */
        bool retried = k == 0;

        if (kinds[k].kernel && !dead->same_boot)
            continue;
        for (size_t i = dead->state.n_records; i > 0; i--) {
            const struct state_record *record = &dead->state.records[i - 1];
            struct err step = ERR_NONE;
            int r;

            if (strcmp(record->kind, kinds[k].kind) != 0)
                continue;
            r = kinds[k].release(dead, record->value, &step);
            if (r < 0 && first == 0 && !retried) {
                first = r;
                *err = step;
            }
        }
    }
    return first;
}

static int clean_locked(struct dead *dead, int fd, const char *path, struct err *err)
{
    CLEANUP_FREE char *boot = state_boot_id();
    CLEANUP_FREE char *run_dir = mem_printf("%s.d", path);
    CLEANUP_STRBUF struct strbuf text = { 0 };
    const char *recorded;
    int r = io_read_all(fd, &text, STATE_MAX);

    if (r < 0)
        return err_set(err, -r, "read %s", path);
    state_parse(strbuf_text(&text), &dead->state);
    recorded = state_get(&dead->state, "boot");
    dead->same_boot = recorded && strcmp(recorded, boot) == 0;
    r = release_all(dead, err);
    if (r == 0)
        r = leftovers_remove_tree(run_dir, err);
    if (r < 0)
        return err_wrap(err, "clean up session %s", dead->id);
    if (unlink(path) < 0)
        return err_set(err, errno, "remove %s", path);
    note(dead, "session", dead->id);
    return 0;
}

int leftovers_clean_session(const char *id, struct strlist *ret_released, struct err *err)
{
    CLEANUP_FREE char *path = mem_printf("%s/%s", STATE_DIR, id);
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct dead dead = { .id = id, .released = ret_released };
    struct stat st;
    int r;

    /* locked: alive, or another cleaner is at it; no link: that one was faster */
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0 || st.st_nlink == 0 ||
        !S_ISREG(st.st_mode))
        return 0;
    r = clean_locked(&dead, fd, path, err);
    state_done(&dead.state);
    return r;
}

int leftovers_clean(struct strlist *ret_released, struct err *err)
{
    CLEANUP_DIR DIR *dir = opendir(STATE_DIR);
    const struct dirent *entry;
    int first = 0;

    if (!dir)
        return errno == ENOENT ? 0 : err_set(err, errno, "open %s", STATE_DIR);
    while ((entry = readdir(dir))) {
        struct err step = ERR_NONE;
        int r = state_is_id(entry->d_name)
                    ? leftovers_clean_session(entry->d_name, ret_released, &step)
                    : 0;

        if (r < 0 && first == 0) {
            first = r;
            *err = step;
        }
    }
    return first;
}
