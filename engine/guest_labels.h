/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SELinux labels of what is made in a guest, by the guest's own policy: its file_contexts (text
 * only) are given to libselinux in a child process with limits, for their patterns are hostile
 * until proven otherwise. Source: file_contexts(5), selabel_file(5).
 */
#ifndef H2K_ENGINE_GUEST_LABELS_H
#define H2K_ENGINE_GUEST_LABELS_H

#include "engine/guest.h"

struct guest_labels;

/* From now on what guest_* makes below @root has the labels of the policy @name ("targeted": a
 * folder of /etc/selinux), until @root is freed.
 * 0, or negative errno and *err: it has those of the folders that it is made in, as before. */
int guest_labels_use(struct guest_root *root, const char *name, struct err *err);

bool guest_labels_are_used(const struct guest_root *root);

/* The label of @folder/@name (both without links) with the file type in @mode. NULL: the policy
 * says nothing, or no policy is in use. Free it. */
char *guest_labels_find(const struct guest_root *root, const char *folder, const char *name,
                        mode_t mode);

void guest_labels_free(struct guest_labels *labels); /* may be NULL */

#endif
