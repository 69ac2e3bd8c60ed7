/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A PE file with sections of command lines, for tests. */
#ifndef H2K_TESTS_UNIT_UKI_UTIL_H
#define H2K_TESTS_UNIT_UKI_UTIL_H

#include <stdint.h>
#include <string.h>

#define UKI_UTIL_SIZE 4096U
#define UKI_UTIL_PE 0x80U
#define UKI_UTIL_OPTIONAL 240U /* of a PE32+ file */
#define UKI_UTIL_SECTIONS (UKI_UTIL_PE + 24 + UKI_UTIL_OPTIONAL)

static inline void uki_put(uint8_t *at, uint32_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* A section @name with @text, padded to 512 bytes in the file, as linkers do. */
static inline void uki_section(uint8_t *file, unsigned index, const char *name, const char *text)
{
    uint8_t *header = file + UKI_UTIL_SECTIONS + index * 40;
    uint32_t offset = 1024 + index * 512;

    memcpy(header, name, strnlen(name, 8));
    uki_put(header + 8, (uint32_t)strlen(text), 4);
    uki_put(header + 16, 512, 4);
    uki_put(header + 20, offset, 4);
    memcpy(file + offset, text, strlen(text));
}

/* Headers for @n sections. */
static inline void uki_headers(uint8_t *file, uint32_t machine, unsigned n)
{
    memset(file, 0, UKI_UTIL_SIZE);
    memcpy(file, "MZ", 2);
    uki_put(file + 0x3c, UKI_UTIL_PE, 4);
    memcpy(file + UKI_UTIL_PE, "PE\0\0", 4);
    uki_put(file + UKI_UTIL_PE + 4, machine, 2);
    uki_put(file + UKI_UTIL_PE + 6, n, 2);
    uki_put(file + UKI_UTIL_PE + 20, UKI_UTIL_OPTIONAL, 2);
}

/* A program of UKI_UTIL_SIZE bytes that holds @text. */
static inline void uki_program(uint8_t *file, uint32_t machine, const char *text)
{
    uki_headers(file, machine, 1);
    uki_section(file, 0, ".text", text);
}

/* Say that the last 512 bytes are signatures. */
static inline void uki_sign(uint8_t *file)
{
    uint8_t *optional = file + UKI_UTIL_PE + 24;

    uki_put(optional, 0x20b, 2);
    uki_put(optional + 108, 16, 4);
    uki_put(optional + 112 + 4 * 8, UKI_UTIL_SIZE - 512, 4);
    uki_put(optional + 112 + 4 * 8 + 4, 512, 4);
}

/* An image of UKI_UTIL_SIZE bytes with a kernel and the given command lines. */
static inline void uki_make(uint8_t *file, const char *const *lines, unsigned n)
{
    uki_headers(file, 0x8664, n + 1);
    uki_section(file, 0, ".linux", "kernel root=/dev/sda9");
    for (unsigned i = 0; i < n; i++)
        uki_section(file, i + 1, ".cmdline", lines[i]);
}

#endif
