/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/ntfs_read.h"

#include <ctype.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/mem.h"

#define SECTOR 512U /* in which update sequences count, whatever the disk's sectors are */
#define CLUSTER_MAX (2U << 20)
#define INDEX_BLOCK_MAX 65536U
#define INDEX_MAX (16U << 20) /* bytes of the root directory's index that are looked through */

/* the boot sector */
#define BOOT_SECTOR_SIZE 0x0b /* u16 */
#define BOOT_CLUSTER 0x0d     /* u8: sectors; above 0x80 the negative power of two */
#define BOOT_MFT 0x30         /* u64: cluster */
#define BOOT_RECORD_SIZE 0x40 /* s8: clusters, negative: power of two in bytes */

/* records and index blocks */
#define USA_OFFSET 4 /* u16 */
#define USA_COUNT 6  /* u16: the number itself, and one for each sector */

/* a FILE record */
#define FILE_SEQUENCE 16 /* u16 */
#define FILE_ATTRS 20    /* u16: offset of the first */
#define FILE_FLAGS 22    /* u16, bit 0: in use */
#define FILE_USED 24     /* u32: bytes in use */
#define ATTRIBUTE_LIST 0x20
#define ATTRS_END 0xffffffffU

/* an attribute */
#define ATTR_LEN 4         /* u32 */
#define ATTR_NONRESIDENT 8 /* u8 */
#define ATTR_NAME_LEN 9    /* u8: UTF-16 units */
#define ATTR_NAME 10       /* u16 */
#define ATTR_FLAGS 12      /* u16: compressed 1, encrypted 0x4000 */
#define ATTR_VALUE_LEN 16  /* u32 */
#define ATTR_VALUE 20      /* u16 */
#define ATTR_RESIDENT_MIN 24U
#define ATTR_FIRST_VCN 16 /* u64 */
#define ATTR_RUNS 32      /* u16 */
#define ATTR_SIZE 48      /* u64 */
#define ATTR_WRITTEN 56   /* u64 */
#define ATTR_NONRESIDENT_MIN 64U

/* ---- records ---- */

/* The last two bytes of each sector are kept in an array, a sequence number stands in for them. */
static bool undo_update_sequence(uint8_t *record, size_t len)
{
    size_t offset = get_le16(record + USA_OFFSET), count = get_le16(record + USA_COUNT);

    if (count != len / SECTOR + 1 || offset + 2 * count > len)
        return false;
    for (size_t i = 1; i < count; i++) {
        uint8_t *end = record + i * SECTOR - 2;

        if (memcmp(end, record + offset, 2) != 0)
            return false;
        memcpy(end, record + offset + 2 * i, 2);
    }
    return true;
}

static bool check_record(struct ntfs_record *record)
{
    uint32_t used;

    if (memcmp(record->bytes, "FILE", 4) != 0 ||
        !undo_update_sequence(record->bytes, record->len) ||
        !(get_le16(record->bytes + FILE_FLAGS) & 1))
        return false;
    used = get_le32(record->bytes + FILE_USED);
    if (used < record->len)
        record->len = used;
    record->sequence = get_le16(record->bytes + FILE_SEQUENCE);
    return true;
}

bool ntfs_record_read(const struct ntfs *fs, uint64_t number, struct ntfs_record *ret)
{
    struct ntfs_attr list;

    ret->len = fs->record_size;
    ret->has_list = false;
    if (number > UINT64_MAX / fs->record_size ||
        !ntfs_attr_read(fs, fs->mft, number * fs->record_size, ret->bytes, ret->len) ||
        !check_record(ret))
        return false;
    ret->has_list = ntfs_attr_find(ret, ATTRIBUTE_LIST, NULL, &list);
    return true;
}

/* ---- attributes ---- */

/* Pairs of a length and a signed distance to the last run's start, of 1 to 8 bytes each. */
static bool parse_runs(const uint8_t *at, const uint8_t *end, struct ntfs_attr *ret)
{
    uint64_t cluster = 0;

    while (at < end && *at != 0) {
        unsigned n_len = *at & 15U, n_distance = *at >> 4;
        struct ntfs_run run = { .is_hole = n_distance == 0 };
        uint64_t distance = 0;

        at++;
        if (n_len == 0 || n_len > 8 || n_distance > 8 || (size_t)(end - at) < n_len + n_distance ||
            ret->n_runs == NTFS_RUNS_MAX)
            return false;
        for (unsigned i = 0; i < n_len; i++)
            run.n |= (uint64_t)at[i] << (8 * i);
        for (unsigned i = 0; i < n_distance; i++)
            distance |= (uint64_t)at[n_len + i] << (8 * i);
        at += n_len + n_distance;
        if (n_distance > 0 && n_distance < 8 && (at[-1] & 0x80))
            distance |= UINT64_MAX << (8 * n_distance);
        if (!run.is_hole)
            cluster += distance; /* wraps around for negative ones, as it should */
        run.first = cluster;
        ret->runs[ret->n_runs++] = run;
    }
    return at < end;
}

static bool parse_attr(const uint8_t *attr, uint32_t len, struct ntfs_attr *ret)
{
    ret->value = NULL;
    ret->n_runs = 0;
    if (!attr[ATTR_NONRESIDENT]) {
        uint32_t offset = get_le16(attr + ATTR_VALUE);

        ret->size = ret->written = get_le32(attr + ATTR_VALUE_LEN);
        ret->value = attr + offset;
        return offset <= len && ret->size <= len - offset;
    }
    if (len < ATTR_NONRESIDENT_MIN || get_le64(attr + ATTR_FIRST_VCN) != 0 ||
        get_le16(attr + ATTR_RUNS) >= len)
        return false;
    ret->size = get_le64(attr + ATTR_SIZE);
    ret->written = get_le64(attr + ATTR_WRITTEN);
    /* compressed or encrypted content is not what it reads as */
    if (get_le16(attr + ATTR_FLAGS) & 0x40ffU)
        return false;
    return parse_runs(attr + get_le16(attr + ATTR_RUNS), attr + len, ret);
}

static bool has_name(const uint8_t *attr, uint32_t len, const char *name)
{
    size_t n = attr[ATTR_NAME_LEN], offset = get_le16(attr + ATTR_NAME);

    if (!name || n == 0)
        return !name && n == 0;
    if (n != strlen(name) || offset + 2 * n > len)
        return false;
    for (size_t i = 0; i < n; i++)
        if (get_le16(attr + offset + 2 * i) != (unsigned char)name[i])
            return false;
    return true;
}

bool ntfs_attr_find(const struct ntfs_record *record, uint32_t type, const char *name,
                    struct ntfs_attr *ret)
{
    size_t at = get_le16(record->bytes + FILE_ATTRS);

    while (at + ATTR_RESIDENT_MIN <= record->len) {
        const uint8_t *attr = record->bytes + at;
        uint32_t len = get_le32(attr + ATTR_LEN);

        if (get_le32(attr) == ATTRS_END || len < ATTR_RESIDENT_MIN || len > record->len - at)
            return false;
        if (get_le32(attr) == type && has_name(attr, len, name))
            return parse_attr(attr, len, ret);
        at += len;
    }
    return false;
}

/* Where byte @at of the content is, and how many of @len from there on lie in one run; 0: none. */
static size_t find_run(const struct ntfs *fs, const struct ntfs_attr *attr, uint64_t at, size_t len,
                       const struct ntfs_run **ret_run, uint64_t *ret_where)
{
    uint64_t start = 0; /* of the run in the content */

    for (size_t i = 0; i < attr->n_runs; i++) {
        const struct ntfs_run *run = &attr->runs[i];
        uint64_t size, where;

        if (__builtin_mul_overflow(run->n, fs->cluster_size, &size) ||
            __builtin_mul_overflow(run->first, fs->cluster_size, &where))
            return 0;
        if (at - start >= size) {
            if (__builtin_add_overflow(start, size, &start))
                return 0;
            continue;
        }
        if (__builtin_add_overflow(where, at - start, ret_where))
            return 0;
        *ret_run = run;
        return len > size - (at - start) ? (size_t)(size - (at - start)) : len;
    }
    return 0;
}

/* As much as lies in one run; 0: none does. */
static size_t read_run(const struct ntfs *fs, const struct ntfs_attr *attr, uint64_t at,
                       uint8_t *buf, size_t len)
{
    const struct ntfs_run *run = NULL;
    uint64_t where = 0;

    len = find_run(fs, attr, at, len, &run, &where);
    if (len > 0 && run->is_hole)
        memset(buf, 0, len);
    else if (len > 0 && volume_read(fs->volume, where, buf, len) < 0)
        return 0;
    return len;
}

bool ntfs_attr_where(const struct ntfs *fs, const struct ntfs_attr *attr, uint64_t at, size_t len,
                     uint64_t *ret)
{
    const struct ntfs_run *run = NULL;

    return !attr->value && at <= attr->size && len <= attr->size - at &&
           find_run(fs, attr, at, len, &run, ret) == len && !run->is_hole;
}

bool ntfs_attr_read(const struct ntfs *fs, const struct ntfs_attr *attr, uint64_t at, void *buf,
                    size_t len)
{
    uint8_t *to = buf;

    if (at > attr->size || len > attr->size - at)
        return false;
    if (attr->value) {
        memcpy(buf, attr->value + at, len);
        return true;
    }
    for (size_t done = 0; done < len;) {
        size_t n = read_run(fs, attr, at + done, to + done, len - done);

        if (n == 0)
            return false;
        done += n;
    }
    if (at + len > attr->written) {
        size_t zeros = at >= attr->written ? len : (size_t)(at + len - attr->written);

        memset(to + len - zeros, 0, zeros);
    }
    return true;
}

/* ---- the boot sector ---- */

static bool parse_boot(const uint8_t boot[SECTOR], struct ntfs *fs, uint64_t *ret_mft)
{
    uint32_t sector = get_le16(boot + BOOT_SECTOR_SIZE), cluster = boot[BOOT_CLUSTER];
    int8_t record = (int8_t)boot[BOOT_RECORD_SIZE];

    if (memcmp(boot + 3, "NTFS    ", 8) != 0 || sector < SECTOR || sector > 4096 ||
        (sector & (sector - 1)))
        return false;
    if (cluster > 0x80)
        cluster = cluster > 0xe0 ? 1U << (256 - cluster) : 0;
    if (cluster == 0 || (cluster & (cluster - 1)) || cluster > CLUSTER_MAX / sector)
        return false;
    fs->cluster_size = cluster * sector;
    if (record > 0)
        fs->record_size = (uint32_t)record * fs->cluster_size;
    else
        fs->record_size = record > -13 ? 1U << -record : 0;
    return fs->record_size >= SECTOR && fs->record_size <= NTFS_RECORD_MAX &&
           !(fs->record_size & (fs->record_size - 1)) &&
           !__builtin_mul_overflow(get_le64(boot + BOOT_MFT), fs->cluster_size, ret_mft);
}

bool ntfs_open(const struct volume *volume, struct ntfs *ret)
{
    CLEANUP_FREE struct ntfs_attr *mft = mem_alloc(sizeof(*mft));
    struct ntfs_record record = { .has_list = false };
    uint8_t boot[SECTOR];
    uint64_t at;

    ret->volume = volume;
    if (volume_read(volume, 0, boot, sizeof(boot)) < 0 || !parse_boot(boot, ret, &at))
        return false;
    record.len = ret->record_size;
    if (volume_read(volume, at, record.bytes, record.len) < 0 || !check_record(&record) ||
        !ntfs_attr_find(&record, NTFS_AT_DATA, NULL, mft) || mft->value)
        return false;
    ret->mft = TAKE(mft);
    return true;
}

void ntfs_close(struct ntfs *fs)
{
    free(fs->mft);
    fs->mft = NULL;
}

/* ---- the root directory ---- */

/* an index node's header, and an entry: the file's reference, a key that is a $FILE_NAME */
#define ROOT_BLOCK_SIZE 8 /* u32 in $INDEX_ROOT */
#define ROOT_NODE 16
#define BLOCK_NODE 24
#define NODE_FIRST 0 /* u32, from the header on */
#define NODE_LEN 4   /* u32 */
#define NODE_MIN 16U
#define ENTRY_LEN 8    /* u16 */
#define ENTRY_FLAGS 12 /* u16 */
#define ENTRY_LAST 2U
#define ENTRY_KEY 16
#define NAME_LEN (ENTRY_KEY + 64) /* u8 */
#define NAME (ENTRY_KEY + 66)     /* UTF-16 */
#define REFERENCE_NUMBER 0xffffffffffffULL

static bool is_named(const uint8_t *entry, size_t len, const char *name)
{
    size_t n = strlen(name);

    if (len < NAME + 2 * n || entry[NAME_LEN] != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        uint16_t c = get_le16(entry + NAME + 2 * i);

        if (c > 0x7f || tolower((int)c) != tolower((unsigned char)name[i]))
            return false;
    }
    return true;
}

/* The file's reference, 0: not in this node. All entries are looked at: the order of names, which
 * is the volume's own, does not matter then. */
static uint64_t search_node(const uint8_t *node, size_t len, const char *name)
{
    size_t at, end;

    if (len < NODE_MIN)
        return 0;
    at = get_le32(node + NODE_FIRST);
    end = get_le32(node + NODE_LEN);
    if (end > len)
        end = len;
    while (at + ENTRY_KEY <= end) {
        size_t entry_len = get_le16(node + at + ENTRY_LEN);

        if ((get_le16(node + at + ENTRY_FLAGS) & ENTRY_LAST) || entry_len < ENTRY_KEY ||
            entry_len > end - at)
            return 0;
        if (is_named(node + at, entry_len, name))
            return get_le64(node + at);
        at += entry_len;
    }
    return 0;
}

/* What a block holds that is no longer in use is caught by the sequence number. */
static bool is_current(const struct ntfs *fs, uint64_t reference)
{
    struct ntfs_record record;

    return ntfs_record_read(fs, reference & REFERENCE_NUMBER, &record) &&
           record.sequence == reference >> 48;
}

static bool search_blocks(const struct ntfs *fs, const struct ntfs_attr *index, uint32_t block_size,
                          const char *name, uint64_t *ret)
{
    CLEANUP_FREE uint8_t *block = mem_alloc(block_size);

    for (uint64_t at = 0; *ret == 0 && at + block_size <= index->size && at < INDEX_MAX;
         at += block_size) {
        uint64_t reference;

        if (!ntfs_attr_read(fs, index, at, block, block_size))
            return false;
        if (memcmp(block, "INDX", 4) != 0 || !undo_update_sequence(block, block_size))
            continue; /* never used */
        reference = search_node(block + BLOCK_NODE, block_size - BLOCK_NODE, name);
        if (reference != 0 && is_current(fs, reference))
            *ret = reference & REFERENCE_NUMBER;
    }
    return *ret != 0 || index->size <= INDEX_MAX;
}

bool ntfs_root_find(const struct ntfs *fs, const char *name, uint64_t *ret)
{
    CLEANUP_FREE struct ntfs_attr *attr = mem_alloc(sizeof(*attr));
    struct ntfs_record record;
    uint32_t block_size;

    *ret = 0;
    if (!ntfs_record_read(fs, NTFS_FILE_ROOT, &record) ||
        !ntfs_attr_find(&record, NTFS_AT_INDEX_ROOT, "$I30", attr) || !attr->value ||
        attr->size < ROOT_NODE + NODE_MIN)
        return false;
    block_size = get_le32(attr->value + ROOT_BLOCK_SIZE);
    *ret = search_node(attr->value + ROOT_NODE, attr->size - ROOT_NODE, name);
    if (*ret != 0) {
        *ret &= REFERENCE_NUMBER;
        return true;
    }
    if (!ntfs_attr_find(&record, NTFS_AT_INDEX_ALLOCATION, "$I30", attr))
        return !record.has_list;
    if (block_size < SECTOR || block_size > INDEX_BLOCK_MAX || block_size % SECTOR || attr->value)
        return false;
    return search_blocks(fs, attr, block_size, name, ret);
}
