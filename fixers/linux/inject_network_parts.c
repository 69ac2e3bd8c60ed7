/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What several ways to configure a network have in common. */
#include <fnmatch.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/inject.h"
#include "fixers/linux/inject_network.h"
#include "inspect/fields.h"
#include "inspect/shellvars.h"

void inject_put_joined(struct strbuf *text, const char *before, const struct strlist *list,
                       const char *between, const char *after)
{
    for (size_t i = 0; i < list->n; i++)
        strbuf_printf(text, "%s%s", i ? between : before, list->items[i]);
    strbuf_puts(text, list->n ? after : "");
}

const char *inject_gateway(const struct inject_nic *nic, bool is_ip6)
{
    for (size_t i = 0; i < nic->gateways.n; i++)
        if (inject_is_ip6(nic->gateways.items[i]) == is_ip6)
            return nic->gateways.items[i];
    return NULL;
}

static void add_new(struct strlist *all, const struct strlist *list)
{
    for (size_t i = 0; i < list->n; i++)
        if (!strlist_has(all, list->items[i]))
            strlist_add(all, list->items[i]);
}

struct strlist inject_all_servers(const struct fix_context *ctx)
{
    struct strlist all = { 0 };

    for (size_t i = 0; i < ctx->opts->inject.n_nics; i++)
        add_new(&all, &ctx->opts->inject.nics[i].dns);
    return all;
}

struct strlist inject_all_domains(const struct fix_context *ctx)
{
    struct strlist all = { 0 };

    for (size_t i = 0; i < ctx->opts->inject.n_nics; i++)
        add_new(&all, &ctx->opts->inject.nics[i].search);
    return all;
}

static bool is_one_of(const char *name, const char *const *patterns, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fnmatch(patterns[i], name, 0) == 0)
            return true;
    return false;
}

/* What closes the value that begins at @value and goes on behind its line; 0: nothing does. */
static char open_bracket(const char *value, size_t len)
{
    static const char brackets[][2] = { { '(', ')' }, { '"', '"' }, { '\'', '\'' } };

    for (size_t i = 0; len > 0 && i < ARRAY_SIZE(brackets); i++)
        if (value[0] == brackets[i][0] && !memchr(value + 1, brackets[i][1], len - 1))
            return brackets[i][1];
    return 0;
}

void inject_keep_others(const char *old, const char *const *patterns, size_t n, struct strbuf *text)
{
    struct span line;
    size_t pos = 0;
    char until = 0; /* inside a value of several lines */
    bool is_kept = true;

    while (line_next(old, strlen(old), &pos, &line)) {
        const char *equals = memchr(old + line.start, '=', line.len);
        CLEANUP_SHELLVARS struct shellvars vars = { 0 };

        if (until) {
            if (memchr(old + line.start, until, line.len))
                until = 0;
        } else {
            /* the quotes of a first line alone would hide the name */
            CLEANUP_FREE char *name =
                equals ? mem_printf("%.*s=", (int)(equals - old - (ssize_t)line.start),
                                    old + line.start)
                       : mem_strdup("");
            size_t rest = equals ? line.len - (size_t)(equals + 1 - old - (ssize_t)line.start) : 0;

            shellvars_parse(name, strlen(name), &vars);
            is_kept = vars.n == 0 || !is_one_of(vars.vars[0].name, patterns, n);
            if (vars.n)
                until = open_bracket(equals + 1, rest);
        }
        if (!is_kept)
            continue;
        strbuf_add(text, old + line.start, line.len);
        strbuf_putc(text, '\n');
    }
}

/* ---- resolv.conf(5) ---- */

/* A line with what is asked for. */
static bool is_old_line(const char *text, const struct span *line, const struct strlist *servers,
                        const struct strlist *domains)
{
    struct span words[2];

    if (fields_split(text, line, words, ARRAY_SIZE(words)) == 0)
        return false;
    if (span_is(text, words[0], "nameserver"))
        return servers->n > 0;
    return domains->n > 0 &&
           (span_is(text, words[0], "search") || span_is(text, words[0], "domain"));
}

int inject_resolv_conf(const struct inject_place *place, struct err *err)
{
    static const char path[] = "/etc/resolv.conf";
    CLEANUP_STRLIST struct strlist servers = inject_all_servers(place->ctx);
    CLEANUP_STRLIST struct strlist domains = inject_all_domains(place->ctx);
    CLEANUP_FREE char *link = plan_readlink(place->plan, path), *old = NULL;
    CLEANUP_STRBUF struct strbuf text = { 0 };
    struct span line;
    size_t pos = 0;
    int r;

    if (servers.n == 0 && domains.n == 0)
        return 0;
    if (link) {
        plan_note(place->plan, "%s: name servers are not written: %s is a link to %s",
                  place->nic->name, path, link);
        return 0;
    }
    r = plan_read_text(place->plan, path, &old, err);
    if (r < 0)
        return r;
    while (r > 0 && line_next(old, strlen(old), &pos, &line)) {
        if (is_old_line(old, &line, &servers, &domains))
            continue;
        strbuf_add(&text, old + line.start, line.len);
        strbuf_putc(&text, '\n');
    }
    inject_put_joined(&text, "search ", &domains, " ", "\n");
    inject_put_joined(&text, "nameserver ", &servers, "\nnameserver ", "\n");
    plan_write_new(place->plan, path, strbuf_text(&text), 0644, INJECT_REASON);
    return 0;
}
