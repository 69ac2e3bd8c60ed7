/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* systemd units of the guest (systemd.unit(5), systemd.mount(5), systemd.swap(5)). */
#include <string.h>

#include "engine/base/cleanup.h"
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
static char *fix_what(const struct fix_context *ctx, struct plan *plan, const char *path,
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

/* Its device, and those that it waits for. */
static char *fix_unit(const struct fix_context *ctx, struct plan *plan, const char *path,
                      const char *text, char **ret_device)
{
    CLEANUP_FREE char *waits = unit_waits_by_uuid(ctx, plan, path, text);
    char *fixed = fix_what(ctx, plan, path, waits ? waits : text, ret_device);

    return fixed ? fixed : TAKE(waits);
}

/* Drop-ins may name devices, too. */
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

/* Units that mount or swap on a device, or may wait for one. */
static bool has_devices(const char *name)
{
    static const char *const kinds[] = { ".automount", ".mount", ".path",   ".service",
                                         ".socket",    ".swap",  ".target", ".timer" };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (text_has_suffix(name, kinds[i]))
            return true;
    return false;
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

        if (text_has_suffix(name, ".d"))
            r = fix_drop_ins(ctx, plan, name, reason, err);
        if (!has_devices(name))
            continue;
        link = plan_readlink(plan, path);
        if (link) /* masked, or a unit of a package */
            continue;
        r = plan_read_text(plan, path, &text, err);
        if (r <= 0)
            continue;
        fixed = fix_unit(ctx, plan, path, text, &device);
        if (device && text_has_suffix(name, ".swap") && ++n_swaps > SWAPS_MAX)
            plan_note(plan, "%s: there are too many swap units; it stays as it is", path);
        else if (device && text_has_suffix(name, ".swap"))
            r = move_swap(plan, name, fixed, device, reason, err);
        else if (fixed)
            plan_write(plan, path, fixed, reason);
    }
    return r < 0 ? r : 0;
}
