/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* os-release (os-release(5)) and the older release files. */
#ifndef H2K_INSPECT_OS_RELEASE_H
#define H2K_INSPECT_OS_RELEASE_H

#include <stddef.h>

struct os_release {
    char *id;         /* lower case: "debian", "ol", "opensuse-leap"; "" when it is not said */
    char *id_like;    /* "" when there is none; all strings are never NULL */
    char *pretty;     /* PRETTY_NAME, else NAME and VERSION */
    char *version;    /* VERSION_ID, else VERSION */
    char *codename;   /* VERSION_CODENAME */
    char *variant;    /* VARIANT_ID: "server", "coreos" */
    int major, minor; /* of the version; 0 when it has none */
};

void os_release_parse(const char *text, size_t len, struct os_release *ret);
void os_release_done(struct os_release *release);
#define CLEANUP_OS_RELEASE __attribute__((cleanup(os_release_done)))

/* The one line of redhat-release and its kin: "CentOS release 6.10 (Final)", "Slackware 14.2",
 * "3.18.4". The id is "" when the line does not begin as that of a known distribution. */
void release_line_parse(const char *text, size_t len, struct os_release *ret);

/* lsb-release: DISTRIB_ID and so on. The id is the one that os-release has where that is known,
 * else DISTRIB_ID in lower case without blanks; "" when there is none. */
void lsb_release_parse(const char *text, size_t len, struct os_release *ret);

/* SuSE-release: a line with the product, then "VERSION = 11" and "PATCHLEVEL = 3", which together
 * are the version 11.3. */
void suse_release_parse(const char *text, size_t len, struct os_release *ret);

/* First number of @text and the one behind its '.': "12.7" -> 12, 7; "v3" -> 3, 0. Numbers that are
 * too large are 0. */
void version_parse(const char *text, int *ret_major, int *ret_minor);

#endif
