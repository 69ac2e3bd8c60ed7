/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UTF-16 to UTF-8 and back, whole and broken. */
#include <string.h>

#include "engine/base/utf16.h"
#include "tests/unit/unit.h"

static const struct {
    const char *utf8, *units; /* little endian */
    size_t len;
} pairs[] = {
    { "", "", 0 },
    { "Az", "A\0z", 4 },
    { "\xc3\xa9\xe2\x82\xac", "\xe9\0\xac\x20", 4 },
    { "\xf0\x9f\x98\x80!", "\x3d\xd8\x00\xde!", 6 },
    { "\xf4\x8f\xbf\xbf", "\xff\xdb\xff\xdf", 4 },
};

static void both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        struct strbuf text = { 0 }, units = { 0 }, swapped = { 0 }, again = { 0 };

        utf16_to_utf8(pairs[i].units, pairs[i].len, false, &text);
        assert_string_equal(strbuf_text(&text), pairs[i].utf8);
        utf16_from_utf8(pairs[i].utf8, strlen(pairs[i].utf8), &units);
        assert_int_equal(units.len, pairs[i].len);
        assert_memory_equal(strbuf_text(&units), pairs[i].units, pairs[i].len);
        for (size_t at = 0; at < units.len; at += 2) {
            strbuf_putc(&swapped, units.data[at + 1]);
            strbuf_putc(&swapped, units.data[at]);
        }
        utf16_to_utf8(strbuf_text(&swapped), swapped.len, true, &again);
        assert_string_equal(strbuf_text(&again), pairs[i].utf8);
        strbuf_done(&text);
        strbuf_done(&units);
        strbuf_done(&swapped);
        strbuf_done(&again);
    }
}

/* Halves of pairs, an odd byte. */
static void broken_units(void **state)
{
    static const struct {
        const char *units, *utf8;
        size_t len;
    } cases[] = {
        { "\x3d\xd8", "\xef\xbf\xbd", 2 },
        { "\x3d\xd8x", "\xef\xbf\xbd", 3 },
        { "\x3d\xd8x\0", "\xef\xbf\xbdx", 4 },
        { "\x00\xdex\0", "\xef\xbf\xbdx", 4 },
        { "a\0b", "a", 3 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf text = { 0 };

        utf16_to_utf8(cases[i].units, cases[i].len, false, &text);
        assert_string_equal(strbuf_text(&text), cases[i].utf8);
        strbuf_done(&text);
    }
}

/* Overlong, cut, surrogates, too large, a lone tail: each byte of them stands for itself. */
static void broken_text(void **state)
{
    static const char *const cases[] = {
        "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8", "\x80", "\xe2\x82",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf units = { 0 };
        unsigned c = 0;

        assert_int_equal(utf8_decode(cases[i], strlen(cases[i]), &c), 0);
        utf16_from_utf8(cases[i], strlen(cases[i]), &units);
        assert_int_equal(units.len, 2 * strlen(cases[i]));
        assert_memory_equal(strbuf_text(&units), "\xfd\xff", 2);
        strbuf_done(&units);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways),
        cmocka_unit_test(broken_units),
        cmocka_unit_test(broken_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
