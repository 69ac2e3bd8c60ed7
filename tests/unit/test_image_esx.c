/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sparse extents as ESX writes them. qemu-img makes none, so they are put together here, and
 * qemu-img, which reads them, is the judge. */
#include "tests/unit/image_util.h"

#define HEAD "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n"
#define SECTORS 2048U
#define AT(sector) ((uint64_t)(sector)*512)

static void put32(const char *path, uint64_t at, uint32_t value)
{
    value = htole32(value);
    write_at(path, at, &value, sizeof(value));
}

static void put64(const char *path, uint64_t at, uint64_t value)
{
    value = htole64(value);
    write_at(path, at, &value, sizeof(value));
}

/* COWD: header, grain directory at sector 4, one grain table of 4096 entries at sector 5, grains of
 * 128 sectors. The 4th grain holds @fill. */
static const char *make_cowd(const char *name, const unsigned char *fill)
{
    static const uint32_t header[] = { 1, 3, SECTORS, 128, 4, 1, 165 };
    const char *path = in(name);

    write_at(path, 0, "COWD", 4);
    for (size_t i = 0; i < ARRAY_SIZE(header); i++)
        put32(path, 4 + i * 4, header[i]);
    put32(path, AT(4), 5);
    put32(path, AT(5) + 3 * 4, 37);
    write_at(path, AT(37), fill, 65536);
    return path;
}

/* SE sparse: header, volatile header, journal, directory at sector 8, tables at 16, free map, back
 * map, grains of 8 sectors at 96. The first grain holds @fill. */
static const char *make_se_sparse(const char *name, const unsigned char *fill)
{
    static const uint64_t header[] = { 0xcafebabe, 0x200000001, SECTORS, 8, 64, 0, 0,  0, 0,
                                       0,          1,           1,       2, 2,  4, 4,  8, 1,
                                       16,         64,          80,      8, 88, 8, 96, 8 };
    const char *path = in(name);

    for (size_t i = 0; i < ARRAY_SIZE(header); i++)
        put64(path, i * 8, header[i]);
    put64(path, AT(1), 0xcafecafe);
    put64(path, AT(8), 1ULL << 60);
    put64(path, AT(16), 3ULL << 60);
    write_at(path, AT(96), fill, 4096);
    return path;
}

static const struct {
    const char *type, *extent;
    const char *(*make)(const char *name, const unsigned char *fill);
    uint64_t data_at;    /* where @fill lies on the disk */
    uint64_t fill;       /* how much of it */
    uint64_t cut_tables; /* size of the file without all of its tables */
} kinds[] = {
    { "vmfsSparse", "VMFSSPARSE", make_cowd, 3 * 65536, 65536, AT(20) },
    { "seSparse", "SESPARSE", make_se_sparse, 0, 4096, AT(90) },
};

static void extents_of_esx_are_read(void **state)
{
    unsigned char fill[65536];

    (void)state;
    memset(fill, 0x5a, sizeof(fill));
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const char *path = in("disk.vmdk"), *raw = in("want.raw");
        const char *extent = kinds[i].make("disk-s.vmdk", fill);
        struct image *image;
        char *text, *opts;

        print_message("%s\n", kinds[i].type);
        text = mem_printf(HEAD "createType=\"%s\"\nRW %u %s \"disk-s.vmdk\"\n", kinds[i].type,
                          SECTORS, kinds[i].extent);
        write_text(path, text);
        (void)unlink(raw);
        write_at(raw, kinds[i].data_at, fill, kinds[i].fill);
        assert_int_equal(truncate(raw, AT(SECTORS)), 0);
        image = open_image(path, NULL);
        assert_string_equal(image->subformat, kinds[i].type);
        assert_int_equal(image->size_bytes, AT(SECTORS));
        assert_false(image->can_rewrite);
        opts = image_qemu_opts(image);
        run(ARGS("qemu-img", "compare", "--image-opts", opts, raw_opts(raw)));
        free(opts);
        free(text);
        image_free(image);

        assert_refused(extent, NULL, STATUS_FAILED, "name the descriptor");
        text = mem_printf(HEAD "createType=\"%s\"\nRW %u %s \"disk-s.vmdk\"\n", kinds[i].type,
                          SECTORS - 1, kinds[i].extent);
        write_text(path, text);
        assert_refused(path, NULL, STATUS_FAILED, "but the descriptor has 2047");
        assert_int_equal(truncate(extent, (off_t)kinds[i].cut_tables), 0);
        assert_refused(path, NULL, STATUS_FAILED, "truncated");
        free(text);
        (void)unlink(extent);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        image_test(extents_of_esx_are_read),
    };

    if (skip_without_qemu())
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
