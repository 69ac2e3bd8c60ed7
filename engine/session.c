/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/session.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/leftovers.h"
#include "engine/state.h"

struct session {
    char id[9];
    char *state_path, *run_dir, *work_dir, *dev_dir, *scratch_dir;
    int lock_fd; /* the state file, locked; O_CLOEXEC so that no child keeps the lock */
    int home_ns, outer_ns, inner_ns;
    int home_cwd; /* entering a namespace moves the process to its root */
    struct undo *undo;
};

/* ---- the state file ---- */

static int state_dir_make(struct err *err)
{
    struct stat st;

    if (mkdir(STATE_DIR, 0700) < 0 && errno != EEXIST)
        return err_set(err, errno, "make the folder %s", STATE_DIR);
    if (lstat(STATE_DIR, &st) < 0)
        return err_set(err, errno, "stat %s", STATE_DIR);
    if (!S_ISDIR(st.st_mode) || st.st_uid != 0 || (st.st_mode & 0077))
        return err_status(err, STATUS_REFUSED,
                          "%s is not a folder that only root can use: remove it", STATE_DIR);
    return 0;
}

static void random_id(char id[9])
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz012345";
    unsigned char bytes[8];

    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        abort();
    for (size_t i = 0; i < sizeof(bytes); i++)
        id[i] = digits[bytes[i] % 32];
    id[8] = '\0';
}

/* Make and lock the state file. A cleaner may take it for a dead one between open and flock; it
 * then removes the name, which the link count tells. */
static int state_file_make(struct session *session, struct err *err)
{
    for (int attempts = 0; attempts < 100; attempts++) {
        CLEANUP_FREE char *path = NULL;
        CLEANUP_FD int fd = -1;
        struct stat st;

        random_id(session->id);
        path = mem_printf("%s/%s", STATE_DIR, session->id);
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
        if (fd < 0 && errno == EEXIST)
            continue;
        if (fd < 0)
            return err_set(err, errno, "create %s", path);
        if (flock(fd, LOCK_EX) < 0 || fstat(fd, &st) < 0)
            return err_set(err, errno, "lock %s", path);
        if (st.st_nlink == 0)
            continue;
        session->lock_fd = TAKE_FD(fd);
        session->state_path = TAKE(path);
        session->run_dir = mem_printf("%s/%s.d", STATE_DIR, session->id);
        return 0;
    }
    return err_set(err, EEXIST, "create a state file in %s", STATE_DIR);
}

static int append(struct session *session, const char *kind, const char *value, struct err *err)
{
    CLEANUP_FREE char *line = state_line(kind, value);
    int r = io_write_full(session->lock_fd, line, strlen(line));

    if (r < 0)
        return err_set(err, -r, "write %s", session->state_path);
    return 0;
}

int session_record(struct session *session, const char *kind, const char *value, struct err *err)
{
    return append(session, kind, value, err);
}

int session_forget(struct session *session, const char *kind, const char *value, struct err *err)
{
    CLEANUP_FREE char *minus = mem_printf("-%s", kind);

    return append(session, minus, value, err);
}

static int record_self(struct session *session, struct err *err)
{
    CLEANUP_FREE char *boot = state_boot_id();
    CLEANUP_FREE char *self = mem_printf("%d %llu", (int)getpid(), state_start_time(getpid()));
    int r = append(session, "boot", boot, err);

    return r < 0 ? r : append(session, "pid", self, err);
}

/* ---- folders ---- */

static int make_folders(struct session *session, const char *work_dir, struct err *err)
{
    CLEANUP_FREE char *real = NULL;
    const char *base = work_dir ? work_dir : getenv("TMPDIR");
    int r;

    if (!base || !*base)
        base = "/var/tmp";
    if (mkdir(session->run_dir, 0700) < 0)
        return err_set(err, errno, "make the folder %s", session->run_dir);
    real = realpath(base, NULL);
    if (!real)
        return err_set(err, errno, "work folder %s", base);
    if (!io_name_is_utf8(real))
        return err_status(err, STATUS_USAGE,
                          "the work folder's name is not UTF-8, and qemu cannot be told such "
                          "names: choose another with --work-dir");
    session->work_dir = mem_printf("%s/h2k-%s", real, session->id);
    r = append(session, "work", session->work_dir, err);
    if (r < 0)
        return r;
    if (mkdir(session->work_dir, 0700) < 0) {
        r = err_set(err, errno, "make the folder %s", session->work_dir);
        free(session->work_dir);
        session->work_dir = NULL;
    }
    return r;
}

/* ---- namespaces ---- */

static int own_ns(struct err *err)
{
    int fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_status(err, STATUS_HOST, "open /proc/self/ns/mnt: %s (is /proc mounted?)",
                          strerror(errno));
    return fd;
}

static int in_chroot(struct err *err)
{
    return err_status(err, STATUS_HOST,
                      "mount namespaces cannot be used below a chroot: run h2k on the host or in a "
                      "container");
}

/* One more namespace that sees the host's later mounts but shows it none of ours. */
static int nest(struct err *err)
{
    if (unshare(CLONE_NEWNS) < 0)
        return err_status(err, STATUS_HOST,
                          "make a mount namespace: %s (a container needs CAP_SYS_ADMIN)",
                          strerror(errno));
    if (mount("", "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
        return errno == EINVAL ? in_chroot(err) : err_set(err, errno, "make / a slave mount");
    return own_ns(err);
}

/* Entering a namespace leads to its own root: below another one no path would be right after it. */
static int check_root(const struct session *session, struct err *err)
{
    struct stat before, after;

    if (stat("/", &before) < 0 || setns(session->inner_ns, CLONE_NEWNS) < 0 ||
        stat("/", &after) < 0)
        return err_set(err, errno, "enter the inner mount namespace");
    if (before.st_dev != after.st_dev || before.st_ino != after.st_ino)
        return in_chroot(err);
    return session->home_cwd >= 0 && fchdir(session->home_cwd) < 0
               ? err_set(err, errno, "return to the current folder")
               : 0;
}

static int enter_namespaces(struct session *session, struct err *err)
{
    session->home_cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    session->home_ns = own_ns(err);
    if (session->home_ns < 0)
        return session->home_ns;
    session->outer_ns = nest(err);
    if (session->outer_ns < 0)
        return session->outer_ns;
    session->inner_ns = nest(err);
    return session->inner_ns < 0 ? session->inner_ns : check_root(session, err);
}

int session_in_outer(struct session *session, int (*fn)(void *arg, struct err *err), void *arg,
                     struct err *err)
{
    CLEANUP_FD int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int r;

    if (setns(session->outer_ns, CLONE_NEWNS) < 0)
        return err_set(err, errno, "enter the outer mount namespace");
    r = fn(arg, err);
    if (setns(session->inner_ns, CLONE_NEWNS) < 0)
        return err_set(err, errno, "return to the inner mount namespace");
    if (cwd >= 0)
        (void)fchdir(cwd);
    return r;
}

static int go_home(struct session *session, struct err *err)
{
    if (session->home_ns < 0)
        return 0;
    if (setns(session->home_ns, CLONE_NEWNS) < 0 && session->outer_ns >= 0)
        return err_set(err, errno, "return to the first mount namespace");
    if (session->home_cwd >= 0)
        (void)fchdir(session->home_cwd);
    return 0;
}

/* ---- the session ---- */

static struct session *session_new(void)
{
    struct session *session = mem_alloc(sizeof(*session));

    session->lock_fd = session->home_ns = session->outer_ns = session->inner_ns = -1;
    session->home_cwd = -1;
    session->undo = undo_new();
    return session;
}

static int session_start(struct session *session, const struct session_opts *opts, struct err *err)
{
    int r = state_file_make(session, err);

    if (r < 0)
        return r;
    r = record_self(session, err);
    if (r < 0 || (opts && opts->only_records))
        return r;
    r = make_folders(session, opts ? opts->work_dir : NULL, err);
    if (r < 0)
        return r;
    return enter_namespaces(session, err);
}

int session_open(const struct session_opts *opts, struct session **ret, struct err *err)
{
    struct session *session;
    int r;

    if (geteuid() != 0)
        return err_status(err, STATUS_HOST, "h2k must run as root here: use sudo");
    r = state_dir_make(err);
    if (r < 0)
        return r;
    r = leftovers_clean(NULL, err);
    if (r < 0) {
        char text[ERR_TEXT];

        /* what a dead session holds does not stop a new one */
        log_debug("%s", err_text(err, text, sizeof(text)));
        err_clear(err);
    }
    session = session_new();
    r = session_start(session, opts, err);
    if (r < 0) {
        struct err ignored = ERR_NONE;

        (void)session_close(session, &ignored);
        return err_wrap(err, "open a session");
    }
    *ret = session;
    return 0;
}

static void keep_first(int *first, int r, struct err *err, const struct err *step)
{
    if (*first == 0 && r < 0) {
        *first = r;
        *err = *step;
    }
}

static void session_free(struct session *session)
{
    const int fds[] = { session->lock_fd, session->home_ns, session->outer_ns, session->inner_ns,
                        session->home_cwd };

    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
    undo_free(session->undo);
    free(session->state_path);
    free(session->run_dir);
    free(session->work_dir);
    free(session->dev_dir);
    free(session->scratch_dir);
    free(session);
}

/* The state file goes last, when nothing is left for cleanup to find. */
static int forget_session(const struct session *session, struct err *err)
{
    if (session->state_path && unlink(session->state_path) < 0)
        return err_set(err, errno, "remove %s", session->state_path);
    return 0;
}

/* Something could not be released, now or earlier: do what the next start would do. What is left
 * even then is left to that. */
static void try_again(struct session *session)
{
    struct err ignored = ERR_NONE;

    if (!session->state_path)
        return;
    (void)close(session->lock_fd); /* it is a dead session's state file from here on */
    session->lock_fd = -1;
    (void)leftovers_clean_session(session->id, NULL, &ignored);
}

int session_close(struct session *session, struct err *err)
{
    struct err step = ERR_NONE;
    int first = 0;

    if (!session)
        return 0;
    keep_first(&first, undo_run(session->undo, &step), err, &step);
    keep_first(&first, go_home(session, &step), err, &step);
    if (session->work_dir)
        keep_first(&first, leftovers_remove_tree(session->work_dir, &step), err, &step);
    if (session->run_dir)
        keep_first(&first, leftovers_remove_tree(session->run_dir, &step), err, &step);
    if (first == 0 && !undo_has_failed(session->undo))
        keep_first(&first, forget_session(session, &step), err, &step);
    else
        try_again(session);
    session_free(session);
    return first;
}

struct undo *session_undo(struct session *session)
{
    return session->undo;
}

const char *session_id(const struct session *session)
{
    return session->id;
}

const char *session_run_dir(const struct session *session)
{
    return session->run_dir;
}

const char *session_work_dir(const struct session *session)
{
    return session->work_dir;
}

int session_outer_ns(const struct session *session)
{
    return session->outer_ns;
}

const char *session_scratch_dir(struct session *session)
{
    CLEANUP_FREE char *dir = NULL;

    if (session->scratch_dir)
        return session->scratch_dir;
    dir = mem_printf("%s/scratch", session->run_dir);
    if (mkdir(dir, 0700) < 0 || mount("h2k-scratch", dir, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
                                      "mode=0700,size=512m") < 0)
        return session->work_dir;
    session->scratch_dir = TAKE(dir);
    return session->scratch_dir;
}

/* ---- device nodes ---- */

/* The run directory is often on a file system mounted nodev, so the nodes get their own, in the
 * inner namespace only: it goes away with that. */
static int dev_dir_make(struct session *session, struct err *err)
{
    CLEANUP_FREE char *dir = NULL;

    if (session->dev_dir)
        return 0;
    dir = mem_printf("%s/dev", session->run_dir);
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return err_set(err, errno, "make the folder %s", dir);
    if (mount("h2k-dev", dir, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0700,size=64k") < 0)
        return err_set(err, errno, "mount a folder for device nodes at %s", dir);
    session->dev_dir = TAKE(dir);
    return 0;
}

int session_dev_node(struct session *session, const char *name, mode_t type, dev_t number,
                     char **ret, struct err *err)
{
    CLEANUP_FREE char *path = mem_printf("/dev/%s", name);
    struct stat st;
    int r;

    if (lstat(path, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_rdev == number) {
        *ret = TAKE(path);
        return 0;
    }
    r = dev_dir_make(session, err);
    if (r < 0)
        return r;
    free(path);
    path = mem_printf("%s/%s", session->dev_dir, name);
    r = mknod(path, type | 0600, number);
    if (r < 0 && errno == EPERM)
        return err_status(err, STATUS_HOST,
                          "make the device node %s: not permitted: this container may not use %s "
                          "devices %u:*",
                          path, S_ISBLK(type) ? "block" : "character", major(number));
    if (r < 0 && errno != EEXIST)
        return err_set(err, errno, "make the device node %s", path);
    *ret = TAKE(path);
    return 0;
}

int session_block_node(struct session *session, const char *name, char **ret, struct err *err)
{
    CLEANUP_FREE char *sysfs = mem_printf("/sys/block/%s/dev", name);
    CLEANUP_FREE char *text = NULL;
    uint64_t numbers[2];
    char *colon;
    int r = io_read_file(sysfs, 64, &text, NULL, err);

    if (r < 0)
        return r;
    text[strcspn(text, "\n")] = '\0';
    colon = strchr(text, ':');
    if (colon)
        *colon = ' ';
    if (state_numbers(text, numbers, 2) < 0)
        return err_set(err, EPROTO, "%s says %s", sysfs, text);
    return session_dev_node(session, name, S_IFBLK,
                            makedev((unsigned)numbers[0], (unsigned)numbers[1]), ret, err);
}
