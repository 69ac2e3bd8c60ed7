/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* systemd units of the guest (systemd.unit(5), systemd.mount(5), systemd.swap(5)). */
#include <errno.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/strbuf.h"
#include "engine/base/text.h"
#include "fixers/linux/devnames.h"
#include "fixers/linux/linux.h"
#include "inspect/mount_units.h"

#define UNITS "/etc/systemd/system"
#define SWAPS_MAX 64 /* moving one looks at all folders of links */

/* An absent folder is an empty one. */
static int list_units(const struct plan *plan, struct strlist *ret, struct err *err)
{
    if (!guest_is_dir(plan->root, UNITS))
        return 0;
    return guest_list(plan->root, UNITS, ret, err);
}

int unit_move_links(struct plan *plan, const char *name, const char *new_name, const char *reason,
                    struct err *err)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    int n = 0;
    int r = list_units(plan, &names, err);

    for (size_t i = 0; r >= 0 && i < names.n; i++) {
        CLEANUP_FREE char *path = mem_printf(UNITS "/%s/%s", names.items[i], name);
        CLEANUP_FREE char *target = NULL;

        if (!text_has_suffix(names.items[i], ".wants") &&
            !text_has_suffix(names.items[i], ".requires"))
            continue;
        target = plan_readlink(plan, path);
        if (!target)
            continue;
        n++;
        plan_remove(plan, path, reason);
        if (new_name) {
            CLEANUP_FREE char *link = mem_printf(UNITS "/%s/%s", names.items[i], new_name);
            CLEANUP_FREE char *unit = mem_printf(UNITS "/%s", new_name);

            plan_link(plan, unit, link, reason);
        }
    }
    return r < 0 ? r : n;
}

/* Where the value of a line "What = VALUE" is; false for any other line. */
static bool find_what(const char *text, const struct span *line, struct span *ret)
{
    static const char key[] = "What";
    size_t at = line->start + sizeof(key) - 1;
    size_t end = line->start + line->len;

    if (line->len < sizeof(key) || strncmp(text + line->start, key, sizeof(key) - 1) != 0)
        return false;
    at += strspn(text + at, " \t");
    if (at >= end || text[at] != '=')
        return false;
    at++;
    at += strspn(text + at, " \t");
    while (end > at && strchr(" \t", text[end - 1]))
        end--;
    if (at >= end)
        return false;
    *ret = (struct span){ at, end - at };
    return true;
}

/* The unit's text with its device by UUID; *ret_device is the path that stands there now. NULL when
 * nothing changes. */
static char *fix_unit(const struct fix_context *ctx, struct plan *plan, const char *path,
                      const char *text, char **ret_device)
{
    CLEANUP_EDITS struct edits edits = { 0 };
    struct span line, what;
    size_t pos = 0;

    while (line_next(text, strlen(text), &pos, &line)) {
        CLEANUP_FREE char *name = NULL;
        CLEANUP_FREE char *stable = NULL;
        const char *why = "";

        if (!find_what(text, &line, &what))
            continue;
        name = span_dup(text, what);
        if (!devname_changes(name))
            continue;
        stable = devname_stable(ctx->facts, name, "", 0, &why);
        if (!stable) {
            plan_note(plan, "%s: %s %s; it stays as it is: write a UUID there by hand", path, name,
                      why);
            continue;
        }
        free(*ret_device);
        *ret_device = devname_as_path(stable);
        edits_add(&edits, what, *ret_device);
    }
    return edits.n ? edits_apply(&edits, text, strlen(text), NULL) : NULL;
}

/* Drop-ins of a mount or a swap may name its device, too. */
static int fix_drop_ins(const struct fix_context *ctx, struct plan *plan, const char *name,
                        const char *reason, struct err *err)
{
    CLEANUP_FREE char *dir = mem_printf(UNITS "/%s", name);
    CLEANUP_STRLIST struct strlist files = { 0 };
    int r = guest_files(plan->root, dir, "?*.conf", 0, &files, err);

    for (size_t i = 0; r >= 0 && i < files.n; i++) {
        CLEANUP_FREE char *text = NULL;
        CLEANUP_FREE char *fixed = NULL;
        CLEANUP_FREE char *device = NULL;

        r = plan_read_text(plan, files.items[i], &text, err);
        if (r <= 0)
            continue;
        fixed = fix_unit(ctx, plan, files.items[i], text, &device);
        if (fixed)
            plan_write(plan, files.items[i], fixed, reason);
    }
    return r;
}

/* The path that the name of a device's unit stands for: "dev-disk-by\x2dpath-x.device". */
static char *path_of_unit(const char *name, size_t len)
{
    struct strbuf out = { 0 };

    strbuf_putc(&out, '/');
    for (size_t i = 0; i < len; i++) {
        if (len - i >= 4 && strncmp(name + i, "\\x2d", 4) == 0) {
            strbuf_putc(&out, '-');
            i += 3;
        } else if (name[i] == '-') {
            strbuf_putc(&out, '/');
        } else {
            strbuf_putc(&out, name[i]);
        }
    }
    return strbuf_take(&out);
}

/* How much of the word is the name of a device before ".device" or ".swap"; 0: it is no such unit.
 */
static size_t device_len(const char *word, size_t len)
{
    static const char *const suffixes[] = { ".device", ".swap" };

    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        size_t end = strlen(suffixes[i]);

        if (len > end && strncmp(word + len - end, suffixes[i], end) == 0)
            return len - end;
    }
    return 0;
}

/* Other units may wait for a device's or a swap's unit, which never comes under its old name. */
static int note_waiting(struct plan *plan, const char *path, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    struct span line, word;
    size_t pos = 0;
    int r = plan_read_text(plan, path, &text, err);

    while (r > 0 && line_next(text, strlen(text), &pos, &line)) {
        size_t at = line.start + (line.len > 0 ? strcspn(text + line.start, "=\n") + 1 : 0);

        if (line.len == 0 || text[line.start] == '#' || text[line.start] == ';')
            continue;
        while (field_next(text, &line, &at, &word)) {
            CLEANUP_FREE char *device =
                path_of_unit(text + word.start, device_len(text + word.start, word.len));

            if (devname_changes(device))
                plan_note(plan,
                          "%s: it waits for %s, whose name changes; it stays as it is: write the "
                          "unit of a lasting name there by hand",
                          path, device);
        }
    }
    return r;
}

/* A swap unit is named after its device: it moves to the new name, with the links to it. */
static int move_swap(struct plan *plan, const char *name, const char *text, const char *device,
                     const char *reason, struct err *err)
{
    CLEANUP_FREE char *new_name = unit_name_of_path(device, ".swap");
    CLEANUP_FREE char *old_path = mem_printf(UNITS "/%s", name);
    CLEANUP_FREE char *new_path = mem_printf(UNITS "/%s", new_name);
    int r;

    plan_write_new(plan, new_path, text, 0644, reason);
    r = unit_move_links(plan, name, new_name, reason, err);
    plan_remove(plan, old_path, reason);
    return r;
}

int units_use_uuids(const struct fix_context *ctx, struct plan *plan, const char *reason,
                    struct err *err)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    unsigned n_swaps = 0;
    int r = list_units(plan, &names, err);

    for (size_t i = 0; r >= 0 && i < names.n; i++) {
        const char *name = names.items[i];
        CLEANUP_FREE char *path = mem_printf(UNITS "/%s", name);
        CLEANUP_FREE char *text = NULL;
        CLEANUP_FREE char *fixed = NULL;
        CLEANUP_FREE char *device = NULL;
        CLEANUP_FREE char *link = NULL;

        if (text_has_suffix(name, ".mount.d") || text_has_suffix(name, ".swap.d"))
            r = fix_drop_ins(ctx, plan, name, reason, err);
        else if (text_has_suffix(name, ".service") && guest_is_file(plan->root, path))
            r = note_waiting(plan, path, err);
        if (!text_has_suffix(name, ".mount") && !text_has_suffix(name, ".swap"))
            continue;
        link = plan_readlink(plan, path);
        if (link) /* masked, or a unit of a package */
            continue;
        r = plan_read_text(plan, path, &text, err);
        if (r <= 0)
            continue;
        fixed = fix_unit(ctx, plan, path, text, &device);
        if (fixed && text_has_suffix(name, ".swap") && ++n_swaps > SWAPS_MAX)
            plan_note(plan, "%s: there are too many swap units; it stays as it is", path);
        else if (fixed && text_has_suffix(name, ".swap"))
            r = move_swap(plan, name, fixed, device, reason, err);
        else if (fixed)
            plan_write(plan, path, fixed, reason);
    }
    return r < 0 ? r : 0;
}
