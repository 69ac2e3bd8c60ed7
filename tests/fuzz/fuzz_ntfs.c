/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The start of an NTFS volume; what lies behind it reads as zeros. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "storage/ntfs.h"

#define SIZE (1U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FD int fd = memfd_create("ntfs", MFD_CLOEXEC);
    struct volume volume = { .fd = fd, .size_bytes = SIZE };
    struct ntfs_state state;

    if (fd < 0 || ftruncate(fd, SIZE) < 0 ||
        io_pwrite_full(fd, data, size < SIZE ? size : SIZE, 0) < 0)
        return 0;
    ntfs_state_read(&volume, &state);
    /* what was found out is not forgotten: nothing of it may be written */
    if ((state.hibernated || state.cached || state.marked || state.unreadable) !=
        (ntfs_not_written(&state) != NULL))
        abort();
    return 0;
}
