/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/loopdev.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/loop.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/exec.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/state.h"

/* Linux: Documentation/admin-guide/devices.txt */
#define MISC_MAJOR 10
#define LOOP_CONTROL_MINOR 237

#define LOCK_WAIT_MS 5000
#define MAX_ATTEMPTS 64 /* somebody else may take the free device first */

static int no_loop(int code, struct err *err)
{
    return err_status(err, STATUS_HOST,
                      "no loop devices: open /dev/loop-control: %s (modprobe loop; a container "
                      "needs the devices 7:* and 10:237)",
                      strerror(code));
}

static void load_driver(void)
{
    static const char *const argv[] = { "modprobe", "-q", "loop", NULL };
    struct exec_opts opts = { .argv = argv, .timeout_ms = 30000 };
    struct err ignored = ERR_NONE;

    (void)exec_run(&opts, NULL, &ignored);
}

static int open_control(struct session *session, struct err *err)
{
    CLEANUP_FREE char *node = NULL;
    int fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    int r;

    if (fd >= 0)
        return fd;
    if (access("/sys/module/loop", F_OK) < 0)
        load_driver();
    if (!session) {
        fd = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
        return fd < 0 ? no_loop(errno, err) : fd;
    }
    r = session_dev_node(session, "loop-control", S_IFCHR, makedev(MISC_MAJOR, LOOP_CONTROL_MINOR),
                         &node, err);
    if (r < 0)
        return r;
    fd = open(node, O_RDWR | O_CLOEXEC);
    return fd < 0 ? no_loop(errno, err) : fd;
}

int loop_probe(struct err *err)
{
    CLEANUP_FD int fd = -1;

    if (access("/sys/module/loop", F_OK) == 0)
        return 0;
    fd = open_control(NULL, err);
    return fd < 0 ? -ENOTSUP : 0;
}

static int open_device(struct session *session, int number, char **ret_node, struct err *err)
{
    CLEANUP_FREE char *name = mem_printf("loop%d", number);
    CLEANUP_FREE char *node = NULL;
    int fd;
    int r = session_block_node(session, name, &node, err);

    if (r < 0)
        return r;
    fd = open(node, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == EPERM)
        return err_status(err, STATUS_HOST,
                          "open %s: not permitted: this container may not use block devices 7:*",
                          node);
    if (fd < 0)
        return err_set(err, errno, "open %s", node);
    *ret_node = TAKE(node);
    return fd;
}

static int record(struct session *session, int number, const struct stat *st, struct err *err)
{
    CLEANUP_FREE char *value = mem_printf("%d %llu %llu", number, (unsigned long long)st->st_dev,
                                          (unsigned long long)st->st_ino);

    return session_record(session, "loop", value, err);
}

static void fill_config(struct session *session, const struct loop_opts *opts,
                        struct loop_config *config)
{
    *config = (struct loop_config){
        .fd = (unsigned)opts->backing_fd,
        .block_size = opts->sector_size,
        .info = { .lo_offset = opts->offset,
                  .lo_sizelimit = opts->len,
                  .lo_flags = LO_FLAGS_AUTOCLEAR | (opts->read_only ? LO_FLAGS_READ_ONLY : 0) |
                              (opts->direct_io ? LO_FLAGS_DIRECT_IO : 0) },
    };
    (void)snprintf((char *)config->info.lo_file_name, LO_NAME_SIZE, STATE_LOOP_NAME "%s",
                   session_id(session));
}

/*
 * udev leaves a disk alone while somebody holds this lock, but for a moment it may have the device
 * itself: one that was made just now is looked at. Without the lock it would look at the guest next
 * and hand members of arrays to the host's tools. -EBUSY: somebody else uses the device already.
 */
static int lock_device(int number, int fd)
{
    CLEANUP_FREE char *used = mem_printf("/sys/block/loop%d/loop", number);
    uint64_t end = io_now_ms() + LOCK_WAIT_MS;

    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK) /* not here: who may use it the ioctl decides */
            return 0;
        if (access(used, F_OK) == 0)
            return -EBUSY;
        if (io_now_ms() >= end)
            return 0;
        (void)poll(NULL, 0, 5);
    }
    return 0;
}

/* Configure one free device. -EBUSY: somebody was faster. */
static int take_device(struct session *session, const struct loop_opts *opts, int number,
                       char **ret_node, struct err *err)
{
    struct loop_config config;
    CLEANUP_FREE char *node = NULL;
    CLEANUP_FD int fd = open_device(session, number, &node, err);
    struct stat st;
    int r;

    if (fd < 0)
        return fd;
    if (fstat(opts->backing_fd, &st) < 0)
        return err_set(err, errno, "stat the file below %s", node);
    r = record(session, number, &st, err);
    if (r < 0)
        return r;
    if (lock_device(number, fd) < 0)
        return -EBUSY;
    fill_config(session, opts, &config);
    if (ioctl(fd, LOOP_CONFIGURE, &config) < 0) {
        if (errno == EBUSY || errno == ENXIO)
            return -EBUSY;
        return err_set(err, errno, "configure %s", node);
    }
    *ret_node = TAKE(node);
    return TAKE_FD(fd);
}

static int release(void *arg, struct err *err)
{
    int fd = *(int *)arg;

    free(arg);
    if (close(fd) < 0)
        return err_set(err, errno, "close");
    return 0;
}

int loop_attach(struct session *session, const struct loop_opts *opts, char **ret_node, int *ret_fd,
                struct err *err)
{
    CLEANUP_FD int control = open_control(session, err);
    CLEANUP_FREE char *node = NULL;
    CLEANUP_FREE char *what = NULL;
    int *held;
    int fd = -EBUSY;

    if (control < 0)
        return control;
    for (int i = 0; i < MAX_ATTEMPTS && fd == -EBUSY; i++) {
        int number = ioctl(control, LOOP_CTL_GET_FREE);

        if (number < 0)
            return err_set(err, errno, "find a free loop device");
        fd = take_device(session, opts, number, &node, err);
    }
    if (fd == -EBUSY)
        return err_set(err, EBUSY, "find a free loop device");
    if (fd < 0)
        return fd;
    held = mem_dup(&fd, sizeof(fd));
    what = mem_printf("loop device %s", node);
    undo_push(session_undo(session), what, release, held);
    *ret_node = TAKE(node);
    if (ret_fd)
        *ret_fd = fd;
    return 0;
}

/* ---- cleanup ---- */

static bool matches(const struct loop_info64 *info, const struct loop_match *match)
{
    const char *own = (const char *)info->lo_file_name;

    if (match->name ? strcmp(own, match->name) != 0
                    : strncmp(own, STATE_LOOP_NAME, strlen(STATE_LOOP_NAME)) != 0)
        return false;
    return match->ino == 0 || (info->lo_device == match->dev && info->lo_inode == match->ino);
}

/*
 * The device's name can be asked only together with the size of what lies below, which a block
 * server that does not answer never tells. sysfs has the path of that at least: an export in the
 * run directory of a session that we do not look for is left alone.
 */
static bool is_of_another(const char *entry, const struct loop_match *match)
{
    CLEANUP_FREE char *sysfs = mem_printf("/sys/block/%s/loop/backing_file", entry);
    CLEANUP_FREE char *path = NULL;
    CLEANUP_FREE char *own = NULL;
    struct err ignored = ERR_NONE;
    char *end;

    if (io_read_file(sysfs, PATH_MAX, &path, NULL, &ignored) < 0 ||
        strncmp(path, STATE_DIR "/", strlen(STATE_DIR "/")) != 0)
        return false;
    end = strstr(path, ".d/");
    if (!end)
        return false;
    *end = '\0';
    if (!match->name) /* orphans: nobody knows their session */
        return access(path, F_OK) == 0;
    own = mem_printf("%s/%s", STATE_DIR, match->name + strlen(STATE_LOOP_NAME));
    return strcmp(path, own) != 0;
}

/* Look at /sys/block/@entry; a node that only its maker had cannot be opened here. */
static int visit(const char *entry, const struct loop_match *match, bool release_it,
                 struct err *err)
{
    CLEANUP_FREE char *attached = mem_printf("/sys/block/%s/loop", entry);
    CLEANUP_FREE char *node = mem_printf("/dev/%s", entry);
    CLEANUP_FD int fd = -1;
    struct loop_info64 info;

    if (strncmp(entry, "loop", 4) != 0 || access(attached, F_OK) < 0 || is_of_another(entry, match))
        return 0;
    fd = open(node, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, LOOP_GET_STATUS64, &info) < 0)
        return 0;
    info.lo_file_name[LO_NAME_SIZE - 1] = '\0';
    if (!matches(&info, match))
        return 0;
    if (release_it && ioctl(fd, LOOP_CLR_FD, 0) < 0 && errno != ENXIO)
        return err_set(err, errno, "release %s", node);
    match->found(match->arg, node, (const char *)info.lo_file_name);
    return 0;
}

int loop_find(const struct loop_match *match, bool release_them, struct err *err)
{
    CLEANUP_DIR DIR *dir = opendir("/sys/block");
    const struct dirent *entry;
    int first = 0;

    while (dir && (entry = readdir(dir))) {
        struct err step = ERR_NONE;
        int r = visit(entry->d_name, match, release_them, &step);

        if (r < 0 && first == 0) {
            first = r;
            *err = step;
        }
    }
    return first;
}
