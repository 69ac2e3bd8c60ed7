/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "inspect/crypttab.h"
#include "inspect/fstab.h"
#include "tests/unit/unit.h"

/* The text with the source of every entry changed to @with. */
static char *with_sources(const char *text, const char *with)
{
    struct edits edits = { 0 };
    struct fstab fstab;
    char *out;

    fstab_parse(text, strlen(text), &fstab);
    for (size_t i = 0; i < fstab.n; i++)
        edits_add(&edits, fstab.entries[i].source_at, with);
    out = edits_apply(&edits, text, strlen(text), NULL);
    edits_done(&edits);
    fstab_done(&fstab);
    return out;
}

static const struct {
    const char *label, *in;
    const char *source, *target, *type, *options; /* of the first entry; source NULL: none */
    const char *edited;                           /* with the source changed to U */
} cases[] = {
    { "plain", "/dev/sda1 / ext4 rw,noatime 0 1\n", "/dev/sda1", "/", "ext4", "rw,noatime",
      "U / ext4 rw,noatime 0 1\n" },
    { "tabs and columns", "\t/dev/sda1\t\t/   ext4\trw  0 1 \n", "/dev/sda1", "/", "ext4", "rw",
      "\tU\t\t/   ext4\trw  0 1 \n" },
    { "comment", "# /dev/sda1 / ext4\n  #x y\n", NULL, NULL, NULL, NULL,
      "# /dev/sda1 / ext4\n  #x y\n" },
    { "no newline at the end", "/dev/sda1 / xfs", "/dev/sda1", "/", "xfs", "", "U / xfs" },
    { "CRLF", "/dev/sda1 / xfs defaults\r\n#\r\n", "/dev/sda1", "/", "xfs", "defaults",
      "U / xfs defaults\r\n#\r\n" },
    { "quoted tag", "UUID=\"ab-cd\" / ext4 rw\n", "UUID=ab-cd", "/", "ext4", "rw",
      "U / ext4 rw\n" },
    { "quoted field", "\"/dev/sda1\" / ext4 rw\n", "/dev/sda1", "/", "ext4", "rw",
      "U / ext4 rw\n" },
    { "octal", "LABEL=my\\040disk /mnt/a\\011b ext4 x\\134y\n", "LABEL=my disk", "/mnt/a\tb",
      "ext4", "x\\y", "U /mnt/a\\011b ext4 x\\134y\n" },
    { "octal NUL and bytes above 255 stay", "a\\000b /c\\777 t\n", "a\\000b", "/c\\777", "t", "",
      "U /c\\777 t\n" },
    { "comment behind the fields", "/dev/sda1 / ext4 # root\n", "/dev/sda1", "/", "ext4", "",
      "U / ext4 # root\n" },
    { "one field", "/dev/sda1\n", NULL, NULL, NULL, NULL, "/dev/sda1\n" },
    { "empty", "", NULL, NULL, NULL, NULL, "" },
    { "lonely quote", "\" / ext4\n", "\"", "/", "ext4", "", "U / ext4\n" },
};

static void reads_fields_and_edits_only_the_source(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fstab fstab;
        char *edited = with_sources(cases[i].in, "U");

        print_message("case: %s\n", cases[i].label);
        fstab_parse(cases[i].in, strlen(cases[i].in), &fstab);
        assert_int_equal(fstab.n, cases[i].source != NULL);
        if (fstab.n > 0) {
            assert_string_equal(fstab.entries[0].source, cases[i].source);
            assert_string_equal(fstab.entries[0].target, cases[i].target);
            assert_string_equal(fstab.entries[0].type, cases[i].type);
            assert_string_equal(fstab.entries[0].options, cases[i].options);
        }
        assert_string_equal(edited, cases[i].edited);
        fstab_done(&fstab);
        free(edited);
    }
}

static void keeps_the_order_of_several_lines(void **state)
{
    static const char text[] = "/dev/sda1 / ext4\n\n/dev/sda5 none swap sw 0 0\nx /y z\n";
    char *edited = with_sources(text, "UUID=longer-than-before");
    struct fstab fstab;

    (void)state;
    fstab_parse(text, strlen(text), &fstab);
    assert_int_equal(fstab.n, 3);
    assert_string_equal(fstab.entries[1].target, "none");
    assert_string_equal(fstab.entries[2].source, "x");
    assert_string_equal(edited, "UUID=longer-than-before / ext4\n\n"
                                "UUID=longer-than-before none swap sw 0 0\n"
                                "UUID=longer-than-before /y z\n");
    fstab_done(&fstab);
    free(edited);
}

static void escapes_round_trip(void **state)
{
    static const char *const values[] = { "LABEL=a b", "a\tb\\c", "#x", "plain", "a\nb" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        char *escaped = field_escape(values[i]);
        char *back = span_unescape(escaped, (struct span){ .len = strlen(escaped) }, false);

        assert_null(strpbrk(escaped, " \t\n"));
        assert_true(escaped[0] != '#');
        assert_string_equal(back, values[i]);
        free(escaped);
        free(back);
    }
}

static void finds_options_in_lists(void **state)
{
    char *value = list_value("rw,subvol=@,x=1", "subvol");

    (void)state;
    assert_string_equal(value, "@");
    assert_null(list_value("rw,nofail", "nofail"));
    assert_true(list_has("rw,nofail", "nofail"));
    assert_true(list_has("subvol=@,rw", "subvol"));
    assert_false(list_has("rw,nofail2", "nofail"));
    assert_false(list_has("xnofail", "nofail"));
    assert_false(list_has("", "nofail"));
    free(value);
}

static void edits_outside_or_overlapping_are_left_out(void **state)
{
    struct edits edits = { 0 };
    char *out;

    (void)state;
    edits_add(&edits, (struct span){ .start = 4, .len = 2 }, "EF");
    edits_add(&edits, (struct span){ .start = 0, .len = 1 }, "A");
    edits_add(&edits, (struct span){ .start = 5, .len = 1 }, "no");
    edits_add(&edits, (struct span){ .start = 7, .len = (size_t)-1 }, "no");
    edits_add(&edits, (struct span){ .start = 99 }, "no");
    edits_add(&edits, (struct span){ .start = 8 }, "!");
    edits_add(&edits, (struct span){ .start = 8 }, "?");
    out = edits_apply(&edits, "abcdefgh", 8, NULL);
    assert_string_equal(out, "AbcdEFgh!?");
    free(out);
    edits_done(&edits);
}

static void crypttab_has_device_and_key(void **state)
{
    static const char text[] = "# name dev\nroot\tUUID=\"1-2\"  none luks,discard\r\n"
                               "swap /dev/sda3 /dev/urandom\nshort\n";
    struct crypttab crypttab;
    struct edits edits = { 0 };
    char *out;

    (void)state;
    crypttab_parse(text, strlen(text), &crypttab);
    assert_int_equal(crypttab.n, 2);
    assert_string_equal(crypttab.entries[0].name, "root");
    assert_string_equal(crypttab.entries[0].device, "UUID=1-2");
    assert_string_equal(crypttab.entries[0].key, "none");
    assert_string_equal(crypttab.entries[0].options, "luks,discard");
    assert_string_equal(crypttab.entries[1].key, "/dev/urandom");
    assert_string_equal(crypttab.entries[1].options, "");
    edits_add(&edits, crypttab.entries[1].device_at, "UUID=3");
    edits_add(&edits, crypttab.entries[1].key_at, "K");
    out = edits_apply(&edits, text, strlen(text), NULL);
    assert_string_equal(out, "# name dev\nroot\tUUID=\"1-2\"  none luks,discard\r\n"
                             "swap UUID=3 K\nshort\n");
    free(out);
    edits_done(&edits);
    crypttab_done(&crypttab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_fields_and_edits_only_the_source),
        cmocka_unit_test(keeps_the_order_of_several_lines),
        cmocka_unit_test(escapes_round_trip),
        cmocka_unit_test(finds_options_in_lists),
        cmocka_unit_test(edits_outside_or_overlapping_are_left_out),
        cmocka_unit_test(crypttab_has_device_and_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
