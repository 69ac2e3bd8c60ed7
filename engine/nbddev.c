/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/nbddev.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nbd.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/exec.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/state.h"

/* modprobe knows only what is in these; a kernel without modules (containers, micro machines) has
 * none, and starting modprobe for nothing is a tenth of an inspection. */
static bool has_module_index(void)
{
    static const char *const names[] = { "modules.dep.bin", "modules.dep" };
    struct utsname host;

    if (uname(&host) < 0)
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        CLEANUP_FREE char *path = mem_printf("/lib/modules/%s/%s", host.release, names[i]);

        if (access(path, F_OK) == 0)
            return true;
    }
    return false;
}

int nbd_probe(struct err *err)
{
    static const char *const argv[] = { "modprobe", "-q", "nbd", NULL };
    struct exec_opts opts = { .argv = argv, .timeout_ms = 30000 };
    static bool tried;

    if (access("/sys/block/nbd0", F_OK) == 0)
        return 0;
    if (!tried && has_module_index()) {
        struct err ignored = ERR_NONE;

        tried = true;
        (void)exec_run(&opts, NULL, &ignored);
    }
    if (access("/sys/block/nbd0", F_OK) == 0)
        return 0;
    return err_status(err, STATUS_HOST,
                      "the kernel has no nbd driver and modprobe nbd does not bring one");
}

/* A number in sysfs; 0 when the file is not there. */
static uint64_t sysfs_number(unsigned number, const char *name)
{
    CLEANUP_FREE char *path = mem_printf("/sys/block/nbd%u/%s", number, name);
    CLEANUP_FREE char *text = NULL;
    struct err ignored = ERR_NONE;
    uint64_t value = 0;

    if (io_read_file(path, 64, &text, NULL, &ignored) < 0)
        return 0;
    text[strcspn(text, "\n")] = '\0';
    return io_parse_u64(text, UINT64_MAX, &value) < 0 ? 0 : value;
}

uint64_t nbd_size(unsigned number)
{
    return sysfs_number(number, "size") * 512;
}

pid_t nbd_server(unsigned number)
{
    return (pid_t)sysfs_number(number, "pid");
}

void nbd_disconnect(int fd)
{
    (void)ioctl(fd, NBD_CLEAR_QUE);
    (void)ioctl(fd, NBD_DISCONNECT);
    (void)ioctl(fd, NBD_CLEAR_SOCK);
}

int nbd_release_recorded(const char *value, struct err *err)
{
    uint64_t numbers[2]; /* device, thread */
    CLEANUP_FREE char *node = NULL;
    CLEANUP_FD int fd = -1;

    if (state_numbers(value, numbers, 2) < 0 || numbers[0] > UINT_MAX || numbers[1] <= 1)
        return 0;
    if ((uint64_t)nbd_server((unsigned)numbers[0]) != numbers[1])
        return 0;
    node = mem_printf("/dev/nbd%u", (unsigned)numbers[0]);
    fd = open(node, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, errno, "open %s", node);
    nbd_disconnect(fd);
    return 1;
}
