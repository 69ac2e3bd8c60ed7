/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* windows{} of a system (docs/schema/h2k.inspect-1.json). */
#include "engine/base/cleanup.h"
#include "inspect/json_text.h"
#include "inspect/windows/windows.h"

static json_t *list(const struct strlist *texts)
{
    json_t *array = json_array();

    for (size_t i = 0; i < texts->n; i++)
        (void)json_array_append_new(array, json_text(texts->items[i]));
    return array;
}

static void set(json_t *object, const char *key, json_t *value)
{
    (void)json_object_set_new(object, key, value);
}

static json_t *drives(const struct fact_windows *windows)
{
    json_t *array = json_array();

    for (size_t i = 0; i < windows->n_drives; i++) {
        json_t *item = json_object();

        set(item, "letter", json_text(windows->drives[i].letter));
        set(item, "device", json_text_or_null(windows->drives[i].device));
        (void)json_array_append_new(array, item);
    }
    return array;
}

/* What was set by hand. */
static json_t *ip6(const struct win_nic *nic)
{
    json_t *object = json_object(), *routes = json_array();

    for (size_t i = 0; i < nic->n_routes6; i++) {
        json_t *route = json_object();

        set(route, "prefix", json_text(nic->routes6[i].prefix));
        set(route, "gateway", json_text_or_null(nic->routes6[i].gateway));
        set(route, "metric", json_integer(nic->routes6[i].metric));
        (void)json_array_append_new(routes, route);
    }
    set(object, "addresses", list(&nic->addresses6));
    set(object, "routes", routes);
    set(object, "dns", list(&nic->dns6));
    set(object, "complete", json_boolean(!nic->ip6_unknown));
    return object;
}

static json_t *nics(const struct fact_windows *windows)
{
    json_t *array = json_array();

    for (size_t i = 0; i < windows->n_nics; i++) {
        const struct win_nic *nic = &windows->nics[i];
        json_t *item = json_object();

        set(item, "guid", json_text(nic->guid));
        set(item, "name", json_text_or_null(nic->name));
        set(item, "device", json_text_or_null(nic->device));
        set(item, "mac", json_text_or_null(nic->mac));
        set(item, "static", json_boolean(nic->is_static));
        set(item, "present", json_boolean(nic->is_present));
        set(item, "addresses", list(&nic->addresses));
        set(item, "masks", list(&nic->masks));
        set(item, "gateways", list(&nic->gateways));
        set(item, "dns", list(&nic->dns));
        set(item, "wins", list(&nic->wins));
        set(item, "ipv6", ip6(nic));
        set(item, "domain", json_text(nic->domain));
        set(item, "metric", json_integer(nic->metric));
        (void)json_array_append_new(array, item);
    }
    return array;
}

json_t *fact_windows_to_json(const struct fact_windows *windows)
{
    json_t *object = json_object();
    const struct {
        const char *key, *value;
    } texts[] = {
        { "system_root", windows->system_root },   { "display_version", windows->display_version },
        { "edition", windows->edition },           { "installation_type", windows->install_type },
        { "service_pack", windows->service_pack }, { "domain", windows->domain },
        { "antivirus", windows->antivirus },       { "boot_entry", windows->boot_entry },
    };
    const struct {
        const char *key;
        bool value;
    } flags[] = {
        { "server", windows->is_server },
        { "domain_controller", windows->is_domain_controller },
        { "driver_database", windows->has_driver_database },
        { "hive_dirty", windows->hive_dirty },
        { "hibernated", windows->hibernated },
        { "bitlocker", windows->bitlocker },
        { "rtc_is_utc", windows->rtc_is_utc },
        { "group_policies", windows->group_policies },
        { "boot_default", windows->is_default },
        { "has_virtio_net", windows->has_virtio_net },
    };
    const struct {
        const char *key;
        bool value;
    } boots[] = {
        { "virtio_blk", windows->boots_virtio_blk },
        { "virtio_scsi", windows->boots_virtio_scsi },
        { "ahci", windows->boots_ahci },
        { "ide", windows->boots_ide },
    };
    json_t *from = json_object();

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        set(object, texts[i].key, json_text(texts[i].value));
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        set(object, flags[i].key, json_boolean(flags[i].value));
    for (size_t i = 0; i < ARRAY_SIZE(boots); i++)
        set(from, boots[i].key, json_boolean(boots[i].value));
    set(object, "build", json_integer(windows->build));
    set(object, "ubr", json_integer(windows->ubr));
    set(object, "boots_from", from);
    set(object, "control_sets", list(&windows->control_sets));
    set(object, "tools", list(&windows->tools));
    set(object, "notes", list(&windows->notes));
    set(object, "drives", drives(windows));
    set(object, "interfaces", nics(windows));
    return object;
}
