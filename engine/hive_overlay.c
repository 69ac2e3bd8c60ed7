/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/hive_overlay.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/utf16.h"

#define SEPARATOR "\\\0" /* in an id */
#define NAME_UNITS_MAX 255U
#define VALUE_NAME_UNITS_MAX 16383U

static int by_id(const void *a, const void *b)
{
    const struct strbuf *x = &((const struct hive_entry *)a)->id;
    const struct strbuf *y = &((const struct hive_entry *)b)->id;
    size_t len = x->len < y->len ? x->len : y->len;
    int r = len > 0 ? memcmp(x->data, y->data, len) : 0;

    if (r != 0)
        return r;
    return x->len < y->len ? -1 : x->len > y->len;
}

static int by_id_of_items(const void *a, const void *b)
{
    return by_id(*(struct hive_entry *const *)a, *(struct hive_entry *const *)b);
}

struct hive_entry *overlay_find(const struct hive_overlay *overlay, const struct strbuf *id)
{
    const struct hive_entry wanted = { .id = *id };
    void *found = tfind(&wanted, &overlay->index, by_id);

    return found ? *(struct hive_entry **)found : NULL;
}

/* The entry of the key @name below @above, which may be new. */
static struct hive_entry *get_entry(struct hive_overlay *overlay, struct hive_entry *above,
                                    const char *name, size_t len)
{
    struct hive_entry *entry = mem_alloc(sizeof(*entry)), *found;

    if (above && above->id.len > 0) {
        strbuf_add(&entry->id, above->id.data, above->id.len);
        strbuf_add(&entry->id, SEPARATOR, 2);
    }
    if (len > 0) {
        CLEANUP_STRBUF struct strbuf upcased = { 0 };

        hive_name_upcased(name, len, &upcased);
        strbuf_add(&entry->id, upcased.data, upcased.len);
    }
    found = overlay_find(overlay, &entry->id);
    if (found) {
        strbuf_done(&entry->id);
        free(entry);
        return found;
    }
    entry->above = above;
    entry->name = mem_strndup(name, len);
    *(struct hive_entry **)mem_add(&overlay->entries, &overlay->n, sizeof(void *)) = entry;
    (void)tsearch(entry, &overlay->index, by_id);
    return entry;
}

/* The entry of the key @path; with @present it is to be there, and those above it. */
static int get_path(struct hive_overlay *overlay, const char *path, bool present,
                    struct hive_entry **ret, struct err *err)
{
    struct hive_entry *entry = get_entry(overlay, NULL, "", 0);
    unsigned depth = 1;

    for (const char *at = path; *at;) {
        size_t len = strcspn(at, "\\");

        if (len > 0) {
            if (++depth > HIVE_DEPTH_MAX)
                return err_set(err, EINVAL, "change the key \"%.100s...\": it is too deep", path);
            entry = get_entry(overlay, entry, at, len);
            if (present && !entry->present) {
                entry->present = true; /* in the spelling of who makes it */
                free(entry->name);
                entry->name = mem_strndup(at, len);
            }
        }
        at += len;
        at += *at == '\\';
    }
    *ret = entry;
    return 0;
}

static bool is_below(const struct hive_entry *entry, const struct hive_entry *other)
{
    for (; entry; entry = entry->above)
        if (entry == other)
            return true;
    return false;
}

static int delete_key(struct hive_overlay *overlay, const char *path, struct err *err)
{
    struct hive_entry *entry = NULL;
    int r = get_path(overlay, path, false, &entry, err);

    if (r < 0)
        return r;
    if (!entry->above)
        return err_set(err, EINVAL, "delete the root key of a hive");
    for (size_t i = 0; i < overlay->n; i++)
        if (is_below(overlay->entries[i], entry)) {
            overlay->entries[i]->present = false;
            overlay->entries[i]->n_changes = 0;
        }
    entry->deleted = true;
    return 0;
}

static bool same_name(const char *a, const char *b)
{
    CLEANUP_STRBUF struct strbuf x = { 0 }, y = { 0 };

    hive_name_upcased(a, strlen(a), &x);
    hive_name_upcased(b, strlen(b), &y);
    return x.len == y.len && (x.len == 0 || memcmp(x.data, y.data, x.len) == 0);
}

static void change_value(struct hive_entry *entry, const char *name, const struct hive_value *value)
{
    struct hive_change *change = NULL;

    for (size_t i = 0; i < entry->n_changes && !change; i++)
        if (same_name(entry->changes[i].name, name))
            change = &entry->changes[i];
    if (!change)
        change = mem_add(&entry->changes, &entry->n_changes, sizeof(*change));
    *change = (struct hive_change){ change->name ? change->name : name, value };
}

static int check_value(const struct hive_edit *edit, struct err *err)
{
    CLEANUP_STRBUF struct strbuf units = { 0 };
    const struct hive_value *value = &edit->value;

    utf16_from_utf8(value->name, strlen(value->name), &units);
    if (units.len > (size_t)2 * VALUE_NAME_UNITS_MAX)
        return err_set(err, EINVAL, "change a value of \"%s\": its name is too long", edit->key);
    if (edit->kind == HIVE_SET && value->len > HIVE_VALUE_MAX)
        return err_set(err, EOPNOTSUPP,
                       "set the value \"%s\" of \"%s\": %zu bytes are more than can be written",
                       value->name, edit->key, value->len);
    return 0;
}

static int add_edit(struct hive_overlay *overlay, const struct hive_edit *edit, struct err *err)
{
    struct hive_entry *entry = NULL;
    int r;

    if (edit->kind == HIVE_DELETE_KEY)
        return delete_key(overlay, edit->key, err);
    r = get_path(overlay, edit->key, edit->kind != HIVE_UNSET, &entry, err);
    if (r < 0 || edit->kind == HIVE_ADD_KEY)
        return r;
    r = check_value(edit, err);
    if (r == 0)
        change_value(entry, edit->value.name, edit->kind == HIVE_SET ? &edit->value : NULL);
    return r;
}

int overlay_add(struct hive_overlay *overlay, const struct hive_edit *edits, size_t n,
                struct err *err)
{
    int r = 0;

    (void)get_entry(overlay, NULL, "", 0);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = add_edit(overlay, &edits[i], err);
    qsort(overlay->entries, overlay->n, sizeof(void *), by_id_of_items);
    return r;
}

/* ---- against a hive ---- */

bool entry_is_new(const struct hive_entry *entry)
{
    return entry->present && !entry->kept;
}

/* libhivex knows the order and the hashes of ASCII names only. */
static int check_new_name(const struct hive_entry *entry, struct err *err)
{
    size_t len = strlen(entry->name);

    for (size_t i = 0; i < len; i++)
        if (entry->name[i] < 0x20 || entry->name[i] > 0x7e)
            return err_set(err, EOPNOTSUPP, "add the key \"%s\": its name is not ASCII",
                           entry->name);
    if (len > NAME_UNITS_MAX)
        return err_set(err, EINVAL, "add the key \"%.100s...\": its name is too long", entry->name);
    return 0;
}

/* libhivex deletes what is below a key, and then cannot take it out of a list of this kind. */
static int check_deletion(const struct hive_entry *entry, struct hive *hive, struct err *err)
{
    struct hive_subkeys subkeys;
    uint32_t offset = HIVE_NO_CELL;
    int r = hive_subkeys_begin(hive, &entry->above->key, &subkeys, err);

    while (r >= 0) {
        r = hive_subkeys_next(hive, &subkeys, &offset, err);
        if (r <= 0 || offset == entry->key.offset)
            break;
    }
    if (r > 0 && subkeys.leaf.kind == HIVE_LIST_LI)
        return err_set(err, EOPNOTSUPP, "delete the key \"%s\": it is in a list of the kind \"li\"",
                       entry->name);
    return r < 0 ? r : 0;
}

static int check_siblings(const struct hive_entry *entry, const struct hive_values *values,
                          struct err *err)
{
    for (size_t i = 0; i < values->n; i++) {
        const struct hive_value *value = &values->items[i];

        if (value->len > HIVE_VALUE_MAX)
            return err_set(err, EOPNOTSUPP,
                           "change the key \"%s\": its value \"%s\" of %zu bytes would be lost",
                           entry->name, value->name, value->len);
        /* what no text can say would be written as this text */
        if (strstr(value->name, "\xef\xbf\xbd"))
            return err_set(err, EOPNOTSUPP,
                           "change the key \"%s\": it has a value whose name is no text",
                           entry->name);
    }
    return 0;
}

static bool same_data(const struct hive_value *a, const struct hive_value *b)
{
    return a->type == b->type && a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* Make one change in @values. Returns whether that makes a difference. */
static bool apply_change(const struct hive_change *change, struct hive_values *values)
{
    struct hive_value made, *value = NULL;
    size_t i = 0;

    while (i < values->n && !same_name(values->items[i].name, change->name))
        i++;
    if (i < values->n)
        value = &values->items[i];
    if (!change->value) {
        if (!value)
            return false;
        hive_value_done(value);
        memmove(value, value + 1, (values->n - i - 1) * sizeof(*value));
        values->n--;
        return true;
    }
    if (value && same_data(value, change->value))
        return false;
    hive_make_data(&made, value ? value->name : change->name, change->value->type,
                   change->value->data, change->value->len);
    if (value)
        hive_value_done(value);
    else
        value = mem_add(&values->items, &values->n, sizeof(*value));
    *value = made;
    return true;
}

static int resolve_values(struct hive_entry *entry, struct hive *hive, struct err *err)
{
    int r = 0;

    if (entry->n_changes == 0 || !(entry->kept || entry->present))
        return 0;
    if (entry->kept)
        r = hive_key_values(hive, &entry->key, &entry->values, err);
    if (r < 0)
        return err_wrap(err, "change the key \"%s\"", entry->name);
    for (size_t i = 0; i < entry->n_changes; i++)
        if (apply_change(&entry->changes[i], &entry->values))
            entry->sets_values = true;
    return entry->sets_values ? check_siblings(entry, &entry->values, err) : 0;
}

static int resolve_key(struct hive_entry *entry, struct hive *hive, struct err *err)
{
    CLEANUP_STRBUF struct strbuf name = { 0 };
    int r;

    if (!entry->above) {
        entry->existed = entry->kept = true;
        return hive_key_at(hive, hive->root, &entry->key, err);
    }
    if (!entry->above->existed)
        return 0;
    hive_name_upcased(entry->name, strlen(entry->name), &name);
    r = hive_find_child(hive, &entry->above->key, &name, &entry->key, err);
    entry->existed = r > 0;
    entry->kept = entry->existed && entry->above->kept && !entry->deleted;
    return r < 0 ? r : 0;
}

static bool goes(const struct hive_entry *entry)
{
    return entry->deleted && entry->existed && entry->above->kept;
}

int overlay_resolve(struct hive_overlay *overlay, struct hive *hive, struct err *err)
{
    for (size_t i = 0; i < overlay->n; i++) {
        struct hive_entry *entry = overlay->entries[i];
        int r = resolve_key(entry, hive, err);

        if (r == 0 && entry_is_new(entry))
            r = check_new_name(entry, err);
        if (r == 0 && goes(entry))
            r = check_deletion(entry, hive, err);
        if (r == 0)
            r = resolve_values(entry, hive, err);
        if (r < 0)
            return r;
        if (entry_is_new(entry) || goes(entry) || entry->sets_values)
            overlay->changes = true;
    }
    return 0;
}

static void no_action(void *entry)
{
    (void)entry;
}

void overlay_done(struct hive_overlay *overlay)
{
    tdestroy(overlay->index, no_action);
    for (size_t i = 0; i < overlay->n; i++) {
        struct hive_entry *entry = overlay->entries[i];

        strbuf_done(&entry->id);
        hive_values_done(&entry->values);
        free(entry->changes);
        free(entry->name);
        free(entry);
    }
    free(overlay->entries);
    *overlay = (struct hive_overlay){ 0 };
}
