/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which kernel of a guest is started, and the disks and network cards that it has drivers for. */
#ifndef H2K_FIXERS_HARDWARE_H
#define H2K_FIXERS_HARDWARE_H

#include "fixers/machine.h"
#include "inspect/facts.h"
#include "inspect/windows/facts.h"

enum kernel_fit {
    KERNEL_FITS,      /* it can start from a virtio disk */
    KERNEL_UNKNOWN,   /* nothing says what drivers it has */
    KERNEL_NO_VIRTIO, /* it has no drivers, or no initramfs to load them from */
    KERNEL_NO_KVM,    /* it starts on Xen only, or is for dumps */
};

enum kernel_fit kernel_fit(const struct fact_kernel *kernel);

/* Why a kernel does not fit, for people: a literal that follows its name. */
const char *kernel_fit_text(enum kernel_fit fit);

/* The kernel that the boot loader starts; NULL when that is not known. */
const struct fact_kernel *kernel_started(const struct facts *facts);

/* The newest kernel that can be started in place of kernel_started(), when that cannot start and
 * another one can; NULL otherwise. */
const struct fact_kernel *kernel_instead(const struct facts *facts);

/* What a guest is given under KVM: the report and the libvirt domain say the same. */
struct hardware {
    const char *disk_bus;  /* libvirt's name */
    const char *disk_name; /* of the first disk, without its letter */
    const char *nic_model;
    const char *machine; /* of a PC; NULL: machine_for() */
    bool is_virtio;
};

const struct hardware *hardware_virtio(void);

/* @default_changes: kernel_instead() will be started. @n_disks: IDE has room for four. */
const struct hardware *hardware_for(const struct facts *facts, bool default_changes,
                                    size_t n_disks);

/* What a Windows guest has drivers for that start with it (of network cards: at all). */
struct windows_drivers {
    bool virtio_blk, virtio_net, ahci;
    bool virtio_blk_fails; /* what inspection found for that does not start */
};

/* Those that it has as it is found. */
struct windows_drivers windows_drivers_found(const struct fact_windows *windows);

/* hardware_for() of a guest that will have these. */
const struct hardware *hardware_for_windows(const struct fact_windows *windows,
                                            const struct windows_drivers *drivers, size_t n_disks);

#endif
