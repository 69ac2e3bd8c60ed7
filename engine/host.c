/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/host.h"

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/exec.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"

const struct host_driver host_drivers[] = {
    { "loop", DRIVER_BLOCK, "loop", "attach images" },
    { "fuse", DRIVER_BLOCK, "fuse", "attach images without nbd" },
    { "nbd", DRIVER_BLOCK, "nbd", "attach images" },
    { "ext4", DRIVER_FILESYSTEM, "ext4", "ext2, ext3 and ext4 file systems" },
    { "xfs", DRIVER_FILESYSTEM, "xfs", "xfs file systems" },
    { "btrfs", DRIVER_FILESYSTEM, "btrfs", "btrfs file systems" },
    { "vfat", DRIVER_FILESYSTEM, "vfat", "EFI system partitions (else mtools)" },
    { "ntfs3", DRIVER_FILESYSTEM, "ntfs3", "NTFS (else ntfs-3g)" },
    { "linear", DRIVER_DM_TARGET, "dm-mod", "LVM" },
    { "striped", DRIVER_DM_TARGET, "dm-mod", "striped LVM" },
    { "mirror", DRIVER_DM_TARGET, "dm-mirror", "mirrored LVM" },
    { "snapshot", DRIVER_DM_TARGET, "dm-snapshot", "LVM snapshots" },
    { "thin-pool", DRIVER_DM_TARGET, "dm-thin-pool", "thin LVM" },
    { "cache", DRIVER_DM_TARGET, "dm-cache", "cached LVM" },
    { "writecache", DRIVER_DM_TARGET, "dm-writecache", "write-cached LVM" },
    { "crypt", DRIVER_DM_TARGET, "dm-crypt", "LUKS and BitLocker" },
    { "raid", DRIVER_DM_TARGET, "dm-raid", "RAID by LVM and md" },
    { "unstriped", DRIVER_DM_TARGET, "dm-unstriped", "reading md RAID 6 and 10" },
    { "zero", DRIVER_DM_TARGET, "dm-zero", "writing to md RAID 10" },
    { "raid1", DRIVER_MD, "raid1", "RAID 1 through dm-raid" },
    { "raid10", DRIVER_MD, "raid10", "RAID 10 through dm-raid" },
    { "raid6", DRIVER_MD, "raid456", "RAID 4, 5 and 6 through dm-raid" },
};
const size_t host_n_drivers = ARRAY_SIZE(host_drivers);

const struct host_tool host_tools[] = {
    { "qemu-img", "qemu-utils", "--version", "overlays and conversion", true },
    { "qemu-nbd", "qemu-utils", "--version", "attaching through nbd", false },
    { "qemu-storage-daemon", "qemu-system-common", "--version", "attaching through fuse", false },
    { "nbdfuse", "libnbd-bin", "--version", "attaching through fuse with qemu-nbd", false },
    { "depmod", "kmod", "--version", "module indexes of the initramfs", true },
    { "modprobe", "kmod", "--version", "loading drivers", false },
    { "mcopy", "mtools", "--version", "EFI system partitions without a vfat driver", false },
    { "ntfs-3g", "ntfs-3g", "--version", "writing NTFS; reading it without the ntfs3 driver",
      false },
    { "qemu-system-x86_64", "qemu-system-x86", "--version", "boot-test", false },
    { "virt-xml-validate", "libvirt-clients", NULL, "checking the libvirt XML", false },
};
const size_t host_n_tools = ARRAY_SIZE(host_tools);

/* Is @word one of the white-space separated words of the file? */
static bool file_lists(const char *path, const char *word)
{
    CLEANUP_FREE char *text = NULL;
    struct err err = ERR_NONE;
    char *save = NULL;

    if (io_read_file(path, 1U << 20, &text, NULL, &err) < 0)
        return false;
    for (char *at = strtok_r(text, " \t\n", &save); at; at = strtok_r(NULL, " \t\n", &save))
        if (strcmp(at, word) == 0)
            return true;
    return false;
}

/* The device-mapper's list: struct dm_target_versions, each with the offset of the next one. */
static bool dm_has_target(const char *name)
{
    CLEANUP_FD int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
    const uint32_t room = 64U << 10;
    CLEANUP_FREE struct dm_ioctl *request = mem_alloc(room);
    uint32_t at;

    if (fd < 0)
        return false;
    request->version[0] = DM_VERSION_MAJOR;
    request->data_size = room;
    request->data_start = sizeof(*request);
    if (ioctl(fd, DM_LIST_VERSIONS, request) < 0)
        return false;
    at = request->data_start;
    while (at + sizeof(struct dm_target_versions) < room) {
        struct dm_target_versions target;
        const char *entry = (const char *)request + at;

        memcpy(&target, entry, sizeof(target));
        if (strcmp(entry + sizeof(target), name) == 0)
            return true;
        if (target.next == 0)
            return false;
        at += target.next;
    }
    return false;
}

static bool block_driver_ready(const char *name)
{
    static const struct {
        const char *driver, *node;
    } nodes[] = {
        { "loop", "/dev/loop-control" },
        { "fuse", "/dev/fuse" },
        { "nbd", "/sys/module/nbd" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++)
        if (strcmp(nodes[i].driver, name) == 0)
            return access(nodes[i].node, F_OK) == 0;
    return false;
}

static bool md_ready(const char *name)
{
    CLEANUP_FREE char *listed = mem_printf("[%s]", name);

    return file_lists("/proc/mdstat", listed);
}

static bool is_ready(const struct host_driver *driver)
{
    switch (driver->kind) {
    case DRIVER_BLOCK:
        return block_driver_ready(driver->name);
    case DRIVER_FILESYSTEM:
        return file_lists("/proc/filesystems", driver->name);
    case DRIVER_DM_TARGET:
        return dm_has_target(driver->name);
    case DRIVER_MD:
        return md_ready(driver->name);
    }
    return false;
}

enum host_state host_driver_state(const struct host_driver *driver)
{
    const char *const argv[] = { "modprobe", "-n", "-q", driver->module, NULL };
    struct exec_opts opts = { .argv = argv, .timeout_ms = 10000 };
    struct err err = ERR_NONE;

    if (is_ready(driver))
        return HOST_READY;
    return exec_check(&opts, NULL, &err) == 0 ? HOST_LOADABLE : HOST_MISSING;
}

char *host_tool_version(const struct host_tool *tool)
{
    const char *const argv[] = { tool->program, tool->version_arg, NULL };
    struct exec_opts opts = { .argv = argv, .timeout_ms = 10000 };
    CLEANUP_EXEC struct exec_result result = { 0 };
    struct err err = ERR_NONE;
    const char *text;

    if (!exec_have(tool->program))
        return NULL;
    if (!tool->version_arg || exec_run(&opts, &result, &err) < 0)
        return mem_strdup("");
    text = result.out.len ? strbuf_text(&result.out) : strbuf_text(&result.err);
    return mem_strndup(text, strcspn(text, "\n"));
}

const char *host_state_name(enum host_state state)
{
    static const char *const names[] = { "missing", "loadable", "ready" };

    return names[state];
}

const char *driver_kind_name(enum driver_kind kind)
{
    static const char *const names[] = { "block", "filesystem", "device-mapper", "md" };

    return names[kind];
}
