/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changing a registry hive: in a child process, on a copy in memory, with libhivex. What it makes
 * is checked, and read back, before anybody gets to see it.
 */
#ifndef H2K_ENGINE_HIVE_EDIT_H
#define H2K_ENGINE_HIVE_EDIT_H

#include "engine/hive.h"

/* Longer values are stored in a way that libhivex does not know ("big data"): none is made, and in
 * a key that has one no value is changed. */
#define HIVE_VALUE_MAX 16344U

enum hive_edit_kind {
    HIVE_SET,        /* a value; its key, and those above it, are made when they are missing */
    HIVE_UNSET,      /* a value */
    HIVE_ADD_KEY,    /* with those above it */
    HIVE_DELETE_KEY, /* with all below it */
};

struct hive_edit {
    enum hive_edit_kind kind;
    char *key;
    struct hive_value value; /* SET; UNSET: its name */
};

void hive_edit_done(struct hive_edit *edit);

/*
 * What @hive is after the @n edits, made in order: the bytes of the new file in *ret (with the
 * logs that it was recovered from in it). 0, or negative errno and *err; -EOPNOTSUPP when a key
 * that would have to be written holds big data, the name of a new key is not ASCII, or one to be
 * deleted is in a list of an old kind ("li"). What is so already is not written: without a change,
 * the bytes stay as they are.
 */
int hive_edit(struct hive *hive, const struct hive_edit *edits, size_t n, struct strbuf *ret,
              struct err *err);

#endif
