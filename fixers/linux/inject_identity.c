/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Host name and time zone: in every file where the guest has them already, and where its init
 * system looks first. */
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/inject.h"
#include "inspect/fields.h"
#include "inspect/shellvars.h"

#define ZONES "/usr/share/zoneinfo"

/* Set @name where it has a value already; 1: it had. */
static int set_variable(struct plan *plan, const char *path, const char *name, const char *value,
                        struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *fixed = NULL;
    CLEANUP_SHELLVARS struct shellvars vars = { 0 };
    const char *old;
    int r = plan_read_text(plan, path, &text, err);

    if (r <= 0)
        return r;
    shellvars_parse(text, strlen(text), &vars);
    old = shellvars_get(&vars, name);
    if (!old)
        return 0;
    if (strcmp(old, value) == 0)
        return 1;
    fixed = shellvars_set(text, strlen(text), name, value, NULL);
    plan_write(plan, path, fixed, INJECT_REASON);
    return 1;
}

/* ---- the host name ---- */

/* The first line that means something, as init systems read it. */
static struct span first_name(const char *text)
{
    struct span line, field = { 0, 0 };
    size_t pos = 0;

    while (field.len == 0 && line_next(text, strlen(text), &pos, &line))
        if (fields_split(text, &line, &field, 1) == 0)
            field.len = 0;
    return field;
}

static int set_name_file(struct plan *plan, const char *path, const char *name, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *line = mem_printf("%s\n", name);
    int r = plan_read_text(plan, path, &text, err);

    if (r < 0 || (r > 0 && span_is(text, first_name(text), name)))
        return r;
    plan_write(plan, path, line, INJECT_REASON);
    return 0;
}

/* A word of /etc/hosts that means this machine: as @old is, with its domain or without. */
static bool is_own_name(const char *text, struct span word, const char *old)
{
    size_t len = strcspn(old, ".");

    if (span_is(text, word, old))
        return true;
    return word.len >= len && strncmp(text + word.start, old, len) == 0 &&
           (word.len == len || text[word.start + len] == '.');
}

/* "web.example.com web" -> "db.example.com db": a name without a domain keeps the one it had, and a
 * line without one gets that of the new name. */
static char *new_name(const char *text, struct span word, const char *name, bool *has_full)
{
    const char *dot = memchr(text + word.start, '.', word.len);
    int len = (int)strcspn(name, ".");
    size_t host = dot ? (size_t)(dot - text) - word.start : word.len;
    bool had_full = *has_full;

    *has_full |= dot || name[len];
    if (!dot)
        return had_full || !name[len] ? mem_strndup(name, (size_t)len)
                                      : mem_printf("%s %.*s", name, len, name);
    if (name[len])
        return mem_strdup(name);
    return mem_printf("%s%.*s", name, (int)(word.len - host), dot);
}

/* Returns how many names of this machine the line has. */
static size_t rename_in_line(const char *text, const struct span *line, const char *old,
                             const char *name, struct edits *edits)
{
    bool has_old = old[0] && strncmp(old, "localhost", strlen("localhost")) != 0;
    bool has_full = false;
    struct span words[16];
    size_t n_own = 0, n = fields_split(text, line, words, ARRAY_SIZE(words));

    for (size_t i = 1; i < n; i++) {
        if (is_own_name(text, words[i], name)) {
            has_full |= memchr(text + words[i].start, '.', words[i].len) != NULL;
            n_own++;
        } else if (has_old && is_own_name(text, words[i], old)) {
            CLEANUP_FREE char *with = new_name(text, words[i], name, &has_full);

            edits_add(edits, words[i], with);
            n_own++;
        }
    }
    return n_own;
}

static int rename_in_hosts(const struct fix_context *ctx, struct plan *plan, const char *name,
                           struct err *err)
{
    static const char path[] = "/etc/hosts";
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *fixed = NULL;
    CLEANUP_EDITS struct edits edits = { 0 };
    struct span line;
    size_t pos = 0, n_own = 0;
    int r = plan_read_text(plan, path, &text, err);

    if (r <= 0)
        return r;
    while (line_next(text, strlen(text), &pos, &line))
        n_own += rename_in_line(text, &line, ctx->facts->hostname, name, &edits);
    if (n_own == 0) {
        size_t len = strlen(text);
        int short_len = (int)strcspn(name, ".");
        CLEANUP_FREE char *added =
            mem_printf("%s127.0.1.1\t%s%s%.*s\n", len > 0 && text[len - 1] != '\n' ? "\n" : "",
                       name, name[short_len] ? " " : "", name[short_len] ? short_len : 0, name);

        edits_add(&edits, (struct span){ len, 0 }, added);
    }
    fixed = edits_apply(&edits, text, strlen(text), NULL);
    plan_write(plan, path, fixed, "the new host name has an address without a name server, too");
    return 0;
}

int inject_hostname(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    static const struct {
        const char *path, *name;
    } variables[] = {
        { "/etc/sysconfig/network", "HOSTNAME" },
        { "/etc/conf.d/hostname", "hostname" },
        { "/etc/conf.d/hostname", "HOSTNAME" },
        { "/etc/rc.conf", "HOSTNAME" },
    };
    static const char *const files[] = { "/etc/hostname", "/etc/HOSTNAME" };
    const char *name = ctx->opts->inject.hostname;
    bool found = false;
    int r = 0;

    if (!name)
        return 0;
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(variables); i++) {
        r = set_variable(plan, variables[i].path, variables[i].name, name, err);
        found |= r > 0;
    }
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(files); i++) {
        if (!plan_exists(plan, files[i]))
            continue;
        r = set_name_file(plan, files[i], name, err);
        found = true;
    }
    if (r >= 0 && (!found || (strcmp(ctx->facts->init_system, "systemd") == 0 &&
                              !plan_exists(plan, files[0]))))
        r = set_name_file(plan, files[0], name, err);
    return r < 0 ? r : rename_in_hosts(ctx, plan, name, err);
}

/* ---- the time zone ---- */

/* /etc/localtime is a link into the zones, or a copy of one where /usr may come late. */
static int set_localtime(struct plan *plan, const char *zone, struct err *err)
{
    static const char path[] = "/etc/localtime";
    CLEANUP_FREE char *source = mem_printf(ZONES "/%s", zone);
    CLEANUP_FREE char *target = plan_readlink(plan, path);
    CLEANUP_FREE char *now = NULL;
    CLEANUP_FREE char *want = NULL;
    size_t now_len = 0, want_len = 0;
    struct err ignored = ERR_NONE;
    int r;

    if (target || !plan_exists(plan, path)) {
        CLEANUP_FREE char *link =
            mem_printf("%s" ZONES "/%s", target && target[0] == '/' ? "" : "..", zone);

        plan_link(plan, link, path, INJECT_REASON);
        return 0;
    }
    r = plan_read(plan, source, &want, &want_len, err);
    if (r < 0)
        return r;
    if (plan_read(plan, path, &now, &now_len, &ignored) < 0 || now_len != want_len ||
        memcmp(now, want, want_len) != 0)
        plan_copy(plan, source, path, INJECT_REASON);
    return 0;
}

int inject_timezone(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    static const struct {
        const char *path, *name;
    } variables[] = {
        { "/etc/sysconfig/clock", "ZONE" },
        { "/etc/sysconfig/clock", "TIMEZONE" },
        { "/etc/conf.d/clock", "TIMEZONE" },
        { "/etc/rc.conf", "TIMEZONE" },
    };
    const char *zone = ctx->opts->inject.timezone;
    CLEANUP_FREE char *file = mem_printf(ZONES "/%s", zone ? zone : "");
    int r;

    if (!zone)
        return 0;
    if (!guest_is_file(plan->root, file))
        return err_status(err, STATUS_USAGE,
                          "the guest has no time zone %s: %s is missing (the package tzdata has "
                          "it)",
                          zone, file);
    r = set_localtime(plan, zone, err);
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(variables); i++)
        r = set_variable(plan, variables[i].path, variables[i].name, zone, err);
    if (r >= 0 && plan_exists(plan, "/etc/timezone"))
        r = set_name_file(plan, "/etc/timezone", zone, err);
    return r;
}
