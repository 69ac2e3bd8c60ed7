/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* BitLocker volumes: libcryptsetup finds the key, in a copy of the metadata in memory. */
#include "storage/crypt_bitlk.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "storage/crypt_opening.h"

#define BOOT_COPY 4096U /* as much as the boot sector can have */

static int damaged(struct opening *opening)
{
    return opening_refuse(opening, STATUS_FAILED, "its metadata is damaged");
}

/* The first copy of the metadata that is one, as the library does. */
static int read_meta(struct opening *opening, const uint64_t areas[BITLK_AREAS], uint8_t *area,
                     struct bitlk_meta *ret, uint64_t *ret_at)
{
    for (size_t i = 0; i < BITLK_AREAS; i++) {
        if (io_pread_full(opening->copy, area, BITLK_AREA_SIZE, areas[i]) < 0 ||
            !bitlk_meta_parse(area, BITLK_AREA_SIZE, ret))
            continue;
        *ret_at = areas[i];
        return 0;
    }
    return damaged(opening);
}

static int copy_all(struct opening *opening, uint64_t areas[BITLK_AREAS], uint32_t *ret_sector_size)
{
    uint64_t size = opening_source_size(opening->request);
    uint8_t boot[BITLK_BOOT_SIZE];
    int r;

    if (ftruncate(opening->copy, (off_t)size) < 0)
        return opening_refuse(opening, STATUS_FAILED, "copy its metadata: %s", strerror(errno));
    r = opening_copy(opening, 0, BOOT_COPY);
    if (r < 0)
        return r;
    if (io_pread_full(opening->copy, boot, sizeof(boot), 0) < 0 || !bitlk_areas(boot, areas))
        return opening_refuse(
            opening, STATUS_REFUSED,
            "it is not encrypted as a whole: Windows encrypts what is written, or "
            "it is of Windows Vista; let Windows finish the encryption");
    *ret_sector_size = bitlk_sector_size(boot);
    for (size_t i = 0; i < BITLK_AREAS && r == 0; i++)
        r = opening_copy(opening, areas[i], BITLK_AREA_SIZE);
    return r;
}

/* 1: opened, 0: not by this key. */
static int try_secret(struct opening *opening, const void *secret, size_t len)
{
    struct crypt_answer *answer = opening->answer;
    size_t key_len = sizeof(answer->key);

    if (crypt_volume_key_get(opening->cd, CRYPT_ANY_SLOT, (char *)answer->key, &key_len, secret,
                             len) < 0)
        return 0;
    answer->key_len = key_len;
    answer->slot = -1;
    return 1;
}

static int try_key(struct opening *opening, const struct key *key)
{
    return try_secret(opening, key->secret, key->len);
}

/* While its protection is suspended, the key lies beside what it locks. */
static int open_suspended(struct opening *opening, uint8_t *area, const struct bitlk_meta *meta,
                          uint64_t at, uint8_t bek[BITLK_BEK_MAX], size_t *ret_len)
{
    *ret_len = bitlk_clear_to_startup(area, meta, bek);
    if (*ret_len > 0 && io_pwrite_full(opening->copy, area, BITLK_AREA_SIZE, at) < 0)
        return damaged(opening);
    return 0;
}

static int find_key(struct opening *opening)
{
    static uint8_t area[BITLK_AREA_SIZE];
    struct crypt_answer *answer = opening->answer;
    uint64_t areas[BITLK_AREAS] = { 0 }, at = 0,
             all = opening->request->volume->size_bytes / CRYPT_SECTOR;
    struct bitlk_meta meta = { 0 };
    uint8_t bek[BITLK_BEK_MAX] = { 0 };
    size_t bek_len = 0;
    uint32_t sector_size = 0;
    int r = copy_all(opening, areas, &sector_size);

    if (r == 0)
        r = read_meta(opening, areas, area, &meta, &at);
    if (r == 0)
        r = open_suspended(opening, area, &meta, at, bek, &bek_len);
    if (r == 0)
        r = opening_load(opening, CRYPT_BITLK);
    if (r < 0)
        return r;
    if (meta.state != BITLK_STATE_ENCRYPTED)
        return opening_refuse(opening, STATUS_REFUSED,
                              "its encryption was begun and not finished (state %u): let Windows "
                              "finish it",
                              meta.state);
    if (!bitlk_rows(&meta, areas, all, answer->rows, &answer->n_rows))
        return damaged(opening);
    answer->sector_size = sector_size;
    answer->iv_large = answer->sector_size > CRYPT_SECTOR;
    r = bek_len > 0 ? try_secret(opening, bek, bek_len) : 0;
    return r == 0 ? opening_try_keys(opening, try_key) : r;
}

void crypt_bitlk_open(const struct crypt_request *request, struct crypt_answer *answer)
{
    CLEANUP_FD int copy = memfd_create("h2k-header", MFD_CLOEXEC);
    struct opening opening = { .request = request, .answer = answer, .copy = copy };
    int r = copy < 0
                ? opening_refuse(&opening, STATUS_FAILED, "copy its metadata: %s", strerror(errno))
                : find_key(&opening);

    if (r == 1)
        answer->status = STATUS_OK;
    crypt_free(opening.cd);
}
