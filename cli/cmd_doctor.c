/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* h2k doctor: what this host can do, and what brings what is missing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/print.h"
#include "engine/base/cleanup.h"
#include "engine/disk.h"
#include "engine/host.h"

#define SCHEMA "h2k.doctor/1"

static const char *work_dir(const struct options *options)
{
    const char *tmp = getenv("TMPDIR");

    if (options->job.work_dir)
        return options->job.work_dir;
    return tmp && *tmp ? tmp : "/var/tmp";
}

static json_t *host_json(const struct options *options)
{
    const char *dir = work_dir(options);
    struct statvfs vfs = { 0 };
    struct utsname uts;
    long pages = sysconf(_SC_PHYS_PAGES);

    if (uname(&uts) < 0 || statvfs(dir, &vfs) < 0)
        vfs.f_bavail = 0;
    return json_pack("{s:s, s:s, s:I, s:I, s:{s:s, s:I}}", "kernel", uts.release, "arch",
                     uts.machine, "cores", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN),
                     "memory_bytes", (json_int_t)pages * sysconf(_SC_PAGESIZE), "work_dir", "path",
                     dir, "free_bytes", (json_int_t)vfs.f_bavail * (json_int_t)vfs.f_frsize);
}

static json_t *drivers_json(void)
{
    json_t *list = json_array();

    for (size_t i = 0; i < host_n_drivers; i++) {
        const struct host_driver *driver = &host_drivers[i];
        enum host_state state = host_driver_state(driver);
        json_t *row = json_pack("{s:s, s:s, s:s, s:s}", "name", driver->name, "kind",
                                driver_kind_name(driver->kind), "state", host_state_name(state),
                                "needed_for", driver->why);

        if (state == HOST_MISSING)
            (void)json_object_set_new(
                row, "hint",
                json_sprintf("no module %s in this kernel; a distribution's standard one has it",
                             driver->module));
        (void)json_array_append_new(list, row);
    }
    return list;
}

/* Clears *ok when no backend works that can take an overlay: loop is for reading only. */
static json_t *backends_json(bool *ok)
{
    json_t *list = json_array();
    bool any = false;

    for (size_t i = 0; i < disk_n_backends; i++) {
        const struct attach_backend *backend = disk_backends[i];
        struct err err = ERR_NONE;
        int r = geteuid() == 0 ? disk_try_backend(backend, &err) : backend->probe(&err);
        bool works = r == 0;
        json_t *row = json_pack("{s:s, s:b, s:s}", "name", backend->name, "available", works,
                                "needed_for", backend->summary);
        char text[ERR_TEXT];

        if (!works)
            (void)json_object_set_new(row, "hint", json_string(err_text(&err, text, sizeof(text))));
        if (works && strcmp(backend->name, "loop") != 0)
            any = true;
        (void)json_array_append_new(list, row);
    }
    *ok = *ok && any;
    return list;
}

/* Clears *ok when a tool is missing that the main job cannot do without. */
static json_t *tools_json(bool *ok)
{
    json_t *list = json_array();

    for (size_t i = 0; i < host_n_tools; i++) {
        const struct host_tool *tool = &host_tools[i];
        CLEANUP_FREE char *version = host_tool_version(tool);
        json_t *row = json_pack("{s:s, s:b, s:b, s:s, s:s}", "name", tool->program, "available",
                                version != NULL, "required", tool->required, "package",
                                tool->package, "needed_for", tool->why);

        if (version)
            (void)json_object_set_new(row, "version", json_string(version));
        else
            (void)json_object_set_new(row, "hint",
                                      json_sprintf("install the package %s", tool->package));
        if (!version && tool->required)
            *ok = false;
        (void)json_array_append_new(list, row);
    }
    return list;
}

static const char *text_of(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));

    return text ? text : "";
}

static void print_rows(const char *title, const json_t *rows, const char *state_key)
{
    size_t i;
    const json_t *row;

    (void)printf("\n%s\n", title);
    json_array_foreach(rows, i, row)
    {
        const char *hint = text_of(row, "hint");
        const json_t *state = json_object_get(row, state_key);
        const char *word = json_is_string(state) ? json_string_value(state)
                           : json_is_true(state) ? "ready"
                                                 : "missing";

        (void)printf("  %-20s %-9s %s", text_of(row, "name"), word, text_of(row, "needed_for"));
        if (*text_of(row, "version"))
            (void)printf(" [%s]", text_of(row, "version"));
        (void)printf("%s%s\n", *hint ? ": " : "", hint);
    }
}

static void print_text(const json_t *document)
{
    const json_t *host = json_object_get(document, "host");
    const json_t *dir = json_object_get(host, "work_dir");
    char memory[32], space[32];

    (void)printf("kernel %s, %lld cores, %s of memory, %s free in %s\n", text_of(host, "kernel"),
                 (long long)json_integer_value(json_object_get(host, "cores")),
                 cli_size((uint64_t)json_integer_value(json_object_get(host, "memory_bytes")),
                          memory, sizeof(memory)),
                 cli_size((uint64_t)json_integer_value(json_object_get(dir, "free_bytes")), space,
                          sizeof(space)),
                 text_of(dir, "path"));
    print_rows("Ways to attach", json_object_get(document, "backends"), "available");
    print_rows("Kernel drivers", json_object_get(document, "drivers"), "state");
    print_rows("Tools", json_object_get(document, "tools"), "available");
    (void)printf("\n%s\n",
                 json_is_true(json_object_get(document, "ok")) ? "The main job can run here."
                 : geteuid() == 0 ? "The main job cannot run here: see the lines marked missing."
                                  : "Not root: the main job cannot run, and not everything can be "
                                    "looked at.");
}

static int run(const struct options *options)
{
    bool ok = geteuid() == 0;
    json_t *backends = backends_json(&ok);
    json_t *tools = tools_json(&ok);
    json_t *document =
        json_pack("{s:s, s:o, s:o, s:o, s:o, s:b}", "schema", SCHEMA, "host", host_json(options),
                  "backends", backends, "drivers", drivers_json(), "tools", tools, "ok", ok);

    if (options->json) {
        cli_print_json(document);
        return ok ? STATUS_OK : STATUS_HOST;
    }
    print_text(document);
    json_decref(document);
    return ok ? STATUS_OK : STATUS_HOST;
}

const struct command command_doctor = {
    .name = "doctor",
    .args = "",
    .summary = "what this host can do: backends, drivers, tools",
    .help = "Exits with 0 when the main job (offline-fix) can run here, else with 4.",
    .schema = SCHEMA,
    .options = OPT_WORK,
    .run = run,
};
