/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/volume.h"

const char *volume_kind_name(enum volume_kind kind)
{
    switch (kind) {
    case VOLUME_DISK:
        return "disk";
    case VOLUME_PARTITION:
        return "partition";
    case VOLUME_LOGICAL:
        return "lv";
    case VOLUME_CRYPT:
        return "crypt";
    case VOLUME_MD:
        return "md";
    }
    return "volume";
}
