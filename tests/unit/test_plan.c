/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "fixers/apply.h"
#include "fixers/plan.h"
#include "tests/unit/tree.h"

static struct tree tree;
static struct plan *plan;

static int setup(void **state)
{
    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, "/etc/fstab", "one\ntwo\n", 0644);
    tree_put(&tree, "/etc/shadow", "root:hash\n", 0640);
    tree_put(&tree, "/boot/grub2/grub.cfg", "linux\n", 0644);
    tree_link(&tree, "../boot/grub2/grub.cfg", "/etc/grub2.cfg");
    tree_link(&tree, "/etc/loop", "/etc/loop");
    tree_put(&tree, "/boot/initrd.img-6.1", "old bytes", 0600);
    tree_link(&tree, "boot/initrd.img-6.1", "/initrd.img");
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

static void expect_planned(const char *path, const char *want)
{
    struct err err = ERR_NONE;
    char *text = NULL;
    size_t len = 0;

    assert_int_equal(plan_read(plan, path, &text, &len, &err), 0);
    assert_string_equal(text, want);
    assert_int_equal(len, strlen(want));
    free(text);
}

static void apply(void)
{
    struct err err = ERR_NONE;

    assert_int_equal(plan->err.code, 0);
    assert_int_equal(plan_check_space(plan, &err), 0);
    assert_int_equal(plan_apply(plan, &err), 0);
}

static void the_same_content_is_no_change(void **state)
{
    (void)state;
    plan_write(plan, "/etc/fstab", "one\ntwo\n", "nothing");
    assert_int_equal(plan->n, 0);
    plan_write(plan, "/etc/fstab", "three\n", "something");
    assert_int_equal(plan->n, 1);
    plan_write(plan, "/etc/fstab", "one\ntwo\n", "back again");
    assert_int_equal(plan->n, 0);
    plan_link(plan, "../boot/grub2/grub.cfg", "/etc/grub2.cfg", "as it is");
    plan_mkdir(plan, "/etc", 0755, "as it is");
    plan_chmod(plan, "/etc/fstab", 0644, "as it is");
    plan_remove(plan, "/etc/nothing", "not there");
    assert_int_equal(plan->n, 0);
}

static void a_link_and_its_target_are_one_change(void **state)
{
    char *target;

    (void)state;
    plan_write(plan, "/etc/grub2.cfg", "first\n", "a");
    expect_planned("/boot/grub2/grub.cfg", "first\n");
    plan_write(plan, "/boot/../boot/grub2/grub.cfg", "second\n", "b");
    plan_write(plan, "/etc/grub2.cfg", "second\n", "no change, so no reason");
    assert_int_equal(plan->n, 1);
    assert_string_equal(plan->changes[0].path, "/boot/grub2/grub.cfg");
    assert_string_equal(plan->changes[0].reason, "a; b");
    assert_string_equal(plan->changes[0].old, "linux\n");
    expect_planned("/etc/grub2.cfg", "second\n");
    apply();
    tree_expect(&tree, "/boot/grub2/grub.cfg", "second\n");
    target = plan_readlink(plan, "/etc/grub2.cfg");
    assert_string_equal(target, "../boot/grub2/grub.cfg");
    free(target);
}

static void reads_see_what_was_planned(void **state)
{
    struct err err = ERR_NONE;
    char *text = NULL;
    size_t len;

    (void)state;
    assert_int_equal(plan_read(plan, "/etc/new", &text, &len, &err), -ENOENT);
    assert_int_equal(plan_read_text(plan, "/etc/new", &text, &err), 0);
    plan_write_new(plan, "/etc/new.d/file", "x\n", 0600, "new");
    assert_int_equal(plan->n, 2); /* its folder first */
    assert_int_equal(plan->changes[0].action, CHANGE_MKDIR);
    assert_true(plan_exists(plan, "/etc/new.d/file"));
    expect_planned("/etc/new.d/file", "x\n");
    plan_remove(plan, "/etc/fstab", "gone");
    assert_false(plan_exists(plan, "/etc/fstab"));
    assert_int_equal(plan_read(plan, "/etc/fstab", &text, &len, &err), -ENOENT);
    plan_link(plan, "/etc/shadow", "/etc/other", "link");
    expect_planned("/etc/other", "root:hash\n");
    text = plan_readlink(plan, "/etc/other");
    assert_string_equal(text, "/etc/shadow");
    free(text);
    apply();
    tree_expect(&tree, "/etc/new.d/file", "x\n");
    assert_false(guest_exists(tree.root, "/etc/fstab"));
    tree_expect(&tree, "/etc/other", "root:hash\n");
}

static void a_removed_link_is_not_written_through(void **state)
{
    struct stat st;

    (void)state;
    plan_remove(plan, "/etc/grub2.cfg", "no link");
    plan_write(plan, "/etc/grub2.cfg", "a file\n", "a file");
    apply();
    tree_expect(&tree, "/boot/grub2/grub.cfg", "linux\n");
    tree_expect(&tree, "/etc/grub2.cfg", "a file\n");
    assert_int_equal(guest_lstat(tree.root, "/etc/grub2.cfg", &st), 0);
    assert_true(S_ISREG(st.st_mode));
}

static void every_action_is_applied(void **state)
{
    struct stat st;
    char *target;

    (void)state;
    plan_append(plan, "/initrd.img", " and new", 8, "a segment", "drivers");
    plan_append(plan, "/boot/initrd.img-6.1", "er", 2, "a segment", "drivers");
    plan_copy(plan, "/etc/fstab", "/boot/efi/EFI/BOOT/copy", "copy");
    plan_link(plan, "/dev/null", "/etc/systemd/system/x.service", "mask");
    plan_mkdir(plan, "/var/empty", 0700, "folder");
    plan_chmod(plan, "/etc/fstab", 0600, "mode");
    plan_remove(plan, "/etc/loop", "a loop");
    apply();
    tree_expect(&tree, "/boot/initrd.img-6.1", "old bytes and newer");
    assert_int_equal(guest_stat(tree.root, "/boot/initrd.img-6.1", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600); /* an old file keeps its mode */
    tree_expect(&tree, "/boot/efi/EFI/BOOT/copy", "one\ntwo\n");
    target = plan_readlink(plan, "/etc/systemd/system/x.service");
    assert_string_equal(target, "/dev/null");
    free(target);
    assert_int_equal(guest_stat(tree.root, "/var/empty", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(guest_stat(tree.root, "/etc/fstab", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(guest_lstat(tree.root, "/etc/loop", &st), -ENOENT);
}

/* The file grows where it is, unless another name would see that. */
static void bytes_are_appended_in_place(void **state)
{
    char *path = tree_path(&tree, "/boot/initrd.img-6.1");
    char *other = tree_path(&tree, "/boot/initrd.img.old");
    struct stat before, after;

    (void)state;
    assert_int_equal(guest_stat(tree.root, "/boot/initrd.img-6.1", &before), 0);
    plan_append(plan, "/boot/initrd.img-6.1", " and new", 8, "a segment", "drivers");
    apply();
    tree_expect(&tree, "/boot/initrd.img-6.1", "old bytes and new");
    assert_int_equal(guest_stat(tree.root, "/boot/initrd.img-6.1", &after), 0);
    assert_int_equal(after.st_ino, before.st_ino);

    assert_int_equal(link(path, other), 0);
    plan_append(plan, "/boot/initrd.img-6.1", "er", 2, "a segment", "drivers");
    apply();
    tree_expect(&tree, "/boot/initrd.img.old", "old bytes and new");
    assert_int_equal(guest_stat(tree.root, "/boot/initrd.img-6.1", &after), 0);
    assert_int_equal(after.st_nlink, 1);
    free(path);
    free(other);
}

static void odd_files_become_notes(void **state)
{
    struct err err = ERR_NONE;
    char *fifo = tree_path(&tree, "/etc/fifo"), *text = NULL;

    (void)state;
    assert_int_equal(mkfifo(fifo, 0644), 0);
    free(fifo);
    assert_int_equal(plan_read_text(plan, "/etc/fifo", &text, &err), 0);
    assert_int_equal(plan_read_text(plan, "/etc/loop", &text, &err), 0);
    assert_int_equal(plan_read_text(plan, "/etc", &text, &err), 0);
    assert_int_equal(plan->notes.n, 3);
    assert_null(text);
    plan_write(plan, "/etc/loop", "x", "cannot be");
    assert_int_equal(plan->err.code, ELOOP);
}

static void notes_are_told_once_and_bounded(void **state)
{
    (void)state;
    plan_note(plan, "line %d", 1);
    plan_note(plan, "line %d", 1);
    assert_int_equal(plan->notes.n, 1);
    assert_string_equal(plan->notes.items[0], "test: line 1");
    for (int i = 0; i < 10000; i++)
        plan_note(plan, "line %d", i);
    assert_in_range(plan->notes.n, 100, 1000);
}

static void secrets_are_not_shown_unless_asked_for(void **state)
{
    char *hidden, *shown;
    json_t *json;

    (void)state;
    plan_write(plan, "/etc/shadow", "root:other\n", "password");
    plan_write_new(plan, "/etc/key", "private\n", 0600, "key");
    for (size_t i = 0; i < plan->n; i++) {
        hidden = change_diff(&plan->changes[i], false);
        shown = change_diff(&plan->changes[i], true);
        assert_null(strstr(hidden, i == 0 ? "root:" : "private"));
        assert_non_null(strstr(shown, i == 0 ? "+root:other" : "+private"));
        free(hidden);
        free(shown);
    }
    json = plan_to_json(plan, false);
    assert_true(json_is_true(json_object_get(json_array_get(json, 0), "redacted")));
    hidden = json_dumps(json, 0);
    assert_null(strstr(hidden, "root:"));
    free(hidden);
    json_decref(json);
}

static void json_has_the_fields_of_the_schema(void **state)
{
    json_t *json, *change;

    (void)state;
    plan_write(plan, "/etc/fstab", "one\nt\xff\n", "why");
    json = plan_to_json(plan, false);
    change = json_array_get(json, 0);
    assert_string_equal(json_string_value(json_object_get(change, "fixer")), "test");
    assert_string_equal(json_string_value(json_object_get(change, "action")), "write");
    assert_string_equal(json_string_value(json_object_get(change, "path")), "/etc/fstab");
    assert_string_equal(json_string_value(json_object_get(change, "reason")), "why");
    assert_string_equal(json_string_value(json_object_get(change, "diff")),
                        "--- a/etc/fstab\n+++ b/etc/fstab\n@@ -1,2 +1,2 @@\n one\n-two\n"
                        "+t\xef\xbf\xbd\n");
    assert_int_equal(json_integer_value(json_object_get(change, "bytes")), 7);
    json_decref(json);
}

static void too_little_space_is_seen_before_writing(void **state)
{
    struct err err = ERR_NONE;
    uint64_t space = 0;
    char *full = tree_path(&tree, "/boot/initrd.img-6.1");
    char *other = tree_path(&tree, "/boot/initrd.img.old");

    (void)state;
    /* an initramfs so large that its copy cannot fit: sparse, so it costs nothing here */
    assert_int_equal(guest_free_space(tree.root, "/boot", &space, &err), 0);
    assert_int_equal(truncate(full, (off_t)(space + (8U << 20))), 0);
    plan_append(plan, "/boot/initrd.img-6.1", "x", 1, "a segment", "drivers");
    assert_int_equal(plan_check_space(plan, &err), 0); /* it need not be copied */
    assert_int_equal(link(full, other), 0);
    free(full);
    free(other);
    assert_int_equal(plan_check_space(plan, &err), -EPERM);
    assert_int_equal(err.status, STATUS_REFUSED);
    assert_non_null(strstr(err.text[0], "at / is too full"));
    assert_non_null(strstr(err.text[0], "are missing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_content_is_no_change, setup, teardown),
        cmocka_unit_test_setup_teardown(a_link_and_its_target_are_one_change, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_see_what_was_planned, setup, teardown),
        cmocka_unit_test_setup_teardown(a_removed_link_is_not_written_through, setup, teardown),
        cmocka_unit_test_setup_teardown(every_action_is_applied, setup, teardown),
        cmocka_unit_test_setup_teardown(odd_files_become_notes, setup, teardown),
        cmocka_unit_test_setup_teardown(notes_are_told_once_and_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(secrets_are_not_shown_unless_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(json_has_the_fields_of_the_schema, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_are_appended_in_place, setup, teardown),
        cmocka_unit_test_setup_teardown(too_little_space_is_seen_before_writing, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
