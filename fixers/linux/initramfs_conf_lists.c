/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tools that put into an initramfs what a list of their configuration names. */
#include <stdio.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/initramfs_conf.h"
#include "inspect/fields.h"
#include "inspect/shellvars.h"

#define MKINITCPIO_CONF "/etc/mkinitcpio.conf"
#define MKINITFS_CONF "/etc/mkinitfs/mkinitfs.conf"
#define TINY_CONF "/etc/tiny-initramfs/tiny-initramfs.conf"
#define SUSE_CONF "/etc/sysconfig/kernel"
#define MODPROBE_CONF "/etc/modprobe.conf"
#define HOSTADAPTER "scsi_hostadapter"

static const char reason[] = "later rebuilds must keep the virtio drivers";

/* Is @name a word of the list? */
static bool has_word(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = strstr(list, name); at; at = strstr(at + 1, name))
        if ((at == list || strchr(" \t\n('\"", at[-1])) && strchr(" \t\n)'\"?", at[len]))
            return true;
    return false;
}

/* " virtio_pci virtio_blk": what @list lacks; NULL: nothing. Free it. */
static char *lacking(const char *list, const struct strlist *modules)
{
    struct strbuf out = { 0 };

    for (size_t i = 0; i < modules->n; i++)
        if (!has_word(list, modules->items[i]))
            strbuf_printf(&out, " %s", modules->items[i]);
    return out.len ? strbuf_take(&out) : NULL;
}

/* ---- mkinitcpio.conf(5): shell, MODULES=(a b), formerly MODULES="a b" ---- */

/* What is between the brackets or quotes of the last MODULES=; false when there is none. */
static bool find_modules(const char *text, struct span *ret)
{
    struct span line;
    size_t pos = 0, len = strlen(text);
    bool found = false;

    while (line_next(text, len, &pos, &line)) {
        const char *at = text + line.start;
        const char *end;

        if (line.len < 9 || strncmp(at, "MODULES=", 8) != 0 || !strchr("('\"", at[8]))
            continue;
        end = strchr(at + 9, at[8] == '(' ? ')' : at[8]);
        if (!end)
            continue;
        *ret = (struct span){ line.start + 9, (size_t)(end - at - 9) };
        found = true;
    }
    return found;
}

char *mkinitcpio_with(const char *text, const struct strlist *modules)
{
    CLEANUP_EDITS struct edits edits = { 0 };
    CLEANUP_FREE char *list = NULL, *words = NULL;
    size_t len = strlen(text);
    struct span at;

    if (!find_modules(text, &at)) {
        words = lacking("", modules);
        return mem_printf("%s%s# drivers of virtio machines (h2k)\nMODULES+=(%s)\n", text,
                          len && text[len - 1] != '\n' ? "\n" : "", words + 1);
    }
    list = span_dup(text, at);
    words = lacking(list, modules);
    if (!words)
        return NULL;
    edits_add(&edits, (struct span){ at.start + at.len, 0 }, at.len ? words : words + 1);
    return edits_apply(&edits, text, len, NULL);
}

int initramfs_plan_mkinitcpio(struct plan *plan, const struct strlist *modules, struct err *err)
{
    CLEANUP_FREE char *text = NULL, *fixed = NULL;
    int r = plan_read_text(plan, MKINITCPIO_CONF, &text, err);

    if (r <= 0)
        return r;
    fixed = mkinitcpio_with(text, modules);
    if (fixed)
        plan_write(plan, MKINITCPIO_CONF, fixed, reason);
    return 0;
}

/* ---- a list in a variable of shell ---- */

/* Add to the list @name what it lacks of @words; 0 when the file has no such variable. */
static int extend_variable(struct plan *plan, const char *path, const char *name,
                           const struct strlist *words, struct err *err)
{
    CLEANUP_SHELLVARS struct shellvars vars = { 0 };
    CLEANUP_FREE char *text = NULL, *more = NULL, *value = NULL, *fixed = NULL;
    int r = plan_read_text(plan, path, &text, err);
    const char *old;

    if (r <= 0)
        return r;
    shellvars_parse(text, strlen(text), &vars);
    old = shellvars_get(&vars, name);
    if (!old)
        return 0;
    more = lacking(old, words);
    if (!more)
        return 1;
    value = mem_printf("%s%s", old, *old ? more : more + 1);
    fixed = shellvars_set(text, strlen(text), name, value, NULL);
    plan_write(plan, path, fixed, reason);
    return 1;
}

/* mkinitfs(1): features="ata base ext4 scsi virtio" */
int initramfs_plan_mkinitfs(struct plan *plan, struct err *err)
{
    CLEANUP_STRLIST struct strlist features = { 0 };
    int r;

    strlist_add(&features, "virtio");
    r = extend_variable(plan, MKINITFS_CONF, "features", &features, err);
    return r < 0 ? r : 0;
}

/* ---- mkinitrd: SUSE's reads INITRD_MODULES, that of EL 5 the aliases of disk controllers ---- */

char *hostadapters_with(const char *text, const struct strlist *modules)
{
    struct strbuf out = { 0 };
    CLEANUP_STRLIST struct strlist names = { 0 };
    struct span line, fields[3];
    size_t pos = 0, len = strlen(text), old;
    unsigned next = 0;

    while (line_next(text, len, &pos, &line)) {
        CLEANUP_FREE char *alias = NULL;

        if (fields_split(text, &line, fields, ARRAY_SIZE(fields)) < 3 ||
            !span_is(text, fields[0], "alias"))
            continue;
        alias = span_dup(text, fields[1]);
        if (strncmp(alias, HOSTADAPTER, strlen(HOSTADAPTER)) != 0)
            continue;
        strlist_take(&names, span_dup(text, fields[2]));
        next++;
    }
    strbuf_puts(&out, text);
    if (len > 0 && text[len - 1] != '\n')
        strbuf_putc(&out, '\n');
    old = out.len;
    for (size_t i = 0; i < modules->n; i++) {
        CLEANUP_FREE char *number = next ? mem_printf("%u", next) : mem_strdup("");

        /* sd_mod is no controller: mkinitrd takes it along by itself */
        if (strncmp(modules->items[i], "virtio_", 7) != 0 || strlist_has(&names, modules->items[i]))
            continue;
        strbuf_printf(&out, "alias " HOSTADAPTER "%s %s\n", number, modules->items[i]);
        next++;
    }
    if (out.len > old)
        return strbuf_take(&out);
    strbuf_done(&out);
    return NULL;
}

int initramfs_plan_mkinitrd(struct plan *plan, const struct strlist *modules, struct err *err)
{
    CLEANUP_FREE char *text = NULL, *fixed = NULL;
    CLEANUP_STRLIST struct strlist disks = { 0 };
    int r = extend_variable(plan, SUSE_CONF, "INITRD_MODULES", modules, err);

    if (r != 0)
        return r < 0 ? r : 0;
    r = plan_read_text(plan, MODPROBE_CONF, &text, err);
    if (r < 0)
        return r;
    if (r == 0) {
        plan_note(plan, "it is not known what mkinitrd of this guest reads: tell it to keep the "
                        "virtio drivers before the next kernel update");
        return 0;
    }
    for (size_t i = 0; i < modules->n; i++)
        if (strcmp(modules->items[i], "virtio_net") != 0)
            strlist_add(&disks, modules->items[i]);
    fixed = hostadapters_with(text, &disks);
    if (fixed)
        plan_write(plan, MODPROBE_CONF, fixed, reason);
    return 0;
}

/* ---- tiny-initramfs: INCLUDE_MODULES="a,b"; the file need not be there ---- */

static int read_tiny(struct plan *plan, char **ret_text, struct err *err)
{
    int r = plan_read_text(plan, TINY_CONF, ret_text, err);

    if (r == 0)
        *ret_text = mem_strdup("");
    return r < 0 ? r : 0;
}

static char *tiny_list(const char *text, const struct strlist *modules)
{
    CLEANUP_SHELLVARS struct shellvars vars = { 0 };
    struct strbuf list = { 0 };
    const char *old;

    shellvars_parse(text, strlen(text), &vars);
    old = shellvars_get(&vars, "INCLUDE_MODULES");
    strbuf_puts(&list, old ? old : "");
    for (size_t i = 0; i < modules->n; i++)
        if (!list_has(strbuf_text(&list), modules->items[i]))
            strbuf_printf(&list, "%s%s", list.len ? "," : "", modules->items[i]);
    return strbuf_take(&list);
}

int initramfs_tiny_modules(struct plan *plan, const struct strlist *modules, char **ret,
                           struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    int r = read_tiny(plan, &text, err);

    if (r == 0)
        *ret = tiny_list(text, modules);
    return r;
}

int initramfs_plan_tiny(struct plan *plan, const struct strlist *modules, struct err *err)
{
    CLEANUP_FREE char *text = NULL, *list = NULL, *fixed = NULL;
    int r = read_tiny(plan, &text, err);

    if (r < 0)
        return r;
    list = tiny_list(text, modules);
    fixed = shellvars_set(text, strlen(text), "INCLUDE_MODULES", list, NULL);
    plan_write_new(plan, TINY_CONF, fixed, 0644, reason);
    return 0;
}
