/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static const struct {
    const char *label, *text, *want; /* "kind=value;" of each record */
} cases[] = {
    { "plain", "boot x\nloop 3 4 5\n", "boot=x;loop=3 4 5;" },
    { "torn last line", "boot x\nloop 3 4", "boot=x;" },
    { "taken back", "file /a\nfile /b\n-file /a\n", "file=/b;" },
    { "the newest is taken back", "file /a\nfile /b\nfile /a\n-file /a\n", "file=/a;file=/b;" },
    { "taken back and made again", "fuse 4\n-fuse 4\nfuse 4\n", "fuse=4;" },
    { "never made", "-file /a\n", "" },
    { "escapes", "file /a%0Ab%25\n", "file=/a\nb%;" },
    { "broken escapes", "file /a%0\nfile %zz\nfile %00\nfile /c\n", "file=/c;" },
    { "no value", "boot\n\n x\nfile /a\n", "file=/a;" },
    { "empty", "", "" },
};

static void parses(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct state parsed;
        char got[256] = "";

        print_message("case: %s\n", cases[i].label);
        state_parse(cases[i].text, &parsed);
        for (size_t j = 0; j < parsed.n_records; j++)
            (void)snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s=%s;",
                           parsed.records[j].kind, parsed.records[j].value);
        assert_string_equal(got, cases[i].want);
        state_done(&parsed);
    }
}

static void any_value_survives(void **state)
{
    char value[256];
    char *line;
    struct state parsed;

    (void)state;
    for (int i = 0; i < 255; i++)
        value[i] = (char)(i + 1);
    value[255] = '\0';
    line = state_line("file", value);
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    state_parse(line, &parsed);
    assert_string_equal(state_get(&parsed, "file"), value);
    assert_null(state_get(&parsed, "work"));
    state_done(&parsed);
    free(line);
}

static void numbers_fill_a_value(void **state)
{
    uint64_t numbers[2] = { 0 };

    (void)state;
    assert_int_equal(state_numbers("3 18446744073709551615", numbers, 2), 0);
    assert_int_equal(numbers[0], 3);
    assert_true(numbers[1] == UINT64_MAX);
    assert_int_equal(state_numbers("3", numbers, 2), -EINVAL);
    assert_int_equal(state_numbers("3 4 5", numbers, 2), -EINVAL);
    assert_int_equal(state_numbers("3  4", numbers, 2), -EINVAL);
    assert_int_equal(state_numbers("3 -4", numbers, 2), -EINVAL);
    assert_int_equal(state_numbers("", numbers, 1), -EINVAL);
}

static void ids_are_narrow(void **state)
{
    (void)state;
    assert_true(state_is_id("abc123"));
    assert_false(state_is_id(""));
    assert_false(state_is_id("."));
    assert_false(state_is_id("abc.d"));
    assert_false(state_is_id("../x"));
    assert_false(state_is_id("Abc"));
    assert_false(state_is_id("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

static void knows_processes(void **state)
{
    char *boot = state_boot_id();

    (void)state;
    assert_true(state_start_time(getpid()) > 0);
    assert_int_equal(state_start_time(0x3fffffff), 0);
    assert_int_equal(strlen(boot), 36);
    free(boot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),
        cmocka_unit_test(any_value_survives),
        cmocka_unit_test(numbers_fill_a_value),
        cmocka_unit_test(ids_are_narrow),
        cmocka_unit_test(knows_processes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
