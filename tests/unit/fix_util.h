/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A text before and after one fixer, planned twice. */
#ifndef H2K_TESTS_UNIT_FIX_UTIL_H
#define H2K_TESTS_UNIT_FIX_UTIL_H

#include "fixers/apply.h"
#include "fixers/fixer.h"
#include "tests/unit/facts_file.h"
#include "tests/unit/tree.h"

struct fix_case {
    const char *label, *path, *in;
    const char *want; /* NULL: the text stays as it is */
    int n_notes;
};

static inline struct plan *fix_plan(const struct tree *tree, const char *facts_text,
                                    const char *fixer)
{
    struct facts *facts = facts_of_text(facts_text);
    struct fix_opts opts = { 0 };
    struct fix_context ctx = { .facts = facts, .opts = &opts };
    struct plan *plan = NULL;
    struct err err = ERR_NONE;

    strlist_add(&opts.only, fixer);
    assert_int_equal(fixers_plan(&ctx, tree->root, &plan, &err), 0);
    strlist_done(&opts.only);
    facts_free(facts);
    return plan;
}

static inline void fix_check(const char *facts_text, const char *fixer, const struct fix_case *one)
{
    struct err err = ERR_NONE;
    struct plan *plan;
    struct tree tree;

    print_message("case: %s\n", one->label);
    tree_open(&tree, NULL);
    tree_put(&tree, one->path, one->in, 0644);
    plan = fix_plan(&tree, facts_text, fixer);
    for (size_t i = 0; i < plan->notes.n; i++)
        print_message("  %s\n", plan->notes.items[i]);
    assert_int_equal(plan->n, one->want != NULL);
    assert_int_equal(plan_apply(plan, &err), 0);
    tree_expect(&tree, one->path, one->want ? one->want : one->in);
    assert_int_equal(plan->notes.n, one->n_notes);
    plan_free(plan);
    plan = fix_plan(&tree, facts_text, fixer);
    assert_int_equal(plan->n, 0);
    plan_free(plan);
    tree_close(&tree);
}

#endif
