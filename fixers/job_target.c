/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of targets, reports and logs, and what speaks against them before anything starts. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "fixers/domain_xml.h"
#include "fixers/job_stage.h"

char *target_stem(const char *path)
{
    static const char *const suffixes[] = {
        ".vmdk", ".qcow2", ".raw", ".img", ".vdi", ".vhdx", ".vhd", ".vpc", ".qcow",
    };
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    size_t len = strlen(base);

    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        size_t n = strlen(suffixes[i]);

        if (len > n && strcasecmp(base + len - n, suffixes[i]) == 0)
            return mem_strndup(base, len - n);
    }
    return mem_strdup(base);
}

/* Folder of @path: "." when it names none. Free it. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return mem_strdup(".");
    return mem_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static const struct convert_format *format_of(const struct job_opts *opts)
{
    return convert_format_find(opts->output_format ? opts->output_format : convert_formats[0].name);
}

int target_check_options(const struct job_opts *opts, struct err *err)
{
    struct convert_opts convert = { .format = format_of(opts), .compress = opts->compress };

    if (!convert.format)
        return err_status(err, STATUS_USAGE, "-O %s: not a format that can be written",
                          opts->output_format);
    if (opts->output && opts->n_sources > 1)
        return err_status(err, STATUS_USAGE,
                          "-o names one file, but the guest has %zu disks: use --output-dir",
                          opts->n_sources);
    if (opts->in_place &&
        (opts->output || opts->output_dir || opts->output_format || opts->compress))
        return err_status(err, STATUS_USAGE,
                          "--in-place changes the source: it goes with no option for a target");
    return convert_check(&convert, err);
}

/* ---- names ---- */

static bool is_source(const struct job *job, const char *path)
{
    for (size_t i = 0; i < job->opts->n_sources; i++)
        if (image_owns(job->images[i], path))
            return true;
    return false;
}

static char *disk_target(const struct job *job, const char *folder, const char *stem, size_t disk)
{
    const char *suffix = format_of(job->opts)->suffix;
    CLEANUP_FREE char *letters = volume_disk_letters(disk);

    if (job->opts->n_sources == 1)
        return mem_printf("%s/%s%s", folder, stem, suffix);
    /* disks are /dev/sda, /dev/sdb ... in the order they were named */
    return mem_printf("%s/%s-sd%s%s", folder, stem, letters, suffix);
}

/* The default names; *stem gets "-kvm" when one of them is the source. */
static void default_targets(struct job *job, const char *folder, char **stem)
{
    for (int round = 0; round < 2; round++) {
        bool taken = false;

        for (size_t i = 0; i < job->opts->n_sources; i++) {
            CLEANUP_FREE char *name = disk_target(job, folder, *stem, i);

            taken = taken || is_source(job, name);
        }
        if (!taken || round == 1)
            break;
        char *longer = mem_printf("%s-kvm", *stem);

        free(*stem);
        *stem = longer;
    }
    for (size_t i = 0; i < job->opts->n_sources; i++)
        strlist_take(&job->targets, disk_target(job, folder, *stem, i));
}

/* Absolute path of a folder that must exist. NULL and *err when it does not. */
static char *resolve_folder(const char *folder, struct err *err)
{
    char *full = realpath(folder, NULL);
    struct stat st;

    if (!full && errno == ENOENT)
        (void)err_status(err, STATUS_FAILED,
                         "the output folder %s does not exist: create it or name another", folder);
    else if (!full)
        (void)err_set(err, errno, "open the output folder %s", folder);
    else if (stat(full, &st) < 0 || !S_ISDIR(st.st_mode)) {
        (void)err_status(err, STATUS_FAILED, "%s is not a folder", folder);
        free(full);
        full = NULL;
    }
    return full;
}

static void name_companions(struct job *job, const char *folder, const char *stem)
{
    job->report_path = job->opts->report ? mem_strdup(job->opts->report)
                                         : mem_printf("%s/%s.report.json", folder, stem);
    job->log_path = mem_printf("%s/%s.log", folder, stem);
    job->xml_path = mem_printf("%s/%s.xml", folder, stem);
}

static bool has_control(const char *name)
{
    for (; *name; name++)
        if ((unsigned char)*name < ' ' || *name == 0x7f)
            return true;
    return false;
}

int target_name_all(struct job *job, struct err *err)
{
    const struct job_opts *opts = job->opts;
    const char *first = job->images[0]->path;
    const char *named = opts->output ? opts->output : first;
    CLEANUP_FREE char *stem = target_stem(named);
    CLEANUP_FREE char *named_folder = folder_of(named);
    const char *wanted = opts->output || opts->in_place ? named_folder
                         : opts->output_dir             ? opts->output_dir
                                                        : ".";
    CLEANUP_FREE char *folder = resolve_folder(wanted, err);

    if (!folder)
        return -err->code;
    if (!io_name_is_utf8(folder) || !io_name_is_utf8(named) ||
        (opts->report && !io_name_is_utf8(opts->report)))
        return err_status(err, STATUS_USAGE,
                          "the name of the target or its report is not UTF-8, and reports cannot "
                          "have such names: choose another");
    if (has_control(folder) || has_control(named) || (opts->report && has_control(opts->report)))
        return err_status(err, STATUS_USAGE,
                          "the name of the target or its report has control characters, and a "
                          "libvirt domain cannot have such names: choose another");
    if (opts->in_place)
        for (size_t i = 0; i < opts->n_sources; i++)
            strlist_add(&job->targets, job->images[i]->path);
    else if (opts->output)
        strlist_take(
            &job->targets,
            mem_printf("%s/%s", folder, strrchr(named, '/') ? strrchr(named, '/') + 1 : named));
    else
        default_targets(job, folder, &stem);
    name_companions(job, folder, stem);
    return 0;
}

/* ---- checks ---- */

static int check_writable(const char *path, struct err *err)
{
    CLEANUP_FREE char *folder = folder_of(path);
    CLEANUP_FD int fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

    /* not every file system has unnamed files */
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR) && access(folder, W_OK) == 0)
        return 0;
    if (fd < 0)
        return err_set(err, errno, "write to the folder %s", folder);
    return 0;
}

/* @replace: an old file may be overwritten. */
static int check_name(const struct job *job, const char *what, const char *path, bool replace,
                      struct err *err)
{
    struct stat st;

    if (is_source(job, path))
        return err_status(err, STATUS_REFUSED,
                          "the %s %s is part of the source: choose another name", what, path);
    if (lstat(path, &st) < 0)
        return 0;
    if (!S_ISREG(st.st_mode))
        return err_status(err, STATUS_REFUSED, "the %s %s exists and is not a regular file", what,
                          path);
    if (!replace)
        return err_status(err, STATUS_REFUSED,
                          "the %s %s exists: choose another name or give --force to replace it",
                          what, path);
    return 0;
}

/* Did h2k write this report or domain? In place a run replaces its own old ones. */
static bool is_ours(const char *path)
{
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    char start[1024] = "";

    return fd >= 0 && read(fd, start, sizeof(start) - 1) > 0 &&
           (strstr(start, "\"h2k.report/1\"") || strstr(start, "<!--" DOMAIN_MARK "-->"));
}

int target_check_names(const struct job *job, struct err *err)
{
    const struct job_opts *opts = job->opts;
    int r = 0;

    for (size_t i = 0; i < job->targets.n && r == 0 && !opts->in_place; i++)
        r = check_name(job, "target", job->targets.items[i], opts->force, err);
    if (r == 0)
        r = check_writable(job->targets.items[0], err);
    if (job->goal == JOB_CONVERT)
        return r;
    if (r == 0)
        r = check_name(job, "report", job->report_path,
                       opts->force || (opts->in_place && is_ours(job->report_path)), err);
    if (r == 0)
        r = check_name(job, "domain", job->xml_path,
                       opts->force || (opts->in_place && is_ours(job->xml_path)), err);
    if (r == 0) /* the log is appended to */
        r = check_name(job, "log", job->log_path, true, err);
    return r ? r : check_writable(job->report_path, err);
}
