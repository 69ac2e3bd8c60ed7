/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /etc/crypttab (crypttab(5)): name, device, key file, options, separated by blanks. */
#ifndef H2K_INSPECT_CRYPTTAB_H
#define H2K_INSPECT_CRYPTTAB_H

#include "inspect/fields.h"

struct crypttab_entry {
    char *name;            /* below /dev/mapper */
    char *device;          /* decoded and unquoted: "UUID=abc", "/dev/sda3" */
    char *key;             /* "none", "-", a path; "" when missing */
    char *options;         /* comma list; "" when missing */
    struct span device_at; /* second field as it is written: for edits_add() */
    struct span key_at;    /* third field; len 0 when missing */
};

struct crypttab {
    struct crypttab_entry *entries;
    size_t n;
};

void crypttab_parse(const char *text, size_t len, struct crypttab *ret);
void crypttab_done(struct crypttab *crypttab);
#define CLEANUP_CRYPTTAB __attribute__((cleanup(crypttab_done)))

#endif
