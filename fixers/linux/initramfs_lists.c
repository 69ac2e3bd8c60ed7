/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Archives that load the drivers of a list: mkinitrd of SUSE, mkinitcpio, genkernel,
 * tiny-initramfs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/initramfs_kinds.h"
#include "inspect/fields.h"

/* "virtio_pci virtio_blk": those of @drivers that are no word of @text. */
static char *lacking(const char *text, const struct strlist *drivers)
{
    CLEANUP_STRLIST struct strlist words = { 0 };
    CLEANUP_STRBUF struct strbuf out = { 0 };
    CLEANUP_FREE char *copy = mem_strdup(text);
    char *save = NULL;

    for (char *word = strtok_r(copy, " \t\r\n\"'=", &save); word;
         word = strtok_r(NULL, " \t\r\n\"'=", &save)) {
        for (char *c = word; *c; c++)
            if (*c == '-')
                *c = '_';
        strlist_add(&words, word);
    }
    for (size_t i = 0; i < drivers->n; i++)
        if (!strlist_has(&words, drivers->items[i]))
            strbuf_printf(&out, "%s%s", out.len ? " " : "", drivers->items[i]);
    return out.len ? strbuf_take(&out) : NULL;
}

/* Lines of shell whose @variable is a list: their last one gets a line behind it. */
static int with_line_behind(const char *text, const char *variable, const struct strlist *drivers,
                            char **ret)
{
    CLEANUP_FREE char *assignment = mem_printf("%s=", variable);
    CLEANUP_EDITS struct edits edits = { 0 };
    CLEANUP_STRBUF struct strbuf lists = { 0 };
    CLEANUP_FREE char *words = NULL, *added = NULL;
    struct span line;
    size_t pos = 0, place = 0, len = strlen(text);

    while (line_next(text, len, &pos, &line)) {
        CLEANUP_FREE char *copy = span_dup(text, line);

        if (copy[strspn(copy, " \t")] == '#' || !strstr(copy, assignment))
            continue;
        strbuf_printf(&lists, "%s\n", copy);
        place = pos;
    }
    if (place == 0)
        return -ENOENT;
    words = lacking(strbuf_text(&lists), drivers);
    if (!words)
        return 0;
    added = mem_printf("%s%s=\"$%s %s\"\n", text[place - 1] == '\n' ? "" : "\n", variable, variable,
                       words);
    edits_add(&edits, (struct span){ place, 0 }, added);
    *ret = edits_apply(&edits, text, len, NULL);
    return 1;
}

static const struct initramfs_file *text_file(const struct initramfs *found, const char *name)
{
    const struct initramfs_file *file = initramfs_kept(found, name);

    return file && strlen(file->data) == file->len ? file : NULL;
}

/* ---- SUSE: mkinitrd(5); each boot script's "modules" come from a variable of config/ ---- */

int suse_with_drivers(const char *text, const struct strlist *drivers, char **ret)
{
    return with_line_behind(text, "RESOLVED_INITRD_MODULES", drivers, ret);
}

static bool is_suse(const struct initramfs *found)
{
    return initramfs_kept(found, "run_all.sh") || initramfs_kept(found, "config/start.sh");
}

/* run_all.sh has all of config/ in it; "slow" boots read that instead. */
static int adapt_suse(struct initramfs_work *work, struct err *err)
{
    static const char *const names[] = { "run_all.sh", "config/start.sh" };
    bool understood = false;

    (void)err;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const struct initramfs_file *file = text_file(work->found, names[i]);
        char *fixed = NULL;
        int r = file ? suse_with_drivers(file->data, &work->drivers, &fixed) : -ENOENT;

        if (r > 0)
            work_replace_file(work, names[i], fixed, i == 0 ? 0755 : 0644);
        understood |= r >= 0;
    }
    if (!understood && !naming_archive_has_udev(work->found))
        plan_note(work->plan, "%s: its list of drivers was not found: nothing loads virtio's",
                  work->kernel->initrd);
    return 0;
}

const struct initrd_kind initrd_kind_suse = {
    .name = "mkinitrd (SUSE)",
    .is = is_suse,
    .adapt = adapt_suse,
};

/* ---- mkinitcpio(8) without the udev and systemd hooks: /init sources /config ---- */

static bool is_mkinitcpio(const struct initramfs *found)
{
    return initramfs_kept(found, "config") && strlist_has(&found->names, "init_functions");
}

static int adapt_mkinitcpio(struct initramfs_work *work, struct err *err)
{
    const struct initramfs_file *file = text_file(work->found, "config");
    char *fixed = NULL;
    int r = file ? with_line_behind(file->data, "MODULES", &work->drivers, &fixed) : 0;

    (void)err;
    if (r == -ENOENT) { /* none was to be loaded */
        CLEANUP_FREE char *words = lacking("", &work->drivers);

        fixed = mem_printf("%s%sMODULES=\"%s\"\n", file->data,
                           file->len && file->data[file->len - 1] != '\n' ? "\n" : "", words);
    }
    if (fixed)
        work_replace_file(work, "config", fixed, 0644);
    return 0;
}

const struct initrd_kind initrd_kind_mkinitcpio = {
    .name = "mkinitcpio",
    .is = is_mkinitcpio,
    .adapt = adapt_mkinitcpio,
};

/* ---- genkernel before 4: a list of modules for each group of hardware in etc/modules ---- */

int words_with_drivers(const char *text, const struct strlist *drivers, char **ret)
{
    CLEANUP_FREE char *words = lacking(text, drivers);
    size_t len = strlen(text);

    if (!words)
        return 0;
    for (char *c = words; *c; c++)
        if (*c == ' ')
            *c = '\n';
    *ret = mem_printf("%s%s%s\n", text, len && text[len - 1] != '\n' ? "\n" : "", words);
    return 1;
}

static bool is_genkernel(const struct initramfs *found)
{
    return strlist_has(&found->names, "etc/initrd.scripts");
}

static int adapt_genkernel(struct initramfs_work *work, struct err *err)
{
    static const char *const groups[] = { "etc/modules/virtio", "etc/modules/scsi",
                                          "etc/modules/sata", "etc/modules/pata" };

    (void)err;
    for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
        const struct initramfs_file *file = text_file(work->found, groups[i]);
        char *fixed = NULL;

        if (!file)
            continue;
        if (words_with_drivers(file->data, &work->drivers, &fixed) > 0)
            work_replace_file(work, groups[i], fixed, 0644);
        return 0;
    }
    plan_note(work->plan, "%s: it has no list of drivers to load: nothing loads virtio's",
              work->kernel->initrd);
    return 0;
}

const struct initrd_kind initrd_kind_genkernel = {
    .name = "genkernel",
    .is = is_genkernel,
    .adapt = adapt_genkernel,
};

/* ---- tiny-initramfs: /modules has a line for each file, "/virtio_blk.ko OPTIONS", in the order of
 * loading; its program knows no dependencies, no aliases and no compression ---- */

int tiny_with_modules(const char *text, const struct strlist *load, char **ret)
{
    CLEANUP_STRLIST struct strlist have = { 0 };
    CLEANUP_STRBUF struct strbuf out = { 0 };
    struct span line, field;
    size_t pos = 0, len = strlen(text), old;

    while (line_next(text, len, &pos, &line)) {
        size_t at = line.start;

        if (field_next(text, &line, &at, &field))
            strlist_take(&have, span_dup(text, field));
    }
    strbuf_printf(&out, "%s%s", text, len && text[len - 1] != '\n' ? "\n" : "");
    old = out.len;
    for (size_t i = 0; i < load->n; i++) {
        CLEANUP_FREE char *entry = mem_printf("/%s", load->items[i]);

        if (strlist_has(&have, entry))
            continue;
        strbuf_printf(&out, "%s\n", entry);
        strlist_take(&have, TAKE(entry));
    }
    if (out.len == old)
        return 0;
    *ret = strbuf_take(&out);
    return 1;
}

/* Without drivers it is a program and three folders. */
static bool is_tiny(const struct initramfs *found)
{
    static const char *const others[] = { "bin", "etc", "lib", "sbin", "usr" };

    if (initramfs_kept(found, "modules"))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (strlist_has(&found->names, others[i]))
            return false;
    return strlist_has(&found->names, "init") && strlist_has(&found->names, "target");
}

static int adapt_tiny(struct initramfs_work *work, struct err *err)
{
    const struct initramfs_file *file = text_file(work->found, "modules");
    CLEANUP_STRLIST struct strlist names = { 0 };
    char *fixed = NULL;

    (void)err;
    for (size_t i = 0; i < work->load.n; i++)
        strlist_take(&names, work_name_inside(work, work->load.items[i]));
    if (tiny_with_modules(file ? file->data : "", &names, &fixed) > 0)
        work_replace_file(work, "modules", fixed, 0644);
    return 0;
}

const struct initrd_kind initrd_kind_tiny = {
    .name = "tiny-initramfs",
    .folder = ".",
    .is = is_tiny,
    .adapt = adapt_tiny,
};
