/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <string.h>

#include "inspect/modules_dep.h"
#include "tests/unit/unit.h"

static void paths_are_checked(void **state)
{
    static const struct {
        const char *path;
        bool ok;
    } cases[] = {
        { "kernel/drivers/block/virtio_blk.ko", true },
        { "updates/dkms/x.ko.zst", true },
        { "a.ko.xz", true },
        { "a.ko.gz", true },
        { "/abs/a.ko", false },
        { "kernel/../../a.ko", false },
        { "./a.ko", false },
        { "kernel//a.ko", false },
        { "kernel/a.ko/", false },
        { "kernel/.ko", false },
        { "kernel/a.kox", false },
        { "modules.dep", false },
        { "", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        print_message("case: %s\n", cases[i].path);
        assert_int_equal(module_path_ok(cases[i].path), cases[i].ok);
    }
}

static void names_do_not_care_about_dashes(void **state)
{
    char *name = module_path_name("kernel/a/virtio-blk.ko.xz");

    (void)state;
    assert_string_equal(name, "virtio_blk");
    assert_true(module_path_is("kernel/a/virtio-blk.ko.xz", "virtio_blk"));
    assert_true(module_path_is("kernel/a/virtio_blk.ko", "virtio-blk"));
    assert_false(module_path_is("kernel/a/virtio_blk.ko", "virtio"));
    assert_false(module_path_is("kernel/a/virtio_blk.c", "virtio_blk"));
    free(name);
}

static void modules_dep_is_parsed(void **state)
{
    static const char text[] = "kernel/a/b-c.ko: kernel/x/d.ko.xz  kernel/x/e.ko\n"
                               "kernel/x/e.ko:\n"
                               "no colon here\n"
                               "/opt/modules/else/f.ko: kernel/x/e.ko\n"
                               "kernel/x/d.ko.xz: kernel/x/e.ko";
    struct modules_dep dep = { 0 };
    const struct module_dep *module;

    (void)state;
    assert_int_equal(modules_dep_parse(text, strlen(text), &dep), 0);
    assert_int_equal(dep.n, 3);
    module = modules_dep_find(&dep, "b-c");
    assert_non_null(module);
    assert_ptr_equal(module, modules_dep_find(&dep, "b_c"));
    assert_string_equal(module->path, "kernel/a/b-c.ko");
    assert_int_equal(module->needs.n, 2);
    assert_string_equal(module->needs.items[0], "kernel/x/d.ko.xz");
    assert_string_equal(modules_dep_find_path(&dep, "kernel/x/d.ko.xz")->needs.items[0],
                        "kernel/x/e.ko");
    assert_null(modules_dep_find(&dep, "f"));
    assert_null(modules_dep_find_path(&dep, "kernel/y/d.ko.xz"));
    modules_dep_done(&dep);
}

/* module-init-tools, EL 5 and before */
static void absolute_paths_are_those_of_the_folder(void **state)
{
    static const char text[] = "/lib/modules/2.6.18/kernel/a.ko: /lib/modules/2.6.18/kernel/b.ko\n"
                               "/lib/modules/2.6.18/kernel/b.ko:\n/lib/modules/c.ko:\n";
    struct modules_dep dep = { 0 };

    (void)state;
    assert_int_equal(modules_dep_parse(text, strlen(text), &dep), 0);
    assert_int_equal(dep.n, 2);
    assert_string_equal(modules_dep_find(&dep, "a")->path, "kernel/a.ko");
    assert_string_equal(modules_dep_find(&dep, "a")->needs.items[0], "kernel/b.ko");
    modules_dep_done(&dep);
}

static void two_modules_of_one_name_are_kept_apart(void **state)
{
    static const char text[] = "updates/a.ko: kernel/b.ko\nkernel/a.ko:\nkernel/b.ko:\n";
    struct modules_dep dep = { 0 };

    (void)state;
    assert_int_equal(modules_dep_parse(text, strlen(text), &dep), 0);
    assert_int_equal(modules_dep_find_path(&dep, "updates/a.ko")->needs.n, 1);
    assert_int_equal(modules_dep_find_path(&dep, "kernel/a.ko")->needs.n, 0);
    modules_dep_done(&dep);
}

static void builtin_and_softdep_are_parsed(void **state)
{
    static const char builtin[] = "kernel/drivers/virtio/virtio-pci.ko\nkernel/fs/ext4/ext4.ko\n";
    static const char softdep[] = "# comment\nsoftdep virtio-blk pre: crc-t10dif a post: b\n"
                                  "softdep other pre: c\n";
    struct strlist names = { 0 }, soft = { 0 };

    (void)state;
    assert_int_equal(modules_builtin_parse(builtin, strlen(builtin), &names), 0);
    assert_true(modules_builtin_has(&names, "virtio_pci"));
    assert_true(modules_builtin_has(&names, "virtio-pci"));
    assert_false(modules_builtin_has(&names, "virtio"));
    modules_softdep_of(softdep, strlen(softdep), "virtio_blk", &soft);
    assert_int_equal(soft.n, 3);
    assert_string_equal(soft.items[0], "crc_t10dif");
    assert_string_equal(soft.items[2], "b");
    strlist_done(&names);
    strlist_done(&soft);
}

static void endless_files_are_refused(void **state)
{
    size_t len = 2 * (MODULES_LINES_MAX + 1);
    char *text = mem_alloc(len + 1);
    struct modules_dep dep = { 0 };

    (void)state;
    for (size_t i = 0; i < len; i += 2) {
        text[i] = ':';
        text[i + 1] = '\n';
    }
    assert_int_equal(modules_dep_parse(text, len, &dep), -EFBIG);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_checked),
        cmocka_unit_test(names_do_not_care_about_dashes),
        cmocka_unit_test(modules_dep_is_parsed),
        cmocka_unit_test(absolute_paths_are_those_of_the_folder),
        cmocka_unit_test(two_modules_of_one_name_are_kept_apart),
        cmocka_unit_test(builtin_and_softdep_are_parsed),
        cmocka_unit_test(endless_files_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
