/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /etc/mdadm.conf, /etc/mdadm/mdadm.conf (mdadm.conf(5)): lines of words; a line that begins with a
 * blank continues the one before, '#' begins a comment. Only ARRAY lines matter here.
 */
#ifndef H2K_INSPECT_MDADM_CONF_H
#define H2K_INSPECT_MDADM_CONF_H

#include "inspect/fields.h"

struct mdadm_array {
    char *device; /* "/dev/md0", "/dev/md/root" ("md0", "root" are made so) */
    char *uuid;   /* 32 hexadecimal digits in lower case, or "" */
    char *name;   /* "host:root", or "" */
};

struct mdadm_conf {
    struct mdadm_array *arrays; /* in the file's order */
    size_t n;
};

void mdadm_conf_parse(const char *text, size_t len, struct mdadm_conf *ret);
void mdadm_conf_done(struct mdadm_conf *conf);
#define CLEANUP_MDADM_CONF __attribute__((cleanup(mdadm_conf_done)))

/* The hexadecimal digits of a uuid however it is punctuated, in lower case. Free it. */
char *mdadm_uuid_digits(const char *uuid);

#endif
