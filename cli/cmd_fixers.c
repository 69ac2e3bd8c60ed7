/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* h2k fixers: what there is to repair, in the order it is done. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/print.h"
#include "engine/base/cleanup.h"
#include "fixers/fixer.h"

#define SCHEMA "h2k.fixers/1"

static const struct {
    enum os_family os;
    const char *name;
} families[] = {
    { OS_LINUX, "linux" },
    { OS_WINDOWS, "windows" },
    { OS_OTHER, "other" },
};

static json_t *os_json(unsigned os)
{
    json_t *names = json_array();

    for (size_t i = 0; i < ARRAY_SIZE(families); i++)
        if (os & families[i].os)
            (void)json_array_append_new(names, json_string(families[i].name));
    return names;
}

static int run(const struct options *options)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n_fixers; i++) {
        if (!options->json)
            (void)printf("%-12s %s\n", fixers[i]->name, fixers[i]->summary);
        (void)json_array_append_new(list,
                                    json_pack("{s:s, s:s, s:o}", "name", fixers[i]->name, "summary",
                                              fixers[i]->summary, "os", os_json(fixers[i]->os)));
    }
    if (options->json)
        cli_print_json(json_pack("{s:s, s:O}", "schema", SCHEMA, "fixers", list));
    json_decref(list);
    return STATUS_OK;
}

const struct command command_fixers = {
    .name = "fixers",
    .args = "",
    .summary = "list the fixers, in the order they run",
    .help = "Their names are for --only and --skip of plan and offline-fix.",
    .schema = SCHEMA,
    .run = run,
};
