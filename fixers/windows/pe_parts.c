/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/pe_parts.h"

#include "engine/base/le.h"

/* Offsets of the format. */
#define DOS_PE_OFFSET 0x3cU
#define COFF_MACHINE 4U /* from the signature on */
#define COFF_SECTIONS 6U
#define COFF_OPTIONAL_SIZE 20U
#define COFF_END 24U
#define OPTIONAL_CHECKSUM 64U
#define OPTIONAL_DIRECTORIES 92U /* how many; of PE32+ 16 bytes further */
#define PLUS_MORE 16U
#define MAGIC_PE32 0x10bU
#define MAGIC_PE32_PLUS 0x20bU
#define DIRECTORY_SIZE 8U
#define DIRECTORY_RESOURCES 16U /* the third of them */
#define DIRECTORY_SECURITY 32U  /* the fifth */
#define SECTION_SIZE 40U
#define SECTION_VIRTUAL_ADDRESS 12U
#define SECTION_RAW_SIZE 16U
#define SECTION_RAW_OFFSET 20U

/* Directories are counted: later ones may be missing. */
static bool read_directories(struct pe_parts *parts, size_t optional, size_t optional_len)
{
    const uint8_t *bytes = parts->bytes;
    uint32_t magic = optional_len >= 2 ? get_le16(bytes + optional) : 0;
    size_t first, room; /* of the directories that are there */

    if (magic != MAGIC_PE32 && magic != MAGIC_PE32_PLUS)
        return false;
    first = OPTIONAL_DIRECTORIES + (magic == MAGIC_PE32_PLUS ? PLUS_MORE : 0) + 4;
    if (optional_len < first)
        return false;
    parts->checksum = optional + OPTIONAL_CHECKSUM;
    room = (size_t)get_le32(bytes + optional + first - 4) * DIRECTORY_SIZE;
    if (room > optional_len - first)
        room = optional_len - first;
    if (room >= DIRECTORY_RESOURCES + DIRECTORY_SIZE)
        parts->resources = get_le32(bytes + optional + first + DIRECTORY_RESOURCES);
    if (room < DIRECTORY_SECURITY + DIRECTORY_SIZE)
        return true;
    parts->security_entry = optional + first + DIRECTORY_SECURITY;
    parts->table = get_le32(bytes + parts->security_entry);
    parts->table_len = get_le32(bytes + parts->security_entry + 4);
    if (parts->table_len == 0)
        parts->table = 0;
    return parts->table == 0 ||
           (parts->table >= parts->security_entry + DIRECTORY_SIZE && parts->table <= parts->len &&
            parts->table_len <= parts->len - parts->table);
}

bool pe_parts_read(const void *bytes, size_t len, struct pe_parts *ret)
{
    const uint8_t *data = bytes;
    size_t pe, optional_len, at, n;

    *ret = (struct pe_parts){ .bytes = data, .len = len };
    if (len < DOS_PE_OFFSET + 4 || memcmp(data, "MZ", 2) != 0)
        return false;
    pe = get_le32(data + DOS_PE_OFFSET);
    if (pe > len || len - pe < COFF_END || memcmp(data + pe, "PE\0\0", 4) != 0)
        return false;
    ret->machine = get_le16(data + pe + COFF_MACHINE);
    optional_len = get_le16(data + pe + COFF_OPTIONAL_SIZE);
    if (optional_len > len - pe - COFF_END || !read_directories(ret, pe + COFF_END, optional_len))
        return false;
    n = get_le16(data + pe + COFF_SECTIONS);
    at = pe + COFF_END + optional_len;
    for (; n > 0 && ret->n_sections < PE_PARTS_SECTIONS_MAX; n--, at += SECTION_SIZE) {
        struct pe_place *place = &ret->sections[ret->n_sections];

        if (len - at < SECTION_SIZE)
            return false;
        place->address = get_le32(data + at + SECTION_VIRTUAL_ADDRESS);
        place->size = get_le32(data + at + SECTION_RAW_SIZE);
        place->offset = get_le32(data + at + SECTION_RAW_OFFSET);
        if (place->size > 0 && (place->offset > len || place->size > len - place->offset))
            return false;
        ret->n_sections++;
    }
    return true;
}

const uint8_t *pe_parts_at(const struct pe_parts *parts, uint32_t address, size_t *ret_len)
{
    for (size_t i = 0; i < parts->n_sections; i++) {
        const struct pe_place *place = &parts->sections[i];

        if (address < place->address || address - place->address >= place->size)
            continue;
        *ret_len = place->size - (address - place->address);
        return parts->bytes + place->offset + (address - place->address);
    }
    return NULL;
}
