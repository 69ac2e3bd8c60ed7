/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which controllers of disks this Windows can start from as it is. A driver must start with the
 * system (Start 0, not parked in StartOverride), its file must be there, and its device must lead
 * to it: by Control\CriticalDeviceDatabase up to NT 6.1 (Microsoft, KB 314082), by DriverDatabase
 * from 6.2 on. Drivers that Windows brings itself are bound when it is installed.
 */
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/windows/windows.h"

#define IDS_MAX 4
#define DISABLED 4U /* Start */

/* Device IDs of QEMU's modern devices, most general last; of the older ones for what knows no
 * others (NT 5). */
static const struct virtio {
    const char *service;
    const char *modern[IDS_MAX], *legacy[IDS_MAX];
} virtio_blk = {
    "viostor",
    { "VEN_1AF4&DEV_1042&SUBSYS_11001AF4&REV_01", "VEN_1AF4&DEV_1042&SUBSYS_11001AF4",
      "VEN_1AF4&DEV_1042&REV_01", "VEN_1AF4&DEV_1042" },
    { "VEN_1AF4&DEV_1001&SUBSYS_00021AF4&REV_00", "VEN_1AF4&DEV_1001&SUBSYS_00021AF4",
      "VEN_1AF4&DEV_1001&REV_00", "VEN_1AF4&DEV_1001" },
}, virtio_scsi = {
    "vioscsi",
    { "VEN_1AF4&DEV_1048&SUBSYS_11001AF4&REV_01", "VEN_1AF4&DEV_1048&SUBSYS_11001AF4",
      "VEN_1AF4&DEV_1048&REV_01", "VEN_1AF4&DEV_1048" },
    { "VEN_1AF4&DEV_1004&SUBSYS_00081AF4&REV_00", "VEN_1AF4&DEV_1004&SUBSYS_00081AF4",
      "VEN_1AF4&DEV_1004&REV_00", "VEN_1AF4&DEV_1004" },
};

/* ---- services ---- */

/* "system32\drivers\x.sys", "\SystemRoot\System32\drivers\x.sys"; none: the usual place. */
static bool has_file(const struct win_reader *reader, const char *image, const char *service)
{
    static const char prefix[] = "\\SystemRoot\\";
    const char *below =
        image && strncasecmp(image, prefix, strlen(prefix)) == 0 ? image + strlen(prefix) : image;
    CLEANUP_FREE char *path =
        image && *image
            ? mem_printf("%s/%s", reader->windows->system_root, below)
            : mem_printf("%s/System32/drivers/%s.sys", reader->windows->system_root, service);

    for (char *c = path; *c; c++)
        if (*c == '\\')
            *c = '/';
    return windows_has_file(reader->root, path);
}

/* Windows notes there what it did not need, by number of the hardware configuration. */
static bool is_parked(struct win_reader *reader, const char *key)
{
    CLEANUP_FREE char *override = mem_printf("%s\\StartOverride", key);
    struct hive_values values = { 0 };
    struct err err = ERR_NONE;
    bool parked = false;

    if (hive_get_all(reader->system, override, &values, &err) <= 0)
        return false;
    for (size_t i = 0; i < values.n; i++) {
        uint32_t start;

        parked |= hive_value_u32(&values.items[i], &start) && start != 0;
    }
    hive_values_done(&values);
    return parked;
}

static bool starts_in(struct win_reader *reader, const char *set, const char *service)
{
    CLEANUP_FREE char *key = mem_printf("%s\\Services\\%s", set, service);
    CLEANUP_FREE char *image = win_text(reader->system, key, "ImagePath");
    uint32_t start = UINT32_MAX;

    return win_u32(reader->system, key, "Start", &start) && start == 0 && !is_parked(reader, key) &&
           has_file(reader, image, service);
}

static bool starts(struct win_reader *reader, const char *service)
{
    const struct strlist *sets = &reader->windows->control_sets;

    for (size_t i = 0; i < sets->n; i++)
        if (!starts_in(reader, sets->items[i], service))
            return false;
    return sets->n > 0;
}

/* ---- bindings ---- */

static bool is_text(struct win_reader *reader, const char *key, const char *name, const char *text)
{
    CLEANUP_FREE char *found = win_text(reader->system, key, name);

    return found && strcasecmp(found, text) == 0;
}

static bool is_critical_device(struct win_reader *reader, const char *id, const char *service)
{
    const struct strlist *sets = &reader->windows->control_sets;

    for (size_t i = 0; i < sets->n; i++) {
        CLEANUP_FREE char *key =
            mem_printf("%s\\Control\\CriticalDeviceDatabase\\PCI#%s", sets->items[i], id);

        if (!is_text(reader, key, "Service", service))
            return false;
    }
    return sets->n > 0;
}

/* An INF file, its package in use, that one's way of installing the device, the service. */
static bool leads_to(struct win_reader *reader, const char *inf, const char *id,
                     const char *service)
{
    CLEANUP_FREE char *inf_key = mem_printf("DriverDatabase\\DriverInfFiles\\%s", inf);
    CLEANUP_FREE char *label = win_text(reader->system, inf_key, "Active");
    CLEANUP_FREE char *device_key = NULL;
    CLEANUP_FREE char *configuration = NULL;
    CLEANUP_FREE char *install_key = NULL;

    if (!label)
        return false;
    device_key = mem_printf("DriverDatabase\\DriverPackages\\%s\\Descriptors\\PCI\\%s", label, id);
    configuration = win_text(reader->system, device_key, "Configuration");
    if (!configuration)
        return false;
    install_key =
        mem_printf("DriverDatabase\\DriverPackages\\%s\\Configurations\\%s", label, configuration);
    return is_text(reader, install_key, "Service", service);
}

static bool is_in_database(struct win_reader *reader, const char *id, const char *service)
{
    CLEANUP_FREE char *key = mem_printf("DriverDatabase\\DeviceIds\\PCI\\%s", id);
    struct hive_values values = { 0 };
    struct err err = ERR_NONE;
    bool found = false;

    if (hive_get_all(reader->system, key, &values, &err) <= 0)
        return false;
    for (size_t i = 0; i < values.n && !found; i++)
        found = leads_to(reader, values.items[i].name, id, service);
    hive_values_done(&values);
    return found;
}

static bool is_bound(struct win_reader *reader, const struct virtio *virtio)
{
    const struct fact_windows *windows = reader->windows;
    const char *const *ids = windows->nt_major >= 6 ? virtio->modern : virtio->legacy;

    for (size_t i = 0; i < IDS_MAX; i++)
        if (windows->has_driver_database ? is_in_database(reader, ids[i], virtio->service)
                                         : is_critical_device(reader, ids[i], virtio->service))
            return true;
    return false;
}

/* It starts when its device is found. */
static bool has_netkvm(struct win_reader *reader)
{
    CLEANUP_FREE char *key = win_key(reader, "Services\\netkvm");
    CLEANUP_FREE char *image = win_text(reader->system, key, "ImagePath");
    uint32_t start = DISABLED;

    return win_u32(reader->system, key, "Start", &start) && start < DISABLED &&
           has_file(reader, image, "netkvm");
}

void windows_drivers(struct win_reader *reader)
{
    struct fact_windows *windows = reader->windows;

    if (!reader->system)
        return;
    windows->boots_virtio_blk = starts(reader, virtio_blk.service) && is_bound(reader, &virtio_blk);
    windows->boots_virtio_scsi =
        starts(reader, virtio_scsi.service) && is_bound(reader, &virtio_scsi);
    windows->boots_ahci = starts(reader, "storahci") || starts(reader, "msahci");
    windows->boots_ide =
        starts(reader, "atapi") && (starts(reader, "intelide") || starts(reader, "pciide"));
    windows->has_virtio_net = has_netkvm(reader);
}
