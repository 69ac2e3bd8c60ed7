/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/regf_log.h"

#include <errno.h>
#include <string.h>

#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "engine/regf.h"

#define SECTOR 512U
#define ENTRY_HEAD 40U
#define SEED 0x82ef4d887a4e55c5ULL
#define LOGS_MAX 2U

/* ---- Marvin32 ---- */

static uint32_t rotate(uint32_t value, unsigned bits)
{
    return value << bits | value >> (32 - bits);
}

static void mix(uint32_t *lo, uint32_t *hi, uint32_t block)
{
    *lo += block;
    *hi ^= *lo;
    *lo = rotate(*lo, 20) + *hi;
    *hi = rotate(*hi, 9) ^ *lo;
    *lo = rotate(*lo, 27) + *hi;
    *hi = rotate(*hi, 19);
}

uint64_t regf_log_hash(const void *data, size_t len)
{
    const uint8_t *at = data;
    uint32_t lo = (uint32_t)SEED, hi = (uint32_t)(SEED >> 32);

    for (size_t i = 0; i + sizeof(uint32_t) <= len; i += sizeof(uint32_t))
        mix(&lo, &hi, get_le32(at + i));
    mix(&lo, &hi, 0x80); /* what is left over is nothing */
    mix(&lo, &hi, 0);
    return (uint64_t)hi << 32 | lo;
}

/* ---- entries of the new format ---- */

struct entry {
    const uint8_t *at;
    uint32_t size; /* with its head */
    uint32_t seq, bins_size, n_refs;
};

/* The entry at @pos; false: there is no (further) valid one. */
static bool read_entry(const struct regf_log *log, size_t pos, struct entry *ret)
{
    const uint8_t *at = (const uint8_t *)log->data + pos;
    uint64_t pages = 0, refs_end;

    if (pos > log->len || log->len - pos < ENTRY_HEAD || memcmp(at, "HvLE", 4) != 0)
        return false;
    *ret = (struct entry){
        .at = at,
        .size = get_le32(at + 4),
        .seq = get_le32(at + 12),
        .bins_size = get_le32(at + 16),
        .n_refs = get_le32(at + 20),
    };
    if (ret->size < ENTRY_HEAD || ret->size % SECTOR != 0 || ret->size > log->len - pos ||
        ret->bins_size > REGF_BINS_MAX || ret->n_refs > (ret->size - ENTRY_HEAD) / 8)
        return false;
    if (get_le64(at + 24) != regf_log_hash(at + ENTRY_HEAD, ret->size - ENTRY_HEAD) ||
        get_le64(at + 32) != regf_log_hash(at, 32))
        return false;
    refs_end = ENTRY_HEAD + 8ULL * ret->n_refs;
    for (uint32_t i = 0; i < ret->n_refs; i++) {
        uint32_t offset = get_le32(at + ENTRY_HEAD + 8ULL * i);
        uint32_t size = get_le32(at + ENTRY_HEAD + 8ULL * i + 4);

        if ((uint64_t)offset + size > ret->bins_size)
            return false;
        pages += size;
    }
    return refs_end + pages <= ret->size;
}

/* Make the bins so long; what is new is zero until it is written. */
static void set_bins_size(struct strbuf *hive, uint32_t bins_size)
{
    size_t want = REGF_BASE_LEN + (size_t)bins_size;

    if (hive->len >= want)
        return;
    strbuf_reserve(hive, want - hive->len);
    memset(hive->data + hive->len, 0, want - hive->len + 1);
    hive->len = want;
}

static void write_entry(struct strbuf *hive, const struct entry *entry)
{
    const uint8_t *page = entry->at + ENTRY_HEAD + 8ULL * entry->n_refs;

    set_bins_size(hive, entry->bins_size);
    for (uint32_t i = 0; i < entry->n_refs; i++) {
        uint32_t offset = get_le32(entry->at + ENTRY_HEAD + 8ULL * i);
        uint32_t size = get_le32(entry->at + ENTRY_HEAD + 8ULL * i + 4);

        memcpy(hive->data + REGF_BASE_LEN + offset, page, size);
        page += size;
    }
}

/* A log as far as it is valid: its entries from the first that the hive lacks. */
struct new_log {
    const struct regf_log *log;
    size_t first_pos;
    uint32_t first_seq;
};

/* @since: entries before that are in the hive. false: the log has none for it. */
static bool find_first(const struct regf_log *log, uint32_t since, struct new_log *ret)
{
    struct regf_base base;
    struct entry entry;
    uint32_t expected;

    if (!regf_base_parse(log->data, log->len, &base) || base.type != REGF_LOG_NEW ||
        !base.checksum_ok)
        return false;
    expected = base.seq1;
    for (size_t pos = SECTOR; read_entry(log, pos, &entry); pos += entry.size) {
        if (entry.seq != expected++)
            return false;
        if (entry.seq >= since) {
            *ret = (struct new_log){ log, pos, entry.seq };
            return true;
        }
    }
    return false;
}

/* What a recovery has come to. */
struct state {
    uint32_t bins_size, last_seq;
    unsigned n_writes;
};

static void write_log(struct strbuf *hive, const struct new_log *from, struct state *state)
{
    struct entry entry;

    for (size_t pos = from->first_pos; read_entry(from->log, pos, &entry); pos += entry.size) {
        if (state->n_writes > 0 && entry.seq != state->last_seq + 1)
            return;
        write_entry(hive, &entry);
        state->last_seq = entry.seq;
        state->bins_size = entry.bins_size;
        state->n_writes++;
    }
}

/* Both logs are written by turns: the one with the earlier entry first, the other if it goes on
 * where that ends. */
static void recover_new(struct strbuf *hive, uint32_t since, const struct regf_log *logs, size_t n,
                        struct state *state)
{
    struct new_log found[LOGS_MAX];
    size_t n_found = 0;

    for (size_t i = 0; i < n && i < LOGS_MAX; i++)
        n_found += find_first(&logs[i], since, &found[n_found]);
    if (n_found == 2 && found[1].first_seq < found[0].first_seq) {
        const struct new_log first = found[1];

        found[1] = found[0];
        found[0] = first;
    }
    for (size_t i = 0; i < n_found; i++)
        if (i == 0 || found[i].first_seq == state->last_seq + 1)
            write_log(hive, &found[i], state);
}

/* ---- the old format ---- */

/* The time of the last write that a hive with a damaged base block has all the same. */
static uint64_t time_of_bins(const struct strbuf *hive)
{
    const char *bin = hive->data + REGF_BASE_LEN;

    return hive->len >= REGF_BASE_LEN + 32 && memcmp(bin, "hbin", 4) == 0 ? get_le64(bin + 20) : 0;
}

/* A base block, "DIRT", a bit for each sector of the bins, from the next sector on the dirty ones.
 * false: the log is not the hive's. */
static bool recover_old(struct strbuf *hive, uint64_t timestamp, const struct regf_log *log,
                        struct state *state)
{
    const uint8_t *bits = (const uint8_t *)log->data + SECTOR + 4, *sector;
    struct regf_base base;
    size_t bits_len, n_dirty = 0, pos;

    if (!regf_base_parse(log->data, log->len, &base) ||
        (base.type != REGF_LOG_OLD && base.type != REGF_LOG_OLDEST) || regf_is_dirty(&base) ||
        base.timestamp != timestamp || base.bins_size > REGF_BINS_MAX ||
        base.bins_size % SECTOR != 0)
        return false;
    bits_len = (base.bins_size / SECTOR + 7) / 8;
    if (log->len < SECTOR + 4 + bits_len || memcmp(bits - 4, "DIRT", 4) != 0)
        return false;
    for (uint32_t i = 0; i < base.bins_size / SECTOR; i++)
        n_dirty += bits[i / 8] >> (i % 8) & 1;
    pos = (SECTOR + 4 + bits_len + SECTOR - 1) / SECTOR * SECTOR;
    if (log->len < pos || (log->len - pos) / SECTOR < n_dirty)
        return false;
    set_bins_size(hive, base.bins_size);
    sector = (const uint8_t *)log->data + pos;
    for (uint32_t i = 0; i < base.bins_size / SECTOR; i++) {
        if (!(bits[i / 8] >> (i % 8) & 1))
            continue;
        memcpy(hive->data + REGF_BASE_LEN + (size_t)i * SECTOR, sector, SECTOR);
        sector += SECTOR;
    }
    *state = (struct state){ base.bins_size, base.seq2, 1 };
    return true;
}

/* ---- both ---- */

/* The base block of a log, in the place of a damaged one. */
static bool take_base(struct strbuf *hive, const struct regf_log *logs, size_t n,
                      struct regf_base *base)
{
    for (size_t i = 0; i < n; i++) {
        struct regf_base of_log;

        if (!regf_base_parse(logs[i].data, logs[i].len, &of_log) || !of_log.checksum_ok)
            continue;
        memcpy(hive->data, logs[i].data, REGF_LOG_BASE_LEN);
        *base = of_log;
        return true;
    }
    return false;
}

static int recover(struct strbuf *hive, const struct regf_log *logs, size_t n, struct state *state,
                   struct err *err)
{
    struct regf_base base;
    uint64_t timestamp;
    bool is_hive = hive->len >= REGF_BASE_LEN && regf_base_parse(hive->data, hive->len, &base);
    uint32_t since = is_hive && base.checksum_ok ? base.seq2 : 0;

    if (!is_hive)
        return err_set(err, EBADMSG, "read a hive: it does not begin like one");
    timestamp = base.checksum_ok ? base.timestamp : time_of_bins(hive);
    if (!base.checksum_ok && !take_base(hive, logs, n, &base))
        return err_set(err, EBADMSG,
                       "read a hive: its base block is damaged, and no log has another");
    state->bins_size = base.bins_size;
    state->last_seq = base.seq1 > base.seq2 ? base.seq1 : base.seq2;
    recover_new(hive, since, logs, n, state);
    for (size_t i = 0; i < n && state->n_writes == 0; i++)
        (void)recover_old(hive, timestamp, &logs[i], state);
    return 0;
}

static int check_size(const struct strbuf *hive, uint32_t bins_size, struct err *err)
{
    if (bins_size <= REGF_BINS_MAX && hive->len >= REGF_BASE_LEN + (size_t)bins_size)
        return 0;
    return err_set(err, EBADMSG, "read a hive: it has %zu bytes and says %llu", hive->len,
                   REGF_BASE_LEN + (unsigned long long)bins_size);
}

int regf_recover(struct strbuf *hive, const struct regf_log *logs, size_t n,
                 struct regf_recovery *ret, struct err *err)
{
    CLEANUP_STRBUF struct strbuf copy = { 0 };
    struct regf_base base;
    struct state state = { 0 };
    uint32_t highest;
    int r;

    *ret = (struct regf_recovery){ .state = REGF_CLEAN };
    if (hive->len >= REGF_BASE_LEN && regf_base_parse(hive->data, hive->len, &base) &&
        !regf_is_dirty(&base))
        return check_size(hive, base.bins_size, err);
    strbuf_add(&copy, hive->data ? hive->data : "", hive->len);
    r = recover(&copy, logs, n, &state, err);
    if (r == 0)
        r = check_size(&copy, state.bins_size, err);
    if (r < 0)
        return r;
    if (state.n_writes == 0) {
        ret->state = REGF_NO_LOG;
        return 0;
    }
    (void)regf_base_parse(copy.data, copy.len, &base);
    highest = state.last_seq > base.seq1 ? state.last_seq : base.seq1;
    regf_base_complete(copy.data, (highest > base.seq2 ? highest : base.seq2) + 1, state.bins_size);
    *ret = (struct regf_recovery){ REGF_RECOVERED, state.n_writes };
    strbuf_done(hive);
    *hive = copy;
    copy = (struct strbuf){ 0 };
    return 0;
}
