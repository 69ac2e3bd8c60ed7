/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What files of a kernel say about it: pure parsers, no I/O. */
#ifndef H2K_INSPECT_KERNEL_IMAGE_H
#define H2K_INSPECT_KERNEL_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

#define KERNEL_IMAGE_HEAD (34U << 10) /* the version lies in so many bytes from the start */

/*
 * The version ("6.6.1-arch1-1") in the first bytes of an x86 kernel; NULL when there is none. Free
 * it. Documentation/arch/x86/boot.rst: "HdrS" at 0x202, at 0x20e (2 bytes) the place of a text,
 * counted from 0x200.
 */
char *kernel_image_version(const void *data, size_t len);

/* Value of an option ("CONFIG_VIRTIO_BLK") in a kernel's configuration: 'y', 'm', or 0. */
char kernel_config_get(const char *text, size_t len, const char *option);

/*
 * What the kernel is for, as a literal: "" ordinary, "debug", "kdump", "rescue", "xen" (starts on
 * Xen only). @config: its configuration, NULL when it is not there; @version: of its file's name.
 */
const char *kernel_kind(const char *version, const char *config, size_t len);

#endif
