/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Databases of dynamic disks (tests/fuzz/corpus/ldm, made by tests/lib/make-ldm, which ldmtool can
 * read), and the tables that their volumes become. */
#include <errno.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "storage/ldm_layout.h"
#include "storage/md_table.h"
#include "tests/unit/unit.h"

#define DISKS 3
#define DATA_START 63

static struct {
    uint8_t *bytes;
    size_t len;
    struct ldm_group group;
    struct md_array array;
    struct ldm_place places[DISKS];
} on;

static void load(const char *file)
{
    char *path = mem_printf("%s/../fuzz/corpus/ldm/%s", TEST_DATA_DIR, file), *data = NULL;
    struct err err = ERR_NONE;

    assert_int_equal(io_read_file(path, 1U << 20, &data, &on.len, &err), 0);
    on.bytes = (uint8_t *)data;
    free(path);
    for (size_t i = 0; i < DISKS; i++)
        on.places[i] = (struct ldm_place){ true, DATA_START, 32768 };
}

static int parse(struct err *err)
{
    return ldm_group_parse(on.bytes, on.len, 512, &on.group, err);
}

static void load_and_parse(const char *file)
{
    struct err err = ERR_NONE;
    char text[ERR_TEXT];

    load(file);
    if (parse(&err) < 0)
        fail_msg("%s", err_text(&err, text, sizeof(text)));
}

static int after(void **state)
{
    (void)state;
    ldm_group_done(&on.group);
    free(on.bytes);
    memset(&on, 0, sizeof(on));
    return 0;
}

static int lay_out(size_t volume, struct err *err)
{
    return ldm_layout_make(&on.group, &on.group.volumes[volume], on.places, 512, &on.array, err);
}

/* All rows of all tables, one line each: "TABLE: START LEN TARGET PARAMS". */
static char *tables_of(bool writable)
{
    static const char *const names[DISKS] = { "8:0", "8:16", "8:32" };
    struct dmtable_address legs[DISKS];
    struct dmtables tables = { 0 };
    struct strbuf text = { 0 };
    struct err err = ERR_NONE;

    for (uint32_t i = 0; i < on.array.n; i++) {
        size_t leg = on.array.legs[i];

        legs[i] = (struct dmtable_address){ .start = on.array.leg_start[i] };
        if (leg != MD_NO_LEG)
            legs[i].device = names[ldm_disk_of(&on.group, &on.group.parts[leg])];
    }
    assert_int_equal(md_tables_make(&on.array, legs, writable, &tables, &err), 0);
    for (size_t t = 0; t < tables.n_tables; t++)
        for (size_t i = 0; i < tables.tables[t].n_rows; i++) {
            const struct dmtable_row *row = &tables.tables[t].rows[i];

            strbuf_printf(&text, "%zu: %llu %llu %s %s\n", t, (unsigned long long)row->start,
                          (unsigned long long)row->len, row->target, row->params);
        }
    dmtables_done(&tables);
    return strbuf_take(&text);
}

static void the_group_is_read(void **state)
{
    static const char *const names[] = { "one", "two", "three", "four", "five" };

    (void)state;
    load_and_parse("kinds");
    assert_string_equal(on.group.name, "Dg0");
    assert_int_equal(on.group.sequence, 3);
    assert_true(on.group.is_settled);
    assert_int_equal(on.group.n_disks, 3);
    assert_string_equal(on.group.disks[1].name, "Disk2");
    /* one has its GUID as text, the next one as bytes */
    assert_int_equal(on.group.disks[0].guid[15] + 1, on.group.disks[1].guid[15]);
    assert_memory_equal(on.group.disks[0].guid, on.group.disks[1].guid, 15);
    assert_int_equal(on.group.n_volumes, ARRAY_SIZE(names));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        assert_string_equal(on.group.volumes[i].name, names[i]);
        assert_string_equal(on.group.volumes[i].state, "ACTIVE");
        assert_string_equal(on.group.volumes[i].hint, "D:");
        assert_int_equal(on.group.volumes[i].part_type, 7);
        assert_int_equal(on.group.volumes[i].guid[6] >> 4, 5); /* of the kind that make-ldm makes */
    }
}

static const struct {
    const char *kind;
    bool writable;
    const char *tables;
} volumes[] = {
    { "simple", false, "0: 0 4096 linear 8:0 2048\n" },
    { "spanned", false, "0: 0 2048 linear 8:0 6144\n0: 2048 4096 linear 8:16 2048\n" },
    { "striped", false, "0: 0 4096 striped 2 128 8:0 8192 8:16 6144\n" },
    { "mirrored", false, "0: 0 2048 linear 8:0 10240\n" },
    { "RAID-5", false,
      "0: 0 2048 linear 8:0 12288\n1: 0 2048 linear 8:16 8192\n2: 0 2048 linear 8:32 4096\n"
      "3: 0 4096 raid raid5_ls 2 128 nosync 3 - @0 - @1 - @2\n" },
    { "mirrored", true,
      "0: 0 2048 linear 8:0 10240\n1: 0 8192 zero \n2: 0 2048 linear 8:32 2048\n3: 0 8192 zero \n"
      "4: 0 2048 raid raid1 2 0 nosync 2 @1 @0 @3 @2\n" },
};

static void each_kind_has_its_table(void **state)
{
    (void)state;
    load_and_parse("kinds");
    for (size_t i = 0; i < ARRAY_SIZE(volumes); i++) {
        struct err err = ERR_NONE;
        char *text;

        assert_int_equal(lay_out(i < 5 ? i : 3, &err), 0);
        assert_string_equal(ldm_kind_name(&on.array), volumes[i].kind);
        assert_string_equal(on.array.read_only, "");
        text = tables_of(volumes[i].writable);
        assert_string_equal(text, volumes[i].tables);
        free(text);
    }
}

/* What can be had without the disk, and what is said. */
static const struct {
    size_t disk, volume;
    const char *error;     /* NULL: it can be read */
    const char *read_only; /* then */
} missing[] = {
    { 1, 0, NULL, "" },
    { 0, 0, "Disk1 of the group Dg0 is missing", NULL },
    { 1, 1, "Disk2 of the group Dg0 is missing", NULL },
    { 1, 2, "Disk2 of the group Dg0 is missing", NULL },
    { 0, 3, NULL, "mirrored volume with 1 of 2 copies missing or out of date" },
    { 2, 3, NULL, "mirrored volume with 1 of 2 copies missing or out of date" },
    { 1, 4, NULL, "RAID-5 volume of which a disk is missing or out of date" },
};

static void a_missing_disk_is_said(void **state)
{
    struct err err = ERR_NONE;
    char text[ERR_TEXT];

    (void)state;
    load_and_parse("kinds");
    for (size_t i = 0; i < ARRAY_SIZE(missing); i++) {
        on.places[missing[i].disk].is_there = false;
        print_message("disk %zu, volume %zu\n", missing[i].disk, missing[i].volume);
        assert_int_equal(lay_out(missing[i].volume, &err) < 0, missing[i].error != NULL);
        if (missing[i].error) {
            assert_non_null(strstr(err_text(&err, text, sizeof(text)), missing[i].error));
            assert_int_equal(err.status, STATUS_FAILED);
        } else {
            assert_string_equal(on.array.read_only, missing[i].read_only);
        }
        err_clear(&err);
        on.places[missing[i].disk].is_there = true;
    }
    on.places[0].is_there = on.places[1].is_there = false;
    assert_true(lay_out(4, &err) < 0);
}

static void records_of_several_blocks(void **state)
{
    (void)state;
    load_and_parse("spread");
    assert_int_equal(on.group.n_volumes, 2);
    assert_int_equal(strlen(on.group.volumes[0].name), 60); /* they lie backwards */
    assert_int_equal(strlen(on.group.volumes[1].name), 50);
    assert_string_equal(on.group.volumes[1].hint, "D:");
}

static void what_is_not_settled(void **state)
{
    struct err err = ERR_NONE;

    load_and_parse("interrupted");
    assert_false(on.group.is_settled);
    (void)after(state);
    load_and_parse("detached");
    assert_int_equal(lay_out(0, &err), 0);
    assert_int_equal(on.array.n_missing, 1);
    assert_int_equal(on.array.legs[1], MD_NO_LEG);
    assert_string_equal(on.array.read_only,
                        "mirrored volume with 1 of 2 copies missing or out of date");
}

static void heads(void **state)
{
    struct ldm_head head;

    (void)state;
    load("head");
    assert_int_equal(ldm_head_parse(on.bytes, &head), 0);
    assert_int_equal(head.data_start, DATA_START);
    assert_int_equal(head.config_start, 32768 - 2048);
    assert_int_equal(head.config_size, 2048);
    assert_int_equal(head.group[0], 0x11);
    on.bytes[0x13b - 1] = 0; /* no database at all */
    on.bytes[0x13b - 2] = 0;
    assert_int_equal(ldm_head_parse(on.bytes, &head), -EBADMSG);
    on.bytes[0x13b - 6] = 1; /* one of 2 TiB */
    assert_int_equal(ldm_head_parse(on.bytes, &head), -EBADMSG);
    on.bytes[0] = 'p';
    assert_int_equal(ldm_head_parse(on.bytes, &head), -ENOENT);
}

#define VMDB (17 * 512)

/* One byte changed. */
static const struct {
    const char *label;
    size_t at;
    uint8_t value;
    const char *error;
} damages[] = {
    { "the table of contents", 1024 + 0x24, 'x', NULL }, /* there is a copy */
    { "both of them", 0, 0, "its table of contents" },
    { "no database", VMDB, 'x', "its table of contents" },
    { "an unknown version", VMDB + 0x13, 5, "version 5" },
    { "records of 0 bytes", VMDB + 0x0b, 0, "the size of its records" },
    { "records far away", VMDB + 0x0c, 0xff, "the size of its records" },
    { "one volume more", VMDB + 0x88, 6, "records are missing" },
    { "an unknown record", VMDB + 512 + 19, 0x99, "unknown kind 0x99" },
    { "a name beyond the end", VMDB + 512 + 128 + 26, 0xff, "makes no sense" },
    { "an id of 9 bytes", VMDB + 512 + 128 + 24, 9, "makes no sense" },
};

static void damage_is_said(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
        struct err err = ERR_NONE;
        char text[ERR_TEXT];
        int r;

        print_message("case: %s\n", damages[i].label);
        load("kinds");
        if (damages[i].at)
            on.bytes[damages[i].at] = damages[i].value;
        else
            memset(on.bytes, 0, VMDB);
        r = parse(&err);
        if (damages[i].error) {
            assert_true(r < 0);
            assert_non_null(strstr(err_text(&err, text, sizeof(text)), damages[i].error));
        } else {
            assert_int_equal(r, 0);
        }
        (void)after(state);
    }
}

/* Numbers that contradict each other, in what was read. */
static void numbers_are_checked(void **state)
{
    struct err err = ERR_NONE;

    (void)state;
    load_and_parse("kinds");
    on.group.volumes[0].size = UINT64_MAX / 2;
    assert_true(lay_out(0, &err) < 0);
    on.group.parts[1].offset++; /* of the spanned volume: a gap */
    assert_true(lay_out(1, &err) < 0);
    on.group.components[2].chunk = 127; /* of the striped one */
    assert_true(lay_out(2, &err) < 0);
    on.group.components[2].chunk = 0;
    assert_true(lay_out(2, &err) < 0);
    on.group.parts[5].start = UINT64_MAX - 5; /* of the mirror */
    assert_true(lay_out(3, &err) < 0);
    on.group.parts[7].disk = 99; /* of the RAID-5 */
    assert_true(lay_out(4, &err) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_group_is_read, after),
        cmocka_unit_test_teardown(each_kind_has_its_table, after),
        cmocka_unit_test_teardown(a_missing_disk_is_said, after),
        cmocka_unit_test_teardown(records_of_several_blocks, after),
        cmocka_unit_test_teardown(what_is_not_settled, after),
        cmocka_unit_test_teardown(heads, after),
        cmocka_unit_test_teardown(damage_is_said, after),
        cmocka_unit_test_teardown(numbers_are_checked, after),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
