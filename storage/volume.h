/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Volumes: disks and what is found on them, in the guest's own names. */
#ifndef H2K_STORAGE_VOLUME_H
#define H2K_STORAGE_VOLUME_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/mem.h"
#include "engine/disk.h"
#include "engine/session.h"
#include "storage/keys.h"

enum volume_kind {
    VOLUME_DISK,
    VOLUME_PARTITION,
    VOLUME_LOGICAL,
    VOLUME_CRYPT,
    VOLUME_MD,
    VOLUME_LDM
};

struct volume {
    char *name; /* "/dev/sda", "/dev/sda1": disks are lettered in argument order */
    enum volume_kind kind;
    struct disk *disk; /* that holds it, or one of those that do */
    int fd;            /* device mapper device that it lies on; -1: it is a piece of the disk */
    bool owns_fd;      /* else it lies on its parent's */
    uint64_t offset;   /* bytes into the disk, or into fd */
    uint64_t size_bytes;
    unsigned part_number;         /* 0: not a partition */
    char *part_type;              /* GPT type GUID in lower case, or "0x83" */
    char *part_uuid, *part_label; /* PARTUUID (lower case), PARTLABEL; "" when there is none */
    char *dynamic_id;             /* of a dynamic volume: its GUID, byte by byte as text; "" */
    char *table;                  /* of a disk or an md array: "gpt", "dos" or "" */
    bool table_is_backup;         /* GPT: the first copy is damaged, the one at the end is used */
    uint32_t table_sector_size;   /* bytes, in which the table counts; 0: no table */
    char *table_uuid;             /* disk id; "" when there is none */
    bool bootable;                /* MBR active flag */
    char *use;                    /* libblkid USAGE: "filesystem", "raid", "crypto", "other", "" */
    char *fstype;                 /* libblkid TYPE: "ext4", "swap", "LVM2_member"; "" unknown */
    char *uuid, *label;           /* of the file system; "" when there is none */
    char *node;                   /* block device, once volume_node() was called */
    char *inner_node;             /* of a disk: without its first sectors; see volume_address() */
    bool handled;                 /* the layer that its content is for has looked at it */
    /* Why what lies on it was not made a volume; "": nothing is in the way. And what that means for
     * a run that finds no system: STATUS_HOST, STATUS_REFUSED ... */
    char *problem;
    enum err_status problem_status;
    bool inactive; /* known by its description only, and never a device: see problem */
    struct peek
        *peek;       /* by which an inactive one can be looked into all the same; NULL: it can't */
    char *read_only; /* why it must not be written, whatever the disk allows; "": it may be */
    enum err_status read_only_status;
    char *snapshot_of;    /* LVM: name of the volume that it is a snapshot of; "": of none */
    struct strlist notes; /* what is odd about it, for people */
    size_t *parents;      /* indexes into stack->volumes */
    size_t n_parents;
};

struct stack {
    struct session *session;
    struct disk **disks;
    size_t n_disks;
    struct volume *volumes; /* a disk comes before what lies on it */
    size_t n_volumes;
    const struct keys *keys; /* for encrypted volumes, the caller's; NULL: none */
    size_t n_peeks;          /* volumes that have one */
    bool settled;            /* no layer finds more: what is incomplete now stays so */
    bool wants_overlay;      /* something can be read only where it may be written */
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

/* The same with keys for encrypted volumes; they must stay until stack_free(). */
int stack_build_with_keys(struct session *session, struct disk *const *disks, size_t n_disks,
                          const struct keys *keys, struct stack **ret, struct err *err);
void stack_free(struct stack *stack);

struct volume *stack_find(const struct stack *stack, const char *name); /* NULL: no such volume */

/* A descriptor to read the volume through, and where in it the volume begins. Not the caller's. */
int volume_fd(const struct volume *volume, uint64_t *ret_offset);

/* Exactly @len bytes at @at of the volume. 0 or -errno; -EIO beyond its end. */
int volume_read(const struct volume *volume, uint64_t at, void *buf, size_t len);

/* Bytes of a volume, outside of what its file system manages, that are replaced by others. */
struct patch {
    uint64_t at; /* byte of the volume where they begin */
    const void *old, *bytes;
    size_t len;
};

/* Make the change through the volume's device. -ESTALE and nothing done when something else than
 * the old bytes is there. */
int volume_patch(struct stack *stack, struct volume *volume, const struct patch *patch,
                 struct err *err);

/* Why what lies on the volume was not made a volume, or cannot be read: its problem, or that no
 * layer knows its type. NULL: nothing is missing. */
const char *volume_not_opened(const struct volume *volume, enum err_status *ret_status);

/* Name of the layer that the volume's content is for, or that the volume, if inactive, is of. */
const char *volume_layer(const struct stack *stack, const struct volume *volume);

/* What lies on the volume cannot be used; the first reason stays. */
void volume_set_problem(struct volume *volume, enum err_status status, const char *text);

/* The volume must not be written; the first reason stays. */
void volume_set_read_only(struct volume *volume, enum err_status status, const char *text);

/*
 * Where sector number @first (of 512 bytes) of the volume lies, for tables of the device mapper
 * that use nothing before it: a block device and the sector there. The whole disk is made a device
 * for that, without its first sectors where possible: there lies what the host's tools know a
 * member of a volume group or an array by.
 */
int volume_address(struct stack *stack, struct volume *volume, uint64_t first, dev_t *ret_device,
                   uint64_t *ret_sector, struct err *err);

/* Path of a block device for the volume, made on first use. */
int volume_node(struct stack *stack, struct volume *volume, const char **ret_node, struct err *err);

/* "a" ... "z", "aa": what follows "sd" or "vd" in the name of a disk, as Linux counts. Free it. */
char *volume_disk_letters(size_t index);

const char *volume_kind_name(enum volume_kind kind); /* "disk", "partition" ...: for JSON */

#endif
