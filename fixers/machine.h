/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The virtual machine that suits a guest's processor. */
#ifndef H2K_FIXERS_MACHINE_H
#define H2K_FIXERS_MACHINE_H

#include <stdbool.h>

struct machine {
    const char *guest;    /* architecture as facts call it */
    const char *arch;     /* as libvirt and qemu call it: qemu-system-ARCH */
    const char *type;     /* of the machine: "q35" */
    const char *video;    /* model of the display */
    const char *serial;   /* what Linux calls its first serial port, or what stands for it */
    const char *firmware; /* UEFI as Debian installs it, for -bios; NULL: there is none */
    bool is_pc;           /* has an APIC, and qemu's host-model CPUs are complete */
    bool needs_uefi;      /* there is no other firmware */
};

/* The machine for a guest of this architecture; a PC when that is not known. */
const struct machine *machine_for(const char *guest_arch);

#endif
