/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/uki.h"

#include <string.h>

#include "engine/base/cleanup.h"

/* Offsets of the format: the DOS header, the signature "PE\0\0", the COFF header of 20 bytes, the
 * optional header, then 40 bytes for each section. */
#define DOS_PE_OFFSET 0x3cU
#define COFF_SECTIONS 6U /* from the signature on; 16 bits */
#define COFF_OPTIONAL_SIZE 20U
#define COFF_END 24U
#define SECTION_SIZE 40U
#define SECTION_NAME 8U
#define SECTION_VIRTUAL_SIZE 8U
#define SECTION_RAW_SIZE 16U
#define SECTION_RAW_OFFSET 20U

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) | get16(at + 2) << 16;
}

/* The section's bytes in the file: what is on disk is padded, what is in memory may be larger. */
static struct uki_section section_at(const uint8_t *header)
{
    uint32_t virtual_size = get32(header + SECTION_VIRTUAL_SIZE);
    uint32_t raw_size = get32(header + SECTION_RAW_SIZE);

    return (struct uki_section){
        .offset = get32(header + SECTION_RAW_OFFSET),
        .size = virtual_size > 0 && virtual_size < raw_size ? virtual_size : raw_size,
    };
}

size_t uki_find_cmdlines(const uint8_t *head, size_t len, struct uki_section *ret, size_t max)
{
    size_t pe, at, n_sections, n = 0;

    if (len < DOS_PE_OFFSET + 4 || memcmp(head, "MZ", 2) != 0)
        return 0;
    pe = get32(head + DOS_PE_OFFSET);
    if (pe > len || len - pe < COFF_END || memcmp(head + pe, "PE\0\0", 4) != 0)
        return 0;
    n_sections = get16(head + pe + COFF_SECTIONS);
    at = pe + COFF_END + get16(head + pe + COFF_OPTIONAL_SIZE);
    for (size_t i = 0; i < n_sections && n < max; i++, at += SECTION_SIZE) {
        if (at > len || len - at < SECTION_SIZE)
            break;
        if (memcmp(head + at, ".cmdline", SECTION_NAME) == 0)
            ret[n++] = section_at(head + at);
    }
    return n;
}

/* As text: up to a zero byte. */
static int read_section(const struct guest_root *root, const char *path,
                        const struct uki_section *section, struct strlist *ret, struct err *err)
{
    size_t size = section->size < UKI_CMDLINE_MAX ? section->size : UKI_CMDLINE_MAX;
    CLEANUP_FREE char *text = mem_alloc(size + 1);
    ssize_t n = guest_pread(root, path, text, size, section->offset, err);

    if (n < 0)
        return (int)n;
    strlist_take(ret, mem_strndup(text, (size_t)n));
    return 0;
}

int uki_read_cmdlines(const struct guest_root *root, const char *path, struct strlist *ret,
                      struct err *err)
{
    CLEANUP_FREE uint8_t *head = mem_alloc(UKI_HEAD_MAX);
    struct uki_section sections[UKI_CMDLINES_MAX];
    ssize_t len = guest_pread(root, path, head, UKI_HEAD_MAX, 0, err);
    size_t n;

    if (len < 0)
        return (int)len;
    n = uki_find_cmdlines(head, (size_t)len, sections, ARRAY_SIZE(sections));
    for (size_t i = 0; i < n; i++)
        if (read_section(root, path, &sections[i], ret, err) < 0)
            return -err->code;
    return 0;
}
