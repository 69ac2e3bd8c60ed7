/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "engine/base/undo.h"
#include "tests/unit/unit.h"

static void error_prints_outermost_step_first(void **state)
{
    struct err err = ERR_NONE;
    char text[256];

    (void)state;
    assert_int_equal(err_set(&err, ENOENT, "open %s", "/x"), -ENOENT);
    assert_int_equal(err_wrap(&err, "read the table"), -ENOENT);
    assert_string_equal(err_text(&err, text, sizeof(text)),
                        "read the table: open /x: No such file or directory");
    assert_int_equal(err.status, STATUS_FAILED);
}

static void error_keeps_its_exit_status(void **state)
{
    struct err err = ERR_NONE;
    char text[256];

    (void)state;
    assert_int_equal(err_status(&err, STATUS_REFUSED, "the disk is stale"), -EPERM);
    (void)err_wrap(&err, "attach a.vmdk");
    assert_int_equal(err.status, STATUS_REFUSED);
    assert_string_equal(err_text(&err, text, sizeof(text)), "attach a.vmdk: the disk is stale");
    (void)err_set(&err, ENOSPC, "write x");
    assert_int_equal(err.status, STATUS_TEMPORARY);
}

static void error_survives_deep_wrapping_and_small_buffers(void **state)
{
    struct err err = ERR_NONE;
    char text[16];

    (void)state;
    (void)err_set(&err, EIO, "root cause");
    for (int i = 0; i < 2 * ERR_DEPTH; i++)
        (void)err_wrap(&err, "step %d", i);
    assert_int_equal(err.depth, 2 * ERR_DEPTH + 1);
    assert_int_equal(strlen(err_text(&err, text, sizeof(text))), sizeof(text) - 1);
}

struct trace {
    char order[16];
    size_t n;
};

static struct trace trace;

static int record_ok(void *arg, struct err *err)
{
    (void)err;
    trace.order[trace.n++] = *(const char *)arg;
    return 0;
}

static int record_fail(void *arg, struct err *err)
{
    (void)record_ok(arg, err);
    return err_set(err, EBUSY, "step %c", *(const char *)arg);
}

static void undo_releases_in_reverse_and_goes_on_after_a_failure(void **state)
{
    struct undo *undo = undo_new();
    struct err err = ERR_NONE;
    char a = 'a', b = 'b', c = 'c', d = 'd';
    size_t mark;

    (void)state;
    memset(&trace, 0, sizeof(trace));
    undo_push(undo, "a", record_ok, &a);
    mark = undo_mark(undo);
    assert_false(undo_has_failed(undo));
    undo_push(undo, "b", record_fail, &b);
    undo_push(undo, "c", record_fail, &c);
    undo_push(undo, "d", record_ok, &d);
    assert_int_equal(undo_run_to(undo, mark, &err), -EBUSY);
    assert_string_equal(trace.order, "dcb");
    assert_non_null(strstr(err.text[0], "step c")); /* the first failure is the one told */
    assert_int_equal(undo_run(undo, &err), 0);
    assert_string_equal(trace.order, "dcba");
    assert_true(undo_has_failed(undo));
    undo_free(undo);
}

static void arrays_grow_and_stay_zeroed(void **state)
{
    int *numbers = NULL;
    size_t n = 0;

    (void)state;
    for (int i = 0; i < 100; i++) {
        int *slot = mem_add(&numbers, &n, sizeof(*slot));

        assert_int_equal(*slot, 0);
        *slot = i;
    }
    assert_int_equal(n, 100);
    assert_int_equal(numbers[99], 99);
    free(numbers);
}

static void strbuf_holds_zero_bytes(void **state)
{
    struct strbuf buf = { 0 };

    (void)state;
    strbuf_add(&buf, "a\0b", 3);
    strbuf_printf(&buf, "%d", 7);
    assert_int_equal(buf.len, 4);
    assert_memory_equal(buf.data, "a\0b7", 5);
    strbuf_done(&buf);
    assert_string_equal(strbuf_text(&buf), "");
}

static void numbers_are_parsed_whole(void **state)
{
    uint64_t value = 0;

    (void)state;
    assert_int_equal(io_parse_u64("42", 100, &value), 0);
    assert_int_equal(value, 42);
    assert_int_equal(io_parse_u64("42x", 100, &value), -EINVAL);
    assert_int_equal(io_parse_u64("-1", 100, &value), -EINVAL);
    assert_int_equal(io_parse_u64("", 100, &value), -EINVAL);
    assert_int_equal(io_parse_u64("101", 100, &value), -ERANGE);
    assert_int_equal(io_parse_u64("99999999999999999999999", UINT64_MAX, &value), -ERANGE);
}

static void files_are_replaced_whole(void **state)
{
    char dir[] = "/tmp/h2k-test.XXXXXX";
    struct err err = ERR_NONE;
    struct stat st;
    char *path, *text = NULL;
    size_t len = 0;

    (void)state;
    assert_non_null(mkdtemp(dir));
    path = mem_printf("%s/f", dir);
    assert_int_equal(io_write_file(path, "one", 3, 0600, &err), 0);
    assert_int_equal(io_write_file(path, "two", 3, 0600, &err), 0);
    assert_int_equal(io_read_file(path, 10, &text, &len, &err), 0);
    assert_string_equal(text, "two");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    free(text);
    assert_int_equal(io_read_file(path, 2, &text, &len, &err), -EFBIG);
    (void)unlink(path);
    (void)rmdir(dir);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_prints_outermost_step_first),
        cmocka_unit_test(error_keeps_its_exit_status),
        cmocka_unit_test(error_survives_deep_wrapping_and_small_buffers),
        cmocka_unit_test(undo_releases_in_reverse_and_goes_on_after_a_failure),
        cmocka_unit_test(arrays_grow_and_stay_zeroed),
        cmocka_unit_test(strbuf_holds_zero_bytes),
        cmocka_unit_test(numbers_are_parsed_whole),
        cmocka_unit_test(files_are_replaced_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
