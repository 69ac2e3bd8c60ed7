/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LUKS1 and LUKS2 headers, through libcryptsetup on a copy in memory. Of the formats only so much
 * is known here as says what to copy:
 *   both: "LUKS" 0xba 0xbe, version (u16, big-endian) at 6;
 *   LUKS1 (on-disk format 1.2.3): the header has 592 bytes;
 *   LUKS2 (on-disk format 1.1.4): size of one of two headers (u64, big-endian) at 8, a power of two
 *   from 16 KiB to 4 MiB; the second one follows the first.
 * The areas of the key slots are copied where the library says that they are.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "storage/crypt_opening.h"

#define MAGIC "LUKS\xba\xbe"
#define LUKS1_SIZE 4096U
#define LUKS2_SIZE_MIN (16U << 10)
#define LUKS2_SIZE_MAX (4U << 20)
#define AREA_MAX (16U << 20) /* of one key slot; usual are 250 KiB */

/* ---- the copy ---- */

/* How much of the start is the header; all that it can be when the first copy is damaged. */
static uint64_t header_len(const unsigned char start[16])
{
    uint64_t size = get_be64(start + 8);

    if (memcmp(start, MAGIC, strlen(MAGIC)) == 0 && get_be16(start + 6) == 1)
        return LUKS1_SIZE;
    if (memcmp(start, MAGIC, strlen(MAGIC)) != 0 || size < LUKS2_SIZE_MIN ||
        size > LUKS2_SIZE_MAX || (size & (size - 1)) != 0)
        size = LUKS2_SIZE_MAX;
    return 2 * size;
}

static int copy_header(struct opening *opening)
{
    unsigned char start[16];
    uint64_t size = opening->request->volume->size_bytes;
    int r = opening_copy(opening, 0, sizeof(start));

    /* the library compares the sizes of both */
    if (size < opening_source_size(opening->request))
        size = opening_source_size(opening->request);
    if (r < 0)
        return r;
    if (ftruncate(opening->copy, (off_t)size) < 0)
        return opening_refuse(opening, STATUS_FAILED, "copy its header: %s", strerror(errno));
    if (io_pread_full(opening->copy, start, sizeof(start), 0) < 0)
        return opening_refuse(opening, STATUS_FAILED, "it is too small for a header");
    return opening_copy(opening, 0, header_len(start));
}

/* ---- what it is ---- */

static bool is_backup(const json_t *segment)
{
    const json_t *flag;
    size_t i;

    json_array_foreach(json_object_get(segment, "flags"), i, flag)
    {
        const char *name = json_string_value(flag);

        if (name && strncmp(name, "backup", strlen("backup")) == 0)
            return true;
    }
    return false;
}

/* *ret: sectors; 0: up to the end of the volume. */
static int check_segment(struct opening *opening, const json_t *segment, uint64_t *ret)
{
    const char *type = json_string_value(json_object_get(segment, "type"));
    const char *size = json_string_value(json_object_get(segment, "size"));
    uint64_t bytes = 0;

    if (json_object_get(segment, "integrity"))
        return opening_refuse(
            opening, STATUS_REFUSED,
            "it is a LUKS2 volume with integrity protection, which h2k does not open");
    if (!type || strcmp(type, "crypt") != 0)
        return opening_refuse(
            opening, STATUS_REFUSED,
            "its data is not encrypted by software alone (segment type %.32s), which h2k "
            "does not open",
            type ? type : "unknown");
    if (!size || (strcmp(size, "dynamic") != 0 && io_parse_u64(size, INT64_MAX, &bytes) < 0))
        return opening_refuse(opening, STATUS_FAILED,
                              "its LUKS header is damaged: size of the data");
    *ret = bytes / CRYPT_SECTOR;
    return 0;
}

/* The library tells the first segment only. */
static int check_segments(struct opening *opening, uint64_t *ret)
{
    const char *text = NULL, *name;
    json_t *document, *segment, *only = NULL;
    size_t n = 0;
    int r;

    if (strcmp(opening->answer->type, CRYPT_LUKS2) != 0)
        return 0;
    if (crypt_dump_json(opening->cd, &text, 0) < 0)
        return opening_refuse(opening, STATUS_FAILED, "its LUKS header is damaged");
    document = json_loads(text, 0, NULL);
    json_object_foreach(json_object_get(document, "segments"), name, segment)
    {
        if (is_backup(segment))
            continue;
        only = segment;
        n++;
    }
    r = n == 1 ? check_segment(opening, only, ret)
               : opening_refuse(
                     opening, STATUS_REFUSED,
                     "its data lies in %zu segments: a change of its encryption was begun and "
                     "not finished; finish it in the guest",
                     n);
    json_decref(document);
    return r;
}

static int check_requirements(struct opening *opening)
{
    static const struct {
        uint32_t flag;
        const char *text;
    } known[] = {
        { CRYPT_REQUIREMENT_ONLINE_REENCRYPT,
          "it is being re-encrypted: finish that in the guest (cryptsetup reencrypt "
          "--resume-only)" },
        { CRYPT_REQUIREMENT_OFFLINE_REENCRYPT,
          "its re-encryption was begun and not finished: finish it in the guest" },
    };
    uint32_t flags = 0;

    if (strcmp(opening->answer->type, CRYPT_LUKS2) != 0)
        return 0;
    if (crypt_persistent_flags_get(opening->cd, CRYPT_FLAGS_REQUIREMENTS, &flags) < 0)
        return opening_refuse(opening, STATUS_FAILED, "its LUKS header is damaged: requirements");
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (flags & known[i].flag)
            return opening_refuse(opening, STATUS_REFUSED, "%s", known[i].text);
    if (flags)
        return opening_refuse(
            opening, STATUS_REFUSED,
            "its LUKS header requires something that this libcryptsetup does not know");
    return 0;
}

/* Where the data lies. What reaches beyond the end is found by who knows the volume. */
static void describe(struct opening *opening, uint64_t n_sectors)
{
    struct crypt_row *row = &opening->answer->rows[0];
    uint64_t all = opening->request->volume->size_bytes / CRYPT_SECTOR;
    uint64_t unit = opening->answer->sector_size / CRYPT_SECTOR;

    row->at = crypt_get_data_offset(opening->cd);
    row->iv = crypt_get_iv_offset(opening->cd);
    row->len = n_sectors;
    if (n_sectors == 0 && row->at < all && unit > 0)
        row->len = (all - row->at) / unit * unit;
    opening->answer->n_rows = 1;
}

/* ---- keys ---- */

/* 1: opened, 0: not by this key. */
static int try_slot(struct opening *opening, int slot, const struct key *key)
{
    struct crypt_answer *answer = opening->answer;
    struct crypt_pbkdf_type kdf = { 0 };
    CLEANUP_FD int lock = -1;
    char text[160];
    size_t len = sizeof(answer->key);
    int r = crypt_keyslot_get_pbkdf(opening->cd, slot, &kdf);

    if (r == 0 && kdf.max_memory_kb > 0) {
        enum err_status status = crypt_memory_take(kdf.max_memory_kb, &lock, text, sizeof(text));

        if (status != STATUS_OK) {
            /* another slot may do; else this is what is to be said */
            (void)opening_refuse(opening, status, "key slot %d was not tried: %s", slot, text);
            return 0;
        }
    }
    r = crypt_volume_key_get(opening->cd, slot, (char *)answer->key, &len, key->secret, key->len);
    if (r < 0)
        return 0;
    answer->key_len = len;
    answer->slot = slot;
    return 1;
}

static bool is_in_use(struct opening *opening, int slot)
{
    crypt_keyslot_info status = crypt_keyslot_status(opening->cd, slot);

    return (status == CRYPT_SLOT_ACTIVE || status == CRYPT_SLOT_ACTIVE_LAST) &&
           crypt_keyslot_get_priority(opening->cd, slot) != CRYPT_SLOT_PRIORITY_IGNORE;
}

static int copy_slots(struct opening *opening, int n_slots)
{
    for (int slot = 0; slot < n_slots; slot++) {
        uint64_t at = 0, len = 0;
        int r;

        if (!is_in_use(opening, slot))
            continue;
        if (crypt_keyslot_area(opening->cd, slot, &at, &len) < 0 || len > AREA_MAX)
            return opening_refuse(opening, STATUS_FAILED, "its LUKS header is damaged: key slot %d",
                                  slot);
        r = opening_copy(opening, at, len);
        if (r < 0)
            return r;
    }
    return 0;
}

static int try_key(struct opening *opening, const struct key *key)
{
    int n_slots = crypt_keyslot_max(opening->answer->type), r = 0;

    for (int slot = 0; slot < n_slots && r == 0; slot++)
        r = is_in_use(opening, slot) ? try_slot(opening, slot, key) : 0;
    return r;
}

void crypt_luks_open(const struct crypt_request *request, struct crypt_answer *answer)
{
    CLEANUP_FD int copy = memfd_create("h2k-header", MFD_CLOEXEC);
    struct opening opening = { .request = request, .answer = answer, .copy = copy };
    uint64_t n_sectors = 0;
    int r = copy < 0
                ? opening_refuse(&opening, STATUS_FAILED, "copy its header: %s", strerror(errno))
                : copy_header(&opening);

    if (r == 0)
        r = opening_load(&opening, CRYPT_LUKS);
    if (r == 0)
        r = check_requirements(&opening);
    if (r == 0)
        r = check_segments(&opening, &n_sectors);
    if (r == 0) {
        describe(&opening, n_sectors);
        r = copy_slots(&opening, crypt_keyslot_max(answer->type));
    }
    if (r == 0)
        r = opening_try_keys(&opening, try_key);
    if (r == 1)
        answer->status = STATUS_OK;
    crypt_free(opening.cd);
}
