/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/ntfs.h"

#include <string.h>

#include "engine/base/le.h"
#include "storage/hibernation.h"
#include "storage/ntfs_read.h"

/* ---- $Volume ---- */

#define VOLUME_FLAGS 10 /* u16 in $VOLUME_INFORMATION */
#define VOLUME_IS_DIRTY 1U

static bool look_at_volume(const struct ntfs *fs, struct ntfs_state *state)
{
    struct ntfs_record record;
    struct ntfs_attr info;

    if (!ntfs_record_read(fs, NTFS_FILE_VOLUME, &record) ||
        !ntfs_attr_find(&record, NTFS_AT_VOLUME_INFORMATION, NULL, &info) || !info.value ||
        info.size < VOLUME_FLAGS + 2)
        return false;
    state->marked = get_le16(info.value + VOLUME_FLAGS) & VOLUME_IS_DIRTY;
    return true;
}

/* ---- $LogFile ---- */

/* A restart page; all that is read of it lies in its first sector, before the bytes that the update
 * sequence replaces. */
#define PAGE_SIZE_AT 16   /* u32 */
#define AREA_OFFSET_AT 24 /* u16 */
#define MINOR_AT 26       /* u16 */
#define MAJOR_AT 28       /* u16 */
#define AREA_LSN 0        /* u64: the newer of two pages counts */
#define AREA_IN_USE 12    /* u16: first client that has the log open */
#define AREA_FLAGS 14     /* u16 */
#define AREA_LEN 16
#define NO_CLIENT 0xffffU
#define AREA_IS_CLEAN 2U
#define SECTOR 512U
#define DEFAULT_PAGE 4096U

struct restart {
    uint64_t lsn;
    bool clean, cached;
    uint32_t page_size;
};

enum page { PAGE_OTHER, PAGE_EMPTY, PAGE_RESTART };

static enum page look_at_page(const struct ntfs *fs, const struct ntfs_attr *log, uint64_t at,
                              struct restart *ret)
{
    uint8_t page[SECTOR];
    const uint8_t *area;
    uint16_t offset;

    if (!ntfs_attr_read(fs, log, at, page, sizeof(page)))
        return PAGE_OTHER;
    if (get_le32(page) == 0xffffffffU)
        return PAGE_EMPTY;
    offset = get_le16(page + AREA_OFFSET_AT);
    if ((memcmp(page, "RSTR", 4) != 0 && memcmp(page, "CHKD", 4) != 0) ||
        offset > SECTOR - 2 - AREA_LEN)
        return PAGE_OTHER;
    area = page + offset;
    *ret = (struct restart){
        .lsn = get_le64(area + AREA_LSN),
        .clean = get_le16(area + AREA_IN_USE) == NO_CLIENT ||
                 (get_le16(area + AREA_FLAGS) & AREA_IS_CLEAN),
        /* the version that Windows 8 and later write while a volume is in use */
        .cached = get_le16(page + MAJOR_AT) == 2 && get_le16(page + MINOR_AT) == 0,
        .page_size = get_le32(page + PAGE_SIZE_AT),
    };
    return PAGE_RESTART;
}

static bool look_at_log(const struct ntfs *fs, struct ntfs_state *state)
{
    struct ntfs_record record;
    struct ntfs_attr log;
    struct restart one = { .page_size = DEFAULT_PAGE }, two = { 0 };
    enum page first, second;

    if (!ntfs_record_read(fs, NTFS_FILE_LOG, &record) ||
        !ntfs_attr_find(&record, NTFS_AT_DATA, NULL, &log) || log.value)
        return false;
    first = look_at_page(fs, &log, 0, &one);
    if (first == PAGE_EMPTY) /* emptied by a driver that has no log */
        return true;
    second = look_at_page(fs, &log, one.page_size, &two);
    if (second == PAGE_RESTART && (first != PAGE_RESTART || two.lsn > one.lsn))
        one = two;
    else if (first != PAGE_RESTART)
        return false;
    state->log_dirty = !one.clean;
    state->cached = one.cached;
    return true;
}

/* ---- hiberfil.sys ---- */

#define HIBERFIL_MIN 4096U /* Windows leaves a shorter one on volumes without a system */

static bool look_at_hiberfil(const struct ntfs *fs, struct ntfs_state *state)
{
    struct ntfs_record record;
    struct ntfs_attr data;
    uint8_t magic[4];
    uint64_t number = 0;

    if (!ntfs_root_find(fs, "hiberfil.sys", &number))
        return false;
    if (number == 0)
        return true;
    if (!ntfs_record_read(fs, number, &record) ||
        !ntfs_attr_find(&record, NTFS_AT_DATA, NULL, &data))
        return false;
    if (data.size < HIBERFIL_MIN) {
        state->hibernated = data.size > 0;
        return true;
    }
    if (!ntfs_attr_read(fs, &data, 0, magic, sizeof(magic)))
        return false;
    state->hibernated |= hibernation_is_image(magic);
    return true;
}

/* ---- all of it ---- */

void ntfs_state_read(const struct volume *volume, struct ntfs_state *ret)
{
    struct ntfs fs;

    *ret = (struct ntfs_state){ 0 };
    if (!ntfs_open(volume, &fs)) {
        ret->unreadable = true;
        return;
    }
    ret->unreadable |= !look_at_volume(&fs, ret);
    ret->unreadable |= !look_at_log(&fs, ret);
    ret->unreadable |= !look_at_hiberfil(&fs, ret);
    ntfs_close(&fs);
}

bool ntfs_is_dirty(const struct volume *volume)
{
    struct ntfs_state state;

    ntfs_state_read(volume, &state);
    return state.log_dirty;
}

const char *ntfs_not_written(const struct ntfs_state *state)
{
    if (state->hibernated)
        return "Windows is hibernated (or shut down with fast startup) on it: start Windows and "
               "shut it down completely (shutdown /s /f /t 0, fast startup off), or give up what "
               "it "
               "keeps (--discard-hibernation)";
    if (state->cached)
        return "Windows keeps some of its metadata in memory (fast startup, or it was not shut "
               "down): start Windows and shut it down completely, or give up what it keeps "
               "(--discard-hibernation)";
    if (state->marked)
        return "it is marked dirty: start Windows and let it check the volume (chkdsk /f)";
    if (state->unreadable)
        return "whether Windows is hibernated on it cannot be found out: it is damaged or of an "
               "unusual layout; let Windows check it (chkdsk /f)";
    return NULL;
}
