/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/facts.h"

const char *initrd_tool_name(enum initrd_tool tool)
{
    switch (tool) {
    case INITRD_INITRAMFS_TOOLS:
        return "initramfs-tools";
    case INITRD_DRACUT:
        return "dracut";
    case INITRD_UNKNOWN:
        break;
    }
    return "";
}

const char *firmware_name(enum firmware firmware)
{
    return firmware == FIRMWARE_UEFI ? "uefi" : "bios";
}
