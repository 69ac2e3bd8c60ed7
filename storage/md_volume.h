/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the state of an array (md_array.h) to a volume; for every layer that describes what it finds
 * as such an array. */
#ifndef H2K_STORAGE_MD_VOLUME_H
#define H2K_STORAGE_MD_VOLUME_H

#include "storage/md_array.h"
#include "storage/volume.h"

struct md_source {
    struct stack *stack;
    const struct md_array *array;
    /* Index of the volume that raid disk @leg, which is there, lies on; its data begins
     * array->leg_start[leg] sectors into it. */
    size_t (*member)(const void *layer, uint32_t leg);
    /* Add the volume with its name and parents. */
    struct volume *(*add)(void *layer);
    void *layer;
};

/*
 * Add the volume as a piece of a member where that will do, else as a device of the device mapper;
 * one copy of a mirror is read without one. 0, or negative errno and *err; then nothing was added.
 */
int md_volume_make(const struct md_source *source, struct err *err);

/* Add the volume as inactive, with the reason @err. Where that is a driver which is missing here,
 * it is looked into in user space. */
struct volume *md_volume_add_inactive(const struct md_source *source, const struct err *err);

#endif
