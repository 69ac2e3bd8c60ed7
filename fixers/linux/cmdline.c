/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arguments of kernels outside of grub.cfg: what later runs of the guest's own tools start from. */
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/devnames.h"
#include "fixers/linux/linux.h"
#include "inspect/shellvars.h"

#define REASON "the guest's own tools must not bring disk names back later"

static const char *const args[] = { "root", "resume" };

/* Replace device names in the words of @at: words end at blanks and quotes. */
static void fix_words(const struct fix_context *ctx, struct plan *plan, const char *path,
                      const char *text, struct span at, struct edits *edits)
{
    size_t end = at.start + at.len;
    size_t pos = at.start;

    while (pos < end) {
        size_t len = strcspn(text + pos, " \t\r\n\"'");

        len = len < end - pos ? len : end - pos;
        for (size_t i = 0; i < ARRAY_SIZE(args); i++) {
            size_t skip = strlen(args[i]) + 1;
            CLEANUP_FREE char *value = NULL;
            CLEANUP_FREE char *stable = NULL;

            if (len <= skip || strncmp(text + pos, args[i], skip - 1) != 0 ||
                text[pos + skip - 1] != '=')
                continue;
            value = mem_strndup(text + pos + skip, len - skip);
            stable = boot_device(ctx, plan, path, args[i], value, 0);
            if (stable)
                edits_add(edits, (struct span){ pos + skip, len - skip }, stable);
        }
        pos += len + 1;
    }
}

/* ---- shell assignments ---- */

/* Is the root on a device whose name changes? Names of volumes are better kept as they are. */
static bool root_name_changes(const struct facts *facts)
{
    const struct fact_device *device = facts_root_device(facts);

    return !device || devname_changes(device->name);
}

static void fix_command_line(const struct fix_context *ctx, struct plan *plan, const char *path,
                             const char *text, const struct shellvar *var, struct edits *edits)
{
    fix_words(ctx, plan, path, text, var->raw, edits);
}

/* GRUB_DISABLE_LINUX_UUID=true: grub-mkconfig would write root=/dev/vda1, which is right until the
 * disk changes its bus again. */
static void allow_uuid(const struct fix_context *ctx, struct plan *plan, const char *path,
                       const char *text, const struct shellvar *var, struct edits *edits)
{
    (void)plan;
    (void)path;
    (void)text;
    if (root_name_changes(ctx->facts) && strcmp(var->value, "true") == 0)
        edits_add(edits, var->at, "false");
}

/* RESUME=/dev/sda5, ROOT=/dev/sda1 of initramfs-tools (initramfs.conf(5)). */
static void fix_device(const struct fix_context *ctx, struct plan *plan, const char *path,
                       const char *text, const struct shellvar *var, struct edits *edits)
{
    CLEANUP_FREE char *stable = NULL;

    (void)text;
    if (!var->literal)
        return;
    stable = boot_device(ctx, plan, path, var->name, var->value, 0);
    if (stable)
        edits_add(edits, var->raw, stable);
}

struct var_rule {
    const char *prefix; /* of the variable's name */
    bool whole;         /* the prefix is the whole name */
    void (*fix)(const struct fix_context *ctx, struct plan *plan, const char *path,
                const char *text, const struct shellvar *var, struct edits *edits);
};

static const struct var_rule grub_rules[] = {
    { "GRUB_CMDLINE_", false, fix_command_line },
    { "GRUB_DISABLE_LINUX_UUID", true, allow_uuid },
    { "GRUB_DISABLE_UUID", true, allow_uuid }, /* implies the other one (grub-mkconfig 2.04) */
};

static const struct var_rule initramfs_rules[] = {
    { "RESUME", true, fix_device },
    { "ROOT", true, fix_device },
};

static char *vars_by_uuid(const struct fix_context *ctx, struct plan *plan, const char *path,
                          const char *text, const struct var_rule *rules, size_t n_rules)
{
    struct shellvars vars = { 0 };
    CLEANUP_EDITS struct edits edits = { 0 };

    shellvars_parse(text, strlen(text), &vars);
    for (size_t i = 0; i < vars.n; i++) {
        const struct shellvar *var = &vars.vars[i];

        for (size_t j = 0; j < n_rules; j++)
            if (rules[j].whole ? strcmp(var->name, rules[j].prefix) == 0
                               : strncmp(var->name, rules[j].prefix, strlen(rules[j].prefix)) == 0)
                rules[j].fix(ctx, plan, path, text, var, &edits);
    }
    shellvars_done(&vars);
    return edits_apply(&edits, text, strlen(text), NULL);
}

char *initramfs_vars_by_uuid(const struct fix_context *ctx, struct plan *plan, const char *path,
                             const char *text)
{
    return vars_by_uuid(ctx, plan, path, text, initramfs_rules, ARRAY_SIZE(initramfs_rules));
}

/* ---- lines of words ---- */

/* Lines that begin with @keyword; all lines when it is "". */
static char *lines_by_uuid(const struct fix_context *ctx, struct plan *plan, const char *path,
                           const char *text, const char *keyword)
{
    CLEANUP_EDITS struct edits edits = { 0 };
    struct span line;
    size_t pos = 0;

    while (line_next(text, strlen(text), &pos, &line)) {
        struct span first;
        bool found = fields_split(text, &line, &first, 1) == 1;

        if (found && (!*keyword || span_is(text, first, keyword)))
            fix_words(ctx, plan, path, text, line, &edits);
    }
    return edits_apply(&edits, text, strlen(text), NULL);
}

char *command_line_by_uuid(const struct fix_context *ctx, struct plan *plan, const char *path,
                           const char *text)
{
    return lines_by_uuid(ctx, plan, path, text, "");
}

/* ---- where they are ---- */

static const struct source {
    const char *path;
    const char *suffix; /* not NULL: @path is a folder, and these are its files */
    const struct var_rule *rules;
    size_t n_rules;
    const char *keyword; /* without rules: of the lines */
} sources[] = {
    { "/etc/default/grub", NULL, grub_rules, ARRAY_SIZE(grub_rules), NULL },
    { "/etc/default/grub.d", ".cfg", grub_rules, ARRAY_SIZE(grub_rules), NULL },
    { "/etc/initramfs-tools/initramfs.conf", NULL, initramfs_rules, ARRAY_SIZE(initramfs_rules),
      NULL },
    { "/etc/initramfs-tools/conf.d", "", initramfs_rules, ARRAY_SIZE(initramfs_rules), NULL },
    { "/etc/kernel/cmdline", NULL, NULL, 0, "" },
    { "/boot/loader/entries", ".conf", NULL, 0, "options" },
    { "/boot/extlinux/extlinux.conf", NULL, NULL, 0, "append" },
};

static int fix_one(const struct fix_context *ctx, struct plan *plan, const struct source *source,
                   const char *path, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *fixed = NULL;
    int r = plan_read_text(plan, path, &text, err);

    if (r <= 0)
        return r;
    if (source->rules)
        fixed = vars_by_uuid(ctx, plan, path, text, source->rules, source->n_rules);
    else
        fixed = lines_by_uuid(ctx, plan, path, text, source->keyword);
    plan_write(plan, path, fixed, REASON);
    return 0;
}

static int fix_folder(const struct fix_context *ctx, struct plan *plan, const struct source *source,
                      struct err *err)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    int r = 0;

    if (guest_is_dir(plan->root, source->path))
        r = guest_list(plan->root, source->path, &names, err);
    for (size_t i = 0; r >= 0 && i < names.n; i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", source->path, names.items[i]);
        size_t len = strlen(names.items[i]);
        size_t end = strlen(source->suffix);

        if (names.items[i][0] == '.' || len < end ||
            strcmp(names.items[i] + len - end, source->suffix) != 0 ||
            !guest_is_file(plan->root, path))
            continue;
        r = fix_one(ctx, plan, source, path, err);
    }
    return r;
}

int plan_command_lines(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(sources); i++)
        r = sources[i].suffix ? fix_folder(ctx, plan, &sources[i], err)
                              : fix_one(ctx, plan, &sources[i], sources[i].path, err);
    return r < 0 ? r : 0;
}
