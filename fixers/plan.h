/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A plan: what must change in a guest, as data. Fixers add to it and never write; they read files
 * through it, so that each sees what the earlier ones will have written. fixers/apply.c is the only
 * writer.
 */
#ifndef H2K_FIXERS_PLAN_H
#define H2K_FIXERS_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "engine/base/err.h"
#include "engine/guest.h"
#include "engine/hive_edit.h"
#include "engine/session.h"

struct patch;
struct stack;

enum change_action {
    CHANGE_WRITE,  /* the whole new content of a file, which may be new */
    CHANGE_APPEND, /* bytes that are added to a (large, binary) file */
    CHANGE_COPY,   /* a copy of another file of the guest, as it is before the plan */
    CHANGE_REMOVE, /* a file or a link */
    CHANGE_LINK,   /* a symbolic link, replacing what is there */
    CHANGE_MKDIR,
    CHANGE_CHMOD,
    CHANGE_RUN,   /* a program of the guest is run in a jail; after all other changes */
    CHANGE_PATCH, /* some bytes of a volume, the path is its name, that are in no file */
    CHANGE_HIVE,  /* something in the registry hive at the path: change->edit says what */
};

/* What is run. The program changes the guest's files itself, or makes a file that is looked at
 * before it replaces the one at the change's path. */
struct run {
    struct strlist argv;         /* argv[0]: its path in the guest */
    struct strlist env;          /* "NAME=value" */
    struct strlist paths, texts; /* files that it sees with other contents than they have */
    char *makes;                 /* name below JAIL_OUT of what it makes; NULL: nothing */
    uint64_t about_bytes;        /* how large that will be, roughly */
    struct strlist wanted;       /* for @check */

    /* Is the file that was made as it must be? 0, or negative errno and *err. */
    int (*check)(const struct run *run, int fd, uint64_t size, struct err *err);
};

struct change {
    const char *fixer; /* name of the fixer: a literal */
    enum change_action action;
    char *path;
    char *reason; /* a short sentence for people */
    char *data;   /* WRITE, APPEND, PATCH: the bytes; LINK: target; COPY: source path */
    size_t len;
    char *old; /* WRITE: content before the plan; NULL for a new file; PATCH: what is there now */
    size_t old_len;
    uint64_t at;            /* PATCH: byte of the volume where it begins */
    struct guest_attr attr; /* of a new file; MKDIR, CHMOD: mode */
    bool secret;            /* the file is not world-readable in the guest: its diff is redacted */
    char *note;             /* WRITE, APPEND, COPY, PATCH: what the bytes are; may be NULL */
    struct run *run;        /* RUN; else NULL */
    struct hive_edit *edit; /* HIVE; else NULL */
    struct hive_value *was; /* HIVE: the value before the plan; NULL: there was none */
};

struct plan_hive {
    char *asked;       /* how it was asked for first */
    char *path;        /* canonical */
    struct hive *hive; /* as it is before the plan */
};

struct plan {
    const struct guest_root *root;
    struct stack *stack;     /* volumes of the guest; NULL: nothing but files is changed */
    struct session *session; /* for private folders of the host, when something is run */
    struct change *changes; /* one per path and kind: a second write replaces the first's content */
    size_t n;
    const char *fixer;       /* whose changes or notes are being added now */
    struct plan_hive *hives; /* that were looked into */
    size_t n_hives;
    struct strlist notes; /* things the user should know, without a change: "fixer: text" */
    /* Windows: what it will have drivers for when it starts, or soon after */
    bool has_virtio_blk, has_virtio_net;
    bool virtio_blk_fails; /* what is installed for that does not start, and nothing replaces it */
    struct err err;        /* first failure of an adding function: fixers_plan() returns it */
};

struct plan *plan_new(const struct guest_root *root);
void plan_free(struct plan *plan);

/* ---- reading, as the guest will be after the changes so far ---- */

/* -ENOENT (with *err set) when it will not be there. Free *ret_text. */
int plan_read(struct plan *plan, const char *path, char **ret_text, size_t *ret_len,
              struct err *err);
/*
 * A configuration file: 1 and *ret_text (free it) when it is there; 0 when it is not, and also,
 * with a note, when it is no text that can be edited (a FIFO, a link loop, too large, zero bytes
 * inside); negative errno and *err when the guest cannot be read.
 */
int plan_read_text(struct plan *plan, const char *path, char **ret_text, struct err *err);
bool plan_exists(const struct plan *plan, const char *path); /* follows links */
/* Target of a link at @path, NULL when there is none. Free it. */
char *plan_readlink(const struct plan *plan, const char *path);

/*
 * ---- adding; nothing is added when the guest is like that already ----
 *
 * Paths are made canonical (links resolved inside the guest), so that writing a link and writing
 * what it leads to are the same change. Missing parent folders of new files are planned as well. A
 * failure (an I/O error while the old content is read) stays in plan->err.
 */

void plan_write(struct plan *plan, const char *path, const char *text, const char *reason);
void plan_write_new(struct plan *plan, const char *path, const char *text, mode_t mode,
                    const char *reason);
/* Any bytes; @attr is for a new file. */
void plan_write_file(struct plan *plan, const char *path, const void *data, size_t len,
                     const struct guest_attr *attr, const char *reason);
/* A file that is none of the guest's own, mode 0644: @note is shown in place of its lines. */
void plan_write_noted(struct plan *plan, const char *path, const void *data, size_t len,
                      const char *note, const char *reason);
void plan_append(struct plan *plan, const char *path, const void *data, size_t len,
                 const char *note, const char *reason);
void plan_copy(struct plan *plan, const char *from, const char *to, const char *reason);
void plan_remove(struct plan *plan, const char *path, const char *reason);
void plan_link(struct plan *plan, const char *target, const char *path, const char *reason);
void plan_mkdir(struct plan *plan, const char *path, mode_t mode, const char *reason);
/* A folder with an owner; missing folders above it get @attr too, unless they are planned. */
void plan_mkdir_as(struct plan *plan, const char *path, const struct guest_attr *attr,
                   const char *reason);
void plan_chmod(struct plan *plan, const char *path, mode_t mode, const char *reason);
/* Run a program of the guest. @path: what it makes anew, or the program. Fill what is returned. */
struct run *plan_run(struct plan *plan, const char *path, const char *reason);
/* Replace bytes of the volume with this name; see volume_patch(). @note: what they mean. */
void plan_patch(struct plan *plan, const char *volume, const struct patch *patch, const char *note,
                const char *reason);
void plan_note(struct plan *plan, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- looking at it ---- */

/* Unified diff (3 lines of context) of a change, or one line that says what it is; free it.
 * @show_secrets false: the lines of secret files are not shown. */
char *change_diff(const struct change *change, bool show_secrets);
const char *change_name(const struct change *change); /* "write", "append", "set-value" ... */

/* Is a program of the guest run? */
bool plan_runs(const struct plan *plan);

/* "changes" of h2k.plan/1. New reference. */
json_t *plan_to_json(const struct plan *plan, bool show_secrets);

#endif
