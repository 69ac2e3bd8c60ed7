/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hives of which something is spoilt: each field that counts is an error, and nothing is a crash.
 */
#include <errno.h>

#include "engine/hive_parts.h"
#include "tests/unit/hive_sample.h"

/* Each of these is seen by hive_check(), and by none as something that could be followed. */
static const struct {
    const char *what; /* in the message */
    enum { CELL, BASE, BIN } place;
    const uint32_t *cell;
    uint32_t offset, value, len; /* -4: the size of the cell */
    const uint32_t *value_of;    /* added to the value */
} damages[] = {
    { "no bin", BIN, NULL, 0, 0, 4, NULL },
    { "no bin", BIN, NULL, 4, 4096, 4, NULL },
    { "size of a bin", BIN, NULL, 8, 100, 4, NULL },
    { "size of a bin", BIN, NULL, 8, 1U << 20, 4, NULL },
    { "size of a bin", BIN, NULL, 8, 0, 4, NULL },
    { "cell", BIN, NULL, 32, 0, 4, NULL },
    { "no cell can be", BASE, NULL, 36, 3, 4, NULL },
    { "no cell can be", BASE, NULL, 36, 0xfffffff8, 4, NULL },
    { "not in use", CELL, &at.control, 0xfffffffc, 88, 4, NULL },
    { "size of", CELL, &at.control, 0xfffffffc, 0xfffffffc, 4, NULL },
    { "size of", CELL, &at.control, 0xfffffffc, 0x80000000, 4, NULL },
    { "no key", CELL, &at.control, 0, 'x', 1, NULL },
    { "name of the key is too long", CELL, &at.control, 72, 500, 2, NULL },
    { "name of the key is too long", CELL, &at.control, 72, 513, 2, NULL },
    { "name of the key is wrong", CELL, &at.control, 72, 0, 2, NULL },
    { "names another one", CELL, &at.control, 16, 0, 4, NULL },
    { "is a root", CELL, &at.control, 2, 0x24, 1, NULL },
    { "no list of keys", CELL, &at.list, 0, 'x', 1, NULL },
    { "list of keys is too short", CELL, &at.list, 2, 1000, 2, NULL },
    { "keys are missing", CELL, &at.list, 2, 1, 2, NULL },
    { "keys are missing", CELL, &at.services, 20, 3, 4, NULL },
    { "too many keys", CELL, &at.services, 20, 1, 4, NULL },
    { "number of keys", CELL, &at.services, 20, 0xffffff, 4, NULL },
    { "hint is wrong", CELL, &at.list, 8, 1, 4, NULL },
    { "not in use", CELL, &at.list, 4, 8, 4, &at.disk },
    { "not in order", CELL, &at.control, 76, 'Z', 1, NULL },
    { "no leaf", CELL, &at.leaf, 2, 0, 2, NULL },
    { "hint is wrong", CELL, &at.leaf, 8, 0x00003162, 4, NULL },
    { "names another one", CELL, &at.index, 8, 0, 4, &at.list },
    { "list of values is too short", CELL, &at.control, 36, 1000, 4, NULL },
    { "no cell in use begins", CELL, &at.control, 40, 0xfffffff8, 4, NULL },
    { "two things use", CELL, &at.values, 4, 0, 4, &at.vk_big },
    { "no value", CELL, &at.vk_text, 0, 'x', 1, NULL },
    { "name of the value is too long", CELL, &at.vk_text, 2, 5000, 2, NULL },
    { "name of the value is wrong", CELL, &at.vk_two, 2, 3, 2, NULL },
    { "size of the value", CELL, &at.vk_text, 4, 0x80000005, 4, NULL },
    { "size of the value", CELL, &at.vk_text, 4, 0x7fffffff, 4, NULL },
    { "too small", CELL, &at.vk_text, 4, 1000, 4, NULL },
    { "no big data", CELL, &at.vk_big, 4, 16345, 4, NULL },
    { "no big data", CELL, &at.vk_text, 4, 20000, 4, NULL },
    { "too small", CELL, &at.vk_big, 4, 49032, 4, NULL },
    { "two things use", CELL, &at.vk_big, 8, 0, 4, &at.vk_text },
    { "no cell", CELL, &at.services, 74, 8, 2, NULL },
    { "counted", CELL, &at.services, 44, 0xffffffff, 4, NULL },
    { "descriptor is wrong", CELL, &at.sk, 0, 'x', 1, NULL },
    { "descriptor is wrong", CELL, &at.sk, 16, 1000, 4, NULL },
    { "descriptor is wrong", CELL, &at.sk, 20, 2, 1, NULL },
    { "descriptor is wrong", CELL, &at.sk, 24, 100, 4, NULL },
    { "counted", CELL, &at.sk, 12, 1, 4, NULL },
    { "two things", CELL, &at.sk, 4, 0, 4, &at.list },
    { "ring", CELL, &at.sk, 8, 0, 4, &at.list },
};

static void damage_is_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
        uint32_t pos = damages[i].place == BASE ? 0 : REGF_BASE_LEN;
        struct strbuf bytes = { 0 };
        struct err err = ERR_NONE;
        struct hive *hive = NULL;
        char text[2048];
        uint8_t value[4];
        int r;

        print_message("case: %s (%zu)\n", damages[i].what, i);
        make_sample(5, "li", &bytes);
        put_le32(value, damages[i].value + (damages[i].value_of ? *damages[i].value_of : 0));
        pos += damages[i].cell ? *damages[i].cell + 4 : 0;
        memcpy(bytes.data + (pos + damages[i].offset), value, damages[i].len);
        regf_base_complete(bytes.data, 7, (uint32_t)bytes.len - REGF_BASE_LEN);
        r = hive_from_bytes(&bytes, "TEST", &hive, &err);
        if (r == 0)
            r = hive_check(hive, &err);
        assert_int_equal(r, -EBADMSG);
        err_text(&err, text, sizeof(text));
        if (!strstr(text, damages[i].what))
            fail_msg("%s", text);
        hive_free(hive);
        strbuf_done(&bytes);
    }
}

/* All that can be asked, of a hive that may be anything. */
static void ask_all(struct hive *hive)
{
    static const char *const keys[] = { "", "Control", "Services", "Services\\Disk", "many\\b1" };

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        struct strlist list = { 0 };
        struct hive_values values = { 0 };
        struct err err = ERR_NONE;

        (void)hive_keys(hive, keys[i], &list, &err);
        (void)hive_get_all(hive, keys[i], &values, &err);
        strlist_done(&list);
        hive_values_done(&values);
    }
}

static void any_byte_may_be_wrong(void **state)
{
    struct strbuf good = { 0 };
    size_t n_seen = 0;

    (void)state;
    make_sample(5, "lh", &good);
    for (size_t pos = 0; pos < 3 * (size_t)4096; pos++) {
        for (int with = 0; with < 3; with++) {
            static const char bytes[] = { 0, 1, (char)0xff };
            struct strbuf copy = { 0 };
            struct hive *hive = NULL;
            struct err err = ERR_NONE;

            strbuf_add(&copy, good.data, good.len);
            copy.data[pos] = (char)(copy.data[pos] ^ bytes[with]);
            if (bytes[with] == 0)
                copy.data[pos] = 0;
            regf_base_complete(copy.data, 7, (uint32_t)copy.len - REGF_BASE_LEN);
            if (hive_from_bytes(&copy, "TEST", &hive, &err) == 0) {
                ask_all(hive);
                n_seen += hive_check(hive, &err) < 0;
            }
            hive_free(hive);
            strbuf_done(&copy);
        }
    }
    assert_true(n_seen > 500);
    strbuf_done(&good);
}

static void loops_and_depth_end(void **state)
{
    struct strbuf bytes = { 0 };
    struct err err = ERR_NONE;
    struct hive_make make;
    struct hive *hive;
    uint32_t key, last;
    char text[2048];

    (void)state;
    make_begin(&make, 3);
    last = make.root;
    for (int i = 0; i < 600; i++) {
        key = make_key(&make, last, "k");
        make_give(&make, last, make_list(&make, "li", &key, 1), 1);
        last = key;
    }
    make_end(&make, 1, 1, &bytes);
    hive = open_bytes(&bytes);
    assert_int_equal(hive_check(hive, &err), -EBADMSG);
    assert_non_null(strstr(err_text(&err, text, sizeof(text)), "too deeply"));
    err_clear(&err);
    hive_free(hive);
    make_begin(&make, 3);
    key = make_key(&make, make.root, "k");
    make_give(&make, make.root, make_list(&make, "li", &key, 1), 1);
    make_give(&make, key, make_list(&make, "li", &key, 1), 1);
    make_end(&make, 1, 1, &bytes);
    hive = open_bytes(&bytes);
    assert_int_equal(hive_has_key(hive, "k\\k\\k\\k", &err), 1);
    assert_int_equal(hive_check(hive, &err), -EBADMSG);
    hive_free(hive);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_is_seen),
        cmocka_unit_test(any_byte_may_be_wrong),
        cmocka_unit_test(loops_and_depth_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
