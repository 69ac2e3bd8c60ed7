/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Partition tables and contents of real images, made here with sfdisk and mkfs; no root needed. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "storage/volume.h"
#include "tests/unit/run_util.h"

#define MIB (1ULL << 20)

static char image[] = "/tmp/h2k-stack-XXXXXX";

static struct {
    struct disk disk;
    struct stack *stack;
} on;

static int setup(void **state)
{
    (void)state;
    on.disk.fd = mkstemp(image);
    return on.disk.fd < 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)close(on.disk.fd);
    return unlink(image);
}

static int after(void **state)
{
    (void)state;
    stack_free(on.stack);
    on.stack = NULL;
    return 0;
}

static void new_image(uint64_t size, unsigned sector_size)
{
    assert_int_equal(ftruncate(on.disk.fd, 0), 0);
    assert_int_equal(ftruncate(on.disk.fd, (off_t)size), 0);
    on.disk.size_bytes = size;
    on.disk.sector_size = sector_size;
}

static void make_table(const char *script)
{
    const char *const argv[] = { "sfdisk", "-q", image, NULL };

    if (!exec_have("sfdisk"))
        skip();
    run(argv, script);
}

static int build(struct err *err)
{
    struct disk *disks[] = { &on.disk };

    return stack_build(NULL, disks, 1, &on.stack, err);
}

static const struct volume *volume(const char *name)
{
    const struct volume *found = stack_find(on.stack, name);

    assert_non_null(found);
    return found;
}

static void mbr_with_logical_partitions(void **state)
{
    static const char *const mkfs[] = { "mke2fs",
                                        "-q",
                                        "-F",
                                        "-t",
                                        "ext4",
                                        "-L",
                                        "root",
                                        "-U",
                                        "11111111-2222-3333-4444-555555555555",
                                        "-E",
                                        "offset=1048576",
                                        image,
                                        "4M",
                                        NULL };
    struct err err = ERR_NONE;

    (void)state;
    new_image(32 * MIB, 512);
    make_table("label: dos\nlabel-id: 0xcafe0001\n"
               "start=2048, size=8192, type=83, bootable\n"
               "start=20480, size=32768, type=f\n"
               "start=22528, size=4096, type=82\n"
               "start=28672, size=4096, type=83\n");
    run(mkfs, NULL);
    assert_int_equal(build(&err), 0);
    assert_int_equal(on.stack->n_volumes, 5);
    assert_string_equal(volume("/dev/sda")->table, "dos");
    assert_string_equal(volume("/dev/sda")->table_uuid, "cafe0001");
    assert_string_equal(volume("/dev/sda1")->fstype, "ext4");
    assert_string_equal(volume("/dev/sda1")->use, "filesystem");
    assert_string_equal(volume("/dev/sda1")->label, "root");
    assert_string_equal(volume("/dev/sda1")->uuid, "11111111-2222-3333-4444-555555555555");
    assert_string_equal(volume("/dev/sda1")->part_uuid, "cafe0001-01");
    assert_string_equal(volume("/dev/sda1")->part_type, "0x83");
    assert_true(volume("/dev/sda1")->bootable);
    assert_int_equal(volume("/dev/sda1")->offset, MIB);
    assert_int_equal(volume("/dev/sda1")->size_bytes, 4 * MIB);
    assert_string_equal(volume("/dev/sda2")->part_type, "0xf");
    assert_int_equal(volume("/dev/sda5")->offset, 11 * MIB);
    assert_int_equal(volume("/dev/sda5")->size_bytes, 2 * MIB);
    assert_string_equal(volume("/dev/sda5")->part_uuid, "cafe0001-05");
    assert_int_equal(volume("/dev/sda6")->part_number, 6);
    assert_int_equal(volume("/dev/sda6")->n_parents, 1);
    assert_int_equal(volume("/dev/sda6")->parents[0], 0);
    assert_false(volume("/dev/sda6")->bootable);
}

static void gpt_with_names(void **state)
{
    struct err err = ERR_NONE;

    (void)state;
    new_image(32 * MIB, 512);
    make_table("label: gpt\nlabel-id: AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE\n"
               "size=8192, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=\"EFI System\", "
               "uuid=12345678-1234-1234-1234-1234567890AB\n"
               "type=linux\n");
    assert_int_equal(build(&err), 0);
    assert_int_equal(on.stack->n_volumes, 3);
    assert_string_equal(volume("/dev/sda")->table, "gpt");
    assert_string_equal(volume("/dev/sda")->table_uuid, "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee");
    assert_string_equal(volume("/dev/sda1")->part_type, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
    assert_string_equal(volume("/dev/sda1")->part_uuid, "12345678-1234-1234-1234-1234567890ab");
    assert_string_equal(volume("/dev/sda1")->part_label, "EFI System");
    assert_string_equal(volume("/dev/sda2")->fstype, "");
    assert_string_equal(volume("/dev/sda2")->use, "");
}

static void damage(off_t at)
{
    uint8_t byte;

    assert_int_equal(pread(on.disk.fd, &byte, 1, at), 1);
    byte ^= 0x55;
    assert_int_equal(pwrite(on.disk.fd, &byte, 1, at), 1);
}

static void the_second_copy_of_a_gpt(void **state)
{
    static const off_t places[] = { 0, 512, 512 + 40, 512 + 16, 1024 + 5, 1024 + 128 * 127 };
    struct err err = ERR_NONE;

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        print_message("damage at byte %lld\n", (long long)places[i]);
        new_image(32 * MIB, 512);
        make_table("label: gpt\nsize=8192, name=one\n");
        damage(places[i]);
        assert_int_equal(build(&err), 0);
        assert_string_equal(volume("/dev/sda")->table, "gpt");
        assert_string_equal(volume("/dev/sda1")->part_label, "one");
        assert_int_equal(volume("/dev/sda")->table_is_backup, places[i] != 0);
        (void)after(state);
    }
    damage(32 * MIB - 512 + 40); /* the second copy, too */
    assert_int_equal(build(&err), 0);
    assert_int_equal(on.stack->n_volumes, 1);
}

/* sfdisk 2.38 takes the sector size from a device only, hence the loop. */
static void gpt_of_4096_byte_sectors(void **state)
{
    static const char *const loop[] = { "losetup", "-f", "--show", "-b", "4096", image, NULL };
    struct exec_opts opts = { .argv = loop };
    struct exec_result result = { 0 };
    struct err err = ERR_NONE;
    char node[64];

    (void)state;
    new_image(32 * MIB, 512); /* the image does not say 4096: it has to be found out */
    if (geteuid() != 0 || exec_check(&opts, &result, &err) < 0)
        skip();
    (void)snprintf(node, sizeof(node), "%.*s", (int)strcspn(strbuf_text(&result.out), "\n"),
                   strbuf_text(&result.out));
    exec_result_done(&result);
    const char *const table[] = { "sfdisk", "-q", "--no-reread", node, NULL };
    const char *const detach[] = { "losetup", "-d", node, NULL };
    opts = (struct exec_opts){ .argv = table, .input = "label: gpt\nsize=2MiB\n", .input_len = 21 };
    int made = exec_check(&opts, NULL, &err);
    run(detach, NULL);
    assert_int_equal(made, 0);
    assert_int_equal(build(&err), 0);
    assert_string_equal(volume("/dev/sda")->table, "gpt");
    assert_int_equal(volume("/dev/sda1")->offset, MIB);
    assert_int_equal(volume("/dev/sda1")->size_bytes, 2 * MIB);
}

static void a_file_system_on_the_whole_disk(void **state)
{
    static const char *const mkfs[] = { "mke2fs", "-q", "-F", "-t", "ext2", image, NULL };
    struct err err = ERR_NONE;

    (void)state;
    new_image(8 * MIB, 512);
    run(mkfs, NULL);
    assert_int_equal(build(&err), 0);
    assert_int_equal(on.stack->n_volumes, 1);
    assert_string_equal(volume("/dev/sda")->table, "");
    assert_string_equal(volume("/dev/sda")->fstype, "ext2");
    assert_null(stack_find(on.stack, "/dev/sda1"));
}

static void nothing_known_has_no_use(void **state)
{
    struct err err = ERR_NONE;

    (void)state;
    new_image(8 * MIB, 512);
    assert_int_equal(build(&err), 0);
    assert_int_equal(on.stack->n_volumes, 1);
    assert_string_equal(volume("/dev/sda")->use, "");
    assert_string_equal(volume("/dev/sda")->table, "");
}

static void two_file_systems_are_not_guessed(void **state)
{
    static const char *const ext[] = { "mke2fs", "-q", "-F", "-t", "ext4", image, NULL };
    struct err err = ERR_NONE;

    (void)state;
    /* ext4 begins at byte 1024; an XFS superblock of another file goes before it */
    new_image(512 * MIB, 512);
    if (!exec_have("mkfs.xfs"))
        skip();
    const char *const mkxfs[] = { "mkfs.xfs", "-q", "-f", image, NULL };
    char sector[512];
    run(mkxfs, NULL);
    assert_int_equal(io_pread_full(on.disk.fd, sector, sizeof(sector), 0), 0);
    assert_memory_equal(sector, "XFSB", 4);
    run(ext, NULL);
    assert_int_equal(io_pwrite_full(on.disk.fd, sector, sizeof(sector), 0), 0);
    assert_int_equal(build(&err), 0);
    assert_string_equal(volume("/dev/sda")->use, "other");
    assert_string_equal(volume("/dev/sda")->fstype, "ambivalent");
}

static void truncated_tables_name_both_sizes(void **state)
{
    static const char *const scripts[] = { "label: dos\nsize=30M\n", "label: gpt\nsize=30M\n" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
        struct err err = ERR_NONE;

        new_image(32 * MIB, 512);
        make_table(scripts[i]);
        on.disk.size_bytes = 16 * MIB;
        assert_int_equal(ftruncate(on.disk.fd, 16 * MIB), 0);
        assert_true(build(&err) < 0);
        assert_int_equal(err.status, STATUS_FAILED);
        assert_non_null(strstr(err.text[0], "truncated"));
        assert_non_null(strstr(err.text[0], "16777216"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(mbr_with_logical_partitions, after),
        cmocka_unit_test_teardown(gpt_with_names, after),
        cmocka_unit_test_teardown(the_second_copy_of_a_gpt, after),
        cmocka_unit_test_teardown(gpt_of_4096_byte_sectors, after),
        cmocka_unit_test_teardown(a_file_system_on_the_whole_disk, after),
        cmocka_unit_test_teardown(nothing_known_has_no_use, after),
        cmocka_unit_test_teardown(two_file_systems_are_not_guessed, after),
        cmocka_unit_test_teardown(truncated_tables_name_both_sizes, after),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
