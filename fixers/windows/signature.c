/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/signature_signer.h"

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
#define OID_NESTED "1.3.6.1.4.1.311.2.4.1"

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

/* Of one that is not nested, or of one that is. */
static void read_signature(const struct pe_parts *parts, PKCS7 *pkcs7, struct signature *ret)
{
    struct digest said, real;
    struct piece content;
    const EVP_MD *md = NULL;

    ret->kind = SIGNATURE_DAMAGED;
    if (!pkcs7 || !content_of(pkcs7, OID_INDIRECT_DATA, &content) ||
        !read_indirect(content, &md, &said) || !digest_program(parts, md, &real))
        return;
    signature_judge(pkcs7, &content, md, ret);
    /* what lies behind the certificates is signed by nobody */
    if (!digests_equal(&said, &real) || parts->table + parts->table_len != parts->len)
        ret->kind = SIGNATURE_TAMPERED;
}

static void read_embedded(const struct pe_parts *parts, struct signature *ret)
{
    CLEANUP_PKCS7 PKCS7 *pkcs7 = find_embedded(parts);

    read_signature(parts, pkcs7, ret);
}

/* Number @n of the signatures that lie whole in attributes of the first signer. */
static PKCS7 *find_nested(PKCS7 *pkcs7, size_t n)
{
    STACK_OF(PKCS7_SIGNER_INFO) *infos = PKCS7_get_signer_info(pkcs7);
    const PKCS7_SIGNER_INFO *info = infos ? sk_PKCS7_SIGNER_INFO_value(infos, 0) : NULL;
    const STACK_OF(X509_ATTRIBUTE) *attributes = info ? info->unauth_attr : NULL;

    for (int i = 0; i < sk_X509_ATTRIBUTE_num(attributes); i++) {
        X509_ATTRIBUTE *attribute = sk_X509_ATTRIBUTE_value(attributes, i);
        size_t count = (size_t)X509_ATTRIBUTE_count(attribute);
        const ASN1_TYPE *value;
        char type[64];

        if (OBJ_obj2txt(type, sizeof(type), X509_ATTRIBUTE_get0_object(attribute), 1) <= 0 ||
            strcmp(type, OID_NESTED) != 0)
            continue;
        if (n >= count) {
            n -= count;
            continue;
        }
        value = X509_ATTRIBUTE_get0_type(attribute, (int)n);
        return value && value->type == V_ASN1_SEQUENCE
                   ? read_pkcs7(value->value.sequence->data, (size_t)value->value.sequence->length)
                   : NULL;
    }
    return NULL;
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
        signature_judge(pkcs7, &content, kinds[i], ret);
        return;
    }
}

static struct signature new_signature(void)
{
    return (struct signature){ .kind = SIGNATURE_NONE,
                               .subject = mem_strdup(""),
                               .issuer = mem_strdup(""),
                               .digest = mem_strdup("") };
}

void signature_read(const void *pe, size_t len, const void *catalog, size_t catalog_len,
                    struct signature *ret)
{
    struct pe_parts parts;

    *ret = new_signature();
    if (!pe_parts_read(pe, len, &parts))
        ret->kind = SIGNATURE_DAMAGED;
    else if (parts.table)
        read_embedded(&parts, ret);
    else if (catalog)
        read_catalog(&parts, catalog, catalog_len, ret);
}

bool signature_read_nested(const void *pe, size_t len, size_t n, struct signature *ret)
{
    struct pe_parts parts;
    CLEANUP_PKCS7 PKCS7 *outer = pe_parts_read(pe, len, &parts) && parts.table && n < NESTED_MAX
                                     ? find_embedded(&parts)
                                     : NULL;
    CLEANUP_PKCS7 PKCS7 *nested =
        outer && PKCS7_type_is_signed(outer) ? find_nested(outer, n) : NULL;

    if (!nested)
        return false;
    *ret = new_signature();
    ret->is_nested = true;
    read_signature(&parts, nested, ret);
    return true;
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
    signature_judge(pkcs7, &content, EVP_sha256(), &signature);
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
