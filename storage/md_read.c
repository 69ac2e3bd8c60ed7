/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/md_read.h"

#include <errno.h>

static int read_at(const struct volume *volume, const struct md_place *place,
                   struct md_super *super)
{
    uint8_t data[MD_SUPER_MAX];
    uint64_t at = place->sector * MD_SECTOR, left = volume->size_bytes - at;
    size_t len = left < sizeof(data) ? (size_t)left : sizeof(data);
    int r = volume_read(volume, at, data, len);

    return r < 0 ? r : md_super_parse(data, len, place, volume->size_bytes / MD_SECTOR, super);
}

static int read_best(const struct volume *volume, bool only_end, struct md_super *ret)
{
    struct md_place places[MD_PLACES];
    size_t n = md_super_places(volume->size_bytes / MD_SECTOR, places);
    bool found = false, damaged = false;

    for (size_t i = 0; i < n; i++) {
        struct md_super super;
        int r;

        if (only_end && places[i].sector <= 8)
            continue;
        r = read_at(volume, &places[i], &super);
        damaged |= r == -EBADMSG;
        if (r < 0 && r != -EBADMSG && r != -ENOENT)
            return r;
        if (r == 0 && (!found || super.ctime > ret->ctime)) {
            *ret = super;
            found = true;
        }
    }
    return found ? 1 : damaged ? -EBADMSG : 0;
}

int md_super_read(const struct volume *volume, struct md_super *ret)
{
    return read_best(volume, false, ret);
}

int md_super_read_end(const struct volume *volume, struct md_super *ret)
{
    return read_best(volume, true, ret);
}

const char *md_foreign_read(const struct volume *volume)
{
    uint8_t tail[2 * MD_SECTOR];
    uint64_t end = volume->size_bytes / MD_SECTOR * MD_SECTOR;

    if (end < sizeof(tail) || volume_read(volume, end - sizeof(tail), tail, sizeof(tail)) < 0)
        return NULL;
    return md_foreign_raid(tail, sizeof(tail));
}
