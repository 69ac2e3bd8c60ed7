/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/nbddev.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/blkpg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/exec.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/nbdnl.h"
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

    if (access("/sys/module/nbd", F_OK) == 0)
        return nbdnl_probe(err);
    if (!tried && has_module_index()) {
        struct err ignored = ERR_NONE;

        tried = true;
        (void)exec_run(&opts, NULL, &ignored);
    }
    if (access("/sys/module/nbd", F_OK) == 0)
        return nbdnl_probe(err);
    return err_status(err, STATUS_HOST,
                      "the kernel has no nbd driver and modprobe nbd does not bring one");
}

/* A line of sysfs; NULL when the file is not there. */
static char *sysfs_line(unsigned number, const char *name)
{
    CLEANUP_FREE char *path = mem_printf("/sys/block/nbd%u/%s", number, name);
    char *text = NULL;
    struct err ignored = ERR_NONE;

    if (io_read_file(path, 256, &text, NULL, &ignored) < 0)
        return NULL;
    text[strcspn(text, "\n")] = '\0';
    return text;
}

static uint64_t sysfs_number(unsigned number, const char *name)
{
    CLEANUP_FREE char *text = sysfs_line(number, name);
    uint64_t value = 0;

    return text && io_parse_u64(text, UINT64_MAX, &value) == 0 ? value : 0;
}

uint64_t nbd_size(unsigned number)
{
    return sysfs_number(number, "size") * 512;
}

pid_t nbd_owner(unsigned number)
{
    return (pid_t)sysfs_number(number, "pid");
}

char *nbd_identifier(const char *name)
{
    uint64_t number;

    if (strncmp(name, "nbd", 3) != 0 || io_parse_u64(name + 3, UINT_MAX, &number) < 0)
        return NULL;
    return sysfs_line((unsigned)number, "backend");
}

int nbd_drop_partitions(unsigned number, int fd, struct err *err)
{
    CLEANUP_FREE char *folder = mem_printf("/sys/block/nbd%u", number);
    CLEANUP_FREE char *prefix = mem_printf("nbd%up", number);
    CLEANUP_DIR DIR *dir = opendir(folder);
    const struct dirent *entry;

    if (!dir)
        return err_set(err, errno, "open %s", folder);
    while ((entry = readdir(dir))) {
        struct blkpg_partition part = { 0 };
        struct blkpg_ioctl_arg arg = { .op = BLKPG_DEL_PARTITION,
                                       .datalen = sizeof(part),
                                       .data = &part };
        uint64_t index;

        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
            io_parse_u64(entry->d_name + strlen(prefix), INT_MAX, &index) < 0)
            continue;
        part.pno = (int)index;
        if (ioctl(fd, BLKPG, &arg) < 0 && errno != ENXIO)
            return err_set(err, errno, "remove the partition device %s", entry->d_name);
    }
    return 0;
}

/* ---- cleanup ---- */

static int release_by_identifier(const char *identifier, struct err *err)
{
    CLEANUP_DIR DIR *dir = opendir("/sys/block");
    const struct dirent *entry;
    int released = 0;

    while (dir && (entry = readdir(dir))) {
        CLEANUP_FREE char *found = nbd_identifier(entry->d_name);
        uint64_t number;

        if (!found || strcmp(found, identifier) != 0 ||
            io_parse_u64(entry->d_name + 3, UINT_MAX, &number) < 0)
            continue;
        if (nbdnl_disconnect((unsigned)number, err) < 0)
            return -err->code;
        released = 1;
    }
    return released;
}

int nbd_release_recorded(const char *id, const char *value, struct err *err)
{
    CLEANUP_FREE char *identifier = mem_printf(NBD_IDENTIFIER "%s", id);
    CLEANUP_FREE char *found = NULL;
    uint64_t numbers[2]; /* device, process */
    int r;

    if (strcmp(value, "?") == 0)
        return release_by_identifier(identifier, err);
    if (state_numbers(value, numbers, 2) < 0 || numbers[0] > UINT_MAX || numbers[1] <= 1)
        return 0;
    found = sysfs_line((unsigned)numbers[0], "backend");
    if ((uint64_t)nbd_owner((unsigned)numbers[0]) != numbers[1] ||
        (found && strcmp(found, identifier) != 0))
        return 0;
    r = nbdnl_disconnect((unsigned)numbers[0], err);
    return r < 0 ? r : 1;
}
