/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GRUB's environment block keeps its size. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"
#include "inspect/grubenv.h"
#include "tests/unit/unit.h"

#define SIGNATURE "# GRUB Environment Block\n"

/* @lines in a block of @size bytes; 0: not padded. */
static char *block(const char *lines, size_t size)
{
    char *text = mem_printf(SIGNATURE "%s", lines);
    size_t len = strlen(text);

    if (len < size) {
        text = mem_realloc(text, size + 1);
        memset(text + len, '#', size - len);
        text[size] = '\0';
    }
    return text;
}

/* The block with the value of its last variable replaced. */
static char *changed(const char *text, const char *with, size_t *ret_len)
{
    struct edits edits = { 0 };
    struct span name, value = { 0 };
    size_t pos = 0;
    char *out;

    while (grubenv_next(text, strlen(text), &pos, &name, &value))
        ;
    edits_add(&edits, value, with);
    out = grubenv_apply(&edits, text, strlen(text), ret_len);
    edits_done(&edits);
    return out;
}

static void values_are_read(void **state)
{
    char *text = block("saved_entry=a>b\n#x=y\nkernelopts=root=/dev/sda1 ro \n", 1024);
    char *value = grubenv_get(text, strlen(text), "kernelopts");

    (void)state;
    assert_true(grubenv_is(text, strlen(text)));
    assert_false(grubenv_is(text, 8));
    assert_string_equal(value, "root=/dev/sda1 ro ");
    assert_null(grubenv_get(text, strlen(text), "#x"));
    assert_null(grubenv_get(text, strlen(text), "saved"));
    free(value);
    free(text);
}

static void the_size_stays(void **state)
{
    static const char *const values[] = { "", "root=UUID=391ffeee-20f7-4d8e-aa6b-16312c079a6c" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        char *text = block("a=b\nkernelopts=root=/dev/sda1\n", 1024);
        char *lines = mem_printf("a=b\nkernelopts=%s\n", values[i]);
        char *want = block(lines, 1024);
        size_t len = 0;
        char *got = changed(text, values[i], &len);

        assert_int_equal(len, 1024);
        assert_string_equal(got, want);
        free(got);
        free(want);
        free(lines);
        free(text);
    }
}

static void what_does_not_fit_is_refused(void **state)
{
    char *long_line = mem_printf("x=%0970d\nk=a\n", 0);
    char *text = block(long_line, 1024);
    size_t len = 0;
    char *fits;

    (void)state;
    assert_int_equal(strlen(text), 1024);
    fits = changed(text, "12345678901234567890", &len);
    assert_non_null(fits);
    assert_int_equal(strlen(fits), 1024);
    assert_null(changed(text, "1234567890123456789012345678", &len));
    free(fits);
    free(text);
    free(long_line);
}

/* Photon's photon.cfg. */
static void a_block_without_padding_may_grow(void **state)
{
    char *text = block("photon_cmdline=root=/dev/sda2 ro\n", 0);
    size_t len = 0;
    char *got = changed(text, "root=PARTUUID=0abc-02 ro", &len);

    (void)state;
    assert_string_equal(got, SIGNATURE "photon_cmdline=root=PARTUUID=0abc-02 ro\n");
    assert_int_equal(len, strlen(got));
    free(got);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read),
        cmocka_unit_test(the_size_stays),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(a_block_without_padding_may_grow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
