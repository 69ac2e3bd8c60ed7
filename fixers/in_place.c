/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changing the source itself. The overlay beside it is a redo log: when everything is validated, a
 * marker SOURCE.h2k-commit is written, and from then on the commit is going to happen, by this run
 * or by the next one. Committing twice does no harm.
 *
 *     {"schema":"h2k.commit/1", "disks":[{"source","format","overlay"}], "report":{},
 * "report_path"}
 *
 * Every disk of the guest has the same marker, so that each is refused by other commands. The one
 * of the first disk in the list counts: it is written last and removed first. Names in the folder
 * of the marker have no folder, so that a whole folder can move to another host.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "fixers/job_stage.h"

#define MARKER_MAX (64U << 20)

static char *marker_of(const char *source)
{
    return mem_printf("%s.h2k-commit", source);
}

static size_t folder_len(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* @path as the marker of @source names it. */
static const char *short_name(const char *source, const char *path)
{
    size_t len = folder_len(source);

    return len == folder_len(path) && strncmp(source, path, len) == 0 ? path + len : path;
}

/* The way back. Free it. */
static char *long_name(const char *source, const char *name)
{
    return name[0] == '/' ? mem_strdup(name)
                          : mem_printf("%.*s%s", (int)folder_len(source), source, name);
}

static int sync_file(const char *path, struct err *err)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 || fsync(fd) < 0)
        return err_set(err, errno, "sync %s", path);
    return io_sync_folder(path, err);
}

/* ---- the list of disks that a marker names ---- */

struct pending {
    struct strlist sources, formats, overlays; /* absolute, same order */
};

static void pending_done(struct pending *pending)
{
    strlist_done(&pending->sources);
    strlist_done(&pending->formats);
    strlist_done(&pending->overlays);
}

static int write_marker(const struct job *job, size_t disk, json_t *report, struct err *err)
{
    const char *source = job->images[disk]->path;
    CLEANUP_FREE char *path = marker_of(source);
    CLEANUP_FREE char *text = NULL;
    json_t *disks = json_array();
    json_t *marker;
    int r;

    for (size_t i = 0; i < job->opts->n_sources; i++)
        (void)json_array_append_new(disks, json_pack("{s:s, s:s, s:s}", "source",
                                                     short_name(source, job->images[i]->path),
                                                     "format", job->images[i]->format, "overlay",
                                                     short_name(source, job->overlays.items[i])));
    marker = json_pack("{s:s, s:o, s:O, s:s}", "schema", "h2k.commit/1", "disks", disks, "report",
                       report, "report_path", short_name(source, job->report_path));
    text = marker ? json_dumps(marker, JSON_INDENT(1)) : NULL;
    json_decref(marker);
    if (!text)
        return err_status(err, STATUS_FAILED, "%s: are all names UTF-8?", path);
    r = io_write_file(path, text, strlen(text), 0600, err);
    return r < 0 ? r : io_sync_folder(path, err);
}

static int remove_pending(const struct pending *pending, struct err *err)
{
    for (size_t i = 0; i < pending->sources.n; i++) {
        CLEANUP_FREE char *marker = marker_of(pending->sources.items[i]);
        int r;

        if (unlink(marker) < 0 && errno != ENOENT)
            return err_set(err, errno, "remove %s", marker);
        r = io_sync_folder(marker, err);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < pending->overlays.n; i++)
        if (unlink(pending->overlays.items[i]) < 0 && errno != ENOENT)
            return err_set(err, errno, "remove %s", pending->overlays.items[i]);
    return 0;
}

static int commit_one(const struct job *job, const struct pending *pending, size_t i,
                      struct err *err)
{
    struct image_opts opts = job->opts->image;
    struct image *image = NULL;
    int r;

    opts.format = pending->formats.items[i];
    opts.allow_commit_pending = true;
    opts.allow_stale = true; /* the overlay beside it is ours */
    r = image_open(pending->sources.items[i], &opts, &image, err);
    if (r < 0)
        return r;
    r = image_check_overlay(pending->overlays.items[i], image->size_bytes, err);
    if (r == 0)
        r = convert_commit(pending->overlays.items[i], image, job->opts->progress, err);
    image_free(image);
    return r;
}

static int commit_all(const struct job *job, const struct pending *pending, struct err *err)
{
    for (size_t i = 0; i < pending->sources.n; i++)
        if (commit_one(job, pending, i, err) < 0)
            return err_wrap(err, "the commit is not complete: run the same command again to "
                                 "finish it");
    return remove_pending(pending, err);
}

/* ---- this run's ---- */

int in_place_record(const struct job *job, const char *overlay, struct err *err)
{
    CLEANUP_FREE char *marker = marker_of(job->images[0]->path);
    CLEANUP_FREE char *value = mem_printf("%s\t%s", marker, overlay);

    return session_record(job->session, "redo", value, err);
}

int in_place_commit(struct job *job, struct err *err)
{
    CLEANUP(pending_done) struct pending pending = { 0 };
    json_t *report = job_report_json(job);
    int r = 0;

    for (size_t i = 0; i < job->opts->n_sources && r == 0; i++) {
        strlist_add(&pending.sources, job->images[i]->path);
        strlist_add(&pending.formats, job->images[i]->format);
        strlist_add(&pending.overlays, job->overlays.items[i]);
        r = sync_file(job->overlays.items[i], err);
        if (r == 0)
            r = image_check_unchanged(job->images[i], err);
    }
    /* a run that only finishes the commit knows the guest no more */
    if (r == 0)
        r = report_write_xml(job, err);
    for (size_t i = job->opts->n_sources; i > 0 && r == 0; i--)
        r = write_marker(job, i - 1, report, err);
    json_decref(report);
    if (r < 0) {
        struct err ignored = ERR_NONE;

        (void)remove_pending(&pending, &ignored);
        return r;
    }
    job->committing = true;
    return commit_all(job, &pending, err);
}

/* ---- another run's ---- */

/*
 * Who can write to the folder can write a marker, and it is root who believes it. So a marker names
 * disks of its own folder or of the command line, overlays that are called like ours, and nothing
 * through a symbolic link.
 */
static bool is_credible(const struct job *job, const char *name, const char *source,
                        const char *overlay)
{
    static const char suffix[] = ".h2k-overlay";
    size_t len = strlen(source), n = strlen(overlay);
    bool known = !strchr(name, '/');
    struct stat st;

    for (size_t i = 0; i < job->opts->n_sources && !known; i++) {
        CLEANUP_FREE char *full = realpath(job->opts->sources[i].path, NULL);

        known = full && strcmp(full, source) == 0;
    }
    if (!known || strncmp(overlay, source, len) != 0 || overlay[len] != '.' ||
        strchr(overlay + len, '/') || n < len + sizeof(suffix) ||
        strcmp(overlay + n - strlen(suffix), suffix) != 0)
        return false;
    if (lstat(source, &st) == 0 && S_ISLNK(st.st_mode))
        return false;
    return lstat(overlay, &st) < 0 || S_ISREG(st.st_mode);
}

/* Does the report have what the summary needs? */
static bool is_report(const json_t *report)
{
    const json_t *target = json_object_get(report, "target");

    return json_is_string(json_object_get(target, "format")) &&
           json_is_string(json_object_get(target, "firmware"));
}

static int not_ours(const char *path, struct err *err)
{
    return err_status(err, STATUS_REFUSED,
                      "%s is damaged, or h2k did not write it: restore the image from a backup, or "
                      "remove the marker if no h2k ever changed it in place; of a guest with disks "
                      "in several folders name all disks",
                      path);
}

static int load_marker(const struct job *job, const char *source, struct pending *pending,
                       json_t **ret, struct err *err)
{
    CLEANUP_FREE char *path = marker_of(source);
    CLEANUP_FREE char *text = NULL;
    json_t *marker, *disk;
    size_t i;
    int r = io_read_file(path, MARKER_MAX, &text, NULL, err);

    if (r < 0)
        return r;
    marker = json_loads(text, 0, NULL);
    json_array_foreach(json_object_get(marker, "disks"), i, disk)
    {
        const char *name = json_string_value(json_object_get(disk, "source"));
        const char *format = json_string_value(json_object_get(disk, "format"));
        const char *overlay = json_string_value(json_object_get(disk, "overlay"));

        if (!name || !format || !overlay)
            break;
        strlist_take(&pending->sources, long_name(source, name));
        strlist_add(&pending->formats, format);
        strlist_take(&pending->overlays, long_name(source, overlay));
        if (!is_credible(job, name, pending->sources.items[i], pending->overlays.items[i]))
            break;
    }
    if (i == 0 || i != json_array_size(json_object_get(marker, "disks")) ||
        !is_report(json_object_get(marker, "report"))) {
        json_decref(marker);
        return not_ours(path, err);
    }
    *ret = marker;
    return 0;
}

static int finish(struct job *job, const struct pending *pending, json_t *marker, struct err *err)
{
    const char *source = pending->sources.items[0];
    const char *name = json_string_value(json_object_get(marker, "report_path"));
    const char *path = name && !strchr(name, '/') ? name : "h2k.report.json";
    json_t *report = json_object_get(marker, "report");
    int r;

    for (size_t i = 0; i < pending->overlays.n; i++)
        if (access(pending->overlays.items[i], R_OK) < 0)
            return err_status(err, STATUS_REFUSED,
                              "a commit to %s is pending, but its overlay %s is missing: bring it "
                              "back, or restore the image from a backup",
                              source, pending->overlays.items[i]);
    r = commit_all(job, pending, err);
    if (r < 0)
        return r;
    job->report_path = job->opts->report ? mem_strdup(job->opts->report) : long_name(source, path);
    (void)json_object_set_new(report, "resumed", json_true());
    for (size_t i = 0; i < pending->sources.n; i++)
        strlist_add(&job->targets, pending->sources.items[i]);
    job->found = json_incref(report);
    job->resumed = job->validated = true;
    r = report_write(job->report_path, report, err);
    return r < 0 ? r : 1;
}

int in_place_resume(struct job *job, struct err *err)
{
    CLEANUP(pending_done) struct pending pending = { 0 };
    json_t *marker = NULL;
    int r = 0;

    for (size_t i = 0; i < job->opts->n_sources && !marker && r == 0; i++) {
        CLEANUP_FREE char *full = realpath(job->opts->sources[i].path, NULL);
        CLEANUP_FREE char *path = full ? marker_of(full) : NULL;

        /* what is not there is told by image_open() */
        if (path && access(path, F_OK) == 0)
            r = load_marker(job, full, &pending, &marker, err);
    }
    if (marker) {
        CLEANUP_FREE char *first = marker_of(pending.sources.items[0]);

        /* without the first disk's marker the commit was not decided, or is complete */
        r = access(first, F_OK) == 0 ? finish(job, &pending, marker, err)
                                     : remove_pending(&pending, err);
    }
    json_decref(marker);
    return r;
}
