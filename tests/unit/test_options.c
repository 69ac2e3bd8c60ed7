/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <sys/prctl.h>

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

static void drivers_for_windows(void **state)
{
    static const char *const words[] = { "plan", "--virtio-win", "/a b/v.iso", "x.vmdk", NULL };
    struct options options;
    struct err err = ERR_NONE;

    (void)state;
    assert_int_equal(parse(words, &options, &err), 0);
    assert_string_equal(options.job.fix.virtio_win, "/a b/v.iso");
    options_done(&options);
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

static void secrets_are_overwritten(void **state)
{
    char words[][32] = { "h2k", "inspect", "--key", "all:key:geheim", "--key=all:key:auch", "x" };
    char *argv[ARRAY_SIZE(words)];
    struct options options;
    struct err err = ERR_NONE;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        argv[i] = words[i];
    assert_int_equal(options_parse(ARRAY_SIZE(words), argv, &options, &err), 0);
    for (size_t i = 0; i < sizeof(words); i++)
        assert_int_not_equal(strncmp((const char *)words + i, "geheim", 6), 0);
    assert_string_equal(words[3], "");
    assert_string_equal(words[4], "");
    assert_string_equal(words[5], "x");
    assert_int_equal(options.job.keys.n, 2);
    assert_memory_equal(options.job.keys.items[0].secret, "geheim", 6);
    assert_memory_equal(options.job.keys.items[1].secret, "auch", 4);
    assert_int_equal(options_read_keys(&options, &err), 0);
    assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
    assert_int_equal(prctl(PR_SET_DUMPABLE, 1), 0);
    options_done(&options);
}

static void secrets_are_in_no_error(void **state)
{
    static const char *const lines[][3] = {
        { "inspect", "--key", "all:kye:geheim" },
        { "inspect", "--kye=all:key:geheim", "x" },
        { "doctor", "--key", "all:key:geheim" },
        { "inspect", "--key", "all:clevis:geheim" },
    };
    char text[ERR_TEXT];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        const char *const words[] = { lines[i][0], lines[i][1], lines[i][2], NULL };
        struct options options;
        struct err err = ERR_NONE;

        print_message("case %zu\n", i);
        assert_true(parse(words, &options, &err) < 0);
        assert_int_equal(err.status, STATUS_USAGE);
        assert_null(strstr(err_text(&err, text, sizeof(text)), "geheim"));
        options_done(&options);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_lines_are_usage_errors),
        cmocka_unit_test(drivers_for_windows),
        cmocka_unit_test(options_may_stand_on_both_sides),
        cmocka_unit_test(secrets_are_in_no_error),
        cmocka_unit_test(secrets_are_overwritten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
