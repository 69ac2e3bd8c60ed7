/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every fixer on every tree of tests/data/fix and tests/data/guests: nothing outside of the plan
 * changes, and a second plan is empty. The expected plan lies beside each; with H2K_WRITE_EXPECTED
 * set it is written instead: look at the difference. It is of all fixers in tests/data/guests; in
 * tests/data/fix of those that a file "fixers" beside it names, or of the ones below. A file
 * "config" is what is asked for (--config); every tree takes a little of it besides.
 */
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>

#include "fixers/apply.h"
#include "fixers/fixer.h"
#include "inspect/linux.h"
#include "inspect/pe.h"
#include "tests/unit/facts_file.h"
#include "tests/unit/tree.h"
#include "tests/unit/uki_util.h"

/* Fixers whose whole plan the expected files hold: these need no facts beyond the tree's. */
static const char *const golden[] = { "fstab", "crypttab", "storage", "bootloader", "guest-tools" };

/* ---- what a tree is: "path type mode owner size hash" for each entry ---- */

static struct {
    struct strlist *list;
    size_t skip; /* bytes of the folder's own path */
} walk;

static uint64_t hash_of(const char *path)
{
    uint64_t hash = 14695981039346656037U; /* FNV-1a */
    struct err err = ERR_NONE;
    char *text = NULL;
    size_t len = 0;

    assert_int_equal(io_read_file(path, GUEST_TEXT_MAX, &text, &len, &err), 0);
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211U;
    free(text);
    return hash;
}

static int add_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    const char *inside = path[walk.skip] ? path + walk.skip : "/";
    char target[512] = "";

    (void)kind;
    (void)ftw;
    if (S_ISLNK(st->st_mode))
        assert_true(readlink(path, target, sizeof(target) - 1) >= 0);
    strlist_take(walk.list,
                 mem_printf("%s\t%o %u:%u %llx %s", inside, st->st_mode, st->st_uid, st->st_gid,
                            S_ISREG(st->st_mode) ? (unsigned long long)hash_of(path) : 0, target));
    return 0;
}

static void list_tree(const struct tree *tree, struct strlist *ret)
{
    walk.list = ret;
    walk.skip = strlen(tree->dir);
    assert_int_equal(nftw(tree->dir, add_entry, 16, FTW_PHYS), 0);
    strlist_sort(ret);
}

/* Folders above something new are made with it. */
static int is_planned(const struct plan *plan, const char *entry)
{
    size_t len = strcspn(entry, "\t");

    for (size_t i = 0; i < plan->n; i++) {
        const char *path = plan->changes[i].path;

        if (strncmp(path, entry, len) == 0 &&
            (path[len] == '\0' || (path[len] == '/' && plan->changes[i].action == CHANGE_MKDIR)))
            return 1;
    }
    return 0;
}

/* Entries of @a that @b lacks must be in the plan. */
static void expect_planned(const struct plan *plan, const struct strlist *a,
                           const struct strlist *b)
{
    for (size_t i = 0; i < a->n; i++) {
        if (strlist_has(b, a->items[i]) || is_planned(plan, a->items[i]))
            continue;
        print_error("not in the plan: %s\n", a->items[i]);
        fail();
    }
}

/* ---- programs of UEFI ---- */

/* By the end of the name: BOOTAA64.EFI. */
static uint32_t machine_of(const char *name)
{
    static const struct {
        const char *end;
        uint32_t machine;
    } ends[] = { { "aa64.efi", PE_AARCH64 }, { "ia32.efi", PE_I386 } };
    size_t len = strlen(name);

    for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
        if (len >= 8 && strcasecmp(name + len - 8, ends[i].end) == 0)
            return ends[i].machine;
    return PE_X86_64;
}

static int make_program(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    static uint8_t program[UKI_UTIL_SIZE];
    size_t len = strlen(path);
    struct err err = ERR_NONE;
    char *text = NULL;

    (void)ftw;
    if (kind != FTW_F || len < 4 || strcasecmp(path + len - 4, ".efi") != 0 || st->st_size == 0 ||
        st->st_size > 64)
        return 0;
    assert_int_equal(io_read_file(path, GUEST_TEXT_MAX, &text, NULL, &err), 0);
    uki_program(program, machine_of(path), text);
    assert_int_equal(io_write_file(path, program, sizeof(program), 0644, &err), 0);
    free(text);
    return 0;
}

/* ---- one tree ---- */

static struct injections asked; /* for every plan; the strings are of who sets it */

/* @only: NULL or names of fixers. */
static struct plan *plan_of(const struct tree *tree, const struct facts *facts,
                            const struct strlist *only)
{
    struct fix_opts opts = { .inject = asked };
    struct fix_context ctx = { .facts = facts, .opts = &opts };
    struct plan *plan = NULL;
    struct err err = ERR_NONE;

    for (size_t i = 0; only && i < only->n; i++)
        strlist_add(&opts.only, only->items[i]);
    assert_int_equal(fixers_plan(&ctx, tree->root, &plan, &err), 0);
    strlist_done(&opts.only);
    return plan;
}

static char *plan_text(const struct plan *plan)
{
    struct strbuf out = { 0 };

    strbuf_puts(&out, "");
    for (size_t i = 0; i < plan->n; i++) {
        const struct change *change = &plan->changes[i];
        char *diff = change_diff(change, true);

        strbuf_printf(&out, "%s: %s %s: %s\n%s\n", change->fixer, change_name(change), change->path,
                      change->reason, diff);
        free(diff);
    }
    for (size_t i = 0; i < plan->notes.n; i++)
        strbuf_printf(&out, "note: %s\n", plan->notes.items[i]);
    return strbuf_take(&out);
}

/* Whose plan is expected? */
static struct strlist golden_of(const char *folder)
{
    char *path = mem_printf("%s/fixers", folder);
    struct strlist names = { 0 };
    struct err err = ERR_NONE;
    char *text = NULL;
    struct span line;
    size_t pos = 0;

    if (access(path, F_OK) == 0)
        assert_int_equal(io_read_file(path, GUEST_TEXT_MAX, &text, NULL, &err), 0);
    while (text && line_next(text, strlen(text), &pos, &line))
        strlist_take(&names, span_dup(text, line));
    for (size_t i = 0; !text && i < ARRAY_SIZE(golden); i++)
        strlist_add(&names, golden[i]);
    free(text);
    free(path);
    return names;
}

static void compare_with_expected(const char *folder, const struct plan *plan)
{
    char *path = mem_printf("%s/plan", folder);
    char *text = plan_text(plan);
    char *want = NULL;
    struct err err = ERR_NONE;

    if (getenv("H2K_WRITE_EXPECTED"))
        assert_int_equal(io_write_file(path, text, strlen(text), 0644, &err), 0);
    assert_int_equal(io_read_file(path, GUEST_TEXT_MAX, &want, NULL, &err), 0);
    assert_string_equal(text, want);
    free(want);
    free(text);
    free(path);
}

/* What inspection finds in the tree, and what the file beside it adds or says otherwise. */
static struct facts *facts_of(const struct tree *tree, const char *folder, const char *file)
{
    char *path = mem_printf("%s/%s", folder, file);
    struct inspect_opts opts = { .with_initrds = true };
    struct err err = ERR_NONE;
    struct facts *facts;
    char *text = NULL;

    assert_int_equal(io_read_file(path, GUEST_TEXT_MAX, &text, NULL, &err), 0);
    facts = facts_of_text(text);
    if (os_probe_linux.match(tree->root)) {
        os_probe_linux.mounts(tree->root, facts);
        assert_int_equal(os_probe_linux.collect(tree->root, &opts, facts, &err), 0);
        facts_say(facts, text);
    }
    free(text);
    free(path);
    return facts;
}

static void repair(const struct tree *tree, const struct facts *facts)
{
    struct strlist before = { 0 }, after = { 0 };
    struct plan *plan = plan_of(tree, facts, NULL);
    struct err err = ERR_NONE;

    list_tree(tree, &before);
    assert_int_equal(plan_check_space(plan, &err), 0);
    assert_int_equal(plan_apply(plan, &err), 0);
    list_tree(tree, &after);
    expect_planned(plan, &before, &after);
    expect_planned(plan, &after, &before);
    plan_free(plan);

    plan = plan_of(tree, facts, NULL);
    for (size_t i = 0; i < plan->n; i++)
        print_error("again: %s %s\n", plan->changes[i].fixer, plan->changes[i].path);
    assert_int_equal(plan->n, 0);
    plan_free(plan);
    strlist_done(&before);
    strlist_done(&after);
}

static void ask(const char *config)
{
    struct err err = ERR_NONE;

    injections_done(&asked);
    assert_int_equal(injections_parse(&asked, config, strlen(config), "config", &err), 0);
}

static void ask_as_beside(const char *folder)
{
    char *path = mem_printf("%s/config", folder);
    struct err err = ERR_NONE;
    char *text = NULL;

    injections_done(&asked);
    if (access(path, F_OK) == 0) {
        assert_int_equal(io_read_file(path, GUEST_TEXT_MAX, &text, NULL, &err), 0);
        ask(text);
    }
    free(text);
    free(path);
}

/* What needs no more of a guest than that it is one. */
static void ask_a_little(const struct facts *facts)
{
    static const char *const with_scripts[] = { "systemd", "openrc", "sysvinit", "upstart" };

    for (size_t i = 0; i < ARRAY_SIZE(with_scripts); i++) {
        if (strcmp(facts->init_system, with_scripts[i]) == 0) {
            ask("hostname: moved.example\nfirstboot: [{command: date}]\nremove-tools: true\n");
            return;
        }
    }
    ask("hostname: moved.example\nfiles: [{path: /srv/moved/x, text: y}]\n");
}

static void check_tree(const char *folder, const char *file)
{
    char *from = mem_printf("%s/root", folder);
    struct strlist only = { 0 };
    struct facts *facts;
    struct plan *plan;
    struct tree tree;

    print_message("tree: %s\n", folder + strlen(TEST_DATA_DIR) + 1);
    tree_open(&tree, from);
    assert_int_equal(nftw(tree.dir, make_program, 16, FTW_PHYS), 0);
    facts = facts_of(&tree, folder, file);
    if (strcmp(file, "facts") == 0)
        only = golden_of(folder);
    ask_as_beside(folder);
    plan = plan_of(&tree, facts, only.n > 0 ? &only : NULL);
    compare_with_expected(folder, plan);
    plan_free(plan);
    strlist_done(&only);
    repair(&tree, facts);
    ask_a_little(facts);
    repair(&tree, facts);
    injections_done(&asked);
    tree_close(&tree);
    facts_free(facts);
    free(from);
}

static int check_trees(const char *top, const char *file)
{
    struct dirent **names = NULL;
    int n = scandir(top, &names, NULL, alphasort);
    int n_trees = 0;

    for (int i = 0; i < n; i++) {
        char *folder = mem_printf("%s/%s", top, names[i]->d_name);

        if (names[i]->d_name[0] != '.') {
            check_tree(folder, file);
            n_trees++;
        }
        free(folder);
        free(names[i]);
    }
    free(names);
    return n_trees;
}

static void every_tree_is_repaired_once(void **state)
{
    (void)state;
    assert_true(check_trees(TEST_DATA_DIR "/fix", "facts") >= 6);
    assert_true(check_trees(TEST_DATA_DIR "/guests", "devices") >= 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_tree_is_repaired_once) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
