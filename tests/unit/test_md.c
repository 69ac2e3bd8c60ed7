/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Superblocks that mdadm 4.2 and the kernel have written (tests/fuzz/corpus/md_super), and the
 * tables made of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "storage/md_table.h"
#include "tests/unit/unit.h"

#define SECTORS 65536ULL /* more than each of the devices had */
#define V1_SIZE 512U
#define MEMBERS 6

static struct {
    struct md_super supers[MEMBERS];
    const struct md_super *members[MEMBERS];
    size_t n;
    struct md_array array;
} on;

static uint8_t bytes[MEMBERS * MD_SUPER_MAX];

/* The superblocks of all members of an array. */
static size_t load(const char *name)
{
    CLEANUP_FREE char *path = mem_printf("%s/../fuzz/corpus/md_super/%s", TEST_DATA_DIR, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    assert_true(fd >= 0);
    n = read(fd, bytes, sizeof(bytes));
    (void)close(fd);
    assert_true(n > 0);
    return (size_t)n;
}

static void parse_all(const char *name)
{
    size_t size = load(name), step = get_le32(bytes + 4) == 0 ? MD_SUPER_MAX : V1_SIZE;

    on.n = 0;
    for (size_t at = 0; at < size; at += step) {
        struct md_super *super = &on.supers[on.n];
        struct md_place place = { .major = get_le32(bytes + at + 4) };

        place.sector = place.major == 1 ? get_le64(bytes + at + 144) : SECTORS - 128;
        place.minor = place.sector == 0 ? 1 : 2;
        assert_int_equal(md_super_parse(bytes + at, step, &place, SECTORS, super), 0);
        on.members[on.n++] = super;
    }
}

static void assemble(void)
{
    struct err err = ERR_NONE;
    char text[ERR_TEXT];

    if (md_array_assemble(on.members, on.n, &on.array, &err) < 0)
        fail_msg("%s", err_text(&err, text, sizeof(text)));
}

/* The tables as text: "start len target params; ... | next table". Members are A, B ... */
static char *tables_text(bool writable)
{
    static const char *const names[] = { "A", "B", "C", "D", "E", "F" };
    struct dmtable_address legs[MEMBERS] = { { 0 } };
    struct dmtables tables = { 0 };
    struct strbuf text = { 0 };
    struct err err = ERR_NONE;

    for (uint32_t i = 0; i < on.array.n; i++)
        if (on.array.legs[i] != MD_NO_LEG)
            legs[i] = (struct dmtable_address){ names[on.array.legs[i]], on.array.leg_start[i] };
    if (md_tables_make(&on.array, legs, writable, &tables, &err) < 0)
        return mem_strdup("refused");
    for (size_t i = 0; i < tables.n_tables; i++) {
        for (size_t row = 0; row < tables.tables[i].n_rows; row++) {
            const struct dmtable_row *r = &tables.tables[i].rows[row];

            strbuf_printf(&text, "%s%llu %llu %s%s%s",
                          row > 0 ? "; "
                          : i > 0 ? " | "
                                  : "",
                          (unsigned long long)r->start, (unsigned long long)r->len, r->target,
                          r->params[0] ? " " : "", r->params);
        }
    }
    dmtables_done(&tables);
    return strbuf_take(&text);
}

static void expect_tables(bool writable, const char *want)
{
    char *text = tables_text(writable);

    assert_string_equal(text, want);
    free(text);
}

/* ---- superblocks ---- */

static void reads_what_was_written(void **state)
{
    const struct md_super *super = &on.supers[1];

    (void)state;
    parse_all("r5-1.2");
    assert_int_equal(on.n, 3);
    assert_int_equal(super->major, 1);
    assert_int_equal(super->minor, 2);
    assert_string_equal(super->name, "vm:r5-1.2");
    assert_int_equal(super->level, 5);
    assert_int_equal(super->layout, 2);
    assert_int_equal(super->chunk, 1024);
    assert_int_equal(super->raid_disks, 3);
    assert_int_equal(super->data_offset, 4096);
    assert_int_equal(super->size, 28672);
    assert_int_equal(super->resync_offset, UINT64_MAX);
    assert_int_equal(md_super_role(super), 1);
    parse_all("r5-0.90");
    assert_int_equal(super->minor, 90);
    assert_int_equal(super->level, 5);
    assert_int_equal(super->chunk, 1024);
    assert_int_equal(super->data_offset, 0);
    assert_int_equal(super->size, 31744);
    assert_int_equal(super->resync_offset, UINT64_MAX);
    assert_int_equal(md_super_role(super), 1);
    assert_memory_equal(on.supers[0].uuid, on.supers[2].uuid, 16);
}

static void finds_the_places(void **state)
{
    struct md_place places[MD_PLACES];

    (void)state;
    assert_int_equal(md_super_places(0, places), 0);
    assert_int_equal(md_super_places(16, places), 0);
    assert_int_equal(md_super_places(64, places), 3);
    assert_int_equal(md_super_places(32767, places), 4);
    assert_int_equal(places[0].sector, 0);
    assert_int_equal(places[1].sector, 8);
    assert_int_equal(places[2].sector, 32760 - 16);
    assert_int_equal(places[3].sector, 32640 - 128);
}

static void damage_is_noticed(void **state)
{
    struct md_place place = { 1, 2, 8 };
    struct md_super super;

    (void)state;
    (void)load("r5-1.2");
    assert_int_equal(md_super_parse(bytes, V1_SIZE, &place, SECTORS, &super), 0);
    for (size_t at = 0; at < V1_SIZE; at++) {
        int r;

        bytes[at] ^= 1;
        r = md_super_parse(bytes, V1_SIZE, &place, SECTORS, &super);
        assert_true(r == -EBADMSG || r == -ENOENT);
        bytes[at] ^= 1;
    }
    assert_int_equal(md_super_parse(bytes, 300, &place, SECTORS, &super), -EBADMSG);
    /* a device that is too small, and a copy at another place */
    assert_int_equal(md_super_parse(bytes, V1_SIZE, &place, 20000, &super), -EBADMSG);
    place.sector = 16;
    assert_int_equal(md_super_parse(bytes, V1_SIZE, &place, SECTORS, &super), -EBADMSG);
    place = (struct md_place){ 0, 90, SECTORS - 128 };
    (void)load("r5-0.90");
    bytes[3000] ^= 1;
    assert_int_equal(md_super_parse(bytes, MD_SUPER_MAX, &place, SECTORS, &super), -EBADMSG);
}

static void knows_firmware_raid(void **state)
{
    uint8_t tail[1024] = { 0 };

    (void)state;
    assert_null(md_foreign_raid(tail, sizeof(tail)));
    memcpy(tail, "Intel Raid ISM Cfg Sig. 1.2.00", 30);
    assert_string_equal(md_foreign_raid(tail, sizeof(tail)), "Intel RAID (IMSM)");
    memset(tail, 0, sizeof(tail));
    memcpy(tail + 512, "\xde\x11\xde\x11", 4);
    assert_string_equal(md_foreign_raid(tail, sizeof(tail)), "DDF RAID");
    assert_null(md_foreign_raid(tail, 512));
}

/* ---- tables ---- */

static const struct {
    const char *name;
    uint64_t size; /* as the kernel said */
    const char *read, *write;
} tables[] = {
    { "lin-1.2", 116736,
      "0 30720 linear A 2048; 30720 38912 linear B 2048; 69632 47104 linear C 2048", NULL },
    { "lin-0.90", 0, NULL, NULL },
    { "r0-1.2", 110592,
      "0 86016 striped 3 1024 A 4096 B 4096 C 4096; "
      "86016 16384 striped 2 1024 B 32768 C 32768; 102400 8192 linear C 40960",
      NULL },
    /* zones begin at chunks 112 and 136: the second one with its second member */
    { "r0-orig", 163840,
      "0 114688 striped 4 1024 A 4096 B 4096 C 4096 D 4096; "
      "114688 24576 striped 3 1024 C 32768 D 32768 B 32768; "
      "139264 16384 striped 2 1024 C 40960 D 40960; 155648 8192 linear D 49152",
      NULL },
    { "r1-1.0", 32640, "0 32640 linear A 0",
      "0 32640 linear A 0 | 0 8192 zero | 0 32640 linear B 0 | 0 8192 zero | "
      "0 32640 raid raid1 2 0 nosync 2 @1 @0 @3 @2" },
    { "r1-1.1", 30720, "0 30720 linear A 2048",
      "0 30720 linear A 2048 | 0 8192 zero | 0 30720 linear B 2048 | 0 8192 zero | "
      "0 30720 raid raid1 2 0 nosync 2 @1 @0 @3 @2" },
    { "r1-0.90", 32640, "0 32640 linear A 0",
      "0 32640 linear A 0 | 0 8192 zero | 0 32640 linear B 0 | 0 8192 zero | "
      "0 32640 raid raid1 2 0 nosync 2 @1 @0 @3 @2" },
    { "r4-1.2", 57344,
      "0 28672 linear A 4096 | 0 28672 linear B 4096 | 0 28672 linear C 4096 | "
      "0 57344 raid raid5_n 2 1024 nosync 3 - @0 - @1 - @2",
      NULL },
    { "r5-1.2", 57344,
      "0 28672 linear A 4096 | 0 28672 linear B 4096 | 0 28672 linear C 4096 | "
      "0 57344 raid raid5_ls 2 1024 nosync 3 - @0 - @1 - @2",
      NULL },
    { "r5-0.90", 63488, NULL, NULL },
    { "r10-n2", 57344, "0 57344 striped 2 1024 A 4096 C 4096",
      "0 28672 linear A 4096 | 0 8192 zero | 0 28672 linear B 4096 | 0 8192 zero | "
      "0 28672 linear C 4096 | 0 8192 zero | 0 28672 linear D 4096 | 0 8192 zero | "
      "0 57344 raid raid10 6 1024 nosync raid10_copies 2 raid10_format near 4 "
      "@1 @0 @3 @2 @5 @4 @7 @6" },
    { "r10-f2", 57344, "0 57344 striped 4 1024 A 4096 B 4096 C 4096 D 4096",
      "0 28672 linear A 4096 | 0 8192 zero | 0 28672 linear B 4096 | 0 8192 zero | "
      "0 28672 linear C 4096 | 0 8192 zero | 0 28672 linear D 4096 | 0 8192 zero | "
      "0 57344 raid raid10 7 1024 nosync raid10_copies 2 raid10_format far "
      "raid10_use_near_sets 4 @1 @0 @3 @2 @5 @4 @7 @6" },
    { "r10-o2", 57344,
      "0 14336 unstriped 2 1024 0 A 4096 | 0 14336 unstriped 2 1024 0 B 4096 | "
      "0 14336 unstriped 2 1024 0 C 4096 | 0 14336 unstriped 2 1024 0 D 4096 | "
      "0 57344 striped 4 1024 @0 0 @1 0 @2 0 @3 0",
      NULL },
    { "r10-n2-3", 43008,
      "0 14336 unstriped 2 1024 0 A 4096 | 0 14336 unstriped 2 1024 0 C 4096 | "
      "0 14336 unstriped 2 1024 1 B 4096 | 0 43008 striped 3 1024 @0 0 @1 0 @2 0",
      NULL },
    /* four rows of parity, seven periods */
    { "r6-ls", 57344,
      "0 7168 unstriped 4 1024 0 B 4096 | 0 7168 unstriped 4 1024 0 C 4096 | "
      "0 7168 unstriped 4 1024 1 A 4096 | 0 7168 unstriped 4 1024 1 B 4096 | "
      "0 7168 unstriped 4 1024 2 D 4096 | 0 7168 unstriped 4 1024 2 A 4096 | "
      "0 7168 unstriped 4 1024 3 C 4096 | 0 7168 unstriped 4 1024 3 D 4096 | "
      "0 57344 striped 8 1024 @0 0 @1 0 @2 0 @3 0 @4 0 @5 0 @6 0 @7 0",
      NULL },
};

static void tables_of_every_level(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        print_message("case: %s\n", tables[i].name);
        parse_all(tables[i].name);
        assemble();
        assert_int_equal(on.array.n_missing, 0);
        if (tables[i].size)
            assert_int_equal(on.array.size, tables[i].size);
        if (tables[i].read)
            expect_tables(false, tables[i].read);
        if (tables[i].write)
            expect_tables(true, tables[i].write);
    }
}

/* What does not fill a whole pattern is added chunk by chunk. */
static void a_period_that_is_cut_off(void **state)
{
    (void)state;
    parse_all("r10-n2-3");
    for (size_t i = 0; i < on.n; i++)
        on.supers[i].size = 3 * 1024;
    assemble();
    assert_int_equal(on.array.size, 4 * 1024);
    expect_tables(false, "0 1024 unstriped 2 1024 0 A 4096 | 0 1024 unstriped 2 1024 0 C 4096 | "
                         "0 1024 unstriped 2 1024 1 B 4096 | 0 3072 striped 3 1024 @0 0 @1 0 @2 0; "
                         "3072 1024 linear A 6144");
}

static void raid0_of_old_kernels_is_ambiguous(void **state)
{
    (void)state;
    parse_all("r0-1.2");
    for (size_t i = 0; i < on.n; i++)
        on.supers[i].features = 0;
    assemble();
    expect_tables(false, "refused");
    on.supers[0].features = MD_FEATURE_RAID0_LAYOUT;
    for (size_t i = 0; i < on.n; i++)
        on.supers[i].layout = 2;
    assemble();
    expect_tables(false, "0 86016 striped 3 1024 A 4096 B 4096 C 4096; "
                         "86016 16384 striped 2 1024 B 32768 C 32768; 102400 8192 linear C 40960");
}

/* ---- states ---- */

static void remove_member(size_t index)
{
    for (size_t i = index; i + 1 < on.n; i++)
        on.members[i] = on.members[i + 1];
    on.n--;
}

static void a_member_is_missing(void **state)
{
    (void)state;
    parse_all("r5-1.2");
    remove_member(1);
    assemble();
    assert_int_equal(on.array.n_missing, 1);
    assert_string_equal(on.array.read_only, "raid5 array with 1 of 3 members missing or out of "
                                            "date");
    expect_tables(false, "0 28672 linear A 4096 | 0 28672 linear B 4096 | "
                         "0 57344 raid raid5_ls 2 1024 nosync 3 - @0 - - - @1");
    parse_all("r10-f2");
    remove_member(0);
    assemble();
    /* the copy of the first member's part is in the second half of the next one */
    expect_tables(false, "0 57344 striped 4 1024 A 18432 A 4096 B 4096 C 4096");
    remove_member(0);
    assemble();
    expect_tables(false, "refused");
}

/* Rows with the same places of P and Q are an array of their own, whose data is put in order again.
 */
static void raid6_of_md_is_rebuilt_row_by_row(void **state)
{
    (void)state;
    parse_all("r6-ls");
    remove_member(1);
    assemble();
    assert_int_equal(on.array.n_missing, 1);
    expect_tables(false, "0 7168 unstriped 4 1024 0 B 4096 | 0 7168 unstriped 4 1024 0 C 4096 | "
                         "0 7168 unstriped 4 1024 0 A 4096 | "
                         "0 14336 raid raid6_n_6 1 1024 4 - - - @0 - @1 - @2 | "
                         "0 7168 unstriped 2 1024 0 @3 0 | 0 7168 unstriped 4 1024 0 B 4096 | "
                         "0 7168 unstriped 4 1024 1 A 4096 | 0 7168 unstriped 4 1024 1 A 4096 | "
                         "0 7168 unstriped 4 1024 1 B 4096 | 0 7168 unstriped 4 1024 1 C 4096 | "
                         "0 14336 raid raid6_n_6 1 1024 4 - @7 - - - @8 - @9 | "
                         "0 7168 unstriped 2 1024 1 @10 0 | 0 7168 unstriped 4 1024 2 C 4096 | "
                         "0 7168 unstriped 4 1024 2 A 4096 | 0 7168 unstriped 4 1024 3 B 4096 | "
                         "0 7168 unstriped 4 1024 3 C 4096 | "
                         "0 57344 striped 8 1024 @4 0 @5 0 @6 0 @11 0 @12 0 @13 0 @14 0 @15 0");
    remove_member(1);
    assemble();
    assert_int_equal(on.array.n_missing, 2);
    expect_tables(false, "0 7168 unstriped 4 1024 0 B 4096 | 0 7168 unstriped 4 1024 0 A 4096 | "
                         "0 14336 raid raid6_n_6 1 1024 4 - - - - - @0 - @1 | "
                         "0 7168 unstriped 2 1024 0 @2 0 | 0 7168 unstriped 4 1024 0 B 4096 | "
                         "0 7168 unstriped 4 1024 0 A 4096 | "
                         "0 14336 raid raid6_n_6 1 1024 4 - - - - - @4 - @5 | "
                         "0 7168 unstriped 2 1024 1 @6 0 | 0 7168 unstriped 4 1024 1 A 4096 | "
                         "0 7168 unstriped 4 1024 1 A 4096 | 0 7168 unstriped 4 1024 1 B 4096 | "
                         "0 14336 raid raid6_n_6 1 1024 4 - @9 - - - - - @10 | "
                         "0 7168 unstriped 2 1024 1 @11 0 | 0 7168 unstriped 4 1024 2 B 4096 | "
                         "0 7168 unstriped 4 1024 2 A 4096 | 0 7168 unstriped 4 1024 3 B 4096 | "
                         "0 7168 unstriped 4 1024 3 A 4096 | "
                         "0 14336 raid raid6_n_6 1 1024 4 - - - @15 - @16 - - | "
                         "0 7168 unstriped 2 1024 0 @17 0 | 0 7168 unstriped 4 1024 3 B 4096 | "
                         "0 57344 striped 8 1024 @3 0 @7 0 @8 0 @12 0 @13 0 @14 0 @18 0 @19 0");
}

static void a_member_is_out_of_date(void **state)
{
    uint32_t disk = 9;

    (void)state;
    parse_all("r1-1.2");
    assert_int_equal(on.supers[0].events, on.supers[1].events);
    on.supers[1].events += 1;
    assemble();
    assert_int_equal(on.array.n_missing, 0);
    on.supers[1].events += 1;
    assemble();
    assert_int_equal(on.array.n_missing, 1);
    assert_true(md_is_piece(&on.array, &disk));
    assert_int_equal(disk, 1);
    expect_tables(false, "0 30720 linear B 2048");
}

static void refuse(enum err_status status, const char *what)
{
    struct err err = ERR_NONE;
    char text[ERR_TEXT];

    assert_true(md_array_assemble(on.members, on.n, &on.array, &err) < 0);
    assert_int_equal(err.status, status);
    if (!strstr(err_text(&err, text, sizeof(text)), what))
        fail_msg("no \"%s\" in: %s", what, text);
}

static void what_cannot_be_read_is_refused(void **state)
{
    static const struct {
        uint32_t feature;
        const char *what;
    } features[] = {
        { MD_FEATURE_RESHAPE, "reshape" },
        { MD_FEATURE_CLUSTERED, "cluster" },
        { MD_FEATURE_JOURNAL, "write journal" },
        { 1U << 20, "unknown features" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        parse_all("r5-1.2");
        on.supers[0].features |= features[i].feature;
        refuse(STATUS_REFUSED, features[i].what);
    }
    parse_all("r5-1.2");
    on.supers[0].resync_offset = 0;
    assemble();
    assert_string_equal(on.array.read_only, "raid5 array that was not stopped cleanly");
    remove_member(1);
    refuse(STATUS_REFUSED, "degraded and was not stopped cleanly");
    parse_all("r5-1.2");
    remove_member(0);
    remove_member(0);
    refuse(STATUS_FAILED, "2 of its 3 members are missing");
    parse_all("r5-1.2");
    on.supers[0].features |= MD_FEATURE_PPL;
    assemble();
    assert_string_equal(on.array.read_only, "raid5 array with a partial parity log");
    on.supers[0].resync_offset = 0;
    refuse(STATUS_REFUSED, "partial parity log");
    parse_all("r5-1.2");
    on.supers[1].dev_number = 0;
    refuse(STATUS_REFUSED, "two devices");
    parse_all("r5-1.2");
    on.supers[1].chunk = 64;
    refuse(STATUS_FAILED, "do not agree");
    parse_all("lin-1.2");
    remove_member(2);
    refuse(STATUS_FAILED, "1 of its 3 members");
}

/* A member that is being rebuilt, or has lost blocks, is worth nothing. */
static void half_members_do_not_count(void **state)
{
    uint32_t disk = 9;

    (void)state;
    parse_all("r1-1.2");
    on.supers[0].features |= MD_FEATURE_RECOVERY;
    assemble();
    assert_true(md_is_piece(&on.array, &disk));
    assert_int_equal(disk, 1);
    on.supers[0].features = MD_FEATURE_BAD_BLOCKS;
    assemble();
    assert_int_equal(on.array.n_missing, 1);
    on.supers[1].features = MD_FEATURE_BAD_BLOCKS;
    refuse(STATUS_FAILED, "2 of its 2 members");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_was_written),
        cmocka_unit_test(finds_the_places),
        cmocka_unit_test(damage_is_noticed),
        cmocka_unit_test(knows_firmware_raid),
        cmocka_unit_test(tables_of_every_level),
        cmocka_unit_test(a_period_that_is_cut_off),
        cmocka_unit_test(raid0_of_old_kernels_is_ambiguous),
        cmocka_unit_test(a_member_is_missing),
        cmocka_unit_test(raid6_of_md_is_rebuilt_row_by_row),
        cmocka_unit_test(a_member_is_out_of_date),
        cmocka_unit_test(what_cannot_be_read_is_refused),
        cmocka_unit_test(half_members_do_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
