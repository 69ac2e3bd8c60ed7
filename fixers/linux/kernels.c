/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel that is started by default: another one only when it cannot start under KVM and the
 * other can (it runs on Xen only, or has no virtio drivers).
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/hardware.h"
#include "fixers/linux/linux.h"
#include "inspect/boot_entries.h"
#include "inspect/grubcfg.h"
#include "inspect/grubenv.h"
#include "inspect/shellvars.h"

#define GRUB_DEFAULTS "/etc/default/grub"
#define GRUBENV_SIZE 1024

struct choice {
    const struct boot_entries *menu;
    const struct boot_entry *entry; /* that shall be started */
    char *reason;
};

/* ---- GRUB 2 ---- */

/* A new block, or the old one with saved_entry. */
static char *with_saved_entry(const char *text, const char *id)
{
    CLEANUP_EDITS struct edits edits = { 0 };
    CLEANUP_FREE char *line = mem_printf("saved_entry=%s\n", id);
    size_t len = strlen(text), pos = 0;
    struct span name, value;

    while (grubenv_next(text, len, &pos, &name, &value))
        if (span_is(text, name, "saved_entry"))
            edits_add(&edits, value, id);
    if (edits.n == 0)
        edits_add(&edits, (struct span){ strcspn(text, "\n") + 1, 0 }, line);
    return grubenv_apply(&edits, text, len, &len);
}

static int save_entry(const struct choice *choice, struct plan *plan, struct err *err)
{
    static const char head[] = "# GRUB Environment Block\n";
    const char *slash = strrchr(choice->menu->config, '/');
    CLEANUP_FREE char *path =
        mem_printf("%.*s/grubenv", (int)(slash - choice->menu->config), choice->menu->config);
    CLEANUP_FREE char *text = NULL, *fixed = NULL;
    int r = plan_read_text(plan, path, &text, err);

    if (r < 0)
        return r;
    if (r == 0 || !grubenv_is(text, strlen(text))) {
        free(text);
        text = mem_alloc(GRUBENV_SIZE + 1);
        memset(text, '#', GRUBENV_SIZE);
        for (size_t i = 0; head[i]; i++)
            text[i] = head[i];
    }
    fixed = with_saved_entry(text, choice->entry->id);
    if (fixed)
        plan_write(plan, path, fixed, choice->reason);
    else
        plan_note(plan, "%s has no room for saved_entry=%s", path, choice->entry->id);
    return 0;
}

/* "set default=" of the menu that is there, and of those that the guest will make. */
static int set_grub_default(const struct choice *choice, struct plan *plan, struct err *err)
{
    CLEANUP_FREE char *text = NULL, *fixed = NULL, *defaults = NULL, *fixed_defaults = NULL;
    CLEANUP_GRUBCFG struct grubcfg cfg = { 0 };
    CLEANUP_EDITS struct edits edits = { 0 };
    int r = plan_read_text(plan, choice->menu->config, &text, err);

    if (r <= 0)
        return r;
    grubcfg_parse(text, strlen(text), &cfg);
    for (size_t i = 0; i < cfg.n_vars; i++)
        if (strcmp(cfg.vars[i].name, "default") == 0 && cfg.vars[i].value &&
            !strchr(cfg.vars[i].value, '$') && cfg.vars[i].plain)
            edits_add(&edits, cfg.vars[i].value_at, choice->entry->id);
    if (edits.n == 0) {
        plan_note(plan, "%s: what it starts by default is not understood: choose \"%s\" by hand",
                  choice->menu->config, choice->entry->id);
        return 0;
    }
    fixed = edits_apply(&edits, text, strlen(text), NULL);
    plan_write(plan, choice->menu->config, fixed, choice->reason);
    r = plan_read_text(plan, GRUB_DEFAULTS, &defaults, err);
    if (r <= 0)
        return r;
    fixed_defaults =
        shellvars_set(defaults, strlen(defaults), "GRUB_DEFAULT", choice->entry->id, NULL);
    plan_write(plan, GRUB_DEFAULTS, fixed_defaults, choice->reason);
    return 0;
}

static int choose_grub2(const struct choice *choice, struct plan *plan, struct err *err)
{
    return choice->menu->saved ? save_entry(choice, plan, err)
                               : set_grub_default(choice, plan, err);
}

/* ---- files with a line "default" ---- */

/* The file with the value of its first "default" changed; a line is added in front when there is
 * none. */
static int set_default_line(const struct choice *choice, const char *value, struct plan *plan,
                            struct err *err)
{
    CLEANUP_FREE char *text = NULL, *fixed = NULL;
    CLEANUP_FREE char *added = mem_printf("default %s\n", value);
    CLEANUP_EDITS struct edits edits = { 0 };
    struct span line;
    size_t pos = 0;
    int r = plan_read_text(plan, choice->menu->config, &text, err);

    if (r <= 0)
        return r;
    while (edits.n == 0 && line_next(text, strlen(text), &pos, &line)) {
        size_t at = line.start + strspn(text + line.start, " \t");
        size_t end = line.start + line.len;

        if (at + 7 >= end || strncasecmp(text + at, "default", 7) != 0 ||
            !strchr(" \t=", text[at + 7]))
            continue;
        at += 7 + strspn(text + at + 7, " \t=");
        edits_add(&edits, (struct span){ at, end > at ? end - at : 0 }, value);
    }
    if (edits.n == 0)
        edits_add(&edits, (struct span){ 0, 0 }, added);
    fixed = edits_apply(&edits, text, strlen(text), NULL);
    plan_write(plan, choice->menu->config, fixed, choice->reason);
    return 0;
}

static int choose_grub1(const struct choice *choice, struct plan *plan, struct err *err)
{
    return set_default_line(choice, choice->entry->id, plan, err);
}

static int choose_systemd(const struct choice *choice, struct plan *plan, struct err *err)
{
    CLEANUP_FREE char *name = mem_printf("%s.conf", choice->entry->id);

    return set_default_line(choice, name, plan, err);
}

/* ---- syslinux: "MENU DEFAULT" in an entry and ONTIMEOUT come before DEFAULT ---- */

static bool is_word(const char *text, struct span word, const char *wanted)
{
    return word.len == strlen(wanted) && strncasecmp(text + word.start, wanted, word.len) == 0;
}

static bool is_entry(const struct boot_entries *menu, const char *text, struct span word)
{
    for (size_t i = 0; i < menu->n; i++)
        if (span_is(text, word, menu->entries[i].id))
            return true;
    return false;
}

/* One line, its end included, that begins with two words. Returns whether it says what the default
 * is. */
static bool move_default(const struct choice *choice, const char *text, struct span line,
                         const struct span *words, struct edits *edits)
{
    if (is_word(text, words[0], "menu") && is_word(text, words[1], "default")) {
        edits_add(edits, line, "");
        return true;
    }
    if ((is_word(text, words[0], "default") || is_word(text, words[0], "ontimeout")) &&
        is_entry(choice->menu, text, words[1])) {
        edits_add(edits, words[1], choice->entry->id);
        return true;
    }
    return false;
}

static int choose_syslinux(const struct choice *choice, struct plan *plan, struct err *err)
{
    CLEANUP_FREE char *text = NULL, *fixed = NULL;
    CLEANUP_EDITS struct edits edits = { 0 };
    struct span line, words[2];
    size_t pos = 0, behind = 0;
    bool has_menu_default = false, is_said = false;
    int r = plan_read_text(plan, choice->menu->config, &text, err);

    if (r <= 0)
        return r;
    while (line_next(text, strlen(text), &pos, &line)) {
        if (fields_split(text, &line, words, ARRAY_SIZE(words)) < ARRAY_SIZE(words))
            continue;
        if (is_word(text, words[0], "label") && span_is(text, words[1], choice->entry->id))
            behind = pos;
        has_menu_default |= is_word(text, words[0], "menu") && is_word(text, words[1], "default");
        is_said |= move_default(choice, text, (struct span){ line.start, pos - line.start }, words,
                                &edits);
    }
    if (!is_said)
        return set_default_line(choice, choice->entry->id, plan, err);
    if (has_menu_default)
        edits_add(&edits, (struct span){ behind, 0 }, "  MENU DEFAULT\n");
    fixed = edits_apply(&edits, text, strlen(text), NULL);
    plan_write(plan, choice->menu->config, fixed, choice->reason);
    return 0;
}

static int (*const choosers[])(const struct choice *choice, struct plan *plan, struct err *err) = {
    [BOOT_ENTRIES_UNKNOWN] = NULL,           [BOOT_ENTRIES_GRUB2] = choose_grub2,
    [BOOT_ENTRIES_GRUB2_BLS] = choose_grub2, [BOOT_ENTRIES_GRUB1] = choose_grub1,
    [BOOT_ENTRIES_SYSTEMD] = choose_systemd, [BOOT_ENTRIES_SYSLINUX] = choose_syslinux,
};

/* ---- the fixer ---- */

static bool applies(const struct fix_context *ctx, const char **ret_why)
{
    const struct fact_kernel *started = kernel_started(ctx->facts);

    *ret_why = !started ? "what is started is not known" : kernel_fit_text(kernel_fit(started));
    return started &&
           (kernel_fit(started) == KERNEL_NO_VIRTIO || kernel_fit(started) == KERNEL_NO_KVM);
}

static int plan(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    const struct facts *facts = ctx->facts;
    const struct fact_kernel *started = kernel_started(facts);
    const struct fact_kernel *instead = kernel_instead(facts);
    const char *why = kernel_fit_text(kernel_fit(started));
    CLEANUP_BOOT_ENTRIES struct boot_entries menu = { 0 };
    CLEANUP_FREE char *reason = NULL;
    struct choice choice = { .menu = &menu };
    size_t at;

    if (!instead) {
        plan_note(plan, "kernel %s, which is started, %s, and no other one can be started: %s",
                  started->version, why,
                  kernel_fit(started) == KERNEL_NO_VIRTIO
                      ? "the machine gets an IDE or SATA disk and an e1000 network card"
                      : "install an ordinary kernel");
        return 0;
    }
    boot_entries_read(plan->root, facts->boot_loader, facts->boot_config, &menu);
    at = boot_entries_find(plan->root, &menu, instead->image);
    if (at == BOOT_ENTRIES_NONE || !choosers[menu.kind]) {
        plan_note(plan, "kernel %s, which is started, %s, but %s %s: choose it in the boot menu",
                  started->version, why, instead->version, kernel_fit_text(KERNEL_FITS));
        return 0;
    }
    reason = mem_printf("kernel %s, which is started now, %s; %s %s", started->version, why,
                        instead->version, kernel_fit_text(KERNEL_FITS));
    choice.entry = &menu.entries[at];
    choice.reason = reason;
    return choosers[menu.kind](&choice, plan, err);
}

const struct fixer fixer_kernels = {
    .name = "kernels",
    .summary = "start a kernel that can start under KVM",
    .os = OS_LINUX,
    .applies = applies,
    .plan = plan,
};
