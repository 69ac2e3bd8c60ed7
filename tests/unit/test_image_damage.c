/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Truncated and damaged images: refused, whatever part is missing. */
#include "tests/unit/image_util.h"

#define SIZE (64 * MB)

static const struct {
    const char *name, *format, *options;
    const char *victim; /* the file that is cut; NULL: the image itself */
} kinds[] = {
    { "a.qcow2", "qcow2", "", NULL },
    { "old.qcow2", "qcow2", "compat=0.10", NULL },
    { "small.qcow2", "qcow2", "cluster_size=512", NULL },
    { "l2.qcow2", "qcow2", "extended_l2=on", NULL },
    { "meta.qcow2", "qcow2", "preallocation=metadata", NULL },
    { "a.vmdk", "vmdk", "subformat=monolithicSparse", NULL },
    { "stream.vmdk", "vmdk", "subformat=streamOptimized", NULL },
    { "flat.vmdk", "vmdk", "subformat=monolithicFlat", "flat-flat.vmdk" },
    { "split.vmdk", "vmdk", "subformat=twoGbMaxExtentSparse", "split-s001.vmdk" },
    { "splitflat.vmdk", "vmdk", "subformat=twoGbMaxExtentFlat", "splitflat-f001.vmdk" },
    { "a.vhd", "vpc", "force_size=on", NULL },
    { "fixed.vhd", "vpc", "subformat=fixed,force_size=on", NULL },
    { "a.vhdx", "vhdx", "", NULL },
    { "fixed.vhdx", "vhdx", "subformat=fixed", NULL },
    { "a.vdi", "vdi", "", NULL },
    { "fixed.vdi", "vdi", "static=on", NULL },
};

static void every_kind_is_refused_when_cut_short(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const char *path = make_image(kinds[i].name, kinds[i].format, kinds[i].options, SIZE);
        const char *victim = kinds[i].victim ? in(kinds[i].victim) : path;
        const struct image_opts opts = { .format = kinds[i].format };
        uint64_t size = file_size(victim);
        const uint64_t cuts[] = { size - 512,         size - 4096,        size / 4 * 3 & ~511ULL,
                                  size / 2 & ~511ULL, size / 8 & ~511ULL, 512 };

        image_free(open_image(path, &opts));
        for (size_t c = 0; c < ARRAY_SIZE(cuts); c++) {
            print_message("%s cut to %llu of %llu\n", kinds[i].name, (unsigned long long)cuts[c],
                          (unsigned long long)size);
            assert_int_equal(truncate(victim, (off_t)cuts[c]), 0);
            assert_refused(path, &opts, STATUS_FAILED, "");
        }
        (void)unlink(victim);
    }
}

static void compressed_images_are_refused_when_cut_short(void **state)
{
    const char *raw = make_raw("source.raw", SIZE), *path = in("c.qcow2");
    uint64_t size;

    (void)state;
    run(ARGS("qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", raw, path));
    /* compressed data lies last in the file */
    run(ARGS("qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", "-o", "cluster_size=2M", raw,
             in("d.qcow2")));
    image_free(open_image(path, NULL));
    image_free(open_image(in("d.qcow2"), NULL));
    size = file_size(path);
    assert_int_equal(truncate(path, (off_t)size / 2), 0);
    assert_refused(path, NULL, STATUS_FAILED, "truncated");
}

/* One field of a real image changed. Checksums do not cover these fields. */
static const struct {
    const char *label, *format, *options;
    uint64_t at;
    const char *bytes;
    size_t len;
    enum err_status status;
    const char *words;
} damages[] = {
    { "version", "qcow2", "", 4, "\0\0\0\4", 4, STATUS_FAILED, "version 4" },
    { "cluster bits", "qcow2", "", 20, "\0\0\0\x40", 4, STATUS_FAILED, "cluster size" },
    { "cluster bits", "qcow2", "", 20, "\0\0\0\1", 4, STATUS_FAILED, "cluster size" },
    { "no disk", "qcow2", "", 24, "\0\0\0\0\0\0\0\0", 8, STATUS_FAILED, "no size" },
    { "huge disk", "qcow2", "", 24, "\x7f\0\0\0\0\0\0\0", 8, STATUS_FAILED, "disk of" },
    { "encrypted", "qcow2", "", 32, "\0\0\0\2", 4, STATUS_REFUSED, "encrypted by qemu (LUKS)" },
    { "huge L1", "qcow2", "", 36, "\xff\xff\xff\xff", 4, STATUS_FAILED, "L1 table of" },
    { "small L1", "qcow2", "", 36, "\0\0\0\0", 4, STATUS_FAILED, "L1 table of" },
    { "L1 elsewhere", "qcow2", "", 40, "\0\0\1\0\0\0\0\0", 8, STATUS_FAILED, "truncated" },
    { "L1 overflow", "qcow2", "", 40, "\xff\xff\xff\xff\xff\xff\0\0", 8, STATUS_FAILED,
      "truncated" },
    { "huge refcounts", "qcow2", "", 56, "\0\xff\0\0", 4, STATUS_FAILED, "refcount table" },
    { "unknown feature", "qcow2", "", 72, "\1\0\0\0\0\0\0\0", 8, STATUS_REFUSED, "not known here" },
    { "data file bit", "qcow2", "", 79, "\4", 1, STATUS_REFUSED, "external file" },
    { "corrupt bit", "qcow2", "", 79, "\2", 1, STATUS_FAILED, "marked corrupt" },
    { "header length", "qcow2", "", 100, "\0\xff\0\0", 4, STATUS_FAILED, "header of" },
    { "version", "vmdk", "", 4, "\x09\0\0\0", 4, STATUS_FAILED, "version 9" },
    { "capacity", "vmdk", "", 12, "\0\0\0\0\0\0\0\0", 8, STATUS_FAILED, "disk of 0" },
    { "capacity", "vmdk", "", 12, "\0\0\0\0\0\0\0\xff", 8, STATUS_FAILED, "disk of" },
    { "grain", "vmdk", "", 20, "\0\0\0\0\0\0\0\0", 8, STATUS_FAILED, "grains of" },
    { "grain", "vmdk", "", 20, "\3\0\0\0\0\0\0\0", 8, STATUS_FAILED, "grains of" },
    { "descriptor elsewhere", "vmdk", "", 28, "\7", 1, STATUS_FAILED, "descriptor of" },
    { "no descriptor", "vmdk", "", 28, "\0", 1, STATUS_FAILED, "one extent of a split disk" },
    { "descriptor size", "vmdk", "", 36, "\0\0\0\xff", 4, STATUS_FAILED, "descriptor of" },
    { "table entries", "vmdk", "", 44, "\0\0\0\1", 4, STATUS_FAILED, "grain tables of" },
    { "directory", "vmdk", "", 56, "\0\0\0\1", 4, STATUS_FAILED, "truncated" },
    { "footer", "vmdk", "", 56, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, STATUS_FAILED, "footer" },
    { "compression", "vmdk", "", 77, "\5", 1, STATUS_FAILED, "compression 5" },
    { "garbage line", "vmdk", "", 512, "#\nrm -rf / \x1b[2J\n#", 18, STATUS_FAILED,
      "unknown line in the VMDK descriptor: rm -rf / ?[2J" },
    { "checksum of the copy", "vpc", "", 9, "\7", 1, STATUS_FAILED, "checksum" },
    { "checksum of the header", "vpc", "", 600, "\7", 1, STATUS_FAILED, "checksum" },
    { "version", "vdi", "", 68, "\7", 1, STATUS_FAILED, "version" },
    { "child", "vdi", "", 76, "\4", 1, STATUS_REFUSED, "differencing VDI" },
    { "type", "vdi", "", 76, "\x09", 1, STATUS_FAILED, "image type 9" },
    { "map", "vdi", "", 340, "\0\0\0\x40", 4, STATUS_FAILED, "truncated" },
    { "data", "vdi", "", 344, "\0\0\0\x40", 4, STATUS_FAILED, "truncated" },
    { "sector", "vdi", "", 360, "\0\x10", 2, STATUS_FAILED, "4096-byte sectors" },
    { "blocks", "vdi", "", 384, "\xff\xff\xff\xff", 4, STATUS_FAILED, "blocks" },
    { "blocks", "vdi", "", 384, "\1\0\0\0", 4, STATUS_FAILED, "blocks" },
    { "parent", "vdi", "", 440, "\1", 1, STATUS_REFUSED, "differencing VDI" },
    { "both headers", "vhdx", "", 65540, "\1", 1, STATUS_OK, "" },
    { "identifier", "vhdx", "", 0, "VHDX", 4, STATUS_FAILED, "not a vhdx" },
};

static void damaged_fields_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
        const struct image_opts opts = { .format = damages[i].format };
        const char *path = make_image("damaged", damages[i].format, damages[i].options, 4 * MB);

        print_message("%s: %s\n", damages[i].format, damages[i].label);
        write_at(path, damages[i].at, damages[i].bytes, damages[i].len);
        if (damages[i].status == STATUS_OK)
            image_free(open_image(path, &opts)); /* one of two copies is enough */
        else
            assert_refused(path, &opts, damages[i].status, damages[i].words);
        (void)unlink(path);
    }
}

/* A small file that asks for much: 32 MiB of L1 entries that all lead to one L2 table. */
static void tables_that_overlap_cost_nothing(void **state)
{
    const char *path = make_image("a.qcow2", "qcow2", "cluster_size=2M", 4 * MB);
    size_t n = (32U << 20) / 8;
    uint64_t *l1 = calloc(n, sizeof(*l1));
    uint32_t entries = htobe32((uint32_t)n);
    uint64_t size = htobe64(1ULL << 60), offset = htobe64(1ULL << 30);

    (void)state;
    assert_non_null(l1);
    for (size_t i = 0; i < n; i++)
        l1[i] = htobe64(64U << 20);
    /* one cluster that reads as zeros: no hole, and nothing that could be missing */
    write_at(path, 64U << 20, "\0\0\0\0\0\0\0\1", 8);
    write_at(path, (64U << 20) + (1U << 20), "\0\0\0\0\0\0\0\1", 8);
    write_at(path, 24, &size, sizeof(size));
    write_at(path, 36, &entries, sizeof(entries));
    write_at(path, 40, &offset, sizeof(offset));
    write_at(path, 1ULL << 30, l1, n * sizeof(*l1));
    free(l1);
    assert_refused(path, NULL, STATUS_FAILED, "overlap");
}

static void a_dirty_bit_is_said(void **state)
{
    const char *path = make_image("a.qcow2", "qcow2", "", 4 * MB);
    struct image *image;

    (void)state;
    write_at(path, 79, "\1", 1);
    image = open_image(path, NULL);
    assert_int_equal(image->notes.n, 1);
    assert_non_null(strstr(image->notes.items[0], "not closed cleanly"));
    image_free(image);
}

static void what_is_no_image_is_refused(void **state)
{
    static const struct {
        const char *name, *text, *words;
    } cases[] = {
        { "text", "hello, this is not a disk\n", "not a multiple of 512" },
        { "empty", "", "empty" },
        { "archive.gz", "\x1f\x8b\x08xxxx", "gzip" },
        { "guest.xml", "<domain type='kvm'>\n", "XML document" },
        { "bad.vmdk", "# Disk DescriptorFile\nversion=1\n", "no createType" },
        { "noextent.vmdk", "# Disk DescriptorFile\ncreateType=\"vmfs\"\n", "0 extents" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        write_text(in(cases[i].name), cases[i].text);
        assert_refused(in(cases[i].name), NULL, STATUS_FAILED, cases[i].words);
    }
    assert_int_equal(mkfifo(in("pipe"), 0600), 0);
    assert_refused(in("pipe"), NULL, STATUS_FAILED, "a pipe");
    assert_refused(folder, NULL, STATUS_FAILED, "a folder");
    assert_refused("/dev/null", NULL, STATUS_FAILED, "a character device");
    assert_refused(in("nothing"), NULL, STATUS_FAILED, "No such file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        image_test(every_kind_is_refused_when_cut_short),
        image_test(compressed_images_are_refused_when_cut_short),
        image_test(damaged_fields_are_named),
        image_test(tables_that_overlap_cost_nothing),
        image_test(a_dirty_bit_is_said),
        image_test(what_is_no_image_is_refused),
    };

    if (skip_without_qemu())
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
