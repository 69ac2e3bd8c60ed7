/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Volumes: disks and what is found on them, in the guest's own names. */
#ifndef H2K_STORAGE_VOLUME_H
#define H2K_STORAGE_VOLUME_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/disk.h"
#include "engine/session.h"

enum volume_kind { VOLUME_DISK, VOLUME_PARTITION, VOLUME_LOGICAL, VOLUME_CRYPT, VOLUME_MD };

struct volume {
    char *name; /* "/dev/sda", "/dev/sda1": disks are lettered in argument order */
    enum volume_kind kind;
    struct disk *disk; /* that holds it */
    uint64_t offset;   /* bytes into the disk */
    uint64_t size_bytes;
    unsigned part_number;         /* 0: not a partition */
    char *part_type;              /* GPT type GUID in lower case, or "0x83" */
    char *part_uuid, *part_label; /* PARTUUID (lower case), PARTLABEL; "" when there is none */
    char *table;                  /* of a disk: "gpt", "dos" or "" */
    char *table_uuid;             /* disk id; "" when there is none */
    bool bootable;                /* MBR active flag */
    char *use;                    /* libblkid USAGE: "filesystem", "raid", "crypto", "other", "" */
    char *fstype;                 /* libblkid TYPE: "ext4", "swap", "LVM2_member"; "" unknown */
    char *uuid, *label;           /* of the file system; "" when there is none */
    char *node;                   /* block device, once volume_node() was called */
    size_t *parents;              /* indexes into stack->volumes */
    size_t n_parents;
};

struct stack {
    struct session *session;
    struct disk **disks;
    size_t n_disks;
    struct volume *volumes; /* a disk comes before what lies on it */
    size_t n_volumes;
};

/* One way to make volumes out of volumes (partitions, md, LUKS, LVM ...). */
struct layer {
    const char *name;
    /* Add the volumes it can make from those of @stack that it has not handled yet. */
    int (*activate)(struct stack *stack, struct err *err);
};

/*
 * Find all volumes on @disks: go round the layers until nothing new appears, then probe contents.
 * *ret is released by stack_free() (before session_close()).
 */
int stack_build(struct session *session, struct disk *const *disks, size_t n_disks,
                struct stack **ret, struct err *err);
void stack_free(struct stack *stack);

struct volume *stack_find(const struct stack *stack, const char *name); /* NULL: no such volume */

/* Path of a block device for the volume, made on first use. */
int volume_node(struct stack *stack, struct volume *volume, const char **ret_node, struct err *err);

const char *volume_kind_name(enum volume_kind kind); /* "disk", "partition" ...: for JSON */

#endif
