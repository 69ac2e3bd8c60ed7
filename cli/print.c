/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/print.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/invoker.h"
#include "engine/base/log.h"
#include "inspect/json_text.h"

/* With --progress=json every line of stderr is an object. */
static void json_sink(enum log_level level, const char *line)
{
    static const char *const names[] = { "error", "warning", "info", "debug" };
    json_t *object = json_pack("{s:s, s:s, s:o}", "schema", "h2k.progress/1", "level", names[level],
                               "message", json_text(line));
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

    if (text)
        (void)fprintf(stderr, "%s\n", text);
    free(text);
    json_decref(object);
}

static enum log_level level_of(const struct options *options)
{
    if (options->quiet)
        return LOG_LEVEL_ERROR;
    if (options->verbose > 1)
        return LOG_LEVEL_DEBUG;
    return options->verbose ? LOG_LEVEL_INFO : LOG_LEVEL_WARN;
}

void cli_setup_usage(struct options *options, int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        options->json = options->json || strcmp(argv[i], "--json") == 0;
        if (strncmp(argv[i], "--progress=json", strlen("--progress=json")) == 0)
            options->progress = PROGRESS_JSON;
    }
    if (options->progress == PROGRESS_JSON)
        log_set_sink(json_sink);
}

/* What we opened ourselves closes on exec; what we were given cannot. */
static int check_progress_fd(const struct options *options, struct err *err)
{
    int fd = options->progress_fd;
    int flags = fcntl(fd, F_GETFD), mode = fcntl(fd, F_GETFL);

    if (flags < 0 || flags & FD_CLOEXEC || (mode & O_ACCMODE) == O_RDONLY)
        return err_status(err, STATUS_USAGE,
                          "--progress json:fd=%d: h2k was not started with this descriptor open "
                          "for writing",
                          fd);
    if (fd == STDOUT_FILENO && options->json)
        return err_status(err, STATUS_USAGE,
                          "--progress json:fd=%d: with --json only the result goes there", fd);
    return 0;
}

/* An image is no log: neither one that is named here, nor what an image is made of. */
static int check_log(const struct options *options, int fd, struct err *err)
{
    const struct job_opts *job = &options->job;
    char start[4096];
    struct stat log, image;
    ssize_t n;

    if (fstat(fd, &log) < 0)
        return err_set(err, errno, "look at the log file %s", options->log_file);
    for (size_t i = 0; i < options->n_args + job->n_sources; i++) {
        const struct job_source *source =
            i < options->n_args ? &options->args[i] : &job->sources[i - options->n_args];

        if (stat(source->path, &image) == 0 && image.st_dev == log.st_dev &&
            image.st_ino == log.st_ino)
            return err_status(err, STATUS_REFUSED, "the log file %s is the guest: name another",
                              options->log_file);
    }
    n = S_ISREG(log.st_mode) ? pread(fd, start, sizeof(start), 0) : 0;
    if (S_ISBLK(log.st_mode) || (n > 0 && memchr(start, 0, (size_t)n)))
        return err_status(err, STATUS_REFUSED,
                          "%s holds something other than text: name another log file",
                          options->log_file);
    /* an old file stays whose it is */
    return S_ISREG(log.st_mode) && n == 0 ? invoker_own(fd, options->log_file, err) : 0;
}

int cli_setup(const struct options *options, struct err *err)
{
    int fd, r;

    log_set_level(level_of(options));
    if (options->progress == PROGRESS_JSON)
        log_set_sink(json_sink);
    r = options->progress_fd >= 0 ? check_progress_fd(options, err) : 0;
    if (r < 0 || !options->log_file)
        return r;
    /* the descriptor lives as long as the process */
    fd = open(options->log_file, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0)
        return err_set(err, errno, "open the log file %s", options->log_file);
    r = check_log(options, fd, err);
    if (r == 0)
        log_set_file(fd);
    return r;
}

void cli_print_json(json_t *document)
{
    size_t flags = isatty(STDOUT_FILENO) ? JSON_INDENT(2) : JSON_COMPACT;
    char *text =
        document ? json_dumps(document, flags | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12)) : NULL;

    if (text)
        (void)printf("%s\n", text);
    (void)fflush(stdout);
    free(text);
    json_decref(document);
}

json_t *cli_error_json(const char *schema, const char *guest, const char *stage,
                       const struct err *err)
{
    size_t n = err->depth < ERR_DEPTH ? err->depth : ERR_DEPTH;
    json_t *frames = json_array();
    char text[ERR_DEPTH * ERR_TEXT];

    for (size_t i = n; i > 0; i--)
        (void)json_array_append_new(frames, json_text(err->text[i - 1]));
    return json_pack("{s:s, s:o, s:{s:i, s:s?, s:o, s:o}}", "schema", schema, "guest",
                     json_text_or_null(guest), "error", "status", (int)err->status, "stage", stage,
                     "message", json_text(err_text(err, text, sizeof(text))), "frames", frames);
}

int cli_fail(const struct options *options, const char *schema, const char *guest,
             const char *stage, const struct err *err)
{
    char text[ERR_DEPTH * ERR_TEXT];

    (void)err_text(err, text, sizeof(text));
    /* most texts name the image already */
    if (guest && !strstr(text, guest))
        log_error("%s: %s", guest, text);
    else
        log_error("%s", text);
    if (options->json && schema)
        cli_print_json(cli_error_json(schema, guest, stage, err));
    return (int)err->status;
}

const char *cli_size(uint64_t bytes, char *buf, size_t size)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 1024 && unit + 1 < ARRAY_SIZE(units)) {
        value /= 1024;
        unit++;
    }
    (void)snprintf(buf, size, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return buf;
}
