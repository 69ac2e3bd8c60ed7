/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/progress.h"

#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/print.h"
#include "engine/base/io.h"

#define BAR_INTERVAL_MS 100
#define JSON_INTERVAL_MS 500
#define BAR_MAX 40U

static uint64_t rate_of(uint64_t done, uint64_t elapsed_ms)
{
    return elapsed_ms ? (uint64_t)((double)done * 1000 / (double)elapsed_ms) : 0;
}

static uint64_t seconds_left(uint64_t done, uint64_t total, uint64_t elapsed_ms)
{
    uint64_t rate = rate_of(done, elapsed_ms);

    return rate && total > done ? (total - done + rate - 1) / rate : 0;
}

/* NOLINTNEXTLINE(readability-function-size): a pure function, for its test */
void cli_progress_bar(char *buf, size_t size, unsigned width, const char *stage, uint64_t done,
                      uint64_t total, uint64_t elapsed_ms)
{
    uint64_t left = seconds_left(done, total, elapsed_ms);
    char rate[32], tail[96], bar[BAR_MAX + 1];
    unsigned room = BAR_MAX, filled;
    int tail_len;

    if (total == 0) {
        (void)snprintf(buf, size, "%s ...", stage);
        return;
    }
    if (done > total)
        done = total;
    tail_len = snprintf(tail, sizeof(tail), " %3u%%  %s/s  %" PRIu64 ":%02u left",
                        (unsigned)((double)done * 100 / (double)total),
                        cli_size(rate_of(done, elapsed_ms), rate, sizeof(rate)), left / 60,
                        (unsigned)(left % 60));
    /* the stage, a blank and the brackets stand beside it */
    while (room > 0 && strlen(stage) + 3 + room + (size_t)tail_len >= width)
        room--;
    filled = (unsigned)((double)done * room / (double)total);
    memset(bar, ' ', room);
    memset(bar, '#', filled);
    bar[room] = '\0';
    (void)snprintf(buf, size, "%s [%s]%s", stage, bar, tail);
}

static unsigned columns(int fd)
{
    struct winsize size;

    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

static void draw(struct cli_progress *progress, uint64_t done, uint64_t total, uint64_t elapsed_ms)
{
    unsigned width = columns(progress->fd);
    char line[256];

    cli_progress_bar(line, sizeof(line), width, progress->stage, done, total, elapsed_ms);
    (void)dprintf(progress->fd, "\r%.*s\033[K", (int)width - 1, line);
    progress->drawn = true;
}

static void tell(const struct cli_progress *progress, uint64_t done, uint64_t total,
                 uint64_t elapsed_ms)
{
    json_t *object = json_pack("{s:s, s:s}", "schema", "h2k.progress/1", "stage", progress->stage);
    char *text;

    if (total)
        (void)json_object_update_new(
            object,
            json_pack("{s:I, s:I, s:I, s:I}", "done_bytes", (json_int_t)done, "total_bytes",
                      (json_int_t)total, "bytes_per_second", (json_int_t)rate_of(done, elapsed_ms),
                      "seconds_left", (json_int_t)seconds_left(done, total, elapsed_ms)));
    text = json_dumps(object, JSON_COMPACT);
    if (text)
        (void)dprintf(progress->fd, "%s\n", text);
    free(text);
    json_decref(object);
}

static void update(void *arg, const char *stage, uint64_t done, uint64_t total)
{
    struct cli_progress *progress = arg;
    uint64_t now = io_now_ms();
    uint64_t interval = progress->mode == PROGRESS_JSON ? JSON_INTERVAL_MS : BAR_INTERVAL_MS;
    bool is_new = !progress->stage || strcmp(progress->stage, stage) != 0;

    if (is_new) {
        progress->stage = stage;
        progress->stage_start_ms = now;
    } else if (total == 0 || (now - progress->shown_ms < interval && done < total)) {
        return; /* told already, or just now */
    }
    progress->shown_ms = now;
    if (progress->mode == PROGRESS_JSON)
        tell(progress, done, total, now - progress->stage_start_ms);
    else
        draw(progress, done, total, now - progress->stage_start_ms);
}

void cli_progress_begin(struct cli_progress *progress, const struct options *options)
{
    enum progress_mode mode = options->progress;

    *progress = (struct cli_progress){ .fd = STDERR_FILENO };
    if (options->progress_fd >= 0) {
        progress->fd = options->progress_fd;
        (void)fcntl(progress->fd, F_SETFD, FD_CLOEXEC);
    }
    if (mode == PROGRESS_AUTO)
        mode = isatty(progress->fd) && !options->quiet ? PROGRESS_BAR : PROGRESS_NONE;
    progress->mode = mode;
    if (mode != PROGRESS_NONE)
        progress->hook.update = update;
    progress->hook.arg = progress;
}

void cli_progress_end(struct cli_progress *progress)
{
    if (progress->drawn)
        (void)dprintf(progress->fd, "\r\033[K");
    progress->drawn = false;
}
