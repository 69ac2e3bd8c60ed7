/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside of a hive: cells, keys, lists, values. For engine/hive*.c only. Layout: msuhanov/regf,
 * "Windows registry file format specification"; offsets are those of cells, from the first bin.
 */
#ifndef H2K_ENGINE_HIVE_PARTS_H
#define H2K_ENGINE_HIVE_PARTS_H

#include <errno.h>

#include "engine/hive.h"
#include "engine/regf.h"

#define HIVE_DEPTH_MAX 512U  /* levels of keys, Windows' own limit */
#define HIVE_NAME_MAX 512U   /* bytes of a key's name: 256 units */
#define HIVE_SEGMENT 16344U  /* bytes of a value in a cell; longer ones are "big data" */
#define HIVE_BIG_DATA_FROM 4 /* the minor version that knows big data */
#define HIVE_NO_CELL 0xffffffffU
/* Steps on the way to keys and values, after which nothing more of a hive is read: far more than
 * the largest ones that are seen need, and a few seconds. */
#define HIVE_STEPS_MAX (1ULL << 28)

struct hive {
    char *name; /* for messages */
    int fd;     /* where missing chunks are read from; -1: all is there */
    uint8_t *data;
    size_t len;          /* base block and bins */
    uint8_t *loaded;     /* a bit for each chunk of a lazy one */
    struct strbuf bytes; /* holds @data of one that is not lazy */
    struct regf_base base;
    struct regf_recovery recovery;
    uint32_t root;
    uint64_t steps; /* see HIVE_STEPS_MAX */
};

/* What is wrong at @offset: -EBADMSG. */
static inline int hive_damaged(const struct hive *hive, struct err *err, const char *what,
                               uint32_t offset)
{
    (void)err_set(err, EBADMSG, "read the hive %s: %s at 0x%x", hive->name, what, offset);
    return -EBADMSG;
}

/* Each name is looked for among all of its siblings, so a guest that makes millions of them could
 * keep us busy for days. */
static inline int hive_step(struct hive *hive, unsigned n, struct err *err)
{
    hive->steps += n;
    if (hive->steps <= HIVE_STEPS_MAX)
        return 0;
    (void)err_set(err, EBADMSG, "read the hive %s: it has too many keys and values", hive->name);
    return -EBADMSG;
}

/* Make @len bytes at @pos of the file present. */
int hive_load(struct hive *hive, size_t pos, size_t len, struct err *err);

struct hive_cell {
    const uint8_t *at; /* behind the size */
    uint32_t len;
};

/* A cell in use, of at least @min bytes. */
int hive_cell_at(struct hive *hive, uint32_t offset, uint32_t min, struct hive_cell *ret,
                 struct err *err);

struct hive_name {
    const uint8_t *at;
    uint16_t len; /* bytes */
    bool latin;   /* one byte for each unit */
};

size_t hive_name_units(const struct hive_name *name);
uint16_t hive_name_unit(const struct hive_name *name, size_t i);
char *hive_name_text(const struct hive_name *name); /* free it */

/* Is it @wanted (UTF-16LE in upper case)? */
bool hive_name_is(const struct hive_name *name, const struct strbuf *wanted);
void hive_name_upcased(const char *text, size_t len, struct strbuf *ret);

enum {
    HIVE_KEY_ROOT = 0x04,
    HIVE_KEY_LATIN = 0x20,
    HIVE_KEY_PREDEFINED = 0x40, /* stands for a handle: what would be its values is that */
};

struct hive_key {
    uint32_t offset;
    uint32_t cell_len;
    uint16_t flags;
    uint32_t parent, n_keys, keys, n_values, values, sk, class_name;
    uint16_t class_len;
    struct hive_name name;
};

int hive_key_at(struct hive *hive, uint32_t offset, struct hive_key *ret, struct err *err);

/* The key of the name @wanted (UTF-16LE in upper case) below @key. 1, 0: there is none, or negative
 * errno. */
int hive_find_child(struct hive *hive, const struct hive_key *key, const struct strbuf *wanted,
                    struct hive_key *ret, struct err *err);

/* The key at the path @path. 1, 0: there is none, or negative errno. */
int hive_find(struct hive *hive, const char *path, struct hive_key *ret, struct err *err);

enum hive_list_kind {
    HIVE_LIST_LI,
    HIVE_LIST_LF, /* with the first four characters of each name */
    HIVE_LIST_LH, /* with a hash of each name */
    HIVE_LIST_RI, /* of other lists */
};

struct hive_list {
    struct hive_cell cell;
    enum hive_list_kind kind;
    uint32_t n, next;
};

/* The keys below one, in their order. */
struct hive_subkeys {
    struct hive_list top, leaf;
    uint32_t leaf_offset; /* of the list that the last one came from */
    uint32_t n_found, n_expected;
    uint32_t hint; /* of the last one: what a leaf of kind LF or LH says */
};

int hive_subkeys_begin(struct hive *hive, const struct hive_key *key, struct hive_subkeys *ret,
                       struct err *err);

/* 1 and where the next one is; 0: that was all; negative errno. */
int hive_subkeys_next(struct hive *hive, struct hive_subkeys *subkeys, uint32_t *ret,
                      struct err *err);

uint32_t hive_name_hash(const struct hive_name *name); /* of an lh list */

struct hive_vk {
    struct hive_name name;
    uint32_t type, len;
    bool is_inline;
    uint32_t data; /* a cell; or the bytes themselves begin at @inline_at */
    const uint8_t *inline_at;
};

/* The @i-th value of @key (below hive_n_values()). */
uint32_t hive_n_values(const struct hive_key *key);
int hive_vk_offset(struct hive *hive, const struct hive_key *key, uint32_t i, uint32_t *ret,
                   struct err *err);
int hive_vk_at(struct hive *hive, const struct hive_key *key, uint32_t i, struct hive_vk *ret,
               struct err *err);

/* Its bytes; free them. Never NULL. */
int hive_vk_read(struct hive *hive, const struct hive_vk *vk, void **ret, struct err *err);

/* All values of @key; appended, and what is there after an error too. */
int hive_key_values(struct hive *hive, const struct hive_key *key, struct hive_values *ret,
                    struct err *err);

/* Does the value need (and have) more than one cell for its data? */
bool hive_vk_is_big(const struct hive *hive, const struct hive_vk *vk);

/* The cells of big data: the @i-th of them, and all of their list. */
struct hive_big {
    uint32_t list_offset;
    struct hive_cell list;
    uint32_t n;
};
int hive_big_at(struct hive *hive, const struct hive_vk *vk, struct hive_big *ret, struct err *err);

/* ---- all keys from one downwards, each before those below it ---- */

struct hive_walk {
    struct hive *hive;
    struct hive_key top;
    struct hive_frame *frames; /* of the keys from @top to the last one */
    size_t n_frames;
    uint8_t *seen;      /* a bit for each possible cell: no key is met twice */
    struct strbuf path; /* of the last one, from @top: "" is @top itself */
    bool started;
};

int hive_walk_start(struct hive_walk *walk, struct hive *hive, const struct hive_key *top,
                    struct err *err);
int hive_walk_next(struct hive_walk *walk, struct hive_key *ret, struct err *err);
void hive_walk_done(struct hive_walk *walk);
#define CLEANUP_HIVE_WALK __attribute__((cleanup(hive_walk_done)))

#endif
