/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mkinitrd of EL 4 and 5 (mkinitrd(8), nash(8)): a script that loads each module by the path of its
 * file, in the order that they need each other, and then looks for the root:
 *
 *     echo "Loading scsi_mod.ko module"
 *     insmod /lib/scsi_mod.ko
 *     mkblkdevs
 *     mkrootdev -t ext3 -o defaults,ro sda1
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/initramfs_kinds.h"
#include "inspect/fields.h"

#define FIELDS_MAX 16

/* Commands that need the disks. */
static const char *const searches[] = {
    "stabilized", "rmparts", "dm",        "dmraid",          "lvm",      "raidautorun",
    "resume",     "mdadm",   "mkrootdev", "/sbin/udevstart", "/bin/lvm",
};

struct script {
    const char *text;
    size_t len;
    struct strlist loaded; /* names of modules, before the first search */
    size_t place;          /* where lines are to be added */
    bool has_place, has_mkblkdevs;
};

static bool is_search(const char *text, const struct span *fields, size_t n)
{
    for (size_t i = 0; i < ARRAY_SIZE(searches); i++)
        if (span_is(text, fields[0], searches[i]))
            return true;
    return span_is(text, fields[0], "mount") && span_is(text, fields[n - 1], "/sysroot");
}

static void read_script(struct script *script)
{
    struct span line, fields[FIELDS_MAX];
    size_t pos = 0;

    while (line_next(script->text, script->len, &pos, &line)) {
        size_t n = fields_split(script->text, &line, fields, FIELDS_MAX);

        if (n == 0)
            continue;
        if (span_is(script->text, fields[0], "mkblkdevs"))
            script->has_mkblkdevs = true;
        if (n > 1 && span_is(script->text, fields[0], "insmod")) {
            CLEANUP_FREE char *path = span_dup(script->text, fields[1]);

            strlist_take(&script->loaded, module_path_name(path));
            script->place = pos;
            script->has_place = true;
        } else if (is_search(script->text, fields, n)) {
            if (!script->has_place)
                script->place = line.start;
            script->has_place = true;
            return;
        }
    }
    /* nothing looks for a root: it is no script that is understood */
    script->has_place = false;
}

int nash_with_modules(const char *text, const struct strlist *load, char **ret)
{
    struct script script = { .text = text, .len = strlen(text) };
    CLEANUP_EDITS struct edits edits = { 0 };
    CLEANUP_STRBUF struct strbuf lines = { 0 };
    int r = 0;

    read_script(&script);
    if (script.place > 0 && text[script.place - 1] != '\n')
        strbuf_putc(&lines, '\n');
    for (size_t i = 0; i < load->n; i++) {
        CLEANUP_FREE char *name = module_path_name(load->items[i]);

        if (strlist_has(&script.loaded, name))
            continue;
        strbuf_printf(&lines, "echo \"Loading %s module\"\ninsmod /lib/%s\n", load->items[i],
                      load->items[i]);
        r = 1;
    }
    strlist_done(&script.loaded);
    if (!script.has_place)
        return -ENOENT;
    if (r == 0)
        return 0;
    if (script.has_mkblkdevs)
        strbuf_puts(&lines, "mkblkdevs\n");
    edits_add(&edits, (struct span){ script.place, 0 }, strbuf_text(&lines));
    *ret = edits_apply(&edits, text, script.len, NULL);
    return 1;
}

/* The script that is run: /init of a cpio archive, older kernels' /linuxrc otherwise. */
static const struct initramfs_file *script_of(const struct initramfs *found)
{
    static const char *const names[] = { "init", "linuxrc" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const struct initramfs_file *file = initramfs_kept(found, names[i]);

        if (file && strncmp(file->data, "#!/bin/nash", 11) == 0 && strlen(file->data) == file->len)
            return file;
    }
    return NULL;
}

static bool is_nash(const struct initramfs *found)
{
    return script_of(found) != NULL;
}

static int adapt(struct initramfs_work *work, struct err *err)
{
    const struct initramfs_file *file = script_of(work->found);
    CLEANUP_STRLIST struct strlist names = { 0 };
    char *fixed = NULL;
    int r;

    (void)err;
    for (size_t i = 0; i < work->load.n; i++)
        strlist_take(&names, work_name_inside(work, work->load.items[i]));
    r = nash_with_modules(file->data, &names, &fixed);
    if (r > 0)
        work_replace_file(work, file->name, fixed, 0755);
    if (r < 0)
        plan_note(work->plan, "%s: its script %s is not understood: nothing loads the drivers",
                  work->kernel->initrd, file->name);
    return 0;
}

const struct initrd_kind initrd_kind_nash = {
    .name = "mkinitrd (nash)",
    .folder = "lib",
    .is = is_nash,
    .adapt = adapt,
};
