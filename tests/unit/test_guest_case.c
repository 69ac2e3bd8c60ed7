/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names that differ in case only are the same: on a file system for which they are not. */
#include <dirent.h>
#include <errno.h>

#include "engine/upcase.h"
#include "fixers/apply.h"
#include "fixers/plan.h"
#include "tests/unit/tree.h"

static const struct guest_attr plain = { .mode = 0644 };
static struct tree tree;
static struct plan *plan;

static int setup(void **state)
{
    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, "/Windows/System32/drivers/disk.sys", "disk\n", 0644);
    tree_put(&tree, "/Windows/System32/config/SYSTEM", "hive\n", 0644);
    tree_put(&tree, "/Twins/Name", "N\n", 0644);
    tree_put(&tree, "/Twins/name", "n\n", 0644);
    tree_put(&tree, "/Größe/ÄÖÜ.txt", "umlauts\n", 0644);
    tree_link(&tree, "windows/SYSTEM32", "/WinLink");
    tree_link(&tree, "/TWINS/../windows", "/Rooted");
    tree_link(&tree, "../../../../../../../../etc", "/Windows/Out");
    tree_link(&tree, "second", "/first");
    tree_link(&tree, "FIRST", "/second");
    guest_root_ignore_case(tree.root);
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

/* ---- letters ---- */

static const struct {
    const char *a, *b;
    bool is_equal;
} names[] = {
    { "System32", "SYSTEM32", true },
    { "System32", "System3", false },
    { "", "", true },
    { "", "a", false },
    { "[", "{", false }, /* 32 apart, and no letters */
    { "größe", "GRÖßE", true },
    { "ß", "SS", false },
    { "straße", "STRASSE", false },
    { "ÿ", "Ÿ", true },
    { "×", "÷", false },
    { "żółw", "ŻÓŁW", true },
    { "программа", "ПРОГРАММА", true },
    { "ёлка", "ЁЛКА", true },
    { "καλημέρα", "ΚΑΛΗΜΈΡΑ", true },
    { "ı", "I", false }, /* Turkish is no exception */
    { "ａ", "Ａ", true },
    { "日本", "日本", true },
    { "😀", "😀", true },
    { "𐐨", "𐐀", false }, /* beyond 16 bits: halves have no case */
    { "a\xff", "A\xff", true },
    { "\xc3", "\xe3", false }, /* no UTF-8: bytes */
    { "\xc3", "\xc3", true },
    { "\xe1\x80", "\xe1\x80", true },
};

static void names_are_compared_as_windows_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        print_message("case: %s %s\n", names[i].a, names[i].b);
        assert_int_equal(upcase_equal(names[i].a, names[i].b), names[i].is_equal);
        assert_int_equal(upcase_equal(names[i].b, names[i].a), names[i].is_equal);
    }
    assert_true(upcase_equal_n("abcd", 2, "ABxx", 2));
    assert_false(upcase_equal_n("ÿ", 1, "Ÿ", 1)); /* halves of characters */
}

/* ---- paths ---- */

static const struct {
    const char *path, *real; /* NULL: there is no such thing */
} paths[] = {
    { "/windows/SYSTEM32/Drivers/DISK.SYS", "/Windows/System32/drivers/disk.sys" },
    { "/Windows/System32/drivers/disk.sys", "/Windows/System32/drivers/disk.sys" },
    { "//WINDOWS/./system32//config/../CONFIG/system", "/Windows/System32/config/SYSTEM" },
    { "/windows/nothing", NULL },
    { "/nothing/../windows", NULL },
    { "/windows/system32/config/system/below", NULL }, /* a file is no folder */
    { "/twins/NAME", "/Twins/Name" },                  /* the first */
    { "/twins/name", "/Twins/name" },                  /* the exact one */
    { "/grösse/äöü.TXT", NULL },
    { "/GRÖßE/äöü.TXT", "/Größe/ÄÖÜ.txt" },
    { "/winlink/DRIVERS/disk.SYS", "/Windows/System32/drivers/disk.sys" },
    { "/ROOTED/system32/../SYSTEM32/config", "/Windows/System32/config" },
    { "/windows/OUT/passwd", NULL }, /* the guest has no /etc */
    { "/windows/../../../../../etc/passwd", NULL },
    { "/FIRST", NULL }, /* a loop */
    { "/", "/" },
};

static void paths_are_found_whatever_their_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        struct err err = ERR_NONE;
        char *real = NULL;
        int r = guest_real_path(tree.root, paths[i].path, &real, &err);

        print_message("case: %s\n", paths[i].path);
        assert_int_equal(guest_exists(tree.root, paths[i].path), paths[i].real != NULL);
        assert_int_equal(r == 0, paths[i].real != NULL);
        if (paths[i].real)
            assert_string_equal(real, paths[i].real);
        free(real);
    }
}

static void links_are_told_from_what_they_lead_to(void **state)
{
    struct err err = ERR_NONE;
    struct stat st;
    char *target = NULL;

    (void)state;
    assert_int_equal(guest_lstat(tree.root, "/WINLINK", &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(guest_readlink(tree.root, "/winLINK", &target, &err), 0);
    assert_string_equal(target, "windows/SYSTEM32");
    free(target);
    assert_int_equal(guest_stat(tree.root, "/first", &st), -ELOOP);
}

static void a_long_way_is_given_up(void **state)
{
    struct strbuf path = { 0 };

    (void)state;
    for (int i = 0; i < 600; i++)
        strbuf_puts(&path, "/WINDOWS/..");
    assert_false(guest_exists(tree.root, path.data));
    path.len = 0;
    for (int i = 0; i < 100; i++)
        strbuf_puts(&path, "/WINDOWS/..");
    assert_true(guest_exists(tree.root, path.data));
    strbuf_done(&path);
}

static void lists_and_patterns_ignore_case(void **state)
{
    struct strlist found = { 0 };
    struct err err = ERR_NONE;

    (void)state;
    assert_int_equal(guest_list(tree.root, "/TWINS", &found, &err), 0);
    assert_int_equal(found.n, 2);
    strlist_done(&found);
    found = (struct strlist){ 0 };
    assert_int_equal(guest_files(tree.root, "/windows/system32/DRIVERS", "D*.SYS", 0, &found, &err),
                     0);
    assert_int_equal(found.n, 1);
    assert_string_equal(found.items[0], "/windows/system32/DRIVERS/disk.sys");
    strlist_done(&found);
}

/* ---- writing ---- */

static size_t n_entries(const char *folder)
{
    struct strlist found = { 0 };
    struct err err = ERR_NONE;
    size_t n;

    assert_int_equal(guest_list(tree.root, folder, &found, &err), 0);
    n = found.n;
    strlist_done(&found);
    return n;
}

static void what_is_written_goes_to_the_spelling_that_is_there(void **state)
{
    struct guest_piece piece = { .data = "new\n", .len = 4 };
    struct err err = ERR_NONE;
    struct stat st;
    char *real = NULL;

    (void)state;
    assert_int_equal(
        guest_replace(tree.root, "/WINDOWS/system32/CONFIG/System", &piece, 1, &plain, &err), 0);
    tree_expect(&tree, "/Windows/System32/config/SYSTEM", "new\n");
    assert_int_equal(n_entries("/Windows/System32/config"), 1);
    assert_int_equal(guest_append(tree.root, "/windows/system32/config/system", "more\n", 5, &err),
                     0);
    tree_expect(&tree, "/Windows/System32/config/SYSTEM", "new\nmore\n");
    assert_int_equal(guest_chmod(tree.root, "/windows/system32/config/system", 0600, &err), 0);
    assert_int_equal(guest_stat(tree.root, "/Windows/System32/config/SYSTEM", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(guest_mkdir(tree.root, "/WINDOWS/SYSTEM32/Drivers/New/Deep", &plain, &err), 0);
    assert_int_equal(guest_real_path(tree.root, "/windows/system32/drivers/NEW/deep", &real, &err),
                     0);
    assert_string_equal(real, "/Windows/System32/drivers/New/Deep");
    free(real);
    assert_int_equal(n_entries("/"), 7);
    assert_int_equal(guest_remove(tree.root, "/WINDOWS/system32/drivers/DISK.SYS", &err), 0);
    assert_false(guest_exists(tree.root, "/Windows/System32/drivers/disk.sys"));
}

static void a_link_is_written_through(void **state)
{
    struct guest_piece piece = { .data = "new\n", .len = 4 };
    struct err err = ERR_NONE;

    (void)state;
    tree_link(&tree, "WINDOWS/system32/Config/system", "/hive");
    assert_int_equal(guest_replace(tree.root, "/HIVE", &piece, 1, &plain, &err), 0);
    tree_expect(&tree, "/Windows/System32/config/SYSTEM", "new\n");
    assert_int_equal(n_entries("/Windows/System32/config"), 1);
}

/* ---- plans ---- */

static void expect_change(size_t i, const char *path)
{
    assert_true(i < plan->n);
    assert_string_equal(plan->changes[i].path, path);
}

static void plans_have_one_spelling_of_a_path(void **state)
{
    struct err err = ERR_NONE;
    char *text = NULL;
    size_t len = 0;

    (void)state;
    plan_write(plan, "/windows/SYSTEM32/config/system", "one\n", "first");
    plan_write(plan, "/WINLINK/CONFIG/System", "two\n", "second");
    assert_int_equal(plan->n, 1);
    expect_change(0, "/Windows/System32/config/SYSTEM");
    assert_string_equal(plan->changes[0].old, "hive\n");
    plan_write(plan, "/WINDOWS/Drivers/Disk/New.sys", "a\n", "new");
    assert_int_equal(plan->n, 3);
    expect_change(1, "/Windows/Drivers/Disk");
    expect_change(2, "/Windows/Drivers/Disk/New.sys");
    plan_write(plan, "/windows/DRIVERS/disk/NEW.SYS", "b\n", "the same");
    assert_int_equal(plan->n, 3);
    plan_write(plan, "/windows/drivers/DISK/other.sys", "c\n", "beside it");
    assert_int_equal(plan->n, 4);
    expect_change(3, "/Windows/Drivers/Disk/other.sys");
    assert_int_equal(plan_read(plan, "/WINDOWS/drivers/disk/new.SYS", &text, &len, &err), 0);
    assert_string_equal(text, "b\n");
    free(text);
    assert_true(plan_exists(plan, "/windows/drivers/DISK/OTHER.SYS"));
    plan_remove(plan, "/WINDOWS/system32/drivers/DISK.sys", "gone");
    expect_change(4, "/Windows/System32/drivers/disk.sys");
    assert_false(plan_exists(plan, "/windows/system32/drivers/disk.sys"));
    assert_int_equal(plan->err.code, 0);
    assert_int_equal(plan_check_space(plan, &err), 0);
    assert_int_equal(plan_apply(plan, &err), 0);
    tree_expect(&tree, "/Windows/Drivers/Disk/New.sys", "b\n");
    tree_expect(&tree, "/Windows/Drivers/Disk/other.sys", "c\n");
    assert_int_equal(n_entries("/Windows"), 3);
}

/* ---- volumes ---- */

static void another_volume_is_seen_beside_the_root(void **state)
{
    struct guest_piece piece = { .data = "loader\n", .len = 7 };
    struct err err = ERR_NONE;
    char *real = NULL, *text = NULL;
    size_t before = n_entries("/");
    int fd = openat(guest_root_fd(tree.root), "Twins", O_PATH | O_DIRECTORY | O_CLOEXEC);

    (void)state;
    assert_int_equal(guest_root_add_volume(tree.root, "/SYSTEM", fd, &err), -EINVAL);
    assert_int_equal(guest_root_add_volume(tree.root, "/a:/b", fd, &err), -EINVAL);
    assert_int_equal(guest_root_add_volume(tree.root, "/SYSTEM:", fd, &err), 0);
    (void)close(fd);
    assert_int_equal(n_entries("/"), before);
    tree_expect(&tree, "/SYSTEM:/name", "n\n");
    tree_expect(&tree, "/system:/../../NAME", "N\n");
    assert_true(guest_is_dir(tree.root, "/system:"));
    assert_false(guest_exists(tree.root, "/SYSTEM:/../Windows"));
    assert_false(guest_exists(tree.root, "/Windows/../SYSTEM:/name"));
    assert_int_equal(guest_mkdir(tree.root, "/system:/EFI/Boot", &plain, &err), 0);
    assert_int_equal(
        guest_replace(tree.root, "/SYSTEM:/efi/BOOT/bootx64.efi", &piece, 1, &plain, &err), 0);
    tree_expect(&tree, "/Twins/EFI/Boot/bootx64.efi", "loader\n");
    assert_int_equal(guest_real_path(tree.root, "/System:/efi/boot", &real, &err), 0);
    assert_string_equal(real, "/SYSTEM:/EFI/Boot");
    free(real);
    assert_int_equal(guest_real_path(tree.root, "/System:/", &real, &err), 0);
    assert_string_equal(real, "/SYSTEM:");
    free(real);
    plan_write_new(plan, "/system:/efi/New/a.efi", "x\n", 0644, "new");
    assert_int_equal(plan->n, 2);
    expect_change(0, "/SYSTEM:/EFI/New");
    expect_change(1, "/SYSTEM:/EFI/New/a.efi");
    plan_copy(plan, "/System:/EFI/boot/BOOTX64.efi", "/system:/COPY.efi", "copied");
    expect_change(2, "/SYSTEM:/COPY.efi");
    assert_int_equal(plan_check_space(plan, &err), 0);
    assert_int_equal(plan_apply(plan, &err), 0);
    tree_expect(&tree, "/Twins/COPY.efi", "loader\n");
    assert_int_equal(guest_remove(tree.root, "/system:/copy.EFI", &err), 0);
    assert_false(guest_exists(tree.root, "/Twins/COPY.efi"));
    text = guest_spelling(tree.root, "/SYSTEM:/EFI/new");
    assert_string_equal(text, "/SYSTEM:/EFI/New");
    free(text);
    guest_root_drop_volume(tree.root, "/SYSTEM:");
    assert_false(guest_exists(tree.root, "/SYSTEM:/name"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_compared_as_windows_does),
        cmocka_unit_test_setup_teardown(paths_are_found_whatever_their_case, setup, teardown),
        cmocka_unit_test_setup_teardown(links_are_told_from_what_they_lead_to, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_way_is_given_up, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_and_patterns_ignore_case, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_written_goes_to_the_spelling_that_is_there, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_link_is_written_through, setup, teardown),
        cmocka_unit_test_setup_teardown(plans_have_one_spelling_of_a_path, setup, teardown),
        cmocka_unit_test_setup_teardown(another_volume_is_seen_beside_the_root, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
