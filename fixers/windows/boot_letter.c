/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The letter of Windows' own volume in MountedDevices. A copy of the disk keeps what the entry
 * names: on a disk with an MBR its signature and the byte where the partition begins, else the GUID
 * of the partition. Only an entry that leads nowhere is put right: with another letter than it was
 * installed with, Windows finds nothing of its own.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "fixers/plan_hive.h"
#include "fixers/windows/boot.h"
#include "inspect/windows/facts.h"
#include "inspect/windows/guid.h"

static const char gpt_mark[] = "DMIO:ID:"; /* then the GUID */
#define MBR_LEN 12U
#define GUID_DIGITS ((size_t)2 * GUID_LEN)
#define GPT_LEN (sizeof(gpt_mark) - 1 + GUID_LEN)

/* Bytes of a GUID in the order of its text. */
static const unsigned char guid_order[GUID_LEN] = { 3, 2, 1,  0,  5,  4,  7,  6,
                                                    8, 9, 10, 11, 12, 13, 14, 15 };

static bool guid_parse(const char *text, uint8_t ret[GUID_LEN])
{
    char digits[GUID_DIGITS + 1];
    size_t n = 0;

    for (; *text; text++)
        if (*text != '-' && (n == GUID_DIGITS || !isxdigit((unsigned char)*text)))
            return false;
        else if (*text != '-')
            digits[n++] = *text;
    for (size_t i = 0; n == GUID_DIGITS && i < GUID_LEN; i++) {
        char byte[] = { digits[2 * i], digits[2 * i + 1], '\0' };

        ret[guid_order[i]] = (uint8_t)strtoul(byte, NULL, 16);
    }
    return n == GUID_DIGITS;
}

/* What MountedDevices has for a partition; how long that is, 0: it is none of a disk's. */
static size_t entry_of(const struct facts *facts, const struct fact_device *device,
                       uint8_t ret[GPT_LEN])
{
    const struct fact_device *disk = facts_resolve(facts, device->disk);
    char *end = NULL;

    if (!disk || device->part_number == 0)
        return 0;
    memcpy(ret, gpt_mark, sizeof(gpt_mark) - 1);
    if (strcmp(disk->table, "gpt") == 0)
        return guid_parse(device->part_uuid, ret + sizeof(gpt_mark) - 1) ? GPT_LEN : 0;
    put_le32(ret, (uint32_t)strtoul(disk->table_id, &end, 16));
    put_le64(ret + 4, device->start_bytes);
    return strcmp(disk->table, "dos") == 0 && *end == '\0' && end > disk->table_id ? MBR_LEN : 0;
}

/* The volume that has the letter; "": one that was not given; NULL: nothing is known, or it may be
 * one of several. */
static const char *drive_of(const struct fact_windows *windows, int letter)
{
    for (size_t i = 0; i < windows->n_drives; i++)
        if (windows->drives[i].letter[0] == letter)
            return windows->drives[i].is_ambiguous ? NULL : windows->drives[i].device;
    return NULL;
}

/* 'C', as Windows calls the volume it lies on; 0: not known. */
static int own_letter(const struct fix_context *ctx, struct plan *plan)
{
    const char *hive = ctx->facts->windows->software_hive;
    CLEANUP_FREE char *root =
        *hive ? plan_hive_text(plan, hive, "Microsoft\\Windows NT\\CurrentVersion", "SystemRoot")
              : NULL;

    return root && isalpha((unsigned char)root[0]) && root[1] == ':'
               ? toupper((unsigned char)root[0])
               : 0;
}

/* What MountedDevices knows Windows' own volume by: of one that was unlocked the encrypted one. */
static const struct fact_device *own_device(const struct facts *facts)
{
    const struct fact_device *root = facts_root_device(facts);

    for (size_t i = 0; root && *root->decrypts && i < facts->n_devices; i++)
        if (strcmp(facts->devices[i].name, root->decrypts) == 0)
            return &facts->devices[i];
    return root;
}

static int correct(const struct facts *facts, struct plan *plan, int letter, struct err *err)
{
    CLEANUP_FREE char *name = mem_printf("\\DosDevices\\%c:", letter);
    CLEANUP(hive_value_done) struct hive_value entry = { 0 }, fixed = { 0 };
    const struct fact_device *own = own_device(facts);
    const char *hive = facts->windows->system_hive;
    uint8_t want[GPT_LEN];
    size_t len = own ? entry_of(facts, own, want) : 0;
    int r = plan_hive_get(plan, hive, "MountedDevices", name, &entry, err);

    /* of another length: a dynamic volume's, or what no copy of a disk makes wrong */
    if (r <= 0 || len == 0 || (entry.len != MBR_LEN && entry.len != GPT_LEN))
        return r < 0 ? r : 0;
    hive_make_data(&fixed, name, REG_BINARY, want, len);
    plan_hive_set(plan, hive, "MountedDevices", &fixed,
                  "the letter of Windows' own volume is that of a partition that is not there");
    return 0;
}

int boot_letter_plan(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    const struct facts *facts = ctx->facts;
    const struct fact_device *own = own_device(facts);
    int letter = own_letter(ctx, plan);
    const char *device = letter ? drive_of(facts->windows, letter) : NULL;

    if (device && *device == '\0')
        return correct(facts, plan, letter, err);
    if (device && own && strcmp(device, own->name) != 0)
        plan_note(plan, "MountedDevices gives %c:, the letter of Windows, to %s, not to %s", letter,
                  device, own->name);
    return 0;
}
