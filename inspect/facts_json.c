/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Facts as an element of "systems" of h2k.inspect/1 (docs/schema/h2k.inspect-1.json). */
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/facts.h"
#include "inspect/json_text.h"
#include "inspect/windows/windows.h"

static void put(json_t *object, const char *key, const char *text)
{
    (void)json_object_set_new(object, key, json_text(text));
}

static json_t *mounts(const struct facts *facts)
{
    json_t *array = json_array();

    for (size_t i = 0; i < facts->n_mounts; i++) {
        const struct fact_mount *mount = &facts->mounts[i];
        json_t *item = json_object();

        put(item, "source", mount->source);
        (void)json_object_set_new(item, "device",
                                  json_text_or_null(mount->device ? mount->device->name : NULL));
        put(item, "target", mount->target);
        put(item, "type", mount->type);
        put(item, "options", mount->options);
        (void)json_object_set_new(item, "file", json_text_or_null(mount->file));
        (void)json_object_set_new(item, "at_boot", json_boolean(mount->at_boot));
        (void)json_object_set_new(item, "mounted", json_boolean(mount->mounted));
        if (mount->mounted)
            put(item, "journal", mount->dirty ? "dirty" : "clean");
        if (mount->problem[0] != '\0')
            put(item, "problem", mount->problem);
        (void)json_array_append_new(array, item);
    }
    return array;
}

static json_t *kernels(const struct facts *facts)
{
    json_t *array = json_array();

    for (size_t i = 0; i < facts->n_kernels; i++) {
        const struct fact_kernel *kernel = &facts->kernels[i];
        const struct {
            const char *key;
            bool value;
        } flags[] = {
            { "default", kernel->is_default },
            { "virtio_builtin", kernel->virtio_builtin },
            { "has_virtio", kernel->has_virtio },
            { "initrd_has_virtio", kernel->initrd_has_virtio },
            { "initrd_has_network", kernel->initrd_has_network },
        };
        json_t *item = json_object();

        put(item, "version", kernel->version);
        put(item, "image", kernel->image);
        (void)json_object_set_new(item, "initrd", json_text_or_null(kernel->initrd));
        (void)json_object_set_new(item, "modules", json_text_or_null(kernel->modules_dir));
        put(item, "initrd_compression", kernel->initrd_compression);
        if (*kernel->unified)
            put(item, "unified", kernel->unified);
        if (*kernel->kind)
            put(item, "kind", kernel->kind);
        for (size_t f = 0; f < ARRAY_SIZE(flags); f++)
            (void)json_object_set_new(item, flags[f].key, json_boolean(flags[f].value));
        (void)json_array_append_new(array, item);
    }
    return array;
}

static json_t *interfaces(const struct facts *facts)
{
    json_t *array = json_array();

    for (size_t i = 0; i < facts->n_nics; i++) {
        json_t *item = json_object();

        (void)json_object_set_new(item, "name", json_text_or_null(facts->nics[i].name));
        (void)json_object_set_new(item, "mac", json_text_or_null(facts->nics[i].mac));
        put(item, "source", facts->nics[i].source);
        (void)json_object_set_new(item, "static", json_boolean(facts->nics[i].is_static));
        (void)json_array_append_new(array, item);
    }
    return array;
}

static json_t *packages(const struct facts *facts)
{
    json_t *array = json_array();

    for (size_t i = 0; i < facts->n_packages; i++) {
        json_t *item = json_object();

        put(item, "name", facts->packages[i].name);
        put(item, "version", facts->packages[i].version);
        put(item, "arch", facts->packages[i].arch);
        (void)json_array_append_new(array, item);
    }
    return array;
}

/* "a,b" as an array. */
static json_t *comma_list(const char *list)
{
    json_t *array = json_array();

    while (*list) {
        size_t len = strcspn(list, ",");
        char *item = mem_strndup(list, len);

        if (len > 0)
            (void)json_array_append_new(array, json_text(item));
        free(item);
        list += len + (list[len] == ',');
    }
    return array;
}

json_t *facts_to_json(const struct facts *facts)
{
    json_t *object = json_object();
    const struct {
        const char *key, *value;
    } texts[] = {
        { "root", facts->root },
        { "type", facts->type },
        { "distro", facts->distro },
        { "distro_like", facts->distro_like },
        { "product_name", facts->product_name },
        { "version_text", facts->version_text },
        { "codename", facts->codename },
        { "variant", facts->variant },
        { "arch", facts->arch },
        { "hostname", facts->hostname },
        { "machine_id", facts->machine_id },
        { "timezone", facts->timezone },
        { "firmware", firmware_name(facts->firmware) },
        { "package_format", facts->package_format },
        { "package_manager", facts->package_manager },
        { "boot_loader", facts->boot_loader },
        { "boot_config", facts->boot_config },
        { "initrd_tool", initrd_tool_name(facts->initrd_tool) },
        { "init_system", facts->init_system },
    };
    json_t *version = json_object();

    if (facts->deployment[0] != '\0')
        put(object, "deployment", facts->deployment);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        put(object, texts[i].key, texts[i].value);
    (void)json_object_set_new(version, "major", json_integer(facts->version_major));
    (void)json_object_set_new(version, "minor", json_integer(facts->version_minor));
    (void)json_object_set_new(object, "version", version);
    (void)json_object_set_new(object, "network_stack", comma_list(facts->network_stack));
    (void)json_object_set_new(object, "interfaces", interfaces(facts));
    (void)json_object_set_new(object, "mounts", mounts(facts));
    (void)json_object_set_new(object, "kernels", kernels(facts));
    (void)json_object_set_new(object, "packages", packages(facts));
    if (facts->selinux[0] != '\0') {
        put(object, "selinux", facts->selinux);
        put(object, "selinux_policy", facts->selinux_policy);
    }
    if (facts->windows)
        (void)json_object_set_new(object, "windows", fact_windows_to_json(facts->windows));
    if (facts->packages_problem[0] != '\0')
        put(object, "packages_problem", facts->packages_problem);
    return object;
}
