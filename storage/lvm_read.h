/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Physical volumes of the guest, and the volume groups that their metadata describes. */
#ifndef H2K_STORAGE_LVM_READ_H
#define H2K_STORAGE_LVM_READ_H

#include "storage/lvm_vg.h"
#include "storage/volume.h"

struct lvm_member {
    size_t volume; /* index in the stack */
    struct lvm_label label;
};

/* A volume group by the newest of its texts. */
struct lvm_group {
    struct lvm_vg vg;
    char *text;
    size_t len;
    bool is_split; /* two different texts claim to be the newest */
};

struct lvm_found {
    struct lvm_member *members;
    size_t n_members;
    struct lvm_group *groups;
    size_t n_groups;
};

/* Read all physical volumes that no layer has handled yet; damaged ones get a problem. Release with
 * lvm_found_done(). */
void lvm_find(struct stack *stack, struct lvm_found *ret);
void lvm_found_done(struct lvm_found *found);

/*
 * Look at what the kernel has noted beside the text: sets is_stale of RAID legs that are out of
 * date, and problem and read_only of what must not be used as it is. @pvs: per physical volume of
 * @vg, index of its volume or LVM_NONE.
 */
void lvm_read_states(const struct stack *stack, struct lvm_vg *vg, const size_t *pvs);

/* The member with this id. LVM_NONE: it is missing; *ret_twice: two have it. */
size_t lvm_find_member(const struct lvm_found *found, const char *id, bool *ret_twice);

#endif
