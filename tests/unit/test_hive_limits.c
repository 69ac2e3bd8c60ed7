/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hives that are small, and would cost much time or memory if they were taken at their word. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/hive_edit.h"
#include "engine/hive_parts.h"
#include "tests/unit/hive_make.h"
#include "tests/unit/tree.h"

#define N_KEYS 1000U
#define N_VALUES 100000U

static struct hive *open_made(struct hive_make *make)
{
    struct strbuf bytes = { 0 };
    struct hive *hive = NULL;
    struct err err = ERR_NONE;

    make_end(make, 1, 1, &bytes);
    assert_int_equal(hive_from_bytes(&bytes, "made", &hive, &err), 0);
    return hive;
}

/* Each name is looked for among all: that ends at some time, and is told. */
static void looking_up_ends(void **state)
{
    struct hive_make make;
    struct hive *hive;
    struct err err = ERR_NONE;
    unsigned n = 0;

    (void)state;
    make_begin(&make, 5);
    make_many(&make, make.root, "lh", "k", N_KEYS);
    hive = open_made(&make);
    hive->steps = HIVE_STEPS_MAX - 10ULL * N_KEYS;
    while (n < 20 && hive_has_key(hive, "k0999", &err) > 0)
        n++;
    assert_in_range(n, 9, 10);
    assert_int_equal(err.code, EBADMSG);
    assert_true(hive_is_exhausted(hive));
    err_clear(&err);
    assert_int_equal(hive_has_key(hive, "k0000", &err), -EBADMSG);
    err_clear(&err);
    hive_free(hive);
}

/* An empty value costs nothing but its cell; that cannot be used by more than one. */
static void one_value_is_not_many(void **state)
{
    struct hive_make make;
    struct hive_values values = { 0 };
    struct hive *hive;
    struct err err = ERR_NONE;
    uint32_t *list = mem_alloc(N_VALUES * sizeof(*list));

    (void)state;
    make_begin(&make, 5);
    list[0] = make_value(&make, "", REG_NONE, "", 0);
    for (size_t i = 1; i < N_VALUES; i++)
        list[i] = list[0];
    make_values(&make, make.root, list, N_VALUES);
    free(list);
    hive = open_made(&make);
    assert_false(hive_is_exhausted(hive));
    assert_int_equal(hive_get_all(hive, "", &values, &err), -EBADMSG);
    assert_non_null(strstr(err.text[0], "overlap"));
    err_clear(&err);
    hive_free(hive);
}

/* A file that is all hole, and says it is larger than what can be changed. */
static void huge_hives_are_not_changed(void **state)
{
    struct hive_edit edit = { .kind = HIVE_ADD_KEY, .key = mem_strdup("new") };
    struct strbuf bytes = { 0 }, made = { 0 };
    struct hive *hive = NULL;
    struct err err = ERR_NONE;
    struct tree tree;
    char *full;

    (void)state;
    make_empty(5, &bytes);
    regf_base_complete(bytes.data, 1, (1U << 30) + 4096);
    tree_open(&tree, NULL);
    tree_put_bytes(&tree, "/SYSTEM", bytes.data, bytes.len, 0644);
    strbuf_done(&bytes);
    full = tree_path(&tree, "/SYSTEM");
    assert_int_equal(truncate(full, (1LL << 30) + 8192), 0);
    free(full);
    assert_int_equal(hive_open(tree.root, "/SYSTEM", &hive, &err), 0);
    assert_int_equal(hive_has_key(hive, "new", &err), 0);
    assert_int_equal(hive_edit(hive, &edit, 1, &made, &err), -EFBIG);
    err_clear(&err);
    hive_edit_done(&edit);
    hive_free(hive);
    tree_close(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looking_up_ends),
        cmocka_unit_test(one_value_is_not_many),
        cmocka_unit_test(huge_hives_are_not_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
