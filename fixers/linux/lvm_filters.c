/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * filter and global_filter of lvm.conf(5): patterns "a|REGEX|" accept and "r|REGEX|" refuse devices
 * by name, the first that matches wins, and what none matches is accepted. Accepted disks keep
 * their letter, so "/dev/sda2" becomes "/dev/[hsv]da2": IDE, SCSI and virtio.
 */
#include <ctype.h>
#include <regex.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/strbuf.h"
#include "fixers/linux/devnames.h"
#include "fixers/linux/linux.h"

#define PATTERNS_MAX 256U /* of one filter; more are not looked at */
#define PATTERN_MAX 256U  /* bytes of one that is tried */

/* The filter that is being looked at. */
struct filter {
    const struct fix_context *ctx;
    struct plan *plan;
    const char *path, *text;
    struct edits *edits;
    const char *name;        /* "filter" */
    struct strlist patterns; /* "aREGEX", "rREGEX", as they will be */
};

/* ---- reading ---- */

static size_t skip_space(const char *text, size_t pos)
{
    for (;;) {
        pos += strspn(text + pos, " \t\r\n,");
        if (text[pos] != '#')
            return pos;
        pos += strcspn(text + pos, "\n");
    }
}

/* The string that opens at @pos, without its quotes; *ret_end is behind it. */
static struct span read_string(const char *text, size_t pos, size_t *ret_end)
{
    size_t start = ++pos;

    while (text[pos] && text[pos] != '"')
        pos += text[pos] == '\\' && text[pos + 1] ? 2 : 1;
    *ret_end = text[pos] ? pos + 1 : pos;
    return (struct span){ start, pos - start };
}

/* ---- patterns ---- */

/* A disk's name without its driver's letters ("/dev/sda2" -> "a2"), NULL when it is no such name.
 */
static const char *disk_letters(const char *name)
{
    static const char *const drivers[] = { "/dev/hd", "/dev/sd", "/dev/vd", "/dev/xvd" };

    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
        if (strncmp(name, drivers[i], strlen(drivers[i])) == 0)
            return name + strlen(drivers[i]);
    return NULL;
}

/* A pattern that is one name and nothing else: the same disk under any driver, or NULL. */
static char *any_driver_name(const struct facts *facts, const char *regex)
{
    size_t start = regex[0] == '^';
    size_t len = strlen(regex) - start;
    CLEANUP_FREE char *name = NULL;
    const struct fact_device *device;
    const char *letters;

    if (len > 0 && regex[start + len - 1] == '$')
        len--;
    name = mem_strndup(regex + start, len);
    if (!devname_changes(name))
        return NULL;
    device = devname_resolve(facts, name);
    letters = device ? disk_letters(device->name) : NULL;
    if (!letters)
        return NULL;
    return mem_printf("%.*s/dev/[hsv]d%s%s", (int)start, regex, letters, regex + start + len);
}

/* A pattern that begins with a driver's letters, or has them behind /dev/; NULL: none has. */
static char *any_driver_pattern(const char *regex)
{
    CLEANUP_STRBUF struct strbuf out = { 0 };
    bool changed = false;

    for (size_t at = 0; regex[at];) {
        static const char *const drivers[] = { "hd", "sd", "vd", "xvd" };
        size_t skip = 0;
        bool begins = at == 0 || (at == 1 && regex[0] == '^') ||
                      (at >= 5 && strncmp(regex + at - 5, "/dev/", 5) == 0);

        for (size_t i = 0; begins && i < ARRAY_SIZE(drivers); i++) {
            size_t len = strlen(drivers[i]);

            if (strncmp(regex + at, drivers[i], len) == 0 &&
                (islower((unsigned char)regex[at + len]) || strchr("[.*(", regex[at + len])))
                skip = len;
        }
        if (skip > 0)
            strbuf_puts(&out, "[hsv]d");
        else
            strbuf_putc(&out, regex[at]);
        at += skip > 0 ? skip : 1;
        changed |= skip > 0;
    }
    return changed ? strbuf_take(&out) : NULL;
}

static void add_pattern(struct filter *filter, struct span at)
{
    CLEANUP_FREE char *text = span_dup(filter->text, at);
    CLEANUP_FREE char *regex = NULL;
    CLEANUP_FREE char *with = NULL;
    size_t len = strlen(text);

    if (filter->patterns.n >= PATTERNS_MAX || len < 3 || (text[0] != 'a' && text[0] != 'r') ||
        text[len - 1] != text[1])
        return;
    regex = mem_strndup(text + 2, len - 3);
    if (text[0] == 'a') {
        with = any_driver_name(filter->ctx->facts, regex);
        if (!with)
            with = any_driver_pattern(regex);
    }
    if (!with && text[0] == 'a' && devname_pattern_changes(regex + (regex[0] == '^')))
        plan_note(filter->plan,
                  "%s: %s accepts %s, whose name changes; it stays as it is: write the new name "
                  "there by hand",
                  filter->path, filter->name, regex);
    strlist_take(&filter->patterns, mem_printf("%c%s", text[0], with ? with : regex));
    if (with)
        edits_add(filter->edits, (struct span){ at.start + 2, at.len - 3 }, with);
}

/* ---- what becomes of the guest's volumes ---- */

/* Only simple expressions are tried: one of a guest must not be costly. */
static bool matches(const char *regex, const char *name)
{
    regex_t compiled;
    bool found;

    if (strlen(regex) > PATTERN_MAX ||
        regex[strspn(regex, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                            "/_-.^$[]*")] ||
        regcomp(&compiled, regex, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    found = regexec(&compiled, name, 0, NULL, 0) == 0;
    regfree(&compiled);
    return found;
}

static bool is_refused(const struct filter *filter, const char *name)
{
    for (size_t i = 0; i < filter->patterns.n; i++)
        if (matches(filter->patterns.items[i] + 1, name))
            return filter->patterns.items[i][0] == 'r';
    return false;
}

static void note_refused(const struct filter *filter)
{
    const struct facts *facts = filter->ctx->facts;

    for (size_t i = 0; i < facts->n_devices && filter->patterns.n > 0; i++) {
        const char *letters = disk_letters(facts->devices[i].name);
        CLEANUP_FREE char *name = letters ? mem_printf("/dev/vd%s", letters) : NULL;

        if (name && strcmp(facts->devices[i].fstype, "LVM2_member") == 0 &&
            is_refused(filter, name))
            plan_note(filter->plan,
                      "%s: %s refuses %s, as virtio will call %s, which holds volumes of LVM; "
                      "change it by hand before the move",
                      filter->path, filter->name, name, facts->devices[i].name);
    }
}

/* The value of a filter at @pos: a list of strings, or one. Returns the position behind it. */
static size_t read_filter(struct filter *filter, size_t pos)
{
    const char *text = filter->text;
    bool is_list;

    pos = skip_space(text, pos);
    is_list = text[pos] == '[';
    pos = is_list ? skip_space(text, pos + 1) : pos;
    while (text[pos] == '"') {
        struct span at = read_string(text, pos, &pos);

        add_pattern(filter, at);
        if (!is_list)
            break;
        pos = skip_space(text, pos);
    }
    note_refused(filter);
    strlist_done(&filter->patterns);
    return pos;
}

char *lvm_filters_by_name(const struct fix_context *ctx, struct plan *plan, const char *path,
                          const char *text)
{
    static const char *const names[] = { "filter", "global_filter", "devices/filter",
                                         "devices/global_filter" };
    CLEANUP_EDITS struct edits edits = { 0 };

    for (size_t pos = skip_space(text, 0); text[pos]; pos = skip_space(text, pos)) {
        size_t len = strspn(text + pos, "abcdefghijklmnopqrstuvwxyz0123456789_/");
        struct span word = { pos, len };
        size_t behind = skip_space(text, pos + len);

        if (text[pos] == '"') {
            (void)read_string(text, pos, &pos);
            continue;
        }
        pos += len > 0 ? len : 1;
        for (size_t i = 0; text[behind] == '=' && i < ARRAY_SIZE(names); i++)
            if (span_is(text, word, names[i])) {
                struct filter filter = {
                    .ctx = ctx,
                    .plan = plan,
                    .path = path,
                    .text = text,
                    .edits = &edits,
                    .name = names[i],
                };

                pos = read_filter(&filter, behind + 1);
                break;
            }
    }
    return edits_apply(&edits, text, strlen(text), NULL);
}
