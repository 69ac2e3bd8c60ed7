/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Recovery of a registry hive from the logs beside it (.LOG, .LOG1, .LOG2): a machine that was
 * copied while it ran, or that crashed, has the newest data in the logs only, and a reader that
 * passes over them makes Windows forget it. Pure: bytes in, bytes out. Formats: msuhanov/regf,
 * "Format of transaction log files", and "Dirty hive recovery" there.
 */
#ifndef H2K_ENGINE_REGF_LOG_H
#define H2K_ENGINE_REGF_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/base/strbuf.h"

struct regf_log {
    const void *data;
    size_t len;
};

enum regf_state {
    REGF_CLEAN,     /* nothing to do; the logs are old ones */
    REGF_RECOVERED, /* what the logs hold was written into it */
    REGF_NO_LOG,    /* dirty, but no log belongs to it: it stays as it is */
};

struct regf_recovery {
    enum regf_state state;
    unsigned n_writes; /* of the new format: entries; of the old one: 1 */
};

/*
 * Bring @hive up to the state that the @n logs hold (in the order .LOG1, .LOG2). Afterwards it is
 * complete, and its sequence numbers are above all in the logs, which so have become old ones.
 * 0, or -EBADMSG and *err: it is no hive, it is cut off, or its base block is damaged and no log
 * has another; then @hive is as it was.
 */
int regf_recover(struct strbuf *hive, const struct regf_log *logs, size_t n,
                 struct regf_recovery *ret, struct err *err);

/* Marvin32 of @len bytes (a multiple of 4) with the seed of hives' logs. */
uint64_t regf_log_hash(const void *data, size_t len);

#endif
