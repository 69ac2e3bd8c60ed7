/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images as qemu-img makes them: recognised, measured, and given back to qemu. */
#include <errno.h>

#include "tests/unit/image_util.h"

static const struct {
    const char *name, *format, *options, *subformat;
    int can_rewrite;
    size_t n_files;
} kinds[] = {
    { "a.qcow2", "qcow2", "", "", 1, 1 },
    { "old.qcow2", "qcow2", "compat=0.10", "", 1, 1 },
    { "small.qcow2", "qcow2", "cluster_size=512", "", 1, 1 },
    { "big.qcow2", "qcow2", "cluster_size=2M", "", 1, 1 },
    { "l2.qcow2", "qcow2", "extended_l2=on", "", 1, 1 },
    { "meta.qcow2", "qcow2", "preallocation=metadata", "", 1, 1 },
    { "full.qcow2", "qcow2", "preallocation=falloc", "", 1, 1 },
    { "a.vmdk", "vmdk", "subformat=monolithicSparse", "monolithicSparse", 1, 1 },
    { "stream.vmdk", "vmdk", "subformat=streamOptimized", "streamOptimized", 0, 1 },
    { "zero.vmdk", "vmdk", "subformat=monolithicSparse,zeroed_grain=on", "monolithicSparse", 1, 1 },
    { "flat.vmdk", "vmdk", "subformat=monolithicFlat", "monolithicFlat", 1, 2 },
    { "split.vmdk", "vmdk", "subformat=twoGbMaxExtentSparse", "twoGbMaxExtentSparse", 1, 3 },
    { "splitflat.vmdk", "vmdk", "subformat=twoGbMaxExtentFlat", "twoGbMaxExtentFlat", 1, 3 },
    { "a.vhd", "vpc", "", "dynamic", 1, 1 },
    { "exact.vhd", "vpc", "force_size=on", "dynamic", 1, 1 },
    { "fixed.vhd", "vpc", "subformat=fixed", "fixed", 1, 1 },
    { "fixedexact.vhd", "vpc", "subformat=fixed,force_size=on", "fixed", 1, 1 },
    { "a.vhdx", "vhdx", "", "dynamic", 1, 1 },
    { "fixed.vhdx", "vhdx", "subformat=fixed", "fixed", 1, 1 },
    { "block.vhdx", "vhdx", "block_size=1048576", "dynamic", 1, 1 },
    { "a.vdi", "vdi", "", "dynamic", 1, 1 },
    { "fixed.vdi", "vdi", "static=on", "fixed", 1, 1 },
    { "a.raw", "raw", "", "", 1, 1 },
};

/* The number after "virtual-size": in what qemu-img info prints. */
static uint64_t qemu_size(const char *opts)
{
    char *json = output_of(ARGS("qemu-img", "info", "--output=json", "--image-opts", opts));
    const char *key = strstr(json, "\"virtual-size\": ");
    uint64_t size;

    assert_non_null(key);
    size = strtoull(key + strlen("\"virtual-size\": "), NULL, 10);
    free(json);
    return size;
}

/* It compresses well, but a copy needs room for what it was. */
static void compressed_data_counts_as_it_is_unpacked(void **state)
{
    static const struct {
        const char *name, *format, *options;
    } cases[] = {
        { "packed.qcow2", "qcow2", "cluster_size=64k" },
        { "packed.vmdk", "vmdk", "subformat=streamOptimized" },
    };
    const char *raw = in("letters.raw");
    char letters[65536];
    struct image *image;

    (void)state;
    memset(letters, 'a', sizeof(letters));
    for (uint64_t at = 0; at < 8 * MB; at += sizeof(letters))
        write_at(raw, at, letters, sizeof(letters));
    assert_int_equal(truncate(raw, 64 * MB), 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *path = in(cases[i].name);

        run(ARGS("qemu-img", "convert", "-c", "-f", "raw", "-O", cases[i].format, "-o",
                 cases[i].options, raw, path));
        image = open_image(path, NULL);
        assert_true(image_allocated_bytes(image) < 2 * MB);
        assert_int_equal(image->unpacked_bytes, 8 * MB);
        assert_in_range(image_data_bytes(image), 8 * MB, 10 * MB);
        image_free(image);
    }
    image = open_image(raw, NULL);
    assert_int_equal(image->unpacked_bytes, 0);
    assert_int_equal(image_data_bytes(image), image_allocated_bytes(image));
    image_free(image);
}

static void every_kind_is_recognised_and_read_by_qemu(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        /* no multiple of a cluster, grain or block; two extents in the split ones */
        uint64_t size = strncmp(kinds[i].name, "split", 5) == 0 ? 2049 * MB : 20 * MB + 512;
        const char *path = make_image(kinds[i].name, kinds[i].format, kinds[i].options, size);
        struct image *image = open_image(path, NULL);
        char *opts = image_qemu_opts(image), *json = image_qemu_json(image), *name;

        print_message("%s: %s\n", kinds[i].name, opts);
        assert_string_equal(image->format, kinds[i].format);
        assert_string_equal(image->subformat, kinds[i].subformat);
        assert_int_equal(image->can_rewrite, kinds[i].can_rewrite);
        assert_int_equal(image->n_files, kinds[i].n_files);
        assert_int_equal(image->sector_size, 512);
        assert_int_equal(image->size_bytes, qemu_size(opts));
        assert_in_range(image_allocated_bytes(image), 3 * 65536 / 2, size + 32 * MB);
        name = mem_printf("json:%s", json);
        free(output_of(ARGS("qemu-img", "info", name)));
        /* the bytes: qemu reads through our graph what was put in */
        if (image->size_bytes == size)
            run(ARGS("qemu-img", "compare", "--image-opts", opts, raw_opts(in("source.raw"))));
        free(name);
        free(json);
        free(opts);
        image_free(image);
        (void)unlink(path);
    }
}

/* qemu may end a file within a cluster, grain or block: that is not truncated. */
static void partly_written_images_are_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        static const char *const writes[] = { "write 1M 512",   "write 10485760 512",
                                              "write -z 2M 4k", "write 3M 100k",
                                              "discard 1M 64k", "write 5245440 512" };
        const char *path = in(kinds[i].name);
        char *options;

        if (kinds[i].n_files > 1 || !kinds[i].can_rewrite)
            continue;
        options = mem_printf("size=10486272%s%s", kinds[i].options[0] ? "," : "", kinds[i].options);
        run(ARGS("qemu-img", "create", "-q", "-f", kinds[i].format, "-o", options, path));
        free(options);
        for (size_t w = 0; w < ARRAY_SIZE(writes); w++) {
            print_message("%s: %s\n", kinds[i].name, writes[w]);
            image_free(open_image(path, NULL));
            run(ARGS("qemu-io", "-f", kinds[i].format, "-c", writes[w], path));
            image_free(open_image(path, NULL));
        }
    }
}

static void file_names_are_escaped(void **state)
{
    static const char *const names[] = { "a,b=c.qcow2", "x:y.qcow2", "q\"\\ z.qcow2", "%d,.qcow2" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *plain = make_image("plain.qcow2", "qcow2", "", 4 * MB), *path = in(names[i]);
        struct image *image;
        char *opts, *json, *name;

        assert_int_equal(rename(plain, path), 0);
        image = open_image(path, NULL);
        opts = image_qemu_opts(image);
        json = image_qemu_json(image);
        name = mem_printf("json:%s", json);
        assert_int_equal(qemu_size(opts), 4 * MB);
        free(output_of(ARGS("qemu-img", "info", name)));
        free(name);
        free(json);
        free(opts);
        image_free(image);
    }
}

static void commit_works_through_the_json_graph(void **state)
{
    const char *base = make_image("base.qcow2", "qcow2", "", 4 * MB), *top = in("top.qcow2");
    struct image *image = open_image(base, NULL);
    char *json = image_qemu_json(image), *name = mem_printf("json:%s", json), *out;

    (void)state;
    run(ARGS("qemu-img", "create", "-q", "-f", "qcow2", "-b", name, "-F", "qcow2", top));
    run(ARGS("qemu-io", "-f", "qcow2", "-c", "write -P 0x5a 1M 64k", top));
    run(ARGS("qemu-img", "commit", "-q", "-f", "qcow2", top));
    out = output_of(ARGS("qemu-io", "-f", "qcow2", "-c", "read -P 0x5a 1M 64k", base));
    assert_null(strstr(out, "verification failed"));
    free(out);
    free(name);
    free(json);
    image_free(image);
}

static void a_backing_chain_is_followed_in_its_folder(void **state)
{
    const char *raw = make_raw("base.raw", 4 * MB), *mid = in("mid.qcow2"), *top = in("top.qcow2");
    struct image *image;
    char *text;

    (void)state;
    run(ARGS("qemu-img", "create", "-q", "-f", "qcow2", "-b", raw, "-F", "raw", mid));
    run(ARGS("qemu-img", "create", "-q", "-f", "qcow2", "-b", "mid.qcow2", "-F", "qcow2", top));
    image = open_image(top, NULL);
    assert_non_null(image->backing);
    assert_non_null(image->backing->backing);
    assert_string_equal(image->backing->backing->format, "raw");
    assert_int_equal(image->n_files, 3);
    assert_true(image_owns(image, raw));
    assert_int_equal(image->size_bytes, 4 * MB);
    text = image_qemu_opts(image);
    run(ARGS("qemu-img", "compare", "--image-opts", text, raw_opts(raw)));
    free(text);
    image_free(image);
}

static void a_change_is_noticed(void **state)
{
    const char *path = make_image("flat.vmdk", "vmdk", "subformat=monolithicFlat", 4 * MB);
    struct image *image = open_image(path, NULL);
    struct err err = ERR_NONE;

    (void)state;
    assert_int_equal(image_check_unchanged(image, &err), 0);
    write_at(in("flat-flat.vmdk"), 100, "x", 1);
    assert_int_equal(image_check_unchanged(image, &err), -ESTALE);
    assert_non_null(strstr(err.text[0], "flat-flat.vmdk"));
    image_free(image);
}

static void its_own_files_are_known_by_inode(void **state)
{
    const char *path = make_image("flat.vmdk", "vmdk", "subformat=monolithicFlat", 4 * MB);
    const char *hard = in("hard"), *soft = in("soft");
    struct image *image = open_image(path, NULL);

    (void)state;
    assert_int_equal(link(in("flat-flat.vmdk"), hard), 0);
    assert_int_equal(symlink(path, soft), 0);
    assert_true(image_owns(image, path));
    assert_true(image_owns(image, hard));
    assert_true(image_owns(image, soft));
    assert_false(image_owns(image, in("source.raw")));
    assert_false(image_owns(image, in("nothing")));
    image_free(image);
}

static void a_link_to_an_image_is_followed(void **state)
{
    const char *path = make_image("split.vmdk", "vmdk", "subformat=twoGbMaxExtentFlat", 4 * MB);
    struct image *image;

    (void)state;
    assert_int_equal(mkdir(in("sub"), 0700), 0);
    assert_int_equal(symlink(path, in("sub/link.vmdk")), 0);
    image = open_image(in("sub/link.vmdk"), NULL);
    assert_string_equal(image->path, path); /* so that extents are looked for beside it */
    image_free(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        image_test(compressed_data_counts_as_it_is_unpacked),
        image_test(every_kind_is_recognised_and_read_by_qemu),
        image_test(partly_written_images_are_whole),
        image_test(file_names_are_escaped),
        image_test(commit_works_through_the_json_graph),
        image_test(a_backing_chain_is_followed_in_its_folder),
        image_test(a_change_is_noticed),
        image_test(its_own_files_are_known_by_inode),
        image_test(a_link_to_an_image_is_followed),
    };

    if (skip_without_qemu())
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
