/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/signals.h"

static enum err_status status_of(int code)
{
    switch (code) {
    case ENOSPC:
    case EDQUOT:
        return STATUS_TEMPORARY;
    case EINTR:
        return signals_pending() ? STATUS_SIGNAL + (unsigned)signals_pending() : STATUS_FAILED;
    default:
        return STATUS_FAILED;
    }
}

static int code_of(enum err_status status)
{
    if (status == STATUS_TEMPORARY)
        return EBUSY;
    if (status == STATUS_REFUSED)
        return EPERM;
    if (status == STATUS_USAGE)
        return EINVAL;
    if (status == STATUS_HOST)
        return ENOTSUP;
    if (status == STATUS_NO_OS)
        return ENOENT;
    return EPROTO;
}

__attribute__((format(printf, 2, 0))) static void add_frame(struct err *err, const char *fmt,
                                                            va_list args)
{
    if (err->depth < ERR_DEPTH)
        (void)vsnprintf(err->text[err->depth], ERR_TEXT, fmt, args);
    err->depth++;
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
    va_list args;

    err->code = code > 0 ? code : EIO;
    err->status = status_of(err->code);
    err->depth = 0;
    va_start(args, fmt);
    add_frame(err, fmt, args);
    va_end(args);
    if (err->code != EPROTO) {
        size_t used = strlen(err->text[0]);

        (void)snprintf(err->text[0] + used, ERR_TEXT - used, ": %s", strerror(err->code));
    }
    return -err->code;
}

int err_status(struct err *err, enum err_status status, const char *fmt, ...)
{
    va_list args;

    err->code = code_of(status);
    err->status = status;
    err->depth = 0;
    va_start(args, fmt);
    add_frame(err, fmt, args);
    va_end(args);
    return -err->code;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    add_frame(err, fmt, args);
    va_end(args);
    return -err->code;
}

void err_clear(struct err *err)
{
    err->code = 0;
    err->status = STATUS_OK;
    err->depth = 0;
}

const char *err_text(const struct err *err, char *buf, size_t size)
{
    size_t frames = err->depth < ERR_DEPTH ? err->depth : ERR_DEPTH;
    size_t used = 0;

    buf[0] = '\0';
    for (size_t i = frames; i > 0 && used < size; i--) {
        int n = snprintf(buf + used, size - used, "%s%s", err->text[i - 1], i > 1 ? ": " : "");

        if (n < 0)
            break;
        used += (size_t)n;
    }
    return buf;
}
