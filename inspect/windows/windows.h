/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is found out about a Windows system, in parts. Each reads the registry or files below C: and
 * fills some facts; what is missing, or damaged, leaves them unknown. Sources of keys and values
 * are named where they are read; all were seen in hives of real machines.
 */
#ifndef H2K_INSPECT_WINDOWS_WINDOWS_H
#define H2K_INSPECT_WINDOWS_WINDOWS_H

#include <jansson.h>

#include "engine/hive.h"
#include "inspect/inspect.h"
#include "inspect/windows/facts.h"

extern const struct os_probe os_probe_windows;

/* A system that is being looked at. Hives are NULL where they cannot be read. */
struct win_reader {
    const struct guest_root *root;
    struct hive *system, *software;
    struct facts *facts;
    struct fact_windows *windows; /* facts->windows */
};

/* ---- finding it (probe.c) ---- */

/* Folder of a Windows below the root: "/Windows". NULL: there is none. Free it. */
char *windows_folder(const struct guest_root *root);

/* How the names in @path are spelled there; as it is when it is not there. Free it. */
char *windows_spelling(const struct guest_root *root, const char *path);

/* Is there a file at @path, be it that only Windows can read it? */
bool windows_has_file(const struct guest_root *root, const char *path);

/* ---- parts ---- */

void windows_control_sets(struct win_reader *reader);                    /* version.c */
void windows_version(struct win_reader *reader);                         /* version.c */
void windows_drives(struct win_reader *reader);                          /* drives.c */
void windows_nics(struct win_reader *reader);                            /* nics.c */
void windows_nic_device(struct win_reader *reader, struct win_nic *nic); /* nic_device.c */
void windows_drivers(struct win_reader *reader);                         /* drivers.c */
void windows_software(struct win_reader *reader);                        /* software.c */
void windows_packages(struct win_reader *reader);                        /* software.c */
void windows_boot(const struct guest_root *root, struct facts *facts);   /* boot.c */

/* ---- the partition that the firmware starts from (system_volume.c) ---- */

/* Mount it at WINDOWS_SYSTEM_VOLUME when it is not that of Windows itself, and add it to the
 * mounts. 0, or negative errno and *err. */
int windows_mount_system(struct stack *stack, struct system *system,
                         const struct inspect_opts *opts, struct err *err);

/* Mark the one of several systems that Windows' boot manager starts, if it is clear. */
void windows_mark_default(struct stack *stack, struct system *systems, size_t n);

/* ---- the registry (reg.c): NULL, false or nothing when it is not there; @hive may be NULL ---- */

char *win_text(struct hive *hive, const char *key, const char *name); /* free it */
bool win_u32(struct hive *hive, const char *key, const char *name, uint32_t *ret);
void win_list(struct hive *hive, const char *key, const char *name, struct strlist *ret);
void win_keys(struct hive *hive, const char *key, struct strlist *ret);
void win_values(struct hive *hive, const char *key, struct hive_values *ret);
bool win_has_key(struct hive *hive, const char *key);
bool win_data(struct hive *hive, const char *key, const char *name, struct hive_value *ret);

/* A key of the control set that Windows starts with. Free it. */
char *win_key(const struct win_reader *reader, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* windows{} of a system in h2k.inspect/1 (json.c). New reference. */
json_t *fact_windows_to_json(const struct fact_windows *windows);

#endif
