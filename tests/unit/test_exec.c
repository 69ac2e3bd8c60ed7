/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/exec.h"
#include "engine/base/io.h"
#include "tests/unit/unit.h"

static void output_and_status_are_captured(void **state)
{
    const char *const argv[] = { "sh", "-c", "echo out; echo problem >&2; exit 3", NULL };
    struct exec_opts opts = { .argv = argv };
    struct exec_result result = { 0 };
    struct err err = ERR_NONE;

    (void)state;
    assert_int_equal(exec_run(&opts, &result, &err), 0);
    assert_int_equal(result.exit_status, 3);
    assert_string_equal(strbuf_text(&result.out), "out\n");
    assert_string_equal(strbuf_text(&result.err), "problem\n");
    exec_result_done(&result);
    assert_int_equal(exec_check(&opts, NULL, &err), -EPROTO);
    assert_non_null(strstr(err.text[0], "status 3: problem"));
}

static void input_reaches_the_program(void **state)
{
    const char *const argv[] = { "tr", "a-z", "A-Z", NULL };
    struct exec_opts opts = { .argv = argv, .input = "abc", .input_len = 3 };
    struct exec_result result = { 0 };
    struct err err = ERR_NONE;

    (void)state;
    assert_int_equal(exec_check(&opts, &result, &err), 0);
    assert_string_equal(strbuf_text(&result.out), "ABC");
    exec_result_done(&result);
}

static void a_missing_program_names_its_package(void **state)
{
    const char *const argv[] = { "h2k-no-such-program", NULL };
    struct exec_opts opts = { .argv = argv, .package = "some-package" };
    struct err err = ERR_NONE;

    (void)state;
    assert_true(exec_run(&opts, NULL, &err) < 0);
    assert_int_equal(err.status, STATUS_HOST);
    assert_non_null(strstr(err.text[0], "some-package"));
}

static void time_and_output_are_bounded(void **state)
{
    const char *const sleeper[] = { "sleep", "60", NULL };
    const char *const chatter[] = { "sh", "-c", "head -c 300000 /dev/zero >&2", NULL };
    struct exec_opts opts = { .argv = sleeper, .timeout_ms = 100 };
    struct exec_result result = { 0 };
    struct err err = ERR_NONE;

    (void)state;
    assert_int_equal(exec_run(&opts, NULL, &err), -ETIMEDOUT);
    opts = (struct exec_opts){ .argv = chatter };
    assert_int_equal(exec_run(&opts, &result, &err), 0);
    assert_int_equal(result.err.len, 64U << 10);
    exec_result_done(&result);
}

static void background_programs_end_when_told(void **state)
{
    const char *const argv[] = { "sleep", "60", NULL };
    struct exec_opts opts = { .argv = argv };
    struct process process = { 0 };
    struct err err = ERR_NONE;
    int status = 0;
    pid_t pid;

    (void)state;
    assert_int_equal(process_start(&opts, &process, &err), 0);
    pid = process.pid;
    assert_int_equal(process_ended(&process, &status), 0);
    assert_int_equal(process_stop(&process, 1000), 128 + SIGTERM);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_and_status_are_captured),
        cmocka_unit_test(input_reaches_the_program),
        cmocka_unit_test(a_missing_program_names_its_package),
        cmocka_unit_test(time_and_output_are_bounded),
        cmocka_unit_test(background_programs_end_when_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
