/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/btrfsdev.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/state.h"

#define CONTROL "/dev/btrfs-control"
#define FREE_WAIT_MS 1000 /* a device goes shortly after its last user */
#define CONTROL_MINOR 234 /* of the major number 10: linux/miscdevice.h */

static int forget(int control, const char *path)
{
    struct btrfs_ioctl_vol_args args = { 0 };

    (void)snprintf(args.name, sizeof(args.name), "%s", path);
    return ioctl(control, BTRFS_IOC_FORGET_DEV, &args) == 0;
}

/* Nodes need a file system that allows them; nobody else is to see them. */
static __attribute__((noreturn)) void forget_child(dev_t number)
{
    static const char control_node[] = STATE_DIR "/btrfs-control";
    static const char node[] = STATE_DIR "/btrfs-device";
    int control;

    if (unshare(CLONE_NEWNS) < 0 || mount("", "/", NULL, MS_SLAVE | MS_REC, NULL) < 0 ||
        mount("h2k", STATE_DIR, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0700") < 0 ||
        mknod(control_node, S_IFCHR | 0600, makedev(10, CONTROL_MINOR)) < 0 ||
        mknod(node, S_IFBLK | 0600, number) < 0)
        _exit(2);
    control = open(control_node, O_RDWR | O_CLOEXEC);
    _exit(control >= 0 && forget(control, node) ? 0 : 1);
}

/* Somebody else's by now: it has a size again. */
static bool is_in_use(dev_t number)
{
    CLEANUP_FREE char *path = mem_printf("/sys/dev/block/%u:%u/size", major(number), minor(number));
    CLEANUP_FREE char *text = NULL;
    struct err ignored = ERR_NONE;

    return io_read_file(path, 64, &text, NULL, &ignored) == 0 && strtoull(text, NULL, 10) > 0;
}

static int forget_apart(dev_t number)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0)
        forget_child(number);
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

int btrfsdev_forget(const char *path)
{
    CLEANUP_FD int control = open(CONTROL, O_RDWR | O_CLOEXEC);
    struct stat st;

    if (control >= 0)
        return forget(control, path);
    return stat(path, &st) == 0 ? forget_apart(st.st_rdev) : 0;
}

int btrfsdev_forget_number(dev_t number)
{
    uint64_t end = io_now_ms() + FREE_WAIT_MS;

    while (is_in_use(number)) {
        if (io_now_ms() >= end)
            return 0;
        (void)poll(NULL, 0, 20);
    }
    return forget_apart(number);
}
