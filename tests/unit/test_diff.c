/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/exec.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "fixers/diff.h"
#include "tests/unit/unit.h"

#define ROUNDS 150

static char dir[] = "/tmp/h2k-test-diff.XXXXXX";
static char *path_a, *path_b;

static int setup(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(dir));
    path_a = mem_printf("%s/a", dir);
    path_b = mem_printf("%s/b", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)unlink(path_a);
    (void)unlink(path_b);
    (void)rmdir(dir);
    free(path_a);
    free(path_b);
    return 0;
}

/* What GNU diff says about the two texts, with the labels a and b. */
static char *reference(const char *a, const char *b)
{
    const char *const argv[] = { "diff",    "-u", "--minimal", "--label", "a",
                                 "--label", "b",  path_a,      path_b,    NULL };
    struct exec_opts opts = { .argv = argv };
    struct exec_result result = { 0 };
    struct err err = ERR_NONE;
    char *text;

    assert_int_equal(io_write_file(path_a, a, strlen(a), 0600, &err), 0);
    assert_int_equal(io_write_file(path_b, b, strlen(b), 0600, &err), 0);
    assert_int_equal(exec_run(&opts, &result, &err), 0);
    assert_true(result.exit_status <= 1);
    text = strbuf_take(&result.out);
    exec_result_done(&result);
    return text;
}

static char *ours(const char *a, const char *b)
{
    struct diff_side before = { .label = "a", .text = a, .len = strlen(a) };
    struct diff_side after = { .label = "b", .text = b, .len = strlen(b) };

    return diff_unified(&before, &after);
}

/* Lines after the header that start with '-' or '+'. */
static size_t edits(const char *diff)
{
    size_t n = 0;
    const char *line = strstr(diff, "\n@@");

    for (line = line ? line + 1 : NULL; line && *line; line = strchr(line, '\n') + 1)
        n += *line == '-' || *line == '+';
    return n;
}

/* Apply @diff to @a with nothing but its own text and line numbers. */
static char *patched(const char *a, const char *diff)
{
    struct strbuf out = { 0 };
    const char *line = strstr(diff, "@@");
    unsigned long at = 1; /* next line of @a */

    strbuf_puts(&out, "");
    while (line && *line) {
        const char *end = strchr(line, '\n') + 1;
        const char *next = *a ? strchr(a, '\n') : NULL;
        size_t a_len = next ? (size_t)(next - a) + 1 : strlen(a);

        if (*line == '@') {
            unsigned long start = strtoul(line + 4, NULL, 10);
            const char *count = strchr(line, ' ');

            /* a length of zero names the line before */
            if (strncmp(count + 1 + strcspn(count + 1, ", "), ",0 ", 3) == 0)
                start++;
            for (; at < start; at++) {
                size_t len = strcspn(a, "\n");

                len += a[len] == '\n';
                strbuf_add(&out, a, len);
                a += len;
            }
        } else if (*line != '\\') { /* that one was looked at with the line before it */
            size_t len = (size_t)(end - line) - 1;
            int no_newline = *end == '\\';

            if (*line != '+') {
                assert_memory_equal(a, line + 1, len - (no_newline ? 1 : 0));
                assert_int_equal(a_len, len - (no_newline ? 1 : 0));
                a += a_len;
                at++;
            }
            if (*line != '-')
                strbuf_add(&out, line + 1, len - (no_newline ? 1 : 0));
        }
        line = end;
    }
    strbuf_puts(&out, a);
    return strbuf_take(&out);
}

static void check(const char *a, const char *b, int exact)
{
    char *diff = ours(a, b);
    char *want = reference(a, b);
    char *result = patched(a, diff);

    if (exact)
        assert_string_equal(diff, want);
    assert_int_equal(edits(diff), edits(want));
    assert_string_equal(result, b);
    free(result);
    free(want);
    free(diff);
}

static void random_texts_with_distinct_lines_give_the_bytes_of_diff(void **state)
{
    (void)state;
    srandom(7);
    for (int round = 0; round < ROUNDS; round++) {
        struct strbuf a = { 0 }, b = { 0 };
        long n = random() % 60;
        long rate = 2 + random() % 12;

        for (long i = 0; i < n; i++) {
            int last = i + 1 == n;

            if (random() % rate != 0)
                strbuf_printf(&a, "line %ld%s", i, last && random() % 3 == 0 ? "" : "\n");
            if (random() % rate != 0)
                strbuf_printf(&b, "line %ld%s", i, last && random() % 3 == 0 ? "" : "\n");
            if (random() % rate == 0 && !last)
                strbuf_printf(&b, "fresh %ld\n", i);
        }
        check(strbuf_text(&a), strbuf_text(&b), 1);
        strbuf_done(&a);
        strbuf_done(&b);
    }
}

static void random_texts_with_repeated_lines_are_minimal_and_apply(void **state)
{
    (void)state;
    srandom(11);
    for (int round = 0; round < ROUNDS; round++) {
        struct strbuf a = { 0 }, b = { 0 };
        long na = random() % 40;
        long nb = random() % 40;

        for (long i = 0; i < na; i++)
            strbuf_printf(&a, "%c%s", (int)('a' + random() % 4),
                          i + 1 < na || random() % 3 ? "\n" : "");
        for (long i = 0; i < nb; i++)
            strbuf_printf(&b, "%c%s", (int)('a' + random() % 4),
                          i + 1 < nb || random() % 3 ? "\n" : "");
        check(strbuf_text(&a), strbuf_text(&b), 0);
        strbuf_done(&a);
        strbuf_done(&b);
    }
}

static void a_new_file_comes_from_dev_null(void **state)
{
    struct diff_side before = { .label = "/dev/null" };
    struct diff_side after = { .label = "b/f", .text = "x\ny", .len = 3 };
    char *diff = diff_unified(&before, &after);

    (void)state;
    assert_string_equal(diff, "--- /dev/null\n+++ b/f\n@@ -0,0 +1,2 @@\n+x\n+y\n"
                              "\\ No newline at end of file\n");
    free(diff);
}

static void large_differences_stay_within_bounds(void **state)
{
    struct strbuf a = { 0 }, b = { 0 };
    size_t removed, added;
    struct diff_side before, after;
    char *diff;

    (void)state;
    strbuf_puts(&a, "same\n");
    strbuf_puts(&b, "same\n");
    for (int i = 0; i < 2 * DIFF_MAX_EDITS; i++) {
        strbuf_printf(&a, "old %d\n", i);
        strbuf_printf(&b, "new %d\n", i);
    }
    before = (struct diff_side){ .label = "a", .text = a.data, .len = a.len };
    after = (struct diff_side){ .label = "b", .text = b.data, .len = b.len };
    diff_count(&before, &after, &removed, &added);
    assert_int_equal(removed, 2 * DIFF_MAX_EDITS);
    assert_int_equal(added, 2 * DIFF_MAX_EDITS);
    diff = diff_unified(&before, &after);
    assert_non_null(strstr(diff, "@@ -1,2001 +1,2001 @@\n same\n-old 0\n"));
    free(diff);
    strbuf_done(&a);
    strbuf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_texts_with_distinct_lines_give_the_bytes_of_diff),
        cmocka_unit_test(random_texts_with_repeated_lines_are_minimal_and_apply),
        cmocka_unit_test(a_new_file_comes_from_dev_null),
        cmocka_unit_test(large_differences_stay_within_bounds),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
