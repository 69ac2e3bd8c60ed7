/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/base/signals.h"
#include "engine/base/strbuf.h"
#include "engine/state.h"

/* Address space, not memory: thread stacks and arenas count in full. */
#define SERVER_LIMIT_AS (4ULL << 30)

int server_start(struct session *session, const char *const *argv, const char *package,
                 struct server *ret, struct err *err)
{
    struct exec_opts opts = {
        .argv = argv,
        .package = package,
        .mount_ns_fd = session_outer_ns(session),
        .own_group = 1, /* Ctrl-C ends us, and we need it to write back */
        .limit_as = SERVER_LIMIT_AS,
    };
    int r = process_start(&opts, &ret->process, err);

    if (r < 0)
        return r;
    ret->name = argv[0];
    ret->record = mem_printf("%d %llu", (int)ret->process.pid, state_start_time(ret->process.pid));
    return session_record(session, "server", ret->record, err);
}

/* What it said last, for an error text; "" when it said nothing. */
static char *last_words(struct server *server)
{
    CLEANUP_STRBUF struct strbuf buf = { 0 };
    const char *line;

    process_stderr(&server->process, &buf);
    while (buf.len > 0 && buf.data[buf.len - 1] == '\n')
        buf.data[--buf.len] = '\0';
    line = buf.len ? strrchr(buf.data, '\n') : NULL;
    return mem_strdup(line ? line + 1 : strbuf_text(&buf));
}

static int ended(struct server *server, int status, struct err *err)
{
    CLEANUP_FREE char *words = last_words(server);

    /* qemu's file locks: the words are part of its interface since 2.10 */
    if (strstr(words, "Failed to get") && strstr(words, "lock"))
        return err_status(err, STATUS_TEMPORARY, "the image is in use by another process: %s",
                          words);
    return err_set(err, EPROTO, "%s ended with status %d: %s", server->name, status,
                   *words ? words : "it said nothing");
}

int server_check(struct server *server, struct err *err)
{
    int status = 0;

    if (server->process.pid > 0 && !process_ended(&server->process, &status))
        return 0;
    (void)ended(server, status, err);
    return err_wrap(err, "the image is no longer served (was its block server killed, or is memory "
                         "short? try again)");
}

int server_wait(struct server *server, int watch_fd, short watch_events, server_ready_fn ready,
                void *arg, struct err *err)
{
    uint64_t deadline = io_now_ms() + SERVER_START_MS;

    for (;;) {
        struct pollfd polls[] = {
            { .fd = watch_fd, .events = watch_events },
            { .fd = server->process.pidfd, .events = POLLIN },
            { .fd = signals_fd(), .events = POLLIN },
        };
        uint64_t now = io_now_ms();
        int status = 0;
        int r = ready(arg, err);

        if (r != 0)
            return r < 0 ? r : 0;
        if (process_ended(&server->process, &status))
            return ended(server, status, err);
        if (signals_pending())
            return err_set(err, EINTR, "start %s", server->name);
        if (now >= deadline)
            return err_set(err, ETIMEDOUT, "start %s", server->name);
        if (poll(polls, ARRAY_SIZE(polls), (int)(deadline - now)) < 0 && errno != EINTR)
            return err_set(err, errno, "wait for %s", server->name);
    }
}

static int is_there(void *arg, struct err *err)
{
    (void)err;
    return access(arg, F_OK) == 0;
}

int server_wait_pid_file(struct session *session, struct server *server, char *pid_file,
                         struct err *err)
{
    CLEANUP_FD int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    int r;

    if (watch < 0 ||
        inotify_add_watch(watch, session_run_dir(session), IN_CREATE | IN_MOVED_TO) < 0)
        return err_set(err, errno, "watch %s", session_run_dir(session));
    r = server_wait(server, watch, POLLIN, is_there, pid_file, err);
    (void)unlink(pid_file);
    return r;
}

int server_wait_end(struct server *server, const char *bad, struct err *err)
{
    struct pollfd end = { .fd = server->process.pidfd, .events = POLLIN };
    CLEANUP_STRBUF struct strbuf said = { 0 };
    const char *found;
    int status = 0;

    if (poll(&end, 1, SERVER_STOP_MS) <= 0 || !process_ended(&server->process, &status))
        return err_set(err, ETIMEDOUT, "wait for the end of %s", server->name);
    process_stderr(&server->process, &said);
    if (status != 0)
        return err_set(err, EPROTO, "%s ended with status %d: %s", server->name, status,
                       strbuf_text(&said));
    found = strstr(strbuf_text(&said), bad);
    if (found)
        return err_set(err, EIO, "%s said: %.*s", server->name, (int)strcspn(found, "\n"), found);
    return 0;
}

void server_stop(struct session *session, struct server *server, unsigned grace_ms)
{
    struct err ignored = ERR_NONE;

    if (!server->record)
        return;
    (void)process_stop(&server->process, grace_ms);
    (void)session_forget(session, "server", server->record, &ignored);
    free(server->record);
    *server = (struct server){ .process = { .pidfd = -1, .err_fd = -1 } };
}

/* ---- the block graph ---- */

static void add_json_string(struct strbuf *buf, const char *text)
{
    strbuf_putc(buf, '"');
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\')
            strbuf_printf(buf, "\\%c", *p);
        else if ((unsigned char)*p < ' ')
            strbuf_printf(buf, "\\u%04x", (unsigned)(unsigned char)*p);
        else
            strbuf_putc(buf, *p);
    }
    strbuf_putc(buf, '"');
}

char *server_graph(const struct disk *disk)
{
    CLEANUP_FREE char *image = image_qemu_json(disk->image);
    struct strbuf buf = { 0 };

    if (!disk->overlay) {
        strbuf_puts(&buf, "{\"node-name\":\"disk\",");
        strbuf_puts(&buf, image + 1);
        return strbuf_take(&buf);
    }
    /* no-flush: what a crash of the host does to an overlay does not matter */
    strbuf_puts(&buf, "{\"node-name\":\"disk\",\"driver\":\"qcow2\",\"discard\":\"unmap\","
                      "\"detect-zeroes\":\"unmap\",\"cache\":{\"no-flush\":true},"
                      "\"file\":{\"driver\":\"file\",\"discard\":\"unmap\","
                      "\"cache\":{\"no-flush\":true},\"filename\":");
    add_json_string(&buf, disk->overlay);
    strbuf_puts(&buf, "},\"backing\":");
    strbuf_puts(&buf, image);
    strbuf_putc(&buf, '}');
    return strbuf_take(&buf);
}
