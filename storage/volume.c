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

int volume_node(struct stack *stack, struct volume *volume, const char **ret_node, struct err *err)
{
    if (!volume->node) {
        uint64_t len = volume->kind == VOLUME_DISK ? 0 : volume->size_bytes;
        int r = disk_map(stack->session, volume->disk, volume->offset, len, &volume->node, err);

        if (r < 0)
            return err_wrap(err, "make a device for %s", volume->name);
    }
    *ret_node = volume->node;
    return 0;
}
