/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Logs. Libraries below cli use log_debug() only; log_info() and log_warn() belong to cli and to
 * the job. Lines go to the log file (all levels) and to the sink (stderr by default).
 */
#ifndef H2K_ENGINE_BASE_LOG_H
#define H2K_ENGINE_BASE_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Lines above @level do not reach the sink. Default LOG_LEVEL_WARN. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* Where lines for people go; NULL restores "h2k: ..." on stderr. */
void log_set_sink(void (*sink)(enum log_level level, const char *line));

/* A file that gets every line with a time stamp; -1 for none. The descriptor stays the caller's. */
void log_set_file(int fd);

/* A second one, for the log beside a target. */
void log_set_job_file(int fd);

#endif
