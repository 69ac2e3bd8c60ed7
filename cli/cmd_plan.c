/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* h2k plan: what offline-fix would change; changes nothing. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/print.h"
#include "cli/text.h"

#define SCHEMA "h2k.plan/1"

static void print_text(const struct job *job)
{
    const json_t *note;
    size_t i;

    (void)printf("%s: ", job->chosen->facts->root);
    text_system_line(stdout, job->chosen->facts);
    (void)fputc('\n', stdout);
    text_changes(stdout, job->changes, true);
    json_array_foreach(job->notes, i, note)
    {
        (void)fputs("note: ", stdout);
        text_safe(stdout, json_string_value(note), false);
        (void)fputc('\n', stdout);
    }
    (void)printf("%zu change%s\n", json_array_size(job->changes),
                 json_array_size(job->changes) == 1 ? "" : "s");
}

static int run(const struct options *options)
{
    const char *guest = options->job.sources[0].path;
    struct err err = ERR_NONE, close_err = ERR_NONE;
    struct job *job = NULL;
    int status = STATUS_OK;

    if (job_run(&options->job, JOB_PLAN, &job, &err) < 0)
        status = cli_fail(options, SCHEMA, guest, job->stage, &err);
    else if (options->json)
        cli_print_json(job_plan_json(job));
    else
        print_text(job);
    if (status == STATUS_OK && options->exit_code && json_array_size(job->changes) > 0)
        status = STATUS_CHANGES;
    if (job_close(job, &close_err) < 0 && err.code == 0)
        status = cli_fail(options, NULL, guest, "release", &close_err);
    return status;
}

const struct command command_plan = {
    .name = "plan",
    .args = "GUEST",
    .summary = "what offline-fix would change, as diffs; changes nothing",
    .help = "With --exit-code the exit status is 10 when there is something to change.",
    .schema = SCHEMA,
    .min_args = 1,
    .max_args = 1,
    .options = OPT_IMAGE | OPT_GUEST | OPT_ROOT | OPT_KEY | OPT_FIX | OPT_NIC | OPT_INJECT |
               OPT_PLAN | OPT_WORK,
    .needs_root = true,
    .run = run,
};
