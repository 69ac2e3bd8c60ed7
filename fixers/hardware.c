/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/hardware.h"

#include <string.h>

#include "engine/base/cleanup.h"

#define IDE_DISKS 4

/* The first one is for all that can be; IDE belongs to the older machine. */
static const struct hardware kinds[] = {
    { "virtio", "vd", "virtio", NULL, true },
    { "ide", "hd", "e1000", "pc", false },
    { "sata", "sd", "e1000", NULL, false },
};

enum kernel_fit kernel_fit(const struct fact_kernel *kernel)
{
    if (strcmp(kernel->kind, "xen") == 0 || strcmp(kernel->kind, "kdump") == 0)
        return KERNEL_NO_KVM;
    if (!kernel->virtio_known || strcmp(kernel->kind, "rescue") == 0)
        return KERNEL_UNKNOWN;
    if (!kernel->has_virtio || (!kernel->virtio_builtin && !*kernel->initrd && !*kernel->unified))
        return KERNEL_NO_VIRTIO;
    return KERNEL_FITS;
}

const char *kernel_fit_text(enum kernel_fit fit)
{
    static const char *const texts[] = {
        [KERNEL_FITS] = "has virtio drivers",
        [KERNEL_UNKNOWN] = "says nothing about its drivers",
        [KERNEL_NO_VIRTIO] = "cannot start from a virtio disk",
        [KERNEL_NO_KVM] = "does not start on KVM",
    };

    return texts[fit];
}

const struct fact_kernel *kernel_started(const struct facts *facts)
{
    for (size_t i = 0; i < facts->n_kernels; i++)
        if (facts->kernels[i].is_default)
            return &facts->kernels[i];
    return NULL;
}

const struct fact_kernel *kernel_instead(const struct facts *facts)
{
    const struct fact_kernel *started = kernel_started(facts);
    const struct fact_kernel *found = NULL;

    if (!started || kernel_fit(started) == KERNEL_FITS || kernel_fit(started) == KERNEL_UNKNOWN)
        return NULL;
    /* newest first; one for debugging is slow */
    for (size_t i = 0; i < facts->n_kernels; i++) {
        const struct fact_kernel *kernel = &facts->kernels[i];

        if (kernel_fit(kernel) == KERNEL_FITS && (!found || (*found->kind && !*kernel->kind)))
            found = kernel;
    }
    return found;
}

/* The kernel whose drivers count: NULL when one of those that may be started has virtio's. */
static const struct fact_kernel *needs_other(const struct facts *facts, bool default_changes)
{
    const struct fact_kernel *started = kernel_started(facts);
    const struct fact_kernel *first = NULL;

    if (default_changes)
        return NULL;
    if (started)
        return kernel_fit(started) == KERNEL_NO_VIRTIO ? started : NULL;
    for (size_t i = 0; i < facts->n_kernels; i++) {
        enum kernel_fit fit = kernel_fit(&facts->kernels[i]);

        if (fit == KERNEL_FITS || fit == KERNEL_UNKNOWN)
            return NULL;
        if (fit == KERNEL_NO_VIRTIO && !first)
            first = &facts->kernels[i];
    }
    return first;
}

const struct hardware *hardware_virtio(void)
{
    return &kinds[0];
}

/* ---- Windows ---- */

struct windows_drivers windows_drivers_found(const struct fact_windows *windows)
{
    return (struct windows_drivers){
        .virtio_blk = windows->boots_virtio_blk,
        .virtio_net = windows->has_virtio_net,
        .ahci = windows->boots_ahci,
    };
}

enum windows_disk { WINDOWS_VIRTIO, WINDOWS_SATA, WINDOWS_IDE };

/*
 * Up to which NT which network card has a driver of Windows itself. Drivers of virtio for what is
 * older than Vista know the transitional devices only, which the older machine has.
 */
#define DISKS(nic, ide_nic, machine)                                                               \
    {                                                                                              \
        [WINDOWS_VIRTIO] = { "virtio", "vd", nic, machine, true },                                 \
        [WINDOWS_SATA] = { "sata", "sd", nic, machine, false },                                    \
        [WINDOWS_IDE] = { "ide", "hd", ide_nic, "pc", false },                                     \
    }

static const struct {
    uint32_t major, minor; /* up to this one */
    struct hardware disk[3], disk_and_virtio_net[3];
} windows_kinds[] = {
    { 5, 1, DISKS("rtl8139", "rtl8139", "pc"), DISKS("virtio", "virtio", "pc") },
    { 5, UINT32_MAX, DISKS("e1000", "e1000", "pc"), DISKS("virtio", "virtio", "pc") },
    { 6, 0, DISKS("e1000", "e1000", NULL), DISKS("virtio", "virtio", NULL) },
    { UINT32_MAX, UINT32_MAX, DISKS("e1000e", "e1000", NULL), DISKS("virtio", "virtio", NULL) },
};

static bool is_up_to(const struct fact_windows *windows, uint32_t major, uint32_t minor)
{
    return windows->nt_major < major || (windows->nt_major == major && windows->nt_minor <= minor);
}

const struct hardware *hardware_for_windows(const struct fact_windows *windows,
                                            const struct windows_drivers *drivers, size_t n_disks)
{
    enum windows_disk disk = drivers->virtio_blk                             ? WINDOWS_VIRTIO
                             : drivers->ahci                                 ? WINDOWS_SATA
                             : windows->boots_ide && n_disks <= IDE_DISKS    ? WINDOWS_IDE
                             : windows->nt_major >= 6 || n_disks > IDE_DISKS ? WINDOWS_SATA
                                                                             : WINDOWS_IDE;
    size_t i = 0;

    while (!is_up_to(windows, windows_kinds[i].major, windows_kinds[i].minor))
        i++;
    return drivers->virtio_net ? &windows_kinds[i].disk_and_virtio_net[disk]
                               : &windows_kinds[i].disk[disk];
}

/* ---- all ---- */

const struct hardware *hardware_for(const struct facts *facts, bool default_changes, size_t n_disks)
{
    const struct fact_kernel *kernel = needs_other(facts, default_changes);

    if (facts->windows) {
        const struct windows_drivers drivers = windows_drivers_found(facts->windows);

        return hardware_for_windows(facts->windows, &drivers, n_disks);
    }
    if (facts->os == OS_OTHER)
        return &kinds[2]; /* every system of the last fifteen years has these */
    if (!kernel || !machine_for(facts->arch)->is_pc)
        return &kinds[0];
    return kernel->has_ide && n_disks <= IDE_DISKS ? &kinds[1]
           : kernel->has_ahci                      ? &kinds[2]
                                                   : &kinds[1];
}
