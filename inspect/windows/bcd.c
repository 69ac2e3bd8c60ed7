/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/windows/bcd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "inspect/windows/guid.h"

enum bcd_form bcd_form(uint32_t element)
{
    return (enum bcd_form)(element >> 24 & 0xf);
}

/* ---- devices ---- */

/* After the GUID of options: type, flags, size from here on. */
#define DEVICE_HEAD 16U
#define DEVICE_PARTITION 88U
enum { TYPE_RAMDISK = 0, TYPE_BOOT = 5, TYPE_PARTITION = 6 };
enum { TABLE_GPT = 0, TABLE_MBR = 1 };

static bool parse_partition(const uint8_t *at, size_t len, struct bcd_device *ret)
{
    if (len < DEVICE_PARTITION)
        return false;
    switch (get_le32(at + 52)) {
    case TABLE_GPT:
        ret->kind = BCD_DEVICE_GPT;
        guid_text(at + 32, ret->part_uuid);
        guid_text(at + 56, ret->disk_uuid);
        return true;
    case TABLE_MBR:
        ret->kind = BCD_DEVICE_MBR;
        ret->start_bytes = get_le64(at + 32);
        ret->disk_id = get_le32(at + 56);
        return true;
    default:
        return false;
    }
}

bool bcd_device_parse(const void *data, size_t len, struct bcd_device *ret)
{
    const uint8_t *at = data;

    *ret = (struct bcd_device){ .kind = BCD_DEVICE_OTHER };
    if (len < DEVICE_HEAD + 16 || get_le32(at + 24) > len - DEVICE_HEAD)
        return false;
    switch (get_le32(at + DEVICE_HEAD)) {
    case TYPE_BOOT:
        ret->kind = BCD_DEVICE_BOOT;
        return true;
    case TYPE_PARTITION:
        return parse_partition(at, len, ret);
    case TYPE_RAMDISK:
        ret->kind = BCD_DEVICE_RAMDISK;
        return true;
    default:
        return true;
    }
}

/* ---- elements ---- */

static bool fits_form(const struct hive_value *value, enum bcd_form form)
{
    static const uint32_t types[] = {
        [BCD_FORM_DEVICE] = REG_BINARY,  [BCD_FORM_TEXT] = REG_SZ,
        [BCD_FORM_OBJECT] = REG_SZ,      [BCD_FORM_OBJECTS] = REG_MULTI_SZ,
        [BCD_FORM_NUMBER] = REG_BINARY,  [BCD_FORM_FLAG] = REG_BINARY,
        [BCD_FORM_NUMBERS] = REG_BINARY,
    };

    return form < ARRAY_SIZE(types) && types[form] != REG_NONE && value->type == types[form] &&
           (form != BCD_FORM_FLAG || value->len >= 1);
}

int bcd_get(struct hive *hive, const char *object, uint32_t element, struct hive_value *ret,
            struct err *err)
{
    CLEANUP_FREE char *key = mem_printf("Objects\\%s\\Elements\\%08x", object, element);
    int r = hive_get(hive, key, "Element", ret, err);

    if (r <= 0 || fits_form(ret, bcd_form(element)))
        return r;
    hive_value_done(ret);
    return 0;
}

/* "" when there is none. Free it. */
static char *get_text(struct hive *hive, const char *object, uint32_t element, struct err *err)
{
    struct hive_value value = { 0 };
    char *text = NULL;

    if (bcd_get(hive, object, element, &value, err) > 0) {
        text = hive_value_text(&value);
        hive_value_done(&value);
    }
    return text ? text : mem_strdup("");
}

static bool get_flag(struct hive *hive, const char *object, uint32_t element, struct err *err)
{
    struct hive_value value = { 0 };
    bool flag;

    if (bcd_get(hive, object, element, &value, err) <= 0)
        return false;
    flag = *(const uint8_t *)value.data != 0;
    hive_value_done(&value);
    return flag;
}

static void get_device(struct hive *hive, const char *object, struct bcd_device *ret,
                       struct err *err)
{
    struct hive_value value = { 0 };

    if (bcd_get(hive, object, BCD_OS_DEVICE, &value, err) <= 0)
        return;
    (void)bcd_device_parse(value.data, value.len, ret);
    hive_value_done(&value);
}

/* ---- all of it ---- */

static void read_loader(struct hive *hive, const char *object, struct bcd *bcd, struct err *err)
{
    struct bcd_loader *loader = mem_add(&bcd->loaders, &bcd->n_loaders, sizeof(*loader));

    loader->id = mem_strdup(object);
    loader->description = get_text(hive, object, BCD_DESCRIPTION, err);
    loader->path = get_text(hive, object, BCD_PATH, err);
    loader->system_root = get_text(hive, object, BCD_SYSTEM_ROOT, err);
    loader->is_winpe = get_flag(hive, object, BCD_WINPE, err);
    loader->test_signing = get_flag(hive, object, BCD_TEST_SIGNING, err);
    loader->graphics_off = get_flag(hive, object, BCD_GRAPHICS_OFF, err);
    get_device(hive, object, &loader->os_device, err);
}

static void read_order(struct hive *hive, struct bcd *bcd, struct err *err)
{
    struct hive_value value = { 0 };

    if (bcd_get(hive, BCD_BOOTMGR, BCD_DISPLAY_ORDER, &value, err) <= 0)
        return;
    (void)hive_value_list(&value, &bcd->order);
    hive_value_done(&value);
}

int bcd_read(struct hive *hive, struct bcd *ret, struct err *err)
{
    CLEANUP_STRLIST struct strlist objects = { 0 };
    int r;

    *ret = (struct bcd){ .n_loaders = 0 };
    r = hive_keys(hive, "Objects", &objects, err);
    if (r < 0)
        return r;
    ret->default_id = get_text(hive, BCD_BOOTMGR, BCD_DEFAULT, err);
    read_order(hive, ret, err);
    for (size_t i = 0; i < objects.n && i < BCD_OBJECTS_MAX && err->code == 0; i++) {
        CLEANUP_FREE char *key = mem_printf("Objects\\%s\\Description", objects.items[i]);
        struct hive_value value = { 0 };
        uint32_t type = 0;

        if (hive_get(hive, key, "Type", &value, err) <= 0)
            continue;
        if (hive_value_u32(&value, &type) && type == BCD_TYPE_LOADER)
            read_loader(hive, objects.items[i], ret, err);
        hive_value_done(&value);
    }
    if (err->code == 0)
        return 0;
    bcd_done(ret);
    return -err->code;
}

void bcd_done(struct bcd *bcd)
{
    for (size_t i = 0; i < bcd->n_loaders; i++) {
        free(bcd->loaders[i].id);
        free(bcd->loaders[i].description);
        free(bcd->loaders[i].path);
        free(bcd->loaders[i].system_root);
    }
    free(bcd->loaders);
    free(bcd->default_id);
    strlist_done(&bcd->order);
    *bcd = (struct bcd){ .n_loaders = 0 };
}

static const struct bcd_loader *find_loader(const struct bcd *bcd, const char *id)
{
    for (size_t i = 0; i < bcd->n_loaders; i++)
        if (strcasecmp(bcd->loaders[i].id, id) == 0)
            return &bcd->loaders[i];
    return NULL;
}

const struct bcd_loader *bcd_default(const struct bcd *bcd)
{
    const struct bcd_loader *loader = find_loader(bcd, bcd->default_id);

    if (loader || *bcd->default_id)
        return loader; /* a default that is no Windows starts none */
    return bcd->order.n > 0 ? find_loader(bcd, bcd->order.items[0]) : NULL;
}
