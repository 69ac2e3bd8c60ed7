/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* h2k.inspect/1, h2k.plan/1 and h2k.report/1. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/invoker.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "fixers/found_json.h"
#include "fixers/hardware.h"
#include "fixers/job_stage.h"

static void set(json_t *object, const char *key, json_t *value)
{
    (void)json_object_set_new(object, key, value);
}

static json_t *bytes(uint64_t n)
{
    return json_integer((json_int_t)n);
}

/* JSON is UTF-8; a label or a name in another encoding loses its foreign bytes. */
static json_t *text(const char *value)
{
    json_t *string = json_string(value ? value : "");
    CLEANUP_FREE char *ascii = NULL;

    if (string)
        return string;
    ascii = mem_strdup(value);
    for (char *c = ascii; *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    return json_string(ascii);
}

/* ---- what was found ---- */

json_t *job_inspect_json(const struct job *job)
{
    json_t *document = json_object();
    json_t *systems = json_array();

    for (size_t i = 0; i < job->n_systems; i++)
        (void)json_array_append_new(systems, facts_to_json(job->systems[i].facts));
    set(document, "schema", json_string("h2k.inspect/1"));
    set(document, "guest", text(job->opts->sources[0].path));
    if (job->opts->n_sources > 0 && job->disks[0])
        set(document, "backend", text(job->disks[0]->backend));
    set(document, "disks", found_disks(job));
    set(document, "volumes", found_volumes(job, false));
    set(document, "systems", systems);
    return document;
}

json_t *job_plan_json(const struct job *job)
{
    json_t *document = json_object();

    set(document, "schema", json_string("h2k.plan/1"));
    set(document, "guest", text(job->opts->sources[0].path));
    if (job->chosen)
        set(document, "root", text(job->chosen->facts->root));
    if (job->changes)
        set(document, "changes", json_incref(job->changes));
    if (job->notes)
        set(document, "notes", json_incref(job->notes));
    return document;
}

/* ---- the report ---- */

/* What --nic names, then what else the guest's files name: as the domain has them. */
static json_t *nics_json(const struct job *job)
{
    const struct facts *facts = job->chosen->facts;
    const struct fix_opts *fix = &job->opts->fix;
    CLEANUP_STRLIST struct strlist names = { 0 };
    const struct hardware *hardware = job_hardware(job);
    json_t *list = json_array();

    for (size_t i = 0; i < fix->n_nics + facts->n_nics; i++) {
        bool is_option = i < fix->n_nics;
        const char *name = is_option ? fix->nics[i].name : facts->nics[i - fix->n_nics].name;
        const char *mac = is_option ? fix->nics[i].mac : facts->nics[i - fix->n_nics].mac;

        if (strlist_has(&names, *name ? name : mac))
            continue;
        strlist_add(&names, *name ? name : mac);
        (void)json_array_append_new(list, json_pack("{s:o, s:o, s:s}", "mac", text(mac), "name",
                                                    text(name), "model", hardware->nic_model));
    }
    return list;
}

static json_t *files_json(const struct job *job)
{
    json_t *list = json_array();

    for (size_t i = 0; i < job->targets.n; i++) {
        struct stat st = { 0 };
        json_t *disk = json_object();

        (void)stat(job->targets.items[i], &st);
        set(disk, "path", text(job->targets.items[i]));
        set(disk, "size_bytes", bytes(job->images[i]->size_bytes));
        set(disk, "file_bytes", bytes((uint64_t)st.st_size));
        set(disk, "allocated_bytes", bytes((uint64_t)st.st_blocks * 512));
        (void)json_array_append_new(list, disk);
    }
    return list;
}

static json_t *target_json(const struct job *job)
{
    const struct facts *facts = job->chosen->facts;
    const struct hardware *hardware = job_hardware(job);
    json_t *target = json_object();
    json_t *disks = files_json(job);
    const char *format = job->opts->in_place        ? job->images[0]->format
                         : job->opts->output_format ? job->opts->output_format
                                                    : convert_formats[0].name;

    set(target, "path", text(job->targets.items[0]));
    set(target, "format", text(format));
    set(target, "size_bytes", json_incref(json_object_get(json_array_get(disks, 0), "size_bytes")));
    set(target, "disks", disks);
    set(target, "firmware", text(firmware_name(facts->firmware)));
    set(target, "secure_boot", json_boolean(job->opts->fix.secure_boot == SECURE_BOOT_ON));
    set(target, "machine",
        text(hardware->machine ? hardware->machine : machine_for(facts->arch)->type));
    set(target, "disk_bus", text(hardware->disk_bus));
    set(target, "nics", nics_json(job));
    return target;
}

static json_t *timings_json(const struct job *job)
{
    json_t *list = json_array();

    for (size_t i = 0; i < job->n_timings; i++)
        (void)json_array_append_new(list, json_pack("{s:s, s:i}", "stage", job->timings[i].stage,
                                                    "ms", (int)job->timings[i].ms));
    return list;
}

static json_t *now_json(void)
{
    time_t now = time(NULL);
    char stamp[32];
    struct tm tm;

    (void)gmtime_r(&now, &tm);
    (void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &tm);
    return json_string(stamp);
}

static json_t *part_of_found(const struct job *job, const char *key)
{
    json_t *part = json_object_get(job->found, key);

    return part ? json_incref(part) : json_array();
}

json_t *job_report_json(const struct job *job)
{
    json_t *document;

    if (job->resumed)
        return json_incref(job->found);
    document = json_object();
    set(document, "schema", json_string("h2k.report/1"));
    set(document, "guest", text(job->opts->sources[0].path));
    set(document, "version", json_string(H2K_VERSION));
    set(document, "time", now_json());
    set(document, "in_place", json_boolean(job->opts->in_place));
    set(document, "disks", part_of_found(job, "disks"));
    set(document, "volumes", part_of_found(job, "volumes"));
    set(document, "systems", part_of_found(job, "systems"));
    set(document, "root", text(job->chosen->facts->root));
    set(document, "changes", json_incref(job->changes));
    set(document, "notes", json_incref(job->notes));
    set(document, "trimmed_bytes", bytes(job->trimmed_bytes));
    set(document, "timings", timings_json(job));
    set(document, "target", target_json(job));
    set(document, "validated", json_boolean(job->validated));
    if (job->left)
        set(document, "left", json_incref(job->left));
    set(document, "boot_tested", json_false());
    set(document, "xml", text(job->xml_path));
    set(document, "log", text(job->log_path));
    return document;
}

int report_write(const char *path, json_t *document, struct err *err)
{
    CLEANUP_FREE char *dumped = json_dumps(document, JSON_INDENT(2));
    CLEANUP_FREE char *line = dumped ? mem_printf("%s\n", dumped) : NULL;
    int r;

    if (!line)
        return err_status(err, STATUS_FAILED, "the report %s could not be made", path);
    r = io_write_file(path, line, strlen(line), 0600, err);
    return r < 0 ? r : report_own(path, err);
}

int report_own(const char *path, struct err *err)
{
    CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);

    return fd < 0 ? err_set(err, errno, "open %s", path) : invoker_own(fd, path, err);
}
