/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/fsmount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h> /* not together with sys/mount.h: both define the same names */
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"

/* system calls and not glibc's functions: those came with 2.36 only */
static int fs_open(const char *type)
{
    return (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
}

static int fs_config(int fd, unsigned command, const char *key, const char *value)
{
    return (int)syscall(SYS_fsconfig, fd, command, key, value, 0);
}

/* For those who may not open drivers: what is there already. */
static bool is_listed(const char *type)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *line = mem_printf("\t%s\n", type);
    struct err err = ERR_NONE;

    return io_read_file("/proc/filesystems", 65536, &text, NULL, &err) == 0 && strstr(text, line);
}

int fsmount_have(const char *type)
{
    CLEANUP_FD int fd = fs_open(type);

    if (fd >= 0)
        return 0;
    if (errno == EPERM)
        return is_listed(type) ? 0 : -ENODEV;
    return -errno;
}

/* What the driver said: one message for each read, "e text" for errors. */
static void read_log(int fd, struct strbuf *log)
{
    for (int i = 0; i < 8; i++) {
        char line[256];
        ssize_t n = read(fd, line, sizeof(line));

        if (n <= 0)
            return;
        while (n > 0 && line[n - 1] == '\n')
            n--;
        if (n > 2) {
            strbuf_puts(log, log->len ? "; " : "");
            strbuf_add(log, line + 2, (size_t)n - 2);
        }
    }
}

static int configure(int fd, const struct fsmount_opts *opts)
{
    if (opts->source && fs_config(fd, FSCONFIG_SET_STRING, "source", opts->source) < 0)
        return -errno;
    if (opts->read_only && fs_config(fd, FSCONFIG_SET_FLAG, "ro", NULL) < 0)
        return -errno;
    for (size_t i = 0; i < opts->n_options; i++) {
        const struct fsmount_option *option = &opts->options[i];

        if (fs_config(fd, option->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, option->key,
                      option->value) < 0 &&
            !(opts->lenient && errno == EINVAL))
            return -errno;
    }
    return fs_config(fd, FSCONFIG_CMD_CREATE, NULL, NULL) < 0 ? -errno : 0;
}

int fsmount_new(const struct fsmount_opts *opts, int *ret_fd, struct err *err)
{
    unsigned attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
                          MOUNT_ATTR_NOATIME | (opts->read_only ? MOUNT_ATTR_RDONLY : 0U);
    CLEANUP_STRBUF struct strbuf log = { 0 };
    CLEANUP_FD int fd = fs_open(opts->type);
    int r, mount_fd;

    if (fd < 0 && errno == ENODEV) {
        (void)err_status(err, STATUS_HOST,
                         "the running kernel has no driver for %s (module %s): load or install it",
                         opts->type, opts->type);
        err->code = ENODEV;
        return -ENODEV;
    }
    if (fd < 0)
        return err_set(err, errno, "open the %s driver", opts->type);
    r = configure(fd, opts);
    if (r < 0) {
        read_log(fd, &log);
        return err_set(err, -r, "mount %s%s%s", opts->type, log.len ? ": " : "", strbuf_text(&log));
    }
    mount_fd = (int)syscall(SYS_fsmount, fd, FSMOUNT_CLOEXEC, attributes);
    if (mount_fd < 0)
        return err_set(err, errno, "mount %s", opts->type);
    *ret_fd = mount_fd;
    return 0;
}

int fsmount_pick(const char *path, int *ret_fd, struct err *err)
{
    int fd = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLOEXEC | AT_NO_AUTOMOUNT);

    if (fd < 0)
        return err_set(err, errno, "open the mount %s", path);
    *ret_fd = fd;
    return 0;
}

int fsmount_copy(int dir_fd, bool recursive, int *ret_fd, struct err *err)
{
    unsigned flags = OPEN_TREE_CLOEXEC | OPEN_TREE_CLONE | AT_EMPTY_PATH | AT_NO_AUTOMOUNT;
    int fd = (int)syscall(SYS_open_tree, dir_fd, "", flags | (recursive ? AT_RECURSIVE : 0U));

    if (fd < 0)
        return err_set(err, errno, "copy a mount");
    *ret_fd = fd;
    return 0;
}

int fsmount_make_read_only(int fd)
{
    struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

    return syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0 ? -errno : 0;
}

int fsmount_attach(int fd, int target_fd, struct err *err)
{
    if (syscall(SYS_move_mount, fd, "", target_fd, "",
                MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
        return err_set(err, errno, "put a mount in its place");
    return 0;
}
