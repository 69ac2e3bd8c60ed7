/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who made a PKCS #7 signature, and does it hold? */
#ifndef H2K_FIXERS_WINDOWS_SIGNATURE_SIGNER_H
#define H2K_FIXERS_WINDOWS_SIGNATURE_SIGNER_H

#include <openssl/evp.h>
#include <openssl/pkcs7.h>

#include "fixers/windows/signature.h"

/* Bytes of an ASN.1 structure that lie somewhere in it. */
struct piece {
    const unsigned char *at;
    long len;
};

/* Fill @ret from the first signer of @pkcs7, which signs @content. @md: what the file's digest was
 * made with. */
void signature_judge(PKCS7 *pkcs7, const struct piece *content, const EVP_MD *md,
                     struct signature *ret);

#endif
