/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who signed a driver, and does Windows start it? A driver that starts with Windows and that the
 * loader does not trust ends the boot (0xC0000428). Formats: Microsoft, "Windows Authenticode
 * Portable Executable Signature Format", "PE Format"; PKCS #7 by OpenSSL. Chains are judged by
 * their names, there is no store of trusted roots here: what is found out is whether a driver
 * could be trusted, never that it is good.
 */
#ifndef H2K_FIXERS_WINDOWS_SIGNATURE_H
#define H2K_FIXERS_WINDOWS_SIGNATURE_H

#include "fixers/windows/virtio_win.h"

#define SIGNATURE_MAX (4U << 20) /* bytes of a signature or catalog that is looked at */

#define NESTED_MAX 8U /* signatures in one that are looked at */

enum signature_kind {
    SIGNATURE_NONE,     /* neither embedded nor in the catalog beside it */
    SIGNATURE_DAMAGED,  /* what is there cannot be read */
    SIGNATURE_TAMPERED, /* the file is not what was signed */
    SIGNATURE_SELF,     /* by a certificate of its own, or one for development */
    SIGNATURE_CROSS,    /* SHA-1, commercial authority: not with Secure Boot */
    SIGNATURE_SHA2,     /* SHA-256, commercial authority: older Windows needs an update */
    SIGNATURE_MICROSOFT /* by Microsoft: WHQL, attested */
};

struct signature {
    enum signature_kind kind;
    char *subject; /* of who signed: "Red Hat, Inc."; "" */
    char *issuer;  /* common name, or organisation; "" */
    char *digest;  /* of the file: "sha1", "sha256"; "" */
    bool by_catalog;
    bool is_nested; /* see signature_read_nested() */
    bool is_self_signed;
};

/* @pe, @catalog: whole files; the latter may be NULL. */
void signature_read(const void *pe, size_t len, const void *catalog, size_t catalog_len,
                    struct signature *ret);
void signature_done(struct signature *signature);

/*
 * A further signature of the file, of somebody else or by another algorithm, that lies in the first
 * one: number @n, from 0 on. Windows looks at these from 8 on, older ones know the first only. What
 * is nested deeper is not read. false: there is none, or it is none; signature_done() else.
 */
bool signature_read_nested(const void *pe, size_t len, size_t n, struct signature *ret);

/* The certificate (DER) of who signed a catalog, when that is intact and by a commercial authority:
 * Windows asks whether to trust such a publisher. false: there is none like that. Free *ret. */
bool signature_publisher(const void *catalog, size_t len, unsigned char **ret, size_t *ret_len);

const char *signature_kind_text(enum signature_kind kind); /* "signed by Microsoft" */

/* VS_FIXEDFILEINFO of a program: its file version. false: it has none. */
bool pe_file_version(const void *pe, size_t len, uint16_t ret[4]);

/* Does a Windows start this driver? */
enum boot_verdict {
    BOOT_YES,
    BOOT_NO_SECURE_BOOT, /* only with Secure Boot off */
    BOOT_NEEDS_UPDATE,   /* the update for SHA-2 signatures is not installed */
    BOOT_UNSIGNED_OK,    /* the loader of this Windows does not ask (32 bits, before Vista) */
    BOOT_NO,             /* not trusted */
    BOOT_WRONG_MACHINE,  /* a program for another processor, or none at all */
    BOOT_NO_FILE,        /* the driver's file is not in the source */
};

struct win_verdict {
    enum boot_verdict verdict;
    char *text; /* for people, with who signed it */
    struct signature signature;
    uint16_t version[4]; /* of the file; zeros when it has none */
};

/* Judge the program of @driver, which is loaded: that of the service that starts with Windows, else
 * of its first one. What has none (it names in-box drivers) is fine. */
void win_driver_boot_verdict(const struct win_driver *driver, const struct win_target *target,
                             struct win_verdict *ret);
void win_verdict_done(struct win_verdict *verdict);

/* Judge a program alone, as it lies in a guest: without the catalog of its package. */
enum boot_verdict win_program_verdict(const void *pe, size_t len, const struct win_target *target);

/* Is it sure that Windows does not start a program that lies in a guest, whatever catalogs are
 * installed there? *ret_why is a literal. */
bool win_program_fails(const void *pe, size_t len, const struct win_target *target,
                       bool test_signing, const char **ret_why);

/* Can it be put at the start of Windows? @secure_boot: the machine will insist on it. */
bool boot_verdict_is_usable(enum boot_verdict verdict, bool secure_boot);

/* Does Windows install it without a question, which nobody would answer? From Vista on it asks
 * about what is not signed by somebody it knows, also where it starts such drivers. */
bool boot_verdict_installs(enum boot_verdict verdict, const struct win_target *target);

/*
 * The first driver of that name, by rank, that can start and is installed without a question, else
 * the first that can start; *ret_verdict is its verdict, or that of the first one when none can
 * (NULL is returned then). @notes gets a line for each one that is no choice.
 */
const struct win_driver *win_driver_choose(const struct win_drivers *drivers, const char *name,
                                           const struct win_target *target, bool secure_boot,
                                           struct win_verdict *ret_verdict, struct strlist *notes);

#endif
