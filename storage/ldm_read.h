/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Dynamic disks of Windows among the volumes of a stack, and what their databases say. */
#ifndef H2K_STORAGE_LDM_READ_H
#define H2K_STORAGE_LDM_READ_H

#include "storage/ldm_db.h"
#include "storage/volume.h"

#define LDM_MEMBER "ldm_member" /* fstype of a partition that belongs to one */

/* Is the volume a partition of a dynamic disk? Its content is known to the database only: what
 * lies at its start may be anything. */
bool ldm_is_member(const struct stack *stack, const struct volume *volume);

/* Note that instead of the result of a probe. */
void ldm_mark_member(struct volume *volume);

struct ldm_member {
    size_t volume; /* of the disk: index */
    struct ldm_head head;
    struct ldm_group group;
    struct err err; /* why the database cannot be read */
};

struct ldm_members {
    struct ldm_member *items;
    size_t n;
};

/* The dynamic disks that no layer has handled. */
void ldm_members_read(const struct stack *stack, struct ldm_members *ret);
void ldm_members_done(struct ldm_members *members);
#define CLEANUP_LDM_MEMBERS __attribute__((cleanup(ldm_members_done)))

#endif
