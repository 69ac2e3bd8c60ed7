/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two hives side by side: what has been written is there, and all else is what it was. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/utf16.h"
#include "engine/hive_overlay.h"

enum { SK_LEN = 16, SK_DESCRIPTOR = 20, NK_TIME = 4, NK_TIME_LEN = 8 };

/* The keys below one pair that are left. */
struct pair {
    bool has_old; /* there is an old one to compare with */
    struct hive_subkeys old_left, new_left;
    struct hive_key old_next, new_next;
    int has_old_next, has_new_next; /* < 0: not looked for yet */
    size_t id_len;
};

struct compare {
    struct hive *old, *new;
    struct hive_overlay *overlay;
    struct err *err;
    struct strbuf id; /* of the last key */
    struct pair *pairs;
    size_t n_pairs;
};

static int differs(const struct compare *compare, const char *what)
{
    CLEANUP_STRBUF struct strbuf path = { 0 };

    utf16_to_utf8(strbuf_text(&compare->id), compare->id.len, false, &path);
    (void)err_set(compare->err, EBADMSG, "check what was written: %s in the key \"%s\"", what,
                  strbuf_text(&path));
    return -EBADMSG;
}

/* ---- values ---- */

static bool same_raw_name(const struct hive_name *a, const struct hive_name *b)
{
    if (hive_name_units(a) != hive_name_units(b))
        return false;
    for (size_t i = 0; i < hive_name_units(a); i++)
        if (hive_name_unit(a, i) != hive_name_unit(b, i))
            return false;
    return true;
}

static int compare_value(const struct compare *compare, const struct hive_key *old,
                         const struct hive_key *new, uint32_t i)
{
    CLEANUP_FREE void *old_data = NULL, *new_data = NULL;
    struct hive_vk a = { 0 }, b = { 0 };
    int r = hive_vk_at(compare->old, old, i, &a, compare->err);

    if (r == 0)
        r = hive_vk_at(compare->new, new, i, &b, compare->err);
    if (r == 0)
        r = hive_vk_read(compare->old, &a, &old_data, compare->err);
    if (r == 0)
        r = hive_vk_read(compare->new, &b, &new_data, compare->err);
    if (r < 0 || !old_data || !new_data)
        return r;
    if (!same_raw_name(&a.name, &b.name) || a.type != b.type || a.len != b.len ||
        memcmp(old_data, new_data, a.len) != 0)
        return differs(compare, "another value changed");
    return 0;
}

static int compare_values(const struct compare *compare, const struct hive_key *old,
                          const struct hive_key *new)
{
    int r = 0;

    if (hive_n_values(new) != (old ? hive_n_values(old) : 0))
        return differs(compare, "other values changed");
    for (uint32_t i = 0; r == 0 && i < hive_n_values(new); i++)
        r = compare_value(compare, old, new, i);
    return r;
}

static int compare_with_wanted(const struct compare *compare, const struct hive_key *new,
                               const struct hive_values *wanted)
{
    struct hive_values values = { 0 };
    int r = hive_key_values(compare->new, new, &values, compare->err);

    if (r == 0 && values.n != wanted->n)
        r = differs(compare, "values are missing");
    for (size_t i = 0; r == 0 && i < wanted->n; i++) {
        const struct hive_value *a = &values.items[i], *b = &wanted->items[i];

        if (strcmp(a->name, b->name) != 0 || a->type != b->type || a->len != b->len ||
            memcmp(a->data, b->data, a->len) != 0)
            r = differs(compare, "a value is not what was written");
    }
    hive_values_done(&values);
    return r;
}

/* ---- keys ---- */

static bool same_cells(const struct hive_cell *a, const struct hive_cell *b, size_t from,
                       size_t len)
{
    return a->len >= from + len && b->len >= from + len &&
           memcmp(a->at + from, b->at + from, len) == 0;
}

static int compare_sk(const struct compare *compare, const struct hive_key *old,
                      const struct hive_key *new)
{
    struct hive_cell a = { 0 }, b = { 0 };
    int r = hive_cell_at(compare->old, old->sk, SK_DESCRIPTOR, &a, compare->err);

    if (r == 0)
        r = hive_cell_at(compare->new, new->sk, SK_DESCRIPTOR, &b, compare->err);
    if (r < 0)
        return r;
    if (!same_cells(&a, &b, SK_LEN, 4) ||
        !same_cells(&a, &b, SK_DESCRIPTOR, get_le32(a.at + SK_LEN)))
        return differs(compare, "the security descriptor changed");
    return 0;
}

/* All that is in the cells of a key, but for its lists. */
static int compare_key(const struct compare *compare, const struct hive_key *old,
                       const struct hive_key *new)
{
    struct hive_cell a = { 0 }, b = { 0 };
    int r = compare_sk(compare, old, new);

    if (r == 0 && (old->flags != new->flags || old->class_len != new->class_len ||
                   !same_raw_name(&old->name, &new->name)))
        r = differs(compare, "the key itself changed");
    if (r < 0)
        return r;
    r = hive_cell_at(compare->old, old->offset, NK_TIME + NK_TIME_LEN, &a, compare->err);
    if (r == 0)
        r = hive_cell_at(compare->new, new->offset, NK_TIME + NK_TIME_LEN, &b, compare->err);
    if (r == 0 && !same_cells(&a, &b, NK_TIME, NK_TIME_LEN))
        r = differs(compare, "the time changed");
    if (r < 0 || old->class_len == 0)
        return r;
    r = hive_cell_at(compare->old, old->class_name, old->class_len, &a, compare->err);
    if (r == 0)
        r = hive_cell_at(compare->new, new->class_name, new->class_len, &b, compare->err);
    if (r == 0 && !same_cells(&a, &b, 0, old->class_len))
        r = differs(compare, "the class changed");
    return r;
}

/* ---- the trees ---- */

/* Compare two keys (@old NULL: it is new) and go on with what is below them. */
static int enter(struct compare *compare, const struct hive_key *old, const struct hive_key *new)
{
    struct hive_entry *entry = overlay_find(compare->overlay, &compare->id);
    struct pair *pair = &compare->pairs[compare->n_pairs];
    int r = old ? compare_key(compare, old, new) : 0;

    if (compare->n_pairs == HIVE_DEPTH_MAX)
        return differs(compare, "keys are nested too deeply");
    if (entry)
        entry->seen = true;
    if (r == 0 && entry && entry->sets_values)
        r = compare_with_wanted(compare, new, &entry->values);
    else if (r == 0)
        r = compare_values(compare, old, new);
    *pair = (struct pair){
        .has_old = old,
        .has_old_next = old ? -1 : 0,
        .has_new_next = -1,
        .id_len = compare->id.len,
    };
    if (r == 0 && old)
        r = hive_subkeys_begin(compare->old, old, &pair->old_left, compare->err);
    if (r == 0)
        r = hive_subkeys_begin(compare->new, new, &pair->new_left, compare->err);
    compare->n_pairs++;
    return r;
}

static int look(struct hive *hive, struct hive_subkeys *left, struct hive_key *ret, int *has,
                struct err *err)
{
    uint32_t offset = 0;
    int r;

    if (*has >= 0)
        return 0;
    r = hive_subkeys_next(hive, left, &offset, err);
    if (r > 0 && hive_key_at(hive, offset, ret, err) < 0)
        return -err->code;
    *has = r;
    return r < 0 ? r : 0;
}

static void set_id(struct compare *compare, const struct pair *pair, const struct hive_name *name)
{
    CLEANUP_FREE char *text = hive_name_text(name);
    CLEANUP_STRBUF struct strbuf upcased = { 0 };

    compare->id.len = pair->id_len;
    if (pair->id_len > 0)
        strbuf_add(&compare->id, "\\", 2);
    hive_name_upcased(text, strlen(text), &upcased);
    strbuf_add(&compare->id, upcased.data ? upcased.data : "", upcased.len);
}

static struct hive_entry *entry_of(struct compare *compare, const struct pair *pair,
                                   const struct hive_key *key)
{
    set_id(compare, pair, &key->name);
    return overlay_find(compare->overlay, &compare->id);
}

/* The next keys below @pair. 1, 0: there are none, or negative errno. */
static int step(struct compare *compare, struct pair *pair)
{
    const struct hive_key old = pair->old_next, new = pair->new_next;
    const struct hive_entry *old_entry, *new_entry;

    old_entry = pair->has_old_next ? entry_of(compare, pair, &old) : NULL;
    if (old_entry && !old_entry->kept) { /* it is to go, but one of that name may come */
        pair->has_old_next = -1;
        return 1;
    }
    if (!pair->has_new_next)
        return pair->has_old_next ? differs(compare, "a key is missing") : 0;
    new_entry = entry_of(compare, pair, &new);
    pair->has_new_next = -1;
    if (new_entry && entry_is_new(new_entry))
        return enter(compare, NULL, &new) < 0 ? -compare->err->code : 1;
    if (!pair->has_old_next || !same_raw_name(&old.name, &new.name))
        return differs(compare, "a key has appeared");
    pair->has_old_next = -1;
    return enter(compare, &old, &new) < 0 ? -compare->err->code : 1;
}

static int compare_trees(struct compare *compare)
{
    struct hive_key old, new;
    int r = hive_key_at(compare->old, compare->old->root, &old, compare->err);

    if (r == 0)
        r = hive_key_at(compare->new, compare->new->root, &new, compare->err);
    if (r == 0)
        r = enter(compare, &old, &new);
    while (r >= 0 && compare->n_pairs > 0) {
        struct pair *pair = &compare->pairs[compare->n_pairs - 1];

        r = look(compare->old, &pair->old_left, &pair->old_next, &pair->has_old_next, compare->err);
        if (r == 0)
            r = look(compare->new, &pair->new_left, &pair->new_next, &pair->has_new_next,
                     compare->err);
        if (r == 0)
            r = step(compare, pair);
        if (r == 0)
            compare->n_pairs--;
    }
    return r < 0 ? r : 0;
}

int hive_compare(struct hive *old, struct hive *new, struct hive_overlay *overlay, struct err *err)
{
    struct compare compare = { .old = old, .new = new, .overlay = overlay, .err = err };
    int r;

    compare.pairs = mem_alloc((HIVE_DEPTH_MAX + 1) * sizeof(*compare.pairs));
    r = compare_trees(&compare);
    for (size_t i = 0; r == 0 && i < overlay->n; i++) {
        const struct hive_entry *entry = overlay->entries[i];

        compare.id.len = 0;
        strbuf_add(&compare.id, strbuf_text(&entry->id), entry->id.len);
        if (entry->seen != (entry->present || entry->kept))
            r = differs(&compare, entry->seen ? "something is left" : "something is missing");
    }
    free(compare.pairs);
    strbuf_done(&compare.id);
    return r;
}
