/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/linux/initramfs_conf.h"

#include <regex.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "inspect/fields.h"
#include "inspect/shellvars.h"

#define TOOLS_DIR "/etc/initramfs-tools"
#define DRACUT_CONF "/etc/dracut.conf"
#define DRACUT_DIR "/etc/dracut.conf.d"
#define DRACUT_OURS DRACUT_DIR "/90-h2k-virtio.conf"
#define TOKEN_MAX 64U

/* ---- initramfs-tools: initramfs-tools(7), initramfs.conf(5) ---- */

char *initramfs_tools_with(const char *text, const struct strlist *modules)
{
    CLEANUP_STRLIST struct strlist listed = { 0 };
    struct strbuf out = { 0 };
    struct span line;
    size_t pos = 0, len = strlen(text);
    bool any = false;

    while (line_next(text, len, &pos, &line)) {
        struct span name;
        size_t at = line.start;

        if (field_next(text, &line, &at, &name) && text[name.start] != '#')
            strlist_take(&listed, span_dup(text, name));
    }
    strbuf_puts(&out, text);
    if (len > 0 && text[len - 1] != '\n')
        strbuf_putc(&out, '\n');
    for (size_t i = 0; i < modules->n; i++) {
        if (strlist_has(&listed, modules->items[i]))
            continue;
        if (!any)
            strbuf_puts(&out, "# drivers of virtio machines (h2k)\n");
        any = true;
        strbuf_printf(&out, "%s\n", modules->items[i]);
    }
    if (any)
        return strbuf_take(&out);
    strbuf_done(&out);
    return NULL;
}

/* Take MODULES= from a file into *value, and the file's name, when it is set there. */
static int read_modules_setting(struct plan *plan, const char *path, char **value, char **file,
                                struct err *err)
{
    CLEANUP_SHELLVARS struct shellvars vars = { 0 };
    CLEANUP_FREE char *text = NULL;
    int r = plan_read_text(plan, path, &text, err);
    const char *found;

    if (r <= 0)
        return r;
    shellvars_parse(text, strlen(text), &vars);
    found = shellvars_get(&vars, "MODULES");
    if (found) {
        facts_set(value, found);
        facts_set(file, path);
    }
    return 0;
}

/* Files of @dir that will be there, as paths, sorted. A missing folder has none. */
static int list_dir(struct plan *plan, const char *dir, struct strlist *ret, struct err *err)
{
    CLEANUP_STRLIST struct strlist names = { 0 };

    if (!guest_is_dir(plan->root, dir))
        return 0;
    if (guest_list(plan->root, dir, &names, err) < 0)
        return -err->code;
    for (size_t i = 0; i < names.n; i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", dir, names.items[i]);

        if (guest_is_file(plan->root, path))
            strlist_add(ret, path);
    }
    return 0;
}

int initramfs_tools_setting(struct plan *plan, char **ret_value, char **ret_file, struct err *err)
{
    CLEANUP_STRLIST struct strlist files = { 0 };
    CLEANUP_FREE char *value = mem_strdup("most"), *file = mem_strdup("");
    int r = read_modules_setting(plan, TOOLS_DIR "/initramfs.conf", &value, &file, err);

    if (r >= 0)
        r = list_dir(plan, TOOLS_DIR "/conf.d", &files, err);
    for (size_t i = 0; r >= 0 && i < files.n; i++)
        r = read_modules_setting(plan, files.items[i], &value, &file, err);
    *ret_value = TAKE(value);
    *ret_file = TAKE(file);
    return r < 0 ? r : 0;
}

static int plan_initramfs_tools(struct plan *plan, const struct strlist *modules, struct err *err)
{
    CLEANUP_FREE char *setting = NULL, *file = NULL, *text = NULL, *fixed = NULL;
    int r = initramfs_tools_setting(plan, &setting, &file, err);

    /* "most" takes all drivers of disks and networks along */
    if (r < 0 || strcmp(setting, "most") == 0)
        return r;
    r = plan_read_text(plan, TOOLS_DIR "/modules", &text, err);
    if (r < 0)
        return r;
    fixed = initramfs_tools_with(text ? text : "", modules);
    if (fixed)
        plan_write(plan, TOOLS_DIR "/modules", fixed,
                   "later rebuilds must keep the virtio drivers");
    return 0;
}

/* ---- dracut: dracut.conf(5); shell, sourced in order, lists separated by blanks ---- */

/* Where the value of `NAME=` or `NAME+=` at the start of @line is, without its quotes. */
static bool find_list(const char *text, const struct span *line, const char *name, struct span *ret)
{
    size_t at = line->start, end = line->start + line->len, name_len = strlen(name);
    char quote = '\0';

    while (at < end && (text[at] == ' ' || text[at] == '\t'))
        at++;
    if (end - at < name_len + 1 || strncmp(text + at, name, name_len) != 0)
        return false;
    at += name_len;
    if (text[at] == '+')
        at++;
    if (at >= end || text[at] != '=')
        return false;
    at++;
    if (at < end && (text[at] == '"' || text[at] == '\''))
        quote = text[at++];
    *ret = (struct span){ at, 0 };
    while (at < end && (quote ? text[at] != quote : text[at] != ' ' && text[at] != '\t'))
        at++;
    ret->len = at - ret->start;
    return true;
}

/* omit_drivers holds extended regular expressions of whole names, '-' matching '_' as well. Only
 * simple ones are looked at: an expression of a guest must not be costly. */
static bool omits(const char *token, const struct strlist *modules)
{
    CLEANUP_FREE char *pattern = NULL;
    CLEANUP_STRBUF struct strbuf buf = { 0 };
    bool matches = false;
    regex_t regex;

    if (strlen(token) > TOKEN_MAX ||
        token[strspn(token, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.*")])
        return false;
    strbuf_putc(&buf, '^');
    for (const char *c = token; *c; c++)
        if (*c == '-' || *c == '_')
            strbuf_puts(&buf, "[-_]");
        else
            strbuf_putc(&buf, *c);
    strbuf_putc(&buf, '$');
    pattern = strbuf_take(&buf);
    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    for (size_t i = 0; i < modules->n && !matches; i++)
        matches = regexec(&regex, modules->items[i], 0, NULL, 0) == 0;
    regfree(&regex);
    return matches;
}

char *dracut_without_omits(const char *text, const struct strlist *modules)
{
    CLEANUP_EDITS struct edits edits = { 0 };
    size_t pos = 0, len = strlen(text);
    struct span line;

    while (line_next(text, len, &pos, &line)) {
        struct span list, token;
        size_t at;

        if (!find_list(text, &line, "omit_drivers", &list))
            continue;
        at = list.start;
        while (field_next(text, &list, &at, &token)) {
            CLEANUP_FREE char *word = span_dup(text, token);

            if (!omits(word, modules))
                continue;
            /* with the blank behind it, so that the others keep one between them */
            if (token.start + token.len < list.start + list.len)
                token.len++;
            edits_add(&edits, token, "");
        }
    }
    return edits.n ? edits_apply(&edits, text, len, NULL) : NULL;
}

/* Take the names of add_drivers and force_drivers away from @left. */
static void drop_added(const char *text, struct strlist *left)
{
    static const char *const lists[] = { "add_drivers", "force_drivers" };
    size_t pos = 0, len = strlen(text);
    struct span line;

    while (line_next(text, len, &pos, &line))
        for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
            struct span list, token;
            size_t at;

            if (!find_list(text, &line, lists[i], &list))
                continue;
            at = list.start;
            while (field_next(text, &list, &at, &token))
                for (size_t j = 0; j < left->n; j++)
                    if (span_is(text, token, left->items[j]))
                        left->items[j][0] = '\0';
        }
}

static int plan_dracut(struct plan *plan, const struct strlist *modules, bool injected,
                       struct err *err)
{
    CLEANUP_STRLIST struct strlist files = { 0 }, left = { 0 };
    CLEANUP_STRBUF struct strbuf ours = { 0 };
    size_t n_left = 0;
    int r = list_dir(plan, DRACUT_DIR, &files, err);

    for (size_t i = 0; i < modules->n; i++)
        strlist_add(&left, modules->items[i]);
    strlist_add(&files, DRACUT_CONF);
    for (size_t i = 0; r >= 0 && i < files.n; i++) {
        CLEANUP_FREE char *text = NULL, *fixed = NULL;

        r = plan_read_text(plan, files.items[i], &text, err);
        if (r <= 0)
            continue;
        fixed = dracut_without_omits(text, modules);
        if (fixed)
            plan_write(plan, files.items[i], fixed,
                       "omit_drivers would keep the virtio drivers out, whatever else is set");
        drop_added(text, &left);
    }
    for (size_t i = 0; i < left.n; i++)
        n_left += left.items[i][0] != '\0';
    if (r < 0 || !injected || n_left == 0)
        return r < 0 ? r : 0;
    strbuf_puts(&ours, "# drivers of virtio machines (h2k)\nadd_drivers+=\"");
    for (size_t i = 0; i < modules->n; i++)
        strbuf_printf(&ours, " %s", modules->items[i]);
    strbuf_puts(&ours, " \"\n");
    plan_write_new(plan, DRACUT_OURS, strbuf_text(&ours), 0644,
                   "later rebuilds must keep the virtio drivers");
    return 0;
}

int initramfs_conf_plan(const struct fix_context *ctx, struct plan *plan,
                        const struct strlist *modules, bool injected, struct err *err)
{
    if (modules->n == 0)
        return 0;
    switch (ctx->facts->initrd_tool) {
    case INITRD_INITRAMFS_TOOLS:
        return plan_initramfs_tools(plan, modules, err);
    case INITRD_DRACUT:
        return plan_dracut(plan, modules, injected, err);
    case INITRD_MKINITCPIO:
        return injected ? initramfs_plan_mkinitcpio(plan, modules, err) : 0;
    case INITRD_MKINITFS:
        return injected ? initramfs_plan_mkinitfs(plan, err) : 0;
    case INITRD_MKINITRD:
        return injected ? initramfs_plan_mkinitrd(plan, modules, err) : 0;
    case INITRD_TINY:
        return injected ? initramfs_plan_tiny(plan, modules, err) : 0;
    case INITRD_BOOSTER:
    case INITRD_MAKE_INITRD:
    case INITRD_GENKERNEL: /* these look at the machine that they run on, or take all along */
        return 0;
    case INITRD_UNKNOWN:
        break;
    }
    if (injected)
        plan_note(plan, "the tool that makes this guest's initramfs is not known: tell it to keep "
                        "the virtio drivers before the next kernel update");
    return 0;
}
