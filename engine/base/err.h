/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The error object. It lives on the caller's stack, uses no heap, and collects one line per step
 * on its way up; only cli prints it.
 *
 *     return err_set(err, errno, "open %s", path);          where it is detected
 *     return err_wrap(err, "read the partition table");     where the caller knows more
 *
 * Texts are lower case, have no full stop, and name what was tried with which object. A refusal or
 * a lack says what to do next.
 */
#ifndef H2K_ENGINE_BASE_ERR_H
#define H2K_ENGINE_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

#define ERR_DEPTH 8
#define ERR_TEXT 512

/* What an error means to the caller of the program: its exit status (docs: EXIT STATUS). */
enum err_status {
    STATUS_OK = 0,
    STATUS_FAILED = 1,    /* also an unreadable or truncated image */
    STATUS_USAGE = 2,     /* bad option, or one that the chosen format cannot honour */
    STATUS_NO_OS = 3,     /* no operating system, or one that is not supported */
    STATUS_HOST = 4,      /* the host lacks something; the text names the package */
    STATUS_REFUSED = 5,   /* refused for safety: never retry as is */
    STATUS_SOME = 6,      /* some of several guests failed */
    STATUS_INVALID = 7,   /* the result did not validate or did not boot */
    STATUS_TEMPORARY = 8, /* image in use, no space, network */
    STATUS_CHANGES = 10,  /* plan --exit-code: there is something to change */
    STATUS_SIGNAL = 128,  /* + number of the signal that ended the run */
};

struct err {
    int code;               /* errno value, > 0; 0 means no error */
    enum err_status status; /* valid when code != 0 */
    size_t depth;           /* frames used; frames beyond ERR_DEPTH are counted but not kept */
    char text[ERR_DEPTH][ERR_TEXT]; /* [0] is the root cause, then each step around it */
};

/* Initialiser: `struct err err = ERR_NONE;`. Leaves the texts undefined on purpose. */
#define ERR_NONE                                                                                   \
    {                                                                                              \
        .code = 0                                                                                  \
    }

/*
 * Start an error; the text of @code (strerror) is added when it is printed, unless @code is
 * EPROTO (the text says it all). The status is STATUS_FAILED, or what @code implies:
 * ENOSPC, EDQUOT: STATUS_TEMPORARY; EINTR: 128 + the signal that was received.
 * Returns -@code, so that a call can end with `return err_set(...)`.
 */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Start an error with an explicit status. The text stands alone: no strerror is added.
 * Returns -EPROTO (or what err->code was set to: EBUSY for STATUS_TEMPORARY, EPERM for
 * STATUS_REFUSED, EINVAL for STATUS_USAGE, ENOTSUP for STATUS_HOST, ENOENT for STATUS_NO_OS). */
int err_status(struct err *err, enum err_status status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Add the step that failed because of *err. Returns -err->code again. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Forget an error that the caller dealt with. */
void err_clear(struct err *err);

/* "outermost: ...: root cause: strerror" into @buf; always terminated. Returns @buf. */
const char *err_text(const struct err *err, char *buf, size_t size);

#endif
