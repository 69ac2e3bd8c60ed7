/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A volume group of LVM2 as its text describes it. Pure: no device is touched.
 * Words of the text: lvm2, lib/format_text/{flags.c,import_vsn1.c}. Lengths in extents where
 * nothing else is said; an extent has extent_size sectors of 512 bytes.
 */
#ifndef H2K_STORAGE_LVM_VG_H
#define H2K_STORAGE_LVM_VG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "storage/lvm_config.h"
#include "storage/lvm_label.h"

#define LVM_NONE SIZE_MAX

struct lvm_pv {
    const char *name; /* by which segments refer to it: "pv0" */
    char id[LVM_ID_LEN + 1];
    uint64_t start; /* sectors before its first extent */
    uint64_t extents;
    bool is_missing; /* the guest did without it, so that what it holds is out of date */
};

struct lvm_segment {
    size_t node; /* in the configuration: the type's own values */
    uint64_t start, extents;
    const char *type; /* "striped", "cache+CACHE_USES_CACHEVOL" */
};

struct lvm_lv {
    const char *name;
    bool is_visible;
    bool is_stale;                /* a leg of a RAID that is out of date */
    struct lvm_segment *segments; /* without gaps, in order */
    size_t n_segments;
    uint64_t extents;
    char problem[128];   /* why it cannot be used at all; "": nothing is known against it */
    char read_only[128]; /* why it must not be written; "": it may */
    /* old-style snapshots; LVM_NONE: it is none */
    size_t origin;   /* of a cow store: what it is a snapshot of */
    size_t snapshot; /* of a cow store: the hidden volume that describes the snapshot */
    bool is_origin, is_merging;
    size_t snapshot_of; /* of a snapshot, old-style or thin; LVM_NONE: it is none */
};

struct lvm_vg {
    struct lvm_config config;
    const char *name;
    char id[LVM_ID_LEN + 1];
    uint64_t seqno;
    uint64_t extent_size; /* sectors */
    struct lvm_pv *pvs;
    size_t n_pvs;
    struct lvm_lv *lvs;
    size_t n_lvs;
    bool is_exported;      /* by vgexport: no system uses it before vgimport */
    const char *system_id; /* of the only system that uses it; "": any does */
    char problem[128];     /* why nothing of it can be used */
    char read_only[128];   /* why nothing of it must be written */
};

/* Build a group from its text. 0, or negative errno and *err (STATUS_FAILED: the text is damaged).
 * Release with lvm_vg_done(), after a failure too. */
int lvm_vg_parse(const char *text, size_t len, struct lvm_vg *ret, struct err *err);
void lvm_vg_done(struct lvm_vg *vg);

size_t lvm_vg_find_lv(const struct lvm_vg *vg, const char *name); /* index, or LVM_NONE */
size_t lvm_vg_find_pv(const struct lvm_vg *vg, const char *name);

/* "abcdef-ghij-..." without the dashes, into a buffer of LVM_ID_LEN + 1; false: it is none. */
bool lvm_id_parse(const char *text, char *ret);

#endif
