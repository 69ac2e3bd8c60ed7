/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* udev rules (udev(7)), as far as they give network interfaces their names. */
#ifndef H2K_INSPECT_UDEV_RULES_H
#define H2K_INSPECT_UDEV_RULES_H

#include "inspect/fields.h"

/* One KEY{attribute} OPERATOR "value" of a rule. */
struct udev_term {
    struct span key, op, value; /* the value without its quotes */
    struct span all;            /* from the key to the closing quote */
};

/* The next rule from *@pos on, continued lines included; moves *@pos behind it. Comments and empty
 * lines are passed over. false at the end of the text. */
bool udev_rule_next(const char *text, size_t len, size_t *pos, struct span *ret);

/* The next term of @rule from *@pos on, which starts as rule->start. false when there is none. */
bool udev_term_next(const char *text, const struct span *rule, size_t *pos, struct udev_term *ret);

/* Does the term compare the card's own address? */
bool udev_term_is_mac(const char *text, const struct udev_term *term);

/* A name that goes to whatever card has an address. */
struct udev_name {
    char *mac;  /* as it is written */
    char *name; /* NAME="...", or what SUSE's rename_netiface gets */
};

struct udev_names {
    struct udev_name *names;
    size_t n;
};

void udev_rules_parse(const char *text, size_t len, struct udev_names *ret);
void udev_names_done(struct udev_names *names);
#define CLEANUP_UDEV_NAMES __attribute__((cleanup(udev_names_done)))

#endif
