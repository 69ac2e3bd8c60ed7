/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include "cli/command.h"
#include "tests/unit/unit.h"

#define MAX_WORDS 8

/* Parses the words of one line; the result is released by the caller. */
static int parse(const char *const *words, struct options *options, struct err *err)
{
    static char storage[MAX_WORDS + 1][64]; /* the options point into it */
    char *argv[MAX_WORDS + 1];
    int argc = 0;

    argv[argc++] = (char *)memcpy(storage[0], "h2k", 4);
    for (size_t i = 0; words[i]; i++) {
        (void)snprintf(storage[argc], sizeof(storage[argc]), "%s", words[i]);
        argv[argc] = storage[argc];
        argc++;
    }
    return options_parse(argc, argv, options, err);
}

static void wrong_lines_are_usage_errors(void **state)
{
    static const char *const lines[][MAX_WORDS] = {
        { NULL },
        { "no-such-command", NULL },
        { "doctor", "surplus", NULL },
        { "doctor", "--no-such-option", NULL },
        { "doctor", "--json=yes", NULL },
        { "doctor", "--work-dir", NULL },
        { "doctor", "--in-place", NULL },
        { "doctor", "--bus", "usb", NULL },
        { "doctor", "-Z", NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct options options;
        struct err err = ERR_NONE;

        print_message("case %zu\n", i);
        assert_true(parse(lines[i], &options, &err) < 0);
        assert_int_equal(err.status, STATUS_USAGE);
        options_done(&options);
    }
}

static void options_may_stand_on_both_sides(void **state)
{
    static const char *const words[] = { "-qv", "doctor", "--work-dir=/tmp", "--json", NULL };
    struct options options;
    struct err err = ERR_NONE;

    (void)state;
    assert_int_equal(parse(words, &options, &err), 0);
    assert_string_equal(options.command->name, "doctor");
    assert_true(options.json && options.quiet);
    assert_int_equal(options.verbose, 1);
    options_done(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_lines_are_usage_errors),
        cmocka_unit_test(options_may_stand_on_both_sides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
