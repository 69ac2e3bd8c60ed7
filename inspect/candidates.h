/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which volumes may hold the root of a system. */
#ifndef H2K_INSPECT_CANDIDATES_H
#define H2K_INSPECT_CANDIDATES_H

#include "inspect/facts.h"
#include "storage/volume.h"

/* Volumes are looked at in this order. */
enum candidate {
    CANDIDATE_FIRST,    /* in any case */
    CANDIDATE_SNAPSHOT, /* a copy of what another volume holds: see candidate_is_wanted() */
    CANDIDATE_NONE,     /* nothing there can be mounted, or another volume stands for it */
};

/* Does whoever wrote it take names that differ in case only for one? */
bool candidate_ignores_case(const struct volume *volume);

enum candidate candidate_kind(const struct stack *stack, const struct volume *volume);

/*
 * Snapshots of a root start, too, but are not systems of their own. Is this one meant all the same:
 * by --root (@wanted, or NULL), or by a boot loader that was found (@boot_roots: root= of what it
 * starts, with @facts that know the devices)?
 */
bool candidate_is_wanted(const struct volume *volume, const char *wanted,
                         const struct strlist *boot_roots, const struct facts *facts);

#endif
