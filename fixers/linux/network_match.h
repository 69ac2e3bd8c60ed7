/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Network configuration that finds its interface by the old hardware: by driver or by slot. */
#ifndef H2K_FIXERS_LINUX_NETWORK_MATCH_H
#define H2K_FIXERS_LINUX_NETWORK_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "inspect/fields.h"

/* A slot that a virtio card may be in: a pattern that takes it stays. */
#define SOME_SLOT "pci-0000:01:00.0"

/* What a match by slot can become. */
struct match_target {
    const char *name;   /* the only interface name that is kept; NULL: there is none, or several */
    const char *mac;    /* of the interface that a .link file names; NULL when it is not known */
    const char *driver; /* of the new card: "virtio_net" */
};

enum match_result {
    MATCH_SAME,   /* nothing depends on the old hardware */
    MATCH_FIXED,  /* *ret_text is the new text, to free */
    MATCH_UNSURE, /* a slot is named, and nothing says which interface that will be; *ret_text is
                   * set too when something else could be fixed */
};

/* .network and .link files of systemd; @is_link: of the latter kind. */
enum match_result match_fix_unit(const char *text, bool is_link, const struct match_target *target,
                                 char **ret_text);

/* Keyfiles of NetworkManager: the [match] section. */
enum match_result match_fix_keyfile(const char *text, const struct match_target *target,
                                    char **ret_text);

/* NetworkManager.conf(5): devices given as "driver:vmxnet3". */
enum match_result match_fix_conf(const char *text, const char *driver, char **ret_text);

/* Netplan's YAML: `driver:` of a match. */
enum match_result match_fix_netplan(const char *text, const char *driver, char **ret_text);

/* udev rules that give an interface a name: DRIVERS=="vmxnet3", KERNELS=="0000:0b:00.0". @known:
 * names that are kept; with a MAC address (or "") each. @is_only: there is one card.
 * (network_rules.c) */
enum match_result match_fix_rules(const char *text, const struct match_target *known,
                                  size_t n_known, bool is_only, const char *driver,
                                  char **ret_text);

/* A driver of network cards of other hypervisors? */
bool is_old_driver(const char *word);

/* Put @driver in the place of old ones in some bytes of @text; "!vmxnet3" means all others
 * and stays. */
void swap_drivers(const char *text, struct span range, const char *driver, struct edits *edits);

/* What the edits make of @text. */
enum match_result match_finish(const struct edits *edits, const char *text, bool unsure,
                               char **ret_text);

#endif
