/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hives as .reg files and back. Lines that are wrapped look as regedit's own do. */
#include <errno.h>
#include <stdlib.h>

#include "engine/base/utf16.h"
#include "engine/regfile.h"
#include "tests/unit/hive_dump.h"
#include "tests/unit/hive_make.h"

#define HEAD "Windows Registry Editor Version 5.00\r\n\r\n"
#define TOP "HKEY_LOCAL_MACHINE\\SYSTEM"

static const struct regfile_map maps[] = {
    { TOP "\\CurrentControlSet", "ControlSet002" },
    { TOP, "" },
};

static struct hive *open_bytes(struct strbuf *bytes)
{
    struct hive *hive = NULL;
    struct err err = ERR_NONE;

    assert_int_equal(hive_from_bytes(bytes, "TEST", &hive, &err), 0);
    return hive;
}

static struct hive *open_empty(uint32_t minor)
{
    struct strbuf bytes = { 0 };

    make_empty(minor, &bytes);
    return open_bytes(&bytes);
}

/* The .reg file of @key in UTF-8, without its mark. */
static char *export_text(struct hive *hive, const char *key)
{
    struct strbuf file = { 0 }, text = { 0 };
    struct err err = ERR_NONE;
    char *as = mem_printf("%s%s%s", TOP, *key ? "\\" : "", key);

    assert_int_equal(regfile_export(hive, key, as, &file, &err), 1);
    assert_memory_equal(file.data, "\xff\xfe", 2);
    utf16_to_utf8(file.data + 2, file.len - 2, false, &text);
    strbuf_done(&file);
    free(as);
    return strbuf_take(&text);
}

/* @hive after the edits of @file. */
static struct hive *import(struct hive *hive, const void *file, size_t len)
{
    struct regfile_edits edits = { 0 };
    struct strbuf made = { 0 };
    struct err err = ERR_NONE;
    char text[2048];

    if (regfile_import(file, len, maps, ARRAY_SIZE(maps), &edits, &err) < 0 ||
        hive_edit(hive, edits.items, edits.n, &made, &err) < 0)
        fail_msg("%s", err_text(&err, text, sizeof(text)));
    regfile_edits_done(&edits);
    hive_free(hive);
    return open_bytes(&made);
}

/* \Control with values of all kinds and lengths, \Größe\x */
static void make_sample(uint32_t minor, struct strbuf *ret)
{
    static uint8_t bytes[20000];
    struct hive_make make;
    uint32_t top[2], values[16], last;
    size_t n = 0;

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    make_begin(&make, minor);
    top[0] = make_key(&make, make.root, "Control");
    top[1] = make_key(&make, make.root,
                      "Gr\xc3\xb6\xc3\x9f"
                      "e");
    make_give(&make, make.root, make_list(&make, "lf", top, 2), 2);
    last = make_key(&make, top[1], "x");
    make_give(&make, top[1], make_list(&make, "lf", &last, 1), 1);
    values[n++] = make_value(&make, "", REG_SZ, "d\0\0\0", 4);
    values[n++] = make_value(&make, "a\\b\"c", REG_SZ, "\\\0\"\0\0\0", 6);
    values[n++] = make_value(&make, "open", REG_SZ, "a\0b\0", 4);
    values[n++] = make_value(&make, "two", REG_SZ, "a\0\0\0b\0\0\0", 8);
    values[n++] = make_value(&make, "lines", REG_SZ, "a\0\r\0\n\0\0\0", 8);
    values[n++] = make_value(&make, "half", REG_SZ, "\x3d\xd8\0\0", 4);
    values[n++] = make_value(&make, "none", REG_SZ, "", 0);
    values[n++] = make_value(&make, "number", REG_DWORD, "\x78\x56\x34\x12", 4);
    values[n++] = make_value(&make, "odd", REG_DWORD, "\x78\x56", 2);
    values[n++] = make_value(&make, "nothing", REG_NONE, "", 0);
    values[n++] = make_value(&make, "long", REG_QWORD, bytes, 8);
    values[n++] = make_value(&make, "list", REG_MULTI_SZ, "a\0\0\0\0\0", 6);
    values[n++] = make_value(&make, "strange", 0xffff0007, bytes, 3);
    values[n++] = make_value(&make, "bytes", REG_BINARY, bytes, 100);
    values[n++] = make_value(&make, "\xe6\x97\xa5", REG_EXPAND_SZ, "%\0\0\0", 4);
    make_values(&make, top[0], values, n);
    values[0] = make_value(&make, "much", REG_BINARY, bytes, 16000);
    make_values(&make, last, values, 1);
    make_end(&make, 1, 1, ret);
}

static void exports_look_like_regedit(void **state)
{
    static const char want[] = HEAD
        "[" TOP "\\Control]\r\n"
        "@=\"d\"\r\n"
        "\"a\\\\b\\\"c\"=\"\\\\\\\"\"\r\n"
        "\"open\"=hex(1):61,00,62,00\r\n"
        "\"two\"=hex(1):61,00,00,00,62,00,00,00\r\n"
        "\"lines\"=hex(1):61,00,0d,00,0a,00,00,00\r\n"
        "\"half\"=hex(1):3d,d8,00,00\r\n"
        "\"none\"=hex(1):\r\n"
        "\"number\"=dword:12345678\r\n"
        "\"odd\"=hex(4):78,56\r\n"
        "\"nothing\"=hex(0):\r\n"
        "\"long\"=hex(b):00,01,02,03,04,05,06,07\r\n"
        "\"list\"=hex(7):61,00,00,00,00,00\r\n"
        "\"strange\"=hex(ffff0007):00,01,02\r\n"
        "\"bytes\"=hex:00,01,02,03,04,05,06,07,08,09,0a,0b,0c,0d,0e,0f,10,11,12,13,14,15,\\\r\n"
        "  16,17,18,19,1a,1b,1c,1d,1e,1f,20,21,22,23,24,25,26,27,28,29,2a,2b,2c,2d,2e,\\\r\n"
        "  2f,30,31,32,33,34,35,36,37,38,39,3a,3b,3c,3d,3e,3f,40,41,42,43,44,45,46,47,\\\r\n"
        "  48,49,4a,4b,4c,4d,4e,4f,50,51,52,53,54,55,56,57,58,59,5a,5b,5c,5d,5e,5f,60,\\\r\n"
        "  61,62,63\r\n"
        "\"\xe6\x97\xa5\"=hex(2):25,00,00,00\r\n"
        "\r\n";
    struct strbuf bytes = { 0 };
    struct hive *hive;
    char *text;

    (void)state;
    make_sample(5, &bytes);
    hive = open_bytes(&bytes);
    text = export_text(hive, "Control");
    assert_string_equal(text, want);
    free(text);
    text = export_text(hive, "");
    assert_non_null(strstr(text, HEAD "[" TOP "]\r\n\r\n[" TOP "\\Control]\r\n@="));
    assert_non_null(strstr(text, "\r\n\r\n[" TOP "\\Gr\xc3\xb6\xc3\x9f"
                                 "e]\r\n\r\n[" TOP "\\Gr\xc3\xb6\xc3\x9f"
                                 "e\\x]\r\n\"much\"=hex:00,"));
    free(text);
    hive_free(hive);
}

/* Lines as Windows itself wraps them, by the length of what stands before. */
static void lines_are_wrapped(void **state)
{
    static const struct {
        const char *name, *text, *want;
    } lines[] = {
        { "", "%SystemRoot%\\system32",
          "@=hex(2):25,00,53,00,79,00,73,00,74,00,65,00,6d,00,52,00,6f,00,6f,00,74,00,25,\\\r\n"
          "  00,5c,00,73," },
        { "ImagePath", "system32\\drivers\\a.sys",
          "\"ImagePath\"=hex(2):73,00,79,00,73,00,74,00,65,00,6d,00,33,00,32,00,5c,00,64,00,\\\r\n"
          "  72,00,69,00,76,00,65,00,72,00,73,00,5c,00," },
        { "DevicePath", "%SystemRoot%\\inf",
          "\"DevicePath\"=hex(2):25,00,53,00,79,00,73,00,74,00,65,00,6d,00,52,00,6f,00,6f,\\\r\n"
          "  00,74,00,25,00,5c,00,69,00,6e,00,66,00,00,00\r\n" },
        { "MediaPathUnexpanded", "%SystemRoot%\\Media",
          "\"MediaPathUnexpanded\"=hex(2):25,00,53,00,79,00,73,00,74,00,65,00,6d,00,52,00,\\\r\n"
          "  6f,00,6f,00,74,00,25,00,5c,00,4d,00,65,00,64,00,69,00,61,00,00,00\r\n" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct hive_edit edit = { .kind = HIVE_SET, .key = mem_strdup("k") };
        struct hive *hive = open_empty(5);
        struct strbuf made = { 0 };
        struct err err = ERR_NONE;
        char *text;

        hive_make_text(&edit.value, lines[i].name, REG_EXPAND_SZ, lines[i].text);
        assert_int_equal(hive_edit(hive, &edit, 1, &made, &err), 0);
        hive_free(hive);
        hive = open_bytes(&made);
        text = export_text(hive, "k");
        if (!strstr(text, lines[i].want))
            fail_msg("%s", text);
        free(text);
        hive_edit_done(&edit);
        hive_free(hive);
    }
}

/* Into an empty hive, and into one that has something else. */
static void round_trips_are_exact(void **state)
{
    (void)state;
    for (uint32_t minor = 3; minor <= 5; minor++) {
        struct strbuf bytes = { 0 }, file = { 0 }, again = { 0 };
        struct err err = ERR_NONE;
        struct hive *hive, *other;

        make_sample(minor, &bytes);
        hive = open_bytes(&bytes);
        assert_int_equal(regfile_export(hive, "Control", TOP "\\Control", &file, &err), 1);
        other = import(open_empty(8 - minor), file.data, file.len);
        assert_int_equal(regfile_export(other, "control", TOP "\\Control", &again, &err), 1);
        assert_int_equal(file.len, again.len);
        assert_memory_equal(file.data, again.data, file.len);
        hive_free(other);
        strbuf_done(&again);
        hive = import(hive, file.data, file.len); /* all is so already */
        assert_int_equal(regfile_export(hive, "Control", TOP "\\Control", &again, &err), 1);
        assert_int_equal(file.len, again.len);
        assert_memory_equal(file.data, again.data, file.len);
        hive_free(hive);
        strbuf_done(&file);
        strbuf_done(&again);
    }
}

#define NEW "Windows Registry Editor Version 5.00\n"

static const struct {
    const char *label, *file, *want; /* want: what differs from an empty hive */
} imports[] = {
    { "nothing", NEW, "" },
    { "keys", NEW "[" TOP "\\a]\n[hkey_local_machine\\system\\B\\c]\n", "+B:\n+B\\c:\n+a:\n" },
    { "the control set in use",
      NEW "[" TOP "\\CurrentControlSet\\x]\n[" TOP "\\CurrentControlSetX]",
      "+ControlSet002:\n+ControlSet002\\x:\n+CurrentControlSetX:\n" },
    { "elsewhere", NEW "[HKEY_CURRENT_USER\\a]\n\"x\"=\"y\"\n[" TOP "X\\a]\n\"x\"=-\n", "" },
    { "a mark and CRLF",
      "\xef\xbb\xbfWindows Registry Editor Version 5.00\r\n\r\n[" TOP "\\\xc3\xa4"
      "a]\r\n",
      NULL },
    { "values",
      NEW "[" TOP "]\n@=\"d\"\n\"t\\\\\\\"\"=\"a\\\\b\\\"c\\d\"\n \"n\" = dword:1f ; comment\n"
          "\"e\"=\"\"\n",
      "+:  = 1:64000000\n+: e = 1:0000\n+: n = 4:1f000000\n"
      "+: t\\\" = 1:61005c0062002200630"
      "05c0064000000\n" },
    { "bytes over lines",
      NEW "[" TOP "]\n\"a\"=hex:01,02,\\\n  03 , 4,\\\n\n\"b\"=hex:\\\n  05\n\"c\"=HEX(B):0A\n"
          "\"d\"=hex:01,\\ ; comment\n 02\n\"e\"=hex:\n",
      "+: a = 3:01020304\n+: b = 3:05\n+: c = 11:0a\n+: d = 3:0102\n+: e = 3:\n" },
    { "comments", NEW "; [" TOP "\\no]\n[" TOP "\\yes] ; so\n;\"x\"=\"y\"\n", "+yes:\n" },
    { "later ones count", NEW "[" TOP "\\a]\n\"x\"=\"y\"\n\"x\"=-\n[" TOP "\\b]\n[-" TOP "\\b]\n",
      "+a:\n" },
    { "lines in a text", NEW "[" TOP "]\n\"a\"=\"x\ny\"\n", "+: a = 1:78000a0079000000\n" },
    { "a bracket in a name", NEW "[" TOP "\\a]b]\n", "+a]b:\n" },
    { "the old form",
      "REGEDIT4\r\n\r\n[" TOP "]\r\n\"a\"=\"\xe4\x80\"\r\n\"b\"=hex(2):25,80,00\r\n"
      "\"c\"=hex(7):61,00,00\r\n\"d\"=hex:61\r\n",
      "+: a = 1:e400ac200000\n+: b = 2:2500ac200000\n+: c = 7:610000000000\n+: d = 3:61\n" },
    { "no UTF-8", NEW "[" TOP "]\n\"a\"=\"\xe4\"\n", "+: a = 1:e4000000\n" },
};

static void files_become_edits(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(imports); i++) {
        struct hive *empty = open_empty(5), *hive;
        struct regfile_edits edits = { 0 };
        struct err err = ERR_NONE;
        char *diff;

        print_message("case: %s\n", imports[i].label);
        if (!imports[i].want) { /* a key that is not ASCII can be read, but not made */
            assert_int_equal(regfile_import(imports[i].file, strlen(imports[i].file), maps,
                                            ARRAY_SIZE(maps), &edits, &err),
                             0);
            assert_string_equal(edits.items[0].key, "\xc3\xa4"
                                                    "a");
            regfile_edits_done(&edits);
            hive_free(empty);
            continue;
        }
        hive = import(open_empty(5), imports[i].file, strlen(imports[i].file));
        diff = hive_diff(empty, hive);
        assert_string_equal(diff, imports[i].want);
        free(diff);
        hive_free(hive);
        hive_free(empty);
    }
}

static void what_lies_elsewhere_is_counted(void **state)
{
    static const char file[] = NEW "[HKEY_USERS\\a]\n[" TOP "\\b]\n[-HKEY_USERS\\c]\n";
    struct regfile_edits edits = { 0 };
    struct err err = ERR_NONE;

    (void)state;
    assert_int_equal(regfile_import(file, strlen(file), maps, ARRAY_SIZE(maps), &edits, &err), 0);
    assert_int_equal(edits.n_elsewhere, 2);
    assert_int_equal(edits.n, 1);
    regfile_edits_done(&edits);
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *file, *what;
    } wrong[] = {
        { "", "line 1: the file does not begin" },
        { "x", "line 1: the file does not begin" },
        { "Windows Registry Editor Version 5.000\n", "line 1: there is something after" },
        { NEW "\"a\"=\"b\"\n", "line 2: a value is in no key" },
        { NEW "[-" TOP "\\a]\n\"a\"=\"b\"\n", "line 3: a value is in no key" },
        { NEW "[" TOP "\n", "line 2: a key has no end" },
        { NEW "[" TOP "] x\n", "line 2: there is something after" },
        { NEW "[]\nx\n", "line 3: it is neither" },
        { NEW "[" TOP "]\n\"a\"\n", "line 3: there is no \"=\"" },
        { NEW "[" TOP "]\n\"a", "a text has no end" },
        { NEW "[" TOP "]\n\"a\"=\"b\\\"\n", "a text has no end" },
        { NEW "[" TOP "]\n\"a\"=\"b\" c\n", "line 3: there is something after" },
        { NEW "[" TOP "]\n\"a\"=b\n", "line 3: the value is of no known kind" },
        { NEW "[" TOP "]\n\"a\"=dword:\n", "line 3: a number is missing" },
        { NEW "[" TOP "]\n\"a\"=dword:123456789\n", "line 3: a number has too many" },
        { NEW "[" TOP "]\n\"a\"=hex(:1\n", "line 3: a number is missing" },
        { NEW "[" TOP "]\n\"a\"=hex(1:1\n", "line 3: a type has no end" },
        { NEW "[" TOP "]\n\"a\"=hex 1\n", "line 3: there is no \":\"" },
        { NEW "[" TOP "]\n\"a\"=hex:111\n", "line 3: a number has too many" },
        { NEW "[" TOP "]\n\"a\"=hex:1,g\n", "line 3: there is something after" },
        { NEW "[" TOP "]\n\"a\"=hex:1,\\", "line 3: no line follows" },
        { NEW "[" TOP "]\n\"a\"=hex", "line 3: there is no \":\"" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct regfile_edits edits = { 0 };
        struct err err = ERR_NONE;
        char text[2048];

        print_message("case: %s\n", wrong[i].what);
        assert_int_equal(regfile_import(wrong[i].file, strlen(wrong[i].file), maps,
                                        ARRAY_SIZE(maps), &edits, &err),
                         -EBADMSG);
        assert_null(edits.items);
        if (!strstr(err_text(&err, text, sizeof(text)), wrong[i].what))
            fail_msg("%s", text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exports_look_like_regedit),      cmocka_unit_test(lines_are_wrapped),
        cmocka_unit_test(round_trips_are_exact),          cmocka_unit_test(files_become_edits),
        cmocka_unit_test(what_lies_elsewhere_is_counted), cmocka_unit_test(what_is_wrong_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
