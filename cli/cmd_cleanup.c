/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* h2k cleanup: release what killed runs left behind. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/print.h"
#include "engine/base/mem.h"
#include "engine/leftovers.h"

#define SCHEMA "h2k.cleanup/1"

static json_t *list_json(const struct strlist *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->n; i++)
        (void)json_array_append_new(array, json_string(list->items[i]));
    return array;
}

static void print_list(const char *verb, const struct strlist *list)
{
    for (size_t i = 0; i < list->n; i++)
        (void)printf("%s %s\n", verb, list->items[i]);
}

static int run(const struct options *options)
{
    CLEANUP_STRLIST struct strlist released = { 0 }, orphans = { 0 };
    struct err err = ERR_NONE;
    int r = leftovers_clean(&released, &err);

    if (r == 0 && options->orphans)
        r = leftovers_orphans(true, &orphans, &err);
    if (!options->json) {
        print_list("released", &released);
        print_list("released orphan", &orphans);
        if (r == 0 && released.n + orphans.n == 0 && !options->quiet)
            (void)printf("nothing to clean up\n");
    }
    if (r < 0)
        return cli_fail(options, SCHEMA, NULL, "cleanup", &err);
    if (options->json)
        cli_print_json(json_pack("{s:s, s:o, s:o}", "schema", SCHEMA, "released",
                                 list_json(&released), "orphans", list_json(&orphans)));
    return STATUS_OK;
}

const struct command command_cleanup = {
    .name = "cleanup",
    .args = "",
    .summary = "release what killed runs left behind",
    .help = "Sessions that are alive are never touched. With --orphans, loop and device-mapper "
            "devices and folders "
            "named h2k-* that no state file knows are released too.",
    .schema = SCHEMA,
    .options = OPT_CLEANUP,
    .needs_root = true,
    .run = run,
};
