/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A YAML file read into structs by tables, which are its schema: what they do not know is an error
 * that names the place and what is allowed there.
 */
#ifndef H2K_FIXERS_CONFIG_H
#define H2K_FIXERS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/err.h"

#define CONFIG_MAX (1U << 20)   /* bytes of a file */
#define CONFIG_VALUES_MAX 65536 /* in it; aliases can repeat what they lead to */

enum config_kind {
    CONFIG_TEXT,  /* a char *: one value, as it is written */
    CONFIG_FLAG,  /* a bool: true or false */
    CONFIG_TEXTS, /* a struct strlist: a list of values, or one value */
    CONFIG_MAP,   /* a struct: a mapping */
    CONFIG_MAPS,  /* elements behind a pointer, and their number: a list of mappings */
};

struct config_map;

struct config_key {
    const char *name;
    enum config_kind kind;
    size_t offset;   /* in the struct that the mapping is read into */
    size_t n_offset; /* MAPS: of the number of elements */
    const struct config_map *map;
};

struct config_map {
    const struct config_key *keys;
    size_t n_keys;
    size_t size; /* of the struct, for MAPS */
    /* Called when its TEXT, FLAG and TEXTS are there: what fits together, files of the host that it
     * names (relative ones lie in @folder). May be NULL. 0, or negative errno and *err. */
    int (*check)(void *item, const char *folder, struct err *err);
};

/*
 * Read @text into *@ret, zero-initialised, whose strings and elements are the caller's to release,
 * also after a failure. @name: for messages, which begin with "NAME:LINE:COLUMN: ".
 * 0, or negative errno and *err with STATUS_USAGE.
 */
int config_parse(const char *text, size_t len, const char *name, const struct config_map *map,
                 void *ret, struct err *err);

/* The same for a file of the host; relative names in it lie in its folder. */
int config_read(const char *path, const struct config_map *map, void *ret, struct err *err);

#endif
