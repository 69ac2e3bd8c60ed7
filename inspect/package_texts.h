/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Package databases that are texts: apk's (apk(5): "P:name" lines) and pacman's (a line "%NAME%",
 * the value on the next one). One pass, nothing is copied. */
#ifndef H2K_INSPECT_PACKAGE_TEXTS_H
#define H2K_INSPECT_PACKAGE_TEXTS_H

#include "inspect/fields.h"

struct package_spans {
    struct span name, version, arch; /* len 0: it is missing */
};

/* Call @fn for each package of apk's "installed". */
void apk_installed_parse(const char *text, size_t len,
                         void (*fn)(void *arg, const struct package_spans *package), void *arg);

/* The package that a "desc" of pacman is of. false: it names none. */
bool pacman_desc_parse(const char *text, size_t len, struct package_spans *ret);

#endif
