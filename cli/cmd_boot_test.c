/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* h2k boot-test: boot a throw-away overlay and tell how far it came. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/print.h"
#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "fixers/boot_test.h"
#include "fixers/domain_xml.h"

#define SCHEMA "h2k.boot-test/1"

static bool is_xml(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot && strcmp(dot, ".xml") == 0;
}

static void domain_from_options(const struct options *options, struct domain *domain)
{
    for (size_t i = 0; i < options->job.n_sources; i++) {
        struct domain_disk *disk = mem_add(&domain->disks, &domain->n_disks, sizeof(*disk));

        disk->path = mem_strdup(options->job.sources[i].path);
        disk->format = mem_strdup(options->job.sources[i].format);
    }
    for (size_t i = 0; i < options->job.fix.n_nics; i++)
        strlist_add(&domain->macs, options->job.fix.nics[i].mac);
}

static int open_images(const struct options *options, const struct domain *domain,
                       struct image **images, struct err *err)
{
    struct image_opts opts = options->job.image;
    int r = 0;

    for (size_t i = 0; r == 0 && i < domain->n_disks; i++) {
        opts.format = domain->disks[i].format;
        r = image_open(domain->disks[i].path, &opts, &images[i], err);
    }
    return r;
}

static int print_verdict(const struct options *options, const char *guest,
                         const struct boot_opts *opts, const struct boot_result *result)
{
    if (options->json) {
        json_t *document = boot_result_json(result, opts);

        (void)json_object_set_new(document, "guest", json_string(guest));
        cli_print_json(document);
    } else {
        if (result->command_output)
            (void)fputs(result->command_output, stdout);
        (void)printf("%s: %s%s (stage: %s; %u.%u s, %s, %s, %s)\n", guest,
                     result->booted ? "it boots" : "it does not boot: ", result->reason,
                     boot_stage_name(result->stage), result->ms / 1000, result->ms / 100 % 10,
                     opts->bus ? opts->bus : "virtio", opts->uefi ? "uefi" : "bios", result->accel);
    }
    return result->booted ? STATUS_OK : STATUS_INVALID;
}

static int boot(const struct options *options, const char *guest, const struct domain *domain)
{
    CLEANUP_FREE struct image **images = mem_alloc((domain->n_disks + 1) * sizeof(struct image *));
    CLEANUP_FREE uint32_t *sector_sizes = mem_alloc((domain->n_disks + 1) * sizeof(uint32_t));
    struct boot_opts opts = {
        .images = images,
        .n_images = domain->n_disks,
        .bus = options->bus ? options->bus : domain->bus,
        .sector_sizes = sector_sizes,
        .macs = domain->macs,
        .accel = options->accel,
        .uefi = options->uefi || domain->uefi,
        .secure_boot = domain->secure_boot,
        .timeout_s = options->timeout_s,
        .work_dir = options->job.work_dir,
        .console = options->console,
        .screenshot = options->screenshot,
        .login = options->login,
        .command = options->guest_command,
    };
    struct boot_result result = { .booted = false };
    struct err err = ERR_NONE;
    int r = open_images(options, domain, images, &err);
    int status;

    for (size_t i = 0; i < domain->n_disks; i++)
        sector_sizes[i] = domain->disks[i].sector_size;
    if (r == 0)
        r = boot_test_run(&opts, &result, &err);
    status = r < 0 ? cli_fail(options, SCHEMA, guest, "boot-test", &err)
                   : print_verdict(options, guest, &opts, &result);
    if (r == 0 && opts.screenshot && access(opts.screenshot, F_OK) != 0)
        log_warn("%s: qemu made no picture of the screen", guest);
    for (size_t i = 0; i < domain->n_disks; i++)
        image_free(images[i]);
    boot_result_done(&result);
    return status;
}

static int run(const struct options *options)
{
    const char *guest = options->job.sources[0].path;
    struct domain domain = { .uefi = false };
    struct err err = ERR_NONE;
    int status;

    if ((options->login && !strchr(options->login, ':')) ||
        (options->guest_command && !options->login)) {
        (void)err_status(&err, STATUS_USAGE, "--command needs --login USER:PASSWORD");
        return cli_fail(options, SCHEMA, guest, NULL, &err);
    }
    if (!is_xml(guest))
        domain_from_options(options, &domain);
    else if (domain_read(guest, &domain, &err) < 0)
        return cli_fail(options, SCHEMA, guest, "boot-test", &err);
    status = boot(options, guest, &domain);
    domain_done(&domain);
    return status;
}

const struct command command_boot_test = {
    .name = "boot-test",
    .args = "IMAGE|XML",
    .summary = "boot a throw-away overlay in qemu; verdict and reason",
    .schema = SCHEMA,
    .help = "The hardware is that of the libvirt XML, or of --bus and --uefi. The image is not\n"
            "changed and the guest reaches no network. What it prints on its serial console\n"
            "decides: a login prompt, a known failure, or no progress. Exits with 0 or 7.",
    .min_args = 1,
    .max_args = 1,
    .options = OPT_IMAGE | OPT_GUEST | OPT_BOOT | OPT_NIC | OPT_TIMEOUT | OPT_WORK,
    .run = run,
};
