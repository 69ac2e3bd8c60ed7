/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* /var/lib/dpkg/status: stanzas of "Field: value" lines, separated by empty lines (deb-control(5)).
 * One pass, nothing is copied. */
#ifndef H2K_INSPECT_DPKG_STATUS_H
#define H2K_INSPECT_DPKG_STATUS_H

#include "inspect/fields.h"

struct dpkg_package {
    struct span name, version, arch; /* len 0: the field is missing */
};

/* Call @fn for each package whose state is "installed" (dpkg's third word of Status), in the file's
 * order. Returns how many. */
size_t dpkg_status_parse(const char *text, size_t len,
                         void (*fn)(void *arg, const struct dpkg_package *package), void *arg);

#endif
