/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/print.h"
#include "engine/base/signals.h"

static int run(const struct options *options)
{
    const struct command *command = options->command;
    struct err err = ERR_NONE;

    if (options->version) {
        (void)printf("h2k %s\n", H2K_VERSION);
        return STATUS_OK;
    }
    if (options->help) {
        options_print_help(stdout, command);
        return STATUS_OK;
    }
    if (cli_setup(options, &err) < 0)
        return cli_fail(options, command->schema, NULL, NULL, &err);
    if (command->needs_root && geteuid() != 0) {
        (void)err_status(&err, STATUS_HOST, "%s needs root: run it with sudo", command->name);
        return cli_fail(options, command->schema, NULL, NULL, &err);
    }
    return command->run(options);
}

int main(int argc, char **argv)
{
    struct options options;
    struct err err = ERR_NONE;
    int status;

    signals_init();
    if (options_parse(argc, argv, &options, &err) < 0)
        status =
            cli_fail(&options, options.command ? options.command->schema : NULL, NULL, NULL, &err);
    else
        status = run(&options);
    options_done(&options);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        (void)fprintf(stderr, "h2k: write to stdout failed\n");
        status = status ? status : STATUS_FAILED;
    }
    return status;
}
