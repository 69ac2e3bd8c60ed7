/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/ldm_db.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/mem.h"

/* PRIVHEAD */
#define HEAD_MAJOR 0x0c /* u16 */
#define HEAD_DISK 0x30  /* char[64] */
#define HEAD_GROUP 0xb0 /* char[64] */
#define HEAD_DATA_START 0x11b
#define HEAD_DATA_SIZE 0x123
#define HEAD_CONFIG_START 0x12b
#define HEAD_CONFIG_SIZE 0x133
#define HEAD_KNOWN 2 /* 2.11 up to Windows XP, 2.12 since */
#define GUID_TEXT 36

/* TOCBLOCK: two tables of so many bytes, one is "config" */
#define TOC_TABLES 0x24
#define TOC_TABLE_LEN 0x22
#define TOC_START 10 /* u64 sectors, in a table */

/* VMDB */
#define VMDB_LEN 0xbd
#define VMDB_VBLK_SIZE 0x08   /* u32 */
#define VMDB_VBLK_OFFSET 0x0c /* u32 */
#define VMDB_STATUS 0x10      /* u16; 1: consistent */
#define VMDB_MAJOR 0x12       /* u16 */
#define VMDB_NAME 0x16        /* char[31] */
#define VMDB_NAME_LEN 31
#define VMDB_COMMITTED 0x75 /* u64 */
#define VMDB_COUNTS 0x85    /* u32: volumes, components, partitions, disks */
#define VMDB_KNOWN 4
#define VBLK_MIN 64U
#define VBLK_MAX 4096U

/* VBLK: a header for each block, then one for each record, which may go over several blocks */
#define VBLK_RECORD 8  /* u32 */
#define VBLK_ENTRY 12  /* u16 */
#define VBLK_TOTAL 14  /* u16 */
#define VBLK_HEADER 16 /* bytes */
#define RECORD_FLAGS 2 /* u8, behind the block's header */
#define RECORD_TYPE 3  /* u8: revision and kind */
#define RECORD_HEADER 8
#define ENTRIES_MAX 64U  /* blocks of one record */
#define VBLKS_MAX 16384U /* Windows' area has room for 8000 */

/* "12345678-9abc-..." of any case, as bytes in the order of the text. */
static bool parse_guid(const char *text, uint8_t ret[16])
{
    size_t n = 0;

    for (size_t i = 0; i < GUID_TEXT; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = (char)tolower((unsigned char)text[i]);

        if (is_dash ? c != '-' : !isxdigit((unsigned char)c))
            return false;
        if (is_dash)
            continue;
        c = (char)(c > '9' ? c - 'a' + 10 : c - '0');
        ret[n / 2] = (uint8_t)(n % 2 ? ret[n / 2] << 4 | c : c);
        n++;
    }
    return text[GUID_TEXT] == '\0';
}

int ldm_head_parse(const uint8_t *bytes, struct ldm_head *ret)
{
    char guid[GUID_TEXT + 1] = "";

    if (memcmp(bytes, "PRIVHEAD", 8) != 0)
        return -ENOENT;
    memcpy(guid, bytes + HEAD_DISK, GUID_TEXT);
    if (get_be16(bytes + HEAD_MAJOR) != HEAD_KNOWN || !parse_guid(guid, ret->disk))
        return -EBADMSG;
    memcpy(guid, bytes + HEAD_GROUP, GUID_TEXT);
    if (!parse_guid(guid, ret->group))
        return -EBADMSG;
    ret->data_start = get_be64(bytes + HEAD_DATA_START);
    ret->data_size = get_be64(bytes + HEAD_DATA_SIZE);
    ret->config_start = get_be64(bytes + HEAD_CONFIG_START);
    ret->config_size = get_be64(bytes + HEAD_CONFIG_SIZE);
    return ret->config_size > 0 && ret->config_size <= LDM_CONFIG_MAX / 512 ? 0 : -EBADMSG;
}

/* ---- one record ---- */

/* Where a record is read; what goes beyond its end makes it bad, and reads as nothing. */
struct cursor {
    const uint8_t *at, *end;
    bool is_bad;
};

static const uint8_t *take(struct cursor *cursor, size_t len)
{
    const uint8_t *at = cursor->at;

    if (cursor->is_bad || (size_t)(cursor->end - at) < len) {
        cursor->is_bad = true;
        return NULL;
    }
    cursor->at += len;
    return at;
}

static void take_bytes(struct cursor *cursor, uint8_t *ret, size_t len)
{
    const uint8_t *at = take(cursor, len);

    if (at)
        memcpy(ret, at, len);
}

static uint64_t take_fixed(struct cursor *cursor)
{
    const uint8_t *at = take(cursor, 8);

    return at ? get_be64(at) : 0;
}

static uint8_t take_byte(struct cursor *cursor)
{
    const uint8_t *at = take(cursor, 1);

    return at ? *at : 0;
}

/* A length in one byte, then the number. */
static uint64_t take_number(struct cursor *cursor, size_t max)
{
    size_t len = take_byte(cursor);
    const uint8_t *at = take(cursor, len);
    uint64_t value = 0;

    if (len > max)
        cursor->is_bad = true;
    for (size_t i = 0; at && i < len && len <= max; i++)
        value = value << 8 | at[i];
    return value;
}

static uint32_t take_u32(struct cursor *cursor)
{
    return (uint32_t)take_number(cursor, 4);
}

static void set_text(char text[LDM_TEXT], const uint8_t *from, size_t len)
{
    size_t n = 0;

    while (from && n < len && n < LDM_TEXT - 1 && from[n] != '\0') {
        text[n] = '_';
        if (from[n] > ' ' && from[n] < 0x7f)
            text[n] = (char)from[n];
        n++;
    }
    text[n] = '\0';
}

static void take_text(struct cursor *cursor, char text[LDM_TEXT])
{
    size_t len = take_byte(cursor);

    set_text(text, take(cursor, len), len);
}

static void skip(struct cursor *cursor, size_t len)
{
    (void)take(cursor, len);
}

static void skip_var(struct cursor *cursor)
{
    skip(cursor, take_byte(cursor));
}

/* Flags of a record: which of the last fields are there. */
#define VOLUME_HAS_HINT 0x02
#define VOLUME_HAS_ID1 0x08
#define VOLUME_HAS_ID2 0x20
#define VOLUME_HAS_SIZE2 0x80
#define VOLUME_GEN 3
#define VOLUME_RAID5 4
#define VOLUME_STATE_LEN 14
#define COMPONENT_HAS_STRIPES 0x10
#define PART_HAS_INDEX 0x08

static void parse_volume(struct cursor *cursor, uint8_t flags, struct ldm_group *group)
{
    struct ldm_volume *volume = mem_add(&group->volumes, &group->n_volumes, sizeof(*volume));
    char unused[LDM_TEXT];
    uint8_t type;

    volume->id = take_u32(cursor);
    take_text(cursor, volume->name);
    skip_var(cursor); /* "gen", "raid5" */
    skip_var(cursor);
    set_text(volume->state, take(cursor, VOLUME_STATE_LEN), VOLUME_STATE_LEN);
    type = take_byte(cursor);
    cursor->is_bad |= type != VOLUME_GEN && type != VOLUME_RAID5;
    volume->is_raid5 = type == VOLUME_RAID5;
    skip(cursor, 1 + 1 + 3 + 1); /* ?, number, zeros, flags */
    volume->n_components = take_u32(cursor);
    skip(cursor, 8 + 8); /* the change that made it, an id */
    volume->size = take_number(cursor, 8);
    skip(cursor, 4);
    volume->part_type = take_byte(cursor);
    take_bytes(cursor, volume->guid, sizeof(volume->guid));
    if (flags & VOLUME_HAS_ID1)
        take_text(cursor, unused);
    if (flags & VOLUME_HAS_ID2)
        take_text(cursor, unused);
    if (flags & VOLUME_HAS_SIZE2)
        (void)take_number(cursor, 8);
    if (flags & VOLUME_HAS_HINT)
        take_text(cursor, volume->hint);
}

static void parse_component(struct cursor *cursor, uint8_t flags, struct ldm_group *group)
{
    struct ldm_component *component =
        mem_add(&group->components, &group->n_components, sizeof(*component));

    component->id = take_u32(cursor);
    skip_var(cursor); /* name */
    take_text(cursor, component->state);
    component->type = take_byte(cursor);
    skip(cursor, 4);
    component->n_parts = take_u32(cursor);
    skip(cursor, 8 + 8);
    component->parent = take_u32(cursor);
    skip(cursor, 1);
    if (flags & COMPONENT_HAS_STRIPES) {
        component->chunk = take_number(cursor, 8);
        component->n_columns = take_u32(cursor);
    }
}

static void parse_part(struct cursor *cursor, uint8_t flags, struct ldm_group *group)
{
    struct ldm_part *part = mem_add(&group->parts, &group->n_parts, sizeof(*part));

    part->id = take_u32(cursor);
    skip_var(cursor); /* name */
    skip(cursor, 4 + 8);
    part->start = take_fixed(cursor);
    part->offset = take_fixed(cursor);
    part->size = take_number(cursor, 8);
    part->parent = take_u32(cursor);
    part->disk = take_u32(cursor);
    if (flags & PART_HAS_INDEX)
        part->index = take_u32(cursor);
}

static struct ldm_disk *parse_any_disk(struct cursor *cursor, struct ldm_group *group)
{
    struct ldm_disk *disk = mem_add(&group->disks, &group->n_disks, sizeof(*disk));

    disk->id = take_u32(cursor);
    take_text(cursor, disk->name);
    return disk;
}

static void parse_disk_text(struct cursor *cursor, uint8_t flags, struct ldm_group *group)
{
    struct ldm_disk *disk = parse_any_disk(cursor, group);
    char guid[LDM_TEXT];

    (void)flags;
    take_text(cursor, guid);
    cursor->is_bad |= !parse_guid(guid, disk->guid);
}

static void parse_disk_bytes(struct cursor *cursor, uint8_t flags, struct ldm_group *group)
{
    struct ldm_disk *disk = parse_any_disk(cursor, group);
    const uint8_t *guid = take(cursor, sizeof(disk->guid));

    (void)flags;
    if (guid)
        memcpy(disk->guid, guid, sizeof(disk->guid));
}

static void parse_group(struct cursor *cursor, uint8_t flags, struct ldm_group *group)
{
    (void)flags;
    skip_var(cursor); /* id */
    take_text(cursor, group->name);
}

static void parse_nothing(struct cursor *cursor, uint8_t flags, struct ldm_group *group)
{
    (void)cursor;
    (void)flags;
    (void)group;
}

static const struct {
    uint8_t type; /* revision in the upper half */
    void (*parse)(struct cursor *cursor, uint8_t flags, struct ldm_group *group);
} kinds[] = {
    { 0x51, parse_volume },    { 0x32, parse_component },  { 0x33, parse_part },
    { 0x34, parse_disk_text }, { 0x44, parse_disk_bytes }, { 0x35, parse_group },
    { 0x45, parse_group },     { 0x00, parse_nothing },
};

static int damaged(struct err *err, const char *what)
{
    return err_status(err, STATUS_FAILED, "its LDM database is damaged (%s)", what);
}

static int parse_record(const uint8_t *bytes, size_t len, struct ldm_group *group, struct err *err)
{
    uint8_t type = bytes[RECORD_TYPE];
    struct cursor cursor = { .at = bytes + RECORD_HEADER, .end = bytes + len };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (kinds[i].type != type)
            continue;
        kinds[i].parse(&cursor, bytes[RECORD_FLAGS], group);
        return cursor.is_bad ? damaged(err, "a record makes no sense") : 0;
    }
    return err_status(err, STATUS_REFUSED, "its LDM database has a record of unknown kind %#x",
                      type);
}

/* ---- all records ---- */

struct vblks {
    const uint8_t *first;
    size_t n, size; /* blocks, and bytes of one */
};

/* A record over several blocks, which need not follow each other; the first one calls for it. */
static int parse_spread(const struct vblks *vblks, const uint8_t *first, struct ldm_group *group,
                        struct err *err)
{
    const size_t len = vblks->size - VBLK_HEADER;
    size_t total = get_be16(first + VBLK_TOTAL);
    CLEANUP_FREE uint8_t *bytes = NULL;
    uint64_t seen = 0;

    if (total > ENTRIES_MAX)
        return damaged(err, "a record is too long");
    bytes = mem_alloc(total * len);
    for (size_t i = 0; i < vblks->n; i++) {
        const uint8_t *block = vblks->first + i * vblks->size;
        size_t entry = get_be16(block + VBLK_ENTRY);

        if (get_be32(block + VBLK_RECORD) != get_be32(first + VBLK_RECORD) ||
            get_be16(block + VBLK_TOTAL) != total)
            continue;
        if (entry >= total || (seen & 1ULL << entry))
            return damaged(err, "parts of a record contradict each other");
        seen |= 1ULL << entry;
        memcpy(bytes + entry * len, block + VBLK_HEADER, len);
    }
    if (seen != (total == 64 ? UINT64_MAX : (1ULL << total) - 1))
        return damaged(err, "a part of a record is missing");
    return parse_record(bytes, total * len, group, err);
}

static int parse_vblks(const struct vblks *vblks, struct ldm_group *group, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < vblks->n && r == 0; i++) {
        const uint8_t *block = vblks->first + i * vblks->size;
        size_t total = get_be16(block + VBLK_TOTAL);

        if (total > 1 && get_be16(block + VBLK_ENTRY) == 0)
            r = parse_spread(vblks, block, group, err);
        else if (total <= 1)
            r = parse_record(block + VBLK_HEADER, vblks->size - VBLK_HEADER, group, err);
    }
    return r;
}

/* ---- the way to them ---- */

/* There are copies at both ends of the area; the sector of the table is 17 in all that was seen. */
static const uint8_t *find_vmdb(const uint8_t *config, size_t len, uint32_t sector)
{
    size_t sectors = len / sector;
    const size_t places[] = { 2, 1, sectors - 2, sectors - 3 };

    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        const uint8_t *toc = config + places[i] * sector;

        if (places[i] >= sectors || memcmp(toc, "TOCBLOCK", 8) != 0)
            continue;
        for (size_t t = 0; t < 2; t++) {
            const uint8_t *table = toc + TOC_TABLES + t * TOC_TABLE_LEN;
            uint64_t start = get_be64(table + TOC_START);

            if (memcmp(table, "config\0", 7) == 0 && start < sectors &&
                len - start * sector >= VMDB_LEN && memcmp(config + start * sector, "VMDB", 4) == 0)
                return config + start * sector;
        }
    }
    return NULL;
}

/* As many as there are: the first block without the magic number ends them. */
static int find_vblks(const uint8_t *vmdb, size_t len, struct vblks *ret, struct err *err)
{
    uint32_t size = get_be32(vmdb + VMDB_VBLK_SIZE), offset = get_be32(vmdb + VMDB_VBLK_OFFSET);

    if (size < VBLK_MIN || size > VBLK_MAX || offset < VMDB_LEN || offset > len)
        return damaged(err, "the size of its records");
    *ret = (struct vblks){ .first = vmdb + offset, .size = size };
    while (ret->n < VBLKS_MAX && (ret->n + 1) * size <= len - offset &&
           memcmp(ret->first + ret->n * size, "VBLK", 4) == 0)
        ret->n++;
    return 0;
}

int ldm_group_parse(const uint8_t *config, size_t len, uint32_t sector, struct ldm_group *ret,
                    struct err *err)
{
    const uint8_t *vmdb = len / sector >= 4 ? find_vmdb(config, len, sector) : NULL;
    struct vblks vblks = { 0 };
    int r;

    *ret = (struct ldm_group){ 0 };
    if (!vmdb)
        return damaged(err, "its table of contents");
    if (get_be16(vmdb + VMDB_MAJOR) != VMDB_KNOWN)
        return err_status(err, STATUS_REFUSED, "its LDM database is of version %u, not %u",
                          get_be16(vmdb + VMDB_MAJOR), VMDB_KNOWN);
    r = find_vblks(vmdb, len - (size_t)(vmdb - config), &vblks, err);
    if (r < 0)
        return r;
    set_text(ret->name, vmdb + VMDB_NAME, VMDB_NAME_LEN);
    ret->sequence = get_be64(vmdb + VMDB_COMMITTED);
    ret->is_settled = get_be16(vmdb + VMDB_STATUS) == 1;
    r = parse_vblks(&vblks, ret, err);
    if (r == 0 && ret->is_settled &&
        (get_be32(vmdb + VMDB_COUNTS) != ret->n_volumes ||
         get_be32(vmdb + VMDB_COUNTS + 4) != ret->n_components ||
         get_be32(vmdb + VMDB_COUNTS + 8) != ret->n_parts ||
         get_be32(vmdb + VMDB_COUNTS + 12) != ret->n_disks))
        r = damaged(err, "records are missing");
    return r;
}

void ldm_group_done(struct ldm_group *group)
{
    free(group->disks);
    free(group->volumes);
    free(group->components);
    free(group->parts);
    *group = (struct ldm_group){ 0 };
}
