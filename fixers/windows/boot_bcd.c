/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Boot configuration data (Microsoft, "BCD elements"). A copy of a disk keeps what devices in it
 * name; where they do not match, which partition is meant cannot be known, so that is said and
 * nothing more. What is changed belongs to the loader of this Windows alone.
 */
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "fixers/plan_hive.h"
#include "fixers/windows/boot.h"
#include "inspect/windows/bcd.h"
#include "inspect/windows/facts.h"
#include "inspect/windows/place.h"

/* Elements that inspection does not look at. */
#define BCD_SAFE_BOOT 0x25000080U
#define BCD_SAFE_BOOT_SHELL 0x26000081U
#define BCD_BOOT_STATUS_POLICY 0x250000e0U
#define BCD_HYPERVISOR 0x250000f0U

#define IGNORE_ALL_FAILURES 1 /* of the boot status policy */
#define NUMBER_LEN 8U

struct work {
    const struct facts *facts;
    struct plan *plan;
    const char *hive, *loader;
};

/* Free it. */
static char *element_key(const char *object, uint32_t element)
{
    return mem_printf("Objects\\%s\\Elements\\%08x", object, element);
}

/* 1 and *ret; 0: it has none. */
static int get(const struct work *work, const char *object, uint32_t element,
               struct hive_value *ret, struct err *err)
{
    CLEANUP_FREE char *key = element_key(object, element);

    return plan_hive_get(work->plan, work->hive, key, "Element", ret, err);
}

/* A number or a flag of the loader: little-endian, up to 8 bytes. 0 when it has none. */
static int get_number(const struct work *work, uint32_t element, uint64_t *ret, struct err *err)
{
    CLEANUP(hive_value_done) struct hive_value value = { 0 };
    uint8_t bytes[NUMBER_LEN] = { 0 };
    int r = get(work, work->loader, element, &value, err);

    *ret = 0;
    if (r <= 0)
        return r;
    memcpy(bytes, value.data, value.len < NUMBER_LEN ? value.len : NUMBER_LEN);
    *ret = get_le64(bytes);
    return 1;
}

/* ---- edits ---- */

static int ignore_failures(const struct work *work, struct err *err)
{
    CLEANUP(hive_value_done) struct hive_value value = { 0 };
    CLEANUP_FREE char *key = element_key(work->loader, BCD_BOOT_STATUS_POLICY);
    uint8_t bytes[NUMBER_LEN];
    uint64_t now;
    int r = get_number(work, BCD_BOOT_STATUS_POLICY, &now, err);

    if (r < 0 || (r > 0 && now == IGNORE_ALL_FAILURES))
        return r;
    put_le64(bytes, IGNORE_ALL_FAILURES);
    hive_make_data(&value, "Element", REG_BINARY, bytes, sizeof(bytes));
    plan_hive_set(work->plan, work->hive, key, &value,
                  "a copy of a running machine looks as if its start had failed, and would end in "
                  "the repair of Windows instead of its start");
    return 0;
}

static int drop_elements(const struct work *work, struct err *err)
{
    static const struct {
        uint32_t element;
        const char *reason;
    } unwanted[] = {
        { BCD_GRAPHICS_OFF, "Windows shows nothing until its display driver has started" },
        { BCD_SAFE_BOOT, "in safe mode nothing of what the first start is for is done" },
        { BCD_SAFE_BOOT_SHELL, "in safe mode nothing of what the first start is for is done" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(unwanted); i++) {
        CLEANUP_FREE char *key = element_key(work->loader, unwanted[i].element);
        uint64_t number;
        int r = get_number(work, unwanted[i].element, &number, err);

        if (r < 0)
            return r;
        if (r > 0 && (number != 0 || unwanted[i].element == BCD_SAFE_BOOT))
            plan_hive_delete_key(work->plan, work->hive, key, unwanted[i].reason);
    }
    return 0;
}

/* ---- what is said ---- */

static int note_settings(const struct work *work, struct err *err)
{
    static const struct {
        uint32_t element;
        const char *text;
    } told[] = {
        { BCD_TEST_SIGNING, "test signing is on: drivers with any signature are loaded, and Secure "
                            "Boot does not start it" },
        { BCD_HYPERVISOR, "it starts a hypervisor of its own (Hyper-V, or security based on "
                          "virtualization): that needs nested virtualization on the new host" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
        uint64_t number;
        int r = get_number(work, told[i].element, &number, err);

        if (r < 0)
            return r;
        if (number != 0)
            plan_note(work->plan, "boot configuration of Windows: %s", told[i].text);
    }
    return 0;
}

/* The partition that is meant; NULL: there is none like that. *ret_other: one that may be meant as
 * well. *ret_text: what it is called. */
static const struct fact_device *find_place(const struct facts *facts,
                                            const struct bcd_device *device,
                                            const struct fact_device **ret_other, char **ret_text)
{
    if (device->kind == BCD_DEVICE_GPT) {
        *ret_text = mem_printf("partition %s of disk %s", device->part_uuid, device->disk_uuid);
        return place_gpt(facts, device->part_uuid, ret_other);
    }
    *ret_text = mem_printf("the partition at byte %llu of the disk with the signature %08x",
                           (unsigned long long)device->start_bytes, device->disk_id);
    return place_mbr(facts, device->disk_id, device->start_bytes, ret_other);
}

static int check_device(const struct work *work, const char *object, uint32_t element,
                        const char *what, struct err *err)
{
    CLEANUP(hive_value_done) struct hive_value value = { 0 };
    CLEANUP_FREE char *text = NULL;
    const struct fact_device *found, *other = NULL;
    struct bcd_device device;
    int r = get(work, object, element, &value, err);

    if (r <= 0 || !bcd_device_parse(value.data, value.len, &device) ||
        (device.kind != BCD_DEVICE_GPT && device.kind != BCD_DEVICE_MBR))
        return r < 0 ? r : 0;
    found = find_place(work->facts, &device, &other, &text);
    if (found && other)
        plan_note(work->plan, "%s: %s is %s, which is %s or %s: which one is not clear", work->hive,
                  what, text, found->name, other->name);
    if (!found)
        plan_note(work->plan,
                  "%s: %s is %s, which no disk of the guest has: it may not start before bcdboot "
                  "was run from setup media",
                  work->hive, what, text);
    return 0;
}

static int check_devices(const struct work *work, struct err *err)
{
    int r = check_device(work, BCD_BOOTMGR, BCD_DEVICE, "the boot manager's own volume", err);

    if (r >= 0)
        r = check_device(work, work->loader, BCD_DEVICE, "the volume of the loader", err);
    return r < 0 ? r
                 : check_device(work, work->loader, BCD_OS_DEVICE, "the volume of Windows", err);
}

/* ---- all of it ---- */

/* The loader of this Windows, else what the boot manager starts. NULL: none. Free it. */
static char *find_loader(const struct fix_context *ctx, struct plan *plan)
{
    const struct fact_windows *windows = ctx->facts->windows;
    CLEANUP_FREE char *key = element_key(BCD_BOOTMGR, BCD_DEFAULT);

    return windows->boot_entry[0] ? mem_strdup(windows->boot_entry)
                                  : plan_hive_text(plan, windows->bcd, key, "Element");
}

/* A default may be a tool, or of another system. */
static bool is_loader(const struct work *work)
{
    CLEANUP_FREE char *key = mem_printf("Objects\\%s\\Description", work->loader);
    uint32_t type = 0;

    return plan_hive_u32(work->plan, work->hive, key, "Type", &type) && type == BCD_TYPE_LOADER;
}

int boot_bcd_plan(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    CLEANUP_FREE char *loader = ctx->facts->windows->bcd[0] ? find_loader(ctx, plan) : NULL;
    const struct work work = { ctx->facts, plan, ctx->facts->windows->bcd, loader };
    int r;

    if (ctx->facts->windows->bcd[0] == '\0')
        return 0;
    if (!loader || strchr(loader, '\\') || !is_loader(&work)) {
        plan_note(plan, "%s: no loader of Windows is started by itself: nothing is changed there",
                  work.hive);
        return 0;
    }
    r = ignore_failures(&work, err);
    if (r >= 0)
        r = drop_elements(&work, err);
    if (r >= 0)
        r = note_settings(&work, err);
    return r < 0 ? r : check_devices(&work, err);
}
