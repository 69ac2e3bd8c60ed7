/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keys of encrypted volumes, as the caller gives them. Secrets lie in memory that is not swapped
 * out where that can be had, and that is wiped when it is released; they are in no message.
 */
#ifndef H2K_STORAGE_KEYS_H
#define H2K_STORAGE_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/err.h"

struct key {
    char *id;     /* guest name of a volume, UUID, or "all" */
    char *path;   /* file that has the secret; NULL: it was given itself */
    void *secret; /* NULL: the file was not read yet */
    size_t len;
};

/* A detached LUKS header: a file of the host, for the volume with this guest name. */
struct key_header {
    char *id, *path;
};

struct keys {
    struct key *items; /* in the order in which they are tried */
    size_t n;
    struct key_header *headers;
    size_t n_headers;
};

/* Take "ID:key:SECRET" or "ID:file:PATH". 0, or negative errno and *err with STATUS_USAGE, which
 * does not tell the text. */
int keys_add(struct keys *keys, const char *text, struct err *err);

/* Take "ID:FILE". */
int keys_add_header(struct keys *keys, const char *text, struct err *err);

/* Every line of @fd is a key for all volumes; empty lines are passed over. */
int keys_add_lines(struct keys *keys, int fd, struct err *err);

/* Read the key files: their bytes, a newline at the end too, are the key. */
int keys_load(struct keys *keys, struct err *err);

/* Is it one for the volume with this guest name and UUID (either case)? */
bool key_is_for(const struct key *key, const char *name, const char *uuid);

/* Path of the detached header for the volume with this guest name; NULL: there is none. */
const char *keys_header(const struct keys *keys, const char *name);

/* Wipe and release. */
void keys_done(struct keys *keys);

#endif
