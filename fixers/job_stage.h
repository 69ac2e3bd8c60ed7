/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The stages of a job (fixers/job.c has their table), and the parts they are made of. */
#ifndef H2K_FIXERS_JOB_STAGE_H
#define H2K_FIXERS_JOB_STAGE_H

#include "fixers/hardware.h"
#include "fixers/job.h"

/* All: 0, or negative errno and *err. What they make is in struct job. */
int stage_open(struct job *job, struct err *err);    /* images */
int stage_check(struct job *job, struct err *err);   /* names, permissions, space; log */
int stage_replay(struct job *job, struct err *err);  /* what images were left to be finished */
int stage_attach(struct job *job, struct err *err);  /* session, disks */
int stage_stack(struct job *job, struct err *err);   /* volumes */
int stage_inspect(struct job *job, struct err *err); /* systems with their facts */
int stage_plan(struct job *job, struct err *err);
int stage_apply(struct job *job, struct err *err);
int stage_trim(struct job *job, struct err *err);
int stage_release(struct job *job, struct err *err);
int stage_copy(struct job *job, struct err *err);     /* targets under temporary names */
int stage_validate(struct job *job, struct err *err); /* sets job->validated or job->left */
int stage_publish(struct job *job, struct err *err);  /* final names, or the commit in place */
int stage_report(struct job *job, struct err *err);   /* report and XML */

/* ---- job.c ---- */

/* Inspect and plan other images read-only within @session; *ret is set in any case, for
 * job_close(). */
int job_look(const struct job_opts *opts, struct session *session, struct job **ret,
             struct err *err);

/* Unmount the guest; the plan goes too. */
int job_unmount(struct job *job, struct err *err);

/* Unmount, forget the volumes, release the disks. */
int job_release(struct job *job, struct err *err);

/* ---- job_hardware.c ---- */

/* The machine for the targets; the plan is done. */
const struct hardware *job_hardware(const struct job *job);

/* When all fixers have planned: what a Windows guest will have drivers for, and a note where that
 * is not virtio. */
void job_plan_hardware(struct job *job);

/* ---- names and checks (job_target.c) ---- */

/* Name without folder and image suffix: "/a/web01.vmdk" -> "web01". Free it. */
char *target_stem(const char *path);

/* Options that contradict each other or cannot be honoured: STATUS_USAGE. */
int target_check_options(const struct job_opts *opts, struct err *err);

/* Fill job->targets, report_path, log_path and xml_path; nothing is created. */
int target_name_all(struct job *job, struct err *err);

/* Refuse names that exist or belong to the source, and folders that cannot be written to. */
int target_check_names(const struct job *job, struct err *err);

/* ---- space.c ---- */

/* Is there room for overlays and targets? STATUS_TEMPORARY with folder and figures. */
int space_check(const struct job *job, struct err *err);

/* ---- in_place.c ---- */

/*
 * Finish what a killed run began: 1 when a pending commit was found and finished (job->found and
 * the report are those of the killed run), 0 when there was none. A marker that was not completed
 * is removed with its overlays.
 */
int in_place_resume(struct job *job, struct err *err);

/* Before an overlay is made beside its source: cleanup removes it until the marker is there. */
int in_place_record(const struct job *job, const char *overlay, struct err *err);

/* Write the markers, commit every overlay, remove both. From the first marker on, an interrupted
 * run is finished by the next one. */
int in_place_commit(struct job *job, struct err *err);

/* ---- job_json.c, job_finish.c ---- */

/* Write @document to @path: mode 0600, owned by the invoking user. */
int report_write(const char *path, json_t *document, struct err *err);

/* Give a file that was written for the invoking user to that user. */
int report_own(const char *path, struct err *err);

/* The libvirt domain beside the target, likewise. */
int report_write_xml(const struct job *job, struct err *err);

#endif
