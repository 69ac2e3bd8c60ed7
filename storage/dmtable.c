/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/dmtable.h"

#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "engine/dmdev.h"

struct dmtable *dmtable_add(struct dmtables *tables)
{
    return mem_add(&tables->tables, &tables->n_tables, sizeof(struct dmtable));
}

void dmtable_add_row(struct dmtable *table, uint64_t len, const char *target, char *params)
{
    const struct dmtable_row *last = table->n_rows > 0 ? &table->rows[table->n_rows - 1] : NULL;
    uint64_t start = last ? last->start + last->len : 0;
    struct dmtable_row *row = mem_add(&table->rows, &table->n_rows, sizeof(*row));

    *row = (struct dmtable_row){ .start = start, .len = len, .target = target, .params = params };
}

void dmtables_done(struct dmtables *tables)
{
    for (size_t i = 0; i < tables->n_tables; i++) {
        for (size_t row = 0; row < tables->tables[i].n_rows; row++)
            free(tables->tables[i].rows[row].params);
        free(tables->tables[i].rows);
    }
    free(tables->tables);
    *tables = (struct dmtables){ 0 };
}

/* Devices made so far take the place of "@N". */
static char *with_devices(const char *params, const dev_t *devices)
{
    struct strbuf out = { 0 };

    for (const char *c = params; *c;) {
        char *end = NULL;
        unsigned long index;

        if (*c != '@') {
            strbuf_putc(&out, *c++);
            continue;
        }
        index = strtoul(c + 1, &end, 10);
        strbuf_printf(&out, "%u:%u", major(devices[index]), minor(devices[index]));
        c = end;
    }
    return strbuf_take(&out);
}

static int make_one(struct session *session, const struct dmtable *table, const dev_t *devices,
                    char **ret_node, dev_t *ret_device, struct err *err)
{
    CLEANUP_FREE struct dmdev_row *rows = mem_alloc(table->n_rows * sizeof(*rows));
    CLEANUP_STRLIST struct strlist params = { 0 };
    struct dmdev_opts opts = {
        .rows = rows,
        .n_rows = table->n_rows,
        .read_only = table->read_only,
    };

    for (size_t i = 0; i < table->n_rows; i++) {
        const struct dmtable_row *row = &table->rows[i];

        strlist_take(&params, with_devices(row->params, devices));
        rows[i] =
            (struct dmdev_row){ row->start, row->len, row->target, params.items[params.n - 1] };
    }
    return dmdev_make(session, &opts, ret_node, ret_device, err);
}

/* Mark the tables that @table refers to. */
static void mark_needed(const struct dmtable *table, bool *needed)
{
    for (size_t i = 0; i < table->n_rows; i++)
        for (const char *c = strchr(table->rows[i].params, '@'); c; c = strchr(c + 1, '@'))
            needed[strtoul(c + 1, NULL, 10)] = true;
}

int dmtable_make(struct session *session, const struct dmtables *tables, size_t index,
                 dev_t *devices, char **ret_node, struct err *err)
{
    CLEANUP_FREE bool *needed = mem_alloc((index + 1) * sizeof(*needed));
    int r = 0;

    needed[index] = true;
    for (size_t i = index + 1; i-- > 0;)
        if (needed[i] && devices[i] == 0)
            mark_needed(&tables->tables[i], needed); /* all of them come before */
    for (size_t i = 0; i <= index && r == 0; i++)
        if (needed[i] && devices[i] == 0)
            r = make_one(session, &tables->tables[i], devices, i == index ? ret_node : NULL,
                         &devices[i], err);
    return r;
}
