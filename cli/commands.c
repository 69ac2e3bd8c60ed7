/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sub-commands, in the order of --help: a new one is a file with a row, and a line here. */
#include <string.h>

#include "cli/command.h"
#include "engine/base/cleanup.h"

extern const struct command command_boot_test, command_cleanup, command_convert, command_doctor,
    command_fixers, command_inspect, command_offline_fix, command_plan, command_registry,
    command_volumes;

const struct command *const commands[] = {
    &command_doctor,      &command_volumes, &command_inspect,   &command_registry, &command_plan,
    &command_offline_fix, &command_convert, &command_boot_test, &command_fixers,   &command_cleanup,
};
const size_t n_commands = ARRAY_SIZE(commands);

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < n_commands; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}
