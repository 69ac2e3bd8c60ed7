/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * VMware's tools, switched off without running anything of the guest: services are masked or get
 * stop links, mounts and modules that can only fail are commented out. Files of packages stay, so
 * that the package manager's view remains true; it removes them later.
 */
#include <ctype.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/linux.h"
#include "inspect/fstab.h"

#define REASON "VMware's tools have nothing to talk to on KVM"

/* ---- systemd ---- */

static const char *const units[] = {
    "open-vm-tools.service",
    "open-vm-tools-desktop.service",
    "vmtoolsd.service",
    "vgauth.service",
    "vgauthd.service",
    "run-vmblock\\x2dfuse.mount",
    "vmware-vmblock-fuse.service",
    "vmware-tools.service",
    "vmware-tools-thinprint.service",
};

static const char *const unit_folders[] = {
    "/etc/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
};

/* Also a link that leads nowhere: it would come to life when its target is installed. */
static bool there_is(const struct plan *plan, const char *folder, const char *name)
{
    CLEANUP_FREE char *path = mem_printf("%s/%s", folder, name);
    struct stat st;

    return guest_lstat(plan->root, path, &st) == 0;
}

static bool has_systemd(const struct plan *plan)
{
    return guest_is_file(plan->root, "/usr/lib/systemd/systemd") ||
           guest_is_file(plan->root, "/lib/systemd/systemd");
}

/* systemd makes units of init scripts too. */
static bool unit_exists(const struct plan *plan, const char *unit)
{
    CLEANUP_FREE char *script = mem_strndup(unit, strcspn(unit, "."));

    for (size_t i = 0; i < ARRAY_SIZE(unit_folders); i++)
        if (there_is(plan, unit_folders[i], unit))
            return true;
    return there_is(plan, "/etc/init.d", script);
}

static int mask_units(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    int r = 0;

    (void)ctx;
    for (size_t i = 0; r >= 0 && has_systemd(plan) && i < ARRAY_SIZE(units); i++) {
        CLEANUP_FREE char *path = NULL;

        if (!unit_exists(plan, units[i]))
            continue;
        r = unit_move_links(plan, units[i], NULL, REASON, err);
        path = mem_printf("%s/%s", unit_folders[0], units[i]);
        plan_link(plan, "/dev/null", path, REASON);
    }
    return r;
}

/* ---- sysvinit and upstart ---- */

static const char *const scripts[] = {
    "vmware-tools",
    "vmware-tools-thinprint",
    "open-vm-tools",
};

/* "/etc/rc2.d/S20open-vm-tools" -> K80: as `update-rc.d NAME disable` does, so that a later upgrade
 * of the package sees that it is disabled, not new. */
static void stop_instead(struct plan *plan, const char *folder, const char *name)
{
    CLEANUP_FREE char *start = mem_printf("%s/%s", folder, name);
    CLEANUP_FREE char *target = plan_readlink(plan, start);
    int order = (name[1] - '0') * 10 + (name[2] - '0');
    CLEANUP_FREE char *stop = mem_printf("%s/K%02d%s", folder, (100 - order) % 100, name + 3);

    if (!target)
        return;
    plan_remove(plan, start, REASON);
    plan_link(plan, target, stop, REASON);
}

static int stop_scripts_in(struct plan *plan, const char *folder, struct err *err)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    int r = guest_is_dir(plan->root, folder) ? guest_list(plan->root, folder, &names, err) : 0;

    for (size_t i = 0; r >= 0 && i < names.n; i++) {
        const char *name = names.items[i];

        for (size_t j = 0; j < ARRAY_SIZE(scripts); j++)
            if (name[0] == 'S' && isdigit((unsigned char)name[1]) &&
                isdigit((unsigned char)name[2]) && strcmp(name + 3, scripts[j]) == 0)
                stop_instead(plan, folder, name);
    }
    return r;
}

static int stop_scripts(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    static const char levels[] = "0123456S";
    int r = 0;

    (void)ctx;
    if (has_systemd(plan)) /* a masked unit hides the init script of the same name */
        return 0;
    for (const char *level = levels; r >= 0 && *level; level++) {
        char debian[] = "/etc/rcX.d";
        char redhat[] = "/etc/rc.d/rcX.d";

        debian[7] = redhat[12] = *level;
        r = stop_scripts_in(plan, debian, err);
        /* /etc/rcX.d is often a link to the other one */
        if (r >= 0 && !guest_is_dir(plan->root, debian))
            r = stop_scripts_in(plan, redhat, err);
    }
    for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
        CLEANUP_FREE char *job = mem_printf("/etc/init/%s.conf", scripts[i]);
        CLEANUP_FREE char *override = mem_printf("/etc/init/%s.override", scripts[i]);

        if (guest_is_file(plan->root, job))
            plan_write_new(plan, override, "manual\n", 0644, REASON);
    }
    return r;
}

/* ---- tables of mounts and modules ---- */

static bool is_shared_folder(const struct fstab_entry *entry)
{
    return strncmp(entry->source, ".host:", 6) == 0 || strstr(entry->source, "vmhgfs-fuse") ||
           strcmp(entry->type, "vmhgfs") == 0 || strcmp(entry->type, "fuse.vmhgfs-fuse") == 0;
}

static int comment_mounts(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *fixed = NULL;
    CLEANUP_FSTAB struct fstab fstab = { 0 };
    CLEANUP_EDITS struct edits edits = { 0 };
    int r = plan_read_text(plan, "/etc/fstab", &text, err);

    (void)ctx;
    if (r <= 0)
        return r;
    fstab_parse(text, strlen(text), &fstab);
    for (size_t i = 0; i < fstab.n; i++)
        if (is_shared_folder(&fstab.entries[i]))
            edits_add(&edits, (struct span){ fstab.entries[i].source_at.start, 0 }, "# ");
    fixed = edits_apply(&edits, text, strlen(text), NULL);
    plan_write(plan, "/etc/fstab", fixed, "VMware's shared folders are not there on KVM");
    return 0;
}

/* Drivers of the tarball, and the balloon, which refuses to load without VMware: a failing line
 * makes systemd-modules-load.service fail. Others (vmxnet3, vmw_pvscsi) load and stay idle. */
static const char *const modules[] = {
    "vmhgfs", "vmblock", "vmmemctl", "vmxnet", "vmsync", "vmci", "pvscsi", "vmw_balloon",
};

static int comment_modules_in(struct plan *plan, const char *path, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *fixed = NULL;
    CLEANUP_EDITS struct edits edits = { 0 };
    struct span line, field;
    size_t pos = 0;
    int r = plan_read_text(plan, path, &text, err);

    if (r <= 0)
        return r;
    while (line_next(text, strlen(text), &pos, &line))
        for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
            if (fields_split(text, &line, &field, 1) == 1 && span_is(text, field, modules[i]))
                edits_add(&edits, (struct span){ line.start, 0 }, "# ");
    fixed = edits_apply(&edits, text, strlen(text), NULL);
    plan_write(plan, path, fixed, "this driver cannot load without VMware's devices");
    return 0;
}

static int comment_modules(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    static const char folder[] = "/etc/modules-load.d";
    CLEANUP_STRLIST struct strlist names = { 0 };
    int r = comment_modules_in(plan, "/etc/modules", err);

    (void)ctx;
    if (r >= 0 && guest_is_dir(plan->root, folder))
        r = guest_list(plan->root, folder, &names, err);
    for (size_t i = 0; r >= 0 && i < names.n; i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", folder, names.items[i]);

        if (guest_is_file(plan->root, path))
            r = comment_modules_in(plan, path, err);
    }
    return r;
}

/* ---- things to say ---- */

static const struct {
    const char *path; /* is there when it is installed */
    const char *note;
} leftovers[] = {
    { "/var/lib/dpkg/info/open-vm-tools.list",
      "the package open-vm-tools stays installed, switched off; remove it with \"apt-get purge "
      "open-vm-tools\" once the guest runs" },
    { "/usr/bin/vmware-uninstall-tools.pl",
      "VMware Tools of a tarball stay installed, switched off; remove them with "
      "\"vmware-uninstall-tools.pl\" once the guest runs" },
};

static int note_xorg(struct plan *plan, const char *path, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    struct span line;
    size_t pos = 0;
    int r = plan_read_text(plan, path, &text, err);

    while (r > 0 && line_next(text, strlen(text), &pos, &line)) {
        struct span fields[2];

        if (fields_split(text, &line, fields, ARRAY_SIZE(fields)) == ARRAY_SIZE(fields) &&
            span_is(text, fields[0], "Driver") &&
            (span_is(text, fields[1], "\"vmware\"") || span_is(text, fields[1], "\"vmmouse\"")))
            plan_note(plan,
                      "%s asks for the X driver %.*s, which finds no device on KVM; remove "
                      "the line if the screen stays dark",
                      path, (int)fields[1].len, text + fields[1].start);
    }
    return r;
}

static int say_what_is_left(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    static const char folder[] = "/etc/X11/xorg.conf.d";
    CLEANUP_STRLIST struct strlist names = { 0 };
    int r = note_xorg(plan, "/etc/X11/xorg.conf", err);

    (void)ctx;
    for (size_t i = 0; i < ARRAY_SIZE(leftovers); i++)
        if (guest_is_file(plan->root, leftovers[i].path))
            plan_note(plan, "%s", leftovers[i].note);
    if (r >= 0 && guest_is_dir(plan->root, folder))
        r = guest_list(plan->root, folder, &names, err);
    for (size_t i = 0; r >= 0 && i < names.n; i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", folder, names.items[i]);

        r = note_xorg(plan, path, err);
    }
    return r;
}

/* ---- the fixer ---- */

static int (*const steps[])(const struct fix_context *ctx, struct plan *plan, struct err *err) = {
    mask_units, stop_scripts, comment_mounts, comment_modules, say_what_is_left,
};

static bool applies(const struct fix_context *ctx, const char **ret_why)
{
    (void)ctx;
    *ret_why = "the guest may hold VMware's tools";
    return true;
}

static int plan_guest_tools(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        int r = steps[i](ctx, plan, err);

        if (r < 0)
            return r;
    }
    return 0;
}

const struct fixer fixer_guest_tools = {
    .name = "guest-tools",
    .summary = "switch VMware's tools off (they stay installed)",
    .os = OS_LINUX,
    .applies = applies,
    .plan = plan_guest_tools,
};
