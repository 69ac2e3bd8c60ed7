/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Labels by the guest's own policy, and the relabelling where there is none. */
#include "engine/guest_labels.h"
#include "fixers/fixer.h"
#include "tests/unit/facts_file.h"
#include "tests/unit/tree.h"

#define FILES "/etc/selinux/targeted/contexts/files/"

static const char contexts[] = "# a comment\n"
                               "/.*\tsystem_u:object_r:default_t:s0\n"
                               "/etc(/.*)?\tsystem_u:object_r:etc_t:s0\n"
                               "/etc/systemd/system(/.*)?\tsystem_u:object_r:unit_t:s0\n"
                               "/etc/link\t-l\tsystem_u:object_r:link_t:s0\n"
                               "/proc/.*\t<<none>>\n"
                               "/usr/.*\tsystem_u:object_r:usr_t:s0\n"
                               "/usr/lib/modules(/.*)?\tsystem_u:object_r:modules_t:s0\n"
                               "/usr/lib/modules/[^/]+/extra\\.ko\t--\t"
                               "system_u:object_r:extra_t:s0\n";

static void policy(const struct tree *tree, const char *text)
{
    tree_put(tree, FILES "file_contexts", text, 0644);
    tree_put(tree, FILES "file_contexts.subs_dist", "/lib64 /usr/lib\n/usr/lib64 /usr/lib\n", 0644);
    tree_put(tree, FILES "file_contexts.local", "/etc/mine\tsystem_u:object_r:mine_t:s0\n", 0644);
    tree_link(tree, "/etc", "/configuration");
}

static void check(const struct tree *tree, const char *folder, const char *name, mode_t mode,
                  const char *want)
{
    char *label = guest_labels_find(tree->root, folder, name, mode), *whole = NULL;

    if (want) {
        whole = mem_printf("system_u:object_r:%s:s0", want);
        assert_non_null(label);
        assert_string_equal(label, whole);
    } else {
        assert_null(label);
    }
    free(whole);
    free(label);
}

static void labels_are_those_of_the_policy(void **state)
{
    struct tree tree;
    struct err err = ERR_NONE;

    (void)state;
    tree_open(&tree, NULL);
    policy(&tree, contexts);
    check(&tree, "/etc", "fstab", S_IFREG, NULL); /* none is in use */
    assert_false(guest_labels_are_used(tree.root));
    assert_int_equal(guest_labels_use(tree.root, "targeted", &err), 0);
    assert_true(guest_labels_are_used(tree.root));
    check(&tree, "/etc", "fstab", S_IFREG | 0644, "etc_t");
    check(&tree, "/configuration", "fstab", S_IFREG, "etc_t");
    check(&tree, "/", "file", S_IFREG, "default_t");
    check(&tree, "/etc", "mine", S_IFREG, "mine_t");
    check(&tree, "/etc", "link", S_IFLNK, "link_t");
    check(&tree, "/etc", "link", S_IFREG, "etc_t");
    check(&tree, "/no/such", "folder", S_IFREG, NULL);
    tree_put(&tree, "/etc/systemd/system/x", "", 0644);
    tree_put(&tree, "/usr/lib64/modules/6.1/x", "", 0644);
    tree_put(&tree, "/proc/x", "", 0644);
    check(&tree, "/etc/systemd/system", "y.service", S_IFREG, "unit_t");
    check(&tree, "/usr/lib64/modules/6.1", "extra.ko", S_IFREG, "extra_t");
    check(&tree, "/usr/lib64/modules/6.1", "extra.ko", S_IFDIR, "modules_t");
    check(&tree, "/proc", "y", S_IFREG, NULL);
    tree_close(&tree);
}

static void what_is_no_policy_is_not_used(void **state)
{
    static const char *const names[] = { "", ".", "..", "../targeted", "targeted/..", "other" };
    static const char *const texts[] = {
        "/etc(\tsystem_u:object_r:etc_t:s0\n", /* no pattern */
        "\x8a\xff\x7c\xf9\x05\x01\x01\x01",    /* the magic of the compiled form */
    };
    struct tree tree;

    (void)state;
    tree_open(&tree, NULL);
    policy(&tree, contexts);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct err err = ERR_NONE;

        assert_true(guest_labels_use(tree.root, names[i], &err) < 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct err err = ERR_NONE;

        tree_put(&tree, FILES "file_contexts", texts[i], 0644);
        if (guest_labels_use(tree.root, "targeted", &err) == 0)
            check(&tree, "/etc", "fstab", S_IFREG, NULL);
    }
    tree_close(&tree);
}

/* A pattern that takes for ever, or a label that is none: the new file has that of its folder. */
static void hostile_policies_give_no_label(void **state)
{
    static const char *const texts[] = {
        "/etc/(a|aa)*(b|bb)*(((((a*)*)*)*)*)*c\tsystem_u:object_r:etc_t:s0\n",
        "/etc/a+\tsystem_u:object\x01_r:etc_t:s0\n",
    };
    struct tree tree;

    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, "/etc/x", "", 0644);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct err err = ERR_NONE;

        tree_put(&tree, FILES "file_contexts", texts[i], 0644);
        if (guest_labels_use(tree.root, "targeted", &err) == 0)
            check(&tree, "/etc", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", S_IFREG,
                  NULL);
    }
    tree_close(&tree);
}

/* ---- the fixer ---- */

static struct plan *plan_of(const struct tree *tree, const char *selinux)
{
    struct facts *facts = facts_of_text("");
    struct fix_opts opts = { 0 };
    struct fix_context ctx = { .facts = facts, .opts = &opts };
    const struct fixer *fixer = fixer_find("selinux");
    struct plan *plan = plan_new(tree->root);
    struct err err = ERR_NONE;
    const char *why;

    assert_non_null(fixer);
    facts_set(&facts->selinux, selinux);
    plan->fixer = fixer->name;
    plan_write(plan, "/etc/old", "changed\n", "test");
    plan_remove(plan, "/etc/gone", "test");
    if (fixer->applies(&ctx, &why))
        assert_int_equal(fixer->plan(&ctx, plan, &err), 0);
    assert_int_equal(plan->n, 2); /* nothing new */
    plan_write_new(plan, "/etc/new", "text\n", 0644, "test");
    if (fixer->applies(&ctx, &why))
        assert_int_equal(fixer->plan(&ctx, plan, &err), 0);
    facts_free(facts);
    return plan;
}

static void all_is_labelled_again_without_a_policy_only(void **state)
{
    static const struct {
        const char *selinux;
        bool has_policy, relabels;
    } cases[] = {
        { "", false, false },         { "disabled", false, false },  { "enforcing", true, false },
        { "enforcing", false, true }, { "permissive", false, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = ERR_NONE;
        struct plan *plan;
        struct tree tree;

        tree_open(&tree, NULL);
        tree_put(&tree, "/etc/old", "text\n", 0644);
        tree_put(&tree, "/etc/gone", "text\n", 0644);
        policy(&tree, contexts);
        if (cases[i].has_policy)
            assert_int_equal(guest_labels_use(tree.root, "targeted", &err), 0);
        plan = plan_of(&tree, cases[i].selinux);
        assert_int_equal(plan_exists(plan, "/.autorelabel"), cases[i].relabels);
        plan_free(plan);
        tree_close(&tree);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_those_of_the_policy),
        cmocka_unit_test(what_is_no_policy_is_not_used),
        cmocka_unit_test(hostile_policies_give_no_label),
        cmocka_unit_test(all_is_labelled_again_without_a_policy_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
