/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For crypt_luks.c and crypt_bitlk.c: what both do in the child. */
#ifndef H2K_STORAGE_CRYPT_OPENING_H
#define H2K_STORAGE_CRYPT_OPENING_H

#include <libcryptsetup.h>

#include "storage/crypt.h"

struct opening {
    const struct crypt_request *request;
    struct crypt_answer *answer;
    struct crypt_device *cd;
    int copy; /* of the header, in memory */
};

/* Say why not. Returns -EPERM, as all below do when they have said it. */
__attribute__((format(printf, 3, 4))) int
opening_refuse(struct opening *opening, enum err_status status, const char *fmt, ...);

/* Size of what has the header: the volume, or a file. */
uint64_t opening_source_size(const struct crypt_request *request);

/* Copy up to @len bytes, as many as there are. */
int opening_copy(struct opening *opening, uint64_t at, uint64_t len);

/* Have the library read the copy; CRYPT_LUKS or CRYPT_BITLK. Fills uuid and cipher. */
int opening_load(struct opening *opening, const char *type);

/* Call @try with each key for the volume until it returns 1: then so does this. */
int opening_try_keys(struct opening *opening,
                     int (*try)(struct opening *opening, const struct key *key));

#endif
