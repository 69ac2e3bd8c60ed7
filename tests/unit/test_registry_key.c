/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of keys, and the hives of a guest that they lie in. */
#include <string.h>

#include "engine/base/cleanup.h"
#include "inspect/windows/registry.h"
#include "tests/unit/tree.h"

static void names_are_taken_apart(void **state)
{
    static const struct {
        const char *text, *name, *hive, *key;
        bool is_users;
    } cases[] = {
        { "HKLM\\SYSTEM", "HKEY_LOCAL_MACHINE\\SYSTEM", "SYSTEM", "", false },
        { "hkey_local_machine\\software\\A b\\c\\\\", "HKEY_LOCAL_MACHINE\\SOFTWARE\\A b\\c",
          "SOFTWARE", "A b\\c", false },
        { "HKLM\\\\bcd00000000\\Objects", "HKEY_LOCAL_MACHINE\\BCD00000000\\Objects", "BCD00000000",
          "Objects", false },
        { "HKLM\\Sam\\SAM", "HKEY_LOCAL_MACHINE\\SAM\\SAM", "SAM", "SAM", false },
        { "HKU\\.default\\X", "HKEY_USERS\\.DEFAULT\\X", ".DEFAULT", "X", true },
        { "HKEY_USERS\\J\xc3\xbcrgen\\X", "HKEY_USERS\\J\xc3\xbcrgen\\X", "J\xc3\xbcrgen", "X",
          true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct registry_key key;
        struct err err = ERR_NONE;

        assert_int_equal(registry_key_parse(cases[i].text, &key, &err), 0);
        assert_string_equal(key.name, cases[i].name);
        assert_string_equal(key.hive, cases[i].hive);
        assert_string_equal(key.key, cases[i].key);
        assert_int_equal(key.is_users, cases[i].is_users);
        registry_key_done(&key);
    }
}

static void other_names_are_usage_errors(void **state)
{
    static const char *const cases[] = {
        "",
        "HKLM",
        "HKLM\\",
        "SYSTEM\\Select",
        "HKLM\\HARDWARE\\X",
        "HKLM\\SYSTEMS",
        "HKEY_CURRENT_USER\\Software",
        "HKU\\..\\X",
        "HKU\\a/b",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct registry_key key;
        struct err err = ERR_NONE;

        assert_true(registry_key_parse(cases[i], &key, &err) < 0);
        assert_int_equal(err.status, STATUS_USAGE);
        assert_non_null(strstr(err.text[0], "HKLM\\SOFTWARE"));
    }
}

/* What @text is in the guest: "PATH KEY", or what is said about it. Free it. */
static char *locate(const struct tree *tree, const struct fact_windows *windows, const char *text)
{
    CLEANUP_FREE char *path = NULL;
    CLEANUP_FREE char *inside = NULL;
    struct registry_key key;
    struct err err = ERR_NONE;
    char *ret;

    assert_int_equal(registry_key_parse(text, &key, &err), 0);
    ret = registry_key_locate(tree->root, windows, &key, &path, &inside, &err) < 0
              ? mem_strdup(err.text[0])
              : mem_printf("%s %s", path, inside);
    assert_int_equal(err.code ? err.status : STATUS_FAILED, STATUS_FAILED);
    registry_key_done(&key);
    return ret;
}

static void keys_lie_in_files_of_the_guest(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "HKLM\\SYSTEM\\currentcontrolset\\Services\\disk",
          "/WINDOWS/system32/config/system ControlSet002\\Services\\disk" },
        { "HKLM\\SYSTEM\\CurrentControlSet", "/WINDOWS/system32/config/system ControlSet002" },
        { "HKLM\\SYSTEM\\CurrentControlSet1",
          "/WINDOWS/system32/config/system CurrentControlSet1" },
        { "HKLM\\SAM\\CurrentControlSet", "/WINDOWS/system32/config/SAM CurrentControlSet" },
        { "HKU\\.DEFAULT", "/WINDOWS/System32/config/DEFAULT " },
        { "HKU\\ANNA\\X", "/Documents and Settings/Anna/ntuser.dat X" },
        { "HKU\\Bob", "Bob: there is no such user in the guest" },
        { "HKLM\\BCD00000000", "/boot/BCD " },
    };
    struct fact_windows *windows = fact_windows_new();
    struct tree tree;
    char *text;

    (void)state;
    tree_open(&tree, NULL);
    guest_root_ignore_case(tree.root);
    tree_put(&tree, "/WINDOWS/system32/config/system", "", 0600);
    tree_put(&tree, "/WINDOWS/system32/config/SAM", "", 0600);
    tree_put(&tree, "/Documents and Settings/Anna/ntuser.dat", "", 0600);
    free(windows->system_root);
    windows->system_root = mem_strdup("/WINDOWS");
    text = locate(&tree, windows, "HKLM\\SYSTEM\\CurrentControlSet");
    assert_string_equal(text, "the guest says no control set that it starts with");
    free(text);
    text = locate(&tree, windows, "HKLM\\BCD00000000");
    assert_string_equal(text, "BCD00000000: the guest has no such hive");
    free(text);
    free(windows->bcd);
    windows->bcd = mem_strdup("/boot/BCD");
    strlist_add(&windows->control_sets, "ControlSet002");
    strlist_add(&windows->control_sets, "ControlSet001");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        text = locate(&tree, windows, cases[i].text);
        assert_string_equal(text, cases[i].want);
        free(text);
    }
    fact_windows_free(windows);
    tree_close(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_taken_apart),
        cmocka_unit_test(other_names_are_usage_errors),
        cmocka_unit_test(keys_lie_in_files_of_the_guest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
