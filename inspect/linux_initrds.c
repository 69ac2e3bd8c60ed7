/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Drivers in the initramfs images. */
#include <string.h>
#include <sys/stat.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "inspect/initramfs.h"
#include "inspect/linux.h"

static bool has_network(const struct initramfs *initramfs)
{
    for (size_t i = 0; i < initramfs->modules.n; i++)
        if (strstr(initramfs->modules.items[i], "drivers/net/"))
            return true;
    return false;
}

static void look_into(const struct guest_root *root, struct fact_kernel *kernel)
{
    struct initramfs initramfs = { 0 };
    struct err err = ERR_NONE;
    CLEANUP_FD int fd = guest_open(root, kernel->initrd, &err);
    struct stat st;
    char text[ERR_TEXT];

    if (fd < 0 || fstat(fd, &st) < 0 ||
        initramfs_scan(fd, (uint64_t)st.st_size, false, &initramfs, &err) < 0) {
        log_debug("%s: %s", kernel->initrd, err_text(&err, text, sizeof(text)));
        return;
    }
    facts_set(&kernel->initrd_compression, initramfs.compression);
    kernel->initrd_has_virtio =
        kernel->virtio_builtin || (initramfs_has_module(&initramfs, "virtio_blk") &&
                                   initramfs_has_module(&initramfs, "virtio_pci"));
    kernel->initrd_has_network = has_network(&initramfs);
    initramfs_done(&initramfs);
}

void linux_initrds(const struct guest_root *root, struct facts *facts)
{
    for (size_t i = 0; i < facts->n_kernels; i++) {
        facts->kernels[i].initrd_has_virtio = facts->kernels[i].virtio_builtin;
        if (facts->kernels[i].initrd[0] != '\0')
            look_into(root, &facts->kernels[i]);
    }
}
