/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/text.h"

#include <ctype.h>
#include <string.h>

#include "cli/print.h"
#include "inspect/windows/facts.h"

void text_safe(FILE *out, const char *text, bool lines)
{
    for (const char *c = text ? text : ""; *c; c++) {
        unsigned char byte = (unsigned char)*c;
        /* U+0080 to U+009F are control characters, too */
        bool is_c1 = byte == 0xc2 && ((unsigned char)c[1] & 0xe0) == 0x80;
        bool fine =
            !is_c1 && (byte >= 0x80 || isprint(byte) || (lines && (byte == '\n' || byte == '\t')));

        (void)fputc(fine ? byte : '?', out);
        c += is_c1;
    }
}

void text_quoted(FILE *out, const char *arg)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "%+,-./:=@_";

    if (*arg && strspn(arg, plain) == strlen(arg)) {
        (void)fputs(arg, out);
        return;
    }
    (void)fputc('\'', out);
    for (const char *c = arg; *c; c++)
        (void)(*c == '\'' ? fputs("'\\''", out) : fputc(*c, out));
    (void)fputc('\'', out);
}

/* A name and its value, left out when there is none. */
static void field(FILE *out, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    (void)fprintf(out, "  %-12s ", name);
    text_safe(out, value, false);
    (void)fputc('\n', out);
}

/* ---- disks ---- */

void text_images(FILE *out, const struct job *job)
{
    for (size_t i = 0; i < job->opts->n_sources; i++) {
        const struct image *image = job->images[i];
        char size[32], used[32];

        if (!image)
            continue;
        text_safe(out, image->path, false);
        (void)fprintf(out, ": %s%s%s, %s (%s allocated)\n", image->format,
                      *image->subformat ? " " : "", image->subformat,
                      cli_size(image->size_bytes, size, sizeof(size)),
                      cli_size(image_allocated_bytes(image), used, sizeof(used)));
        for (size_t n = 0; n < image->notes.n; n++)
            field(out, "note", image->notes.items[n]);
    }
}

static void volume_line(FILE *out, const struct volume *volume)
{
    char size[32];

    (void)fprintf(out, "  %-24s %-10s %-12s %10s", volume->name, volume_kind_name(volume->kind),
                  volume->fstype && *volume->fstype ? volume->fstype : "-",
                  cli_size(volume->size_bytes, size, sizeof(size)));
    if (volume->uuid && *volume->uuid) {
        (void)fprintf(out, "  UUID=");
        text_safe(out, volume->uuid, false);
    }
    if (volume->label && *volume->label) {
        (void)fprintf(out, "  LABEL=");
        text_safe(out, volume->label, false);
    }
    (void)fputc('\n', out);
    if (volume->problem[0] != '\0')
        (void)fprintf(out, "    not opened: %s\n", volume->problem);
    if (volume->read_only[0] != '\0')
        (void)fprintf(out, "    read-only: %s\n", volume->read_only);
    for (size_t i = 0; i < volume->notes.n; i++) {
        (void)fputs("    note: ", out);
        text_safe(out, volume->notes.items[i], false);
        (void)fputc('\n', out);
    }
}

void text_disks(FILE *out, const struct job *job)
{
    text_images(out, job);
    for (size_t i = 0; job->stack && i < job->stack->n_volumes; i++)
        if (job->stack->volumes[i].kind != VOLUME_DISK ||
            (job->stack->volumes[i].fstype && *job->stack->volumes[i].fstype) ||
            job->stack->volumes[i].problem[0] != '\0')
            volume_line(out, &job->stack->volumes[i]);
}

/* ---- systems ---- */

void text_system_line(FILE *out, const struct facts *facts)
{
    text_safe(out, *facts->product_name ? facts->product_name : facts->type, false);
    if (*facts->arch) {
        (void)fputs(", ", out);
        text_safe(out, facts->arch, false);
    }
    (void)fprintf(out, ", %s\n", firmware_name(facts->firmware));
}

static void mount_line(FILE *out, const struct fact_mount *mount)
{
    (void)fprintf(out, "  %-12s ", "mount");
    text_safe(out, mount->target, false);
    (void)fputs("  ", out);
    text_safe(out, mount->source, false);
    if (mount->device && strcmp(mount->device->name, mount->source) != 0)
        (void)fprintf(out, " (%s)", mount->device->name);
    (void)fputs("  ", out);
    text_safe(out, mount->type, false);
    (void)fputs(mount->dirty ? "  journal: dirty" : "", out);
    if (mount->problem[0] != '\0') {
        (void)fputs(mount->mounted ? "  note: " : "  missing: ", out);
        text_safe(out, mount->problem, false);
    }
    (void)fputc('\n', out);
}

static void kernel_line(FILE *out, const struct fact_kernel *kernel)
{
    (void)fprintf(out, "  %-12s ", "kernel");
    text_safe(out, kernel->version, false);
    (void)fprintf(out, "%s, virtio %s, initramfs ", kernel->is_default ? " (default)" : "",
                  kernel->virtio_builtin ? "built in"
                  : kernel->has_virtio   ? "as modules"
                                         : "missing");
    text_safe(out,
              *kernel->initrd    ? kernel->initrd
              : *kernel->unified ? kernel->unified
                                 : "none",
              false);
    (void)fprintf(out, " %s virtio\n", kernel->initrd_has_virtio ? "with" : "without");
}

static void nic_line(FILE *out, const struct fact_nic *nic)
{
    (void)fprintf(out, "  %-12s ", "interface");
    text_safe(out, nic->name, false);
    (void)fprintf(out, "%s%s %s  (", *nic->mac && *nic->name ? " " : "", nic->mac,
                  nic->is_static ? "static" : "dynamic");
    text_safe(out, nic->source, false);
    (void)fputs(")\n", out);
}

/* "C = /dev/sda2", of the drives that are on the given disks. */
static void drive_line(FILE *out, const struct win_drive *drive)
{
    if (*drive->device)
        (void)fprintf(out, "  %-12s %s: %s\n", "drive", drive->letter, drive->device);
}

static void list_line(FILE *out, const char *name, const struct strlist *texts)
{
    for (size_t i = 0; i < texts->n; i++)
        field(out, name, texts->items[i]);
}

static void windows_text(FILE *out, const struct fact_windows *windows)
{
    const struct {
        bool is_so;
        const char *text;
    } states[] = {
        { windows->hive_dirty, "the registry has unfinished writes" },
        { windows->hibernated, "it is hibernated, or uses fast startup" },
        { windows->bitlocker, "its partition is encrypted (BitLocker)" },
        { windows->group_policies, "policies of a domain may undo changes" },
    };

    field(out, "edition", windows->edition);
    field(out, "service pack", windows->service_pack);
    field(out, "domain", windows->domain);
    field(out, "virus scan", windows->antivirus);
    list_line(out, "tools of", &windows->tools);
    field(out, "starts from",
          windows->boots_virtio_blk ? "virtio, as it is"
          : windows->boots_ahci     ? "SATA, as it is"
          : windows->boots_ide      ? "IDE, as it is"
                                    : "");
    for (size_t i = 0; i < windows->n_drives; i++)
        drive_line(out, &windows->drives[i]);
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        field(out, "note", states[i].is_so ? states[i].text : "");
    list_line(out, "note", &windows->notes);
}

static void system_text(FILE *out, const struct facts *facts)
{
    (void)fprintf(out, "%s: ", facts->root);
    text_system_line(out, facts);
    field(out, "hostname", facts->hostname);
    if (facts->windows)
        field(out, "version", facts->version_text);
    field(out, "boot loader", facts->boot_loader);
    field(out, "init", facts->init_system);
    field(out, "initramfs by", initrd_tool_name(facts->initrd_tool));
    field(out, "network by", facts->network_stack);
    field(out, "packages by", facts->package_manager);
    if (facts->windows)
        windows_text(out, facts->windows);
    for (size_t i = 0; i < facts->n_mounts; i++)
        mount_line(out, &facts->mounts[i]);
    for (size_t i = 0; i < facts->n_kernels; i++)
        kernel_line(out, &facts->kernels[i]);
    for (size_t i = 0; i < facts->n_nics; i++)
        nic_line(out, &facts->nics[i]);
    if (facts->n_packages)
        (void)fprintf(out, "  %-12s %zu%s%s\n", "packages", facts->n_packages,
                      *facts->package_format ? " " : "", facts->package_format);
    field(out, "no packages", facts->packages_problem);
}

void text_guest(FILE *out, const struct job *job)
{
    text_disks(out, job);
    for (size_t i = 0; i < job->n_systems; i++)
        system_text(out, job->systems[i].facts);
}

/* ---- changes ---- */

static const char *member(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));

    return value ? value : "";
}

static bool same(const json_t *a, const json_t *b, const char *key)
{
    return strcmp(member(a, key), member(b, key)) == 0;
}

/* Values of a registry hive that are changed for one reason stand below one line; without diffs
 * that goes for all changes. */
static bool is_more_of(const json_t *change, const json_t *before, bool diffs)
{
    if (!before || !same(change, before, "fixer") || !same(change, before, "reason"))
        return false;
    if (json_object_get(change, "key"))
        return json_object_get(before, "key") && same(change, before, "path");
    return !diffs && same(change, before, "action");
}

/* How many of those follow that are files of their own. */
static size_t count_files(const json_t *changes, size_t first, bool diffs)
{
    const json_t *before = json_array_get(changes, first);
    size_t n = 0;

    for (size_t i = first + 1; i < json_array_size(changes); i++) {
        const json_t *change = json_array_get(changes, i);

        if (!is_more_of(change, before, diffs) || json_object_get(change, "key"))
            break;
        before = change;
        n++;
    }
    return n;
}

static void change_line(FILE *out, const json_t *changes, size_t i, bool diffs)
{
    const json_t *change = json_array_get(changes, i);
    size_t more = count_files(changes, i, diffs);

    (void)fprintf(out, diffs ? "%s: %s " : "  %-12s %-8s ", member(change, "fixer"),
                  json_object_get(change, "key") ? "registry" : member(change, "action"));
    text_safe(out, member(change, "path"), false);
    if (more)
        (void)fprintf(out, " and %zu more", more);
    (void)fputs(": ", out);
    text_safe(out, member(change, "reason"), false);
    (void)fputc('\n', out);
}

void text_changes(FILE *out, const json_t *changes, bool diffs)
{
    const json_t *before = NULL;
    const json_t *change;
    size_t i;

    json_array_foreach(changes, i, change)
    {
        bool is_more = is_more_of(change, before, diffs);
        const char *diff = member(change, "diff");

        if (!is_more && before && diffs)
            (void)fputc('\n', out);
        if (!is_more)
            change_line(out, changes, i, diffs);
        /* the key once above its values */
        if (is_more && same(change, before, "key") && strncmp(diff, " [", 2) == 0)
            diff += strcspn(diff, "\n") + 1;
        if (diffs)
            text_safe(out, diff, true);
        before = change;
    }
    if (before && diffs)
        (void)fputc('\n', out);
}
