/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The name of its own file that a VMDK carries inside. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "engine/convert.h"

/* Hosted sparse extent header, little endian (VMware's Virtual Disk Format 1.1, "Hosted Sparse
 * Extent Metadata"): offset and size of the embedded descriptor, both in sectors. */
#define MAGIC "KDMV"
#define DESC_OFFSET_AT 28
#define DESC_SIZE_AT 36
#define SECTOR 512U
#define DESC_MAX (1U << 20)

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Put @name for @old in the descriptor of @size bytes. False when it is not there or too long. */
static bool replace_name(char *desc, size_t size, const char *old, const char *name)
{
    CLEANUP_FREE char *quoted = mem_printf("\"%s\"", old);
    char *at = strstr(desc, quoted);
    size_t len = strlen(desc), name_len = strlen(name), rest;

    if (!at || len + name_len - strlen(old) >= size)
        return false;
    rest = strlen(at + strlen(quoted)) + 1;
    memmove(at + 1 + name_len + 1, at + strlen(quoted), rest);
    for (size_t i = 0; i < name_len; i++)
        at[1 + i] = name[i];
    at[1 + name_len] = '"';
    len = strlen(desc);
    memset(desc + len, 0, size - len);
    return true;
}

/* A descriptor quotes names and has no way to write a quote or a control character. The name says
 * nothing that counts: this extent is the file itself. */
static char *name_for(const char *target)
{
    char *name = mem_strdup(base_of(target));

    for (char *c = name; *c; c++)
        if (*c == '"' || (unsigned char)*c < ' ')
            *c = '_';
    return name;
}

int convert_vmdk_finish(int fd, const char *temp, const char *target, struct err *err)
{
    CLEANUP_FREE char *desc = NULL, *name = name_for(target);
    uint8_t header[SECTOR];
    uint64_t offset, size;
    int r = io_pread_full(fd, header, sizeof(header), 0);

    if (r < 0)
        return err_set(err, -r, "read %s", temp);
    offset = get_le64(header + DESC_OFFSET_AT);
    size = get_le64(header + DESC_SIZE_AT);
    if (memcmp(header, MAGIC, strlen(MAGIC)) != 0 || offset == 0 || offset > DESC_MAX / SECTOR ||
        size == 0 || size > DESC_MAX / SECTOR)
        return err_set(err, EPROTO, "%s: qemu-img made another kind of VMDK than expected", temp);
    size *= SECTOR;
    desc = mem_alloc(size + 1);
    r = io_pread_full(fd, desc, size, offset * SECTOR);
    if (r == 0 && replace_name(desc, size, base_of(temp), name))
        r = io_pwrite_full(fd, desc, size, offset * SECTOR);
    return r < 0 ? err_set(err, -r, "write the descriptor of %s", temp) : 0;
}
