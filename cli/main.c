/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/print.h"
#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "engine/base/signals.h"

static int run(struct options *options)
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
    if (options_read_keys(options, &err) < 0 || options_read_injections(options, &err) < 0)
        return cli_fail(options, command->schema, NULL, NULL, &err);
    return command->run(options);
}

/*
 * Who starts us with standard descriptors closed would have our output written to the next file
 * that is opened, a guest's disk for instance. Writing to stdout fails then, as it did before.
 */
static int fill_standard_fds(void)
{
    static const int modes[] = { O_RDONLY, O_RDONLY, O_WRONLY };

    for (int fd = 0; fd < (int)ARRAY_SIZE(modes); fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
            return -1;
    return 0;
}

int main(int argc, char **argv)
{
    struct options options;
    struct err err = ERR_NONE;
    int status;

    if (fill_standard_fds() < 0)
        return STATUS_FAILED;
    signals_init();
    if (argc < 2) {
        options_print_help(stderr, NULL);
        return STATUS_USAGE;
    }
    if (options_parse(argc, argv, &options, &err) < 0) {
        cli_setup_usage(&options, argc, argv);
        status =
            cli_fail(&options, options.command ? options.command->schema : NULL, NULL, NULL, &err);
    } else {
        status = run(&options);
    }
    options_done(&options);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        log_error("write to stdout failed");
        status = status ? status : STATUS_FAILED;
    }
    return status;
}
