/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The part that libhivex does. */
#include <errno.h>
#include <hivex.h>
#include <stdlib.h>

#include "engine/hive_overlay.h"

/* libhivex counts from the beginning of the file. */
static hive_node_h node_of(const struct hive_entry *entry)
{
    return (hive_node_h)entry->key.offset + REGF_BASE_LEN;
}

static int delete_keys(hive_h *hivex, const struct hive_overlay *overlay)
{
    for (size_t i = 0; i < overlay->n; i++) {
        const struct hive_entry *entry = overlay->entries[i];

        if (entry->deleted && entry->existed && entry->above->kept &&
            hivex_node_delete_child(hivex, node_of(entry)) < 0)
            return -1;
    }
    return 0;
}

static int set_values(hive_h *hivex, hive_node_h node, const struct hive_values *values)
{
    hive_set_value *list = mem_alloc((values->n + 1) * sizeof(*list));
    int r;

    for (size_t i = 0; i < values->n; i++)
        list[i] = (hive_set_value){
            .key = values->items[i].name,
            .t = (hive_type)values->items[i].type,
            .len = values->items[i].len,
            .value = values->items[i].data,
        };
    r = hivex_node_set_values(hivex, node, values->n, list, 0);
    free(list);
    return r;
}

/* @nodes: of each entry. */
static int write_entry(hive_h *hivex, const struct hive_entry *entry, hive_node_h above,
                       hive_node_h *ret_node)
{
    *ret_node =
        entry_is_new(entry) ? hivex_node_add_child(hivex, above, entry->name) : node_of(entry);
    if (*ret_node == 0)
        return -1;
    return entry->sets_values ? set_values(hivex, *ret_node, &entry->values) : 0;
}

static int write_keys(hive_h *hivex, const struct hive_overlay *overlay)
{
    hive_node_h *nodes = mem_alloc(overlay->n * sizeof(*nodes));
    int r = 0;

    for (size_t i = 0; r == 0 && i < overlay->n; i++) {
        struct hive_entry *entry = overlay->entries[i];

        entry->place = i;
        if (entry->kept || entry->present)
            r = write_entry(hivex, entry, entry->above ? nodes[entry->above->place] : 0, &nodes[i]);
    }
    free(nodes);
    return r;
}

int overlay_write(const struct hive_overlay *overlay, const char *in, const char *out,
                  const char **ret_step)
{
    hive_h *hivex = hivex_open(in, HIVEX_OPEN_WRITE);
    int code;

    *ret_step = "open it";
    if (!hivex)
        return -1;
    *ret_step = "delete keys";
    if (delete_keys(hivex, overlay) == 0) {
        *ret_step = "write keys";
        if (write_keys(hivex, overlay) == 0) {
            *ret_step = "write it";
            if (hivex_commit(hivex, out, 0) == 0)
                *ret_step = NULL;
        }
    }
    code = errno;
    (void)hivex_close(hivex);
    errno = code;
    return *ret_step ? -1 : 0;
}
