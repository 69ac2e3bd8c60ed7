/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Disks and volumes as JSON, alike in every document. */
#ifndef H2K_FIXERS_FOUND_JSON_H
#define H2K_FIXERS_FOUND_JSON_H

#include "fixers/job.h"

/* The images with what their partition tables say. New reference. */
json_t *found_disks(const struct job *job);

/* The volumes; @all: disks that only carry a table, too. New reference. */
json_t *found_volumes(const struct job *job, bool all);

#endif
