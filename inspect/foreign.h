/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Systems whose file systems are never mounted here (the BSDs and others): they are known by the
 * types of their partitions, and nothing in them is looked at.
 */
#ifndef H2K_INSPECT_FOREIGN_H
#define H2K_INSPECT_FOREIGN_H

#include "inspect/inspect.h"

struct foreign {
    const char *type;    /* as facts have it: "freebsd" */
    const char *product; /* "FreeBSD" */
};

extern const struct os_probe os_probe_foreign;

/* The first system of this kind in @stack, and the volume that its root is most likely on; NULL
 * when there is none. */
const struct foreign *foreign_find(const struct stack *stack, struct volume **ret);

/* type, distro, product_name and firmware. */
void foreign_identify(const struct foreign *foreign, const struct stack *stack,
                      struct facts *facts);

#endif
