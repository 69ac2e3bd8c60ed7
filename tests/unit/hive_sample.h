/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A hive with something of everything. */
#ifndef H2K_TESTS_HIVE_SAMPLE_H
#define H2K_TESTS_HIVE_SAMPLE_H

#include "engine/base/le.h"
#include "engine/hive.h"
#include "tests/unit/hive_make.h"

#define BIG 40000U

static uint8_t big[BIG];

/* Where things lie in the hive of make_sample(). */
static struct {
    uint32_t control, services, disk, values, vk_text, vk_big, vk_two, list, index, leaf, sk;
} at;

/* \Control (values of every kind), \Größe, \Services\{Disk, viostor}, \many (lists in a list) */
static inline void make_sample(uint32_t minor, const char *kind, struct strbuf *ret)
{
    struct hive_make make;
    uint32_t top[4], two[2], values[8], leaves[3], keys[3][2];

    for (size_t i = 0; i < BIG; i++)
        big[i] = (uint8_t)(i * 7 + i / 256);
    make_begin(&make, minor);
    top[0] = at.control = make_key(&make, make.root, "Control");
    top[1] = make_key(&make, make.root, "Größe \xe6\x97\xa5");
    top[2] = make_key(&make, make.root, "many");
    top[3] = at.services = make_key(&make, make.root, "Services");
    make_give(&make, make.root, make_list(&make, kind, top, 4), 4);
    two[0] = at.disk = make_key(&make, at.services, "Disk");
    two[1] = make_key(&make, at.services, "viostor");
    at.list = make_list(&make, "lh", two, 2);
    make_give(&make, at.services, at.list, 2);
    values[0] = make_value(&make, "", REG_SZ, "d\0\0\0", 4);
    values[1] = at.vk_text = make_value(&make, "Text", REG_SZ, "a\0b\0\0\0", 6);
    values[2] = make_value(&make, "Empty", REG_NONE, "", 0);
    values[3] = make_value(&make, "Byte", REG_BINARY, "\xff", 1);
    values[4] = make_value(&make, "Number", REG_DWORD, "\4\3\2\1", 4);
    values[5] = make_value(&make, "Segment", REG_BINARY, big, HIVE_SEGMENT);
    values[6] = at.vk_big = make_value(&make, "Big", REG_BINARY, big, BIG);
    values[7] = at.vk_two = make_value(&make, "\xf0\x9f\x98\x80", REG_QWORD, "\1\0\0\0\0\0\0\0", 8);
    at.values = 0;
    make_values(&make, at.control, values, ARRAY_SIZE(values));
    at.values = get_le32(make_at(&make, at.control) + 40);
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 2; j++) {
            char name[3] = { (char)('a' + i), (char)('0' + j), 0 };

            keys[i][j] = make_key(&make, top[2], name);
        }
        leaves[i] = make_list(&make, i == 0 ? "lh" : i == 1 ? "lf" : "li", keys[i], 2);
    }
    at.leaf = leaves[1];
    at.index = make_index(&make, leaves, 3);
    make_give(&make, top[2], at.index, 6);
    at.sk = make.sk;
    make_end(&make, 7, 7, ret);
}

static inline struct hive *open_bytes(struct strbuf *bytes)
{
    struct hive *hive = NULL;
    struct err err = ERR_NONE;
    char text[ERR_TEXT];
    int r = hive_from_bytes(bytes, "TEST", &hive, &err);

    if (r < 0)
        print_message("%s\n", err_text(&err, text, sizeof(text)));
    assert_int_equal(r, 0);
    return hive;
}

#endif
