/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/convert.h"

/* The graph of an image and its size are the image module's business; qemu-img is not run here. */

static void formats_say_what_they_can(void **state)
{
    static const struct {
        const char *name, *suffix;
        bool can_compress;
    } cases[] = {
        { "qcow2", ".qcow2", true }, { "raw", ".raw", false },   { "vdi", ".vdi", false },
        { "vmdk", ".vmdk", true },   { "vhdx", ".vhdx", false },
    };

    (void)state;
    assert_int_equal(convert_n_formats, ARRAY_SIZE(cases));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct convert_format *format = convert_format_find(cases[i].name);
        struct convert_opts opts = { .format = format, .compress = true };
        struct err err = ERR_NONE;

        assert_non_null(format);
        assert_string_equal(format->suffix, cases[i].suffix);
        assert_int_equal(convert_check(&opts, &err) == 0, cases[i].can_compress);
        if (!cases[i].can_compress)
            assert_int_equal(err.status, STATUS_USAGE);
    }
    assert_null(convert_format_find("vpc"));
    assert_null(convert_format_find(""));
}

static void meter_reads_figures_in_any_pieces(void **state)
{
    static const char text[] = "    (0.00/100%)\r    (3.57/100%)\r    (100.00/100%)\r\n";
    static const int want[] = { 0, 357, 10000 };

    (void)state;
    for (size_t piece = 1; piece < sizeof(text); piece++) {
        struct convert_meter meter = { .len = 0 };
        int last = -1;

        for (size_t at = 0; at < sizeof(text) - 1; at += piece) {
            size_t left = sizeof(text) - 1 - at;
            int got = convert_meter_feed(&meter, text + at, left < piece ? left : piece);

            if (got >= 0) {
                assert_true(got > last);
                last = got;
            }
            if (piece == 1 && got >= 0)
                assert_true(got == want[0] || got == want[1] || got == want[2]);
        }
        assert_int_equal(last, 10000);
    }
}

static void meter_ignores_what_is_no_figure(void **state)
{
    static const char *const cases[] = {
        "(12/100%)", "(abc/100%)", "((((", "(999.00/100%)", "(1234567890.00/100%)", "(1.00)", "",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct convert_meter meter = { .len = 0 };

        assert_int_equal(convert_meter_feed(&meter, cases[i], strlen(cases[i])), -1);
    }
}

static void publish_never_replaces_unasked(void **state)
{
    char dir[] = "/tmp/h2k-test-XXXXXX";
    char temp[64], target[64], other[64];
    struct err err = ERR_NONE;
    struct stat st;
    int fd;

    (void)state;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(temp, sizeof(temp), "%s/.a.part", dir);
    (void)snprintf(target, sizeof(target), "%s/a", dir);
    (void)snprintf(other, sizeof(other), "%s/b", dir);
    fd = open(temp, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "new", 3), 3);
    (void)close(fd);
    fd = open(target, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    (void)close(fd);

    assert_true(convert_publish(temp, target, false, &err) < 0);
    assert_int_equal(err.status, STATUS_REFUSED);
    assert_int_equal(stat(target, &st), 0);
    assert_int_equal(st.st_size, 0);
    assert_int_equal(convert_publish(temp, target, true, &err), 0);
    assert_int_equal(stat(target, &st), 0);
    assert_int_equal(st.st_size, 3);
    /* taken back: the old file is there again */
    convert_unpublish(temp, target);
    assert_int_equal(stat(target, &st), 0);
    assert_int_equal(st.st_size, 0);
    assert_int_equal(stat(temp, &st), 0);
    assert_int_equal(st.st_size, 3);
    assert_int_equal(convert_publish(temp, other, false, &err), 0);
    assert_int_equal(access(temp, F_OK), -1);
    convert_unpublish(temp, other);
    assert_int_equal(access(other, F_OK), -1);
    assert_int_equal(access(temp, F_OK), 0);
    (void)unlink(temp);
    (void)unlink(target);
    (void)rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_say_what_they_can),
        cmocka_unit_test(meter_reads_figures_in_any_pieces),
        cmocka_unit_test(meter_ignores_what_is_no_figure),
        cmocka_unit_test(publish_never_replaces_unasked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
