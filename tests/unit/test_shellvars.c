/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "inspect/shellvars.h"
#include "tests/unit/unit.h"

static void reads_values(void **state)
{
    static const struct {
        const char *label, *in, *value; /* of A; NULL: not set */
        bool literal;
    } cases[] = {
        { "bare", "A=x y\n", "x", true },
        { "double quotes", "A=\"x y\"\n", "x y", true },
        { "single quotes", "A='x $y'\n", "x $y", true },
        { "escapes", "A=\"a\\\"b\\$c\\\\d\\n\"\n", "a\"b$c\\d\\n", true },
        { "expansion", "A=\"root=$X quiet\"\n", "root=$X quiet", false },
        { "command", "A=`lsb_release -i`\n", "`lsb_release", false },
        { "pieces", "A=a\"b c\"'d'\n", "ab cd", true },
        { "last one wins", "A=1\nA=2\n", "2", true },
        { "comment", "#A=1\n", NULL, true },
        { "indented in a condition", "if x; then\n  A=1\nfi\n", "1", true },
        { "export", "export A=1\n", "1", true },
        { "empty", "A=\n", "", true },
        { "no newline", "A=\"x\"", "x", true },
        { "CRLF", "A=x\r\n", "x", true },
        { "other name", "AA=1\nBA=2\n", NULL, true },
        { "two lines in quotes", "A=\"x\ny\"\nB=1\n", "x\ny", true },
        { "open quote", "A=\"x\n", "\"x\n", false },
        { "appended to", "A=1\nA+=2\n", "1", true },
        { "not an assignment", "A =1\nA+=2\n", NULL, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct shellvars vars;
        const struct shellvar *var;

        print_message("case: %s\n", cases[i].label);
        shellvars_parse(cases[i].in, strlen(cases[i].in), &vars);
        var = shellvars_find(&vars, "A");
        assert_int_equal(var != NULL, cases[i].value != NULL);
        if (var) {
            assert_string_equal(var->value, cases[i].value);
            assert_int_equal(var->literal, cases[i].literal);
        }
        shellvars_done(&vars);
    }
}

static void changes_one_value_only(void **state)
{
    static const struct {
        const char *label, *in, *value, *want;
    } cases[] = {
        { "double quotes stay", "# c\nA=\"x\" # d\nB=2\n", "y z", "# c\nA=\"y z\" # d\nB=2\n" },
        { "single quotes stay", "A='x'\n", "y z", "A='y z'\n" },
        { "single quotes that cannot hold it", "A='x'\n", "y'z", "A=\"y'z\"\n" },
        { "bare stays bare", "A=x\n", "y", "A=y\n" },
        { "bare that needs quotes", "A=x\n", "y z", "A=\"y z\"\n" },
        { "escapes", "A=\"\"\n", "a\"$`\\", "A=\"a\\\"\\$\\`\\\\\"\n" },
        { "the last of two", "A=1\nA=2\n", "3", "A=1\nA=3\n" },
        { "added", "B=1\n", "x y", "B=1\nA=\"x y\"\n" },
        { "added without newline", "B=1", "x", "B=1\nA=\"x\"\n" },
        { "added with CRLF", "B=1\r\n", "x", "B=1\r\nA=\"x\"\r\n" },
        { "added to nothing", "", "x", "A=\"x\"\n" },
        { "expansion keeps its meaning", "A=\"r=$X q\"\n", "r=$X z", "A=\"r=$X z\"\n" },
        { "CRLF stays", "A=x\r\nB=1\r\n", "y", "A=y\r\nB=1\r\n" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *once, *twice;

        print_message("case: %s\n", cases[i].label);
        once = shellvars_set(cases[i].in, strlen(cases[i].in), "A", cases[i].value, NULL);
        assert_string_equal(once, cases[i].want);
        twice = shellvars_set(once, strlen(once), "A", cases[i].value, NULL);
        assert_string_equal(twice, once);
        free(once);
        free(twice);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_values),
        cmocka_unit_test(changes_one_value_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
