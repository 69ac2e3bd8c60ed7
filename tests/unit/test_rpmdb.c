/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Databases of rpm as they are in tests/fuzz/corpus/rpmdb, whole and damaged. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "inspect/rpm_header.h"
#include "inspect/rpmdb.h"
#include "tests/unit/unit.h"

static uint8_t file[64 << 10];
static size_t n_reads;
static struct rpmdb_io io;
static char found[256];

static int read_file(void *ctx, uint64_t offset, void *buf, size_t len)
{
    (void)ctx;
    assert_true(offset <= io.size && len <= io.size - offset);
    memcpy(buf, file + offset, len);
    n_reads++;
    return 0;
}

static void load(const char *name)
{
    char *path = mem_printf("%s/../fuzz/corpus/rpmdb/%s", TEST_DATA_DIR, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    io = (struct rpmdb_io){ .read = read_file, .size = (uint64_t)lseek(fd, 0, SEEK_END) };
    assert_true(io.size <= sizeof(file));
    assert_int_equal(io_pread_full(fd, file, io.size, 0), 0);
    (void)close(fd);
    free(path);
}

static void look(void *arg, const uint8_t *header, size_t len)
{
    struct rpm_package package;
    size_t used = strlen(found);

    (void)arg;
    if (rpm_header_parse(header, len, &package))
        (void)snprintf(found + used, sizeof(found) - used, "%s=%u:%s-%s.%s ", package.name,
                       package.epoch, package.version, package.release, package.arch);
}

static int walk(rpmdb_walk_fn fn, struct err *err)
{
    found[0] = '\0';
    n_reads = 0;
    return fn(&io, look, NULL, err);
}

static const struct {
    const char *name;
    rpmdb_walk_fn walk;
} kinds[] = {
    { "bdb", rpmdb_walk_bdb },
    { "bdb-swapped", rpmdb_walk_bdb },
    { "ndb", rpmdb_walk_ndb },
};

static void all_packages_are_found(void **state)
{
    struct err err = ERR_NONE;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        print_message("%s\n", kinds[i].name);
        load(kinds[i].name);
        assert_int_equal(walk(kinds[i].walk, &err), 0);
        assert_non_null(strstr(found, "alpha=1:2.0-1.el9.x86_64 "));
        assert_non_null(strstr(found, "kernel-core=0:5.14.0-1.el9.x86_64 "));
        assert_non_null(strstr(found, "zebra=0:1.5-1.el9.noarch "));
        assert_int_equal(strlen(found), 84);
    }
}

static void what_is_cut_off_is_an_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        load(kinds[i].name);
        for (uint64_t size = io.size - 4096; size > 0;
             size = size > 4096 ? size - 4096 : size / 2) {
            struct err err = ERR_NONE;

            io.size = size;
            assert_true(walk(kinds[i].walk, &err) < 0);
            err_clear(&err);
        }
    }
}

/* Overflow pages that follow each other in a circle. */
static void a_circle_of_pages_ends(void **state)
{
    struct err err = ERR_NONE;
    size_t circles = 0;

    (void)state;
    load("bdb");
    for (size_t page = 1; page < io.size / 4096; page++) {
        uint8_t *at = file + page * 4096;
        const uint32_t itself = htole32((uint32_t)page);

        if (at[25] == 7) { /* an overflow page */
            memcpy(at + 16, &itself, sizeof(itself));
            at[22] = 1; /* with one byte of use */
            at[23] = 0;
            circles++;
        }
    }
    assert_true(circles > 0);
    assert_true(walk(rpmdb_walk_bdb, &err) < 0);
    assert_true(n_reads < 64);
    err_clear(&err);
}

static void other_files_are_refused(void **state)
{
    (void)state;
    memset(file, 'x', sizeof(file));
    io = (struct rpmdb_io){ .read = read_file, .size = sizeof(file) };
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct err err = ERR_NONE;

        assert_true(walk(kinds[i].walk, &err) < 0);
        err_clear(&err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_packages_are_found),
        cmocka_unit_test(what_is_cut_off_is_an_error),
        cmocka_unit_test(a_circle_of_pages_ends),
        cmocka_unit_test(other_files_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
