/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"

static enum log_level max_level = LOG_LEVEL_WARN;
static void (*line_sink)(enum log_level level, const char *line);
static int file_fds[2] = { -1, -1 }; /* the user's, the job's */

static const char *const level_names[] = { "error", "warning", "info", "debug" };

void log_set_level(enum log_level level)
{
    max_level = level;
}

enum log_level log_get_level(void)
{
    return max_level;
}

void log_set_sink(void (*sink)(enum log_level level, const char *line))
{
    line_sink = sink;
}

void log_set_file(int fd)
{
    file_fds[0] = fd;
}

void log_set_job_file(int fd)
{
    file_fds[1] = fd;
}

static bool has_file(void)
{
    return file_fds[0] >= 0 || file_fds[1] >= 0;
}

static void to_file(enum log_level level, const char *line)
{
    struct timespec now;
    struct tm tm;
    char stamp[32];

    if (!has_file())
        return;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &tm);
    (void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
    for (size_t i = 0; i < ARRAY_SIZE(file_fds); i++)
        if (file_fds[i] >= 0)
            (void)dprintf(file_fds[i], "%s.%03ldZ %s: %s\n", stamp, now.tv_nsec / 1000000,
                          level_names[level], line);
}

__attribute__((format(printf, 2, 0))) static void log_line(enum log_level level, const char *fmt,
                                                           va_list args)
{
    char *line;

    if (level > max_level && !has_file())
        return;
    line = mem_vprintf(fmt, args);
    to_file(level, line);
    if (level <= max_level) {
        if (line_sink)
            line_sink(level, line);
        else
            (void)fprintf(stderr, "h2k: %s%s\n", level == LOG_LEVEL_WARN ? "warning: " : "", line);
    }
    free(line);
}

#define LOG_FUNCTION(name, level)                                                                  \
    void name(const char *fmt, ...)                                                                \
    {                                                                                              \
        va_list args;                                                                              \
                                                                                                   \
        va_start(args, fmt);                                                                       \
        log_line(level, fmt, args);                                                                \
        va_end(args);                                                                              \
    }

LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN)
LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
