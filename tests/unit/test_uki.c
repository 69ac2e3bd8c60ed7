/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Command lines in unified kernel images, and what the fixer says of them. */
#include "engine/base/strbuf.h"
#include "fixers/fixer.h"
#include "fixers/hardware.h"
#include "inspect/linux.h"
#include "inspect/uki.h"
#include "tests/unit/facts_file.h"
#include "tests/unit/tree.h"
#include "tests/unit/uki_util.h"

static const char facts_text[] = "root /dev/sda2\ndevice /dev/sda disk - - -\n"
                                 "device /dev/sda2 partition ext4 aaaa-1111 0abc-02\n";

static uint8_t image[UKI_UTIL_SIZE];

static void put_image(const struct tree *tree, const char *path, const char *line)
{
    char *full = tree_path(tree, path);
    struct err err = ERR_NONE;

    uki_make(image, &line, 1);
    assert_int_equal(io_write_file(full, image, sizeof(image), 0644, &err), 0);
    free(full);
}

static void sections_are_found(void **state)
{
    static const char *const lines[] = { "root=/dev/sda2 ro", "single" };
    struct uki_section found[2];

    (void)state;
    uki_make(image, lines, 2);
    assert_int_equal(uki_find_cmdlines(image, sizeof(image), found, 2), 2);
    assert_int_equal(found[0].offset, 1536);
    assert_int_equal(found[0].size, strlen(lines[0])); /* not the padding */
    assert_int_equal(found[1].size, strlen(lines[1]));
    assert_int_equal(uki_find_cmdlines(image, sizeof(image), found, 1), 1);
}

static void damage_is_no_image(void **state)
{
    static const char *const lines[] = { "a" };
    struct uki_section found[2];

    (void)state;
    uki_make(image, lines, 1);
    for (size_t len = 0; len < UKI_UTIL_SECTIONS + 80; len++)
        assert_int_equal(uki_find_cmdlines(image, len, found, 2), 0);
    uki_put(image + 0x3c, 0xfffffff0, 4); /* the PE header far away */
    assert_int_equal(uki_find_cmdlines(image, sizeof(image), found, 2), 0);
    uki_make(image, lines, 1);
    uki_put(image + UKI_UTIL_PE + 20, 0xffff, 2); /* the sections behind the end */
    assert_int_equal(uki_find_cmdlines(image, sizeof(image), found, 2), 0);
    uki_make(image, lines, 1);
    image[0] = 'X';
    assert_int_equal(uki_find_cmdlines(image, sizeof(image), found, 2), 0);
}

/* A section that claims to be elsewhere, or larger than the file, gives what is there. */
static void texts_are_bounded(void **state)
{
    struct strlist lines = { 0 };
    struct err err = ERR_NONE;
    struct tree tree;
    char *full;

    (void)state;
    tree_open(&tree, NULL);
    uki_make(image, (const char *const[]){ "a", "b" }, 2);
    uki_put(image + UKI_UTIL_SECTIONS + 40 + 20, 0xffffff00, 4);
    uki_put(image + UKI_UTIL_SECTIONS + 80 + 8, 0xffffffff, 4);
    uki_put(image + UKI_UTIL_SECTIONS + 80 + 16, 0xffffffff, 4);
    full = tree_path(&tree, "/a.efi");
    assert_int_equal(io_write_file(full, image, sizeof(image), 0644, &err), 0);
    assert_int_equal(uki_read_cmdlines(tree.root, "/a.efi", &lines, &err), 0);
    assert_int_equal(lines.n, 2);
    assert_string_equal(lines.items[0], "");
    assert_string_equal(lines.items[1], "b");
    strlist_done(&lines);
    free(full);
    tree_close(&tree);
}

static struct plan *plan_of(const struct tree *tree, const struct facts *facts)
{
    struct fix_opts opts = { 0 };
    struct fix_context ctx = { .facts = facts, .opts = &opts };
    struct plan *plan = NULL;
    struct err err = ERR_NONE;

    strlist_add(&opts.only, "bootloader");
    assert_int_equal(fixers_plan(&ctx, tree->root, &plan, &err), 0);
    strlist_done(&opts.only);
    return plan;
}

static void names_in_images_are_told_of(void **state)
{
    static const char *const bad[] = {
        "/boot/efi/EFI/Linux/a.efi",
        "/boot/efi/EFI/Linux/ok.efi.extra.d/b.addon.efi",
        "/boot/efi/loader/addons/c.addon.efi",
        "/boot/efi/EFI/Linux/d.EFI",
    };
    struct facts *facts = facts_of_text(facts_text);
    struct plan *plan;
    struct tree tree;

    (void)state;
    tree_open(&tree, NULL);
    put_image(&tree, "/boot/efi/EFI/Linux/ok.efi", "root=UUID=aaaa-1111 ro");
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        put_image(&tree, bad[i], "ro root=/dev/sda2 quiet");
    tree_put(&tree, "/boot/efi/EFI/Linux/text.efi", "root=/dev/sda2", 0644);
    plan = plan_of(&tree, facts);
    assert_int_equal(plan->n, 0);
    assert_int_equal(plan->notes.n, ARRAY_SIZE(bad));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char *start = mem_printf("bootloader: %s: root=/dev/sda2 is part of", bad[i]);
        int found = 0;

        for (size_t n = 0; n < plan->notes.n; n++)
            found += strncmp(plan->notes.items[n], start, strlen(start)) == 0;
        assert_int_equal(found, 1);
        free(start);
    }
    plan_free(plan);
    tree_close(&tree);
    facts_free(facts);
}

/* An image of kernel 6.1.0-1 whose initramfs holds the files @names (a list for a shell). */
static void put_unified(const struct tree *tree, const char *names)
{
    char *initrd = NULL;
    char *script = mem_printf("cd %s && rm -rf i && mkdir i && cd i && for f in %s; do "
                              "mkdir -p $(dirname $f) && echo x >$f; done && "
                              "find . | sort | cpio -o -H newc --quiet | gzip >../initrd",
                              tree->dir, names);
    char *full = tree_path(tree, "/efi/EFI/Linux/a.efi"), *archive = tree_path(tree, "/initrd");
    struct strbuf file = { 0 };
    struct err err = ERR_NONE;
    size_t len = 0;

    tree_run((const char *const[]){ "bash", "-euo", "pipefail", "-c", script, NULL });
    assert_int_equal(io_read_file(archive, GUEST_TEXT_MAX, &initrd, &len, &err), 0);
    uki_headers(image, 0x8664, 2);
    uki_section(image, 0, ".uname", "6.1.0-1");
    uki_section(image, 1, ".initrd", "");
    uki_put(image + UKI_UTIL_SECTIONS + 40 + 8, (uint32_t)len, 4);
    uki_put(image + UKI_UTIL_SECTIONS + 40 + 16, (uint32_t)len, 4);
    uki_put(image + UKI_UTIL_SECTIONS + 40 + 20, sizeof(image), 4);
    strbuf_add(&file, image, sizeof(image));
    strbuf_add(&file, initrd, len);
    assert_int_equal(io_write_file(full, file.data, file.len, 0644, &err), 0);
    strbuf_done(&file);
    free(script);
    free(initrd);
    free(archive);
    free(full);
}

/* The kernel is one, with what its initramfs has; one without virtio is told of. */
static void kernels_in_images_are_known(void **state)
{
    static const struct {
        const char *names;
        bool has_virtio;
    } cases[] = {
        { "lib/modules/6.1.0-1/kernel/a/ahci.ko", false },
        { "lib/modules/6.1.0-1/kernel/a/virtio_blk.ko lib/modules/6.1.0-1/kernel/a/virtio_pci.ko",
          true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct facts *facts = facts_of_text(facts_text);
        struct fix_opts opts = { 0 };
        struct fix_context ctx = { .facts = facts, .opts = &opts };
        struct err err = ERR_NONE;
        struct plan *plan = NULL;
        struct tree tree;
        size_t n = 0;

        tree_open(&tree, NULL);
        tree_put(&tree, "/lib/modules/6.1.0-1/modules.dep",
                 "kernel/a/virtio_blk.ko:\nkernel/a/virtio_pci.ko:\n", 0644);
        put_unified(&tree, cases[i].names);
        linux_kernels(tree.root, facts);
        assert_int_equal(facts->n_kernels, 1);
        assert_string_equal(facts->kernels[0].version, "6.1.0-1");
        assert_string_equal(facts->kernels[0].unified, "/efi/EFI/Linux/a.efi");
        assert_string_equal(facts->kernels[0].initrd, "");
        linux_initrds_end(linux_initrds_begin(tree.root, facts, INITRAMFS_MODULES), facts);
        assert_string_equal(facts->kernels[0].initrd_compression, "gzip");
        assert_int_equal(facts->kernels[0].initrd_has_virtio, cases[i].has_virtio);
        assert_int_equal(kernel_fit(&facts->kernels[0]), KERNEL_FITS);
        assert_int_equal(fixers_plan(&ctx, tree.root, &plan, &err), 0);
        assert_int_equal(plan->n, 0);
        for (size_t k = 0; k < plan->notes.n; k++)
            n += strstr(plan->notes.items[k], "has no virtio drivers") != NULL;
        assert_int_equal(n, !cases[i].has_virtio);
        plan_free(plan);
        tree_close(&tree);
        facts_free(facts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_are_found),
        cmocka_unit_test(damage_is_no_image),
        cmocka_unit_test(texts_are_bounded),
        cmocka_unit_test(names_in_images_are_told_of),
        cmocka_unit_test(kernels_in_images_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
