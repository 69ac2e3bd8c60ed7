/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hives of every shape, made cell by cell, are read, in memory and from files with their logs. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "engine/base/io.h"
#include "engine/base/le.h"
#include "engine/hive.h"
#include "engine/hive_parts.h"
#include "tests/unit/hive_sample.h"

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

        cmocka_unit_test(little_is_read),        cmocka_unit_test(logs_are_found),
        cmocka_unit_test(files_that_are_none),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
