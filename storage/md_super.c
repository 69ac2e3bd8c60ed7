/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/md_super.h"

#include <errno.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"

#define MAGIC 0xa92b4efcU
#define CLEAN UINT64_MAX /* resync_offset */

/* 0.90: 1024 words of the host's byte order (little-endian here), by word number */
enum {
    V0_MAGIC = 0,
    V0_MAJOR = 1,
    V0_MINOR = 2, /* 90, or 91 while it is reshaped */
    V0_UUID0 = 5,
    V0_CTIME = 6,
    V0_LEVEL = 7,
    V0_SIZE = 8, /* KiB of each device */
    V0_RAID_DISKS = 10,
    V0_MD_MINOR = 11,
    V0_UUID1 = 13,
    V0_STATE = 33,
    V0_CSUM = 38,
    V0_EVENTS_LO = 39,
    V0_EVENTS_HI = 40,
    V0_LAYOUT = 64,
    V0_CHUNK = 65, /* bytes */
    V0_DISKS = 128,
    V0_THIS_NUMBER = 992,
    V0_THIS_ROLE = 995,
    V0_WORDS = 1024,
};
#define V0_DISK_WORDS 32U
#define V0_DISKS_MAX 27U
#define V0_STATE_CLEAN 1U
#define V0_DISK_ROLE 3
#define V0_DISK_STATE 4
#define V0_DISK_FAULTY 1U /* bits of a disk's state */
#define V0_DISK_ACTIVE 2U
#define V0_DISK_SYNC 4U
#define V0_RESERVED 128U /* sectors at the end */

/* 1.x: bytes */
enum {
    V1_MAJOR = 4,
    V1_FEATURES = 8,
    V1_UUID = 16,
    V1_NAME = 32,
    V1_CTIME = 64,
    V1_LEVEL = 72,
    V1_LAYOUT = 76,
    V1_SIZE = 80,
    V1_CHUNK = 88,
    V1_RAID_DISKS = 92,
    V1_DATA_OFFSET = 128,
    V1_DATA_SIZE = 136,
    V1_SUPER_OFFSET = 144,
    V1_DEV_NUMBER = 160,
    V1_EVENTS = 200,
    V1_RESYNC = 208,
    V1_CSUM = 216,
    V1_MAX_DEV = 220,
    V1_ROLES = 256,
};
#define V1_NAME_LEN 32
#define V1_CTIME_SECONDS ((1ULL << 40) - 1)

size_t md_super_places(uint64_t sectors, struct md_place places[MD_PLACES])
{
    size_t n = 0;

    if (sectors > 8 + MD_SUPER_MAX / MD_SECTOR) {
        places[n++] = (struct md_place){ 1, 1, 0 };
        places[n++] = (struct md_place){ 1, 2, 8 };
    }
    if (sectors >= 24)
        places[n++] = (struct md_place){ 1, 0, (sectors & ~7ULL) - 16 };
    if (sectors >= 2ULL * V0_RESERVED)
        places[n++] =
            (struct md_place){ 0, 90, (sectors & ~(uint64_t)(V0_RESERVED - 1)) - V0_RESERVED };
    return n;
}

static uint32_t word(const uint8_t *data, size_t number)
{
    return get_le32(data + number * 4);
}

/* The sum of all words, the checksum counted as zero. */
static uint32_t v0_checksum(const uint8_t *data)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < V0_WORDS; i++)
        sum += i == V0_CSUM ? 0 : word(data, i);
    return (uint32_t)sum + (uint32_t)(sum >> 32);
}

static void v0_roles(const uint8_t *data, struct md_super *super)
{
    super->n_roles = V0_DISKS_MAX;
    for (size_t i = 0; i < V0_DISKS_MAX; i++) {
        size_t at = V0_DISKS + i * V0_DISK_WORDS;
        uint32_t role = word(data, at + V0_DISK_ROLE), state = word(data, at + V0_DISK_STATE);
        bool in_sync = (state & V0_DISK_ACTIVE) && (state & V0_DISK_SYNC);

        super->roles[i] = MD_ROLE_SPARE;
        if (state & V0_DISK_FAULTY)
            super->roles[i] = MD_ROLE_FAULTY;
        else if (in_sync && role < super->raid_disks)
            super->roles[i] = (uint16_t)role;
    }
}

static bool has_size(int32_t level)
{
    return level != 0 && level != MD_LEVEL_LINEAR;
}

static int parse_v0(const uint8_t *data, size_t len, const struct md_place *place,
                    struct md_super *super)
{
    static const uint8_t uuid_words[] = { V0_UUID0, V0_UUID1, V0_UUID1 + 1, V0_UUID1 + 2 };

    if (len < MD_SUPER_MAX || word(data, V0_CSUM) != v0_checksum(data))
        return -EBADMSG;
    super->minor = 90;
    for (size_t i = 0; i < ARRAY_SIZE(uuid_words); i++) {
        uint32_t big = htobe32(word(data, uuid_words[i]));

        memcpy(super->uuid + 4 * i, &big, sizeof(big));
    }
    super->md_minor = word(data, V0_MD_MINOR);
    super->ctime = word(data, V0_CTIME);
    super->events = (uint64_t)word(data, V0_EVENTS_HI) << 32 | word(data, V0_EVENTS_LO);
    super->features = word(data, V0_MINOR) > 90 ? MD_FEATURE_RESHAPE : 0;
    super->level = (int32_t)word(data, V0_LEVEL);
    super->layout = word(data, V0_LAYOUT);
    super->chunk = word(data, V0_CHUNK) / MD_SECTOR;
    super->size = has_size(super->level) ? (uint64_t)word(data, V0_SIZE) * 2 : 0;
    super->data_size = place->sector;
    super->resync_offset = word(data, V0_STATE) & V0_STATE_CLEAN ? CLEAN : 0;
    super->raid_disks = word(data, V0_RAID_DISKS);
    super->dev_number = word(data, V0_THIS_NUMBER);
    if (super->raid_disks > V0_DISKS_MAX || super->dev_number >= V0_DISKS_MAX)
        return -EBADMSG;
    v0_roles(data, super);
    return 0;
}

/* The sum of all words of the header and its roles, the checksum counted as zero. */
static uint32_t v1_checksum(const uint8_t *data, size_t len)
{
    uint64_t sum = 0;
    size_t at;

    for (at = 0; at + 4 <= len; at += 4)
        sum += at == V1_CSUM ? 0 : get_le32(data + at);
    if (at + 2 <= len)
        sum += get_le16(data + at);
    return (uint32_t)sum + (uint32_t)(sum >> 32);
}

static int parse_v1(const uint8_t *data, size_t len, const struct md_place *place,
                    struct md_super *super)
{
    uint32_t max_dev;

    if (len < V1_ROLES || get_le64(data + V1_SUPER_OFFSET) != place->sector)
        return -EBADMSG;
    max_dev = get_le32(data + V1_MAX_DEV);
    if (max_dev > (len - V1_ROLES) / 2 ||
        get_le32(data + V1_CSUM) != v1_checksum(data, V1_ROLES + 2 * (size_t)max_dev))
        return -EBADMSG;
    super->minor = place->minor;
    memcpy(super->uuid, data + V1_UUID, sizeof(super->uuid));
    memcpy(super->name, data + V1_NAME, V1_NAME_LEN);
    super->ctime = get_le64(data + V1_CTIME) & V1_CTIME_SECONDS;
    super->events = get_le64(data + V1_EVENTS);
    super->features = get_le32(data + V1_FEATURES);
    super->level = (int32_t)get_le32(data + V1_LEVEL);
    super->layout = get_le32(data + V1_LAYOUT);
    super->chunk = get_le32(data + V1_CHUNK);
    super->size = has_size(super->level) ? get_le64(data + V1_SIZE) : 0;
    super->data_offset = get_le64(data + V1_DATA_OFFSET);
    super->data_size = get_le64(data + V1_DATA_SIZE);
    super->resync_offset = get_le64(data + V1_RESYNC);
    super->raid_disks = get_le32(data + V1_RAID_DISKS);
    super->dev_number = get_le32(data + V1_DEV_NUMBER);
    super->n_roles = max_dev < MD_DISKS_MAX ? max_dev : MD_DISKS_MAX;
    for (size_t i = 0; i < super->n_roles; i++)
        super->roles[i] = get_le16(data + V1_ROLES + 2 * i);
    return 0;
}

/* Does what it says lie on the device, and behind no superblock of its own? */
static bool in_bounds(const struct md_super *super, uint64_t sectors)
{
    return super->raid_disks > 0 && super->raid_disks <= MD_DISKS_MAX &&
           super->data_offset <= sectors && super->data_size <= sectors - super->data_offset &&
           super->size <= super->data_size;
}

int md_super_parse(const uint8_t *data, size_t len, const struct md_place *place, uint64_t sectors,
                   struct md_super *ret)
{
    int r;

    if (len < 8 || get_le32(data) != MAGIC || get_le32(data + V1_MAJOR) != place->major)
        return -ENOENT;
    memset(ret, 0, sizeof(*ret));
    ret->major = place->major;
    ret->super_offset = place->sector;
    r = place->major == 0 ? parse_v0(data, len, place, ret) : parse_v1(data, len, place, ret);
    if (r < 0)
        return r;
    return in_bounds(ret, sectors) ? 0 : -EBADMSG;
}

uint16_t md_super_role(const struct md_super *super)
{
    return super->dev_number < super->n_roles ? super->roles[super->dev_number] : MD_ROLE_SPARE;
}

const char *md_level_name(int32_t level)
{
    static const struct {
        int32_t level;
        const char *name;
    } names[] = {
        { MD_LEVEL_MULTIPATH, "multipath" },
        { MD_LEVEL_LINEAR, "linear" },
        { 0, "raid0" },
        { 1, "raid1" },
        { 4, "raid4" },
        { 5, "raid5" },
        { 6, "raid6" },
        { 10, "raid10" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (names[i].level == level)
            return names[i].name;
    return NULL;
}

/* Intel's anchor is in the last sector but one and begins with this text. */
#define IMSM_SIGNATURE "Intel Raid ISM Cfg Sig. "
/* SNIA DDF 2.0, 5.5: the anchor header in the last sector; big-endian, but some write the magic
 * the other way round */
#define DDF_MAGIC 0xde11de11U

const char *md_foreign_raid(const uint8_t *tail, size_t len)
{
    const uint8_t *last;

    if (len < 2 * (size_t)MD_SECTOR)
        return NULL;
    last = tail + len - MD_SECTOR;
    if (memcmp(last - MD_SECTOR, IMSM_SIGNATURE, strlen(IMSM_SIGNATURE)) == 0)
        return "Intel RAID (IMSM)";
    if (get_be32(last) == DDF_MAGIC || get_le32(last) == DDF_MAGIC)
        return "DDF RAID";
    return NULL;
}
