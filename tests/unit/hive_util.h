/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registry hives for tests: an empty one, and what is put into it. */
#ifndef H2K_TESTS_HIVE_UTIL_H
#define H2K_TESTS_HIVE_UTIL_H

#include <string.h>

#include "engine/base/le.h"
#include "engine/hive_edit.h"
#include "engine/regf.h"
#include "tests/unit/unit.h"

#define HIVE_UTIL_BIN 4096U

/* Administrators: everything, here and below. */
static const unsigned char hive_util_sd[] = {
    1, 0, 4,  0x80, 0x14, 0, 0,    0, 0x24, 0, 0, 0, 0,    0, 0, 0, 0x34, 0, 0, 0, /* header */
    1, 2, 0,  0,    0,    0, 0,    5, 0x20, 0, 0, 0, 0x20, 2, 0, 0,                /* owner */
    1, 2, 0,  0,    0,    0, 0,    5, 0x20, 0, 0, 0, 0x20, 2, 0, 0,                /* group */
    2, 0, 32, 0,    1,    0, 0,    0, /* DACL: one entry */
    0, 2, 24, 0,    0x3f, 0, 0x0f, 0, /* allow, to keys below */
    1, 2, 0,  0,    0,    0, 0,    5, 0x20, 0, 0, 0, 0x20, 2, 0, 0,
};

/* A hive with a root key and nothing else. */
static inline void hive_util_empty(struct strbuf *ret)
{
    static unsigned char bytes[REGF_BASE_LEN + HIVE_UTIL_BIN];
    unsigned char *bin = bytes + REGF_BASE_LEN;
    unsigned char *nk = bin + 0x20, *sk = bin + 0x20 + 0x60, *rest = sk + 0x80;

    memset(bytes, 0, sizeof(bytes));
    memcpy(bytes, "regf", 4);
    put_le32(bytes + 20, 1); /* version 1.5 */
    put_le32(bytes + 24, 5);
    put_le32(bytes + 32, 1);    /* format: memory */
    put_le32(bytes + 36, 0x20); /* root */
    put_le32(bytes + 44, 1);    /* clustering factor */
    regf_base_complete(bytes, 1, HIVE_UTIL_BIN);

    memcpy(bin, "hbin", 4);
    put_le32(bin + 8, HIVE_UTIL_BIN);
    put_le32(nk, (uint32_t)-0x60);
    memcpy(nk + 4, "nk", 2);
    put_le16(nk + 6, 0x2c); /* root, not to be deleted, name in Latin 1 */
    put_le32(nk + 4 + 28, UINT32_MAX);
    put_le32(nk + 4 + 32, UINT32_MAX);
    put_le32(nk + 4 + 40, UINT32_MAX);
    put_le32(nk + 4 + 44, 0x80);
    put_le32(nk + 4 + 48, UINT32_MAX);
    put_le16(nk + 4 + 72, 4);
    memcpy(nk + 4 + 76, "ROOT", 4);
    put_le32(sk, (uint32_t)-0x80);
    memcpy(sk + 4, "sk", 2);
    put_le32(sk + 8, 0x80);
    put_le32(sk + 12, 0x80);
    put_le32(sk + 16, 1);
    put_le32(sk + 20, sizeof(hive_util_sd));
    memcpy(sk + 24, hive_util_sd, sizeof(hive_util_sd));
    put_le32(rest, (uint32_t)(bin + HIVE_UTIL_BIN - rest));
    strbuf_add(ret, bytes, sizeof(bytes));
}

/* One thing that a hive of a test holds. */
struct hive_util_item {
    const char *key, *name;
    uint32_t type; /* REG_DWORD: number; else text; REG_NONE: the key alone */
    const char *text;
    uint32_t number;
};

/* The bytes of a hive with these. */
static inline void hive_util_make(const struct hive_util_item *items, size_t n, struct strbuf *ret)
{
    struct hive_edit *edits = mem_alloc((n + 1) * sizeof(*edits));
    struct strbuf empty = { 0 };
    struct err err = ERR_NONE;
    struct hive *hive = NULL;

    hive_util_empty(&empty);
    assert_int_equal(hive_from_bytes(&empty, "test", &hive, &err), 0);
    for (size_t i = 0; i < n; i++) {
        edits[i].kind = items[i].type == REG_NONE ? HIVE_ADD_KEY : HIVE_SET;
        edits[i].key = mem_strdup(items[i].key);
        if (items[i].type == REG_DWORD)
            hive_make_u32(&edits[i].value, items[i].name, items[i].number);
        else if (items[i].type == REG_MULTI_SZ) {
            struct strlist list = { 0 };

            strlist_add(&list, items[i].text);
            hive_make_list(&edits[i].value, items[i].name, &list);
            strlist_done(&list);
        } else if (items[i].type != REG_NONE)
            hive_make_text(&edits[i].value, items[i].name, items[i].type, items[i].text);
    }
    if (hive_edit(hive, edits, n, ret, &err) < 0)
        fail_msg("the hive cannot be made: %s", err.text[0]);
    for (size_t i = 0; i < n; i++)
        hive_edit_done(&edits[i]);
    free(edits);
    hive_free(hive);
}

#endif
