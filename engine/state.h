/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The state file of a session, /run/h2k/<id>: one "KIND VALUE" line per object that can outlive a
 * killed process, written before the object is made. "-KIND VALUE" takes a line back.
 *
 *     boot ID             boot id of the kernel that the objects belong to
 *     pid PID START       process of the session (for people; liveness is the lock only)
 *     work DIR            private folder for big files
 *     file PATH           a file that is worth nothing without the session
 *     redo MARKER PATH    likewise, unless the file MARKER is there (between them a tab)
 *     server PID START    a block server
 *     fuse PATH NUMBER    FUSE connection that serves PATH
 *     loop N DEV INO      loop device over the file with that device and inode number
 *     nbd N PID           nbd device that this process connected
 *     nbd ?               one that is about to be connected; its identifier has the session's id
 *     dm NAME             device-mapper device
 *     btrfs MAJOR MINOR   device that the btrfs driver may remember
 *
 * In values '%' and control characters are written as %XX.
 */
#ifndef H2K_ENGINE_STATE_H
#define H2K_ENGINE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/base/mem.h"

#define STATE_DIR "/run/h2k"
#define STATE_MAX (4U << 20)   /* a larger state file is not ours */
#define STATE_LOOP_NAME "h2k-" /* lo_file_name of our loop devices: this and the id */

struct state_record {
    char *kind, *value;
};

struct state {
    struct state_record *records; /* in the order of the file, without those taken back */
    size_t n_records;
};

/* Read the text of a state file; lines that make no sense are skipped (a torn last line is). */
void state_parse(const char *text, struct state *ret);
void state_done(struct state *state);
#define CLEANUP_STATE __attribute__((cleanup(state_done)))

/* First value of @kind; NULL: none. */
const char *state_get(const struct state *state, const char *kind);

/* A value that is @n decimal numbers with one space between. 0 or -EINVAL. */
int state_numbers(const char *value, uint64_t *ret, size_t n);

/* One line for the file, with its newline; free it. */
char *state_line(const char *kind, const char *value);

/* Could @name be the id of a session? Lower-case letters and digits. */
bool state_is_id(const char *name);

/* Start time of a process in clock ticks since boot; 0: no such process. */
unsigned long long state_start_time(pid_t pid);

/* Boot id of this kernel, without newline; "" when it cannot be read. Free it. */
char *state_boot_id(void);

#endif
