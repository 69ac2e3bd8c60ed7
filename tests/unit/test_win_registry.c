/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* .reg files that are imported into a Windows guest. */
#include <string.h>

#include "fixers/windows/inject_registry.h"
#include "tests/unit/win_util.h"

#define SOFTWARE "/Windows/System32/config/SOFTWARE"
#define HEAD "Windows Registry Editor Version 5.00\r\n\r\n"
#define MACHINE "[HKEY_LOCAL_MACHINE\\"
#define ASKS ": /site.reg asks for it\n"

extern const struct fixer fixer_win_inject;

/* Take @text as the file of --registry. */
static int add(struct tree *tree, struct injections *inject, const char *text, size_t len,
               struct err *err)
{
    char *path = mem_printf("%s/site.reg", tree->dir);
    int r;

    tree_put_bytes(tree, "/site.reg", text, len, 0600);
    r = injections_option(inject, "registry", path, err);
    for (size_t i = 0; i < inject->n_registry; i++) { /* a name that can be expected */
        free(inject->registry[i].path);
        inject->registry[i].path = mem_strdup("/site.reg");
    }
    free(path);
    return r;
}

static const struct {
    const char *label, *system, *file, *want;
} cases[] = {
    { "each control set in use, once", "[ControlSet001\\A]\nx=dword:1\n[ControlSet002\\A]\n",
      HEAD MACHINE "SYSTEM\\CurrentControlSet\\A]\r\n\"x\"=dword:00000001\r\n",
      WIN_SYSTEM ASKS " [ControlSet002\\A]\n+\"x\"=dword:00000001\n" },
    { "values and keys come and go",
      "[ControlSet001]\n[ControlSet002]\n[Gone\\Below]\nx=dword:1\n[Setup]\na=sz:old\nb=sz:b\n",
      HEAD "[-HKEY_LOCAL_MACHINE\\SYSTEM\\Gone]\r\n\r\n" MACHINE
           "SYSTEM\\Setup]\r\n\"a\"=\"new\"\r\n\"B\"=-\r\n\"none\"=-\r\n\r\n" MACHINE
           "SYSTEM\\Made]\r\n\r\n",
      WIN_SYSTEM ASKS "-[Gone]\n" WIN_SYSTEM ASKS
                      " [Setup]\n-\"a\"=\"old\"\n+\"a\"=\"new\"\n" WIN_SYSTEM ASKS
                      " [Setup]\n-\"b\"=\"b\"\n" WIN_SYSTEM ASKS "+[Made]\n" },
    { "made anew",
      "[ControlSet001]\n[K\\keep\\deep]\n[K\\keep\\other]\n[K\\gone]\n[K]\na=sz:1\nb=sz:2\n",
      HEAD "[-HKEY_LOCAL_MACHINE\\SYSTEM\\K]\r\n" MACHINE "SYSTEM\\K]\r\n\"A\"=\"1\"\r\n" MACHINE
           "SYSTEM\\k\\Keep\\deep]\r\n",
      WIN_SYSTEM ASKS " [K]\n-\"b\"=\"2\"\n" WIN_SYSTEM ASKS "-[K\\gone]\n" WIN_SYSTEM ASKS
                      "-[K\\keep\\other]\n" },
    { "another hive", "[ControlSet001]\n",
      "REGEDIT4\n" MACHINE "SOFTWARE\\Policies]\n@=\"x\"\n" MACHINE "SYSTEM\\ControlSet001]\n",
      SOFTWARE ASKS "+[Policies]\n" SOFTWARE ASKS " [Policies]\n+@=\"x\"\n" },
};

static void files_become_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct win_guest guest;
        struct err err = ERR_NONE;

        print_message("case: %s\n", cases[i].label);
        win_guest_open(&guest, cases[i].system);
        win_put_hive(&guest.tree, SOFTWARE, "[x]\n");
        strlist_add(&guest.facts->windows->control_sets, "ControlSet002");
        assert_int_equal(
            add(&guest.tree, &guest.opts.inject, cases[i].file, strlen(cases[i].file), &err), 0);
        win_expect(&guest, &fixer_win_inject, cases[i].want);
        injections_done(&guest.opts.inject);
        win_guest_close(&guest);
    }
}

static void what_cannot_be_imported_is_named(void **state)
{
    static const struct {
        const char *file, *want;
    } bad[] = {
        { HEAD "[HKEY_CURRENT_USER\\Software]\n", "HKEY_CURRENT_USER\\Software" },
        { HEAD MACHINE "SYSTEM\\A]\n" MACHINE "HARDWARE\\B]\n", "HKEY_LOCAL_MACHINE\\HARDWARE\\B" },
        { HEAD "[-HKEY_LOCAL_MACHINE\\SOFTWARE]\n", "a whole hive" },
        { HEAD "[-HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet]\n", "a whole hive" },
        { HEAD MACHINE "SYSTEM\\A]\n\"x\"=what\n", "line 4" },
        { HEAD, "no key" },
        { "#!/bin/sh\n", "line 1" },
    };
    struct tree tree;

    (void)state;
    tree_open(&tree, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct injections inject = { 0 };
        struct err err = ERR_NONE;

        print_message("case %zu\n", i);
        assert_true(add(&tree, &inject, bad[i].file, strlen(bad[i].file), &err) < 0);
        assert_non_null(strstr(err.text[0], bad[i].want));
        injections_done(&inject);
    }
    tree_close(&tree);
}

static void long_values_are_refused_by_name(void **state)
{
    struct tree tree;

    (void)state;
    tree_open(&tree, NULL);
    for (size_t len = HIVE_VALUE_MAX; len <= HIVE_VALUE_MAX + 1; len++) {
        struct injections inject = { 0 };
        struct strbuf text = { 0 };
        struct err err = ERR_NONE;

        strbuf_puts(&text, HEAD MACHINE "SYSTEM\\A]\n\"long one\"=hex:00");
        for (size_t i = 1; i < len; i++)
            strbuf_puts(&text, ",00");
        strbuf_puts(&text, "\n");
        if (len == HIVE_VALUE_MAX) {
            assert_int_equal(add(&tree, &inject, text.data, text.len, &err), 0);
        } else {
            assert_true(add(&tree, &inject, text.data, text.len, &err) < 0);
            assert_int_equal(err.status, STATUS_USAGE);
            assert_non_null(strstr(err.text[0], "the value \"long one\" of [A] has 16345 bytes"));
        }
        injections_done(&inject);
        strbuf_done(&text);
    }
    tree_close(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_become_changes),
        cmocka_unit_test(what_cannot_be_imported_is_named),
        cmocka_unit_test(long_values_are_refused_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
