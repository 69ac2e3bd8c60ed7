/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/bind.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "fixers/plan_hive.h"

#define PCI "PCI\\"
#define GUID_TEXT_LEN 38

/* ---- the service ---- */

/* A value that an INF wants in the key of its service. */
static void add_reg(struct plan *plan, const char *hive, const char *service_key,
                    const struct inf_reg *reg, const char *reason)
{
    CLEANUP_FREE char *key =
        *reg->key ? mem_printf("%s\\%s", service_key, reg->key) : mem_strdup(service_key);
    struct hive_value value = { 0 };
    struct err err = ERR_NONE;

    if (strcasecmp(reg->root, "HKR") != 0)
        return; /* of other keys: nothing that the start depends on */
    if (reg->key_only) {
        plan_hive_add_key(plan, hive, key, reason);
        return;
    }
    if (reg->is_delete) {
        plan_hive_unset(plan, hive, key, reg->name, reason);
        return;
    }
    if ((reg->no_clobber || reg->is_append) &&
        plan_hive_get(plan, hive, key, reg->name, &value, &err) > 0) {
        hive_value_done(&value);
        return;
    }
    hive_make_data(&value, reg->name, reg->type, reg->data, reg->len);
    plan_hive_set(plan, hive, key, &value, reason);
    hive_value_done(&value);
}

static uint32_t said(uint32_t number, uint32_t usual)
{
    return number == INF_NOT_SAID ? usual : number;
}

static void bind_service_in(struct plan *plan, const struct fact_windows *windows,
                            const char *control_set, const struct inf_service *service,
                            const char *reason)
{
    CLEANUP_FREE char *key = windows_service_key(control_set, service->name);
    CLEANUP_FREE char *override = mem_printf("%s\\StartOverride", key);
    CLEANUP_FREE char *pnp = mem_printf("%s\\Parameters\\PnpInterface", key);
    const char *hive = windows->system_hive;

    plan_hive_set_u32(plan, hive, key, "Type", said(service->type, 1), reason);
    plan_hive_set_u32(plan, hive, key, "Start", 0, reason);
    plan_hive_set_u32(plan, hive, key, "ErrorControl", said(service->error_control, 1), reason);
    plan_hive_set_text(plan, hive, key, "Group", *service->group ? service->group : "SCSI miniport",
                       reason);
    plan_hive_set_expand(plan, hive, key, "ImagePath", service->image, reason);
    if (*service->display_name)
        plan_hive_set_text(plan, hive, key, "DisplayName", service->display_name, reason);
    for (size_t i = 0; i < service->regs.n; i++)
        add_reg(plan, hive, key, &service->regs.items[i], reason);
    plan_hive_set_u32(plan, hive, pnp, "5", 1, reason); /* 5: PCIBus; XP wants to be told */
    plan_hive_delete_key(plan, hive, override, reason);
}

void bind_service(struct plan *plan, const struct fact_windows *windows,
                  const struct inf_service *service, const char *reason)
{
    for (size_t i = 0; i < windows->control_sets.n; i++)
        bind_service_in(plan, windows, windows->control_sets.items[i], service, reason);
}

/* ---- devices ---- */

static void add_once(struct strlist *list, const char *text)
{
    if (!strlist_has_nocase(list, text))
        strlist_add(list, text);
}

void bind_ids(const struct inf_driver *inf, struct strlist *ret)
{
    for (size_t d = 0; d < inf->n_devices; d++) {
        const struct strlist *ids = &inf->devices[d].ids;

        for (size_t i = 0; i < ids->n; i++) {
            CLEANUP_FREE char *device = NULL;
            const char *dev, *end;

            if (strncasecmp(ids->items[i], PCI, strlen(PCI)) != 0)
                continue;
            dev = strcasestr(ids->items[i], "&DEV_");
            end = dev ? strchr(dev + 1, '&') : NULL;
            device = mem_strndup(ids->items[i],
                                 end ? (size_t)(end - ids->items[i]) : strlen(ids->items[i]));
            add_once(ret, device);
            add_once(ret, ids->items[i]);
        }
    }
}

/* Up to NT 6.1. */
static void bind_critical(struct plan *plan, const struct fact_windows *windows,
                          const struct win_driver *driver, const char *service, const char *reason)
{
    struct strlist ids = { 0 };

    bind_ids(driver->inf, &ids);
    for (size_t c = 0; c < windows->control_sets.n; c++)
        for (size_t i = 0; i < ids.n; i++) {
            CLEANUP_FREE char *id = mem_strdup(ids.items[i]);
            CLEANUP_FREE char *key = NULL;

            for (char *at = id; *at; at++)
                if (*at == '\\')
                    *at = '#';
            key = mem_printf("%s\\Control\\CriticalDeviceDatabase\\%s",
                             windows->control_sets.items[c], id);
            plan_hive_set_text(plan, windows->system_hive, key, "Service", service, reason);
            plan_hive_set_text(plan, windows->system_hive, key, "ClassGUID",
                               driver->inf->class_guid, reason);
        }
    strlist_done(&ids);
}

/* "{4D36E97B-E325-11CE-BFC1-08002BE10318}" as Windows stores it. */
static bool parse_guid(const char *text, uint8_t ret[16])
{
    /* where the digits of each byte stand: the first three numbers are little-endian */
    static const uint8_t at[16] = { 7, 5, 3, 1, 12, 10, 17, 15, 20, 22, 25, 27, 29, 31, 33, 35 };

    if (strlen(text) != GUID_TEXT_LEN)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
        const char pair[] = { text[at[i]], text[at[i] + 1], '\0' };

        if (!isxdigit((unsigned char)pair[0]) || !isxdigit((unsigned char)pair[1]))
            return false;
        ret[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return true;
}

bool bind_version(const struct inf_driver *inf, uint8_t ret[BIND_VERSION_LEN])
{
    static const uint8_t third_party[] = { 0x00, 0xff, 0x09, 0x00 };

    memset(ret, 0, BIND_VERSION_LEN);
    memcpy(ret, third_party, sizeof(third_party));
    if (!parse_guid(inf->class_guid, ret + 8))
        return false;
    put_le64(ret + 24, inf->date);
    for (size_t i = 0; i < 4; i++) /* the last part first */
        put_le16(ret + 32 + 2 * i, inf->version[3 - i]);
    return true;
}

/* The text of a value: 1; 0: there is none; or negative errno and *err. */
static int get_text(struct plan *plan, const char *hive, const char *key, const char *name,
                    char **ret, struct err *err)
{
    struct hive_value value = { 0 };
    int r = plan_hive_get(plan, hive, key, name, &value, err);

    *ret = r > 0 ? hive_value_text(&value) : NULL;
    hive_value_done(&value);
    return r < 0 ? r : *ret != NULL;
}

/* Does the package of @inf, which Windows installed, lead from the device to the service? One that
 * is only staged has no configuration. */
static int leads_to(struct plan *plan, const char *hive, const char *inf, const char *id,
                    const char *service, struct err *err)
{
    CLEANUP_FREE char *file = mem_printf("DriverDatabase\\DriverInfFiles\\%s", inf);
    CLEANUP_FREE char *label = NULL, *descriptor = NULL, *name = NULL, *config = NULL,
                      *found = NULL;
    int r = get_text(plan, hive, file, "Active", &label, err);

    if (r <= 0)
        return r;
    descriptor = mem_printf("DriverDatabase\\DriverPackages\\%s\\Descriptors\\%s", label, id);
    r = get_text(plan, hive, descriptor, "Configuration", &name, err);
    if (r <= 0)
        return r;
    config = mem_printf("DriverDatabase\\DriverPackages\\%s\\Configurations\\%s", label, name);
    r = get_text(plan, hive, config, "Service", &found, err);
    return r <= 0 ? r : strcasecmp(found, service) == 0;
}

/* Does another package than ours bind the device to the service already? */
static int is_bound(struct plan *plan, const char *hive, const char *id, const char *ours,
                    const char *service, struct err *err)
{
    CLEANUP_FREE char *key = mem_printf("DriverDatabase\\DeviceIds\\%s", id);
    struct hive_values values = { 0 };
    int found = plan_hive_get_all(plan, hive, key, &values, err);
    int r = found < 0 ? found : 0;

    for (size_t i = 0; found > 0 && r == 0 && i < values.n; i++)
        if (strcasecmp(values.items[i].name, ours) != 0)
            r = leads_to(plan, hive, values.items[i].name, id, service, err);
    hive_values_done(&values);
    return r;
}

/* A package that was never installed, with just what the kernel looks at before it has a disk. */
struct package {
    char *inf, *label, *config;
    char *key; /* of the label */
};

static void package_done(struct package *package)
{
    free(package->inf);
    free(package->label);
    free(package->config);
    free(package->key);
}

static void add_package(struct plan *plan, const char *hive, const struct package *package,
                        const struct inf_driver *inf, const char *service, const char *reason)
{
    CLEANUP_FREE char *file = mem_printf("DriverDatabase\\DriverInfFiles\\%s", package->inf);
    CLEANUP_FREE char *config = mem_printf("%s\\Configurations\\%s", package->key, package->config);
    uint8_t version[BIND_VERSION_LEN];
    struct hive_value value = { 0 };
    struct strlist list = { 0 };

    strlist_add(&list, package->label);
    plan_hive_set_list(plan, hive, file, "", &list, reason);
    plan_hive_set_text(plan, hive, file, "Active", package->label, reason);
    strlist_done(&list);
    strlist_add(&list, package->config);
    plan_hive_set_list(plan, hive, file, "Configurations", &list, reason);
    strlist_done(&list);

    (void)bind_version(inf, version);
    hive_make_data(&value, "Version", REG_BINARY, version, sizeof(version));
    plan_hive_set(plan, hive, package->key, &value, reason);
    hive_value_done(&value);
    plan_hive_set_text(plan, hive, package->key, "", package->inf, reason);
    plan_hive_set_u32(plan, hive, config, "ConfigFlags", 0, reason);
    plan_hive_set_text(plan, hive, config, "Service", service, reason);
}

static void add_device(struct plan *plan, const char *hive, const struct package *package,
                       const char *id, const char *id_key, const char *reason)
{
    static const uint8_t by_hardware_id[] = { 0x01, 0xff, 0x00, 0x00 };
    CLEANUP_FREE char *descriptor = mem_printf("%s\\Descriptors\\%s", package->key, id);
    struct hive_value value = { 0 };

    hive_make_data(&value, package->inf, REG_BINARY, by_hardware_id, sizeof(by_hardware_id));
    plan_hive_set(plan, hive, id_key, &value, reason);
    hive_value_done(&value);
    plan_hive_set_text(plan, hive, descriptor, "Configuration", package->config, reason);
}

/* From NT 6.2 on. */
static int bind_database(struct plan *plan, const char *hive, const struct win_driver *driver,
                         enum win_arch arch, const char *reason, struct err *err)
{
    const char *service = inf_driver_boot_service(driver->inf)->name;
    struct package package = { .inf = mem_printf("h2k%s.inf", driver->name),
                               .config = mem_printf("h2k%s_conf", driver->name) };
    struct strlist ids = { 0 };
    bool is_new = false;
    int r = 0;

    package.label = mem_printf("%s_%s_%016x", package.inf, win_arch_name(arch), 0U);
    package.key = mem_printf("DriverDatabase\\DriverPackages\\%s", package.label);
    bind_ids(driver->inf, &ids);
    for (size_t i = 0; r >= 0 && i < ids.n; i++) {
        CLEANUP_FREE char *key = mem_printf("DriverDatabase\\DeviceIds\\%s", ids.items[i]);

        r = is_bound(plan, hive, ids.items[i], package.inf, service, err);
        if (r != 0)
            continue;
        add_device(plan, hive, &package, ids.items[i], key, reason);
        is_new = true;
    }
    if (is_new)
        add_package(plan, hive, &package, driver->inf, service, reason);
    strlist_done(&ids);
    package_done(&package);
    return r < 0 ? r : 0;
}

int bind_devices(struct plan *plan, const struct fact_windows *windows,
                 const struct win_driver *driver, enum win_arch arch, const char *reason,
                 struct err *err)
{
    if (windows->has_driver_database)
        return bind_database(plan, windows->system_hive, driver, arch, reason, err);
    bind_critical(plan, windows, driver, inf_driver_boot_service(driver->inf)->name, reason);
    return 0;
}
