/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The version that a program says it has: a resource, found through three levels of folders. */
#include "engine/base/le.h"
#include "fixers/windows/pe_parts.h"
#include "fixers/windows/signature.h"

#define TYPE_VERSION 16U /* RT_VERSION */
#define ENTRY_SIZE 8U
#define FOLDER_SIZE 16U /* header, then entries */
#define FOLDER_NAMED 12U
#define FOLDER_NUMBERED 14U
#define IS_FOLDER 0x80000000U
#define ENTRIES_MAX 4096U
#define FIXED_ALIGNED 40U /* behind lengths, type and "VS_VERSION_INFO" */
#define FIXED_MAGIC 0xfeef04bdU
#define FIXED_FILE_HIGH 8U
#define FIXED_FILE_LOW 12U

/* The entry with the number @id, or with any when it is 0, of the folder at @at. false: none. */
static bool find_entry(const uint8_t *top, size_t len, size_t at, uint32_t id, uint32_t *ret)
{
    size_t n;

    if (at > len || len - at < FOLDER_SIZE)
        return false;
    n = (size_t)get_le16(top + at + FOLDER_NAMED) + get_le16(top + at + FOLDER_NUMBERED);
    at += FOLDER_SIZE;
    for (size_t i = 0; i < n && i < ENTRIES_MAX && len - at >= ENTRY_SIZE; i++, at += ENTRY_SIZE) {
        if (id != 0 && get_le32(top + at) != id)
            continue;
        *ret = get_le32(top + at + 4);
        return true;
    }
    return false;
}

/* Address of the data below type, name and language. */
static bool find_data(const uint8_t *top, size_t len, uint32_t *ret)
{
    static const uint32_t levels[] = { TYPE_VERSION, 0, 0 };
    uint32_t offset = IS_FOLDER;

    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (!(offset & IS_FOLDER) || !find_entry(top, len, offset & ~IS_FOLDER, levels[i], &offset))
            return false;
    if ((offset & IS_FOLDER) || offset > len || len - offset < 4)
        return false;
    *ret = get_le32(top + offset);
    return true;
}

bool pe_file_version(const void *pe, size_t len, uint16_t ret[4])
{
    struct pe_parts parts;
    size_t top_len = 0, info_len = 0;
    const uint8_t *top, *info;
    uint32_t address = 0;

    if (!pe_parts_read(pe, len, &parts) || parts.resources == 0)
        return false;
    top = pe_parts_at(&parts, parts.resources, &top_len);
    if (!top || !find_data(top, top_len, &address))
        return false;
    info = pe_parts_at(&parts, address, &info_len);
    if (!info || info_len < FIXED_ALIGNED + FIXED_FILE_LOW + 4 ||
        get_le32(info + FIXED_ALIGNED) != FIXED_MAGIC)
        return false;
    info += FIXED_ALIGNED;
    ret[0] = get_le16(info + FIXED_FILE_HIGH + 2);
    ret[1] = get_le16(info + FIXED_FILE_HIGH);
    ret[2] = get_le16(info + FIXED_FILE_LOW + 2);
    ret[3] = get_le16(info + FIXED_FILE_LOW);
    return true;
}
