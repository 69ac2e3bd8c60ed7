/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of [Section] and key=value lines: systemd units and .link/.network files
 * (systemd.syntax(7)), NetworkManager keyfiles (nm-settings-keyfile(5)).
 */
#ifndef H2K_INSPECT_KEYFILE_H
#define H2K_INSPECT_KEYFILE_H

#include "inspect/fields.h"

struct keyfile_entry {
    char *section, *key;
    char *value;          /* continued lines are joined by a blank */
    struct span value_at; /* as it is written; for edits_add() */
};

struct keyfile {
    struct keyfile_entry *entries; /* in the file's order */
    size_t n;
};

void keyfile_parse(const char *text, size_t len, struct keyfile *ret);
void keyfile_done(struct keyfile *keyfile);
#define CLEANUP_KEYFILE __attribute__((cleanup(keyfile_done)))

/* The last value of @key in @section; NULL when there is none. */
const char *keyfile_get(const struct keyfile *keyfile, const char *section, const char *key);

#endif
