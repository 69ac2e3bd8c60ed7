/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Package databases that are texts: dpkg's (deb-control(5): stanzas of "Field: value" lines), apk's
 * (apk(5): "P:name" lines) and pacman's (a line "%NAME%", the value on the next one). One pass,
 * nothing is copied. */
#ifndef H2K_INSPECT_PACKAGE_TEXTS_H
#define H2K_INSPECT_PACKAGE_TEXTS_H

#include "inspect/fields.h"

struct package_spans {
    struct span name, version, arch; /* len 0: it is missing */
};

typedef void (*package_fn)(void *arg, const struct package_spans *package);

/* Call @fn for each package of dpkg's "status" that is "installed" (third word of Status), in the
 * file's order. */
void dpkg_status_parse(const char *text, size_t len, package_fn fn, void *arg);

/* Call @fn for each package of apk's "installed". */
void apk_installed_parse(const char *text, size_t len, package_fn fn, void *arg);

/* The package that a "desc" of pacman is of. false: it names none. */
bool pacman_desc_parse(const char *text, size_t len, struct package_spans *ret);

#endif
