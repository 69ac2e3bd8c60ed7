/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cells, names, keys, and the lists of keys below them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/utf16.h"
#include "engine/hive_parts.h"
#include "engine/upcase.h"

#define REPLACEMENT 0xfffdU /* our text cannot hold a NUL */

int hive_cell_at(struct hive *hive, uint32_t offset, uint32_t min, struct hive_cell *ret,
                 struct err *err)
{
    size_t pos = REGF_BASE_LEN + (size_t)offset;
    int32_t size;
    uint32_t len;
    int r;

    if (offset % 8 != 0 || pos + 4 > hive->len)
        return hive_damaged(hive, err, "no cell can be", offset);
    r = hive_load(hive, pos, 4, err);
    if (r < 0)
        return r;
    size = (int32_t)get_le32(hive->data + pos);
    if (size >= 0)
        return hive_damaged(hive, err, "the cell is not in use", offset);
    len = 0 - (uint32_t)size;
    if (len < 8 || len % 8 != 0 || len > hive->len - pos)
        return hive_damaged(hive, err, "the size of the cell is wrong", offset);
    if (len - 4 < min)
        return hive_damaged(hive, err, "the cell is too small", offset);
    r = hive_load(hive, pos, len, err);
    if (r < 0)
        return r;
    *ret = (struct hive_cell){ hive->data + pos + 4, len - 4 };
    return 0;
}

/* ---- names ---- */

size_t hive_name_units(const struct hive_name *name)
{
    return name->latin ? name->len : name->len / 2U;
}

uint16_t hive_name_unit(const struct hive_name *name, size_t i)
{
    return name->latin ? name->at[i] : get_le16(name->at + 2 * i);
}

char *hive_name_text(const struct hive_name *name)
{
    struct strbuf text = { 0 };

    for (size_t i = 0, n; i < hive_name_units(name); i += n) {
        uint16_t unit = hive_name_unit(name, i);

        n = 1;
        if (unit == 0 || name->latin) {
            utf8_encode(unit ? unit : REPLACEMENT, &text);
            continue;
        }
        while (i + n < hive_name_units(name) && hive_name_unit(name, i + n) != 0)
            n++;
        utf16_to_utf8(name->at + 2 * i, 2 * n, false, &text);
    }
    return strbuf_take(&text);
}

bool hive_name_is(const struct hive_name *name, const struct strbuf *wanted)
{
    size_t n = hive_name_units(name);

    if (n * 2 != wanted->len)
        return false;
    for (size_t i = 0; i < n; i++)
        if (upcase_unit(hive_name_unit(name, i)) != get_le16(wanted->data + 2 * i))
            return false;
    return true;
}

void hive_name_upcased(const char *text, size_t len, struct strbuf *ret)
{
    utf16_from_utf8(text, len, ret);
    for (size_t i = 0; i + 2 <= ret->len; i += 2) {
        uint16_t unit = htole16(upcase_unit(get_le16(ret->data + i)));

        memcpy(ret->data + i, &unit, sizeof(unit));
    }
}

uint32_t hive_name_hash(const struct hive_name *name)
{
    uint32_t hash = 0;

    for (size_t i = 0; i < hive_name_units(name); i++)
        hash = hash * 37 + upcase_unit(hive_name_unit(name, i));
    return hash;
}

static uint32_t hash_of_upcased(const struct strbuf *wanted)
{
    uint32_t hash = 0;

    for (size_t i = 0; i + 2 <= wanted->len; i += 2)
        hash = hash * 37 + get_le16(wanted->data + i);
    return hash;
}

/* ---- keys ---- */

enum { /* in a key's cell */
       NK_FLAGS = 2,
       NK_PARENT = 16,
       NK_N_KEYS = 20,
       NK_KEYS = 28,
       NK_N_VALUES = 36,
       NK_VALUES = 40,
       NK_SK = 44,
       NK_CLASS = 48,
       NK_NAME_LEN = 72,
       NK_CLASS_LEN = 74,
       NK_NAME = 76,
};

int hive_key_at(struct hive *hive, uint32_t offset, struct hive_key *ret, struct err *err)
{
    struct hive_cell cell;
    uint16_t name_len;
    int r = hive_cell_at(hive, offset, NK_NAME, &cell, err);

    if (r < 0)
        return r;
    name_len = get_le16(cell.at + NK_NAME_LEN);
    if (memcmp(cell.at, "nk", 2) != 0)
        return hive_damaged(hive, err, "there is no key", offset);
    if (name_len > HIVE_NAME_MAX || name_len > cell.len - NK_NAME)
        return hive_damaged(hive, err, "the name of the key is too long", offset);
    *ret = (struct hive_key){
        .offset = offset,
        .cell_len = cell.len,
        .flags = get_le16(cell.at + NK_FLAGS),
        .parent = get_le32(cell.at + NK_PARENT),
        .n_keys = get_le32(cell.at + NK_N_KEYS),
        .keys = get_le32(cell.at + NK_KEYS),
        .n_values = get_le32(cell.at + NK_N_VALUES),
        .values = get_le32(cell.at + NK_VALUES),
        .sk = get_le32(cell.at + NK_SK),
        .class_name = get_le32(cell.at + NK_CLASS),
        .class_len = get_le16(cell.at + NK_CLASS_LEN),
    };
    ret->name = (struct hive_name){ cell.at + NK_NAME, name_len, ret->flags & HIVE_KEY_LATIN };
    return 0;
}

/* ---- lists ---- */

static const struct {
    char signature[3];
    uint32_t item; /* bytes */
} list_kinds[] = {
    [HIVE_LIST_LI] = { "li", 4 },
    [HIVE_LIST_LF] = { "lf", 8 },
    [HIVE_LIST_LH] = { "lh", 8 },
    [HIVE_LIST_RI] = { "ri", 4 },
};

static int list_at(struct hive *hive, uint32_t offset, struct hive_list *ret, struct err *err)
{
    struct hive_cell cell;
    int r = hive_cell_at(hive, offset, 4, &cell, err);

    if (r < 0)
        return r;
    for (size_t kind = 0; kind < ARRAY_SIZE(list_kinds); kind++) {
        uint32_t n = get_le16(cell.at + 2);

        if (memcmp(cell.at, list_kinds[kind].signature, 2) != 0)
            continue;
        if (n > (cell.len - 4) / list_kinds[kind].item)
            return hive_damaged(hive, err, "the list of keys is too short", offset);
        *ret = (struct hive_list){ cell, (enum hive_list_kind)kind, n, 0 };
        return 0;
    }
    return hive_damaged(hive, err, "there is no list of keys", offset);
}

/* The next entry, and its hint. */
static uint32_t list_take(struct hive_list *list, uint32_t *ret_hint)
{
    uint32_t item = list_kinds[list->kind].item;
    const uint8_t *at = list->cell.at + 4 + (size_t)list->next * item;

    *ret_hint = item == 8 ? get_le32(at + 4) : 0;
    list->next++;
    return get_le32(at);
}

int hive_subkeys_begin(struct hive *hive, const struct hive_key *key, struct hive_subkeys *ret,
                       struct err *err)
{
    int r;

    *ret = (struct hive_subkeys){ .n_expected = key->n_keys, .leaf_offset = HIVE_NO_CELL };
    if (key->n_keys == 0)
        return 0;
    if (key->n_keys > hive->base.bins_size / NK_NAME)
        return hive_damaged(hive, err, "the number of keys is wrong in the key", key->offset);
    r = list_at(hive, key->keys, &ret->top, err);
    if (r < 0 || ret->top.kind == HIVE_LIST_RI)
        return r;
    ret->leaf = ret->top;
    ret->leaf_offset = key->keys;
    ret->top.next = ret->top.n;
    return 0;
}

int hive_subkeys_next(struct hive *hive, struct hive_subkeys *subkeys, uint32_t *ret,
                      struct err *err)
{
    uint32_t unused;
    int r;

    while (subkeys->leaf.next == subkeys->leaf.n) {
        if (subkeys->top.next == subkeys->top.n) {
            if (subkeys->n_found != subkeys->n_expected)
                return hive_damaged(hive, err, "keys are missing in the list",
                                    subkeys->leaf_offset);
            return 0;
        }
        subkeys->leaf_offset = list_take(&subkeys->top, &unused);
        r = list_at(hive, subkeys->leaf_offset, &subkeys->leaf, err);
        if (r < 0)
            return r;
        /* Windows puts none of these into a list of lists, and could not search it */
        if (subkeys->leaf.kind == HIVE_LIST_RI || subkeys->leaf.n == 0)
            return hive_damaged(hive, err, "a list of keys is no leaf", subkeys->leaf_offset);
    }
    if (subkeys->n_found == subkeys->n_expected)
        return hive_damaged(hive, err, "too many keys are in the list", subkeys->leaf_offset);
    r = hive_step(hive, 1, err);
    if (r < 0)
        return r;
    subkeys->n_found++;
    *ret = list_take(&subkeys->leaf, &subkeys->hint);
    return 1;
}

/* ---- finding ---- */

static bool is_ascii(const struct strbuf *units)
{
    for (size_t i = 0; i + 2 <= units->len; i += 2)
        if (get_le16(units->data + i) >= 0x80)
            return false;
    return true;
}

int hive_find_child(struct hive *hive, const struct hive_key *key, const struct strbuf *wanted,
                    struct hive_key *ret, struct err *err)
{
    uint32_t offset = 0, hash = hash_of_upcased(wanted);
    bool hash_counts = is_ascii(wanted);
    struct hive_subkeys subkeys;
    int r = hive_subkeys_begin(hive, key, &subkeys, err);

    if (r < 0)
        return r;
    for (;;) {
        r = hive_subkeys_next(hive, &subkeys, &offset, err);
        if (r <= 0)
            return r;
        if (hash_counts && subkeys.leaf.kind == HIVE_LIST_LH && subkeys.hint != hash)
            continue;
        r = hive_key_at(hive, offset, ret, err);
        if (r < 0)
            return r;
        if (hive_name_is(&ret->name, wanted))
            return 1;
    }
}

int hive_find(struct hive *hive, const char *path, struct hive_key *ret, struct err *err)
{
    struct hive_key key;
    int r = hive_key_at(hive, hive->root, &key, err);

    while (r >= 0 && *path) {
        CLEANUP_STRBUF struct strbuf wanted = { 0 };
        const struct hive_key parent = key;
        size_t len = strcspn(path, "\\");

        if (len > 0) {
            hive_name_upcased(path, len, &wanted);
            r = hive_find_child(hive, &parent, &wanted, &key, err);
            if (r == 0)
                return 0;
        }
        path += len;
        path += *path == '\\';
    }
    if (r < 0)
        return r;
    *ret = key;
    return 1;
}
