/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The states of small NTFS volumes (tests/fuzz/corpus/ntfs): 64 clusters of 512 bytes, $MFT in two
 * pieces at the clusters 2 and 40, $LogFile at 20, the root's index at 26, hiberfil.sys at 30. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "storage/ntfs.h"
#include "storage/ntfs_read.h"
#include "tests/unit/unit.h"

#define SIZE 32768U

static int open_copy(const char *file)
{
    char *path = mem_printf("%s/../fuzz/corpus/ntfs/%s", TEST_DATA_DIR, file);
    char name[] = "/tmp/h2k-ntfs-XXXXXX", *data = NULL;
    struct err err = ERR_NONE;
    int fd = mkostemp(name, O_CLOEXEC);
    size_t len = 0;

    assert_true(fd >= 0);
    (void)unlink(name);
    assert_int_equal(io_read_file(path, SIZE, &data, &len, &err), 0);
    assert_int_equal(len, SIZE);
    assert_int_equal(io_pwrite_full(fd, data, len, 0), 0);
    free(data);
    free(path);
    return fd;
}

static struct ntfs_state state_of(int fd)
{
    struct volume volume = { .fd = fd, .size_bytes = SIZE };
    struct ntfs_state state;

    ntfs_state_read(&volume, &state);
    return state;
}

static const struct {
    const char *file;
    struct ntfs_state want;
    const char *why; /* NULL: it may be written */
} cases[] = {
    { "clean", { 0 }, NULL },
    { "clean-log", { 0 }, NULL },
    { "clean-flag", { 0 }, NULL },
    { "log-dirty", { .log_dirty = true }, NULL },
    { "log-dirty-second", { .log_dirty = true }, NULL },
    { "log-torn", { .unreadable = true }, "cannot be found out" },
    { "cached", { .cached = true }, "fast startup" },
    { "marked", { .marked = true }, "chkdsk" },
    { "marked-otherwise", { 0 }, NULL },
    { "hibernated", { .hibernated = true }, "hibernated" },
    { "hibernated-root", { .hibernated = true }, "hibernated" },
    { "hibernated-elsewhere", { .hibernated = true }, "hibernated" },
    { "restoring", { .hibernated = true }, "hibernated" },
    { "woken", { 0 }, NULL },
    { "zeroed", { 0 }, NULL },
    { "stale-entry", { 0 }, NULL },
    { "no-root", { .unreadable = true }, "cannot be found out" },
};

static void the_state_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int fd = open_copy(cases[i].file);
        struct ntfs_state got = state_of(fd);
        const char *why = ntfs_not_written(&got);

        print_message("case: %s\n", cases[i].file);
        (void)close(fd);
        assert_int_equal(got.unreadable, cases[i].want.unreadable);
        assert_int_equal(got.hibernated, cases[i].want.hibernated);
        assert_int_equal(got.cached, cases[i].want.cached);
        assert_int_equal(got.marked, cases[i].want.marked);
        assert_int_equal(got.log_dirty, cases[i].want.log_dirty);
        assert_int_equal(why != NULL, cases[i].why != NULL);
        if (why)
            assert_non_null(strstr(why, cases[i].why));
    }
}

/* One byte changed, and nothing can be told any more: never "it may be written". */
static const struct {
    const char *label;
    uint64_t at;
    uint8_t value;
} damages[] = {
    { "no NTFS", 3, 'X' },
    { "sectors of 3 bytes", 0x0b, 3 },
    { "clusters of 0 sectors", 0x0d, 0 },
    { "clusters of 2^16 sectors", 0x0d, 0xf0 },
    { "records of 2^120 bytes", 0x40, 0x88 },
    { "the MFT beyond the end", 0x37, 0x7f },
    { "a torn record of $MFT", 2 * 512 + 510, 0 },
    { "a torn record of $Volume", 2 * 512 + 3 * 1024 + 1022, 0 },
    { "$Volume not in use", 2 * 512 + 3 * 1024 + 22, 0 },
    { "attributes outside the record", 2 * 512 + 3 * 1024 + 21, 0xff },
    { "an attribute of 0 bytes", 2 * 512 + 3 * 1024 + 56 + 4, 0 },
    { "an update sequence outside", 2 * 512 + 5 * 1024 + 5, 0xff },
    { "a log in memory", 2 * 512 + 2 * 1024 + 56 + 8, 0 },
};

static void damage_is_no_licence_to_write(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
        int fd = open_copy("clean");
        struct ntfs_state got;

        print_message("case: %s\n", damages[i].label);
        assert_int_equal(io_pwrite_full(fd, &damages[i].value, 1, damages[i].at), 0);
        got = state_of(fd);
        (void)close(fd);
        assert_true(got.unreadable);
        assert_non_null(ntfs_not_written(&got));
    }
}

static void names_are_found_in_the_root(void **state)
{
    static const struct {
        const char *file, *name;
        uint64_t number;
    } names[] = {
        { "hibernated", "users", 6 },       { "hibernated", "HIBERFIL.sys", 7 },
        { "hibernated", "hiberfil.sy", 0 }, { "hibernated", "hiberfil.sys2", 0 },
        { "hibernated-root", "USERS", 6 },  { "hibernated-root", "$volume", 3 },
        { "clean", "hiberfil.sys", 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        int fd = open_copy(names[i].file);
        struct volume volume = { .fd = fd, .size_bytes = SIZE };
        struct ntfs fs;
        uint64_t number = 99;

        assert_true(ntfs_open(&volume, &fs));
        assert_true(ntfs_root_find(&fs, names[i].name, &number));
        ntfs_close(&fs);
        (void)close(fd);
        assert_int_equal(number, names[i].number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_state_is_read),
        cmocka_unit_test(damage_is_no_licence_to_write),
        cmocka_unit_test(names_are_found_in_the_root),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
