/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The start of a FAT volume; what lies behind it reads as zeros. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "storage/fat_read.h"

#define SIZE (1U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FD int fd = memfd_create("fat", MFD_CLOEXEC);
    struct volume volume = { .fd = fd, .size_bytes = SIZE };
    struct fat_entry entry;
    struct fat fat;
    bool found = false;
    uint64_t at = 0;

    if (fd < 0 || ftruncate(fd, SIZE) < 0 ||
        io_pwrite_full(fd, data, size < SIZE ? size : SIZE, 0) < 0 || !fat_open(&volume, &fat))
        return 0;
    if (!fat_root_find(&fat, "WINDOWS    ", &entry, &found) && found)
        abort();
    /* zeros are written there */
    if (fat_is_hibernated(&fat, &at) && (at < 512 || at + fat.cluster_bytes > SIZE))
        abort();
    return 0;
}
