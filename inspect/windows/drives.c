/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Letters of drives: values of MountedDevices name the partition by the id of its disk and the
 * place where it begins (MBR), or by its own id (GPT), and volumes of dynamic disks by theirs, in
 * the same form; others are removable devices.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "inspect/windows/guid.h"
#include "inspect/windows/place.h"
#include "inspect/windows/windows.h"

#define MBR_LEN 12U
#define GPT_MARK "DMIO:ID:"
#define LETTER "\\DosDevices\\"

/* *ret_other: it may as well be this one; NULL: it may not. */
static const struct fact_device *device_of(const struct facts *facts,
                                           const struct hive_value *value,
                                           const struct fact_device **ret_other)
{
    const uint8_t *data = value->data;
    const struct fact_device *found;
    char uuid[37];

    *ret_other = NULL;
    if (value->len == MBR_LEN)
        return place_mbr(facts, get_le32(data), get_le64(data + 4), ret_other);
    if (value->len != strlen(GPT_MARK) + GUID_LEN || memcmp(data, GPT_MARK, strlen(GPT_MARK)) != 0)
        return NULL;
    guid_text(data + strlen(GPT_MARK), uuid);
    found = place_gpt(facts, uuid, ret_other);
    return found ? found : place_dynamic(facts, data + strlen(GPT_MARK));
}

static void add_drive(struct win_reader *reader, const struct hive_value *value)
{
    const char *letter = value->name + strlen(LETTER);
    const struct fact_device *device, *other;
    struct win_drive *drive;

    if (strncasecmp(value->name, LETTER, strlen(LETTER)) != 0 ||
        !isalpha((unsigned char)letter[0]) || letter[1] != ':' || letter[2] != '\0')
        return;
    device = device_of(reader->facts, value, &other);
    drive = fact_windows_add_drive(reader->windows);
    free(drive->letter);
    drive->letter = mem_printf("%c", toupper((unsigned char)letter[0]));
    drive->is_ambiguous = other != NULL;
    facts_set(&drive->device, device && !other ? device->name : "");
    if (device && other)
        strlist_take(&reader->windows->notes,
                     mem_printf("the drive %s: may be %s or %s, which have the same names for "
                                "Windows",
                                drive->letter, device->name, other->name));
}

static int by_letter(const void *a, const void *b)
{
    const struct win_drive *one = a, *other = b;

    return strcmp(one->letter, other->letter);
}

static void note_copies(struct win_reader *reader)
{
    const struct fact_device *first, *copy;

    for (size_t at = 0; place_next_copy(reader->facts, &at, &first, &copy);)
        strlist_take(&reader->windows->notes, place_copy_text(first, copy));
}

void windows_drives(struct win_reader *reader)
{
    struct hive_values values = { 0 };
    struct err err = ERR_NONE;

    note_copies(reader);
    if (!reader->system || hive_get_all(reader->system, "MountedDevices", &values, &err) <= 0)
        return;
    for (size_t i = 0; i < values.n; i++)
        add_drive(reader, &values.items[i]);
    hive_values_done(&values);
    if (reader->windows->n_drives > 1)
        qsort(reader->windows->drives, reader->windows->n_drives, sizeof(struct win_drive),
              by_letter);
}
