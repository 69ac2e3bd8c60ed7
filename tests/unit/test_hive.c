/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hives of every shape, made cell by cell, are read; each field that is spoilt is an error. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "engine/base/io.h"
#include "engine/base/le.h"
#include "engine/hive.h"
#include "engine/hive_parts.h"
#include "tests/unit/hive_make.h"

#define BIG 40000U

static uint8_t big[BIG];

/* Where things lie in the hive of make_sample(). */
static struct {
    uint32_t control, services, disk, values, vk_text, vk_big, vk_two, list, index, leaf, sk;
} at;

/* \Control (values of every kind), \Größe, \Services\{Disk, viostor}, \many (lists in a list) */
static void make_sample(uint32_t minor, const char *kind, struct strbuf *ret)
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

static struct hive *open_bytes(struct strbuf *bytes)
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

static void expect_sound(struct hive *hive)
{
    struct err err = ERR_NONE;
    char text[ERR_TEXT];

    if (hive_check(hive, &err) < 0)
        print_message("%s\n", err_text(&err, text, sizeof(text)));
    assert_int_equal(err.code, 0);
}

static void expect_keys(struct hive *hive, const char *key, const char *want)
{
    struct strlist keys = { 0 };
    struct strbuf all = { 0 };
    struct err err = ERR_NONE;

    assert_int_equal(hive_keys(hive, key, &keys, &err), 1);
    for (size_t i = 0; i < keys.n; i++)
        strbuf_printf(&all, "%s|", keys.items[i]);
    assert_string_equal(strbuf_text(&all), want);
    strbuf_done(&all);
    strlist_done(&keys);
}

static void keys_are_found(void **state)
{
    static const char *const kinds[] = { "li", "lf", "lh" };
    static const struct {
        const char *key;
        int found;
    } cases[] = {
        { "", 1 },
        { "Control", 1 },
        { "cONTROL", 1 },
        { "\\Control\\", 1 },
        { "Services\\DISK", 1 },
        { "gRÖSSE", 0 },
        { "GRÖßE \xe6\x97\xa5", 1 },
        { "größe \xe6\x97\xa6", 0 },
        { "Contro", 0 },
        { "Control\\x", 0 },
        { "Services\\Disk\\x\\y", 0 },
        { "many\\A0", 1 },
        { "many\\b1", 1 },
        { "many\\c1", 1 },
        { "many\\c2", 0 },
    };

    (void)state;
    for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
        struct strbuf bytes = { 0 };
        struct err err = ERR_NONE;
        struct hive *hive;

        make_sample(5, kinds[kind], &bytes);
        hive = open_bytes(&bytes);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
            print_message("case: %s %s\n", kinds[kind], cases[i].key);
            assert_int_equal(hive_has_key(hive, cases[i].key, &err), cases[i].found);
        }
        expect_keys(hive, "", "Control|Größe \xe6\x97\xa5|many|Services|");
        expect_keys(hive, "many", "a0|a1|b0|b1|c0|c1|");
        expect_keys(hive, "Services\\viostor", "");
        expect_sound(hive);
        hive_free(hive);
    }
}

static void values_are_read(void **state)
{
    static const struct {
        const char *name;
        uint32_t type;
        const void *data;
        size_t len;
    } want[] = {
        { "", REG_SZ, "d\0\0", 4 },
        { "TEXT", REG_SZ, "a\0b\0\0", 6 },
        { "empty", REG_NONE, "", 0 },
        { "byte", REG_BINARY, "\xff", 1 },
        { "number", REG_DWORD, "\4\3\2\1", 4 },
        { "Segment", REG_BINARY, big, HIVE_SEGMENT },
        { "big", REG_BINARY, big, BIG },
        { "\xf0\x9f\x98\x80", REG_QWORD, "\1\0\0\0\0\0\0", 8 },
    };

    (void)state;
    for (uint32_t minor = 3; minor <= 5; minor++) {
        struct strbuf bytes = { 0 };
        struct err err = ERR_NONE;
        struct hive_value value;
        struct hive_values all = { 0 };
        struct hive *hive;

        make_sample(minor, "lf", &bytes);
        hive = open_bytes(&bytes);
        expect_sound(hive);
        assert_int_equal(hive_get_all(hive, "control", &all, &err), 1);
        assert_int_equal(all.n, ARRAY_SIZE(want));
        for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
            print_message("case: %s\n", want[i].name);
            assert_int_equal(hive_get(hive, "control", want[i].name, &value, &err), 1);
            assert_int_equal(value.type, want[i].type);
            assert_int_equal(value.len, want[i].len);
            assert_memory_equal(value.data, want[i].data, want[i].len);
            assert_string_equal(value.name, all.items[i].name);
            assert_memory_equal(all.items[i].data, want[i].data, want[i].len);
            hive_value_done(&value);
        }
        hive_values_done(&all);
        assert_int_equal(hive_get(hive, "control", "none", &value, &err), 0);
        assert_int_equal(hive_get(hive, "none", "", &value, &err), 0);
        assert_int_equal(hive_get_all(hive, "none", &all, &err), 0);
        assert_int_equal(hive_get_all(hive, "Services", &all, &err), 1);
        assert_int_equal(all.n, 0);
        hive_free(hive);
    }
}

static void values_have_a_meaning(void **state)
{
    static const struct {
        uint32_t type;
        const char *data;
        size_t len;
        const char *text, *list; /* NULL: it is none */
    } cases[] = {
        { REG_SZ, "a\0b\0\0\0", 6, "ab", "ab|" },
        { REG_SZ, "a\0b\0", 4, "ab", "ab|" },
        { REG_SZ, "a\0b\0c", 5, "ab", "ab|" },
        { REG_SZ, "a\0\0\0b\0", 6, "a", "a|" },
        { REG_EXPAND_SZ, "\xe4\0", 2, "ä", "ä|" },
        { REG_SZ, "\x3d\xd8\x00\xde", 4, "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80|" },
        { REG_SZ, "\x3d\xd8\x41\x00", 4,
          "\xef\xbf\xbd"
          "A",
          "\xef\xbf\xbd"
          "A|" },
        { REG_SZ, "", 0, "", "" },
        { REG_MULTI_SZ, "a\0\0\0b\0c\0\0\0\0\0", 12, NULL, "a|bc|" },
        { REG_MULTI_SZ, "a\0\0\0b\0", 6, NULL, "a|b|" },
        { REG_MULTI_SZ, "\0\0", 2, NULL, "" },
        { REG_MULTI_SZ, "", 0, NULL, "" },
        { REG_BINARY, "a\0\0\0", 4, NULL, NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct hive_value value;
        struct strlist list = { 0 };
        struct strbuf all = { 0 };
        char *text;

        hive_make_data(&value, "x", cases[i].type, cases[i].data, cases[i].len);
        text = hive_value_text(&value);
        assert_int_equal(text != NULL, cases[i].text != NULL);
        if (text)
            assert_string_equal(text, cases[i].text);
        assert_int_equal(hive_value_list(&value, &list), cases[i].list != NULL);
        for (size_t j = 0; j < list.n; j++)
            strbuf_printf(&all, "%s|", list.items[j]);
        if (cases[i].list)
            assert_string_equal(strbuf_text(&all), cases[i].list);
        strbuf_done(&all);
        strlist_done(&list);
        hive_value_done(&value);
        free(text);
    }
}

static void numbers_and_what_is_made(void **state)
{
    struct strlist list = { 0 };
    struct hive_value value;
    uint32_t number = 0;

    (void)state;
    hive_make_u32(&value, "n", 0x12345678);
    assert_int_equal(value.type, REG_DWORD);
    assert_memory_equal(value.data, "\x78\x56\x34\x12", 4);
    assert_true(hive_value_u32(&value, &number));
    assert_int_equal(number, 0x12345678);
    value.type = REG_BINARY;
    assert_false(hive_value_u32(&value, &number));
    hive_value_done(&value);
    hive_make_data(&value, "q", REG_QWORD, "\5\0\0\0\0\0\0\0", 8);
    assert_true(hive_value_u32(&value, &number));
    assert_int_equal(number, 5);
    ((char *)value.data)[5] = 1;
    assert_false(hive_value_u32(&value, &number));
    hive_value_done(&value);
    hive_make_text(&value, "t", REG_EXPAND_SZ, "\xf0\x9f\x98\x80");
    assert_int_equal(value.len, 6);
    assert_memory_equal(value.data, "\x3d\xd8\x00\xde\0\0", 6);
    hive_value_done(&value);
    strlist_add(&list, "a");
    strlist_add(&list, "b");
    hive_make_list(&value, "l", &list);
    assert_int_equal(value.type, REG_MULTI_SZ);
    assert_int_equal(value.len, 10);
    assert_memory_equal(value.data, "a\0\0\0b\0\0\0\0\0", 10);
    hive_value_done(&value);
    strlist_done(&list);
}

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

/* ---- files ---- */

static struct {
    char *folder;
    struct guest_root *root;
} files;

static int setup(void **state)
{
    struct err err = ERR_NONE;
    int fd;

    (void)state;
    files.folder = mem_strdup("/tmp/test_hive.XXXXXX");
    assert_non_null(mkdtemp(files.folder));
    fd = open(files.folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(guest_root_new(fd, &files.root, &err), 0);
    (void)close(fd);
    return 0;
}

static char *path_of(const char *name)
{
    return mem_printf("%s/%s", files.folder, name);
}

static int teardown(void **state)
{
    static const char *const names[] = { "big",       "dirty", "DIRTY.Log1", "dirty.LOG2",
                                         "dirty.log", "short", "text" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char *path = path_of(names[i]);

        (void)unlink(path);
        free(path);
    }
    assert_int_equal(rmdir(files.folder), 0);
    guest_root_free(files.root);
    free(files.folder);
    return 0;
}

static void put(const char *name, const void *data, size_t len)
{
    struct err err = ERR_NONE;
    char *path = path_of(name);

    assert_int_equal(io_write_file(path, data, len, 0600, &err), 0);
    free(path);
}

/* Of a hive of some megabytes only what is asked for is read. */
static void little_is_read(void **state)
{
    struct strbuf bytes = { 0 };
    struct err err = ERR_NONE;
    struct hive_make make;
    struct hive *hive = NULL;
    uint32_t key;
    size_t n = 0;

    (void)state;
    make_begin(&make, 5);
    key = make_key(&make, make.root, "Select");
    make_give(&make, make.root, make_list(&make, "lh", &key, 1), 1);
    for (int i = 0; i < 100; i++)
        (void)make_cell(&make, big, sizeof(big));
    make_end(&make, 1, 1, &bytes);
    put("big", bytes.data, bytes.len);
    assert_int_equal(hive_open(files.root, "/big", &hive, &err), 0);
    assert_int_equal(hive_has_key(hive, "select", &err), 1);
    for (size_t i = 0; i < bytes.len / 65536 / 8; i++)
        n += (size_t)__builtin_popcount(hive->loaded[i]);
    assert_int_equal(n, 1);
    expect_sound(hive);
    hive_free(hive);
    strbuf_done(&bytes);
}

/* A log that says in the old format: the name of the key at @cell begins with "X". */
static void make_log(const struct strbuf *hive, uint32_t cell, struct strbuf *ret)
{
    uint32_t n = ((uint32_t)hive->len - REGF_BASE_LEN) / 512, sector = (cell + 4 + 76) / 512;
    uint8_t head[1024] = { 0 }, page[512];

    memcpy(head, hive->data, 512);
    regf_base_complete(head, 9, n * 512);
    head[508] ^= REGF_LOG_OLD;
    head[28] = REGF_LOG_OLD;
    put_le32(head + 512, 0x54524944); /* DIRT */
    head[516 + sector / 8] |= (uint8_t)(1U << sector % 8);
    memcpy(page, hive->data + REGF_BASE_LEN + (size_t)sector * 512, 512);
    page[(cell + 4 + 76) % 512] = 'X';
    strbuf_add(ret, head, (516 + n / 8 + 511) / 512 * 512UL);
    strbuf_add(ret, page, sizeof(page));
}

static void logs_are_found(void **state)
{
    static const char *const names[] = { "DIRTY.Log1", "dirty.LOG2", "dirty.log" };
    struct strbuf bytes = { 0 }, log = { 0 };
    struct hive_make make;
    uint32_t key;

    (void)state;
    make_begin(&make, 3);
    key = make_key(&make, make.root, "Key");
    make_give(&make, make.root, make_list(&make, "lf", &key, 1), 1);
    make_end(&make, 8, 7, &bytes);
    make_log(&bytes, key, &log);
    put("dirty", bytes.data, bytes.len);
    for (size_t i = 0; i < ARRAY_SIZE(names) + 1; i++) {
        struct err err = ERR_NONE;
        struct hive *hive = NULL;
        char *path = path_of(i > 0 ? names[i - 1] : "none");

        if (i > 0)
            put(names[i - 1], log.data, log.len);
        assert_int_equal(hive_open(files.root, "/dirty", &hive, &err), 0);
        assert_int_equal(hive_recovery(hive)->state, i > 0 ? REGF_RECOVERED : REGF_NO_LOG);
        expect_keys(hive, "", i > 0 ? "Xey|" : "Key|");
        hive_free(hive);
        (void)unlink(path);
        free(path);
    }
    strbuf_done(&bytes);
    strbuf_done(&log);
}

static void files_that_are_none(void **state)
{
    struct strbuf bytes = { 0 };
    struct err err = ERR_NONE;
    struct hive *hive = NULL;

    (void)state;
    assert_int_equal(hive_open(files.root, "/nothing", &hive, &err), -ENOENT);
    err_clear(&err);
    put("text", "regf", 4);
    assert_int_equal(hive_open(files.root, "/text", &hive, &err), -EBADMSG);
    err_clear(&err);
    make_empty(5, &bytes);
    put("short", bytes.data, bytes.len - 1);
    assert_int_equal(hive_open(files.root, "/short", &hive, &err), -EBADMSG);
    err_clear(&err);
    put_le32(bytes.data + 24, 7);
    regf_base_complete(bytes.data, 1, 4096);
    assert_int_equal(hive_from_bytes(&bytes, "NEW", &hive, &err), -EBADMSG);
    assert_null(hive);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_found),        cmocka_unit_test(values_are_read),
        cmocka_unit_test(values_have_a_meaning), cmocka_unit_test(numbers_and_what_is_made),
        cmocka_unit_test(damage_is_seen),        cmocka_unit_test(any_byte_may_be_wrong),
        cmocka_unit_test(loops_and_depth_end),   cmocka_unit_test(little_is_read),
        cmocka_unit_test(logs_are_found),        cmocka_unit_test(files_that_are_none),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
