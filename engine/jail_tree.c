/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The files that a jail sees: the guest's, with devices and kernel interfaces that tell nothing of
 * this host and reach nothing on it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h> /* not together with sys/mount.h: both define the same names */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/jail_parts.h"

#define DETACH 2 /* MNT_DETACH of sys/mount.h */
#define SAFE (MS_NOSUID | MS_NODEV | MS_NOEXEC)

/* ---- the guest's file systems ---- */

static int copy_mounts(int dir_fd, bool recursive)
{
    unsigned flags =
        OPEN_TREE_CLOEXEC | OPEN_TREE_CLONE | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U);
    struct mount_attr attr = { .attr_clr = MOUNT_ATTR_NOEXEC, .propagation = MS_PRIVATE };
    int fd = (int)syscall(SYS_open_tree, dir_fd, "", flags);

    /* nosuid and nodev stay */
    if (fd >= 0 &&
        syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0) {
        int code = errno;

        (void)close(fd);
        return -code;
    }
    return fd < 0 ? -errno : fd;
}

int jail_tree_pick(const struct jail_opts *opts, struct jail_tree *ret, const char **ret_step)
{
    *ret_step = "copy the guest's mounts (Linux 5.12)";
    ret->root_fd = copy_mounts(guest_root_fd(opts->root), true);
    if (ret->root_fd < 0)
        return ret->root_fd;
    ret->out_fd = opts->out_fd > 0 ? copy_mounts(opts->out_fd, false) : -1;
    return opts->out_fd > 0 && ret->out_fd < 0 ? ret->out_fd : 0;
}

/* ---- mounts by path; all below the new root ---- */

static int make_mount(const char *type, const char *target, unsigned long flags, const char *data)
{
    return syscall(SYS_mount, type, target, type, flags, data) < 0 ? -errno : 0;
}

static int bind(const char *from, const char *to)
{
    return syscall(SYS_mount, from, to, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
}

static int make_read_only(const char *target, unsigned long flags)
{
    flags |= MS_BIND | MS_REMOUNT | MS_RDONLY;
    return syscall(SYS_mount, NULL, target, NULL, flags, NULL) < 0 ? -errno : 0;
}

static int attach(int fd, const char *target)
{
    return syscall(SYS_move_mount, fd, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno
                                                                                          : 0;
}

/* Make the tree "/" of this process; nothing of the old one can be reached afterwards. */
static int change_root(int root_fd)
{
    int r = syscall(SYS_mount, NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0 ? -errno : 0;

    if (r == 0)
        r = attach(root_fd, "/");
    if (r < 0)
        return r;
    /* the old root is put on top of the new one, and is taken away from there */
    if (fchdir(root_fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
        syscall(SYS_umount2, ".", DETACH) < 0 || fchdir(root_fd) < 0)
        return -errno;
    return 0;
}

/* ---- what is made new ---- */

static const struct place {
    const char *path, *type;
    unsigned long flags;
    const char *options;
    bool is_optional; /* not every guest has such a folder */
} places[] = {
    { "/proc", "proc", SAFE, NULL, false },
    { "/sys", "tmpfs", SAFE, "mode=0755,size=64k", false },
    /* its nodes can be opened, so nothing may be made there later: read-only in the end */
    { "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=16m,nr_inodes=1k", false },
    { "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755", true },
    { "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777", false },
    { "/var/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777", true },
};

static int mount_places(const char **ret_step)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(places); i++) {
        *ret_step = places[i].path;
        r = make_mount(places[i].type, places[i].path, places[i].flags, places[i].options);
        if (places[i].is_optional && (r == -ENOENT || r == -ENOTDIR))
            r = 0;
    }
    return r;
}

/* admin-guide/devices.txt of Linux. What tools write to the console goes nowhere. */
static const struct {
    const char *path;
    unsigned major, minor;
} nodes[] = {
    { "/dev/null", 1, 3 },    { "/dev/zero", 1, 5 },    { "/dev/full", 1, 7 },
    { "/dev/random", 1, 8 },  { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 },
    { "/dev/console", 1, 3 },
};
static const struct {
    const char *target, *path;
} links[] = {
    { "/proc/self/fd", "/dev/fd" },       { "/proc/self/fd/0", "/dev/stdin" },
    { "/proc/self/fd/1", "/dev/stdout" }, { "/proc/self/fd/2", "/dev/stderr" },
    { "pts/ptmx", "/dev/ptmx" },
};
static const char *const folders[] = { "/dev/pts",   "/dev/shm",    "/sys/block",   "/sys/bus",
                                       "/sys/class", "/sys/dev",    "/sys/devices", "/sys/firmware",
                                       "/sys/fs",    "/sys/kernel", "/sys/module" };

static int fill_dev(void)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(folders); i++)
        r = mkdir(folders[i], 0755) < 0 ? -errno : 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(nodes); i++)
        r = mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)) < 0
                ? -errno
                : 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(links); i++)
        r = symlink(links[i].target, links[i].path) < 0 ? -errno : 0;
    if (r == 0)
        r = make_mount("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC,
                       "newinstance,ptmxmode=0666,mode=0620");
    if (r == 0)
        r = make_mount("tmpfs", "/dev/shm", SAFE, "mode=1777");
    return r;
}

/* ---- what the kernel says of this host ---- */

/* Some would end in what the program makes: disks to resume from, arguments of the kernel, drivers
 * of this host. */
static const char *const hidden_files[] = {
    "/proc/cmdline",    "/proc/diskstats",  "/proc/kallsyms",      "/proc/kcore",
    "/proc/key-users",  "/proc/keys",       "/proc/kmsg",          "/proc/mdstat",
    "/proc/modules",    "/proc/partitions", "/proc/sysrq-trigger", "/proc/swaps",
    "/proc/timer_list",
};
static const char *const hidden_folders[] = { "/proc/acpi",   "/proc/asound", "/proc/bus",
                                              "/proc/driver", "/proc/fs",     "/proc/irq",
                                              "/proc/scsi" };

static int hide_host(void)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(hidden_files); i++)
        if (access(hidden_files[i], F_OK) == 0)
            r = bind("/dev/null", hidden_files[i]);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(hidden_folders); i++)
        if (access(hidden_folders[i], F_OK) == 0)
            r = make_mount("tmpfs", hidden_folders[i], SAFE | MS_RDONLY, "mode=0555,size=4k");
    if (r == 0)
        r = bind("/proc/sys", "/proc/sys");
    return r < 0 ? r : make_read_only("/proc/sys", SAFE);
}

/* ---- files of the caller ---- */

/* The text is in a file of /dev, which is read-only soon. */
static int show_file(const struct jail_file *file, size_t number)
{
    CLEANUP_FD int fd = -1;
    char path[32];
    int r;

    (void)snprintf(path, sizeof(path), "/dev/.h2k-%zu", number);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return -errno;
    r = io_write_full(fd, file->text, strlen(file->text));
    return r < 0 ? r : bind(path, file->path);
}

static int show_out(int fd)
{
    if (mkdir(JAIL_OUT, 0755) < 0)
        return -errno;
    return attach(fd, JAIL_OUT);
}

int jail_tree_enter(const struct jail_opts *opts, struct jail_tree *tree, const char **ret_step)
{
    int r;

    (void)umask(0);
    *ret_step = "change the root";
    r = change_root(tree->root_fd);
    (void)close(tree->root_fd);
    if (r == 0)
        r = mount_places(ret_step);
    if (r < 0)
        return r;
    *ret_step = "fill /dev";
    r = fill_dev();
    if (r < 0)
        return r;
    *ret_step = "hide the host";
    r = hide_host();
    if (r == 0 && tree->out_fd >= 0) {
        *ret_step = JAIL_OUT;
        r = show_out(tree->out_fd);
        (void)close(tree->out_fd);
    }
    for (size_t i = 0; r == 0 && i < opts->n_files; i++) {
        *ret_step = opts->files[i].path;
        r = show_file(&opts->files[i], i);
    }
    if (r < 0)
        return r;
    *ret_step = "make /dev and /sys read-only";
    r = make_read_only("/dev", MS_NOSUID | MS_NOEXEC);
    return r < 0 ? r : make_read_only("/sys", SAFE);
}
