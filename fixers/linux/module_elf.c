/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/linux/module_elf.h"

#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"

#define HOLE_MIN 4096U /* a file has no smaller holes */

struct sections {
    const char *data;
    size_t table, n;
};

static bool find_sections(const char *data, size_t len, struct sections *ret)
{
    static const unsigned char magic[] = { ELFMAG0, ELFMAG1,    ELFMAG2,
                                           ELFMAG3, ELFCLASS64, ELFDATA2LSB };
    Elf64_Ehdr header;
    uint64_t table;

    if (len < sizeof(header) || memcmp(data, magic, sizeof(magic)) != 0)
        return false;
    memcpy(&header, data, sizeof(header));
    table = le64toh(header.e_shoff);
    *ret = (struct sections){ .data = data, .table = table, .n = le16toh(header.e_shnum) };
    return le16toh(header.e_shentsize) == sizeof(Elf64_Shdr) && table <= len &&
           ret->n <= (len - table) / sizeof(Elf64_Shdr);
}

/* Is section @i of no use to depmod, and is it so large that a hole saves something? */
static bool is_hole(const struct sections *sections, size_t i, size_t len, size_t *ret_start,
                    size_t *ret_end)
{
    Elf64_Shdr section;
    uint64_t start, size;
    uint32_t type;

    memcpy(&section, sections->data + sections->table + i * sizeof(section), sizeof(section));
    type = le32toh(section.sh_type);
    start = le64toh(section.sh_offset);
    size = le64toh(section.sh_size);
    if (type != SHT_RELA && !(type == SHT_PROGBITS && (le64toh(section.sh_flags) & SHF_EXECINSTR)))
        return false;
    *ret_start = start;
    *ret_end = start + size;
    return start <= len && size <= len - start && size >= HOLE_MIN;
}

static int write_at(int fd, const char *data, size_t start, size_t end)
{
    if (start < end && lseek(fd, (off_t)start, SEEK_SET) < 0)
        return -errno;
    return start < end ? io_write_full(fd, data + start, end - start) : 0;
}

int module_elf_write(int fd, const void *data, size_t len)
{
    struct sections sections;
    size_t done = 0, hole, after;
    int r = 0;

    if (!find_sections(data, len, &sections))
        return io_write_full(fd, data, len);
    /* in the order of the table, which is that of the file; a section before @done is written */
    for (size_t i = 0; i < sections.n && r == 0; i++)
        if (is_hole(&sections, i, len, &hole, &after) && hole >= done) {
            r = write_at(fd, data, done, hole);
            done = after;
        }
    if (r == 0)
        r = write_at(fd, data, done, len);
    return r == 0 && ftruncate(fd, (off_t)len) < 0 ? -errno : r;
}
