/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/progress.h"

#define MIB (1024ULL * 1024)

static void bar_has_rate_and_time_left(void **state)
{
    static const struct {
        uint64_t done, total, elapsed_ms;
        const char *want;
    } cases[] = {
        { 50 * MIB, 100 * MIB, 5000, "]  50%  10.0 MiB/s  0:05 left" },
        { 0, 100 * MIB, 1000, "]   0%  0 B/s  0:00 left" },
        { 100 * MIB, 100 * MIB, 1000, "] 100%  100.0 MiB/s  0:00 left" },
        { 200 * MIB, 100 * MIB, 1000, "] 100%  100.0 MiB/s  0:00 left" },
        { 1 * MIB, 1024 * MIB, 1000, "]   0%  1.0 MiB/s  17:03 left" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char line[256], *tail;

        cli_progress_bar(line, sizeof(line), 80, "copy", cases[i].done, cases[i].total,
                         cases[i].elapsed_ms);
        print_message("%s\n", line);
        assert_true(strlen(line) < 80);
        tail = strchr(line, ']');
        assert_non_null(tail);
        assert_int_equal(strncmp(line, "copy [", 6), 0);
        assert_string_equal(tail, cases[i].want);
    }
}

static void bar_fits_every_width(void **state)
{
    (void)state;
    for (unsigned width = 45; width < 200; width++) {
        char line[256];

        cli_progress_bar(line, sizeof(line), width, "copy", 50 * MIB, 100 * MIB, 5000);
        assert_true(strlen(line) < width);
    }
}

/* Each line is an object, and the start of every stage is told. */
static void json_lines(void **state)
{
    static const char *const want[] = { "attach", "copy", "copy" };
    struct options options = { .progress = PROGRESS_JSON };
    struct cli_progress progress;
    FILE *file = tmpfile();
    char line[512];
    size_t n = 0;

    (void)state;
    assert_non_null(file);
    options.progress_fd = dup(fileno(file));
    cli_progress_begin(&progress, &options);
    progress_update(&progress.hook, "attach", 0, 0);
    progress_update(&progress.hook, "copy", 0, 0);
    progress_update(&progress.hook, "copy", 1, 10); /* too soon after the one before */
    progress_update(&progress.hook, "copy", 10, 10);
    cli_progress_end(&progress);
    rewind(file);
    while (fgets(line, sizeof(line), file)) {
        json_t *object = json_loads(line, 0, NULL);

        assert_non_null(object);
        assert_true(n < ARRAY_SIZE(want));
        assert_string_equal(json_string_value(json_object_get(object, "schema")), "h2k.progress/1");
        assert_string_equal(json_string_value(json_object_get(object, "stage")), want[n]);
        if (n == 2)
            assert_int_equal(json_integer_value(json_object_get(object, "done_bytes")), 10);
        json_decref(object);
        n++;
    }
    assert_int_equal(n, ARRAY_SIZE(want));
    (void)close(options.progress_fd);
    (void)fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bar_has_rate_and_time_left),
        cmocka_unit_test(bar_fits_every_width),
        cmocka_unit_test(json_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
