/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/pe.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"

/* Offsets of the format: the DOS header, the signature "PE\0\0", the COFF header of 20 bytes, the
 * optional header, then 40 bytes for each section. */
#define DOS_PE_OFFSET 0x3cU
#define COFF_MACHINE 4U /* from the signature on */
#define COFF_SECTIONS 6U
#define COFF_OPTIONAL_SIZE 20U
#define COFF_END 24U
#define OPTIONAL_MAGIC_64 0x20bU
#define OPTIONAL_COUNT_32 92U /* of data directories, which follow: 8 bytes each */
#define OPTIONAL_COUNT_64 108U
#define DIRECTORY_CERTIFICATES 4U
#define CERTIFICATE_HEAD 8U
#define SECTION_SIZE 40U
#define SECTION_NAME 8U
#define SECTION_VIRTUAL_SIZE 8U
#define SECTION_RAW_SIZE 16U
#define SECTION_RAW_OFFSET 20U

/* What is on disk is padded, what is in memory may be larger. */
static void read_section(const uint8_t *header, struct pe_section *ret)
{
    uint32_t virtual_size = get_le32(header + SECTION_VIRTUAL_SIZE);

    memcpy(ret->name, header, SECTION_NAME);
    ret->name[SECTION_NAME] = '\0';
    ret->offset = get_le32(header + SECTION_RAW_OFFSET);
    ret->raw_size = get_le32(header + SECTION_RAW_SIZE);
    ret->size = virtual_size > 0 && virtual_size < ret->raw_size ? virtual_size : ret->raw_size;
}

/* The fifth data directory holds an offset in the file, not an address. */
static void read_signature(const uint8_t *optional, size_t len, struct pe *ret)
{
    size_t count_at, at;

    if (len < 2)
        return;
    count_at = get_le16(optional) == OPTIONAL_MAGIC_64 ? OPTIONAL_COUNT_64 : OPTIONAL_COUNT_32;
    at = count_at + 4 + (size_t)8 * DIRECTORY_CERTIFICATES;
    if (len < at + 8 || get_le32(optional + count_at) <= DIRECTORY_CERTIFICATES)
        return;
    ret->signature_offset = get_le32(optional + at);
    ret->signature_size = get_le32(optional + at + 4);
}

bool pe_parse(const uint8_t *head, size_t len, struct pe *ret)
{
    size_t pe, at, n_sections;

    *ret = (struct pe){ 0 };
    if (len < DOS_PE_OFFSET + 4 || memcmp(head, "MZ", 2) != 0)
        return false;
    pe = get_le32(head + DOS_PE_OFFSET);
    if (pe > len || len - pe < COFF_END || memcmp(head + pe, "PE\0\0", 4) != 0)
        return false;
    ret->machine = get_le16(head + pe + COFF_MACHINE);
    n_sections = get_le16(head + pe + COFF_SECTIONS);
    at = pe + COFF_END + get_le16(head + pe + COFF_OPTIONAL_SIZE);
    if (at <= len)
        read_signature(head + pe + COFF_END, at - pe - COFF_END, ret);
    for (size_t i = 0; i < n_sections && i < PE_SECTIONS_MAX; i++, at += SECTION_SIZE) {
        ret->is_cut = at > len || len - at < SECTION_SIZE;
        if (ret->is_cut)
            break;
        read_section(head + at, &ret->sections[ret->n_sections++]);
    }
    return true;
}

/* Firmware refuses a file that ends before its sections do (EDK II, PeCoffLoaderGetPeHeader()). */
static bool is_whole(const struct pe *pe, uint64_t size)
{
    for (size_t i = 0; i < pe->n_sections; i++)
        if (pe->sections[i].raw_size > 0 &&
            (uint64_t)pe->sections[i].offset + pe->sections[i].raw_size > size)
            return false;
    return !pe->is_cut;
}

const char *pe_problem(const struct guest_root *root, const char *path, uint32_t *ret_machine)
{
    CLEANUP_FREE uint8_t *head = mem_alloc(PE_HEAD_MAX);
    CLEANUP_FREE struct pe *pe = mem_alloc(sizeof(*pe));
    struct err err = ERR_NONE;
    ssize_t len = guest_pread(root, path, head, PE_HEAD_MAX, 0, &err);
    struct stat st;

    if (len < 0 || guest_stat(root, path, &st) < 0)
        return "cannot be read";
    if (len == 0)
        return "is empty";
    if (!pe_parse(head, (size_t)len, pe))
        return "is no program";
    if (!is_whole(pe, (uint64_t)st.st_size))
        return "is cut off";
    *ret_machine = pe->machine;
    return NULL;
}

bool pe_is_signed(const struct guest_root *root, const char *path)
{
    CLEANUP_FREE uint8_t *head = mem_alloc(PE_HEAD_MAX);
    CLEANUP_FREE struct pe *pe = mem_alloc(sizeof(*pe));
    struct err err = ERR_NONE;
    ssize_t len = guest_pread(root, path, head, PE_HEAD_MAX, 0, &err);
    struct stat st;

    return len > 0 && guest_stat(root, path, &st) >= 0 && pe_parse(head, (size_t)len, pe) &&
           pe->signature_offset > 0 && pe->signature_size > CERTIFICATE_HEAD &&
           (uint64_t)pe->signature_offset + pe->signature_size <= (uint64_t)st.st_size;
}
