/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* h2k volumes: what lies on a guest's disks; nothing is mounted. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/print.h"
#include "cli/text.h"
#include "storage/mount.h"

#define SCHEMA "h2k.volumes/1"

/* "md: /dev/md0: the kernel has no device mapper ..." */
static void not_opened_lines(const struct job *job)
{
    json_t *list = job_not_opened_json(job);
    const json_t *entry, *name;
    size_t i, n;

    json_array_foreach(list, i, entry)
    {
        (void)printf("not opened: %s:", json_string_value(json_object_get(entry, "layer")));
        json_array_foreach(json_object_get(entry, "volumes"), n, name)
        {
            (void)fputs(n ? ", " : " ", stdout);
            text_safe(stdout, json_string_value(name), false);
        }
        (void)fputs(": ", stdout);
        text_safe(stdout, json_string_value(json_object_get(entry, "problem")), false);
        (void)fputc('\n', stdout);
    }
    json_decref(list);
}

static void needs_lines(const struct stack *stack)
{
    for (size_t i = 0; i < stack->n_volumes; i++) {
        const struct volume *volume = &stack->volumes[i];
        struct err err = ERR_NONE;
        char text[ERR_TEXT];

        if (strcmp(volume->use, "filesystem") == 0 && mount_check(volume->fstype, true, &err) < 0)
            (void)printf("not to be mounted here: %s: %s\n", volume->name,
                         err_text(&err, text, sizeof(text)));
    }
}

/* Is it so because of what it lies on? */
static bool has_inherited(const struct stack *stack, const struct volume *volume)
{
    for (size_t i = 0; i < volume->n_parents; i++)
        if (strcmp(stack->volumes[volume->parents[i]].read_only, volume->read_only) == 0)
            return true;
    return false;
}

static void read_only_lines(const struct stack *stack)
{
    for (size_t i = 0; i < stack->n_volumes; i++) {
        const struct volume *volume = &stack->volumes[i];

        if (volume->read_only[0] != '\0' && !has_inherited(stack, volume))
            (void)printf("read-only: %s: %s\n", volume->name, volume->read_only);
    }
}

static void note_lines(const struct stack *stack)
{
    for (size_t i = 0; i < stack->n_volumes; i++)
        for (size_t n = 0; n < stack->volumes[i].notes.n; n++) {
            (void)printf("note: %s: ", stack->volumes[i].name);
            text_safe(stdout, stack->volumes[i].notes.items[n], false);
            (void)fputc('\n', stdout);
        }
}

static void print_text(const struct job *job)
{
    text_images(stdout, job);
    if (!job->stack)
        return;
    text_tree(stdout, job->stack);
    not_opened_lines(job);
    needs_lines(job->stack);
    read_only_lines(job->stack);
    note_lines(job->stack);
}

static int run(const struct options *options)
{
    const char *guest = options->job.sources[0].path;
    struct err err = ERR_NONE, close_err = ERR_NONE;
    struct job *job = NULL;
    json_t *document = NULL;
    int r = job_run(&options->job, JOB_VOLUMES, &job, &err);

    /* disks are told even when their volumes could not be */
    if (!options->json)
        print_text(job);
    else
        document = job_volumes_json(job);
    if (r < 0 && document) {
        json_t *error = cli_error_json(SCHEMA, guest, job->stage, &err);

        (void)json_object_update_missing(document, error);
        json_decref(error);
    }
    if (r < 0)
        (void)cli_fail(options, NULL, guest, job->stage, &err);
    if (job_close(job, &close_err) < 0 && r == 0) {
        json_decref(document);
        return cli_fail(options, SCHEMA, guest, "release", &close_err);
    }
    if (document)
        cli_print_json(document);
    return (int)err.status;
}

const struct command command_volumes = {
    .name = "volumes",
    .args = "GUEST",
    .summary = "the tree of disks, partitions, arrays and file systems",
    .help = "Nothing is mounted, and no system is looked for. What this host cannot open is "
            "listed with what is missing.",
    .schema = SCHEMA,
    .min_args = 1,
    .max_args = 1,
    .options = OPT_IMAGE | OPT_GUEST | OPT_KEY | OPT_WORK,
    .needs_root = true,
    .run = run,
};
