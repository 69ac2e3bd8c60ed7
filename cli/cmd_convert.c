/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* h2k convert: the format only. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/command.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/text.h"
#include "inspect/json_text.h"

#define SCHEMA "h2k.convert/1"

/* Without -O the name decides. */
static const char *format_of_name(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < convert_n_formats; i++) {
        const char *suffix = convert_formats[i].suffix;

        if (len > strlen(suffix) && strcmp(name + len - strlen(suffix), suffix) == 0)
            return convert_formats[i].name;
    }
    return convert_formats[0].name;
}

static void print_result(const struct options *options, const char *format, const char *target)
{
    struct stat st = { 0 };
    char size[32];

    (void)stat(target, &st);
    if (options->json) {
        cli_print_json(json_pack("{s:s, s:o, s:{s:s, s:s, s:I, s:I}}", "schema", SCHEMA, "guest",
                                 json_text(options->args[0].path), "target", "path", target,
                                 "format", format, "file_bytes", (json_int_t)st.st_size,
                                 "allocated_bytes", (json_int_t)st.st_blocks * 512));
        return;
    }
    text_safe(stdout, target, false);
    (void)printf(": %s, %s\n", format, cli_size((uint64_t)st.st_blocks * 512, size, sizeof(size)));
}

static int run(const struct options *options)
{
    const char *guest = options->args[0].path;
    struct job_opts opts = options->job;
    struct cli_progress progress;
    struct err err = ERR_NONE, close_err = ERR_NONE;
    struct job *job = NULL;
    int status = STATUS_OK;
    int r;

    opts.n_sources = 1;
    opts.output = options->args[1].path;
    if (!opts.output_format)
        opts.output_format = format_of_name(opts.output);
    cli_progress_begin(&progress, options);
    opts.progress = &progress.hook;
    r = job_run(&opts, JOB_CONVERT, &job, &err);
    cli_progress_end(&progress);
    if (r < 0)
        status = cli_fail(options, SCHEMA, guest, job->stage, &err);
    else if (options->json || !options->quiet)
        print_result(options, opts.output_format, job->targets.items[0]);
    if (job_close(job, &close_err) < 0 && err.code == 0)
        status = cli_fail(options, NULL, guest, "release", &close_err);
    return status;
}

const struct command command_convert = {
    .name = "convert",
    .args = "IMAGE OUTPUT",
    .summary = "change the format only",
    .help = "The format is what -O says, else what the suffix of OUTPUT says, else qcow2.",
    .schema = SCHEMA,
    .min_args = 2,
    .max_args = 2,
    .options = OPT_IMAGE | OPT_TARGET | OPT_WORK,
    .run = run,
};
