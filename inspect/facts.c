/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/facts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/initramfs.h"

/* Where the strings of an element are, so that making and freeing need no list each. */
#define STRING(type, field) offsetof(struct type, field)

static const size_t facts_strings[] = {
    STRING(facts, root),
    STRING(facts, deployment),
    STRING(facts, kernels_at),
    STRING(facts, type),
    STRING(facts, distro),
    STRING(facts, distro_like),
    STRING(facts, product_name),
    STRING(facts, version_text),
    STRING(facts, codename),
    STRING(facts, arch),
    STRING(facts, hostname),
    STRING(facts, machine_id),
    STRING(facts, timezone),
    STRING(facts, selinux),
    STRING(facts, selinux_policy),
    STRING(facts, variant),
    STRING(facts, package_format),
    STRING(facts, package_manager),
    STRING(facts, packages_problem),
    STRING(facts, boot_loader),
    STRING(facts, boot_config),
    STRING(facts, init_system),
    STRING(facts, network_stack),
};
static const size_t device_strings[] = {
    STRING(fact_device, name),       STRING(fact_device, kind),
    STRING(fact_device, fstype),     STRING(fact_device, uuid),
    STRING(fact_device, label),      STRING(fact_device, part_uuid),
    STRING(fact_device, part_label), STRING(fact_device, part_type),
    STRING(fact_device, array_uuid), STRING(fact_device, array_name),
    STRING(fact_device, disk),       STRING(fact_device, lead),
    STRING(fact_device, decrypts),   STRING(fact_device, snapshot_of),
};
static const size_t alias_strings[] = {
    STRING(fact_alias, name),
    STRING(fact_alias, device),
};
static const size_t mount_strings[] = {
    STRING(fact_mount, source),  STRING(fact_mount, target), STRING(fact_mount, type),
    STRING(fact_mount, options), STRING(fact_mount, file),   STRING(fact_mount, problem),
};
static const size_t kernel_strings[] = {
    STRING(fact_kernel, version), STRING(fact_kernel, image),
    STRING(fact_kernel, initrd),  STRING(fact_kernel, modules_dir),
    STRING(fact_kernel, kind),    STRING(fact_kernel, initrd_compression),
    STRING(fact_kernel, unified),
};
static const size_t nic_strings[] = {
    STRING(fact_nic, name),
    STRING(fact_nic, mac),
    STRING(fact_nic, source),
};
static const size_t package_strings[] = {
    STRING(fact_package, name),
    STRING(fact_package, version),
    STRING(fact_package, arch),
};

static void strings_init(void *element, const size_t *offsets, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *empty = mem_strdup("");

        memcpy((char *)element + offsets[i], &empty, sizeof(empty));
    }
}

static void strings_done(void *elements, size_t n_elements, size_t size, const size_t *offsets,
                         size_t n)
{
    for (size_t e = 0; e < n_elements; e++) {
        for (size_t i = 0; i < n; i++) {
            char *text;

            memcpy(&text, (char *)elements + e * size + offsets[i], sizeof(text));
            free(text);
        }
    }
}

#define ADD(array, count, strings)                                                                 \
    __extension__({                                                                                \
        void *added_ = mem_add(&(array), &(count), sizeof(*(array)));                              \
        strings_init(added_, strings, ARRAY_SIZE(strings));                                        \
        added_;                                                                                    \
    })

#define FREE(array, count, strings)                                                                \
    do {                                                                                           \
        strings_done(array, count, sizeof(*(array)), strings, ARRAY_SIZE(strings));                \
        free(array);                                                                               \
    } while (0)

struct facts *facts_new(void)
{
    struct facts *facts = mem_alloc(sizeof(*facts));

    strings_init(facts, facts_strings, ARRAY_SIZE(facts_strings));
    return facts;
}

void facts_free(struct facts *facts)
{
    if (!facts)
        return;
    FREE(facts->devices, facts->n_devices, device_strings);
    FREE(facts->aliases, facts->n_aliases, alias_strings);
    FREE(facts->mounts, facts->n_mounts, mount_strings);
    for (size_t i = 0; i < facts->n_kernels; i++) {
        if (facts->kernels[i].archive)
            initramfs_done(facts->kernels[i].archive);
        free(facts->kernels[i].archive);
    }
    FREE(facts->kernels, facts->n_kernels, kernel_strings);
    FREE(facts->nics, facts->n_nics, nic_strings);
    FREE(facts->packages, facts->n_packages, package_strings);
    FREE(facts, 1, facts_strings);
}

struct fact_device *facts_add_device(struct facts *facts)
{
    return ADD(facts->devices, facts->n_devices, device_strings);
}

struct fact_alias *facts_add_alias(struct facts *facts)
{
    return ADD(facts->aliases, facts->n_aliases, alias_strings);
}

struct fact_mount *facts_add_mount(struct facts *facts)
{
    return ADD(facts->mounts, facts->n_mounts, mount_strings);
}

struct fact_kernel *facts_add_kernel(struct facts *facts)
{
    return ADD(facts->kernels, facts->n_kernels, kernel_strings);
}

struct fact_nic *facts_add_nic(struct facts *facts)
{
    return ADD(facts->nics, facts->n_nics, nic_strings);
}

struct fact_package *facts_add_package(struct facts *facts)
{
    return ADD(facts->packages, facts->n_packages, package_strings);
}

void facts_set(char **field, const char *value)
{
    char *copy = mem_strdup(value ? value : "");

    free(*field);
    *field = copy;
}

const struct fact_mount *facts_mount(const struct facts *facts, const char *target)
{
    for (size_t i = 0; i < facts->n_mounts; i++)
        if (strcmp(facts->mounts[i].target, target) == 0)
            return &facts->mounts[i];
    return NULL;
}

bool facts_has_package(const struct facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->n_packages; i++)
        if (strcmp(facts->packages[i].name, name) == 0)
            return true;
    return false;
}

/* UEFI specification 2.10, 5.3.3 and 5.2.2. */
bool fact_device_is_esp(const struct fact_device *device)
{
    static const char *const types[] = { "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "0xef" };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (strcasecmp(device->part_type, types[i]) == 0)
            return true;
    return false;
}

const char *initrd_tool_name(enum initrd_tool tool)
{
    static const char *const names[] = {
        [INITRD_UNKNOWN] = "",
        [INITRD_INITRAMFS_TOOLS] = "initramfs-tools",
        [INITRD_DRACUT] = "dracut",
        [INITRD_MKINITCPIO] = "mkinitcpio",
        [INITRD_BOOSTER] = "booster",
        [INITRD_MAKE_INITRD] = "make-initrd",
        [INITRD_MKINITFS] = "mkinitfs",
        [INITRD_MKINITRD] = "mkinitrd",
        [INITRD_GENKERNEL] = "genkernel",
    };

    return names[tool];
}

const char *firmware_name(enum firmware firmware)
{
    return firmware == FIRMWARE_UEFI ? "uefi" : "bios";
}
