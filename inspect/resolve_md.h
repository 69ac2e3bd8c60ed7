/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For resolve.c only: names of md arrays and of partitions on them. */
#ifndef H2K_INSPECT_RESOLVE_MD_H
#define H2K_INSPECT_RESOLVE_MD_H

#include "inspect/facts.h"

/* What "/dev/md" and @rest mean ("0", "/root", "127p1"). NULL: not known. */
const struct fact_device *resolve_md(const struct facts *facts, const char *rest);

/* What "/dev/disk/by-id/md-" and @rest mean ("uuid-...", "name-host:root-part1"). */
const struct fact_device *resolve_md_id(const struct facts *facts, const char *rest);

#endif
