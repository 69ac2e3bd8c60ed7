/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hives and logs made byte by byte from the format's description. */
#include <errno.h>
#include <string.h>

#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "engine/regf.h"
#include "engine/regf_log.h"
#include "tests/unit/unit.h"

#define BINS 8192U /* of the hive before */
#define TIME 0x01d0000012345678ULL

static uint32_t sum_of(const uint8_t *base)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < 508; i += 4)
        sum ^= get_le32(base + i);
    return sum;
}

static void put_base(uint8_t *at, uint32_t type, uint32_t seq1, uint32_t seq2, uint32_t bins)
{
    memset(at, 0, 512);
    memcpy(at, "regf", 4);
    put_le32(at + 4, seq1);
    put_le32(at + 8, seq2);
    put_le64(at + 12, TIME);
    put_le32(at + 20, 1);
    put_le32(at + 24, 5);
    put_le32(at + 28, type);
    put_le32(at + 32, 1);
    put_le32(at + 36, 32);
    put_le32(at + 40, bins);
    put_le32(at + 508, sum_of(at));
}

/* Bins full of 'h'. */
static void make_hive(struct strbuf *ret, uint32_t seq1, uint32_t seq2)
{
    uint8_t base[REGF_BASE_LEN] = { 0 };
    char bin[BINS];

    put_base(base, REGF_PRIMARY, seq1, seq2, BINS);
    strbuf_add(ret, base, sizeof(base));
    memset(bin, 'h', sizeof(bin));
    memcpy(bin, "hbin", 4);
    put_le64(bin + 20, TIME);
    strbuf_add(ret, bin, sizeof(bin));
}

/* ---- the new format ---- */

static void start_log(struct strbuf *ret, uint32_t seq)
{
    uint8_t base[512];

    put_base(base, REGF_LOG_NEW, seq, seq, BINS);
    strbuf_add(ret, base, sizeof(base));
}

static void seal_entry(uint8_t *entry)
{
    uint32_t size = get_le32(entry + 4);

    put_le64(entry + 24, regf_log_hash(entry + 40, size - 40));
    put_le64(entry + 32, regf_log_hash(entry, 32));
}

/* An entry that fills the 512 bytes at @offset of the bins with @with. */
static void add_entry(struct strbuf *log, uint32_t seq, uint32_t bins, uint32_t offset, char with)
{
    uint8_t entry[1024] = { 0 };

    memcpy(entry, "HvLE", 4);
    put_le32(entry + 4, sizeof(entry));
    put_le32(entry + 12, seq);
    put_le32(entry + 16, bins);
    put_le32(entry + 20, 1);
    put_le32(entry + 40, offset);
    put_le32(entry + 44, 512);
    memset(entry + 48, with, 512);
    seal_entry(entry);
    strbuf_add(log, entry, sizeof(entry));
}

/* What was written where, one letter for each 512 bytes. */
static char *pages_of(const struct strbuf *hive)
{
    struct strbuf out = { 0 };

    for (size_t at = REGF_BASE_LEN; at < hive->len; at += 512)
        strbuf_putc(&out, hive->data[at + 511] ? hive->data[at + 511] : '.');
    return strbuf_take(&out);
}

struct write {
    int log; /* 0: .LOG1 */
    uint32_t seq, page;
    char with;
};

static const struct {
    const char *label;
    uint32_t seq1, seq2; /* of the hive */
    uint32_t start[2];   /* first sequence number of each log, 0: there is none */
    struct write writes[6];
    enum regf_state state;
    unsigned n_writes;
    const char *pages; /* the first ones */
    uint32_t seq;      /* of the hive afterwards */
} cases[] = {
    { "clean", 9, 9, { 9, 0 }, { { 0, 9, 0, 'a' } }, REGF_CLEAN, 0, "hhhh", 9 },
    { "one log",
      10,
      9,
      { 9, 0 },
      { { 0, 9, 0, 'a' }, { 0, 10, 1, 'b' } },
      REGF_RECOVERED,
      2,
      "abhh",
      11 },
    { "a page twice",
      10,
      9,
      { 9, 0 },
      { { 0, 9, 2, 'a' }, { 0, 10, 2, 'b' } },
      REGF_RECOVERED,
      2,
      "hhbh",
      11 },
    { "older entries",
      10,
      9,
      { 7, 0 },
      { { 0, 7, 0, 'a' }, { 0, 8, 1, 'b' }, { 0, 9, 2, 'c' } },
      REGF_RECOVERED,
      1,
      "hhch",
      11 },
    { "both in order",
      10,
      9,
      { 9, 11 },
      { { 0, 9, 0, 'a' }, { 0, 10, 1, 'b' }, { 1, 11, 1, 'c' } },
      REGF_RECOVERED,
      3,
      "achh",
      12 },
    { "the second first",
      10,
      9,
      { 11, 9 },
      { { 1, 9, 0, 'a' }, { 1, 10, 1, 'b' }, { 0, 11, 1, 'c' } },
      REGF_RECOVERED,
      3,
      "achh",
      12 },
    { "the other does not go on",
      10,
      9,
      { 9, 12 },
      { { 0, 9, 0, 'a' }, { 1, 12, 1, 'c' } },
      REGF_RECOVERED,
      1,
      "ahhh",
      11 },
    { "a gap in a log",
      10,
      9,
      { 9, 0 },
      { { 0, 9, 0, 'a' }, { 0, 11, 1, 'b' } },
      REGF_RECOVERED,
      1,
      "ahhh",
      11 },
    { "all older",
      10,
      9,
      { 5, 0 },
      { { 0, 5, 0, 'a' }, { 0, 6, 1, 'b' } },
      REGF_NO_LOG,
      0,
      "hhhh",
      0 },
    { "the log of another time",
      10,
      9,
      { 9, 0 },
      { { 0, 20, 0, 'a' } },
      REGF_NO_LOG,
      0,
      "hhhh",
      0 },
    { "no log", 10, 9, { 0, 0 }, { { 0 } }, REGF_NO_LOG, 0, "hhhh", 0 },
};

static void entries_are_written_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct strbuf hive = { 0 }, logs[2] = { { 0 } };
        struct regf_log given[2];
        struct regf_recovery recovery;
        struct regf_base base;
        struct err err = ERR_NONE;
        char *pages;

        print_message("case: %s\n", cases[i].label);
        make_hive(&hive, cases[i].seq1, cases[i].seq2);
        for (int l = 0; l < 2; l++)
            if (cases[i].start[l])
                start_log(&logs[l], cases[i].start[l]);
        for (const struct write *write = cases[i].writes; write->with; write++)
            add_entry(&logs[write->log], write->seq, BINS, write->page * 512, write->with);
        for (int l = 0; l < 2; l++)
            given[l] = (struct regf_log){ logs[l].data, logs[l].len };
        assert_int_equal(regf_recover(&hive, given, 2, &recovery, &err), 0);
        assert_int_equal(recovery.state, cases[i].state);
        assert_int_equal(recovery.n_writes, cases[i].n_writes);
        pages = pages_of(&hive);
        assert_int_equal(strncmp(pages, cases[i].pages, strlen(cases[i].pages)), 0);
        assert_true(regf_base_parse(hive.data, hive.len, &base));
        assert_int_equal(regf_is_dirty(&base), cases[i].state == REGF_NO_LOG);
        if (cases[i].seq)
            assert_int_equal(base.seq1, cases[i].seq);
        /* what is recovered needs no log any more */
        if (cases[i].state == REGF_RECOVERED) {
            assert_int_equal(regf_recover(&hive, given, 2, &recovery, &err), 0);
            assert_int_equal(recovery.state, REGF_CLEAN);
        }
        free(pages);
        strbuf_done(&hive);
        strbuf_done(&logs[0]);
        strbuf_done(&logs[1]);
    }
}

static void recover_one(struct strbuf *hive, const struct strbuf *log, int want,
                        struct regf_recovery *ret)
{
    const struct regf_log given = { log->data, log->len };
    struct err err = ERR_NONE;

    assert_int_equal(regf_recover(hive, &given, 1, ret, &err), want);
}

static void hives_grow(void **state)
{
    struct strbuf hive = { 0 }, log = { 0 };
    struct regf_recovery recovery;
    struct regf_base base;
    char *pages;

    (void)state;
    make_hive(&hive, 10, 9);
    start_log(&log, 9);
    add_entry(&log, 9, BINS + 4096, BINS + 512, 'n');
    recover_one(&hive, &log, 0, &recovery);
    assert_true(regf_base_parse(hive.data, hive.len, &base));
    assert_int_equal(base.bins_size, BINS + 4096);
    assert_int_equal(hive.len, REGF_BASE_LEN + BINS + 4096);
    pages = pages_of(&hive);
    assert_string_equal(pages, "hhhhhhhhhhhhhhhh.n......");
    free(pages);
    strbuf_done(&hive);
    strbuf_done(&log);
}

/* The write of the base block itself was cut off: the log has a copy of it. */
static void a_damaged_base_block_is_replaced(void **state)
{
    struct strbuf hive = { 0 }, log = { 0 }, none = { 0 };
    struct regf_recovery recovery;
    struct regf_base base;

    (void)state;
    make_hive(&hive, 10, 9);
    put_le32(hive.data + 508, 7);
    put_le32(hive.data + 40, 99);
    recover_one(&hive, &none, -EBADMSG, &recovery);
    start_log(&log, 9);
    add_entry(&log, 9, BINS, 0, 'a');
    recover_one(&hive, &log, 0, &recovery);
    assert_int_equal(recovery.state, REGF_RECOVERED);
    assert_true(regf_base_parse(hive.data, hive.len, &base));
    assert_true(base.checksum_ok);
    assert_int_equal(base.type, REGF_PRIMARY);
    assert_int_equal(base.bins_size, BINS);
    strbuf_done(&hive);
    strbuf_done(&log);
}

/* Each byte that is wrong ends the log before its entry. */
static void damaged_entries_end_a_log(void **state)
{
    static const struct {
        size_t at; /* in the second entry */
        uint32_t value;
        bool sealed;
    } damages[] = {
        { 0, 0x41414141, false }, { 100, 1, false },        { 24, 1, false },
        { 32, 1, false },         { 4, 1000, true },        { 4, 512, true },
        { 4, 65536, false },      { 20, 200, true },        { 40, BINS, true },
        { 44, 0xffffffff, true }, { 16, 0xffffffff, true }, { 44, 1024, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(damages); i++) {
        struct strbuf hive = { 0 }, log = { 0 };
        struct regf_recovery recovery;
        uint8_t *second;
        char *pages;

        print_message("case: %u at %zu\n", damages[i].value, damages[i].at);
        make_hive(&hive, 10, 9);
        start_log(&log, 9);
        add_entry(&log, 9, BINS, 0, 'a');
        add_entry(&log, 10, BINS, 512, 'b');
        second = (uint8_t *)log.data + 1536;
        put_le32(second + damages[i].at, damages[i].value);
        if (damages[i].sealed && get_le32(second + 4) <= 1024)
            seal_entry(second);
        recover_one(&hive, &log, 0, &recovery);
        assert_int_equal(recovery.n_writes, 1);
        pages = pages_of(&hive);
        assert_int_equal(strncmp(pages, "ahhh", 4), 0);
        free(pages);
        strbuf_done(&hive);
        strbuf_done(&log);
    }
}

/* ---- the old format ---- */

static void make_old_log(struct strbuf *ret, uint64_t timestamp)
{
    uint8_t head[1024] = { 0 };
    char page[512];

    put_base(head, REGF_LOG_OLD, 10, 10, BINS);
    put_le64(head + 12, timestamp);
    put_le32(head + 508, sum_of(head));
    memcpy(head + 512, "DIRT", 4);
    head[516] = 0x06; /* sectors 1 and 2 */
    head[517] = 0x80; /* 15 */
    strbuf_add(ret, head, sizeof(head));
    for (char c = 'a'; c <= 'c'; c++) {
        memset(page, c, sizeof(page));
        strbuf_add(ret, page, sizeof(page));
    }
}

static void the_old_format(void **state)
{
    static const struct {
        const char *label;
        uint64_t timestamp;
        size_t len; /* 0: whole */
        bool bad_base;
        enum regf_state state;
    } old[] = {
        { "its own log", TIME, 0, false, REGF_RECOVERED },
        { "of another time", TIME + 1, 0, false, REGF_NO_LOG },
        { "cut off", TIME, 2559, false, REGF_NO_LOG },
        { "cut off in the bits", TIME, 517, false, REGF_NO_LOG },
        { "the base block damaged", TIME, 0, true, REGF_RECOVERED },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(old); i++) {
        struct strbuf hive = { 0 }, log = { 0 };
        struct regf_recovery recovery;
        struct regf_base base;
        char *pages;

        print_message("case: %s\n", old[i].label);
        make_hive(&hive, 10, 9);
        if (old[i].bad_base)
            put_le32(hive.data + 508, 1);
        make_old_log(&log, old[i].timestamp);
        log.len = old[i].len ? old[i].len : log.len;
        recover_one(&hive, &log, 0, &recovery);
        assert_int_equal(recovery.state, old[i].state);
        pages = pages_of(&hive);
        assert_string_equal(pages, old[i].state == REGF_RECOVERED ? "habhhhhhhhhhhhhc"
                                                                  : "hhhhhhhhhhhhhhhh");
        assert_true(regf_base_parse(hive.data, hive.len, &base));
        assert_int_equal(regf_is_dirty(&base), old[i].state == REGF_NO_LOG);
        free(pages);
        strbuf_done(&hive);
        strbuf_done(&log);
    }
}

/* ---- what is no hive ---- */

static void damage_is_an_error(void **state)
{
    static const size_t lengths[] = { 0, 4, 512, REGF_BASE_LEN - 1, REGF_BASE_LEN + BINS - 1 };
    struct strbuf none = { 0 };
    struct regf_recovery recovery;

    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_SIZE(lengths); i++) {
        struct strbuf hive = { 0 };

        make_hive(&hive, 10, i % 2 ? 9 : 10);
        hive.len = lengths[i / 2];
        recover_one(&hive, &none, -EBADMSG, &recovery);
        assert_int_equal(hive.len, lengths[i / 2]);
        strbuf_done(&hive);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_written_in_order),
        cmocka_unit_test(hives_grow),
        cmocka_unit_test(a_damaged_base_block_is_replaced),
        cmocka_unit_test(damaged_entries_end_a_log),
        cmocka_unit_test(the_old_format),
        cmocka_unit_test(damage_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
