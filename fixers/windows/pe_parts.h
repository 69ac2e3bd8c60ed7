/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Parts of a program that signatures and versions need (Microsoft, "PE Format"). Every offset is
 * checked against the file.
 */
#ifndef H2K_FIXERS_WINDOWS_PE_PARTS_H
#define H2K_FIXERS_WINDOWS_PE_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PE_PARTS_SECTIONS_MAX 96U

struct pe_place {
    uint32_t address, size, offset; /* in memory; bytes in the file from there on */
};

struct pe_parts {
    const uint8_t *bytes;
    size_t len;
    uint32_t machine;        /* inspect/pe.h */
    size_t checksum;         /* offsets of two fields that a digest leaves out: 4 bytes, */
    size_t security_entry;   /* and 8; 0: the header has no such entry */
    size_t table, table_len; /* of certificates: offset in the file; 0: there is none */
    uint32_t resources;      /* address; 0: none */
    struct pe_place sections[PE_PARTS_SECTIONS_MAX];
    size_t n_sections;
};

/* @bytes must outlive @ret. false: it is no program, or its parts lie outside the file. */
bool pe_parts_read(const void *bytes, size_t len, struct pe_parts *ret);

/* What lies at an address, and how many bytes from there on; NULL: nothing of the file. */
const uint8_t *pe_parts_at(const struct pe_parts *parts, uint32_t address, size_t *ret_len);

#endif
