/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hives made cell by cell from the format's description, so that each can be of any shape. A key
 * is made before what lies in it; lists are given to it afterwards. */
#ifndef H2K_TESTS_HIVE_MAKE_H
#define H2K_TESTS_HIVE_MAKE_H

#include <string.h>

#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "engine/base/utf16.h"
#include "engine/hive.h"
#include "engine/regf.h"
#include "engine/upcase.h"
#include "tests/unit/unit.h"

struct hive_make {
    struct strbuf bins;
    uint32_t minor, root, sk;
    uint32_t n_keys;
};

/* A cell in use; its offset. */
static inline uint32_t make_cell(struct hive_make *make, const void *data, size_t len)
{
    static const char zeros[8];
    uint32_t at = (uint32_t)make->bins.len;
    size_t size = (len + 4 + 7) / 8 * 8;
    uint8_t head[4];

    put_le32(head, 0 - (uint32_t)size);
    strbuf_add(&make->bins, head, sizeof(head));
    strbuf_add(&make->bins, data, len);
    strbuf_add(&make->bins, zeros, size - len - 4);
    return at;
}

static inline uint8_t *make_at(struct hive_make *make, uint32_t cell)
{
    return (uint8_t *)make->bins.data + cell + 4;
}

/* The name as it is stored: a byte for each unit if that is possible. */
static inline bool make_name(const char *name, struct strbuf *ret)
{
    struct strbuf units = { 0 };
    bool latin = true;

    utf16_from_utf8(name, strlen(name), &units);
    for (size_t i = 0; i + 2 <= units.len; i += 2)
        latin = latin && get_le16(units.data + i) < 0x100;
    for (size_t i = 0; i + 2 <= units.len; i += 2)
        strbuf_add(ret, units.data + i, latin ? 1 : 2);
    strbuf_done(&units);
    return latin;
}

/* Below @parent, which must get it in a list; 0: the root. */
static inline uint32_t make_key(struct hive_make *make, uint32_t parent, const char *name)
{
    struct strbuf text = { 0 };
    uint8_t cell[76 + 1024] = { 'n', 'k' };
    uint32_t at;

    cell[2] = (uint8_t)((make_name(name, &text) ? 0x20 : 0) | (parent ? 0 : 0x0c));
    put_le64(cell + 4, 0x01d0000012345678ULL);
    put_le32(cell + 16, parent ? parent : 0xffffffff);
    put_le32(cell + 28, 0xffffffff);
    put_le32(cell + 32, 0xffffffff);
    put_le32(cell + 40, 0xffffffff);
    put_le32(cell + 44, make->sk);
    put_le32(cell + 48, 0xffffffff);
    put_le16(cell + 72, (uint16_t)text.len);
    memcpy(cell + 76, text.data ? text.data : "", text.len);
    at = make_cell(make, cell, 76 + text.len);
    strbuf_done(&text);
    make->n_keys++;
    return at;
}

static inline void make_begin(struct hive_make *make, uint32_t minor)
{
    uint8_t sk[20 + 20] = { 's', 'k' };

    *make = (struct hive_make){ .minor = minor };
    strbuf_add(&make->bins, "hbin\0\0\0\0", 8);
    strbuf_add(&make->bins, sk + 2, 24);
    make->sk = (uint32_t)make->bins.len;
    put_le32(sk + 4, make->sk);
    put_le32(sk + 8, make->sk);
    put_le32(sk + 16, 20);
    sk[20] = 1;
    put_le16(sk + 22, 0x8000);
    assert_int_equal(make_cell(make, sk, sizeof(sk)), make->sk);
    make->root = make_key(make, 0, "ROOT");
}

/* The hash of the name of the key in @cell. */
static inline uint32_t make_hash(const uint8_t *cell)
{
    size_t n = get_le16(cell + 72);
    uint32_t hash = 0;

    for (size_t i = 0; i < n; i += cell[2] & 0x20 ? 1 : 2)
        hash = hash * 37 + upcase_unit(cell[2] & 0x20 ? cell[76 + i] : get_le16(cell + 76 + i));
    return hash;
}

/* A list of keys; @kind is its signature. */
static inline uint32_t make_list(struct hive_make *make, const char *kind, const uint32_t *keys,
                                 size_t n)
{
    struct strbuf list = { 0 };
    uint8_t item[8] = { 0 };
    uint32_t at;

    strbuf_add(&list, kind, 2);
    put_le16(item, (uint16_t)n);
    strbuf_add(&list, item, 2);
    for (size_t i = 0; i < n; i++) {
        const uint8_t *key = make_at(make, keys[i]);

        put_le32(item, keys[i]);
        put_le32(item + 4, kind[1] == 'h' ? make_hash(key) : 0);
        for (size_t j = 0; kind[1] == 'f' && key[2] & 0x20 && j < 4 && j < get_le16(key + 72); j++)
            item[4 + j] = key[76 + j];
        strbuf_add(&list, item, kind[1] == 'h' || kind[1] == 'f' ? 8 : 4);
    }
    at = make_cell(make, list.data, list.len);
    strbuf_done(&list);
    return at;
}

static inline uint32_t make_index(struct hive_make *make, const uint32_t *lists, size_t n)
{
    struct strbuf list = { 0 };
    uint8_t item[4];
    uint32_t at;

    strbuf_add(&list, "ri", 2);
    put_le16(item, (uint16_t)n);
    strbuf_add(&list, item, 2);
    for (size_t i = 0; i < n; i++) {
        put_le32(item, lists[i]);
        strbuf_add(&list, item, 4);
    }
    at = make_cell(make, list.data, list.len);
    strbuf_done(&list);
    return at;
}

static inline void make_give(struct hive_make *make, uint32_t key, uint32_t list, size_t n)
{
    put_le32(make_at(make, key) + 20, (uint32_t)n);
    put_le32(make_at(make, key) + 28, list);
}

/* Keys "<prefix>0000", ... below @key, in one list of @kind. */
static inline void make_many(struct hive_make *make, uint32_t key, const char *kind,
                             const char *prefix, size_t n)
{
    uint32_t *keys = mem_alloc((n + 1) * sizeof(*keys));

    for (size_t i = 0; i < n; i++) {
        char *name = mem_printf("%s%04zu", prefix, i);

        keys[i] = make_key(make, key, name);
        free(name);
    }
    make_give(make, key, make_list(make, kind, keys, n), n);
    free(keys);
}

/* The data of a value in cells of its own, where that is done. */
static inline uint32_t make_data(struct hive_make *make, const uint8_t *data, size_t len)
{
    uint8_t db[8] = { 'd', 'b' };
    uint32_t cells[64];
    size_t n = 0;

    if (len <= 16344 || make->minor < 4)
        return make_cell(make, data, len);
    for (size_t at = 0; at < len; at += 16344)
        cells[n++] = make_cell(make, data + at, len - at < 16344 ? len - at : 16344);
    put_le16(db + 2, (uint16_t)n);
    for (size_t i = 0; i < n; i++)
        put_le32(&cells[i], cells[i]);
    put_le32(db + 4, make_cell(make, cells, 4 * n));
    return make_cell(make, db, sizeof(db));
}

static inline uint32_t make_value(struct hive_make *make, const char *name, uint32_t type,
                                  const void *data, size_t len)
{
    struct strbuf text = { 0 };
    uint8_t cell[20 + 512] = { 'v', 'k' };
    uint32_t at;

    cell[16] = make_name(name, &text) ? 1 : 0;
    put_le16(cell + 2, (uint16_t)text.len);
    put_le32(cell + 4, (uint32_t)len | (len <= 4 ? 0x80000000 : 0));
    if (len <= 4)
        memcpy(cell + 8, data, len);
    else
        put_le32(cell + 8, make_data(make, data, len));
    put_le32(cell + 12, type);
    memcpy(cell + 20, text.data ? text.data : "", text.len);
    at = make_cell(make, cell, 20 + text.len);
    strbuf_done(&text);
    return at;
}

static inline void make_values(struct hive_make *make, uint32_t key, const uint32_t *values,
                               size_t n)
{
    uint32_t *list = mem_alloc(4 * n);
    uint32_t at;

    for (size_t i = 0; i < n; i++)
        put_le32(&list[i], values[i]);
    at = make_cell(make, list, 4 * n);
    put_le32(make_at(make, key) + 36, (uint32_t)n);
    put_le32(make_at(make, key) + 40, at);
    free(list);
}

/* The whole file; @seq1 differs from @seq2 in a dirty one. */
static inline void make_end(struct hive_make *make, uint32_t seq1, uint32_t seq2,
                            struct strbuf *ret)
{
    uint8_t base[REGF_BASE_LEN] = { 'r', 'e', 'g', 'f' }, head[4];
    size_t used = make->bins.len;
    size_t size = (used + 8 + 4095) / 4096 * 4096;
    char *rest = mem_alloc(size - used);

    put_le32(make_at(make, make->sk) + 12, make->n_keys);
    put_le32(head, (uint32_t)(size - used));
    memcpy(rest, head, 4);
    strbuf_add(&make->bins, rest, size - used);
    free(rest);
    put_le32(make->bins.data + 8, (uint32_t)size);
    put_le32(base + 20, 1);
    put_le32(base + 24, make->minor);
    put_le32(base + 32, 1);
    put_le32(base + 36, make->root);
    regf_base_complete(base, seq2, (uint32_t)size);
    if (seq1 != seq2) {
        uint32_t sum = get_le32(base + 508) ^ seq2 ^ seq1;

        put_le32(base + 4, seq1);
        put_le32(base + 508, sum);
    }
    strbuf_add(ret, base, sizeof(base));
    strbuf_add(ret, make->bins.data, make->bins.len);
    strbuf_done(&make->bins);
}

/* An empty hive that Windows would take: only a root. */
static inline void make_empty(uint32_t minor, struct strbuf *ret)
{
    struct hive_make make;

    make_begin(&make, minor);
    make_end(&make, 1, 1, ret);
}

#endif
