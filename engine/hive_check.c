/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The strict walk through a hive. What Windows passes over (free cells' content, the lengths that
 * it only uses as hints, cells that nothing refers to) is passed over here too. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/hive_parts.h"
#include "engine/upcase.h"

#define BIN_HEAD 32U
#define BIN_UNIT 4096U
#define CELL_MIN 8U

enum { /* in a security descriptor's cell */
       SK_NEXT = 4,
       SK_PREVIOUS = 8,
       SK_COUNT = 12,
       SK_LEN = 16,
       SK_DESCRIPTOR = 20,
       DESCRIPTOR_HEAD = 20, /* a self-relative one: revision, control, four offsets */
       DESCRIPTOR_CONTROL = 2,
       DESCRIPTOR_OFFSETS = 4,
       SELF_RELATIVE = 0x8000,
};

struct check {
    struct hive *hive;
    struct err *err;
    uint8_t *cells; /* a bit for each place: a cell in use begins there */
    uint8_t *used;  /* a bit: something refers to it */
    uint32_t *sks;  /* the one of each key */
    size_t n_sks, sks_room;
};

static void check_done(struct check *check)
{
    free(check->cells);
    free(check->used);
    free(check->sks);
}

static int damaged(const struct check *check, const char *what, uint32_t offset)
{
    return hive_damaged(check->hive, check->err, what, offset);
}

/* ---- bins and cells ---- */

static int check_cells(struct check *check, uint32_t bin, uint32_t end)
{
    for (uint32_t at = bin + BIN_HEAD; at < end;) {
        uint32_t size = get_le32(check->hive->data + REGF_BASE_LEN + at);
        bool in_use = (int32_t)size < 0;

        size = in_use ? 0 - size : size;
        if (size < CELL_MIN || size % 8 != 0 || size > end - at)
            return damaged(check, "the size of a cell is wrong", at);
        if (in_use)
            check->cells[at / 64] |= (uint8_t)(1U << at / 8 % 8);
        at += size;
    }
    return 0;
}

static int check_bins(struct check *check)
{
    const uint32_t size = check->hive->base.bins_size;
    int r = 0;

    for (uint32_t at = 0; r == 0 && at < size;) {
        const uint8_t *bin = check->hive->data + REGF_BASE_LEN + at;
        uint32_t len;

        if (size - at < BIN_UNIT || memcmp(bin, "hbin", 4) != 0 || get_le32(bin + 4) != at)
            return damaged(check, "there is no bin", at);
        len = get_le32(bin + 8);
        if (len == 0 || len % BIN_UNIT != 0 || len > size - at)
            return damaged(check, "the size of a bin is wrong", at);
        r = check_cells(check, at, at + len);
        at += len;
    }
    return r;
}

/* @offset is a cell in use (not only something that looks like one), and nothing else uses it. */
static int claim(struct check *check, uint32_t offset)
{
    uint8_t bit = (uint8_t)(1U << offset / 8 % 8);

    if (offset % 8 != 0 || offset >= check->hive->base.bins_size ||
        !(check->cells[offset / 64] & bit))
        return damaged(check, "no cell in use begins", offset);
    if (check->used[offset / 64] & bit)
        return damaged(check, "two things use the cell", offset);
    check->used[offset / 64] |= bit;
    return 0;
}

/* ---- values ---- */

static int check_big(struct check *check, const struct hive_vk *vk)
{
    struct hive_big big;
    struct hive_cell cell;
    int r = claim(check, vk->data);

    if (r == 0)
        r = hive_big_at(check->hive, vk, &big, check->err);
    if (r == 0)
        r = claim(check, big.list_offset);
    for (uint32_t i = 0; r == 0 && i < big.n; i++) {
        uint32_t offset = get_le32(big.list.at + 4 * (size_t)i);
        uint32_t want = i + 1 < big.n ? HIVE_SEGMENT : vk->len - i * HIVE_SEGMENT;

        r = claim(check, offset);
        if (r == 0)
            r = hive_cell_at(check->hive, offset, want, &cell, check->err);
    }
    return r;
}

static int check_value(struct check *check, const struct hive_key *key, uint32_t i)
{
    struct hive_cell cell;
    struct hive_vk vk = { 0 };
    uint32_t offset;
    int r = hive_vk_offset(check->hive, key, i, &offset, check->err);

    if (r == 0)
        r = claim(check, offset);
    if (r == 0)
        r = hive_vk_at(check->hive, key, i, &vk, check->err);
    if (r < 0)
        return r;
    if (!vk.name.latin && vk.name.len % 2 != 0)
        return damaged(check, "the name of the value is wrong", offset);
    if (vk.is_inline || vk.len == 0)
        return 0;
    if (hive_vk_is_big(check->hive, &vk))
        return check_big(check, &vk);
    r = claim(check, vk.data);
    return r < 0 ? r : hive_cell_at(check->hive, vk.data, vk.len, &cell, check->err);
}

static int check_values(struct check *check, const struct hive_key *key)
{
    int r = 0;

    if (hive_n_values(key) > 0)
        r = claim(check, key->values);
    for (uint32_t i = 0; r == 0 && i < hive_n_values(key); i++)
        r = check_value(check, key, i);
    return r;
}

/* ---- lists of keys ---- */

/* Windows differ in which other letters have an upper case. */
static bool upcase_is_known(uint16_t unit)
{
    return unit < 0x180;
}

/* < 0, 0, > 0 in the order that Windows searches by; @ret_known: this rule is sure to be its. */
static int compare(const struct hive_name *a, const struct hive_name *b, bool *ret_known)
{
    size_t n_a = hive_name_units(a), n_b = hive_name_units(b);

    *ret_known = true;
    for (size_t i = 0; i < n_a && i < n_b; i++) {
        uint16_t unit_a = upcase_unit(hive_name_unit(a, i));
        uint16_t unit_b = upcase_unit(hive_name_unit(b, i));

        if (unit_a == unit_b)
            continue;
        *ret_known = upcase_is_known(unit_a) && upcase_is_known(unit_b);
        return unit_a < unit_b ? -1 : 1;
    }
    return n_a < n_b ? -1 : n_a > n_b;
}

static bool name_is_known(const struct hive_name *name)
{
    for (size_t i = 0; i < hive_name_units(name); i++)
        if (!upcase_is_known(hive_name_unit(name, i)))
            return false;
    return true;
}

/* What a list says about a key's name: its hash, or its first four characters (nothing at all when
 * they do not fit into a byte each). */
static bool hint_is_right(const struct hive_subkeys *subkeys, const struct hive_name *name)
{
    uint8_t hint[4];

    if (subkeys->leaf.kind == HIVE_LIST_LH)
        return !name_is_known(name) || subkeys->hint == hive_name_hash(name);
    if (subkeys->leaf.kind != HIVE_LIST_LF || subkeys->hint == 0)
        return true;
    put_le32(hint, subkeys->hint);
    for (size_t i = 0; i < sizeof(hint) && i < hive_name_units(name); i++)
        if (upcase_unit(hint[i]) != upcase_unit(hive_name_unit(name, i)))
            return false;
    return true;
}

static int check_child(struct check *check, const struct hive_subkeys *subkeys, uint32_t parent,
                       const struct hive_key *before, const struct hive_key *child)
{
    bool known = true;

    if (child->parent != parent)
        return damaged(check, "the key names another one above it", child->offset);
    if (child->flags & HIVE_KEY_ROOT)
        return damaged(check, "a key in the tree is a root", child->offset);
    if (child->name.len == 0 || (!child->name.latin && child->name.len % 2 != 0))
        return damaged(check, "the name of the key is wrong", child->offset);
    if (before && compare(&before->name, &child->name, &known) >= 0 && known)
        return damaged(check, "the keys are not in order", child->offset);
    if (!hint_is_right(subkeys, &child->name))
        return damaged(check, "the list's hint is wrong for the key", child->offset);
    return 0;
}

static int check_subkeys(struct check *check, const struct hive_key *key)
{
    struct hive_key before = { 0 }, child;
    struct hive_subkeys subkeys;
    uint32_t offset, leaf = HIVE_NO_CELL;
    int r = hive_subkeys_begin(check->hive, key, &subkeys, check->err);

    if (r == 0 && key->n_keys > 0)
        r = claim(check, key->keys);
    while (r >= 0) {
        r = hive_subkeys_next(check->hive, &subkeys, &offset, check->err);
        if (r <= 0)
            return r;
        if (subkeys.leaf_offset != leaf && subkeys.leaf_offset != key->keys)
            r = claim(check, subkeys.leaf_offset);
        leaf = subkeys.leaf_offset;
        if (r >= 0)
            r = hive_key_at(check->hive, offset, &child, check->err);
        if (r >= 0)
            r = check_child(check, &subkeys, key->offset, subkeys.n_found > 1 ? &before : NULL,
                            &child);
        before = child;
    }
    return r;
}

/* ---- keys ---- */

static int add_sk(struct check *check, uint32_t offset)
{
    if (check->n_sks == check->sks_room) {
        check->sks_room = check->sks_room ? 2 * check->sks_room : 1024;
        check->sks = mem_realloc(check->sks, check->sks_room * sizeof(*check->sks));
    }
    check->sks[check->n_sks++] = offset;
    return 0;
}

static int check_key(struct check *check, const struct hive_key *key)
{
    struct hive_cell cell;
    int r = claim(check, key->offset);

    if (r == 0 && key->class_len > 0)
        r = claim(check, key->class_name);
    if (r == 0 && key->class_len > 0)
        r = hive_cell_at(check->hive, key->class_name, key->class_len, &cell, check->err);
    if (r == 0)
        r = check_values(check, key);
    if (r == 0)
        r = check_subkeys(check, key);
    return r < 0 ? r : add_sk(check, key->sk);
}

static int check_tree(struct check *check)
{
    CLEANUP_HIVE_WALK struct hive_walk walk = { 0 };
    struct hive_key key;
    int r = hive_key_at(check->hive, check->hive->root, &key, check->err);

    if (r == 0 && !(key.flags & HIVE_KEY_ROOT))
        return damaged(check, "the root key is none", key.offset);
    if (r == 0)
        r = hive_walk_start(&walk, check->hive, &key, check->err);
    while (r >= 0) {
        r = hive_walk_next(&walk, &key, check->err);
        if (r == 0)
            return 0;
        if (r > 0)
            r = check_key(check, &key);
        if (r < 0)
            return err_wrap(check->err, "check the key \"%s\"", strbuf_text(&walk.path));
    }
    return r;
}

/* ---- security descriptors ---- */

static int by_offset(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

/* How many keys have the one at @offset? The list is sorted. */
static uint32_t count_sk(const struct check *check, uint32_t offset)
{
    const uint32_t *found = NULL;
    size_t n = 0;

    if (check->n_sks > 0)
        found = bsearch(&offset, check->sks, check->n_sks, sizeof(offset), by_offset);
    if (!found)
        return 0;
    while (found > check->sks && found[-1] == offset)
        found--;
    while (found + n < check->sks + check->n_sks && found[n] == offset)
        n++;
    return (uint32_t)n;
}

static bool descriptor_is_valid(const uint8_t *at, uint32_t len)
{
    if (len < DESCRIPTOR_HEAD || at[0] != 1 || !(get_le16(at + DESCRIPTOR_CONTROL) & SELF_RELATIVE))
        return false;
    for (uint32_t i = DESCRIPTOR_OFFSETS; i < DESCRIPTOR_HEAD; i += 4) {
        uint32_t offset = get_le32(at + i);

        if (offset != 0 && (offset < DESCRIPTOR_HEAD || offset > len - 8))
            return false;
    }
    return true;
}

/* They are a ring; each says how many keys have it. */
static int check_sks(struct check *check)
{
    uint32_t at, previous = HIVE_NO_CELL, first_previous = HIVE_NO_CELL;
    struct hive_cell cell = { 0 };
    size_t n_counted = 0;
    int r;

    if (check->n_sks == 0) /* there is the root at least */
        return 0;
    qsort(check->sks, check->n_sks, sizeof(*check->sks), by_offset);
    at = check->sks[0];
    for (uint32_t first = at;; at = get_le32(cell.at + SK_NEXT)) {
        uint32_t count, len;

        if (previous != HIVE_NO_CELL && at == first)
            break;
        r = claim(check, at);
        if (r == 0)
            r = hive_cell_at(check->hive, at, SK_DESCRIPTOR, &cell, check->err);
        if (r < 0)
            return err_wrap(check->err, "check the security descriptors");
        len = get_le32(cell.at + SK_LEN);
        if (memcmp(cell.at, "sk", 2) != 0 || len > cell.len - SK_DESCRIPTOR ||
            !descriptor_is_valid(cell.at + SK_DESCRIPTOR, len))
            return damaged(check, "the security descriptor is wrong", at);
        if (at == first)
            first_previous = get_le32(cell.at + SK_PREVIOUS);
        else if (get_le32(cell.at + SK_PREVIOUS) != previous)
            return damaged(check, "the security descriptor is not in the ring", at);
        count = count_sk(check, at);
        if (get_le32(cell.at + SK_COUNT) != count)
            return damaged(check, "the security descriptor is not counted right", at);
        n_counted += count;
        previous = at;
    }
    if (first_previous != previous || n_counted != check->n_sks)
        return damaged(check, "a security descriptor is not in the ring", previous);
    return 0;
}

int hive_check(struct hive *hive, struct err *err)
{
    size_t map = hive->base.bins_size / 64 + 1;
    CLEANUP(check_done)
    struct check check = {
        .hive = hive,
        .err = err,
        .cells = mem_alloc(map), /* 32 MiB of the largest hive that there can be */
        .used = mem_alloc(map),
    };
    int r = hive_load(hive, 0, hive->len, err);

    if (r == 0)
        r = check_bins(&check);
    if (r == 0)
        r = check_tree(&check);
    return r < 0 ? r : check_sks(&check);
}
