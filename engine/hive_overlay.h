/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What edits come to: for each key that one of them names, what is to be done with it, whatever
 * order they had. For engine/hive*.c only. */
#ifndef H2K_ENGINE_HIVE_OVERLAY_H
#define H2K_ENGINE_HIVE_OVERLAY_H

#include "engine/hive_edit.h"
#include "engine/hive_parts.h"

struct hive_change {
    const char *name;               /* of a value */
    const struct hive_value *value; /* NULL: it is to go */
};

struct hive_entry {
    struct strbuf id;         /* its path, UTF-16LE in upper case */
    struct hive_entry *above; /* NULL: this is the root */
    char *name;               /* as an edit spells it */
    bool deleted;             /* what is there now goes, with all below it */
    bool present;             /* it is to be there afterwards (after @deleted: a new one) */
    struct hive_change *changes;
    size_t n_changes;

    /* what overlay_resolve() finds */
    bool existed;
    bool kept;                 /* it existed, and goes not */
    struct hive_key key;       /* when it existed */
    bool sets_values;          /* they change */
    struct hive_values values; /* all of them then */

    size_t place; /* among the entries */
    bool seen;    /* by hive_compare() */
};

struct hive_overlay {
    struct hive_entry **entries; /* sorted, keys before those below them; the first is the root */
    size_t n;
    bool changes; /* there is something to do at all */
    void *index;
};

/* Refers to @edits. -EINVAL, -EOPNOTSUPP: there is one that cannot be made in any hive. */
int overlay_add(struct hive_overlay *overlay, const struct hive_edit *edits, size_t n,
                struct err *err);

/* Compare with what @hive holds. -EOPNOTSUPP: it cannot be changed like that. */
int overlay_resolve(struct hive_overlay *overlay, struct hive *hive, struct err *err);

/* NULL: no edit has to do with the key. */
struct hive_entry *overlay_find(const struct hive_overlay *overlay, const struct strbuf *id);

/* Is the key made anew? */
bool entry_is_new(const struct hive_entry *entry);

void overlay_done(struct hive_overlay *overlay);
#define CLEANUP_OVERLAY __attribute__((cleanup(overlay_done)))

/* Make the changes in the hive that can be read at @in, into @out (both are paths). In a process
 * of its own: libhivex may abort. 0, or -1 and *ret_step, which failed with errno. */
int overlay_write(const struct hive_overlay *overlay, const char *in, const char *out,
                  const char **ret_step);

/* Is @new what @old becomes, and nothing else changed? Both have passed hive_check(). */
int hive_compare(struct hive *old, struct hive *new, struct hive_overlay *overlay, struct err *err);

#endif
