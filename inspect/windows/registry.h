/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys as users of Windows name them, and the hives of a guest that they lie in. */
#ifndef H2K_INSPECT_WINDOWS_REGISTRY_H
#define H2K_INSPECT_WINDOWS_REGISTRY_H

#include "engine/guest.h"
#include "inspect/windows/facts.h"

#define REGISTRY_MACHINE "HKEY_LOCAL_MACHINE"
#define REGISTRY_USERS "HKEY_USERS"
#define REGISTRY_CURRENT "CurrentControlSet" /* stands for one of the control sets in SYSTEM */

/* A key, taken apart. Release with registry_key_done(). */
struct registry_key {
    char *name; /* in full: "HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services" */
    char *hive; /* "SYSTEM"; of HKEY_USERS ".DEFAULT", or the name of the user's folder */
    char *key;  /* from the hive's root: "CurrentControlSet\Services" */
    bool is_users;
};

/* Take apart "HKLM\SYSTEM\...", "HKEY_LOCAL_MACHINE\...", "HKU\...". 0, or STATUS_USAGE. */
int registry_key_parse(const char *text, struct registry_key *ret, struct err *err);

/*
 * The hive's file in a guest, and the key from its root, with the control set that Windows starts
 * with for CurrentControlSet; free both. 0, or negative errno and *err when the guest has none.
 */
int registry_key_locate(const struct guest_root *root, const struct fact_windows *windows,
                        const struct registry_key *key, char **ret_path, char **ret_key,
                        struct err *err);

void registry_key_done(struct registry_key *key);
#define CLEANUP_REGISTRY_KEY __attribute__((cleanup(registry_key_done)))

#endif
