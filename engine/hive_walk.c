/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All keys below one, without recursion. */
#include <errno.h>
#include <stdlib.h>

#include "engine/base/cleanup.h"
#include "engine/hive_parts.h"

struct hive_frame {
    struct hive_subkeys subkeys; /* those that are left */
    size_t path_len;             /* of the key itself */
};

int hive_walk_start(struct hive_walk *walk, struct hive *hive, const struct hive_key *top,
                    struct err *err)
{
    *walk = (struct hive_walk){ .hive = hive, .top = *top };
    walk->seen = calloc(hive->base.bins_size / 64 + 1, 1);
    if (!walk->seen)
        return err_set(err, ENOMEM, "read the hive %s", hive->name);
    walk->frames = mem_alloc(HIVE_DEPTH_MAX * sizeof(*walk->frames));
    return 0;
}

void hive_walk_done(struct hive_walk *walk)
{
    free(walk->frames);
    free(walk->seen);
    strbuf_done(&walk->path);
    *walk = (struct hive_walk){ 0 };
}

/* Go on with the keys below @key. */
static int enter(struct hive_walk *walk, const struct hive_key *key, struct err *err)
{
    struct hive_frame *frame = &walk->frames[walk->n_frames];
    uint32_t cell = key->offset / 8;

    if (walk->seen[cell / 8] >> (cell % 8) & 1)
        return hive_damaged(walk->hive, err, "a key is in two places", key->offset);
    if (walk->n_frames == HIVE_DEPTH_MAX)
        return hive_damaged(walk->hive, err, "keys are nested too deeply", key->offset);
    walk->seen[cell / 8] |= (uint8_t)(1U << cell % 8);
    walk->n_frames++;
    frame->path_len = walk->path.len;
    return hive_subkeys_begin(walk->hive, key, &frame->subkeys, err);
}

static void set_path(struct hive_walk *walk, const struct hive_key *key, size_t parent_len)
{
    CLEANUP_FREE char *name = hive_name_text(&key->name);

    if (walk->path.len > parent_len) {
        walk->path.len = parent_len;
        walk->path.data[parent_len] = '\0';
    }
    if (parent_len > 0)
        strbuf_putc(&walk->path, '\\');
    strbuf_puts(&walk->path, name);
}

int hive_walk_next(struct hive_walk *walk, struct hive_key *ret, struct err *err)
{
    int r;

    if (!walk->started) {
        walk->started = true;
        *ret = walk->top;
        r = enter(walk, ret, err);
        return r < 0 ? r : 1;
    }
    while (walk->n_frames > 0) {
        struct hive_frame *frame = &walk->frames[walk->n_frames - 1];
        uint32_t offset;

        r = hive_subkeys_next(walk->hive, &frame->subkeys, &offset, err);
        if (r < 0)
            return r;
        if (r == 0) {
            walk->n_frames--;
            continue;
        }
        r = hive_key_at(walk->hive, offset, ret, err);
        if (r < 0)
            return r;
        set_path(walk, ret, frame->path_len);
        r = enter(walk, ret, err);
        return r < 0 ? r : 1;
    }
    return 0;
}
