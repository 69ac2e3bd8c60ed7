/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/lvm_state.h"

#include <string.h>

#include "engine/base/le.h"

#define RAID_MAGIC 0x64526d44U
#define THIN_MAGIC 27022010U
#define THIN_NEEDS_CHECK 1U

bool lvm_raid_super_parse(const uint8_t bytes[LVM_RAID_SUPER], struct lvm_raid_super *ret)
{
    if (get_le32(bytes) != RAID_MAGIC)
        return false;
    *ret = (struct lvm_raid_super){
        .n_devices = get_le32(bytes + 8),
        .position = get_le32(bytes + 12),
        .events = get_le64(bytes + 16),
        .failed = get_le64(bytes + 24),
        .recovery_offset = get_le64(bytes + 32),
        .resync_offset = get_le64(bytes + 40),
    };
    return true;
}

bool lvm_raid_is_stale(const struct lvm_raid_super *newest, const struct lvm_raid_super *own,
                       size_t position)
{
    return !own || own->events + 1 < newest->events || own->recovery_offset != UINT64_MAX ||
           (position < 64 && (newest->failed & 1ULL << position));
}

bool lvm_thin_super_parse(const uint8_t bytes[LVM_THIN_SUPER], struct lvm_thin_super *ret)
{
    if (get_le64(bytes + 32) != THIN_MAGIC)
        return false;
    ret->needs_check = (get_le32(bytes + 4) & THIN_NEEDS_CHECK) != 0;
    ret->transaction = get_le64(bytes + 48);
    return true;
}
