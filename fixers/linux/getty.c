/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Logins on consoles: those of Xen (hvc0, xvc0) are not there any more, and the serial port takes
 * their place. With --serial-console there is one on the serial port anyway: systemd starts it by
 * itself where the kernel has a console (systemd-getty-generator(8)), and so does upstart on EL 6
 * (serial.conf); init of System V, of busybox, upstart elsewhere, OpenRC and runit must be told.
 */
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/linux.h"
#include "fixers/machine.h"
#include "inspect/fields.h"

#define INITTAB "/etc/inittab"
#define SECURETTY "/etc/securetty"
#define XEN "the consoles of Xen are not there any more"
#define ASKED "--serial-console asks for a login on the serial port"

static const char *const xen_consoles[] = { "hvc0", "xvc0" };

struct login {
    const struct fix_context *ctx;
    struct plan *plan;
    const char *serial; /* "ttyS0" */
};

/* ---- inittab(5) ---- */

static bool is_comment(const char *text, const struct span *line)
{
    size_t blanks = 0;

    while (blanks < line->len && strchr(" \t", text[line->start + blanks]))
        blanks++;
    return blanks == line->len || text[line->start + blanks] == '#';
}

/* Where @word stands in the line; len 0: nowhere. */
static struct span find_word(const char *text, const struct span *line, const char *word)
{
    const char *at =
        line->len > 0 ? memmem(text + line->start, line->len, word, strlen(word)) : NULL;

    return (struct span){ at ? (size_t)(at - text) : line->start, at ? strlen(word) : 0 };
}

/* What an inittab has. */
struct inittab {
    const char *text;
    bool has_serial;
    bool has_id[2]; /* of new_ids */
    size_t end;     /* behind the last line that starts a getty, or the end of the text */
    struct span levels;
    bool has_getty;
};

static const char *const new_ids[] = { "S0", "T0" };

static void read_inittab(const struct login *login, struct inittab *tab)
{
    struct span line;
    size_t pos = 0, len = strlen(tab->text);

    tab->end = len;
    while (line_next(tab->text, len, &pos, &line)) {
        CLEANUP_FREE char *copy = is_comment(tab->text, &line) ? NULL : span_dup(tab->text, line);
        const char *levels = copy ? strchr(copy, ':') : NULL;

        if (!levels)
            continue;
        for (size_t i = 0; i < ARRAY_SIZE(new_ids); i++)
            tab->has_id[i] |= strncmp(copy, new_ids[i], 2) == 0 && copy[2] == ':';
        tab->has_serial |= strstr(levels, login->serial) ||
                           strncmp(copy, login->serial, strlen(login->serial)) == 0;
        if (!strstr(levels, "getty"))
            continue;
        if (!tab->has_getty)
            tab->levels =
                (struct span){ line.start + (size_t)(levels + 1 - copy), strcspn(levels + 1, ":") };
        tab->has_getty = true;
        tab->end = pos;
    }
}

static const char *find_getty(const struct login *login)
{
    static const char *const programs[] = { "/sbin/agetty", "/usr/sbin/agetty", "/sbin/getty",
                                            "/usr/sbin/getty" };

    for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
        if (guest_exists(login->plan->root, programs[i]))
            return programs[i];
    plan_note(login->plan, "there is no getty for a login on the serial port");
    return NULL;
}

/* busybox has no run levels, and names the terminal where init of System V has an identity. */
static void add_inittab_line(const struct login *login, const struct inittab *tab,
                             struct edits *edits)
{
    bool is_busybox = tab->has_getty && tab->levels.len == 0;
    CLEANUP_FREE char *levels =
        tab->has_getty ? span_dup(tab->text, tab->levels) : mem_strdup("2345");
    const char *id = is_busybox ? login->serial : new_ids[tab->has_id[0]];
    const char *program = find_getty(login);
    CLEANUP_FREE char *line = NULL;

    if (!program || (tab->has_id[0] && tab->has_id[1]))
        return;
    line = mem_printf("%s%s:%s:respawn:%s -L 115200 %s vt100\n",
                      tab->end > 0 && tab->text[tab->end - 1] != '\n' ? "\n" : "", id, levels,
                      program, login->serial);
    edits_add(edits, (struct span){ tab->end, 0 }, line);
}

/* Xen's consoles become the serial port, or go where that has a login already. */
static void replace_xen(const struct login *login, const struct inittab *tab, struct edits *edits)
{
    bool has_serial = tab->has_serial;
    struct span line;
    size_t pos = 0;

    while (line_next(tab->text, strlen(tab->text), &pos, &line)) {
        bool is_xen = false;

        for (size_t i = 0; i < ARRAY_SIZE(xen_consoles) && !is_comment(tab->text, &line); i++) {
            struct span at = find_word(tab->text, &line, xen_consoles[i]);

            is_xen |= at.len > 0;
            if (at.len > 0 && !has_serial)
                edits_add(edits, at, login->serial);
        }
        if (is_xen && has_serial)
            edits_add(edits, (struct span){ line.start, 0 }, "# ");
        has_serial |= is_xen;
    }
}

/* 1: it starts logins. */
static int fix_inittab(const struct login *login, bool asked, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *fixed = NULL;
    CLEANUP_EDITS struct edits edits = { 0 };
    struct inittab tab = { 0 };
    bool is_xen;
    int r = plan_read_text(login->plan, INITTAB, &text, err);

    if (r <= 0)
        return r;
    tab.text = text;
    read_inittab(login, &tab);
    replace_xen(login, &tab, &edits);
    is_xen = edits.n > 0;
    if (asked && !tab.has_serial && !is_xen)
        add_inittab_line(login, &tab, &edits);
    fixed = edits_apply(&edits, text, strlen(text), NULL);
    plan_write(login->plan, INITTAB, fixed, is_xen ? XEN : ASKED);
    return tab.has_getty || is_xen || edits.n > 0;
}

/* ---- securetty(5) ---- */

/* Without a line root cannot log in there. */
static int allow_root(const struct login *login, bool asked, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *fixed = NULL;
    struct span line, word;
    size_t pos = 0;
    bool is_xen = false, is_empty = true;
    int r = plan_read_text(login->plan, SECURETTY, &text, err);

    if (r <= 0)
        return r;
    while (line_next(text, strlen(text), &pos, &line)) {
        if (fields_split(text, &line, &word, 1) == 0)
            continue;
        if (span_is(text, word, login->serial))
            return 0;
        is_empty = false;
        for (size_t i = 0; i < ARRAY_SIZE(xen_consoles); i++)
            is_xen |= span_is(text, word, xen_consoles[i]);
    }
    if (is_empty || (!is_xen && !asked)) /* an empty one lets root in nowhere, on purpose */
        return 0;
    fixed = mem_printf("%s%s%s\n", text, *text && text[strlen(text) - 1] != '\n' ? "\n" : "",
                       login->serial);
    plan_write(login->plan, SECURETTY, fixed, is_xen ? XEN : ASKED);
    return 0;
}

/* ---- how a login is started; 1: this init does so ---- */

static int by_systemd(const struct login *login, struct err *err)
{
    CLEANUP_FREE char *unit =
        mem_printf("/etc/systemd/system/serial-getty@%s.service", login->serial);
    CLEANUP_FREE char *target = NULL;

    (void)err;
    if (strcmp(login->ctx->facts->init_system, "systemd") != 0)
        return 0;
    target = plan_readlink(login->plan, unit);
    if (target && strcmp(target, "/dev/null") == 0)
        plan_note(login->plan, "%s is masked: there is no login on the serial port", unit);
    return 1;
}

static int by_upstart(const struct login *login, struct err *err)
{
    CLEANUP_FREE char *job = mem_printf("/etc/init/%s.conf", login->serial);
    CLEANUP_FREE char *text = NULL;
    const char *program;

    (void)err;
    if (guest_is_file(login->plan->root, "/etc/init/serial.conf") || plan_exists(login->plan, job))
        return 1;
    if (!guest_is_file(login->plan->root, "/etc/init/tty1.conf"))
        return 0;
    program = find_getty(login);
    text = mem_printf("# a login on the serial port\n"
                      "start on stopped rc RUNLEVEL=[2345]\nstop on runlevel [!2345]\n"
                      "respawn\nexec %s -L 115200 %s vt100\n",
                      program ? program : "", login->serial);
    if (program)
        plan_write_new(login->plan, job, text, 0644, ASKED);
    return 1;
}

static int by_inittab(const struct login *login, struct err *err)
{
    return fix_inittab(login, true, err);
}

/* OpenRC without an inittab: a service for each terminal, all links to one script. */
static int by_openrc(const struct login *login, struct err *err)
{
    CLEANUP_FREE char *script = mem_printf("/etc/init.d/agetty.%s", login->serial);
    CLEANUP_FREE char *enabled = mem_printf("/etc/runlevels/default/agetty.%s", login->serial);

    (void)err;
    if (!guest_is_file(login->plan->root, "/etc/init.d/agetty"))
        return 0;
    plan_link(login->plan, "agetty", script, ASKED);
    plan_link(login->plan, script, enabled, ASKED);
    return 1;
}

static int by_runit(const struct login *login, struct err *err)
{
    CLEANUP_FREE char *service = mem_printf("/etc/sv/agetty-%s", login->serial);
    CLEANUP_FREE char *enabled = mem_printf("/etc/runit/runsvdir/default/agetty-%s", login->serial);

    (void)err;
    if (!guest_is_dir(login->plan->root, service))
        return 0;
    plan_link(login->plan, service, enabled, ASKED);
    return 1;
}

static int start_login(const struct login *login, struct err *err)
{
    static int (*const ways[])(const struct login *login, struct err *err) = {
        by_systemd, by_upstart, by_inittab, by_openrc, by_runit,
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(ways); i++)
        r = ways[i](login, err);
    if (r == 0)
        plan_note(login->plan, "what starts logins in this guest is not known: there is none on "
                               "the serial port");
    return r < 0 ? r : 0;
}

/* Each unit for a console that does not come is waited for; the one for the serial port starts by
 * itself. */
static int drop_units(const struct login *login, struct err *err)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(xen_consoles); i++) {
        CLEANUP_FREE char *old = mem_printf("serial-getty@%s.service", xen_consoles[i]);

        r = unit_move_links(login->plan, old, NULL, XEN, err);
    }
    return r;
}

int plan_logins(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    struct login login = { ctx, plan, machine_for(ctx->facts->arch)->serial };
    bool asked = ctx->opts->serial_console;
    int r;

    if (strncmp(login.serial, "hvc", 3) == 0) /* the same consoles as before */
        return 0;
    r = drop_units(&login, err);
    if (r >= 0)
        r = asked ? start_login(&login, err) : fix_inittab(&login, false, err);
    return r < 0 ? r : allow_root(&login, asked, err);
}
