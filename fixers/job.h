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
#include "inspect/inspect.h"

struct job_source {
    char *path;
    char *format; /* --format in force for it; NULL: detect */
};

struct job_opts {
    struct job_source *sources; /* disks in order: sda, sdb ... */
    size_t n_sources;
    const char *backend;
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

enum job_goal { JOB_INSPECT, JOB_PLAN, JOB_FIX };

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
    struct system *systems;
    size_t n_systems;
    struct system *chosen; /* one of systems; plan and fix only */
    struct plan *plan;
    const char *stage; /* where it is, for error documents */
    struct job_timing timings[24];
    size_t n_timings;
    struct strlist targets; /* final names, after a successful fix */
    char *report_path, *log_path, *xml_path;
    uint64_t trimmed_bytes;
};

/*
 * Run up to @goal. On success *ret holds everything until job_close(); after JOB_FIX the devices
 * are released already and the target is validated.
 * On failure *ret is set too, for what was found so far (disks, volumes, stage); *err says why.
 */
int job_run(const struct job_opts *opts, enum job_goal goal, struct job **ret, struct err *err);

/* Release and free; NULL is fine. 0, or negative errno and *err when something was not released. */
int job_close(struct job *job, struct err *err);

/* h2k.inspect/1: disks, volumes, systems of what was found. New reference. */
json_t *job_inspect_json(const struct job *job);

/* h2k.plan/1. New reference. */
json_t *job_plan_json(const struct job *job);

#endif
