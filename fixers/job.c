/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/base/signals.h"
#include "fixers/job_stage.h"

enum {
    FOR_VOLUMES = 1 << JOB_VOLUMES,
    FOR_INSPECT = 1 << JOB_INSPECT,
    FOR_OPEN = 1 << JOB_OPEN,
    FOR_PLAN = 1 << JOB_PLAN,
    FOR_FIX = 1 << JOB_FIX,
    FOR_CONVERT = 1 << JOB_CONVERT,
    FOR_GUEST = FOR_INSPECT | FOR_OPEN | FOR_PLAN | FOR_FIX,
    FOR_DISKS = FOR_VOLUMES | FOR_GUEST,
    FOR_TARGET = FOR_FIX | FOR_CONVERT,
};

static const struct stage {
    const char *name;
    unsigned goals;
    int (*run)(struct job *job, struct err *err);
} stages[] = {
    { "open", FOR_DISKS | FOR_CONVERT, stage_open },
    { "check", FOR_TARGET, stage_check },
    { "replay", FOR_DISKS | FOR_CONVERT, stage_replay },
    { "attach", FOR_DISKS, stage_attach },
    { "volumes", FOR_DISKS, stage_stack },
    { "inspect", FOR_GUEST, stage_inspect },
    { "plan", FOR_PLAN | FOR_FIX, stage_plan },
    { "apply", FOR_FIX, stage_apply },
    { "trim", FOR_FIX, stage_trim },
    { "release", FOR_FIX, stage_release },
    { "copy", FOR_TARGET, stage_copy },
    { "validate", FOR_FIX, stage_validate },
    { "publish", FOR_TARGET, stage_publish },
    { "report", FOR_FIX, stage_report },
};

static struct job *job_new(const struct job_opts *opts, enum job_goal goal)
{
    struct job *job = mem_alloc(sizeof(*job));

    job->opts = opts;
    job->goal = goal;
    job->images = mem_alloc(opts->n_sources * sizeof(struct image *));
    job->disks = mem_alloc(opts->n_sources * sizeof(struct disk *));
    job->log_fd = -1;
    job->stage = stages[0].name;
    return job;
}

static int check_servers(const struct job *job, int r, struct err *err)
{
    for (size_t i = 0; i < job->opts->n_sources; i++)
        if (job->disks[i])
            r = disk_blame(job->disks[i], r, err);
    /* the watcher may have ended a server that held us up */
    if (r < 0 && signals_pending()) {
        err_clear(err);
        r = err_set(err, EINTR, "stop in the stage %s", job->stage);
    }
    return r;
}

static int run_stage(struct job *job, const struct stage *stage, struct err *err)
{
    uint64_t start = io_now_ms();
    int r;

    /* what is published or committed gets its report, too */
    if (signals_pending() && stage->run != stage_report)
        return err_set(err, EINTR, "stop before the stage %s", stage->name);
    job->stage = stage->name;
    log_debug("stage %s", stage->name);
    progress_update(job->opts->progress, stage->name, 0, 0);
    r = check_servers(job, stage->run(job, err), err);
    if (job->n_timings < ARRAY_SIZE(job->timings))
        job->timings[job->n_timings++] =
            (struct job_timing){ .stage = stage->name, .ms = (unsigned)(io_now_ms() - start) };
    return r;
}

static int run_stages(struct job *job, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(stages) && !job->resumed; i++) {
        int r = 0;

        if (stages[i].goals & (1U << job->goal))
            r = run_stage(job, &stages[i], err);
        if (r < 0)
            return r;
    }
    return 0;
}

int job_run(const struct job_opts *opts, enum job_goal goal, struct job **ret, struct err *err)
{
    struct job *job = job_new(opts, goal);
    int r = run_stages(job, err);

    if (r < 0)
        log_debug("stage %s failed", job->stage);
    *ret = job;
    return r;
}

int job_look(const struct job_opts *opts, struct session *session, struct job **ret,
             struct err *err)
{
    struct job *job = job_new(opts, JOB_PLAN);

    job->session = session;
    job->borrowed = true;
    *ret = job;
    return run_stages(job, err);
}

int job_unmount(struct job *job, struct err *err)
{
    int first = 0;

    plan_free(job->plan); /* it holds files of the guest open */
    job->plan = NULL;
    for (size_t i = 0; i < job->n_systems; i++) {
        struct err local = ERR_NONE;
        int r = mtree_release(job->systems[i].tree, &local);

        job->systems[i].tree = NULL;
        if (r < 0 && first == 0) {
            first = r;
            *err = local;
        }
    }
    return first;
}

int job_release(struct job *job, struct err *err)
{
    struct err local = ERR_NONE;
    int first = job_unmount(job, err);
    int r = 0;

    stack_free(job->stack);
    job->stack = NULL;
    for (size_t i = 0; i < job->opts->n_sources; i++)
        job->disks[i] = NULL; /* the undo stack's */
    if (job->session)
        r = undo_run_to(session_undo(job->session), job->mark, &local);
    if (r < 0 && first == 0) {
        first = r;
        *err = local;
    }
    return first;
}

static void remove_all(const struct strlist *paths)
{
    for (size_t i = 0; i < paths->n; i++)
        (void)unlink(paths->items[i]);
}

static void job_free(struct job *job)
{
    systems_free(job->systems, job->n_systems);
    for (size_t i = 0; i < job->opts->n_sources; i++)
        image_free(job->images[i]);
    free(job->images);
    free(job->disks);
    strlist_done(&job->targets);
    strlist_done(&job->temps);
    strlist_done(&job->discarded);
    strlist_done(&job->overlays);
    json_decref(job->changes);
    json_decref(job->notes);
    json_decref(job->found);
    json_decref(job->left);
    free(job->report_path);
    free(job->log_path);
    free(job->xml_path);
    free(job);
}

int job_close(struct job *job, struct err *err)
{
    struct err local = ERR_NONE;
    int first = 0;
    int r;

    if (!job)
        return 0;
    first = job_release(job, err);
    remove_all(&job->temps);
    if (!job->borrowed) {
        r = session_close(job->session, &local);
        if (r < 0 && first == 0) {
            first = r;
            *err = local;
        }
        /* those beside a source; the ones in the work folder went with the session */
        if (!job->committing)
            remove_all(&job->overlays);
    }
    if (job->log_fd >= 0) {
        log_set_job_file(-1);
        (void)close(job->log_fd);
    }
    job_free(job);
    return first;
}
