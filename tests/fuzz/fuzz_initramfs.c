/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole images, compressed ones included; what is found must survive being handed over. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "inspect/initramfs_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct initramfs found = { 0 }, copy = { 0 };
    struct strbuf bytes = { 0 };
    struct err err = ERR_NONE;
    int fd = memfd_create("initramfs", MFD_CLOEXEC);

    if (fd < 0 || io_write_full(fd, data, size) < 0)
        abort();
    if (initramfs_scan(fd, size, INITRAMFS_MODULES, &found, &err) == 0)
        initramfs_done(&found);
    if (initramfs_scan(fd, size, INITRAMFS_ALL, &found, &err) == 0) {
        if (initramfs_pack(&found, &bytes) < 0 ||
            initramfs_unpack(bytes.data, bytes.len, &copy) < 0 ||
            copy.modules.n != found.modules.n || copy.names.n != found.names.n)
            abort();
        initramfs_done(&copy);
        initramfs_done(&found);
        strbuf_done(&bytes);
    }
    if (size > 0 && initramfs_unpack((const char *)data, size, &copy) == 0)
        initramfs_done(&copy);
    (void)close(fd);
    return 0;
}
