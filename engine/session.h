/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A session: one guest's worth of kernel objects and how they go away.
 *
 * Two nested private mount namespaces: block servers (FUSE export, nbd server) live in the outer
 * one; guest file systems are mounted in the inner one, of which no block server is a member.
 * With a single namespace, killing h2k over a dirty file system would let the dying server unmount
 * that file system through itself and deadlock.
 *
 * What survives a SIGKILL is written to /run/h2k/<id> *before* it is made, with the boot id
 * (engine/state.h has the format). The session is alive exactly while somebody holds the lock
 * (flock) on that file.
 */
#ifndef H2K_ENGINE_SESSION_H
#define H2K_ENGINE_SESSION_H

#include <stdbool.h>
#include <sys/types.h>

#include "engine/base/err.h"
#include "engine/base/undo.h"

struct session;

struct session_opts {
    const char *work_dir; /* overlays and staged copies; NULL: $TMPDIR, else /var/tmp */
    bool only_records;    /* the state file and nothing else: no folders, no namespaces */
};

/*
 * Clean what dead sessions left (quick when there is nothing), then create the state file, the run
 * directory /run/h2k/<id>.d (mode 0700, private) and both namespaces. The process is a member of
 * the inner namespace afterwards; it must be single-threaded.
 * 0, or negative errno and *err; STATUS_HOST when not root or namespaces are not permitted.
 */
int session_open(const struct session_opts *opts, struct session **ret, struct err *err);

/* Release everything in reverse order, remove the run directory and the state file, return to the
 * namespace the process came from. Frees @session in any case; NULL is fine.
 * 0, or negative errno and *err of the first thing that could not be released. */
int session_close(struct session *session, struct err *err);

struct undo *session_undo(struct session *session);
const char *session_id(const struct session *session);       /* short, unique, [a-z0-9]+ */
const char *session_run_dir(const struct session *session);  /* /run/h2k/<id>.d */
const char *session_work_dir(const struct session *session); /* private folder for big files */

/* Private folder for many small files that are soon gone: in memory (at most 512 MiB), seen by the
 * inner namespace only; the work folder where that cannot be had. */
const char *session_scratch_dir(struct session *session);

/* Descriptor of the outer namespace, for struct exec_opts.mount_ns_fd of block servers. */
int session_outer_ns(const struct session *session);

/*
 * Append "KIND VALUE" to the state file; call *before* the object is made. Not synced to the disk:
 * a killed process loses nothing, and after a power failure no kernel object is left.
 * The kinds are in engine/state.h; "file PATH" has cleanup remove a file.
 */
int session_record(struct session *session, const char *kind, const char *value, struct err *err);

/* Take a record back: cleanup must no longer touch the object (it is gone, or worth keeping). */
int session_forget(struct session *session, const char *kind, const char *value, struct err *err);

/* Call @fn as a member of the outer namespace, then return to the inner one.
 * Returns what @fn returned, or negative errno and *err when a namespace could not be entered. */
int session_in_outer(struct session *session, int (*fn)(void *arg, struct err *err), void *arg,
                     struct err *err);

/*
 * Path of a device node of @type (S_IFBLK, S_IFCHR) for @number: /dev/NAME when that is it, else
 * one made in a private folder that other processes do not see. Free *ret.
 */
int session_dev_node(struct session *session, const char *name, mode_t type, dev_t number,
                     char **ret, struct err *err);

/* The same for a block device that sysfs knows as @name ("loop3"). */
int session_block_node(struct session *session, const char *name, char **ret, struct err *err);

#endif
