/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The base block of a registry hive, and of the logs beside it. Layout: msuhanov/regf, "Windows
 * registry file format specification", Base block.
 */
#ifndef H2K_ENGINE_REGF_H
#define H2K_ENGINE_REGF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGF_BASE_LEN 4096U /* before the first bin; a log has REGF_LOG_BASE_LEN of it */
#define REGF_LOG_BASE_LEN 512U
#define REGF_BINS_MAX (2U << 30) /* bytes of bins: Windows' own limit */

enum regf_type {
    REGF_PRIMARY = 0,
    REGF_LOG_OLD = 1, /* up to Windows 8 */
    REGF_LOG_OLDEST = 2,
    REGF_LOG_NEW = 6, /* from 8.1 on */
};

struct regf_base {
    uint32_t seq1, seq2; /* a write begins with seq1 and ends with seq2 */
    uint64_t timestamp;  /* FILETIME of the last write */
    uint32_t minor;      /* of the format's version 1.x */
    uint32_t type;       /* enum regf_type */
    uint32_t bins_size;  /* bytes of the bins, a multiple of 4096 */
    bool checksum_ok;
};

/* Needs REGF_LOG_BASE_LEN bytes. false: it is none. */
bool regf_base_parse(const void *data, size_t len, struct regf_base *ret);

/* A write was begun and not ended, or the base block itself was being written. */
bool regf_is_dirty(const struct regf_base *base);

/* Make the primary file's base block in @data (REGF_LOG_BASE_LEN bytes) one of a complete write:
 * both sequence numbers @seq, so many bytes of bins, checksum. */
void regf_base_complete(void *data, uint32_t seq, uint32_t bins_size);

#endif
