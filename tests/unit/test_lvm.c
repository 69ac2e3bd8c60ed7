/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A label and a volume group that lvm 2.03.16 has written (tests/fuzz/corpus/lvm_*), and the tables
 * made of them: those for writing are lvm's own, as "dmsetup table" showed them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "storage/lvm_state.h"
#include "storage/lvm_table.h"
#include "tests/unit/unit.h"

#define PVS 5

static char *load(const char *name, size_t *ret_len)
{
    CLEANUP_FREE char *path = mem_printf("%s/../fuzz/corpus/%s", TEST_DATA_DIR, name);
    char *bytes = mem_alloc(1 << 16);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    assert_true(fd >= 0);
    n = read(fd, bytes, 1 << 16);
    (void)close(fd);
    assert_true(n > 0);
    *ret_len = (size_t)n;
    return bytes;
}

/* ---- labels ---- */

static void reads_a_label(void **state)
{
    const struct lvm_area area = { 4096, 1044480 };
    struct lvm_label label;
    struct lvm_text_place place;
    size_t len;
    char *bytes = load("lvm_label/pv0", &len);

    (void)state;
    assert_int_equal(lvm_label_parse((uint8_t *)bytes, &label), 0);
    assert_string_equal(label.id, "n0pwaVomrYL2i4qqdTq7Zk32JZNCe7Zd");
    assert_int_equal(label.device_size, 200 << 20);
    assert_int_equal(label.n_metadata, 1);
    assert_int_equal(label.metadata[0].offset, area.offset);
    assert_int_equal(label.metadata[0].size, area.size);
    assert_int_equal(lvm_mda_parse((uint8_t *)bytes + LVM_LABEL_BYTES, &area, &place), 0);
    assert_int_equal(place.start, 592896);
    assert_int_equal(place.size, 23856);
    free(bytes);
    bytes = load("lvm_vg/all-types", &len);
    assert_int_equal(len, place.size);
    assert_int_equal(lvm_crc(bytes, len), place.crc);
    free(bytes);
}

static void damage_is_noticed(void **state)
{
    const struct lvm_area area = { 4096, 1044480 };
    struct lvm_label label;
    struct lvm_text_place place;
    size_t len;
    char *bytes = load("lvm_label/pv0", &len);

    (void)state;
    for (size_t at = 512; at < 1024; at++) {
        bytes[at] ^= 1;
        assert_true(lvm_label_parse((uint8_t *)bytes, &label) < 0);
        bytes[at] ^= 1;
    }
    for (size_t at = LVM_LABEL_BYTES; at < LVM_LABEL_BYTES + LVM_MDA_HEADER; at++) {
        bytes[at] ^= 1;
        assert_int_equal(lvm_mda_parse((uint8_t *)bytes + LVM_LABEL_BYTES, &area, &place),
                         -EBADMSG);
        bytes[at] ^= 1;
    }
    assert_int_equal(lvm_label_parse((uint8_t *)bytes, &label), 0);
    free(bytes);
}

/* ---- text ---- */

static struct lvm_vg vg;

static int parse(const char *text)
{
    struct err err = ERR_NONE;

    lvm_vg_done(&vg);
    return lvm_vg_parse(text, strlen(text), &vg, &err);
}

static int load_group(void **state)
{
    struct err err = ERR_NONE;
    size_t len;
    char *text = load("lvm_vg/all-types", &len);
    int r = lvm_vg_parse(text, len, &vg, &err);

    (void)state;
    free(text);
    return r;
}

static int drop_group(void **state)
{
    (void)state;
    lvm_vg_done(&vg);
    return 0;
}

static void reads_a_group(void **state)
{
    size_t lv = lvm_vg_find_lv(&vg, "lin");

    (void)state;
    assert_string_equal(vg.name, "vg");
    assert_string_equal(vg.id, "0mL2lIjFKeE4drU9rxTc8BLdv2z768uI");
    assert_int_equal(vg.seqno, 39);
    assert_int_equal(vg.extent_size, 2048);
    assert_int_equal(vg.n_pvs, PVS);
    assert_string_equal(vg.pvs[0].id, "n0pwaVomrYL2i4qqdTq7Zk32JZNCe7Zd");
    assert_string_equal(vg.problem, "");
    assert_int_equal(vg.lvs[lv].extents, 5);
    assert_true(vg.lvs[lv].is_visible);
    assert_false(vg.lvs[lvm_vg_find_lv(&vg, "r1_rmeta_0")].is_visible);
    assert_true(vg.lvs[lvm_vg_find_lv(&vg, "snap")].is_visible);
    assert_false(vg.lvs[lvm_vg_find_lv(&vg, "snapshot0")].is_visible);
    assert_true(vg.lvs[lvm_vg_find_lv(&vg, "org")].is_origin);
}

/* By vgexport, and by "vgchange --systemid", which says WRITE_LOCKED instead of WRITE. */
static void what_another_system_uses_is_writable(void **state)
{
    static const struct {
        const char *file, *system_id;
        bool is_exported;
    } groups[] = {
        { "lvm_vg/all-types", "", false },
        { "lvm_vg/exported", "", true },
        { "lvm_vg/system-id", "other-host", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
        struct err err = ERR_NONE;
        size_t len, lv, ro;
        CLEANUP_FREE char *text = load(groups[i].file, &len);

        lvm_vg_done(&vg);
        assert_int_equal(lvm_vg_parse(text, len, &vg, &err), 0);
        assert_string_equal(vg.system_id, groups[i].system_id);
        assert_int_equal(vg.is_exported, groups[i].is_exported);
        assert_string_equal(vg.problem, "");
        assert_string_equal(vg.read_only, "");
        lv = lvm_vg_find_lv(&vg, "data");
        ro = lvm_vg_find_lv(&vg, "ro");
        if (lv == LVM_NONE)
            continue;
        assert_string_equal(vg.lvs[lv].read_only, "");
        assert_string_not_equal(vg.lvs[ro].read_only, "");
    }
}

static const char head[] = "vg { id = \"0mL2lI-jFKe-E4dr-U9rx-Tc8B-Ldv2-z768uI\" seqno = 1 "
                           "extent_size = 8 ";

static void hostile_text_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "vg {",
        "vg { id = \"x\" seqno = 1 extent_size = 8 }",
        "vg }",
        "vg { a = \"no end }",
        "vg { a = [ 1, 2 }",
        "vg { a = 99999999999999999999999 }",
        "vg { a }",
        "../vg { id = \"0mL2lI-jFKe-E4dr-U9rx-Tc8B-Ldv2-z768uI\" seqno = 1 extent_size = 8 }",
        "vg { id = \"0mL2lI-jFKe-E4dr-U9rx-Tc8B-Ldv2-z768uI\" seqno = 1 extent_size = 0 }",
        "a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{a{}}}}}}}}}}}}}}}}}}",
    };
    CLEANUP_STRBUF struct strbuf text = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (parse(bad[i]) == 0)
            fail_msg("taken: %s", bad[i]);
    strbuf_printf(&text, "%s logical_volumes { %s { status = [\"VISIBLE\"] segment_count = 0 } } }",
                  head, "../../etc");
    assert_true(parse(strbuf_text(&text)) < 0);
}

static void unknown_words_make_it_unusable(void **state)
{
    CLEANUP_STRBUF struct strbuf text = { 0 };

    (void)state;
    strbuf_printf(&text, "%s status = [\"READ\", \"NEW_THING\"] }", head);
    assert_int_equal(parse(strbuf_text(&text)), 0);
    assert_string_not_equal(vg.problem, "");
    strbuf_done(&text);
    strbuf_printf(&text, "%s status = [\"READ\", \"CLUSTERED\"] }", head);
    assert_int_equal(parse(strbuf_text(&text)), 0);
    assert_string_equal(vg.problem, "");
    assert_string_not_equal(vg.read_only, "");
    strbuf_done(&text);
    strbuf_printf(&text,
                  "%s logical_volumes { a { status = [\"VISIBLE\", \"WRITE\", \"LOCKED\"] "
                  "segment_count = 0 } } }",
                  head);
    assert_int_equal(parse(strbuf_text(&text)), 0);
    assert_non_null(strstr(vg.lvs[0].problem, "pvmove"));
}

/* ---- tables ---- */

struct made {
    struct lvm_tables tables;
    struct dmtable_address pvs[PVS];
    char read_only[128];
    size_t index;
    int r;
    struct err err;
};

static void make(struct made *made, const char *name, bool writable, size_t missing)
{
    static const char *const devices[PVS] = { "A", "B", "C", "D", "E" };

    memset(made, 0, sizeof(*made));
    made->tables = (struct lvm_tables){ .vg = &vg, .pvs = made->pvs, .writable = writable };
    for (size_t i = 0; i < PVS; i++)
        made->pvs[i] = (struct dmtable_address){ i == missing ? NULL : devices[i], 2048 };
    lvm_tables_init(&made->tables);
    made->r = lvm_tables_add(&made->tables, lvm_vg_find_lv(&vg, name), made->read_only,
                             &made->index, &made->err);
}

/* What table @index says, with the tables below it in brackets. */
static void print(const struct dmtables *tables, size_t index, struct strbuf *out, unsigned depth)
{
    const struct dmtable *table = &tables->tables[index];

    assert_true(depth < 8);
    for (size_t i = 0; i < table->n_rows; i++) {
        if (i > 0)
            strbuf_puts(out, "; ");
        strbuf_printf(out, "%llu %s", (unsigned long long)table->rows[i].len,
                      table->rows[i].target);
        for (const char *c = table->rows[i].params; *c || c == table->rows[i].params;) {
            char *end = NULL;

            if (c == table->rows[i].params && *c)
                strbuf_putc(out, ' ');
            if (*c == '@') {
                strbuf_putc(out, '(');
                print(tables, strtoul(c + 1, &end, 10), out, depth + 1);
                strbuf_putc(out, ')');
                c = end;
            } else if (*c) {
                strbuf_putc(out, *c++);
            }
            if (!*c)
                break;
        }
    }
}

static void expect(const char *name, bool writable, const char *want)
{
    CLEANUP_STRBUF struct strbuf text = { 0 };
    struct made made;

    make(&made, name, writable, PVS);
    if (made.r < 0)
        strbuf_printf(&text, "%d", (int)made.err.status);
    else
        print(&made.tables.dm, made.index, &text, 0);
    assert_string_equal(strbuf_text(&text), want);
    lvm_tables_done(&made.tables);
}

static const struct {
    const char *name, *read, *write; /* NULL: the same */
} cases[] = {
    { "lin", "10240 linear A 2048", NULL },
    { "str", "12288 striped 3 128 A 12288 B 2048 C 2048", NULL },
    { "mir", "8192 linear (8192 linear A 61440) 0",
      "8192 mirror core 2 4096 nosync 2 (8192 linear A 61440) 0 (8192 linear B 51200) 0" },
    { "r0", "8192 striped 2 128 (4096 linear A 51200) 0 (4096 linear B 40960) 0", NULL },
    { "r0m", "8192 striped 2 128 (4096 linear A 57344) 0 (4096 linear B 47104) 0", NULL },
    { "r1", "8192 linear (8192 linear A 18432) 0",
      "8192 raid raid1 3 0 region_size 4096 2 (2048 linear A 16384) (8192 linear A 18432) "
      "(2048 linear B 6144) (8192 linear B 8192)" },
    { "r5",
      "8192 raid raid5_ls 2 128 nosync 3 - (4096 linear A 28672) - (4096 linear B 18432) "
      "- (4096 linear C 8192)",
      "8192 raid raid5_ls 3 128 region_size 4096 3 (2048 linear A 26624) (4096 linear A 28672) "
      "(2048 linear B 16384) (4096 linear B 18432) (2048 linear C 6144) (4096 linear C 8192)" },
    { "r4",
      "8192 raid raid4 2 128 nosync 3 - (4096 linear A 40960) - (4096 linear B 30720) "
      "- (4096 linear C 20480)",
      "8192 raid raid4 3 128 region_size 4096 3 (2048 linear A 38912) (4096 linear A 40960) "
      "(2048 linear B 28672) (4096 linear B 30720) (2048 linear C 18432) (4096 linear C 20480)" },
    { "r6",
      "12288 raid raid6_zr 1 128 5 - (4096 linear A 34816) - (4096 linear B 24576) "
      "- (4096 linear C 14336) - (4096 linear D 4096) - (4096 linear E 4096)",
      "12288 raid raid6_zr 3 128 region_size 4096 5 (2048 linear A 32768) (4096 linear A 34816) "
      "(2048 linear B 22528) (4096 linear B 24576) (2048 linear C 12288) (4096 linear C 14336) "
      "(2048 linear D 2048) (4096 linear D 4096) (2048 linear E 2048) (4096 linear E 4096)" },
    { "r10", "8192 striped 2 128 (4096 linear A 47104) 0 (4096 linear C 26624) 0",
      "8192 raid raid10 5 128 region_size 4096 raid10_copies 2 4 (2048 linear A 45056) "
      "(4096 linear A 47104) (2048 linear B 34816) (4096 linear B 36864) (2048 linear C 24576) "
      "(4096 linear C 26624) (2048 linear D 8192) (4096 linear D 10240)" },
    { "org", "16384 linear (16384 linear A 77824) 0",
      "16384 snapshot-origin (16384 linear A 77824)" },
    { "snap", "16384 snapshot (16384 linear A 77824) (8192 linear A 94208) P 8", NULL },
    { "thin",
      "204800 thin (81920 thin-pool (8192 linear E 10240) (81920 linear A 110592) 128 0 1 "
      "read_only) 1",
      "204800 thin (81920 thin-pool (8192 linear E 10240) (81920 linear A 110592) 128 0 0) 1" },
    { "tsnap",
      "204800 thin (81920 thin-pool (8192 linear E 10240) (81920 linear A 110592) 128 0 1 "
      "read_only) 2",
      "204800 thin (81920 thin-pool (8192 linear E 10240) (81920 linear A 110592) 128 0 0) 2" },
    { "corg", "32768 linear (32768 linear A 192512) 0",
      "32768 cache (10240 linear (24576 linear B 67584) 0) (14336 linear (24576 linear B 67584) "
      "10240) (32768 linear A 192512) 128 2 metadata2 writethrough smq 0" },
    { "porg",
      "32768 cache (10240 linear B 94208) (24576 linear B 104448) (32768 linear A 225280) 128 "
      "2 metadata2 writeback smq 0",
      NULL },
    { "worg", "32768 writecache s (32768 linear A 258048) (24576 linear B 129024) 4096 0", NULL },
};

static void tables_are_those_of_lvm(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        expect(cases[i].name, false, cases[i].read);
        expect(cases[i].name, true, cases[i].write ? cases[i].write : cases[i].read);
    }
}

static void write_back_caches_need_writing(void **state)
{
    (void)state;
    assert_true(lvm_needs_writing(&vg, lvm_vg_find_lv(&vg, "porg")));
    assert_true(lvm_needs_writing(&vg, lvm_vg_find_lv(&vg, "worg")));
    assert_false(lvm_needs_writing(&vg, lvm_vg_find_lv(&vg, "corg")));
    assert_false(lvm_needs_writing(&vg, lvm_vg_find_lv(&vg, "thin")));
}

static void one_leg_may_be_missing(void **state)
{
    CLEANUP_STRBUF struct strbuf text = { 0 };
    struct made made;

    (void)state;
    make(&made, "r5", true, 1);
    assert_int_equal(made.r, 0);
    assert_string_not_equal(made.read_only, "");
    print(&made.tables.dm, made.index, &text, 0);
    assert_string_equal(strbuf_text(&text), "8192 raid raid5_ls 2 128 nosync 3 "
                                            "- (4096 linear A 28672) - - - (4096 linear C 8192)");
    lvm_tables_done(&made.tables);
    make(&made, "r1", true, 0);
    assert_int_equal(made.r, 0);
    strbuf_done(&text);
    print(&made.tables.dm, made.index, &text, 0);
    assert_string_equal(strbuf_text(&text), "8192 linear (8192 linear B 8192) 0");
    lvm_tables_done(&made.tables);
    make(&made, "r10", true, 0);
    assert_int_equal(made.r, 0);
    strbuf_done(&text);
    print(&made.tables.dm, made.index, &text, 0);
    assert_string_equal(strbuf_text(&text),
                        "8192 striped 2 128 (4096 linear B 36864) 0 (4096 linear C 26624) 0");
    lvm_tables_done(&made.tables);
    make(&made, "str", true, 2);
    assert_int_equal(made.err.status, STATUS_FAILED);
    lvm_tables_done(&made.tables);
    make(&made, "r0", true, 0);
    assert_int_equal(made.err.status, STATUS_FAILED);
    lvm_tables_done(&made.tables);
}

static void a_leg_out_of_date_is_left_out(void **state)
{
    CLEANUP_STRBUF struct strbuf text = { 0 };
    struct made made;

    (void)state;
    vg.lvs[lvm_vg_find_lv(&vg, "r1_rimage_0")].is_stale = true;
    make(&made, "r1", true, PVS);
    assert_int_equal(made.r, 0);
    print(&made.tables.dm, made.index, &text, 0);
    assert_string_equal(strbuf_text(&text), "8192 linear (8192 linear B 8192) 0");
    assert_string_not_equal(made.read_only, "");
    lvm_tables_done(&made.tables);
}

static void plain_volumes_need_no_table(void **state)
{
    const struct lvm_tables reading = { .vg = &vg }, writing = { .vg = &vg, .writable = true };
    uint64_t sector = 0;
    size_t pv = 9;

    (void)state;
    assert_true(lvm_is_piece(&reading, lvm_vg_find_lv(&vg, "lin"), &pv, &sector));
    assert_int_equal(pv, 0);
    assert_int_equal(sector, 2048);
    assert_true(lvm_is_piece(&reading, lvm_vg_find_lv(&vg, "org"), &pv, &sector));
    assert_false(lvm_is_piece(&writing, lvm_vg_find_lv(&vg, "org"), &pv, &sector));
    assert_false(lvm_is_piece(&reading, lvm_vg_find_lv(&vg, "str"), &pv, &sector));
    assert_false(lvm_is_piece(&reading, lvm_vg_find_lv(&vg, "snap"), &pv, &sector));
}

static void circles_end(void **state)
{
    CLEANUP_STRBUF struct strbuf text = { 0 };
    struct made made;

    (void)state;
    strbuf_puts(&text, head);
    strbuf_puts(&text, "logical_volumes {");
    for (int i = 0; i < 2; i++)
        strbuf_printf(&text,
                      "%c { status = [\"READ\", \"WRITE\", \"VISIBLE\"] segment_count = 1 "
                      "segment1 { start_extent = 0 extent_count = 1 type = \"striped\" "
                      "stripe_count = 1 stripes = [ \"%c\", 0 ] } } ",
                      'a' + i, 'b' - i);
    strbuf_puts(&text, "} }");
    assert_int_equal(parse(strbuf_text(&text)), 0);
    make(&made, "a", false, PVS);
    assert_int_equal(made.err.status, STATUS_FAILED);
    lvm_tables_done(&made.tables);
}

/* ---- what the kernel has noted ---- */

static void notes_of_the_kernel(void **state)
{
    uint8_t raid[LVM_RAID_SUPER] = "DmRd", thin[LVM_THIN_SUPER] = { 0 };
    struct lvm_raid_super newest, own;
    struct lvm_thin_super pool;

    (void)state;
    raid[16] = 7;
    memset(raid + 32, 0xff, 16);
    assert_true(lvm_raid_super_parse(raid, &own));
    newest = own;
    assert_false(lvm_raid_is_stale(&newest, &own, 1));
    assert_true(lvm_raid_is_stale(&newest, NULL, 1));
    newest.failed = 2;
    assert_true(lvm_raid_is_stale(&newest, &own, 1));
    assert_false(lvm_raid_is_stale(&newest, &own, 0));
    newest.failed = 0;
    newest.events = 9;
    assert_true(lvm_raid_is_stale(&newest, &own, 1));
    raid[0] = 0;
    assert_false(lvm_raid_super_parse(raid, &own));
    assert_false(lvm_thin_super_parse(thin, &pool));
    memcpy(thin + 32, "\xba\x52\x9c\x01", 4);
    thin[48] = 5;
    thin[4] = 1;
    assert_true(lvm_thin_super_parse(thin, &pool));
    assert_int_equal(pool.transaction, 5);
    assert_true(pool.needs_check);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_label),
        cmocka_unit_test(damage_is_noticed),
        cmocka_unit_test_setup_teardown(reads_a_group, load_group, drop_group),
        cmocka_unit_test_teardown(what_another_system_uses_is_writable, drop_group),
        cmocka_unit_test_teardown(hostile_text_is_refused, drop_group),
        cmocka_unit_test_teardown(unknown_words_make_it_unusable, drop_group),
        cmocka_unit_test_setup_teardown(tables_are_those_of_lvm, load_group, drop_group),
        cmocka_unit_test_setup_teardown(write_back_caches_need_writing, load_group, drop_group),
        cmocka_unit_test_setup_teardown(one_leg_may_be_missing, load_group, drop_group),
        cmocka_unit_test_setup_teardown(a_leg_out_of_date_is_left_out, load_group, drop_group),
        cmocka_unit_test_setup_teardown(plain_volumes_need_no_table, load_group, drop_group),
        cmocka_unit_test_teardown(circles_end, drop_group),
        cmocka_unit_test(notes_of_the_kernel),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
