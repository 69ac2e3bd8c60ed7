/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Part of virtio_win.c: a folder or an archive as a list of files. Symbolic links are not seen,
 * names that lead elsewhere neither. */
#ifndef H2K_FIXERS_WINDOWS_WIN_SOURCE_H
#define H2K_FIXERS_WINDOWS_WIN_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/guest.h"

struct win_entry {
    char *path;    /* "viostor/w10/amd64/viostor.sys", spelled as it is there */
    size_t number; /* of the archive's entry that has the content */
    bool wanted;   /* read it in the next win_source_load() */
    char *data;    /* NULL: not read yet */
    size_t len;
};

struct win_source {
    char *path;
    struct guest_root *root;   /* of a folder; NULL: an archive */
    struct win_entry *entries; /* sorted by path, without case */
    size_t n_entries;
    uint64_t loaded; /* bytes */
};

struct virtio_win {
    struct win_source source;
};

/* List @path and read its INF files. @ret is released with win_source_done() in any case. */
int win_source_open(const char *path, struct win_source *ret, struct err *err);
void win_source_done(struct win_source *source);

/* Read all that is wanted: an archive from its beginning, once. */
int win_source_load(struct win_source *source, struct err *err);

/* The entry of that path, without case; NULL. */
struct win_entry *win_source_find(const struct win_source *source, const char *path);

const char *win_source_base(const char *path); /* the file's name */
bool win_source_is_inf(const char *path);

#endif
