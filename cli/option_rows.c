/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/option_rows.h"

#include <ctype.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"

static int choose(const char *option, const char *value, const char *const *names, size_t n,
                  struct err *err)
{
    char known[256] = "";

    for (size_t i = 0; i < n; i++) {
        if (strcmp(value, names[i]) == 0)
            return (int)i;
        (void)snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%s", i ? ", " : "",
                       names[i]);
    }
    return err_status(err, STATUS_USAGE, "%s %s: known are %s", option, value, known);
}

static int set_number(const char *option, const char *value, uint64_t max, unsigned *ret,
                      struct err *err)
{
    uint64_t number = 0;

    if (io_parse_u64(value, max, &number) < 0)
        return err_status(err, STATUS_USAGE, "%s %s: not a number between 0 and %llu", option,
                          value, (unsigned long long)max);
    *ret = (unsigned)number;
    return 0;
}

/* Comma-separated names of fixers. */
static int add_fixers(const char *option, const char *value, struct strlist *list, struct err *err)
{
    CLEANUP_FREE char *copy = mem_strdup(value);
    char *save = NULL;

    for (char *name = strtok_r(copy, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
        if (!fixer_find(name))
            return err_status(err, STATUS_USAGE, "%s %s: there is no such fixer; see h2k fixers",
                              option, name);
        strlist_add(list, name);
    }
    return 0;
}

/* ---- one function per option: switches first ---- */

#define SET_FLAG(name, field)                                                                      \
    static int name(struct parser *parser, const char *value, struct err *err)                     \
    {                                                                                              \
        (void)value;                                                                               \
        (void)err;                                                                                 \
        parser->options->field = true;                                                             \
        return 0;                                                                                  \
    }

#define SET_TEXT(name, field)                                                                      \
    static int name(struct parser *parser, const char *value, struct err *err)                     \
    {                                                                                              \
        (void)err;                                                                                 \
        parser->options->field = value;                                                            \
        return 0;                                                                                  \
    }

SET_FLAG(set_json, json)
SET_FLAG(set_quiet, quiet)
SET_FLAG(set_help, help)
SET_FLAG(set_version, version)
SET_FLAG(set_allow_stale, job.image.allow_stale)
SET_FLAG(set_no_cloud_agents, job.fix.no_cloud_agents)
SET_FLAG(set_serial_console, job.fix.serial_console)
SET_FLAG(set_remove_tools_now, job.fix.remove_tools_now)
SET_FLAG(set_discard_hibernation, job.fix.discard_hibernation)
SET_FLAG(set_show_secrets, job.fix.show_secrets)
SET_FLAG(set_compress, job.compress)
SET_FLAG(set_force, job.force)
SET_FLAG(set_in_place, job.in_place)
SET_FLAG(set_exit_code, exit_code)
SET_FLAG(set_orphans, orphans)
SET_FLAG(set_uefi, uefi)
SET_FLAG(set_keys_from_stdin, keys_from_stdin)

SET_TEXT(set_config, config)
SET_TEXT(set_export, export_key)
SET_TEXT(set_log_file, log_file)
SET_TEXT(set_work_dir, job.work_dir)
SET_TEXT(set_root, job.inspect.root)
SET_TEXT(set_output, job.output)
SET_TEXT(set_output_dir, job.output_dir)
SET_TEXT(set_report, job.report)
SET_TEXT(set_console, console)
SET_TEXT(set_screenshot, screenshot)
SET_TEXT(set_login, login)
SET_TEXT(set_guest_command, guest_command)
SET_TEXT(set_virtio_win, job.fix.virtio_win)

static int set_verbose(struct parser *parser, const char *value, struct err *err)
{
    (void)value;
    (void)err;
    parser->options->verbose++;
    return 0;
}

static int set_format(struct parser *parser, const char *value, struct err *err)
{
    static const char *const names[] = { "raw", "qcow2", "vmdk", "vpc", "vhd", "vhdx", "vdi" };
    int n = choose("--format", value, names, ARRAY_SIZE(names), err);

    if (n < 0)
        return n;
    parser->format = strcmp(value, "vhd") == 0 ? "vpc" : value; /* qemu's name for VHD */
    return 0;
}

static int set_backend(struct parser *parser, const char *value, struct err *err)
{
    static const char *const names[] = { "auto", "nbd", "fuse", "loop" };
    int n = choose("--backend", value, names, ARRAY_SIZE(names), err);

    parser->options->job.backend = value;
    return n < 0 ? n : 0;
}

static int set_allow_backing(struct parser *parser, const char *value, struct err *err)
{
    (void)err;
    strlist_add(&parser->options->job.image.allow_dirs, value);
    return 0;
}

static int set_add_disk(struct parser *parser, const char *value, struct err *err)
{
    struct job_source *source = mem_add(&parser->added, &parser->n_added, sizeof(*source));

    (void)err;
    source->path = mem_strdup(value);
    source->format = mem_strdup(parser->format);
    return 0;
}

static int set_key(struct parser *parser, const char *value, struct err *err)
{
    parser->has_secret = true;
    return keys_add(&parser->options->job.keys, value, err);
}

static int set_header(struct parser *parser, const char *value, struct err *err)
{
    return keys_add_header(&parser->options->job.keys, value, err);
}

static int set_only(struct parser *parser, const char *value, struct err *err)
{
    return add_fixers("--only", value, &parser->options->job.fix.only, err);
}

static int set_skip(struct parser *parser, const char *value, struct err *err)
{
    return add_fixers("--skip", value, &parser->options->job.fix.skip, err);
}

static int set_initramfs(struct parser *parser, const char *value, struct err *err)
{
    static const char *const names[] = { "auto", "inject", "rebuild", "none" };
    int n = choose("--initramfs", value, names, ARRAY_SIZE(names), err);

    if (n < 0)
        return n;
    parser->options->job.fix.initramfs = (enum initramfs_mode)n;
    return 0;
}

static int set_firstboot_service(struct parser *parser, const char *value, struct err *err)
{
    static const char *const names[] = { "auto", "wrapper", "registry" };
    int n = choose("--firstboot-service", value, names, ARRAY_SIZE(names), err);

    if (n < 0)
        return n;
    parser->options->job.fix.firstboot_service = (enum firstboot_service)n;
    return 0;
}

static int set_secure_boot(struct parser *parser, const char *value, struct err *err)
{
    static const char *const names[] = { "auto", "on", "off" };
    int n = choose("--secure-boot", value, names, ARRAY_SIZE(names), err);

    if (n < 0)
        return n;
    parser->options->job.fix.secure_boot = (enum secure_boot)n;
    return 0;
}

static bool is_mac(const char *text)
{
    for (size_t i = 0; i < 17; i++)
        if (i % 3 == 2 ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
            return false;
    return text[17] == '\0';
}

static int set_nic(struct parser *parser, const char *value, struct err *err)
{
    struct fix_opts *fix = &parser->options->job.fix;
    const char *equals = strrchr(value, '='); /* names of Windows may have more of them */
    struct nic_option *nic;

    if (!equals || equals == value || equals - value > 255 || !is_mac(equals + 1))
        return err_status(err, STATUS_USAGE,
                          "--nic %s: give it as NAME=MAC, e.g. ens192=00:50:56:aa:bb:cc", value);
    nic = mem_add(&fix->nics, &fix->n_nics, sizeof(*nic));
    nic->name = mem_strndup(value, (size_t)(equals - value));
    nic->mac = mem_strdup(equals + 1);
    for (char *c = nic->mac; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return 0;
}

/* They are taken when the whole line is known: after the file of --config. */
static int add_injection(struct parser *parser, const char *value, struct err *err)
{
    (void)err;
    strlist_add(&parser->options->inject_names, parser->row->name);
    strlist_add(&parser->options->inject_values, value ? value : "");
    return 0;
}

static int add_secret_injection(struct parser *parser, const char *value, struct err *err)
{
    parser->has_secret = true;
    return add_injection(parser, value, err);
}

static int set_output_format(struct parser *parser, const char *value, struct err *err)
{
    static const char *const names[] = { "qcow2", "raw", "vdi", "vmdk", "vhdx" };
    int n = choose("-O", value, names, ARRAY_SIZE(names), err);

    parser->options->job.output_format = value;
    return n < 0 ? n : 0;
}

static int set_progress(struct parser *parser, const char *value, struct err *err)
{
    static const char *const names[] = { "auto", "bar", "json", "none" };
    static const char with_fd[] = "json:fd=";
    unsigned fd = 0;
    int n;

    if (strncmp(value, with_fd, strlen(with_fd)) == 0) {
        n = set_number("--progress", value + strlen(with_fd), 1023, &fd, err);
        if (n < 0)
            return n;
        parser->options->progress = PROGRESS_JSON;
        parser->options->progress_fd = (int)fd;
        return 0;
    }
    n = choose("--progress", value, names, ARRAY_SIZE(names), err);
    if (n < 0)
        return n;
    parser->options->progress = (enum progress_mode)n;
    return 0;
}

static int set_jobs(struct parser *parser, const char *value, struct err *err)
{
    return set_number("-j", value, 1024, &parser->options->jobs, err);
}

static int set_timeout(struct parser *parser, const char *value, struct err *err)
{
    return set_number("--timeout", value, 86400, &parser->options->timeout_s, err);
}

static int set_bus(struct parser *parser, const char *value, struct err *err)
{
    static const char *const names[] = { "virtio", "virtio-scsi", "sata", "ide", "pvscsi" };
    int n = choose("--bus", value, names, ARRAY_SIZE(names), err);

    parser->options->bus = value;
    return n < 0 ? n : 0;
}

static int set_accel(struct parser *parser, const char *value, struct err *err)
{
    static const char *const names[] = { "auto", "kvm", "tcg" };
    int n = choose("--accel", value, names, ARRAY_SIZE(names), err);

    parser->options->accel = value;
    return n < 0 ? n : 0;
}

const struct option_row option_rows[] = {
    { "add-disk", 'a', "IMAGE", OPT_GUEST, "a further disk of the same guest", set_add_disk },
    { "root", 0, "NAME", OPT_ROOT, "which system: auto, first, single or a guest name", set_root },
    { "key", 0, "ID:HOW:KEY", OPT_KEY,
      "opens encrypted volumes: ID:file:PATH or ID:key:SECRET; ID: guest name, UUID or all",
      set_key },
    { "keys-from-stdin", 0, NULL, OPT_KEY, "one key per line, tried on all encrypted volumes",
      set_keys_from_stdin },
    { "header", 0, "NAME:FILE", OPT_KEY, "detached LUKS header of the volume with that guest name",
      set_header },
    { "format", 0, "FMT", OPT_IMAGE, "format of the images after it, instead of detecting",
      set_format },
    { "backend", 0, "NAME", OPT_IMAGE, "how to attach: auto, nbd, fuse or loop", set_backend },
    { "allow-backing", 0, "DIR", OPT_IMAGE, "accept backing files and extents that lie in DIR",
      set_allow_backing },
    { "allow-stale", 0, NULL, OPT_IMAGE, "accept a disk that snapshots or locks make look stale",
      set_allow_stale },
    { "work-dir", 0, "DIR", OPT_WORK, "for overlays and copies (else $TMPDIR, else /var/tmp)",
      set_work_dir },
    { "export", 0, "KEY", OPT_EXPORT, "which key: HKLM\\SYSTEM\\Select", set_export },
    { "only", 0, "NAME,...", OPT_FIX, "run these fixers only", set_only },
    { "skip", 0, "NAME,...", OPT_FIX, "run all fixers but these", set_skip },
    { "initramfs", 0, "HOW", OPT_FIX, "auto, inject, rebuild or none", set_initramfs },
    { "nic", 0, "NAME=MAC", OPT_NIC, "which interface name belongs to which MAC address", set_nic },
    { "disable-cloud-agents", 0, NULL, OPT_FIX,
      "switch off agents of Azure, AWS, Google ... as well", set_no_cloud_agents },
    { "serial-console", 0, NULL, OPT_FIX,
      "the kernel's messages and a login on the serial port too", set_serial_console },
    { "secure-boot", 0, "HOW", OPT_FIX, "of the new machine: on, off or auto (off)",
      set_secure_boot },
    { "config", 0, "FILE", OPT_INJECT, "what to put into the guest, as YAML", set_config },
    { "hostname", 0, "NAME", OPT_INJECT, "host name of the guest", add_injection },
    { "timezone", 0, "ZONE", OPT_INJECT, "time zone of the guest: Europe/Berlin", add_injection },
    { "root-password", 0, "HOW", OPT_INJECT,
      "password:TEXT, file:FILE, hash:HASH, locked or disabled", add_secret_injection },
    { "password", 0, "USER:HOW", OPT_INJECT, "the same for another user", add_secret_injection },
    { "ssh-inject", 0, "USER[:HOW]", OPT_INJECT,
      "a key that may log in: yours, file:FILE or string:KEY", add_injection },
    { "enable-service", 0, "NAME", OPT_INJECT, "let a service start", add_injection },
    { "disable-service", 0, "NAME", OPT_INJECT, "do not let it start", add_injection },
    { "mask-service", 0, "NAME", OPT_INJECT, "let nothing start it (systemd)", add_injection },
    { "firstboot", 0, "FILE", OPT_INJECT, "run this script at the first start", add_injection },
    { "firstboot-service", 0, "HOW", OPT_FIX,
      "what starts Windows' scripts: auto, wrapper or registry", set_firstboot_service },
    { "firstboot-command", 0, "TEXT", OPT_INJECT, "the same for a line for the shell",
      add_injection },
    { "firstboot-install", 0, "NAME,...", OPT_INJECT, "install packages at the first start",
      add_injection },
    { "install-agent", 0, "FROM", OPT_INJECT,
      "QEMU's guest agent at the first start: repository (Windows: virtio-win), or a package file",
      add_injection },
    { "registry", 0, "FILE", OPT_INJECT, "Windows: import this .reg file", add_injection },
    { "rdp", 0, NULL, OPT_INJECT, "Windows: switch Remote Desktop on", add_injection },
    { "never-sleep", 0, NULL, OPT_INJECT, "Windows: high performance, no standby, no hibernation",
      add_injection },
    { "remove-tools", 0, NULL, OPT_INJECT, "remove the old hypervisor's tools at the first start",
      add_injection },
    { "cloud-init", 0, "KEY=VALUE", OPT_INJECT,
      "user-data=FILE, meta-data=FILE, network-config=FILE, datasource=NAME or disable",
      add_injection },
    { "upload", 0, "FILE:PATH", OPT_INJECT, "put a file into the guest", add_injection },
    { "write", 0, "PATH:TEXT", OPT_INJECT, "make a file with that content", add_injection },
    { "mkdir", 0, "PATH", OPT_INJECT, "make a folder", add_injection },
    { "link", 0, "TARGET:PATH", OPT_INJECT, "make a symbolic link", add_injection },
    { "chmod", 0, "MODE:PATH", OPT_INJECT, "change a mode (octal)", add_injection },
    { "delete", 0, "PATH", OPT_INJECT, "remove a file, or a folder with all in it", add_injection },
    { "remove-tools-now", 0, NULL, OPT_FIX, "remove the old hypervisor's packages, in a jail",
      set_remove_tools_now },
    { "virtio-win", 0, "PATH", OPT_FIX,
      "drivers for Windows: folder, ISO image, zip or tar (else $VIRTIO_WIN, or the host's)",
      set_virtio_win },
    { "discard-hibernation", 0, NULL, OPT_FIX, "give up what a hibernated Windows keeps in memory",
      set_discard_hibernation },
    { "show-secrets", 0, NULL, OPT_FIX, "do not redact diffs of files that are not public",
      set_show_secrets },
    { "exit-code", 0, NULL, OPT_PLAN, "exit with 10 when there is something to change",
      set_exit_code },
    { "output", 'o', "FILE", OPT_NAME, "name of what is written", set_output },
    { "output-dir", 0, "DIR", OPT_OUTPUT, "folder of the target (else the current one)",
      set_output_dir },
    { "report", 0, "FILE", OPT_OUTPUT, "name of the JSON report (else beside the target)",
      set_report },
    { "in-place", 0, NULL, OPT_OUTPUT, "change the source itself, once everything went well",
      set_in_place },
    { "output-format", 'O', "FMT", OPT_TARGET, "qcow2 (default), raw, vdi, vmdk or vhdx",
      set_output_format },
    { "compress", 0, NULL, OPT_TARGET, "compress the target (qcow2, vmdk)", set_compress },
    { "force", 0, NULL, OPT_TARGET, "overwrite an existing target", set_force },
    { "progress", 0, "HOW", OPT_TARGET, "auto, bar, json, json:fd=N or none", set_progress },
    { "jobs", 'j', "N", OPT_BATCH, "so many guests at a time (else one per processor)", set_jobs },
    { "timeout", 0, "SECONDS", OPT_TIMEOUT, "give up on a guest after so long", set_timeout },
    { "bus", 0, "NAME", OPT_BOOT, "virtio, virtio-scsi, sata, ide or pvscsi", set_bus },
    { "uefi", 0, NULL, OPT_BOOT, "boot with UEFI firmware", set_uefi },
    { "accel", 0, "NAME", OPT_BOOT, "auto, kvm or tcg", set_accel },
    { "console", 0, "FILE", OPT_BOOT, "keep what the serial console said", set_console },
    { "screenshot", 0, "FILE", OPT_BOOT, "keep a picture of the screen (PNG)", set_screenshot },
    { "login", 0, "USER:PASSWORD", OPT_BOOT, "log in on the serial console", set_login },
    { "command", 0, "TEXT", OPT_BOOT, "run this inside after the login", set_guest_command },
    { "orphans", 0, NULL, OPT_CLEANUP, "also objects named h2k-* that no session knows",
      set_orphans },
    { "json", 0, NULL, OPT_COMMON, "the result as JSON on stdout", set_json },
    { "quiet", 'q', NULL, OPT_COMMON, "errors only", set_quiet },
    { "verbose", 'v', NULL, OPT_COMMON, "say what is done; twice: debug messages", set_verbose },
    { "log-file", 0, "FILE", OPT_COMMON, "write a debug log", set_log_file },
    { "help", 'h', NULL, OPT_COMMON, "this text", set_help },
    { "version", 'V', NULL, OPT_COMMON, "print the version", set_version },
};
const size_t n_option_rows = ARRAY_SIZE(option_rows);
