/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/machine.h"

#include <string.h>

#include "engine/base/cleanup.h"

/* The first one is for what is not known. A 64-bit machine runs 32-bit PC guests as well. */
static const struct machine machines[] = {
    { "x86_64", "x86_64", "q35", "vga", "ttyS0", "/usr/share/ovmf/OVMF.fd", true, false },
    { "i386", "x86_64", "q35", "vga", "ttyS0", "/usr/share/ovmf/OVMF.fd", true, false },
    { "aarch64", "aarch64", "virt", "virtio", "ttyAMA0", "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd",
      false, true },
    { "ppc64le", "ppc64le", "pseries", "vga", "hvc0", NULL, false, false },
};

const struct machine *machine_for(const char *guest_arch)
{
    for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
        if (strcmp(machines[i].guest, guest_arch) == 0)
            return &machines[i];
    return &machines[0];
}
