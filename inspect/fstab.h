/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /etc/fstab (fstab(5), libmount): source, target, type, options, freq, passno, separated by
 * blanks; blanks inside a field are octal escapes; tags may be quoted: UUID="...".
 */
#ifndef H2K_INSPECT_FSTAB_H
#define H2K_INSPECT_FSTAB_H

#include "inspect/fields.h"

struct fstab_entry {
    char *source;         /* decoded and unquoted: "UUID=abc", "/dev/sda1" */
    char *target;         /* decoded: "/", "none" */
    char *type, *options; /* "" when missing; options as a comma list */
    /* first and fourth field as they are written, quotes included: for edits_add(); len 0 when
     * missing */
    struct span source_at, options_at;
};

struct fstab {
    struct fstab_entry *entries; /* in the file's order */
    size_t n;
};

/* Lines with fewer than two fields are passed over. Release with fstab_done().
 *
 * To change a source: edits_add(&edits, entry->source_at, new) with field_escape() when it may hold
 * blanks, then edits_apply(). */
void fstab_parse(const char *text, size_t len, struct fstab *ret);
void fstab_done(struct fstab *fstab);
#define CLEANUP_FSTAB __attribute__((cleanup(fstab_done)))

/* Does the type of an entry suit what libblkid found ("auto", "ext3" and "ext4" ...)? Also when
 * one of them is "". */
bool fstab_type_fits(const char *want, const char *have);

#endif
