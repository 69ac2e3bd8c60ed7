/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* INF files as text: encodings, quotes, comments, continuation, tokens, limits. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/strbuf.h"
#include "fixers/windows/inf.h"
#include "tests/unit/unit.h"

static struct inf *parse(const void *bytes, size_t len)
{
    struct inf *inf = NULL;
    struct err err = ERR_NONE;

    assert_int_equal(inf_parse(bytes, len, &inf, &err), 0);
    return inf;
}

/* "[section]key=field|field/=field..." */
static char *dump(const struct inf *inf)
{
    struct strbuf text = { 0 };

    for (size_t i = 0; i < inf->n_sections; i++) {
        strbuf_printf(&text, "[%s]", inf->sections[i].name);
        for (size_t k = 0; k < inf->sections[i].n_lines; k++) {
            const struct inf_line *line = &inf->sections[i].lines[k];

            strbuf_printf(&text, "%s%s=", k ? "/" : "", line->key);
            for (size_t f = 0; f < line->fields.n; f++)
                strbuf_printf(&text, "%s%s", f ? "|" : "", line->fields.items[f]);
        }
    }
    return strbuf_take(&text);
}

static void texts(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "", "" },
        { "stray = line\r\n[a]\r\nk = v\r\n", "[a]k=v" },
        { "[a]\nk=1\n[b]\n[A]\nK=2", "[a]k=1/K=2[b]" },
        { "[a] ; comment\n k = v ; comment\n; k = w\n\n\t;", "[a]k=v" },
        { "[a]\nk = \"v ; w\" ; x", "[a]k=v ; w" },
        { "[a]\nk = \"\"\"v\"\"w\", \"\" ,x", "[a]k=\"v\"w||x" },
        { "[a]\nk = x\"y, z\"  w  ", "[a]k=xy, z  w" },
        { "[a]\nk = \"  v  \"", "[a]k=  v  " },
        { "[a]\nk = \"open, to the end ; here\nm", "[a]k=open, to the end ; here/=m" },
        { "[a]\nHKR,,CoInstallers32,0x00010000,\"c.dll,Install\", \\\n    \"d.dll,Install\"",
          "[a]=HKR||CoInstallers32|0x00010000|c.dll,Install|d.dll,Install" },
        { "[a]\nk = v \\ ; comment\r\n  w\nx", "[a]k=vw/=x" },
        { "[a]\nk = \\\\server\\share, c:\\dir\\\\x", "[a]k=\\\\server\\share|c:\\dir\\\\x" },
        { "[a]\nk = v\\", "[a]k=v" },
        { "[a]\n\"k=l\" = v=w", "[a]k=l=v=w" },
        { "[a]\nx,y=z", "[a]=x|y=z" },
        { "[a]\nv.sys,,,2\nv.sys = 1,,\nk=\nl=;", "[a]=v.sys|||2/v.sys=1||/k=/l=" },
        { "[a]\nt = %X%, %%S%%, \"%x%\", %12%\\f, 50%, %no%\n%x%y = z\n"
          "[Strings]\nX = \"a,b\"\nx%z=1",
          "[a]t=a,b|%S%|a,b|%12%\\f|50%|%no%/a,by=z[Strings]X=a,b/x%z=1" },
        { "[a]\nt = %x%\n[Strings.0409]\nx=en\n[Strings.0407]\nx=de\n[Strings]\nx=plain",
          "[a]t=en[Strings.0409]x=en[Strings.0407]x=de[Strings]x=plain" },
        { "[a]\nt = %x%\n[Strings]\nx=\"%x%%x%\"\nx = %y%\ny=1",
          "[a]t=%y%[Strings]x=%x%%x%/x=%y%/y=1" },
        { "[un closed\nk=v", "[un closed]k=v" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct inf *inf = parse(cases[i].text, strlen(cases[i].text));
        char *text = dump(inf);

        print_message("case %zu\n", i);
        assert_string_equal(text, cases[i].want);
        free(text);
        inf_free(inf);
    }
}

static void encodings(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        { "[a]\nk=\xc3\xa9", 8 },
        { "[a]\nk=\xe9", 7 },
        { "\xef\xbb\xbf[a]\nk=\xc3\xa9", 11 },
        { "\xff\xfe[\0a\0]\0\n\0k\0=\0\xe9\0", 16 },
        { "\xfe\xff\0[\0a\0]\0\n\0k\0=\0\xe9", 16 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct inf *inf = parse(cases[i].bytes, cases[i].len);

        print_message("case %zu\n", i);
        assert_string_equal(inf_value(inf_section(inf, "A"), "K"), "\xc3\xa9");
        inf_free(inf);
    }
}

static void numbers(void **state)
{
    static const struct {
        const char *text;
        int n;
        uint32_t number;
    } cases[] = {
        { "0", 0, 0 },         { "0x00000002", 0, 2 }, { "0XFFffFFff", 0, 0xffffffffU },
        { "10", 0, 10 },       { "010", 0, 10 },       { "", -EINVAL, 0 },
        { "0x", -EINVAL, 0 },  { "-1", -EINVAL, 0 },   { "4294967296", -EINVAL, 0 },
        { "1 2", -EINVAL, 0 }, { "%X%", -EINVAL, 0 },  { "0x1ffffffff", -EINVAL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint32_t number = 0;

        print_message("case: %s\n", cases[i].text);
        assert_int_equal(inf_number(cases[i].text, &number), cases[i].n);
        assert_int_equal(number, cases[i].number);
    }
}

/* @before and @after with a number between them, again and again. */
static void add_many(struct strbuf *text, const char *before, const char *after, size_t times)
{
    for (size_t i = 0; i < times; i++)
        strbuf_printf(text, "%s%zu%s", before, i, after);
}

static void expect_refused(struct strbuf *text, int want)
{
    struct inf *inf = NULL;
    struct err err = ERR_NONE;

    assert_int_equal(inf_parse(strbuf_text(text), text->len, &inf, &err), want);
    assert_null(inf);
    strbuf_done(text);
}

/* What is larger than any driver has is refused, before it costs memory or time. */
static void limits(void **state)
{
    struct strbuf text = { 0 };

    (void)state;
    add_many(&text, "[", "]\n", INF_SECTIONS_MAX + 1);
    expect_refused(&text, -EFBIG);
    strbuf_puts(&text, "[a]\n");
    add_many(&text, "l", "\n", INF_LINES_MAX + 1);
    expect_refused(&text, -EFBIG);
    strbuf_puts(&text, "[a]\n");
    add_many(&text, "", ",", INF_FIELDS_MAX + 1);
    expect_refused(&text, -EFBIG);
    strbuf_puts(&text, "[Strings]\nx=");
    add_many(&text, "0123456789", "", 1000);
    strbuf_puts(&text, "\n[a]\nk=");
    add_many(&text, "%x%", "", 1000);
    expect_refused(&text, -EFBIG);
    add_many(&text, "; a comment of some length ", "\n", INF_MAX / 25);
    expect_refused(&text, -EFBIG);
    strbuf_add(&text, "[a]\0", 4);
    expect_refused(&text, -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(encodings),
        cmocka_unit_test(numbers),
        cmocka_unit_test(limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
