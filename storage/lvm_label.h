/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What makes a device a physical volume of LVM2: the label in one of its first four sectors, and
 * the metadata areas that it names, each a ring with the volume group's text.
 * Formats: lvm2, lib/label/label.h, lib/format_text/layout.h. Lengths in bytes.
 */
#ifndef H2K_STORAGE_LVM_LABEL_H
#define H2K_STORAGE_LVM_LABEL_H

#include <stddef.h>
#include <stdint.h>

#include "storage/volume.h"

#define LVM_ID_LEN 32U        /* characters of an id, without its dashes */
#define LVM_LABEL_BYTES 2048U /* in which the label lies */
#define LVM_MDA_HEADER 512U
#define LVM_AREAS_MAX 4U

struct lvm_area {
    uint64_t offset, size;
};

struct lvm_label {
    char id[LVM_ID_LEN + 1];
    uint64_t device_size;
    struct lvm_area metadata[LVM_AREAS_MAX];
    size_t n_metadata;
};

/* 0; -ENOENT: there is no label; -EBADMSG: it is damaged. */
int lvm_label_parse(const uint8_t bytes[LVM_LABEL_BYTES], struct lvm_label *ret);

/* Where the text of the newest committed metadata lies in the ring at @area, and its checksum. */
struct lvm_text_place {
    uint64_t start; /* in the area; it may continue at LVM_MDA_HEADER */
    uint64_t size;
    uint32_t crc;
};

/* 0; -ENOENT: the area holds no volume group; -EBADMSG: it is damaged. */
int lvm_mda_parse(const uint8_t bytes[LVM_MDA_HEADER], const struct lvm_area *area,
                  struct lvm_text_place *ret);

/* The checksum of labels, area headers and texts. */
uint32_t lvm_crc(const void *data, size_t len);

/* The label of @volume. As lvm_label_parse(), or another negative errno. */
int lvm_label_read(const struct volume *volume, struct lvm_label *ret);

/* The text of a metadata area, the caller's; its checksum is right. As lvm_mda_parse(), or another
 * negative errno. */
int lvm_text_read(const struct volume *volume, const struct lvm_area *area, char **ret_text,
                  size_t *ret_len);

#endif
