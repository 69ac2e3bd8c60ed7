/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* h2k offline-fix: repair the guest and convert it to a new image. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/text.h"
#include "engine/base/exec.h"
#include "fixers/machine.h"

#define SCHEMA "h2k.report/1"

static void path_line(const char *what, const char *path)
{
    if (!path)
        return;
    (void)printf("%-9s", what);
    text_safe(stdout, path, false);
    (void)fputc('\n', stdout);
}

/* qemu's option strings need every comma of a name doubled. */
static void drive_arg(const char *path, const char *format, size_t i, unsigned sector_size)
{
    char arg[8192];
    size_t len = 0;

    for (const char *c = path; *c && len + 2 < sizeof(arg) - 64; c++) {
        arg[len++] = *c;
        if (*c == ',')
            arg[len++] = ',';
    }
    (void)snprintf(arg + len, sizeof(arg) - len, ",format=%s,if=%s,id=disk%zu", format,
                   sector_size > 512 ? "none" : "virtio", i);
    (void)fputs(" -drive file=", stdout);
    text_quoted(stdout, arg);
    if (sector_size > 512)
        (void)printf(" -device virtio-blk-pci,drive=disk%zu,logical_block_size=%u,"
                     "physical_block_size=%u",
                     i, sector_size, sector_size);
}

static void nic_args(const json_t *target)
{
    const json_t *nic;
    size_t i;

    json_array_foreach(json_object_get(target, "nics"), i, nic)
    {
        const char *mac = json_string_value(json_object_get(nic, "mac"));

        (void)printf(" -nic user,model=virtio-net-pci%s%s", mac && *mac ? ",mac=" : "",
                     mac ? mac : "");
    }
    if (i == 0)
        (void)fputs(" -nic user,model=virtio-net-pci", stdout);
}

static void start_line(const struct job *job, const json_t *report)
{
    const json_t *target = json_object_get(report, "target");
    const char *format = json_string_value(json_object_get(target, "format"));
    const struct machine *machine = machine_for(job->chosen ? job->chosen->facts->arch : "");

    (void)fputs("start it with:\n  ", stdout);
    /* libvirt has no name for vhdx */
    if (job->xml_path && strcmp(format, "vhdx") != 0 && exec_have("virsh")) {
        (void)fputs("virsh create ", stdout);
        text_quoted(stdout, job->xml_path);
        (void)fputc('\n', stdout);
        return;
    }
    (void)printf("qemu-system-%s -accel kvm -accel tcg -machine %s -m 2048", machine->arch,
                 machine->type);
    if (machine->needs_uefi)
        (void)fputs(" -cpu max", stdout);
    if (machine->firmware &&
        (machine->needs_uefi ||
         strcmp(json_string_value(json_object_get(target, "firmware")), "uefi") == 0))
        (void)printf(" -bios %s", machine->firmware);
    for (size_t i = 0; i < job->targets.n; i++)
        drive_arg(job->targets.items[i], strcmp(format, "vhd") == 0 ? "vpc" : format, i,
                  i < job->opts->n_sources && job->images[i] ? job->images[i]->sector_size : 0);
    nic_args(target);
    (void)fputc('\n', stdout);
}

static void print_sizes(const struct job *job, const json_t *report)
{
    const json_t *target = json_object_get(report, "target");
    const json_t *disks = json_object_get(target, "disks"), *disk;
    uint64_t before = 0, after = 0;
    char a[32], b[32], c[32];
    size_t i;

    json_array_foreach(json_object_get(report, "disks"), i, disk) before +=
        (uint64_t)json_integer_value(json_object_get(disk, "allocated_bytes"));
    json_array_foreach(disks, i, disk) after +=
        (uint64_t)json_integer_value(json_object_get(disk, "allocated_bytes"));
    (void)printf("size     %s, was %s; %s were trimmed\n", cli_size(after, a, sizeof(a)),
                 cli_size(before, b, sizeof(b)), cli_size(job->trimmed_bytes, c, sizeof(c)));
}

static void print_summary(const struct job *job)
{
    json_t *report = job_report_json(job), *note;
    const json_t *changes = json_object_get(report, "changes");
    const char *format =
        json_string_value(json_object_get(json_object_get(report, "target"), "format"));
    size_t i;

    if (job->resumed)
        (void)printf("an interrupted commit was found and finished\n");
    if (job->chosen) {
        (void)printf("%s: ", job->chosen->facts->root);
        text_system_line(stdout, job->chosen->facts);
    }
    (void)printf("%zu change%s:\n", json_array_size(changes),
                 json_array_size(changes) == 1 ? "" : "s");
    text_changes(stdout, changes, false);
    json_array_foreach(json_object_get(report, "notes"), i, note)
    {
        (void)fputs("note: ", stdout);
        text_safe(stdout, json_string_value(note), false);
        (void)fputc('\n', stdout);
    }
    (void)fputc('\n', stdout);
    for (i = 0; i < job->targets.n; i++)
        path_line("image", job->targets.items[i]);
    path_line("report", job->report_path);
    path_line("domain", job->xml_path);
    path_line("log", job->log_path);
    if (strcmp(format, "vhdx") == 0)
        (void)printf("note: libvirt knows no vhdx: the domain serves h2k boot-test only\n");
    if (!job->resumed)
        print_sizes(job, report);
    (void)printf("validated: the result needs no more changes; not boot-tested\n");
    start_line(job, report);
    json_decref(report);
}

static int run(const struct options *options)
{
    const char *guest = options->job.sources[0].path;
    struct job_opts opts = options->job;
    struct cli_progress progress;
    struct err err = ERR_NONE, close_err = ERR_NONE;
    struct job *job = NULL;
    json_t *report = NULL;
    int status = STATUS_OK;
    int r;

    cli_progress_begin(&progress, options);
    opts.progress = &progress.hook;
    r = job_run(&opts, JOB_FIX, &job, &err);
    cli_progress_end(&progress);
    if (r < 0)
        status = cli_fail(options, SCHEMA, guest, job->stage, &err);
    else if (options->json)
        report = job_report_json(job);
    else if (!options->quiet)
        print_summary(job);
    if (job_close(job, &close_err) < 0 && err.code == 0) {
        json_decref(report);
        return cli_fail(options, SCHEMA, guest, "release", &close_err);
    }
    if (report)
        cli_print_json(report);
    return status;
}

const struct command command_offline_fix = {
    .name = "offline-fix",
    .args = "GUEST",
    .summary = "fix and convert to a new image; the source is not touched",
    .help = "The image, its report, log and libvirt domain lie in the current folder unless -o or "
            "--output-dir says otherwise.",
    .schema = SCHEMA,
    .min_args = 1,
    .max_args = 1,
    .options = OPT_IMAGE | OPT_GUEST | OPT_ROOT | OPT_KEY | OPT_FIX | OPT_NIC | OPT_INJECT |
               OPT_TARGET | OPT_OUTPUT | OPT_NAME | OPT_WORK,
    .needs_root = true,
    .run = run,
};
