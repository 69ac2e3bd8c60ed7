/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/text.h"

#include <ctype.h>
#include <string.h>

#include "cli/print.h"

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

static void system_text(FILE *out, const struct facts *facts)
{
    (void)fprintf(out, "%s: ", facts->root);
    text_system_line(out, facts);
    field(out, "hostname", facts->hostname);
    field(out, "boot loader", facts->boot_loader);
    field(out, "init", facts->init_system);
    field(out, "initramfs by", initrd_tool_name(facts->initrd_tool));
    field(out, "network by", facts->network_stack);
    field(out, "packages by", facts->package_manager);
    for (size_t i = 0; i < facts->n_mounts; i++)
        mount_line(out, &facts->mounts[i]);
    for (size_t i = 0; i < facts->n_kernels; i++)
        kernel_line(out, &facts->kernels[i]);
    for (size_t i = 0; i < facts->n_nics; i++)
        nic_line(out, &facts->nics[i]);
    if (facts->n_packages)
        (void)fprintf(out, "  %-12s %zu %s\n", "packages", facts->n_packages,
                      facts->package_format);
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

void text_changes(FILE *out, const json_t *changes, bool diffs)
{
    const json_t *change;
    size_t i;

    json_array_foreach(changes, i, change)
    {
        (void)fprintf(out, diffs ? "%s: %s " : "  %-12s %-7s ", member(change, "fixer"),
                      member(change, "action"));
        text_safe(out, member(change, "path"), false);
        (void)fputs(": ", out);
        text_safe(out, member(change, "reason"), false);
        (void)fputc('\n', out);
        if (!diffs)
            continue;
        text_safe(out, member(change, "diff"), true);
        (void)fputc('\n', out);
    }
}
