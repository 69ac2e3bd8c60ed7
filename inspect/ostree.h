/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Systems that are deployed from an OSTree repository (Fedora CoreOS, Silverblue, image mode of
 * RHEL): the root is a folder of its file system, one of several that can be started. Layout:
 * libostree's "Deployments" and "Anatomy of an OSTree repository".
 */
#ifndef H2K_INSPECT_OSTREE_H
#define H2K_INSPECT_OSTREE_H

#include "engine/guest.h"

/* The deployments in a file system, "/ostree/deploy/NAME/deploy/CHECKSUM.0", the one that was made
 * last first. */
void ostree_deployments(const struct guest_root *root, struct strlist *ret);

/* Add the values of ostree= in the entries of @boot/loader/entries; @boot: "/boot", or "" for a
 * boot file system of its own. What is started by default comes first. */
void ostree_boot_args(const struct guest_root *root, const char *boot, struct strlist *ret);

/* A deployment. ostree_done(). */
struct ostree {
    char *path;    /* as above; NULL: there is none */
    char *var;     /* what is /var there: "/ostree/deploy/NAME/var" */
    char *kernels; /* where its kernels lie, in the running system; "": not known */
};

/* The one that starts: what the first of @args leads to that leads to one; else the one that was
 * made last. @root is that of the file system. */
void ostree_find(const struct guest_root *root, const struct strlist *args, struct ostree *ret);
void ostree_done(struct ostree *ostree);
#define CLEANUP_OSTREE __attribute__((cleanup(ostree_done)))

#endif
