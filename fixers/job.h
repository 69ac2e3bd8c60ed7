/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One guest from image to target: attach, build the stack, inspect, plan, apply, convert, validate.
 * A table of stages; every command is a prefix of it or all of it.
 */
#ifndef H2K_FIXERS_JOB_H
#define H2K_FIXERS_JOB_H

#include <jansson.h>
#include <stdbool.h>

#include "engine/base/progress.h"
#include "engine/convert.h"
#include "engine/disk.h"
#include "engine/image.h"
#include "fixers/fixer.h"
#include "fixers/hardware.h"
#include "inspect/inspect.h"

struct job_source {
    char *path;
    char *format; /* --format in force for it; NULL: detect */
};

struct job_opts {
    struct job_source *sources; /* disks in order: sda, sdb ... */
    size_t n_sources;
    const char *backend;
    struct keys keys; /* for encrypted volumes */
    struct image_opts image;
    struct inspect_opts inspect;
    struct fix_opts fix;
    const char *work_dir;
    const char *output;        /* -o */
    const char *output_dir;    /* --output-dir; NULL: the current folder */
    const char *output_format; /* -O; NULL: qcow2 */
    const char *report;        /* --report */
    bool compress, in_place, force;
    const struct progress *progress;
};

enum job_goal { JOB_VOLUMES, JOB_INSPECT, JOB_OPEN, JOB_PLAN, JOB_FIX, JOB_CONVERT };

struct job_timing {
    const char *stage;
    unsigned ms;
};

struct job {
    const struct job_opts *opts;
    enum job_goal goal;
    struct session *session;
    struct image **images; /* n_sources each */
    struct disk **disks;
    struct stack *stack;
    struct system *systems; /* facts; trees are mounted for the chosen one only */
    size_t n_systems;
    struct system *chosen; /* one of systems; not of JOB_INSPECT */
    struct plan *plan;
    const char *stage; /* where it is, for error documents */
    struct job_timing timings[24];
    size_t n_timings;
    struct strlist targets; /* final names; with in_place the sources. Known early in JOB_FIX */
    char *report_path, *log_path, *xml_path;
    uint64_t trimmed_bytes;
    bool validated; /* the target was looked at again and has nothing left to change */
    bool resumed;   /* an interrupted commit was finished; nothing else was done */

    /* of the stages only */
    struct strlist temps;     /* written targets without their final names */
    struct strlist discarded; /* volumes that Windows had not let go of (--discard-hibernation) */
    struct strlist overlays;  /* paths, one for each disk, from attach on */
    bool default_changes;     /* the plan lets another kernel be started */
    /* of a Windows guest: what it will have by the plan, besides what it has */
    struct windows_drivers drivers;
    json_t *changes, *notes;  /* of the plan, kept when the guest is unmounted */
    json_t *found;            /* h2k.inspect/1, kept likewise */
    json_t *left;             /* changes that validation found still to do */
    struct inspect_opts look; /* as the goal needs them */
    size_t mark;              /* of the undo stack, before the disks */
    int log_fd;
    bool borrowed;      /* the session is another job's */
    bool needs_overlay; /* something can be read only where it may be written */
    bool committing;    /* in place: the overlays must survive us */
};

/*
 * Run up to @goal (JOB_VOLUMES: nothing is mounted; JOB_OPEN: one system is, read-only;
 * JOB_CONVERT: change the format only). On success *ret holds everything until job_close(); after
 * JOB_FIX the devices are released already and the target is validated. On failure *ret is set too,
 * for what was found so far (disks, volumes, stage); *err says why.
 */
int job_run(const struct job_opts *opts, enum job_goal goal, struct job **ret, struct err *err);

/* Release and free; NULL is fine. 0, or negative errno and *err when something was not released. */
int job_close(struct job *job, struct err *err);

/* h2k.volumes/1: disks, volumes, and what could not be opened here. New reference. */
json_t *job_volumes_json(const struct job *job);

/* [{layer, volumes, status, problem}]: what could not be opened, by layer and reason. New
 * reference. */
json_t *job_not_opened_json(const struct job *job);

/* h2k.inspect/1: disks, volumes, systems of what was found. New reference. */
json_t *job_inspect_json(const struct job *job);

/* h2k.plan/1. New reference. */
json_t *job_plan_json(const struct job *job);

/* h2k.report/1, after JOB_FIX. New reference. */
json_t *job_report_json(const struct job *job);

#endif
