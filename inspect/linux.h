/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is found out about a Linux system, in parts. Each looks at files below the guest's root and
 * fills some facts; facts->root and facts->devices are there already. A file that is missing or
 * makes no sense leaves its facts unknown: only what the host does wrong is an error.
 */
#ifndef H2K_INSPECT_LINUX_H
#define H2K_INSPECT_LINUX_H

#include "engine/guest.h"
#include "inspect/initramfs.h"
#include "inspect/inspect.h"

extern const struct os_probe os_probe_linux;

/* distro ... codename, variant, versions (linux_distro.c) */
void linux_distro(const struct guest_root *root, struct facts *facts);

/* these, hostname, machine_id, timezone, arch, init_system, selinux (linux_id.c) */
void linux_identify(const struct guest_root *root, struct facts *facts);

/* mounts, from fstab and systemd units; where none is for it, "/" is added (linux_mounts.c) */
void linux_mounts(const struct guest_root *root, struct facts *facts);

/* firmware, boot_loader, boot_config (linux_boot.c) */
void linux_boot(const struct guest_root *root, struct facts *facts);

/* root= of the kernel that GRUB starts by default; @boot is "/boot", or "" for a boot file system
 * of its own. "" when it is not known. Free it. (linux_boot.c) */
char *linux_default_root(const struct guest_root *root, const char *boot);

/* kernels and initrd_tool, without a look into initramfs images; needs the boot loader
 * (linux_kernels.c) */
void linux_kernels(const struct guest_root *root, struct facts *facts);

/* The kernel @version in the file @image, with the drivers that it has; @name: what follows
 * "vmlinuz-" in the name of its file. NULL: there is one already, or no room. (linux_kernels.c) */
struct fact_kernel *linux_add_kernel(const struct guest_root *root, struct facts *facts,
                                     const char *version, const char *name, const char *image);

/* Kernels in unified images (linux_unified.c); the others are known. */
void linux_unified(const struct guest_root *root, struct facts *facts);

/*
 * What is in each kernel's initramfs: begins in a child process when the kernels are known, and
 * ends with the answers. NULL is a scan that could not begin: everything stays unknown. The child
 * has the guest's root open until the end. (linux_initrds.c)
 */
struct linux_scan;
struct linux_scan *linux_initrds_begin(const struct guest_root *root, const struct facts *facts,
                                       enum initramfs_depth depth);
void linux_initrds_end(struct linux_scan *scan, struct facts *facts);

/* network_stack and nics (linux_net.c) */
void linux_net(const struct guest_root *root, struct facts *facts);

/* package_format, package_manager and, when @with_list, packages (linux_packages.c) */
void linux_packages(const struct guest_root *root, bool with_list, struct facts *facts);

/* A configuration file of the guest: its text (free it), or NULL when it is missing, too large or
 * no regular file. */
char *linux_read(const struct guest_root *root, const char *path, size_t *ret_len);

/* Its first line that is neither empty nor a comment, up to a blank; NULL when there is none. Free
 * it. */
char *linux_first_line(const struct guest_root *root, const char *path);

#endif
