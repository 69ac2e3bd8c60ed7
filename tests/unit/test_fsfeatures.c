/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is said of file systems that a kernel is too old for, or built without. */
#include "engine/base/mem.h"
#include "storage/fsfeatures.h"
#include "tests/unit/disks_util.h"

#define EXT_INCOMPAT (1024 + 0x60)
#define EXT_RO_COMPAT (1024 + 0x64)
#define XFS_RO_COMPAT 212
#define XFS_INCOMPAT 216
#define BTRFS_RO_COMPAT (0x10000 + 0xb4)

static const struct {
    const char *label;
    char fstype[8];
    unsigned xfs_version;
    uint64_t at;
    const char *bytes; /* three of them */
    unsigned major, minor;
    bool read_only;
    const char *want; /* NULL: nothing explains it */
} cases[] = {
    { "XFS of EL6 and EL7", "xfs", 0xb4, 0, "XFS", 6, 18, true,
      "XFS of version 4 needs a kernel that is built with CONFIG_XFS_SUPPORT_V4" },
    { "all is known", "xfs", 0xb5, XFS_INCOMPAT + 1, "\0\0\x2b", 6, 1, false, NULL },
    { "the kernel is older than the XFS", "xfs", 0xb5, XFS_INCOMPAT + 1, "\0\0\x2b", 5, 10, true,
      "nrext64 needs Linux 5.19" },
    { "two features", "xfs", 0xb5, XFS_INCOMPAT + 1, "\0\1\xa0", 5, 4, true,
      "nrext64 needs Linux 5.19, parent needs Linux 6.10, metadir needs Linux 6.13" },
    { "one that nobody knows yet", "xfs", 0xb5, XFS_INCOMPAT + 1, "\x40\0\0", 6, 18, true,
      "unknown features (bits 0x400000)" },
    { "for writing only", "xfs", 0xb5, XFS_RO_COMPAT + 1, "\0\0\x8", 5, 4, true, NULL },
    { "for writing", "xfs", 0xb5, XFS_RO_COMPAT + 1, "\0\0\x8", 5, 4, false,
      "inobtcount needs Linux 5.10" },
    { "ext4", "ext4", 0, EXT_INCOMPAT, "\xc2\2\2", 4, 18, true, "casefold needs Linux 5.2" },
    { "ext4, which is clean", "ext4", 0, EXT_INCOMPAT, "\xc6\2\0", 3, 10, true, NULL },
    { "ext4's orphan file", "ext4", 0, EXT_RO_COMPAT, "\x7b\4\1", 5, 14, false,
      "orphan_file needs Linux 5.15" },
    { "btrfs", "btrfs", 0, BTRFS_RO_COMPAT, "\xb\0\0", 5, 15, false,
      "block_group_tree needs Linux 6.1" },
    { "another file system", "vfat", 0, 0, "abc", 3, 0, false, NULL },
};

static void what_the_kernel_lacks_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char fstype[8];
        struct volume volume = { .fd = -1, .disk = &on.disks[0], .fstype = fstype };
        uint8_t version[2] = { 0, (uint8_t)cases[i].xfs_version };
        char *got;

        print_message("case: %s\n", cases[i].label);
        memcpy(fstype, cases[i].fstype, sizeof(fstype));
        new_disks(1, MIB);
        volume.size_bytes = MIB;
        put(0, cases[i].at, cases[i].bytes, 3);
        if (cases[i].xfs_version)
            put(0, 100, version, sizeof(version));
        got = fsfeatures_missing(&volume, cases[i].read_only, cases[i].major, cases[i].minor);
        assert_int_equal(got != NULL, cases[i].want != NULL);
        if (got)
            assert_string_equal(got, cases[i].want);
        free(got);
    }
}

static void a_file_system_that_is_cut_off_says_nothing(void **state)
{
    static char fstype[] = "btrfs";
    struct volume volume = { .fd = -1, .disk = &on.disks[0], .fstype = fstype };

    (void)state;
    new_disks(1, 4096);
    volume.size_bytes = 4096;
    assert_null(fsfeatures_missing(&volume, false, 2, 6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_kernel_lacks_is_named),
        cmocka_unit_test(a_file_system_that_is_cut_off_says_nothing),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
