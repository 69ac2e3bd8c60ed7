/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Scripts of sysvinit: links S?? and K?? in a folder for each runlevel, from the headers of the
 * scripts (LSB 5.0 section "Comment Conventions for Init Scripts"; chkconfig(8)). Jobs of upstart:
 * init(5), "manual" in an override, which the version of Red Hat's systems does not read.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/linux.h"
#include "fixers/linux/services.h"
#include "inspect/fields.h"

#define DEPENDENCIES "/etc/init.d/.depend.start" /* of insserv(8) */

/* When a script starts. */
struct header {
    char levels[8]; /* "2345" */
    unsigned order;
};

static void read_levels(const char *text, const struct span *fields, size_t n, char levels[8])
{
    size_t len = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < fields[i].len && len < 7; c++)
            if (strchr("0123456", text[fields[i].start + c]))
                levels[len++] = text[fields[i].start + c];
    levels[len] = '\0';
}

static void read_header(const char *text, struct header *ret)
{
    struct span line, fields[10];
    size_t len = strlen(text), pos = 0;

    *ret = (struct header){ .levels = "2345", .order = 50 };
    while (line_next(text, len, &pos, &line)) {
        struct span rest = { line.start + 1, line.len > 0 ? line.len - 1 : 0 };
        size_t n;

        if (line.len < 2 || text[line.start] != '#')
            continue;
        n = fields_split(text, &rest, fields, ARRAY_SIZE(fields));
        if (n > 1 && span_is(text, fields[0], "Default-Start:")) {
            read_levels(text, fields + 1, n - 1, ret->levels);
        } else if (n > 2 && span_is(text, fields[0], "chkconfig:")) {
            CLEANUP_FREE char *order = span_dup(text, fields[2]);

            if (!span_is(text, fields[1], "-"))
                read_levels(text, fields + 1, 1, ret->levels);
            ret->order = (unsigned)strtoul(order, NULL, 10) % 100;
        }
    }
}

/* The folder of the links of a runlevel. Free it. */
static char *level_folder(const struct plan *plan, char level)
{
    static const char *const formats[] = { "/etc/rc.d", "/etc/init.d", "/etc" };

    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        CLEANUP_FREE char *path = mem_printf("%s/rc%c.d", formats[i], level);

        if (guest_is_dir(plan->root, path))
            return TAKE(path);
    }
    return mem_printf("/etc/rc%c.d", level);
}

static bool is_link_of(const char *link, const char *name)
{
    return (link[0] == 'S' || link[0] == 'K') && isdigit((unsigned char)link[1]) &&
           isdigit((unsigned char)link[2]) && strcmp(link + 3, name) == 0;
}

/* A script and how it is to be switched. */
struct switching {
    const char *name, *reason;
    unsigned order;
    bool on;
};

/* "S20NAME" -> "K80NAME", as update-rc.d(8) has it. */
static void stop_instead(struct plan *plan, const char *folder, const char *start,
                         const struct switching *what)
{
    CLEANUP_FREE char *target = mem_printf("../init.d/%s", what->name);
    unsigned order = (unsigned)(start[1] - '0') * 10 + (unsigned)(start[2] - '0');
    CLEANUP_FREE char *stop = mem_printf("%s/K%02u%s", folder, (100 - order) % 100, what->name);

    plan_link(plan, target, stop, what->reason);
}

/* What starts the script in this level is there, what stops it is not; or the reverse. */
static int change_level(struct plan *plan, char level, const struct switching *what,
                        struct err *err)
{
    CLEANUP_FREE char *folder = level_folder(plan, level);
    CLEANUP_FREE char *target = mem_printf("../init.d/%s", what->name);
    CLEANUP_FREE char *link = mem_printf("%s/S%02u%s", folder, what->order, what->name);
    CLEANUP_STRLIST struct strlist names = { 0 };
    int r = guest_is_dir(plan->root, folder) ? guest_list(plan->root, folder, &names, err) : 0;

    if (r < 0 || (what->on && plan_exists(plan, link)))
        return r;
    for (size_t i = 0; i < names.n; i++) {
        const char *old = names.items[i];
        CLEANUP_FREE char *path = mem_printf("%s/%s", folder, old);

        if (!is_link_of(old, what->name))
            continue;
        if (what->on && old[0] == 'S')
            return 0;
        if (what->on || old[0] == 'S')
            plan_remove(plan, path, what->reason);
        if (!what->on && old[0] == 'S')
            stop_instead(plan, folder, old, what);
    }
    if (what->on)
        plan_link(plan, target, link, what->reason);
    return 0;
}

/* Where scripts start by their dependencies, only those are started that are in the list. */
static int list_for_insserv(struct plan *plan, const char *name, const char *reason,
                            struct err *err)
{
    static const char head[] = "TARGETS =";
    CLEANUP_EDITS struct edits edits = { 0 };
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *fixed = NULL;
    struct span line, fields[512];
    size_t pos = 0;
    int r = plan_read_text(plan, DEPENDENCIES, &text, err);

    while (r > 0 && line_next(text, strlen(text), &pos, &line)) {
        CLEANUP_FREE char *added = mem_printf(" %s", name);
        size_t n = fields_split(text, &line, fields, ARRAY_SIZE(fields));

        if (strncmp(text + line.start, head, strlen(head)) != 0)
            continue;
        for (size_t i = 0; i < n; i++)
            if (span_is(text, fields[i], name))
                return 0;
        edits_add(&edits, (struct span){ line.start + line.len, 0 }, added);
        break;
    }
    if (edits.n) {
        fixed = edits_apply(&edits, text, strlen(text), NULL);
        plan_write(plan, DEPENDENCIES, fixed, reason);
    }
    return r < 0 ? r : 0;
}

static bool says_when(const char *text, const struct span *line)
{
    struct span words[2];

    return fields_split(text, line, words, ARRAY_SIZE(words)) == ARRAY_SIZE(words) &&
           span_is(text, words[0], "start") && span_is(text, words[1], "on");
}

int job_stop(struct plan *plan, const char *name, const char *reason, struct err *err)
{
    CLEANUP_FREE char *job = mem_printf("/etc/init/%s.conf", name);
    CLEANUP_FREE char *override = mem_printf("/etc/init/%s.override", name);

    if (!plan_exists(plan, job))
        return 0;
    /* upstart 0.6.5 of EL 6 and Amazon Linux; Debian and Ubuntu had newer ones */
    if (guest_is_dir(plan->root, "/var/lib/rpm") && !guest_is_dir(plan->root, "/var/lib/dpkg"))
        return comment_lines(plan, job, says_when, reason, err) < 0 ? -err->code : 1;
    plan_write_new(plan, override, "manual\n", 0644, reason);
    return 1;
}

/* 0: there is no such job. */
static int start_job(struct plan *plan, const char *name, const char *reason)
{
    CLEANUP_FREE char *job = mem_printf("/etc/init/%s.conf", name);
    CLEANUP_FREE char *override = mem_printf("/etc/init/%s.override", name);

    if (!plan_exists(plan, job))
        return 0;
    plan_remove(plan, override, reason);
    return 1;
}

int script_change(struct plan *plan, const char *name, enum service_change change,
                  const char *reason, struct err *err)
{
    static const char all[] = "0123456S";
    CLEANUP_FREE char *service = mem_strndup(name, strcspn(name, "."));
    CLEANUP_FREE char *script = mem_printf("/etc/init.d/%s", service);
    CLEANUP_FREE char *text = NULL;
    bool on = change == SERVICE_ENABLE;
    struct switching what = { .name = service, .reason = reason, .on = on };
    struct header header;
    int r;

    if (!plan_exists(plan, script) && change == SERVICE_DISABLE)
        return job_stop(plan, service, reason, err);
    if (!plan_exists(plan, script))
        return on ? start_job(plan, service, reason) : 0;
    if (change == SERVICE_MASK)
        return err_status(err, STATUS_USAGE, "%s: only systemd has masks; disable it", name);
    r = plan_read_text(plan, script, &text, err);
    if (r <= 0)
        return r;
    read_header(text, &header);
    what.order = header.order;
    for (const char *level = on ? header.levels : all; r >= 0 && *level; level++)
        r = change_level(plan, *level, &what, err);
    if (r >= 0 && on)
        r = list_for_insserv(plan, service, reason, err);
    return r < 0 ? r : 1;
}
