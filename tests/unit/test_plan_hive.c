/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "fixers/apply.h"
#include "fixers/plan_hive.h"
#include "tests/unit/hive_util.h"
#include "tests/unit/tree.h"

#define HIVE "/Windows/System32/config/SYSTEM"
#define DISK "ControlSet001\\Services\\disk"

static struct tree tree;
static struct plan *plan;

static const struct hive_util_item items[] = {
    { "Select", "Current", REG_DWORD, NULL, 1 },
    { DISK, "Start", REG_DWORD, NULL, 3 },
    { DISK, "ImagePath", REG_EXPAND_SZ, "System32\\drivers\\disk.sys", 0 },
    { DISK "\\Enum", "Count", REG_DWORD, NULL, 2 },
    { "ControlSet001\\Services\\partmgr", "Group", REG_SZ, "Boot Bus Extender", 0 },
};

static int setup(void **state)
{
    struct strbuf bytes = { 0 };

    (void)state;
    tree_open(&tree, NULL);
    hive_util_make(items, ARRAY_SIZE(items), &bytes);
    tree_put_bytes(&tree, HIVE, bytes.data, bytes.len, 0644);
    strbuf_done(&bytes);
    plan = plan_new(tree.root);
    plan->fixer = "test";
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    plan_free(plan);
    tree_close(&tree);
    return 0;
}

static void expect_u32(const char *key, const char *name, uint32_t want)
{
    uint32_t number = ~want;

    assert_true(plan_hive_u32(plan, HIVE, key, name, &number));
    assert_int_equal(number, want);
}

static void apply(void)
{
    struct err err = ERR_NONE;

    assert_int_equal(plan->err.code, 0);
    if (plan_check_space(plan, &err) < 0 || plan_apply(plan, &err) < 0)
        fail_msg("%s", err.text[0]);
    plan_free(plan);
    plan = plan_new(tree.root);
    plan->fixer = "test";
}

static void what_is_there_is_no_change(void **state)
{
    struct hive_value value = { 0 };

    (void)state;
    plan_hive_set_u32(plan, HIVE, DISK, "Start", 3, "as it is");
    plan_hive_set_expand(plan, HIVE, "controlset001\\SERVICES\\Disk", "imagepath",
                         "System32\\drivers\\disk.sys", "as it is");
    plan_hive_unset(plan, HIVE, DISK, "Tag", "not there");
    plan_hive_delete_key(plan, HIVE, "ControlSet002", "not there");
    plan_hive_add_key(plan, HIVE, DISK "\\Enum", "there");
    assert_int_equal(plan->n, 0);
    plan_hive_set_u32(plan, HIVE, DISK, "Start", 0, "another number");
    expect_u32(DISK, "start", 0);
    assert_int_equal(plan->n, 1);
    plan_hive_set_u32(plan, HIVE, DISK, "Start", 3, "back again");
    assert_int_equal(plan->n, 0);
    hive_make_data(&value, "Start", REG_BINARY, "\3\0\0\0", 4);
    plan_hive_set(plan, HIVE, DISK, &value, "of another type");
    hive_value_done(&value);
    assert_int_equal(plan->n, 1);
    assert_int_equal(plan->err.code, 0);
}

static void later_changes_win_over_earlier_ones(void **state)
{
    struct strlist keys = { 0 };
    struct err err = ERR_NONE;

    (void)state;
    plan_hive_set_u32(plan, HIVE, "ControlSet001\\Services\\viostor", "Start", 0, "new key");
    plan_hive_delete_key(plan, HIVE, DISK, "gone");
    assert_false(plan_hive_u32(plan, HIVE, DISK, "Start", &(uint32_t){ 0 }));
    assert_int_equal(plan_hive_has_key(plan, HIVE, DISK "\\Enum", &err), 0);
    assert_int_equal(plan_hive_keys(plan, HIVE, "ControlSet001\\Services", &keys, &err), 1);
    assert_int_equal(keys.n, 2);
    assert_true(strlist_has(&keys, "partmgr"));
    assert_true(strlist_has(&keys, "viostor"));
    strlist_done(&keys);
    plan_hive_set_u32(plan, HIVE, DISK, "Start", 4, "there again");
    expect_u32(DISK, "Start", 4);
    assert_null(plan_hive_text(plan, HIVE, DISK, "ImagePath"));
    plan_hive_delete_key(plan, HIVE, "ControlSet001\\Services\\viostor", "never was");
    assert_int_equal(plan_hive_has_key(plan, HIVE, "ControlSet001\\Services\\viostor", &err), 0);
    assert_int_equal(plan->n, 2); /* the key removed, its value made anew */
    apply();
    expect_u32(DISK, "Start", 4);
    assert_null(plan_hive_text(plan, HIVE, DISK, "ImagePath"));
    assert_int_equal(plan_hive_has_key(plan, HIVE, DISK "\\Enum", &err), 0);
}

static void a_second_plan_is_empty(void **state)
{
    struct strlist filters = { 0 };
    struct strlist found = { 0 };

    (void)state;
    strlist_add(&filters, "partmgr");
    strlist_add(&filters, "EhStorClass");
    for (int i = 0; i < 2; i++) {
        plan_hive_set_u32(plan, HIVE, DISK, "Start", 0, "it starts");
        plan_hive_set_list(plan, HIVE, "ControlSet001\\Control\\Class\\{1}", "UpperFilters",
                           &filters, "filters");
        plan_hive_unset(plan, HIVE, "ControlSet001\\Services\\partmgr", "Group", "none");
        plan_hive_add_key(plan, HIVE, "ControlSet001\\Empty", "a key");
        assert_int_equal(plan->err.code, 0);
        assert_int_equal(plan->n, i == 0 ? 4 : 0);
        apply();
    }
    expect_u32("Select", "Current", 1);
    expect_u32(DISK "\\Enum", "Count", 2);
    assert_true(
        plan_hive_list(plan, HIVE, "ControlSet001\\Control\\Class\\{1}", "UpperFilters", &found));
    assert_int_equal(found.n, 2);
    assert_string_equal(found.items[1], "EhStorClass");
    strlist_done(&found);
    strlist_done(&filters);
}

static void changes_are_shown(void **state)
{
    static const char *const want[] = {
        " [" DISK "]\n-\"Start\"=dword:00000003\n+\"Start\"=dword:00000000\n",
        " [" DISK "]\n-\"ImagePath\"=expand:\"System32\\\\drivers\\\\disk.sys\"\n",
        "-[ControlSet001\\Services\\partmgr]\n",
        " [Winlogon]\n+\"DefaultPassword\"=(a secret; --show-secrets shows it)\n",
        " [Mounted]\n+@=hex:01,02\n",
        " [a\\x0ab]\n+\"c\\x0anote: d\"=\"\\x1b[0m\\x0a+e\"\n", /* no lines of the guest's */
    };
    struct hive_value value = { 0 };
    json_t *json;

    (void)state;
    plan_hive_set_u32(plan, HIVE, DISK, "Start", 0, "a");
    plan_hive_unset(plan, HIVE, DISK, "ImagePath", "b");
    plan_hive_delete_key(plan, HIVE, "ControlSet001\\Services\\partmgr", "c");
    plan_hive_set_text(plan, HIVE, "Winlogon", "DefaultPassword", "x", "d");
    hive_make_data(&value, "", REG_BINARY, "\1\2", 2);
    plan_hive_set(plan, HIVE, "Mounted", &value, "e");
    plan_hive_set_text(plan, HIVE, "a\nb", "c\nnote: d", "\x1b[0m\n+e", "f");
    hive_value_done(&value);
    assert_int_equal(plan->n, ARRAY_SIZE(want));
    for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
        char *diff = change_diff(&plan->changes[i], false);

        assert_string_equal(diff, want[i]);
        free(diff);
    }
    json = plan_to_json(plan, false);
    assert_string_equal(json_string_value(json_object_get(json_array_get(json, 0), "action")),
                        "set-value");
    assert_string_equal(json_string_value(json_object_get(json_array_get(json, 0), "before")),
                        "dword:00000003");
    assert_true(json_is_null(json_object_get(json_array_get(json, 3), "after")));
    json_decref(json);
}

static void a_damaged_hive_fails_the_plan(void **state)
{
    (void)state;
    tree_put(&tree, "/Windows/System32/config/SOFTWARE", "not a hive", 0644);
    plan_hive_set_u32(plan, "/Windows/System32/config/SOFTWARE", "a", "b", 1, "c");
    assert_int_equal(plan->n, 0);
    assert_int_equal(plan->err.code, EBADMSG);
}

/* Begun to be written, and no log beside it. */
static void a_hive_without_its_log_is_told_of(void **state)
{
    struct strbuf bytes = { 0 };
    uint32_t sum = 0;

    (void)state;
    hive_util_make(items, ARRAY_SIZE(items), &bytes);
    put_le32(bytes.data + 4, get_le32(bytes.data + 8) + 1);
    for (size_t i = 0; i < 508; i += 4)
        sum ^= get_le32(bytes.data + i);
    put_le32(bytes.data + 508, sum);
    tree_put_bytes(&tree, HIVE, bytes.data, bytes.len, 0644);
    strbuf_done(&bytes);
    assert_int_equal(plan->notes.n, 0);
    expect_u32("Select", "Current", 1);
    expect_u32(DISK, "Start", 3);
    assert_int_equal(plan->notes.n, 1);
    assert_non_null(strstr(plan->notes.items[0], "no log beside it fits"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_there_is_no_change, setup, teardown),
        cmocka_unit_test_setup_teardown(later_changes_win_over_earlier_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_plan_is_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(changes_are_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hive_without_its_log_is_told_of, setup, teardown),
        cmocka_unit_test_setup_teardown(a_damaged_hive_fails_the_plan, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
