/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan for people and programs: diffs and JSON. */
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/diff.h"
#include "fixers/plan.h"
#include "fixers/plan_hive_show.h"
#include "inspect/json_text.h"

const char *change_name(const struct change *change)
{
    static const char *const names[] = {
        [CHANGE_WRITE] = "write",   [CHANGE_APPEND] = "append", [CHANGE_COPY] = "copy",
        [CHANGE_REMOVE] = "remove", [CHANGE_LINK] = "link",     [CHANGE_MKDIR] = "mkdir",
        [CHANGE_CHMOD] = "chmod",   [CHANGE_RUN] = "run",       [CHANGE_PATCH] = "patch",
        [CHANGE_HIVE] = "registry",
    };

    return change->edit ? hive_change_name(change) : names[change->action];
}

static char *diff_of_write(const struct change *change, bool show_secrets)
{
    CLEANUP_FREE char *from = mem_printf("a%s", change->path);
    CLEANUP_FREE char *to = mem_printf("b%s", change->path);
    struct diff_side before = { .label = change->old ? from : "/dev/null",
                                .text = change->old,
                                .len = change->old_len };
    struct diff_side after = { .label = to, .text = change->data, .len = change->len };
    size_t removed, added;

    if (change->note)
        return mem_printf("(%s, %zu bytes)\n", change->note, change->len);
    if ((change->old && memchr(change->old, '\0', change->old_len)) ||
        memchr(change->data, '\0', change->len))
        return mem_printf("(binary content, %zu bytes)\n", change->len);
    if (!change->secret || show_secrets)
        return diff_unified(&before, &after);
    diff_count(&before, &after, &removed, &added);
    return mem_printf(
        "--- %s\n+++ %s\n(not world-readable in the guest, so its lines are not shown: "
        "%zu removed, %zu added; --show-secrets shows them)\n",
        before.label, after.label, removed, added);
}

/* Arguments with blanks in quotes, for people. */
static char *describe_run(const struct change *change)
{
    const struct run *run = change->run;
    struct strbuf text = { 0 };

    strbuf_puts(&text, "(a program of the guest runs in a jail:");
    for (size_t i = 0; i < run->argv.n; i++)
        strbuf_printf(&text, strchr(run->argv.items[i], ' ') ? " \"%s\"" : " %s",
                      run->argv.items[i]);
    for (size_t i = 0; i < run->paths.n; i++)
        strbuf_printf(&text, "; it sees %s changed", run->paths.items[i]);
    if (run->makes)
        strbuf_printf(&text, "; what it makes replaces %s", change->path);
    strbuf_puts(&text, ")\n");
    return strbuf_take(&text);
}

char *change_diff(const struct change *change, bool show_secrets)
{
    switch (change->action) {
    case CHANGE_WRITE:
        return diff_of_write(change, show_secrets);
    case CHANGE_APPEND:
        return mem_printf("(%zu bytes are appended to %s%s%s)\n", change->len, change->path,
                          change->note ? ": " : "", change->note ? change->note : "");
    case CHANGE_COPY:
        return mem_printf("(copy of %s to %s)\n", change->data, change->path);
    case CHANGE_REMOVE:
        return mem_printf("(%s is removed)\n", change->path);
    case CHANGE_LINK:
        return mem_printf("(%s becomes a link to %s)\n", change->path, change->data);
    case CHANGE_MKDIR:
        return mem_printf("(folder %s is made, mode %04o)\n", change->path,
                          (unsigned)change->attr.mode);
    case CHANGE_CHMOD:
        return mem_printf("(%s gets mode %04o)\n", change->path, (unsigned)change->attr.mode);
    case CHANGE_RUN:
        return describe_run(change);
    case CHANGE_PATCH:
        return mem_printf("(%zu bytes at %llu of %s: %s)\n", change->len,
                          (unsigned long long)change->at, change->path, change->note);
    case CHANGE_HIVE:
        return hive_change_diff(change, show_secrets);
    }
    return mem_strdup("");
}

static void set(json_t *object, const char *key, json_t *value)
{
    /* fails only when memory is short: the key is then missing, which a reader notices */
    (void)json_object_set_new(object, key, value);
}

static json_t *argv_json(const struct strlist *argv)
{
    json_t *list = json_array();

    for (size_t i = 0; i < argv->n; i++)
        (void)json_array_append_new(list, json_text(argv->items[i]));
    return list;
}

json_t *plan_to_json(const struct plan *plan, bool show_secrets)
{
    json_t *changes = json_array();

    for (size_t i = 0; i < plan->n; i++) {
        const struct change *change = &plan->changes[i];
        CLEANUP_FREE char *diff = change_diff(change, show_secrets);
        json_t *object = json_object();

        set(object, "fixer", json_string(change->fixer));
        set(object, "action", json_string(change_name(change)));
        set(object, "path", json_text(change->path));
        set(object, "reason", json_text(change->reason));
        set(object, "diff", json_text(diff));
        if (change->action == CHANGE_WRITE || change->action == CHANGE_APPEND ||
            change->action == CHANGE_PATCH)
            set(object, "bytes", json_integer((json_int_t)change->len));
        if (change->action == CHANGE_LINK || change->action == CHANGE_COPY)
            set(object, change->action == CHANGE_LINK ? "target" : "source",
                json_text(change->data));
        if (change->edit)
            hive_change_json(change, show_secrets, object);
        if (change->run)
            set(object, "argv", argv_json(&change->run->argv));
        if (change->secret)
            set(object, "redacted", json_boolean(!show_secrets));
        (void)json_array_append_new(changes, object);
    }
    return changes;
}
