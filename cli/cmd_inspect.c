/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* h2k inspect: what is in a guest. */
#include <stdio.h>
#include <string.h>

#include "cli/batch.h"
#include "cli/command.h"
#include "cli/print.h"
#include "cli/text.h"

#define SCHEMA "h2k.inspect/1"

/* A failure tells the disks and volumes that were found until then, too. */
static int fail(const struct options *options, const struct job *job, const struct err *err)
{
    const char *guest = options->job.sources[0].path;
    json_t *document, *error;

    if (!options->json) {
        text_disks(stdout, job);
        return cli_fail(options, NULL, guest, job->stage, err);
    }
    (void)cli_fail(options, NULL, guest, job->stage, err);
    document = job_inspect_json(job);
    error = cli_error_json(SCHEMA, guest, job->stage, err);
    (void)json_object_update_missing(document, error);
    json_decref(error);
    cli_print_json(document);
    return (int)err->status;
}

static int inspect_one(const struct options *options)
{
    const char *guest = options->job.sources[0].path;
    struct err err = ERR_NONE;
    struct job *job = NULL;
    json_t *document = NULL;
    int status;

    if (job_run(&options->job, JOB_INSPECT, &job, &err) < 0) {
        struct err ignored = ERR_NONE;

        status = fail(options, job, &err);
        (void)job_close(job, &ignored); /* the first failure is what counts */
        return status;
    }
    if (options->json)
        document = job_inspect_json(job);
    else
        text_guest(stdout, job);
    if (job_close(job, &err) < 0) {
        json_decref(document);
        return cli_fail(options, SCHEMA, guest, "release", &err);
    }
    if (document)
        cli_print_json(document);
    return STATUS_OK;
}

static int run(const struct options *options)
{
    /* a single guest needs a process of its own only for the time limit */
    return options->n_args > 1 || options->timeout_s > 0 ? batch_run(options, inspect_one)
                                                         : inspect_one(options);
}

const struct command command_inspect = {
    .name = "inspect",
    .args = "GUEST...",
    .summary = "what is in it: systems, volumes, kernels, boot loader, packages",
    .help = "Several guests are inspected by a process each, -j of them at a time; a broken one "
            "costs only itself. No journal is replayed.",
    .schema = SCHEMA,
    .min_args = 1,
    .max_args = 1U << 20,
    .options = OPT_IMAGE | OPT_GUEST | OPT_ROOT | OPT_KEY | OPT_BATCH | OPT_TIMEOUT | OPT_WORK,
    .needs_root = true,
    .run = run,
};
