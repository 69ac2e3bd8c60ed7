/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PE files (Microsoft's "PE Format"): what UEFI starts. Headers only.
 */
#ifndef H2K_INSPECT_PE_H
#define H2K_INSPECT_PE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/guest.h"

#define PE_HEAD_MAX (64U << 10) /* bytes in which all headers lie */
#define PE_SECTIONS_MAX 96U     /* further ones are not looked at */

/* Processors ("Machine Types"). */
#define PE_I386 0x14cU
#define PE_ARM 0x1c2U
#define PE_RISCV64 0x5064U
#define PE_LOONGARCH64 0x6264U
#define PE_X86_64 0x8664U
#define PE_AARCH64 0xaa64U

struct pe_section {
    char name[9];
    uint32_t offset, size; /* bytes of the file, without padding */
    uint32_t raw_size;     /* with padding */
};

struct pe {
    uint32_t machine;
    bool is_cut;                               /* headers of sections lie behind the end */
    uint32_t signature_offset, signature_size; /* "Certificate Table"; 0: there is none */
    struct pe_section sections[PE_SECTIONS_MAX];
    size_t n_sections;
};

/* @head: the first @len bytes of a file. false: it is no such file. */
bool pe_parse(const uint8_t *head, size_t len, struct pe *ret);

/* Why firmware cannot start the file @path, for people: a literal that follows its name. NULL: it
 * can. *ret_machine is set then. */
const char *pe_problem(const struct guest_root *root, const char *path, uint32_t *ret_machine);

/* Is the file @path signed, by whomever? Nothing is verified. */
bool pe_is_signed(const struct guest_root *root, const char *path);

#endif
