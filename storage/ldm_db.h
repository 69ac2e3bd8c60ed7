/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The database of Windows' dynamic disks (LDM), from its bytes. Numbers are big-endian; sectors are
 * those of the disk. Facts: Linux' Documentation/admin-guide/ldm.rst and block/partitions/ldm.h,
 * Richard Russon's "LDM Documentation", and what libldm reads.
 */
#ifndef H2K_STORAGE_LDM_DB_H
#define H2K_STORAGE_LDM_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"

#define LDM_HEAD_LEN 512U         /* bytes of a PRIVHEAD or a TOCBLOCK that are looked at */
#define LDM_CONFIG_MAX (8U << 20) /* bytes of the area with the database; Windows has 1 MiB */
#define LDM_TEXT 64U

/* PRIVHEAD: says of one disk where its database is. */
struct ldm_head {
    uint8_t disk[16], group[16];
    uint64_t data_start, data_size; /* sectors; where partitions count from */
    uint64_t config_start, config_size;
};

/* 0; -ENOENT: there is none in these LDM_HEAD_LEN bytes; -EBADMSG: one that makes no sense. */
int ldm_head_parse(const uint8_t *bytes, struct ldm_head *ret);

/* What a record is of; other kinds are passed over. */
struct ldm_disk {
    uint32_t id;
    uint8_t guid[16];
    char name[LDM_TEXT];
};

struct ldm_volume {
    uint32_t id;
    char name[LDM_TEXT], state[LDM_TEXT], hint[LDM_TEXT]; /* hint: "D:", or "" */
    bool is_raid5;
    uint32_t n_components;
    uint64_t size;     /* sectors */
    uint8_t part_type; /* as in an MBR */
    uint8_t guid[16];
};

enum { LDM_STRIPED = 1, LDM_SPANNED = 2, LDM_RAID = 3 };

struct ldm_component {
    uint32_t id, parent;
    char state[LDM_TEXT];
    uint8_t type;
    uint32_t n_parts, n_columns; /* n_columns 0: not said */
    uint64_t chunk;              /* sectors; 0: none */
};

struct ldm_part {
    uint32_t id, parent, disk, index; /* ids of a component and a disk; place in the component */
    uint64_t start, offset, size;     /* offset: in the component */
};

struct ldm_group {
    char name[LDM_TEXT];
    uint64_t sequence; /* counts changes: the highest is the newest */
    bool is_settled;   /* no change of the database was interrupted */
    struct ldm_disk *disks;
    size_t n_disks;
    struct ldm_volume *volumes;
    size_t n_volumes;
    struct ldm_component *components;
    size_t n_components;
    struct ldm_part *parts;
    size_t n_parts;
};

/*
 * Parse the @len bytes of the area that a PRIVHEAD speaks of, on a disk with sectors of @sector
 * bytes. Texts are cut to what fits and hold printable ASCII only.
 * 0, or negative errno and *err (STATUS_FAILED: it is damaged, STATUS_REFUSED: of a version that is
 * not known); ldm_group_done() afterwards in any case.
 */
int ldm_group_parse(const uint8_t *config, size_t len, uint32_t sector, struct ldm_group *ret,
                    struct err *err);
void ldm_group_done(struct ldm_group *group);

#endif
