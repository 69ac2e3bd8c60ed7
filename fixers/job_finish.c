/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the repaired overlay to a validated target with its report. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "fixers/domain_xml.h"
#include "fixers/job_stage.h"

static const struct convert_format *format_of(const struct job *job)
{
    return job->opts->output_format ? convert_format_find(job->opts->output_format)
                                    : &convert_formats[0];
}

/* A target on its way is removed by cleanup even if we are killed; that takes a state file, which
 * root alone can write. Nothing else of a conversion needs root, so it goes on without one. */
static void open_records(struct job *job)
{
    const struct session_opts opts = { .only_records = true };
    struct err err = ERR_NONE;
    char text[ERR_TEXT];

    if (geteuid() == 0 && session_open(&opts, &job->session, &err) < 0)
        log_debug("%s", err_text(&err, text, sizeof(text)));
}

int stage_copy(struct job *job, struct err *err)
{
    struct convert_opts opts = {
        .format = format_of(job),
        .compress = job->opts->compress,
        .progress = job->opts->progress,
    };

    if (!job->session)
        open_records(job);
    opts.session = job->session;
    for (size_t i = 0; i < job->targets.n && !job->opts->in_place; i++) {
        const char *overlay = job->goal == JOB_FIX ? job->overlays.items[i] : NULL;
        char *temp = NULL;
        int r = convert_image(job->images[i], overlay, job->targets.items[i], &opts, &temp, err);

        if (r < 0)
            return r;
        strlist_take(&job->temps, temp);
        r = image_check_unchanged(job->images[i], err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- validate ---- */

/* Images to look at: the targets, or in place the overlays over the sources. */
static void fill_sources(const struct job *job, struct job_source *sources, struct strlist *allow)
{
    const struct strlist *paths = job->opts->in_place ? &job->overlays : &job->temps;
    const char *format = job->opts->in_place ? "qcow2" : format_of(job)->name;

    for (size_t i = 0; i < job->opts->n_sources; i++) {
        sources[i].path = paths->items[i];
        sources[i].format = mem_strdup(format);
        for (size_t f = 0; f < job->images[i]->n_files; f++) {
            const char *file = job->images[i]->files[f].path;

            strlist_take(allow, mem_strndup(file, (size_t)(strrchr(file, '/') - file) + 1));
        }
    }
}

static int look_again(struct job *job, const struct job_opts *opts, struct err *err)
{
    struct job *look = NULL;
    struct err close_err = ERR_NONE;
    int r = job_look(opts, job->session, &look, err);

    if (r == 0 && look->plan->n == 0)
        job->validated = true;
    else if (r == 0)
        job->left = json_incref(look->changes);
    if (job_close(look, &close_err) < 0 && r == 0) {
        *err = close_err;
        r = -err->code;
    }
    return r;
}

int stage_validate(struct job *job, struct err *err)
{
    struct job_opts opts = *job->opts;
    struct strlist allow = { 0 };
    int r;

    opts.sources = mem_alloc(opts.n_sources * sizeof(*opts.sources));
    fill_sources(job, opts.sources, &allow);
    opts.image.allow_dirs = allow;
    opts.image.allow_stale = true; /* the overlay beside the source is ours */
    opts.progress = NULL;
    /* the root has the same name there; "auto" need not find it again */
    opts.inspect.root = job->chosen->facts->root;
    r = look_again(job, &opts, err);
    for (size_t i = 0; i < opts.n_sources; i++)
        free(opts.sources[i].format);
    free(opts.sources);
    strlist_done(&allow);
    if (r < 0) {
        (void)err_wrap(err, "look at the result again");
        if (err->status == STATUS_FAILED || err->status == STATUS_NO_OS)
            err->status = STATUS_INVALID;
    }
    return r;
}

static int not_valid(const struct job *job, struct err *err)
{
    json_t *first = json_array_get(job->left, 0);

    return err_status(err, STATUS_INVALID,
                      "the result did not validate: %zu changes are still to do, the first is "
                      "%s of %s by %s; the report lists them",
                      json_array_size(job->left),
                      json_string_value(json_object_get(first, "action")),
                      json_string_value(json_object_get(first, "path")),
                      json_string_value(json_object_get(first, "fixer")));
}

/* ---- final names ---- */

int stage_publish(struct job *job, struct err *err)
{
    if (job->opts->in_place && !job->validated)
        return not_valid(job, err);
    if (job->opts->in_place)
        return in_place_commit(job, err);
    for (size_t i = 0; i < job->temps.n; i++) {
        int r = convert_publish(job->temps.items[i], job->targets.items[i], job->opts->force, err);

        if (r < 0) {
            while (i-- > 0)
                convert_unpublish(job->temps.items[i], job->targets.items[i]);
            return r;
        }
    }
    return 0;
}

int report_write_xml(const struct job *job, struct err *err)
{
    int r = domain_xml_write(job, job->xml_path, err);

    return r < 0 ? r : report_own(job->xml_path, err);
}

int stage_report(struct job *job, struct err *err)
{
    json_t *document = job_report_json(job);
    int r = report_write(job->report_path, document, err);

    json_decref(document);
    if (r == 0)
        r = report_write_xml(job, err);
    if (r == 0 && !job->validated)
        r = not_valid(job, err);
    return r;
}
