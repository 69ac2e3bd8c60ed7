/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/signature_signer.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <string.h>

#include "engine/base/cleanup.h"

#define ORGANIZATION_MICROSOFT "Microsoft Corporation"
#define UNIT_DEVELOPMENT "Dev"

static char *name_part(const X509_NAME *name, int nid)
{
    int at = X509_NAME_get_index_by_NID(name, nid, -1);
    unsigned char *text = NULL;
    const X509_NAME_ENTRY *entry = at < 0 ? NULL : X509_NAME_get_entry(name, at);
    char *copy;
    int len = entry ? ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry)) : 0;

    copy = len > 0 ? mem_strndup((const char *)text, (size_t)len) : mem_strdup("");
    for (char *c = copy; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    OPENSSL_free(text);
    return copy;
}

/* The common name, or the organisation. */
static char *name_text(const X509_NAME *name)
{
    char *text = name_part(name, NID_commonName);

    if (*text)
        return text;
    free(text);
    return name_part(name, NID_organizationName);
}

static bool name_has(const X509_NAME *name, int nid, const char *text)
{
    CLEANUP_FREE char *part = name_part(name, nid);

    return strcmp(part, text) == 0;
}

/* Does the signature of the first signer fit what is signed? Times are not looked at. Not by
 * PKCS7_verify(), which loses memory for some that are damaged. */
static bool is_intact(PKCS7 *pkcs7, const struct piece *content, X509 *signer)
{
    PKCS7_SIGNER_INFO *info = sk_PKCS7_SIGNER_INFO_value(PKCS7_get_signer_info(pkcs7), 0);
    BIO *source = BIO_new_mem_buf(content->at, (int)content->len), *digests;
    char block[4096];
    bool intact;

    digests = source && info ? PKCS7_dataInit(pkcs7, source) : NULL;
    if (!digests) {
        (void)BIO_free(source);
        return false;
    }
    while (BIO_read(digests, block, sizeof(block)) > 0)
        ;
    intact = PKCS7_signatureVerify(digests, pkcs7, info, signer) == 1;
    BIO_free_all(digests); /* the source is part of it now */
    return intact;
}

#define CHAIN_MAX 8U

/* Is it signed by one of those that came with it and have the name of its issuer? @ret: that one;
 * NULL: there is none of that name. */
static bool issuer_fits(X509 *certificate, STACK_OF(X509) * others, X509 **ret)
{
    const X509_NAME *issuer = X509_get_issuer_name(certificate);
    bool is_named = false;

    *ret = NULL;
    for (int i = 0; i < sk_X509_num(others) && !*ret; i++) {
        X509 *other = sk_X509_value(others, i);
        EVP_PKEY *key = X509_get0_pubkey(other);

        if (X509_NAME_cmp(X509_get_subject_name(other), issuer) != 0)
            continue;
        is_named = true;
        if (key && X509_verify(certificate, key) == 1)
            *ret = other;
    }
    ERR_clear_error();
    return *ret || !is_named;
}

/* Up to one that signed itself, or whose issuer did not come with it. */
static bool is_chain_intact(PKCS7 *pkcs7, X509 *signer)
{
    STACK_OF(X509) *others = pkcs7->d.sign->cert;

    for (size_t i = 0; signer && i < CHAIN_MAX; i++) {
        X509 *issuer = NULL;

        if (X509_NAME_cmp(X509_get_subject_name(signer), X509_get_issuer_name(signer)) == 0)
            return true;
        if (!issuer_fits(signer, others, &issuer))
            return false;
        signer = issuer;
    }
    return true;
}

static void judge_signer(const X509 *signer, const EVP_MD *md, struct signature *ret)
{
    const X509_NAME *subject = X509_get_subject_name(signer);
    const X509_NAME *issuer = X509_get_issuer_name(signer);

    free(ret->subject);
    free(ret->issuer);
    free(ret->digest);
    ret->subject = name_text(subject);
    ret->issuer = name_text(issuer);
    ret->digest = mem_strdup(EVP_MD_is_a(md, "SHA1") ? "sha1" : "sha256");
    ret->is_self_signed = X509_NAME_cmp(subject, issuer) == 0;
    if (ret->is_self_signed || name_has(subject, NID_organizationalUnitName, UNIT_DEVELOPMENT) ||
        name_has(issuer, NID_organizationalUnitName, UNIT_DEVELOPMENT))
        ret->kind = SIGNATURE_SELF;
    else if (name_has(issuer, NID_organizationName, ORGANIZATION_MICROSOFT))
        ret->kind = SIGNATURE_MICROSOFT;
    else
        ret->kind = EVP_MD_is_a(md, "SHA1") ? SIGNATURE_CROSS : SIGNATURE_SHA2;
}

void signature_judge(PKCS7 *pkcs7, const struct piece *content, const EVP_MD *md,
                     struct signature *ret)
{
    STACK_OF(X509) *signers = PKCS7_get0_signers(pkcs7, NULL, 0);

    ret->kind = SIGNATURE_DAMAGED;
    if (signers && sk_X509_num(signers) > 0) {
        X509 *signer = sk_X509_value(signers, 0);

        judge_signer(signer, md, ret);
        if (!is_intact(pkcs7, content, signer) || !is_chain_intact(pkcs7, signer))
            ret->kind = SIGNATURE_TAMPERED;
    }
    sk_X509_free(signers);
    ERR_clear_error();
}
