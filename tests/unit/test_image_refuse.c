/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images that lead elsewhere, are only part of a disk, or look like two things at once. */
#include "engine/image_vhdx.h"
#include "tests/unit/image_util.h"

#define HEAD "# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n"
#define FLAT HEAD "createType=\"monolithicFlat\"\n"

/* Descriptors beside a flat file "disk-flat" of 1 MiB. */
static const struct {
    const char *label, *text;
    enum err_status status;
    const char *words;
} descriptors[] = {
    { "fine", FLAT "RW 2048 FLAT \"disk-flat\" 0\nddb.adapterType = \"ide\"\n", STATUS_OK, "" },
    { "two on one file", FLAT "RW 1024 FLAT \"disk-flat\" 0\nRW 1024 FLAT \"disk-flat\" 1024\n",
      STATUS_OK, "" },
    { "of ESX", HEAD "createType=\"vmfs\"\nRW 2048 VMFS \"disk-flat\"\n", STATUS_OK, "" },
    { "CRLF", FLAT "\r\n  RW 2048 FLAT \"disk-flat\" 0\r\n", STATUS_OK, "" },
    { "absolute", FLAT "RW 8 FLAT \"/etc/passwd\" 0\n", STATUS_REFUSED, "/etc/passwd" },
    { "relative", FLAT "RW 8 FLAT \"../../etc/passwd\" 0\n", STATUS_REFUSED, "--allow-backing" },
    { "protocol", FLAT "RW 8 FLAT \"nbd:unix:/x\" 0\n", STATUS_REFUSED, "not a file name" },
    { "parent folder", FLAT "RW 8 FLAT \"..\" 0\n", STATUS_REFUSED, "--allow-backing" },
    { "link", FLAT "RW 8 FLAT \"link\" 0\n", STATUS_FAILED, "symbolic link" },
    { "pipe", FLAT "RW 8 FLAT \"pipe\" 0\n", STATUS_FAILED, "a pipe" },
    { "missing", FLAT "RW 8 FLAT \"gone\" 0\n", STATUS_FAILED, "gone" },
    { "itself", FLAT "RW 8 SPARSE \"disk.vmdk\" 0\n", STATUS_FAILED, "sparse header" },
    { "too long", FLAT "RW 2049 FLAT \"disk-flat\" 0\n", STATUS_FAILED, "truncated" },
    { "offset", FLAT "RW 2048 FLAT \"disk-flat\" 1\n", STATUS_FAILED, "truncated" },
    { "read only", FLAT "RDONLY 2048 FLAT \"disk-flat\" 0\n", STATUS_FAILED, "leave out" },
    { "zeros", FLAT "RW 2048 ZERO\n", STATUS_FAILED, "leave out" },
    { "no offset", FLAT "RW 2048 FLAT \"disk-flat\"\n", STATUS_FAILED, "damaged extent" },
    { "negative", FLAT "RW -1 FLAT \"disk-flat\" 0\n", STATUS_FAILED, "damaged extent" },
    { "overflow", FLAT "RW 18446744073709551615 FLAT \"disk-flat\" 0\n", STATUS_FAILED,
      "damaged extent" },
    { "control bytes", FLAT "RW 8 FLAT \"a\x1b[2Jb\" 0\n", STATUS_FAILED, "a?[2Jb" },
    { "unquoted", FLAT "RW 8 FLAT disk-flat 0\n", STATUS_FAILED, "damaged extent" },
    { "more behind", FLAT "RW 8 FLAT \"disk-flat\" 0 9\n", STATUS_FAILED, "damaged extent" },
    { "no type", HEAD "RW 2048 FLAT \"disk-flat\" 0\n", STATUS_FAILED, "no createType" },
    { "unknown type", HEAD "createType=\"x\"\n", STATUS_FAILED, "not known" },
    { "device", HEAD "createType=\"fullDevice\"\nRW 8 FLAT \"/dev/sda\" 0\n", STATUS_REFUSED,
      "physical disk" },
    { "unknown line", FLAT "include /etc/passwd\n", STATUS_FAILED, "unknown line" },
    { "unknown key", FLAT "extra.x=1\nRW 2048 FLAT \"disk-flat\" 0\n", STATUS_OK, "" },
    { "no key", FLAT "=1\n", STATUS_FAILED, "unknown line" },
    { "child", "# Disk DescriptorFile\nparentCID=12345678\n", STATUS_REFUSED, "snapshot child" },
    { "named parent", FLAT "parentFileNameHint=\"base.vmdk\"\n", STATUS_REFUSED,
      "snapshot child of base.vmdk" },
    { "hidden parent", FLAT "# parentFileNameHint=\"/etc/x\"\n", STATUS_REFUSED,
      "snapshot child of /etc/x" },
};

static void descriptors_are_read_strictly(void **state)
{
    const char *path = in("disk.vmdk");

    (void)state;
    write_at(in("disk-flat"), MB - 1, "", 1);
    assert_int_equal(symlink("disk-flat", in("link")), 0);
    assert_int_equal(mkfifo(in("pipe"), 0600), 0);
    for (size_t i = 0; i < ARRAY_SIZE(descriptors); i++) {
        print_message("%s\n", descriptors[i].label);
        write_text(path, descriptors[i].text);
        if (descriptors[i].status == STATUS_OK) {
            struct image *image = open_image(path, NULL);
            char *opts = image_qemu_opts(image);

            assert_int_equal(image->size_bytes, MB);
            free(output_of(ARGS("qemu-img", "info", "--image-opts", opts)));
            free(opts);
            image_free(image);
            continue;
        }
        assert_refused(path, NULL, descriptors[i].status, descriptors[i].words);
    }
}

static void extents_elsewhere_need_permission(void **state)
{
    const char *path = in("disk.vmdk");
    char *elsewhere = mem_strdup(in("data")), *beside = mem_strdup(in("dat"));
    struct image_opts allowed = { .allow_dirs = { &elsewhere, 1 } };
    struct image_opts other = { .allow_dirs = { &beside, 1 } };

    (void)state;
    assert_int_equal(mkdir(elsewhere, 0700), 0);
    assert_int_equal(mkdir(beside, 0700), 0);
    write_at(in("data/flat"), MB - 1, "", 1);
    assert_int_equal(symlink("/etc/passwd", in("data/out")), 0);
    write_text(path, FLAT "RW 2048 FLAT \"data/flat\" 0\n");
    assert_refused(path, NULL, STATUS_REFUSED, "--allow-backing");
    assert_refused(path, &other, STATUS_REFUSED, "none of the folders");
    image_free(open_image(path, &allowed));
    write_text(path, FLAT "RW 1 FLAT \"data/out\" 0\n");
    assert_refused(path, &allowed, STATUS_REFUSED, "none of the folders");
    free(elsewhere);
    free(beside);
}

static void part_of_a_split_disk_is_refused(void **state)
{
    (void)state;
    (void)make_image("split.vmdk", "vmdk", "subformat=twoGbMaxExtentSparse", 4 * MB);
    assert_refused(in("split-s001.vmdk"), NULL, STATUS_FAILED, "name the descriptor");
}

static void references_of_qcow2_are_refused(void **state)
{
    static const char *const backing[] = {
        "/etc/passwd",
        "../outside.raw",
        "sub/base.raw",
        "link.raw",
        "/dev/null",
        "nbd:unix:/x",
        "json:{\"driver\":\"null-co\"}",
    };
    const char *path = in("images/top.qcow2");
    char *dirs[] = { folder };
    struct image_opts opts = { .allow_dirs = { dirs, 1 } };
    char *option;

    (void)state;
    assert_int_equal(mkdir(in("sub"), 0700), 0);
    assert_int_equal(mkdir(in("images"), 0700), 0);
    (void)make_raw("outside.raw", 4 * MB);
    (void)make_raw("images/own.raw", 4 * MB);
    assert_int_equal(symlink("../outside.raw", in("images/link.raw")), 0);
    for (size_t i = 0; i < ARRAY_SIZE(backing); i++) {
        run(ARGS("qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", backing[i], "-F", "raw",
                 path, "4M"));
        assert_refused(path, NULL, STATUS_REFUSED, "refers to");
        if (i != 1 && i != 2 && i != 3)
            assert_refused(path, &opts, STATUS_REFUSED, "refers to");
    }
    /* a link that stays inside is as good as the file */
    assert_int_equal(symlink("own.raw", in("images/alias.raw")), 0);
    run(ARGS("qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", "alias.raw", "-F", "raw", path,
             "4M"));
    image_free(open_image(path, NULL));
    option = mem_printf("data_file=%s,data_file_raw=on", in("ext.raw"));
    run(ARGS("qemu-img", "create", "-q", "-f", "qcow2", "-o", option, in("data.qcow2"), "4M"));
    free(option);
    assert_refused(in("data.qcow2"), NULL, STATUS_REFUSED, "external file");
    /* a chain that leads to itself */
    run(ARGS("qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", "top.qcow2", "-F", "qcow2",
             path, "4M"));
    assert_refused(path, NULL, STATUS_REFUSED, "backing files");
}

static void a_snapshot_is_no_backing_file(void **state)
{
    const char *path = in("top.qcow2");

    (void)state;
    run(ARGS("qemu-img", "create", "-q", "-f", "vmdk", "-b",
             make_image("base.vmdk", "vmdk", "", 4 * MB), "-F", "vmdk", in("child.vmdk")));
    run(ARGS("qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", "child.vmdk", "-F", "vmdk",
             path, "4M"));
    assert_refused(path, NULL, STATUS_REFUSED, "snapshot child");
}

/* One's complement sum of a VHD footer, whose own field is at byte 64. */
static void set_vhd_type(const char *path, uint64_t footer, unsigned char type)
{
    unsigned char raw[512];
    uint32_t sum = 0;

    read_at(path, footer, raw, sizeof(raw));
    raw[63] = type;
    memset(raw + 64, 0, 4);
    for (size_t i = 0; i < sizeof(raw); i++)
        sum += raw[i];
    sum = htobe32(~sum);
    memcpy(raw + 64, &sum, 4);
    write_at(path, footer, raw, sizeof(raw));
}

static void a_differencing_vhd_is_refused(void **state)
{
    const char *path = make_image("a.vhd", "vpc", "", 4 * MB);
    const char *fixed = make_image("f.vhd", "vpc", "subformat=fixed", 4 * MB);

    (void)state;
    set_vhd_type(path, 0, 4);
    assert_refused(path, NULL, STATUS_FAILED, "differs from its copy");
    set_vhd_type(path, file_size(path) - 512, 4);
    assert_refused(path, NULL, STATUS_REFUSED, "differencing VHD");
    set_vhd_type(path, 0, 2);
    set_vhd_type(path, file_size(path) - 512, 2);
    assert_refused(path, NULL, STATUS_FAILED, "fixed VHD with a footer at its start");
    set_vhd_type(fixed, file_size(fixed) - 512, 4);
    assert_refused(fixed, NULL, STATUS_REFUSED, "differencing VHD");
}

/* qemu was killed between making the file longer and moving the footer to its end. */
static void an_interrupted_commit_to_a_vhd_can_be_finished(void **state)
{
    const char *path = make_image("a.vhd", "vpc", "", 4 * MB);
    const struct image_opts finish = { .format = "vpc", .allow_commit_pending = true };

    (void)state;
    assert_int_equal(truncate(path, (off_t)file_size(path) - 512), 0);
    assert_refused(path, NULL, STATUS_FAILED, "the footer is not at byte");
    image_free(open_image(path, &finish));
    assert_int_equal(truncate(path, 1 * MB), 0);
    assert_refused(path, &finish, STATUS_FAILED, "truncated");
}

static uint32_t crc32c(const unsigned char *data, size_t len)
{
    uint32_t crc = ~0U;

    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78U : 0);
    }
    return ~crc;
}

/* A VHDX that names a log in its headers, which has no entries. */
static const char *make_vhdx_with_log(void)
{
    const char *path = make_image("a.vhdx", "vhdx", "block_size=1M", 4 * MB);
    unsigned char raw[4096];
    uint32_t crc;

    for (uint64_t at = 65536; at <= 131072; at += 65536) {
        read_at(path, at, raw, sizeof(raw));
        memset(raw + 48, 0x11, 16); /* the log's GUID: there is something to replay */
        memset(raw + 4, 0, 4);
        crc = htole32(crc32c(raw, sizeof(raw)));
        memcpy(raw + 4, &crc, 4);
        write_at(path, at, raw, sizeof(raw));
    }
    return path;
}

static void a_pending_vhdx_log_is_refused(void **state)
{
    const struct image_opts finish = { .allow_commit_pending = true };
    const char *path = make_vhdx_with_log();

    (void)state;
    assert_refused(path, NULL, STATUS_REFUSED, "pending log");
    image_free(open_image(path, &finish)); /* qemu replays it when it goes on */
}

static void a_replayed_log_lies_over_the_file(void **state)
{
    const struct image_opts replays = { .allow_log = true };
    const char *path = make_vhdx_with_log();
    const char *log = in("log,1.qcow2"); /* the comma is for the option string */
    CLEANUP_IMAGE struct image *image = open_image(path, &replays);
    char *opts, *json, *name;

    (void)state;
    assert_true(image->has_log);
    run(ARGS("qemu-img", "create", "-q", "-f", "qcow2", log, "64M"));
    image->replayed = mem_strdup(log);
    opts = image_qemu_opts(image);
    json = image_qemu_json(image);
    name = mem_printf("json:%s", json);
    run(ARGS("qemu-io", "-r", "--image-opts", "-c", "read 0 512", opts));
    run(ARGS("qemu-io", "-r", "-c", "read 0 512", name));
    assert_non_null(strstr(json, "log,1.qcow2"));
    free(opts);
    free(json);
    free(name);
}

static void a_vhdx_log_without_entries_is_dropped(void **state)
{
    const char *path = make_vhdx_with_log();
    const struct exec_opts write_block = { .argv = ARGS("qemu-io", "-f", "vhdx", "-c",
                                                        "write 1M 512", path) };
    struct err err = ERR_NONE;
    unsigned char before[4096], after[4096];

    (void)state;
    assert_true(exec_check(&write_block, NULL, &err) < 0); /* why it must be dropped */
    err_clear(&err);
    assert_int_equal(vhdx_drop_log(path, &err), 0);
    image_free(open_image(path, NULL));
    assert_int_equal(exec_check(&write_block, NULL, &err), 0);
    read_at(path, 65536, before, sizeof(before));
    assert_int_equal(vhdx_drop_log(path, &err), 0);
    read_at(path, 65536, after, sizeof(after));
    assert_memory_equal(before, after, sizeof(before)); /* without a log nothing is written */
    write_at(path, 65536, "X", 1);
    write_at(path, 131072, "X", 1);
    assert_true(vhdx_drop_log(path, &err) < 0);
    assert_int_equal(err.status, STATUS_FAILED);
}

/* Where the 4 or 8 bytes of an item lie in the metadata, which has no checksum. */
static uint64_t vhdx_item(const char *path, const char *guid)
{
    unsigned char regions[4096], table[65536];

    read_at(path, 196608, regions, sizeof(regions));
    for (size_t i = 0; i < get_le32(regions + 8); i++) {
        const unsigned char *region = regions + 16 + i * 32;
        uint64_t base = get_le64(region + 16);

        read_at(path, base, table, sizeof(table));
        if (memcmp(table, "metadata", 8) != 0)
            continue;
        for (size_t k = 0; k < get_le16(table + 10); k++)
            if (memcmp(table + 32 + k * 32, guid, 4) == 0)
                return base + get_le32(table + 32 + k * 32 + 16);
    }
    fail_msg("no such item");
    return 0;
}

static void vhdx_sectors_and_parents_are_seen(void **state)
{
    const char *path = make_image("a.vhdx", "vhdx", "", 4 * MB);
    struct image *image;

    (void)state;
    write_at(path, vhdx_item(path, "\x1d\xbf\x41\x81"), "\0\x10\0\0", 4);
    image = open_image(path, NULL);
    assert_int_equal(image->sector_size, 4096);
    assert_int_equal(image->size_bytes, 4 * MB);
    image_free(image);
    write_at(path, vhdx_item(path, "\x37\x67\xa1\xca") + 4, "\2", 1);
    assert_refused(path, NULL, STATUS_REFUSED, "differencing VHDX");
}

static void two_formats_at_once_are_refused(void **state)
{
    const char *path = make_image("a.qcow2", "qcow2", "", 4 * MB);
    const char *vhd = make_image("f.vhd", "vpc", "subformat=fixed", 4 * MB);
    const struct image_opts raw = { .format = "raw" }, qcow2 = { .format = "qcow2" };
    const struct image_opts vmdk = { .format = "vmdk" }, none = { .format = "qcow3" };
    unsigned char footer[512];
    struct image *image;

    (void)state;
    image = open_image(path, &raw);
    assert_string_equal(image->format, "raw");
    assert_int_equal(image->size_bytes, file_size(path));
    image_free(image);
    assert_refused(path, &vmdk, STATUS_FAILED, "not a vmdk image, it looks like qcow2");
    assert_refused(path, &none, STATUS_USAGE, "unknown format qcow3");
    read_at(vhd, file_size(vhd) - 512, footer, sizeof(footer));
    write_at(path, file_size(path), footer, sizeof(footer));
    assert_refused(path, NULL, STATUS_REFUSED, "--format");
    image_free(open_image(path, &qcow2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        image_test(descriptors_are_read_strictly),
        image_test(extents_elsewhere_need_permission),
        image_test(part_of_a_split_disk_is_refused),
        image_test(references_of_qcow2_are_refused),
        image_test(a_snapshot_is_no_backing_file),
        image_test(a_differencing_vhd_is_refused),
        image_test(an_interrupted_commit_to_a_vhd_can_be_finished),
        image_test(a_pending_vhdx_log_is_refused),
        image_test(a_replayed_log_lies_over_the_file),
        image_test(a_vhdx_log_without_entries_is_dropped),
        image_test(vhdx_sectors_and_parents_are_seen),
        image_test(two_formats_at_once_are_refused),
    };

    if (skip_without_qemu())
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
