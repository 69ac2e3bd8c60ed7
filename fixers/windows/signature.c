/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/signature.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "fixers/windows/pe_parts.h"

/* WIN_CERTIFICATE: length with this header, revision, type. */
#define CERTIFICATE_HEADER 8U
#define CERTIFICATE_TYPE 6U
#define TYPE_PKCS7 2U

#define OID_INDIRECT_DATA "1.3.6.1.4.1.311.2.1.4"
#define OID_CATALOG "1.3.6.1.4.1.311.10.1"
#define ORGANIZATION_MICROSOFT "Microsoft Corporation"
#define UNIT_DEVELOPMENT "Dev"

#define CLEANUP_PKCS7 CLEANUP(pkcs7_done)
#define CLEANUP_MD CLEANUP(md_done)

static void pkcs7_done(PKCS7 **pkcs7)
{
    PKCS7_free(*pkcs7);
}

static void md_done(EVP_MD_CTX **md)
{
    EVP_MD_CTX_free(*md);
}

struct digest {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned len;
};

/* Bytes of an ASN.1 structure that lie somewhere in it. */
struct piece {
    const unsigned char *at;
    long len;
};

/* ---- ASN.1 ---- */

/* Take the first element of @from, which must be a @tag; @from goes on behind it. */
static bool take(struct piece *from, int tag, struct piece *ret)
{
    const unsigned char *at = from->at;
    int found = 0, class = 0, flags;

    if (from->len <= 0)
        return false;
    flags = ASN1_get_object(&at, &ret->len, &found, &class, from->len);
    if ((flags & 0x80) || (flags & 1) || found != tag || class != V_ASN1_UNIVERSAL)
        return false; /* an error, or of no definite length */
    ret->at = at;
    from->len -= (long)(at - from->at) + ret->len;
    from->at = at + ret->len;
    return true;
}

/* What the structure @pkcs7 signs, when that is of the type @oid: with and without its head. */
static bool content_of(const PKCS7 *pkcs7, const char *oid, struct piece *ret)
{
    const PKCS7 *content;
    struct piece whole;
    char type[64];

    if (!PKCS7_type_is_signed(pkcs7) || !pkcs7->d.sign || !pkcs7->d.sign->contents)
        return false;
    content = pkcs7->d.sign->contents;
    if (OBJ_obj2txt(type, sizeof(type), content->type, 1) <= 0 || strcmp(type, oid) != 0 ||
        !content->d.other || content->d.other->type != V_ASN1_SEQUENCE)
        return false;
    whole.at = content->d.other->value.sequence->data;
    whole.len = content->d.other->value.sequence->length;
    return take(&whole, V_ASN1_SEQUENCE, ret);
}

/* SpcIndirectDataContent: { what it is }, { { algorithm }, digest }. */
static bool read_indirect(struct piece content, const EVP_MD **ret_md, struct digest *ret)
{
    struct piece what, info, algorithm, oid, digest;
    const unsigned char *start;
    ASN1_OBJECT *object;

    if (!take(&content, V_ASN1_SEQUENCE, &what) || !take(&content, V_ASN1_SEQUENCE, &info) ||
        !take(&info, V_ASN1_SEQUENCE, &algorithm) || !take(&info, V_ASN1_OCTET_STRING, &digest))
        return false;
    start = algorithm.at;
    if (!take(&algorithm, V_ASN1_OBJECT, &oid) || digest.len > (long)sizeof(ret->bytes))
        return false;
    object = d2i_ASN1_OBJECT(NULL, &start, (long)(oid.at - start) + oid.len);
    *ret_md = object ? EVP_get_digestbyobj(object) : NULL;
    ASN1_OBJECT_free(object);
    ret->len = (unsigned)digest.len;
    memcpy(ret->bytes, digest.at, ret->len);
    return *ret_md != NULL;
}

/* ---- digests ---- */

/* Of all but the checksum, the entry for the certificates and these themselves, which must be the
 * end of the file. What was not signed yet counts as filled up to a multiple of 8. */
static bool digest_program(const struct pe_parts *parts, const EVP_MD *md, struct digest *ret)
{
    static const unsigned char zeros[8];
    CLEANUP_MD EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t end = parts->table ? parts->table : parts->len;
    size_t after_checksum = parts->checksum + 4, after_entry = parts->security_entry + 8;

    if (!context || parts->security_entry == 0)
        return false;
    return EVP_DigestInit_ex(context, md, NULL) == 1 &&
           EVP_DigestUpdate(context, parts->bytes, parts->checksum) == 1 &&
           EVP_DigestUpdate(context, parts->bytes + after_checksum,
                            parts->security_entry - after_checksum) == 1 &&
           EVP_DigestUpdate(context, parts->bytes + after_entry, end - after_entry) == 1 &&
           EVP_DigestUpdate(context, zeros, parts->table ? 0 : (8 - end % 8) % 8) == 1 &&
           EVP_DigestFinal_ex(context, ret->bytes, &ret->len) == 1;
}

static bool digests_equal(const struct digest *a, const struct digest *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* ---- who ---- */

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

/* @md: what the file's digest was made with. */
static void judge(PKCS7 *pkcs7, const struct piece *content, const EVP_MD *md,
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

/* ---- embedded, or in a catalog ---- */

static PKCS7 *read_pkcs7(const unsigned char *bytes, size_t len)
{
    PKCS7 *pkcs7 = len <= SIGNATURE_MAX ? d2i_PKCS7(NULL, &bytes, (long)len) : NULL;

    ERR_clear_error();
    return pkcs7;
}

/* The first entry of the table that is a PKCS #7; NULL: none. */
static PKCS7 *find_embedded(const struct pe_parts *parts)
{
    const uint8_t *at = parts->bytes + parts->table, *end = at + parts->table_len;

    while (end - at > (ptrdiff_t)CERTIFICATE_HEADER) {
        size_t left = (size_t)(end - at), len = get_le32(at), padded;

        if (len < CERTIFICATE_HEADER || len > left)
            return NULL;
        if (get_le16(at + CERTIFICATE_TYPE) == TYPE_PKCS7)
            return read_pkcs7(at + CERTIFICATE_HEADER, len - CERTIFICATE_HEADER);
        padded = len + (8 - len % 8) % 8;
        at += padded < left ? padded : left;
    }
    return NULL;
}

static void read_embedded(const struct pe_parts *parts, struct signature *ret)
{
    CLEANUP_PKCS7 PKCS7 *pkcs7 = find_embedded(parts);
    struct digest said, real;
    struct piece content;
    const EVP_MD *md = NULL;

    ret->kind = SIGNATURE_DAMAGED;
    if (!pkcs7 || !content_of(pkcs7, OID_INDIRECT_DATA, &content) ||
        !read_indirect(content, &md, &said) || !digest_program(parts, md, &real))
        return;
    judge(pkcs7, &content, md, ret);
    /* what lies behind the certificates is signed by nobody */
    if (!digests_equal(&said, &real) || parts->table + parts->table_len != parts->len)
        ret->kind = SIGNATURE_TAMPERED;
}

/* Members are found by their digest: nothing else has these bytes. */
static void read_catalog(const struct pe_parts *parts, const void *catalog, size_t len,
                         struct signature *ret)
{
    CLEANUP_PKCS7 PKCS7 *pkcs7 = read_pkcs7(catalog, len);
    const EVP_MD *const kinds[] = { EVP_sha256(), EVP_sha1() };
    struct piece content;

    if (!pkcs7 || !content_of(pkcs7, OID_CATALOG, &content))
        return;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct digest digest;

        if (!digest_program(parts, kinds[i], &digest) ||
            !memmem(content.at, (size_t)content.len, digest.bytes, digest.len))
            continue;
        ret->by_catalog = true;
        judge(pkcs7, &content, kinds[i], ret);
        return;
    }
}

void signature_read(const void *pe, size_t len, const void *catalog, size_t catalog_len,
                    struct signature *ret)
{
    struct pe_parts parts;

    *ret = (struct signature){ .kind = SIGNATURE_NONE,
                               .subject = mem_strdup(""),
                               .issuer = mem_strdup(""),
                               .digest = mem_strdup("") };
    if (!pe_parts_read(pe, len, &parts))
        ret->kind = SIGNATURE_DAMAGED;
    else if (parts.table)
        read_embedded(&parts, ret);
    else if (catalog)
        read_catalog(&parts, catalog, catalog_len, ret);
}

/* Of the first signer. */
static bool copy_certificate(PKCS7 *pkcs7, unsigned char **ret, size_t *ret_len)
{
    STACK_OF(X509) *signers = PKCS7_get0_signers(pkcs7, NULL, 0);
    X509 *signer = signers ? sk_X509_value(signers, 0) : NULL;
    unsigned char *der = NULL;
    int n = signer ? i2d_X509(signer, &der) : 0;

    if (n > 0) {
        *ret = mem_dup(der, (size_t)n);
        *ret_len = (size_t)n;
    }
    OPENSSL_free(der);
    sk_X509_free(signers);
    ERR_clear_error();
    return n > 0;
}

bool signature_publisher(const void *catalog, size_t len, unsigned char **ret, size_t *ret_len)
{
    CLEANUP_PKCS7 PKCS7 *pkcs7 = read_pkcs7(catalog, len);
    struct signature signature = { .kind = SIGNATURE_NONE };
    struct piece content;
    bool is_commercial;

    if (!pkcs7 || !content_of(pkcs7, OID_CATALOG, &content))
        return false;
    judge(pkcs7, &content, EVP_sha256(), &signature);
    is_commercial = signature.kind == SIGNATURE_CROSS || signature.kind == SIGNATURE_SHA2;
    signature_done(&signature);
    return is_commercial && copy_certificate(pkcs7, ret, ret_len);
}

void signature_done(struct signature *signature)
{
    free(signature->subject);
    free(signature->issuer);
    free(signature->digest);
    *signature = (struct signature){ .kind = SIGNATURE_NONE };
}
