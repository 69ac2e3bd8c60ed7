/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the fixers of Linux guests share. */
#ifndef H2K_FIXERS_LINUX_LINUX_H
#define H2K_FIXERS_LINUX_LINUX_H

#include "fixers/fixer.h"

/* The rows of registry.c that live here. */
extern const struct fixer fixer_fstab;
extern const struct fixer fixer_crypttab;
extern const struct fixer fixer_storage;
extern const struct fixer fixer_bootloader;
extern const struct fixer fixer_kernels;
extern const struct fixer fixer_network;
extern const struct fixer fixer_initramfs;
extern const struct fixer fixer_inject;
extern const struct fixer fixer_guest_tools;
extern const struct fixer fixer_selinux;
extern const struct fixer fixer_target_tools;

/* Units in /etc/systemd/system that mount, swap on or wait for disks: fstab's way for those. */
int units_use_uuids(const struct fix_context *ctx, struct plan *plan, const char *reason,
                    struct err *err);

/* ---- systemd units below /etc/systemd/system ---- */

/* Remove every enabling link (X.wants/NAME, X.requires/NAME) of the unit @name; with @new_name,
 * make the same link for that one. Returns how many there were, or negative errno and *err. */
int unit_move_links(struct plan *plan, const char *name, const char *new_name, const char *reason,
                    struct err *err);

/* The unit's text with the devices it waits for (After=dev-sdb1.device) by UUID; NULL when nothing
 * changes. Free it. */
char *unit_waits_by_uuid(const struct fix_context *ctx, struct plan *plan, const char *path,
                         const char *text);

struct span;

/* Put "# " in front of the lines that @is_meant says, where the file is there. */
int comment_lines(struct plan *plan, const char *path,
                  bool (*is_meant)(const char *text, const struct span *line), const char *reason,
                  struct err *err);

/* ---- texts with lasting names ----
 *
 * @text with UUIDs in the place of disk names that change; what has none is a note that names
 * @path. Free it.
 */

/* crypttab(5). */
char *crypttab_by_uuid(const struct fix_context *ctx, struct plan *plan, const char *path,
                       const char *text);

/* mdadm.conf(5): DEVICE lines and devices= of arrays, without names. */
char *mdadm_conf_by_uuid(const struct fix_context *ctx, struct plan *plan, const char *path,
                         const char *text);

/* lvm.conf(5): filters that accept disks by name accept them under any driver's name. */
char *lvm_filters_by_name(const struct fix_context *ctx, struct plan *plan, const char *path,
                          const char *text);

/* RESUME= and ROOT= of initramfs-tools (initramfs.conf(5)). */
char *initramfs_vars_by_uuid(const struct fix_context *ctx, struct plan *plan, const char *path,
                             const char *text);

/* Lines of arguments of a kernel. */
char *command_line_by_uuid(const struct fix_context *ctx, struct plan *plan, const char *path,
                           const char *text);

/* ---- parts of the target-tools fixer ---- */

/* Logins on the serial port, in the place of Xen's consoles or as --serial-console asks. */
int plan_logins(const struct fix_context *ctx, struct plan *plan, struct err *err);

/* Modules of virtio that modprobe is told not to load. */
int allow_virtio_modules(struct plan *plan, struct err *err);

/* tuned's profile for the old hypervisor. */
int plan_tuned(struct plan *plan, struct err *err);

/* ---- parts of the bootloader fixer ---- */

/* Files other than GRUB's own configuration that hold arguments of kernels. */
int plan_command_lines(const struct fix_context *ctx, struct plan *plan, struct err *err);

/* Unified kernel images, which hold their arguments, are told of when these name disks. */
int note_unified_images(const struct fix_context *ctx, struct plan *plan, struct err *err);

/* The loader at the removable path of the EFI system partition. */
int plan_removable_loader(const struct fix_context *ctx, struct plan *plan, struct err *err);

/* The folder that holds the ESP's vendor folders ("/boot/efi/EFI"); NULL when there is none. */
char *efi_folder(const struct guest_root *root);

/* Does the folder @dir hold @name in any case (FAT has none)? Its path, or NULL. Free it. */
char *find_any_case(const struct guest_root *root, const char *dir, const char *name);

#endif
