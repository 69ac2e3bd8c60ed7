/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The schema of --config. */
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/config.h"
#include "fixers/injections.h"
#include "fixers/windows/inject_registry.h"

#define TEXT(key, type, field)                                                                     \
    {                                                                                              \
        .name = (key), .kind = CONFIG_TEXT, .offset = offsetof(struct type, field)                 \
    }
#define FLAG(key, type, field)                                                                     \
    {                                                                                              \
        .name = (key), .kind = CONFIG_FLAG, .offset = offsetof(struct type, field)                 \
    }
#define TEXTS(key, type, field)                                                                    \
    {                                                                                              \
        .name = (key), .kind = CONFIG_TEXTS, .offset = offsetof(struct type, field)                \
    }
#define MAP(key, type, field, table)                                                               \
    {                                                                                              \
        .name = (key), .kind = CONFIG_MAP, .offset = offsetof(struct type, field), .map = &(table) \
    }
#define MAPS(key, type, field, table)                                                              \
    {                                                                                              \
        .name = (key), .kind = CONFIG_MAPS, .offset = offsetof(struct type, field),                \
        .n_offset = offsetof(struct type, n_##field), .map = &(table)                              \
    }

static const struct config_key file_keys[] = {
    TEXT("path", inject_file, path),     TEXT("text", inject_file, text),
    TEXT("from", inject_file, from),     TEXT("link", inject_file, link),
    FLAG("folder", inject_file, folder), FLAG("remove", inject_file, remove),
    TEXT("mode", inject_file, mode),
};

static const struct config_map file_map = {
    .keys = file_keys,
    .n_keys = ARRAY_SIZE(file_keys),
    .size = sizeof(struct inject_file),
    .check = inject_file_check,
};

static const struct config_key user_keys[] = {
    TEXT("name", inject_user, name),
    FLAG("create", inject_user, create),
    TEXT("password", inject_user, password),
    TEXT("password-file", inject_user, password_file),
    TEXT("password-hash", inject_user, password_hash),
    FLAG("lock", inject_user, lock),
    FLAG("disable", inject_user, disable),
    TEXTS("ssh-keys", inject_user, ssh_keys),
    TEXTS("ssh-key-files", inject_user, ssh_key_files),
    TEXTS("groups", inject_user, groups),
    TEXT("uid", inject_user, uid),
    TEXT("home", inject_user, home),
    TEXT("shell", inject_user, shell),
    TEXT("comment", inject_user, comment),
};

static const struct config_map user_map = {
    .keys = user_keys,
    .n_keys = ARRAY_SIZE(user_keys),
    .size = sizeof(struct inject_user),
    .check = inject_user_check,
};

static const struct config_key nic_keys[] = {
    TEXT("name", inject_nic, name),
    FLAG("dhcp", inject_nic, dhcp),
    TEXTS("addresses", inject_nic, addresses),
    TEXTS("gateways", inject_nic, gateways),
    TEXTS("dns", inject_nic, dns),
    TEXTS("search", inject_nic, search),
};

static const struct config_map nic_map = {
    .keys = nic_keys,
    .n_keys = ARRAY_SIZE(nic_keys),
    .size = sizeof(struct inject_nic),
    .check = inject_nic_check,
};

static const struct config_key service_keys[] = {
    TEXTS("enable", inject_services, enable),
    TEXTS("disable", inject_services, disable),
    TEXTS("mask", inject_services, mask),
};

static const struct config_map service_map = {
    .keys = service_keys,
    .n_keys = ARRAY_SIZE(service_keys),
    .check = inject_services_check,
};

static const struct config_key script_keys[] = {
    TEXT("script", inject_script, script),
    TEXT("command", inject_script, command),
    TEXTS("install", inject_script, install),
};

static const struct config_map script_map = {
    .keys = script_keys,
    .n_keys = ARRAY_SIZE(script_keys),
    .size = sizeof(struct inject_script),
    .check = inject_script_check,
};

static const struct config_key cloud_keys[] = {
    TEXT("user-data", inject_cloud, user_data),
    TEXT("user-data-file", inject_cloud, user_data_file),
    TEXT("meta-data", inject_cloud, meta_data),
    TEXT("meta-data-file", inject_cloud, meta_data_file),
    TEXT("network-config", inject_cloud, network_config),
    TEXT("network-config-file", inject_cloud, network_config_file),
    TEXTS("datasources", inject_cloud, datasources),
    FLAG("disable", inject_cloud, disable),
};

static const struct config_map cloud_map = {
    .keys = cloud_keys,
    .n_keys = ARRAY_SIZE(cloud_keys),
    .check = inject_cloud_check,
};

static const struct config_key top_keys[] = {
    TEXT("hostname", injections, hostname),
    TEXT("timezone", injections, timezone),
    MAPS("network", injections, nics, nic_map),
    MAPS("users", injections, users, user_map),
    MAPS("files", injections, files, file_map),
    MAP("services", injections, services, service_map),
    MAPS("firstboot", injections, firstboot, script_map),
    TEXT("install-agent", injections, agent_from),
    FLAG("remove-tools", injections, remove_tools),
    TEXTS("registry", injections, registry_files),
    FLAG("rdp", injections, rdp),
    FLAG("never-sleep", injections, never_sleep),
    MAP("cloud-init", injections, cloud, cloud_map),
};

static int check_top(void *item, const char *folder, struct err *err)
{
    struct injections *inject = item;
    int r = inject_agent_load(inject, folder, err);

    if (r == 0 && inject->hostname)
        r = inject_hostname_check(inject->hostname, err);
    if (r == 0 && inject->timezone)
        r = inject_timezone_check(inject->timezone, err);
    for (size_t i = 0; r == 0 && i < inject->registry_files.n; i++)
        r = inject_registry_add(inject, folder, inject->registry_files.items[i], err);
    return r;
}

static const struct config_map top_map = {
    .keys = top_keys,
    .n_keys = ARRAY_SIZE(top_keys),
    .check = check_top,
};

/* What is said twice could be said differently. */
static int check_twice(const struct injections *inject, const char *name, struct err *err)
{
    for (size_t i = 0; i < inject->n_users; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(inject->users[i].name, inject->users[j].name) == 0)
                return err_status(err, STATUS_USAGE, "%s: the user %s is there twice", name,
                                  inject->users[i].name);
    return 0;
}

int injections_parse(struct injections *inject, const char *text, size_t len, const char *name,
                     struct err *err)
{
    int r = config_parse(text, len, name, &top_map, inject, err);

    return r < 0 ? r : check_twice(inject, name, err);
}

int injections_config(struct injections *inject, const char *path, struct err *err)
{
    int r = config_read(path, &top_map, inject, err);

    return r < 0 ? r : check_twice(inject, path, err);
}
