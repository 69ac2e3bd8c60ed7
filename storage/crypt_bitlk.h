/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * BitLocker's own data on a volume, as far as libcryptsetup does not tell it. Format: "BitLocker
 * Drive Encryption (BDE) format specification" of libyal/libbde, version 2 (Windows 7 on); all
 * numbers little-endian.
 */
#ifndef H2K_STORAGE_CRYPT_BITLK_H
#define H2K_STORAGE_CRYPT_BITLK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "storage/crypt.h"

#define BITLK_BOOT_SIZE 512U
#define BITLK_AREAS 3U
#define BITLK_AREA_SIZE (64U << 10)
#define BITLK_STATE_ENCRYPTED 4U
#define BITLK_BEK_MAX 256U

struct bitlk_meta {
    uint16_t state;
    uint64_t header_at, header_len; /* bytes: where the first sectors of the content lie */
    size_t clear_at;                /* of the protector that needs no key; 0: there is none */
    size_t clear_len;
};

/* Where the copies of the metadata are, from the boot sector. False: it is no BitLocker volume that
 * is encrypted as a whole. */
bool bitlk_areas(const uint8_t boot[BITLK_BOOT_SIZE], uint64_t ret[BITLK_AREAS]);

/* In bytes: what is encrypted at once (libcryptsetup tells it of LUKS only). */
uint32_t bitlk_sector_size(const uint8_t boot[BITLK_BOOT_SIZE]);

/* One copy of the metadata. False: it is damaged. */
bool bitlk_meta_parse(const uint8_t *area, size_t len, struct bitlk_meta *ret);

/* What the content consists of, @n_sectors in all. False: places overlap or lie beyond the end. */
bool bitlk_rows(const struct bitlk_meta *meta, const uint64_t areas[BITLK_AREAS],
                uint64_t n_sectors, struct crypt_row rows[CRYPT_ROWS_MAX], size_t *ret_n);

/*
 * Make of the protector that has its key beside it (clear_at) one that wants a startup key, in the
 * copy @area, and that startup key. Returns its length; 0: there is no key in it.
 */
size_t bitlk_clear_to_startup(uint8_t *area, const struct bitlk_meta *meta,
                              uint8_t bek[BITLK_BEK_MAX]);

#endif
