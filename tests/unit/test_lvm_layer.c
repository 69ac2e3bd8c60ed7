/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Volume groups that need no device mapper, and what is said about those that cannot be had. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "storage/lvm_label.h"
#include "tests/unit/disks_util.h"

#define SIZE (8 * MIB)
#define AREA 4096U
#define AREA_SIZE (MIB - AREA)

static void put_crc(uint8_t *at, const void *data, size_t len)
{
    uint32_t crc = lvm_crc(data, len);

    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(crc >> (8 * i));
}

/* Make the disk a physical volume whose id is made of this character. */
static void put_label(size_t disk, char id)
{
    uint8_t sector[512] = "LABELONE";

    sector[8] = 1;
    sector[20] = 32;
    memcpy(sector + 24, "LVM2 001", 8);
    memset(sector + 32, id, LVM_ID_LEN);
    put_le64(sector + 64, SIZE);
    put_le64(sector + 72, MIB); /* data */
    put_le64(sector + 104, AREA);
    put_le64(sector + 112, AREA_SIZE);
    put_crc(sector + 16, sector + 20, sizeof(sector) - 20);
    put(disk, 512, sector, sizeof(sector));
}

/* The group's text, @at bytes into the ring. */
static void put_text(size_t disk, const char *text, size_t at)
{
    uint8_t header[512] = { 0 };
    size_t len = strlen(text) + 1, first = AREA_SIZE - at < len ? AREA_SIZE - at : len;

    memcpy(header + 4, " LVM2 x[5A%r0N*>", 16);
    header[20] = 1;
    put_le64(header + 24, AREA);
    put_le64(header + 32, AREA_SIZE);
    put_le64(header + 40, at);
    put_le64(header + 48, len);
    put_crc(header + 56, text, len);
    put_crc(header, header + 4, sizeof(header) - 4);
    put(disk, AREA, header, sizeof(header));
    put(disk, AREA + at, text, first);
    put(disk, AREA + 512, text + first, len - first);
}

#define LV(status, segments)                                                                       \
    " { status = [\"READ\", \"WRITE\", \"VISIBLE\"" status "] segment_count = 1 " segments " } "
#define LINEAR(pv, at)                                                                             \
    "segment1 { start_extent = 0 extent_count = 2 type = \"striped\" stripe_count = 1 "            \
    "stripes = [ \"" pv "\", " at " ] } "

#define THIN(origin)                                                                               \
    "segment1 { start_extent = 0 extent_count = 2 type = \"thin\" thin_pool = \"no\" "             \
    "device_id = 1 " origin " } "

static char *id_text(char c)
{
    char text[] = "cccccc-cccc-cccc-cccc-cccc-cccc-cccccc";

    for (char *at = text; *at; at++)
        if (*at == 'c')
            *at = c;
    return mem_strdup(text);
}

/* A group of physical volumes a and b, of this id; lin lies on the first one, far on the second. */
static char *group(char id, unsigned seqno)
{
    CLEANUP_FREE char *own = id_text(id), *first = id_text('a'), *second = id_text('b');

    return mem_printf("vg { id = \"%s\" seqno = %u status = [\"READ\", \"WRITE\"] "
                      "extent_size = 2048 physical_volumes { "
                      "pv0 { id = \"%s\" pe_start = 2048 pe_count = 7 } "
                      "pv1 { id = \"%s\" pe_start = 2048 pe_count = 7 } } logical_volumes { "
                      "lin" LV("", LINEAR("pv0", "1")) "far" LV("", LINEAR("pv1", "0")) "odd" LV(
                          "", "segment1 { start_extent = 0 extent_count = 2 type = \"vdo\" } ") "} "
                                                                                                "}",
                      own, seqno, first, second);
}

static void put_group(size_t disk, char pv, char id, unsigned seqno)
{
    CLEANUP_FREE char *text = group(id, seqno);

    put_label(disk, pv);
    put_text(disk, text, 512 + 4096);
}

static void linear_volumes_are_pieces_of_disks(void **state)
{
    const struct volume *lv;

    (void)state;
    new_disks(2, SIZE);
    put_group(0, 'b', 'v', 1); /* the disks' order is not the group's */
    put_group(1, 'a', 'v', 1);
    build();
    lv = volume("/dev/vg/lin");
    assert_int_equal(lv->kind, VOLUME_LOGICAL);
    assert_ptr_equal(lv->disk, &on.disks[1]);
    assert_int_equal(lv->offset, 2 * MIB);
    assert_int_equal(lv->size_bytes, 2 * MIB);
    assert_string_equal(lv->read_only, "");
    assert_false(lv->inactive);
    assert_int_equal(lv->n_parents, 2);
    lv = volume("/dev/vg/far");
    assert_ptr_equal(lv->disk, &on.disks[0]);
    assert_int_equal(lv->offset, MIB);
    assert_string_equal(volume("/dev/sda")->problem, "");
}

static void other_types_are_named(void **state)
{
    (void)state;
    new_disks(2, SIZE);
    put_group(0, 'a', 'v', 1);
    put_group(1, 'b', 'v', 1);
    build();
    assert_true(volume("/dev/vg/odd")->inactive);
    assert_string_not_equal(volume("/dev/vg/odd")->problem, "");
}

static void other_systems_groups_are_noted(void **state)
{
    static const struct {
        const char *words, *note;
    } cases[] = {
        { "status = [\"READ\", \"WRITE\"] ", NULL },
        { "status = [\"EXPORTED\", \"READ\"] ", "exported" },
        { "status = [] system_id = \"x-01\" ", "system id x-01:" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_FREE char *plain = group('v', 1), *text = NULL;
        const char *old = "status = [\"READ\", \"WRITE\"] ";
        const struct volume *lv;

        text = mem_printf("%.*s%s%s", (int)(strstr(plain, old) - plain), plain, cases[i].words,
                          strstr(plain, old) + strlen(old));
        new_disks(2, SIZE);
        for (size_t n = 0; n < 2; n++) {
            put_label(n, (char)('a' + n));
            put_text(n, text, 512);
        }
        build();
        lv = volume("/dev/vg/lin");
        assert_false(lv->inactive);
        assert_string_equal(lv->read_only, "");
        assert_int_equal(lv->notes.n, cases[i].note != NULL);
        if (cases[i].note)
            assert_non_null(strstr(lv->notes.items[0], cases[i].note));
        stack_free(on.stack);
        on.stack = NULL;
    }
}

/* Of either kind. "based" is thin on top of a volume that lies outside of the pool. */
static void snapshots_say_what_they_are_of(void **state)
{
    static const struct {
        const char *name, *segment, *of;
    } lvs[] = {
        { "org", LINEAR("pv0", "0"), "" },
        { "before", LINEAR("pv0", "2"), "/dev/vg/org" },
        { "thin", THIN(""), "" },
        { "tbefore", THIN("origin = \"thin\""), "/dev/vg/thin" },
        { "again", THIN("origin = \"tbefore\""), "/dev/vg/tbefore" },
        { "based", THIN("external_origin = \"org\""), "" },
        { "lost", THIN("origin = \"gone\""), "" },
    };
    CLEANUP_FREE char *text = group('v', 1);
    struct strbuf all = { 0 };

    (void)state;
    /* no volume is made a device, which would need a session */
    memcpy(strstr(text, "\"READ\", \"WRITE\""), "\"PVMOVE\"       ", 15);
    strbuf_printf(&all, "%.*s", (int)(strstr(text, "logical_volumes") - text), text);
    strbuf_puts(&all, "logical_volumes { ");
    for (size_t i = 0; i < ARRAY_SIZE(lvs); i++)
        strbuf_printf(&all, "%s" LV("", "%s"), lvs[i].name, lvs[i].segment);
    strbuf_puts(&all, "snapshot0 { status = [] segment_count = 1 segment1 { start_extent = 0 "
                      "extent_count = 2 type = \"snapshot\" chunk_size = 8 origin = \"org\" "
                      "cow_store = \"before\" } } } }");
    new_disks(2, SIZE);
    for (size_t i = 0; i < 2; i++) {
        put_label(i, (char)('a' + i));
        put_text(i, strbuf_text(&all), 512 + 4096);
    }
    strbuf_done(&all);
    build();
    for (size_t i = 0; i < ARRAY_SIZE(lvs); i++) {
        CLEANUP_FREE char *name = mem_printf("/dev/vg/%s", lvs[i].name);

        print_message("case: %s\n", name);
        assert_string_equal(volume(name)->snapshot_of, lvs[i].of);
        assert_int_equal(volume(name)->notes.n, lvs[i].of[0] != '\0');
    }
}

static void one_member_alone(void **state)
{
    (void)state;
    new_disks(1, SIZE);
    put_group(0, 'a', 'v', 1);
    build();
    assert_false(volume("/dev/vg/lin")->inactive);
    assert_string_not_equal(volume("/dev/vg/lin")->read_only, "");
    assert_true(volume("/dev/vg/far")->inactive);
}

/* Striped over both, in pieces of 64 KiB. */
static void what_needs_a_device_is_looked_into(void **state)
{
    static const char lvs[] = "logical_volumes { two" LV(
        "", "segment1 { start_extent = 0 extent_count = 2 type = \"striped\" stripe_count = 2 "
            "stripe_size = 128 stripes = [ \"pv0\", 3, \"pv1\", 4 ] } ");
    static const uint8_t swap[] = { 1, 0, 0, 0, 10, 0, 0, 0 };
    const struct volume *lv;
    char *text, *start, *all;
    char bytes[6];

    (void)state;
    if (access("/sys/class/misc/device-mapper", F_OK) == 0)
        skip(); /* then it is made a device, which needs a session */
    new_disks(2, SIZE);
    text = group('v', 1);
    start = strstr(text, "logical_volumes {");
    all =
        mem_printf("%.*s%s%s", (int)(start - text), text, lvs, start + strlen("logical_volumes {"));
    for (size_t i = 0; i < 2; i++) {
        put_label(i, (char)('a' + i));
        put_text(i, all, 512 + 4096);
    }
    free(text);
    free(all);
    put(0, 4 * MIB + 1024, swap, sizeof(swap));
    put(0, 4 * MIB + 4086, "SWAPSPACE2", 10);
    put(1, 5 * MIB, "second", 6);
    put(0, 4 * MIB + 65536, "third ", 6);
    build();
    lv = volume("/dev/vg/two");
    assert_true(lv->inactive);
    assert_int_equal(lv->problem_status, STATUS_HOST);
    assert_string_equal(lv->fstype, "swap");
    assert_int_equal(volume_read(lv, 65536, bytes, 6), 0);
    assert_memory_equal(bytes, "second", 6);
    assert_int_equal(volume_read(lv, 131072, bytes, 6), 0);
    assert_memory_equal(bytes, "third ", 6);
    assert_int_equal(volume_read(lv, 2 * MIB - 3, bytes, 6), -EIO);
}

static void the_newest_text_counts(void **state)
{
    CLEANUP_FREE char *text = group('v', 12);
    char *lin;

    (void)state;
    new_disks(2, SIZE);
    put_group(0, 'a', 'v', 9);
    lin = strstr(text, "lin");
    assert_non_null(lin);
    memcpy(lin, "new", 3);
    put_label(1, 'b');
    put_text(1, text, AREA_SIZE - 100); /* around the end of the ring */
    build();
    (void)volume("/dev/vg/new");
    assert_null(stack_find(on.stack, "/dev/vg/lin"));
}

static void two_newest_texts_are_refused(void **state)
{
    CLEANUP_FREE char *text = group('v', 9);

    (void)state;
    new_disks(2, SIZE);
    put_group(0, 'a', 'v', 9);
    memcpy(strstr(text, "lin"), "new", 3);
    put_label(1, 'b');
    put_text(1, text, 512);
    build();
    assert_null(stack_find(on.stack, "/dev/vg/lin"));
    assert_null(stack_find(on.stack, "/dev/vg/new"));
    assert_int_equal(volume("/dev/sda")->problem_status, STATUS_REFUSED);
    assert_non_null(strstr(volume("/dev/sda")->problem, "do not agree"));
}

static void a_copied_member_is_refused(void **state)
{
    (void)state;
    new_disks(3, SIZE);
    put_group(0, 'a', 'v', 1);
    put_group(1, 'b', 'v', 1);
    put_group(2, 'a', 'v', 1);
    build();
    assert_null(stack_find(on.stack, "/dev/vg/lin"));
    assert_non_null(strstr(volume("/dev/sda")->problem, "same physical volume"));
}

static void damaged_metadata_is_named(void **state)
{
    (void)state;
    new_disks(1, SIZE);
    put_group(0, 'a', 'v', 1);
    put(0, AREA + 512 + 4096 + 20, "x", 1);
    build();
    assert_string_equal(volume("/dev/sda")->fstype, "LVM2_member");
    assert_non_null(strstr(volume("/dev/sda")->problem, "damaged"));
    assert_int_equal(on.stack->n_volumes, 1);
}

static void extents_beyond_the_disk_are_not_read(void **state)
{
    CLEANUP_FREE char *text = group('v', 1);

    (void)state;
    new_disks(1, SIZE);
    memcpy(strstr(text, "\"pv0\", 1"), "\"pv0\", 5", 8);
    memcpy(strstr(text, "pe_start = 2048"), "pe_start = 9999", 15);
    put_label(0, 'a');
    put_text(0, text, 512);
    build();
    assert_true(volume("/dev/vg/lin")->inactive);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(linear_volumes_are_pieces_of_disks, after),
        cmocka_unit_test_teardown(other_types_are_named, after),
        cmocka_unit_test_teardown(other_systems_groups_are_noted, after),
        cmocka_unit_test_teardown(snapshots_say_what_they_are_of, after),
        cmocka_unit_test_teardown(one_member_alone, after),
        cmocka_unit_test_teardown(what_needs_a_device_is_looked_into, after),
        cmocka_unit_test_teardown(the_newest_text_counts, after),
        cmocka_unit_test_teardown(two_newest_texts_are_refused, after),
        cmocka_unit_test_teardown(a_copied_member_is_refused, after),
        cmocka_unit_test_teardown(damaged_metadata_is_named, after),
        cmocka_unit_test_teardown(extents_beyond_the_disk_are_not_read, after),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
