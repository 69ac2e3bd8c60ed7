/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A tree, a configuration, and what the inject fixer makes of them; planned twice. */
#ifndef H2K_TESTS_UNIT_INJECT_UTIL_H
#define H2K_TESTS_UNIT_INJECT_UTIL_H

#include "fixers/apply.h"
#include "fixers/fixer.h"
#include "tests/unit/facts_file.h"
#include "tests/unit/tree.h"

/* Files, links ("-> target") and folders ("/") of a guest, and what is there afterwards. */
struct inject_case {
    const char *label;
    const char *config, *init, *hostname; /* facts: init may be NULL */
    const char *have[8][2];
    const char *want[8][2]; /* NULL content: it is gone */
    int n_changes;          /* -1: not counted */
    const char *error;      /* NULL: none */
};

static inline int inject_plan(const struct tree *tree, const char *config, const char *init,
                              const char *hostname, struct plan **ret, struct err *err)
{
    struct facts *facts = facts_of_text("");
    struct fix_opts opts = { 0 };
    struct fix_context ctx = { .facts = facts, .opts = &opts };
    int r;

    facts_set(&facts->init_system, init);
    facts_set(&facts->hostname, hostname);
    strlist_add(&opts.only, "inject");
    r = injections_parse(&opts.inject, config, strlen(config), "x", err);
    if (r == 0)
        r = fixers_plan(&ctx, tree->root, ret, err);
    injections_done(&opts.inject);
    strlist_done(&opts.only);
    facts_free(facts);
    return r;
}

static inline void inject_put(const struct tree *tree, const char *const have[2])
{
    char *path;

    if (strncmp(have[1], "-> ", 3) == 0) {
        tree_link(tree, have[1] + 3, have[0]);
    } else if (strcmp(have[1], "/") == 0) {
        path = tree_path(tree, have[0]);
        assert_int_equal(mkdir(path, 0755), 0);
        free(path);
    } else {
        tree_put(tree, have[0], have[1], 0644);
    }
}

static inline void inject_expect(const struct tree *tree, const char *const want[2])
{
    struct err err = ERR_NONE;
    char *target = NULL;
    struct stat st;

    if (!want[1]) {
        assert_true(guest_lstat(tree->root, want[0], &st) < 0);
    } else if (strncmp(want[1], "-> ", 3) == 0) {
        assert_int_equal(guest_readlink(tree->root, want[0], &target, &err), 0);
        assert_string_equal(target, want[1] + 3);
        free(target);
    } else if (strcmp(want[1], "/") == 0) {
        assert_true(guest_is_dir(tree->root, want[0]));
    } else {
        tree_expect(tree, want[0], want[1]);
    }
}

static inline void inject_expect_error(const struct tree *tree, const struct inject_case *one)
{
    struct err err = ERR_NONE;
    struct plan *plan = NULL;
    char text[4 * ERR_TEXT];

    assert_true(inject_plan(tree, one->config, one->init, one->hostname, &plan, &err) < 0);
    (void)err_text(&err, text, sizeof(text));
    if (!strstr(text, one->error))
        assert_string_equal(text, one->error);
}

static inline void inject_check(const struct inject_case *one)
{
    struct err err = ERR_NONE;
    struct plan *plan = NULL;
    struct tree tree;

    print_message("case: %s\n", one->label);
    tree_open(&tree, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(one->have) && one->have[i][0]; i++)
        inject_put(&tree, one->have[i]);
    if (one->error) {
        inject_expect_error(&tree, one);
        tree_close(&tree);
        return;
    }
    if (inject_plan(&tree, one->config, one->init, one->hostname, &plan, &err) < 0)
        fail_msg("%s", err.text[0]);
    for (size_t i = 0; i < plan->n; i++)
        print_message("  %s %s\n", change_name(&plan->changes[i]), plan->changes[i].path);
    if (one->n_changes >= 0)
        assert_int_equal(plan->n, one->n_changes);
    assert_int_equal(plan_apply(plan, &err), 0);
    plan_free(plan);
    for (size_t i = 0; i < ARRAY_SIZE(one->want) && one->want[i][0]; i++)
        inject_expect(&tree, one->want[i]);
    assert_int_equal(inject_plan(&tree, one->config, one->init, one->hostname, &plan, &err), 0);
    for (size_t i = 0; i < plan->n; i++)
        print_error("again: %s\n", plan->changes[i].path);
    assert_int_equal(plan->n, 0);
    plan_free(plan);
    tree_close(&tree);
}

#endif
