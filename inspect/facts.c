/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/facts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/fact_strings.h"
#include "inspect/initramfs.h"
#include "inspect/windows/facts.h"

static const size_t facts_strings[] = {
    FACT_STRING(facts, root),
    FACT_STRING(facts, deployment),
    FACT_STRING(facts, kernels_at),
    FACT_STRING(facts, type),
    FACT_STRING(facts, distro),
    FACT_STRING(facts, distro_like),
    FACT_STRING(facts, product_name),
    FACT_STRING(facts, version_text),
    FACT_STRING(facts, codename),
    FACT_STRING(facts, arch),
    FACT_STRING(facts, hostname),
    FACT_STRING(facts, machine_id),
    FACT_STRING(facts, timezone),
    FACT_STRING(facts, selinux),
    FACT_STRING(facts, selinux_policy),
    FACT_STRING(facts, variant),
    FACT_STRING(facts, package_format),
    FACT_STRING(facts, package_manager),
    FACT_STRING(facts, packages_problem),
    FACT_STRING(facts, boot_loader),
    FACT_STRING(facts, boot_config),
    FACT_STRING(facts, init_system),
    FACT_STRING(facts, idle_nics),
    FACT_STRING(facts, network_stack),
};
static const size_t device_strings[] = {
    FACT_STRING(fact_device, name),       FACT_STRING(fact_device, kind),
    FACT_STRING(fact_device, fstype),     FACT_STRING(fact_device, uuid),
    FACT_STRING(fact_device, label),      FACT_STRING(fact_device, part_uuid),
    FACT_STRING(fact_device, part_label), FACT_STRING(fact_device, part_type),
    FACT_STRING(fact_device, array_uuid), FACT_STRING(fact_device, array_name),
    FACT_STRING(fact_device, disk),       FACT_STRING(fact_device, lead),
    FACT_STRING(fact_device, decrypts),   FACT_STRING(fact_device, snapshot_of),
    FACT_STRING(fact_device, table),      FACT_STRING(fact_device, table_id),
    FACT_STRING(fact_device, dynamic_id),
};
static const size_t alias_strings[] = {
    FACT_STRING(fact_alias, name),
    FACT_STRING(fact_alias, device),
};
static const size_t mount_strings[] = {
    FACT_STRING(fact_mount, source), FACT_STRING(fact_mount, target),
    FACT_STRING(fact_mount, type),   FACT_STRING(fact_mount, options),
    FACT_STRING(fact_mount, file),   FACT_STRING(fact_mount, problem),
};
static const size_t kernel_strings[] = {
    FACT_STRING(fact_kernel, version), FACT_STRING(fact_kernel, image),
    FACT_STRING(fact_kernel, initrd),  FACT_STRING(fact_kernel, modules_dir),
    FACT_STRING(fact_kernel, kind),    FACT_STRING(fact_kernel, initrd_compression),
    FACT_STRING(fact_kernel, unified),
};
static const size_t nic_strings[] = {
    FACT_STRING(fact_nic, name),
    FACT_STRING(fact_nic, mac),
    FACT_STRING(fact_nic, source),
};
static const size_t package_strings[] = {
    FACT_STRING(fact_package, name),
    FACT_STRING(fact_package, version),
    FACT_STRING(fact_package, arch),
};

struct facts *facts_new(void)
{
    struct facts *facts = mem_alloc(sizeof(*facts));

    fact_strings_init(facts, facts_strings, ARRAY_SIZE(facts_strings));
    return facts;
}

void facts_free(struct facts *facts)
{
    if (!facts)
        return;
    FACT_FREE(facts->devices, facts->n_devices, device_strings);
    FACT_FREE(facts->aliases, facts->n_aliases, alias_strings);
    FACT_FREE(facts->mounts, facts->n_mounts, mount_strings);
    for (size_t i = 0; i < facts->n_kernels; i++) {
        if (facts->kernels[i].archive)
            initramfs_done(facts->kernels[i].archive);
        free(facts->kernels[i].archive);
    }
    FACT_FREE(facts->kernels, facts->n_kernels, kernel_strings);
    FACT_FREE(facts->nics, facts->n_nics, nic_strings);
    FACT_FREE(facts->packages, facts->n_packages, package_strings);
    fact_windows_free(facts->windows);
    FACT_FREE(facts, 1, facts_strings);
}

struct fact_device *facts_add_device(struct facts *facts)
{
    return FACT_ADD(facts->devices, facts->n_devices, device_strings);
}

struct fact_alias *facts_add_alias(struct facts *facts)
{
    return FACT_ADD(facts->aliases, facts->n_aliases, alias_strings);
}

struct fact_mount *facts_add_mount(struct facts *facts)
{
    return FACT_ADD(facts->mounts, facts->n_mounts, mount_strings);
}

struct fact_kernel *facts_add_kernel(struct facts *facts)
{
    return FACT_ADD(facts->kernels, facts->n_kernels, kernel_strings);
}

struct fact_nic *facts_add_nic(struct facts *facts)
{
    return FACT_ADD(facts->nics, facts->n_nics, nic_strings);
}

struct fact_package *facts_add_package(struct facts *facts)
{
    return FACT_ADD(facts->packages, facts->n_packages, package_strings);
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
        [INITRD_TINY] = "tiny-initramfs",
    };

    return names[tool];
}

const char *firmware_name(enum firmware firmware)
{
    return firmware == FIRMWARE_UEFI ? "uefi" : "bios";
}
