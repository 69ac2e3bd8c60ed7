/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/linux/cpio_write.h"

#include <string.h>
#include <sys/stat.h>

#include "inspect/cpio.h"

#define FIRST_INO 300000U /* no archive entry has to differ; hard links need more than one name */

void cpio_write_init(struct cpio_writer *writer)
{
    *writer = (struct cpio_writer){ .next_ino = FIRST_INO };
}

void cpio_write_done(struct cpio_writer *writer)
{
    strbuf_done(&writer->out);
}

unsigned segment_padding(uint64_t size)
{
    return SEGMENT_ALIGN + (unsigned)(-size & (SEGMENT_ALIGN - 1));
}

void cpio_write_zeros(struct cpio_writer *writer, unsigned n)
{
    static const char zeros[SEGMENT_ALIGN] = { 0 };

    while (n > 0) {
        unsigned piece = n < sizeof(zeros) ? n : (unsigned)sizeof(zeros);

        strbuf_add(&writer->out, zeros, piece);
        n -= piece;
    }
}

static void align4(struct cpio_writer *writer)
{
    cpio_write_zeros(writer, (unsigned)(-writer->out.len & 3));
}

static void write_header(struct cpio_writer *writer, const char *name, uint32_t mode, uint32_t ino,
                         uint32_t len)
{
    unsigned nlink = S_ISDIR(mode) ? 2 : 1;
    unsigned name_len = (unsigned)strlen(name) + 1;

    strbuf_printf(&writer->out, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", ino,
                  mode, 0U, 0U, nlink, 0U, len, 0U, 0U, 0U, 0U, name_len, 0U);
    strbuf_add(&writer->out, name, name_len);
    align4(writer);
}

void cpio_write_dir(struct cpio_writer *writer, const char *name)
{
    write_header(writer, name, S_IFDIR | 0755, writer->next_ino++, 0);
}

void cpio_write_file(struct cpio_writer *writer, const char *name, uint32_t mode, const void *data,
                     uint32_t len)
{
    write_header(writer, name, S_IFREG | mode, writer->next_ino++, len);
    strbuf_add(&writer->out, data, len);
    align4(writer);
}

void cpio_write_end(struct cpio_writer *writer)
{
    write_header(writer, CPIO_TRAILER, 0, 0, 0);
    cpio_write_zeros(writer, (unsigned)(-writer->out.len & (SEGMENT_ALIGN - 1)));
}
