/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values of keys, and what the header offers to look them up. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/hive_parts.h"

enum { /* in a value's cell */
       VK_NAME_LEN = 2,
       VK_LEN = 4,
       VK_DATA = 8,
       VK_TYPE = 12,
       VK_FLAGS = 16,
       VK_NAME = 20,
       VK_LATIN = 1, /* flag */
       DB_N = 2,     /* in a cell of big data */
       DB_LIST = 4,
       DB_LEN = 8,
};

#define VK_INLINE 0x80000000U
#define VALUE_STEPS 8U /* a value takes so much longer to look at than a key in a list */

uint32_t hive_n_values(const struct hive_key *key)
{
    return key->flags & HIVE_KEY_PREDEFINED ? 0 : key->n_values;
}

int hive_vk_offset(struct hive *hive, const struct hive_key *key, uint32_t i, uint32_t *ret,
                   struct err *err)
{
    struct hive_cell list;
    int r = hive_cell_at(hive, key->values, 4, &list, err);

    if (r < 0)
        return r;
    if (hive_n_values(key) > list.len / 4 || i >= hive_n_values(key))
        return hive_damaged(hive, err, "the list of values is too short", key->values);
    *ret = get_le32(list.at + 4 * (size_t)i);
    return 0;
}

int hive_vk_at(struct hive *hive, const struct hive_key *key, uint32_t i, struct hive_vk *ret,
               struct err *err)
{
    struct hive_cell cell;
    uint32_t offset = 0, len;
    uint16_t name_len;
    int r = hive_step(hive, VALUE_STEPS, err);

    if (r == 0)
        r = hive_vk_offset(hive, key, i, &offset, err);
    if (r == 0)
        r = hive_cell_at(hive, offset, VK_NAME, &cell, err);
    if (r < 0)
        return r;
    name_len = get_le16(cell.at + VK_NAME_LEN);
    len = get_le32(cell.at + VK_LEN);
    if (memcmp(cell.at, "vk", 2) != 0)
        return hive_damaged(hive, err, "there is no value", offset);
    if (name_len > cell.len - VK_NAME)
        return hive_damaged(hive, err, "the name of the value is too long", offset);
    *ret = (struct hive_vk){
        .name = { cell.at + VK_NAME, name_len, get_le16(cell.at + VK_FLAGS) & VK_LATIN },
        .type = get_le32(cell.at + VK_TYPE),
        .len = len & ~VK_INLINE,
        .is_inline = len & VK_INLINE,
        .data = get_le32(cell.at + VK_DATA),
        .inline_at = cell.at + VK_DATA,
    };
    if (ret->is_inline ? ret->len > 4 : ret->len > hive->base.bins_size)
        return hive_damaged(hive, err, "the size of the value is wrong", offset);
    return 0;
}

bool hive_vk_is_big(const struct hive *hive, const struct hive_vk *vk)
{
    return !vk->is_inline && vk->len > HIVE_SEGMENT && hive->base.minor >= HIVE_BIG_DATA_FROM;
}

int hive_big_at(struct hive *hive, const struct hive_vk *vk, struct hive_big *ret, struct err *err)
{
    uint32_t n = (vk->len + HIVE_SEGMENT - 1) / HIVE_SEGMENT;
    struct hive_cell cell;
    int r = hive_cell_at(hive, vk->data, DB_LEN, &cell, err);

    if (r < 0)
        return r;
    if (memcmp(cell.at, "db", 2) != 0 || get_le16(cell.at + DB_N) != n)
        return hive_damaged(hive, err, "there is no big data", vk->data);
    *ret = (struct hive_big){ .list_offset = get_le32(cell.at + DB_LIST), .n = n };
    return hive_cell_at(hive, ret->list_offset, 4 * n, &ret->list, err);
}

static int read_big(struct hive *hive, const struct hive_vk *vk, uint8_t *to, struct err *err)
{
    struct hive_big big;
    struct hive_cell cell;
    int r = hive_big_at(hive, vk, &big, err);

    for (uint32_t i = 0, left = vk->len; r == 0 && i < big.n; i++) {
        uint32_t want = left < HIVE_SEGMENT ? left : HIVE_SEGMENT;

        r = hive_cell_at(hive, get_le32(big.list.at + 4 * (size_t)i), want, &cell, err);
        if (r < 0)
            return r;
        memcpy(to, cell.at, want);
        to += want;
        left -= want;
    }
    return r;
}

int hive_vk_read(struct hive *hive, const struct hive_vk *vk, void **ret, struct err *err)
{
    struct hive_cell cell = { vk->inline_at, 4 };
    uint8_t *data;
    int r = 0;

    if (!vk->is_inline && vk->len > 0 && !hive_vk_is_big(hive, vk))
        r = hive_cell_at(hive, vk->data, vk->len, &cell, err);
    if (r < 0)
        return r;
    data = malloc((size_t)vk->len + 1);
    if (!data)
        return err_set(err, ENOMEM, "read the hive %s", hive->name);
    if (hive_vk_is_big(hive, vk))
        r = read_big(hive, vk, data, err);
    else
        memcpy(data, cell.at, vk->len);
    data[vk->len] = 0;
    if (r < 0)
        free(data);
    else
        *ret = data;
    return r;
}

/* ---- the header's ---- */

void hive_value_done(struct hive_value *value)
{
    free(value->name);
    free(value->data);
    *value = (struct hive_value){ 0 };
}

void hive_values_done(struct hive_values *values)
{
    for (size_t i = 0; i < values->n; i++)
        hive_value_done(&values->items[i]);
    free(values->items);
    *values = (struct hive_values){ 0 };
}

static int read_value(struct hive *hive, const struct hive_vk *vk, struct hive_value *ret,
                      struct err *err)
{
    void *data;
    int r = hive_vk_read(hive, vk, &data, err);

    if (r < 0)
        return r;
    *ret = (struct hive_value){
        .name = hive_name_text(&vk->name),
        .type = vk->type,
        .data = data,
        .len = vk->len,
    };
    return 0;
}

/* A message about the inside says where that is. */
static int in_key(int r, const char *key, struct err *err)
{
    return r < 0 ? err_wrap(err, "read the key \"%s\"", key) : r;
}

int hive_has_key(struct hive *hive, const char *key, struct err *err)
{
    struct hive_key found;

    return in_key(hive_find(hive, key, &found, err), key, err);
}

static int get(struct hive *hive, const char *key, const char *name, struct hive_value *ret,
               struct err *err)
{
    CLEANUP_STRBUF struct strbuf wanted = { 0 };
    struct hive_key found;
    int r = hive_find(hive, key, &found, err);

    if (r <= 0)
        return r;
    hive_name_upcased(name, strlen(name), &wanted);
    for (uint32_t i = 0; i < hive_n_values(&found); i++) {
        struct hive_vk vk;

        r = hive_vk_at(hive, &found, i, &vk, err);
        if (r < 0)
            return r;
        if (!hive_name_is(&vk.name, &wanted))
            continue;
        r = read_value(hive, &vk, ret, err);
        return r < 0 ? r : 1;
    }
    return 0;
}

int hive_get(struct hive *hive, const char *key, const char *name, struct hive_value *ret,
             struct err *err)
{
    return in_key(get(hive, key, name, ret, err), key, err);
}

int hive_key_values(struct hive *hive, const struct hive_key *key, struct hive_values *ret,
                    struct err *err)
{
    uint64_t total = 0;
    int r = 0;

    for (uint32_t i = 0; r == 0 && i < hive_n_values(key); i++) {
        struct hive_vk vk;

        r = hive_vk_at(hive, key, i, &vk, err);
        if (r < 0)
            return r;
        /* no two share their bytes, so all cannot be more than the hive */
        total += VK_NAME + (uint64_t)vk.name.len + vk.len;
        if (total > hive->base.bins_size)
            return hive_damaged(hive, err, "values overlap in the key", key->offset);
        r = read_value(hive, &vk, mem_add(&ret->items, &ret->n, sizeof(*ret->items)), err);
    }
    return r;
}

int hive_get_all(struct hive *hive, const char *key, struct hive_values *ret, struct err *err)
{
    struct hive_values values = { 0 };
    struct hive_key found;
    int r = hive_find(hive, key, &found, err);

    if (r > 0 && hive_key_values(hive, &found, &values, err) < 0)
        r = -err->code;
    if (r > 0)
        *ret = values;
    else
        hive_values_done(&values);
    return in_key(r, key, err);
}

static int get_keys(struct hive *hive, const char *key, struct strlist *ret, struct err *err)
{
    struct hive_key found, child;
    struct hive_subkeys subkeys;
    uint64_t total = 0;
    uint32_t offset;
    int r = hive_find(hive, key, &found, err);

    if (r <= 0)
        return r;
    r = hive_subkeys_begin(hive, &found, &subkeys, err);
    while (r >= 0) {
        r = hive_subkeys_next(hive, &subkeys, &offset, err);
        if (r <= 0)
            return r < 0 ? r : 1;
        r = hive_key_at(hive, offset, &child, err);
        if (r < 0)
            return r;
        total += child.cell_len;
        if (total > hive->base.bins_size)
            return hive_damaged(hive, err, "keys overlap in the key", found.offset);
        strlist_take(ret, hive_name_text(&child.name));
    }
    return r;
}

int hive_keys(struct hive *hive, const char *key, struct strlist *ret, struct err *err)
{
    CLEANUP_STRLIST struct strlist found = { 0 };
    int r = get_keys(hive, key, &found, err);

    for (size_t i = 0; r > 0 && i < found.n; i++)
        strlist_take(ret, TAKE(found.items[i]));
    return in_key(r, key, err);
}
