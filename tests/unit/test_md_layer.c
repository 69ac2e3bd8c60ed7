/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* md arrays that need no device mapper, and what is said about those that cannot be had. Members
 * are files with superblocks that mdadm has written (tests/fuzz/corpus/md_super). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "tests/unit/disks_util.h"
#include "tests/unit/run_util.h"

#define SIZE (16 * MIB) /* of the devices that the superblocks were made on */

/* Disk number @disk gets the superblock of member @member, at @at. */
static void put_super(const char *name, size_t member, size_t len, size_t disk, uint64_t at)
{
    static uint8_t bytes[4096];
    char *path = mem_printf("%s/../fuzz/corpus/md_super/%s", TEST_DATA_DIR, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(io_pread_full(fd, bytes, len, member * len), 0);
    put(disk, at, bytes, len);
    (void)close(fd);
    free(path);
}

static void make_ext4(size_t disk, const char *offset)
{
    CLEANUP_FREE char *extended = mem_printf("offset=%s", offset);
    const char *const argv[] = { "mkfs.ext4", "-q",    "-F",         "-E",  extended,
                                 "-L",        "on-md", images[disk], "12M", NULL };

    if (!exec_have("mkfs.ext4"))
        skip();
    run(argv, NULL);
}

static void a_mirror_is_a_piece_of_a_disk(void **state)
{
    const struct volume *md;

    (void)state;
    new_disks(2, SIZE);
    make_ext4(1, "1048576");
    make_ext4(0, "1048576");
    put_super("r1-1.2", 0, 512, 0, 4096);
    put_super("r1-1.2", 1, 512, 1, 4096);
    build();
    md = volume("/dev/md/r1-1.2");
    assert_int_equal(md->kind, VOLUME_MD);
    assert_ptr_equal(md->disk, &on.disks[0]);
    assert_int_equal(md->offset, MIB);
    assert_int_equal(md->size_bytes, 30720 * 512);
    assert_string_equal(md->fstype, "ext4");
    assert_string_equal(md->label, "on-md");
    assert_string_equal(md->read_only, "");
    assert_int_equal(md->n_parents, 2);
    assert_string_equal(volume("/dev/sda")->problem, "");
}

static void one_half_of_a_mirror_is_read(void **state)
{
    const struct volume *md;

    (void)state;
    new_disks(1, SIZE);
    make_ext4(0, "1048576");
    put_super("r1-1.2", 1, 512, 0, 4096);
    build();
    md = volume("/dev/md/r1-1.2");
    assert_string_equal(md->fstype, "ext4");
    assert_string_equal(md->read_only, "raid1 array with 1 of 2 members missing or out of date");
    assert_int_equal(md->read_only_status, STATUS_REFUSED);
}

/* Whole disks whose superblock is at their end: the partition table is the array's. */
static void the_table_of_an_array(void **state)
{
    static const char script[] = "label: dos\nstart=2048,size=16384,type=83\n";
    const struct volume *part;

    (void)state;
    if (!exec_have("sfdisk"))
        skip();
    for (size_t format = 0; format < 2; format++) {
        new_disks(2, SIZE);
        for (size_t i = 0; i < 2; i++) {
            const char *const argv[] = { "sfdisk", "-q", images[i], NULL };

            run(argv, script);
            put_super(format ? "r1-0.90" : "r1-1.0", i, format ? 4096 : 512, i,
                      format ? SIZE - 65536 : SIZE - 8192);
        }
        build();
        assert_null(stack_find(on.stack, "/dev/sda1"));
        part = volume(format ? "/dev/md127p1" : "/dev/md/r1-1.0");
        if (!format)
            part = volume("/dev/md/r1-1.0p1");
        assert_int_equal(part->kind, VOLUME_PARTITION);
        assert_int_equal(part->offset, MIB);
        assert_int_equal(part->size_bytes, 8 * MIB);
        (void)after(state);
    }
}

/* The last 64 KiB of a disk may be those of its last partition: then that is the member. */
static void the_end_of_a_partition(void **state)
{
    static const char script[] = "label: dos\nstart=2048,type=fd\n";

    (void)state;
    if (!exec_have("sfdisk"))
        skip();
    new_disks(2, SIZE);
    for (size_t i = 0; i < 2; i++) {
        const char *const argv[] = { "sfdisk", "-q", images[i], NULL };

        on.disks[i].size_bytes = SIZE + MIB;
        assert_int_equal(ftruncate(on.disks[i].fd, SIZE + MIB), 0);
        run(argv, script);
        put_super("r1-0.90", i, 4096, i, SIZE + MIB - 65536);
    }
    build();
    assert_string_equal(volume("/dev/sda1")->fstype, "linux_raid_member");
    assert_int_equal(volume("/dev/sda1")->kind, VOLUME_PARTITION);
    assert_int_equal(volume("/dev/md127")->offset, MIB);
    assert_int_equal(volume("/dev/md127")->n_parents, 2);
}

static void what_cannot_be_had_is_said(void **state)
{
    const struct volume *disk, *md;
    uint8_t byte;

    (void)state;
    new_disks(1, SIZE);
    put_super("r5-1.2", 1, 512, 0, 4096);
    build();
    disk = volume("/dev/sda");
    md = volume("/dev/md/r5-1.2");
    assert_int_equal(on.stack->n_volumes, 2);
    assert_true(md->inactive);
    assert_int_equal(md->parents[0], 0);
    assert_int_equal(md->size_bytes, 57344 * 512);
    assert_string_equal(md->problem,
                        "2 of its 3 members are missing or out of date: name all disks of the "
                        "guest (-a)");
    assert_int_equal(volume_read(md, 0, &byte, 1), -ENODEV);
    assert_int_equal(disk->problem_status, STATUS_FAILED);
    assert_string_equal(disk->problem,
                        "the md array /dev/md/r5-1.2 cannot be used: 2 of its 3 members are "
                        "missing or out of date: name all disks of the guest (-a)");
}

static void firmware_raid_is_named(void **state)
{
    static const char script[] = "label: dos\nstart=2048,size=262144,type=83\n";
    const char *const argv[] = { "sfdisk", "-q", images[0], NULL };
    const struct volume *disk;

    (void)state;
    if (!exec_have("sfdisk"))
        skip();
    new_disks(1, SIZE);
    assert_int_equal(ftruncate(on.disks[0].fd, 256 * MIB), 0);
    run(argv, script); /* a table for more than this disk */
    assert_int_equal(ftruncate(on.disks[0].fd, SIZE), 0);
    put(0, SIZE - 1024, "Intel Raid ISM Cfg Sig. 1.3.00", 30);
    build();
    disk = volume("/dev/sda");
    assert_int_equal(on.stack->n_volumes, 1);
    assert_int_equal(disk->problem_status, STATUS_REFUSED);
    assert_non_null(strstr(disk->problem, "Intel RAID (IMSM)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_mirror_is_a_piece_of_a_disk, after),
        cmocka_unit_test_teardown(one_half_of_a_mirror_is_read, after),
        cmocka_unit_test_teardown(the_table_of_an_array, after),
        cmocka_unit_test_teardown(the_end_of_a_partition, after),
        cmocka_unit_test_teardown(what_cannot_be_had_is_said, after),
        cmocka_unit_test_teardown(firmware_raid_is_named, after),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
