/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * booster(1): one program that loads modules by alias, but with indexes of its own. Modules lie as
 * NAME.ko in usr/lib/modules; booster.alias there has a line "PATTERN NAME" for each alias, and
 * etc/booster.init.yaml says which modules each one needs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/initramfs_kinds.h"
#include "inspect/fields.h"

#define CONFIG "etc/booster.init.yaml"
#define ALIASES "usr/lib/modules/booster.alias"
#define NEEDS_KEY "moduledependencies:"

static bool is_booster(const struct initramfs *found)
{
    return strlist_has(&found->names, CONFIG);
}

/* ---- etc/booster.init.yaml ---- */

/* Where the mapping of NEEDS_KEY is: its line, and the indentation of what is in it. */
struct place {
    bool found, is_empty; /* empty: "moduledependencies: {}" */
    struct span line;
    size_t behind, indent;  /* behind the line; blanks before a key of the mapping */
    struct strlist modules; /* keys that are there */
};

static void take_key(struct place *place, const char *text, const struct span *line, size_t blanks)
{
    const char *start = text + line->start + blanks;
    const char *colon = memchr(start, ':', line->len - blanks);

    if (colon)
        strlist_take(&place->modules, mem_strndup(start, (size_t)(colon - start)));
}

static void find_place(const char *text, struct place *place)
{
    struct span line;
    size_t pos = 0, len = strlen(text);

    place->indent = 4;
    while (line_next(text, len, &pos, &line)) {
        size_t blanks = 0;

        while (blanks < line.len && text[line.start + blanks] == ' ')
            blanks++;
        if (place->found) {
            bool is_first = place->modules.n == 0;

            if (blanks == 0)
                return;
            if (is_first)
                place->indent = blanks;
            if (blanks == place->indent && text[line.start + blanks] != '-')
                take_key(place, text, &line, blanks);
        } else if (strncmp(text + line.start, NEEDS_KEY, strlen(NEEDS_KEY)) == 0) {
            CLEANUP_FREE char *rest =
                mem_strndup(text + line.start + strlen(NEEDS_KEY), line.len - strlen(NEEDS_KEY));

            place->found = true;
            place->line = line;
            place->behind = pos;
            place->is_empty = strcmp(rest + strspn(rest, " "), "{}") == 0;
            if (place->is_empty)
                return;
        }
    }
}

int booster_with_modules(const char *text, const struct booster_module *modules, size_t n,
                         char **ret)
{
    struct place place = { 0 };
    CLEANUP_EDITS struct edits edits = { 0 };
    CLEANUP_STRBUF struct strbuf added = { 0 };
    size_t len = strlen(text), old;
    int r = 0;

    find_place(text, &place);
    if (!place.found)
        place.behind = len;
    if (place.behind > 0 && text[place.behind - 1] != '\n')
        strbuf_putc(&added, '\n');
    if (!place.found || place.is_empty)
        strbuf_puts(&added, NEEDS_KEY "\n");
    old = added.len;
    for (size_t i = 0; i < n; i++) {
        if (modules[i].needs.n == 0 || strlist_has(&place.modules, modules[i].name))
            continue;
        strbuf_printf(&added, "%*s%s: [", (int)place.indent, "", modules[i].name);
        for (size_t j = 0; j < modules[i].needs.n; j++)
            strbuf_printf(&added, "%s%s", j ? ", " : "", modules[i].needs.items[j]);
        strbuf_puts(&added, "]\n");
    }
    if (added.len > old) {
        if (place.is_empty)
            edits_add(&edits, (struct span){ place.line.start, place.behind - place.line.start },
                      strbuf_text(&added));
        else
            edits_add(&edits, (struct span){ place.behind, 0 }, strbuf_text(&added));
        *ret = edits_apply(&edits, text, len, NULL);
        r = 1;
    }
    strlist_done(&place.modules);
    return r;
}

static int add_needs(struct initramfs_work *work)
{
    const struct initramfs_file *file = initramfs_kept(work->found, CONFIG);
    CLEANUP_FREE struct booster_module *modules = NULL;
    CLEANUP_STRLIST struct strlist names = { 0 };
    char *fixed = NULL;
    size_t n = 0;

    if (!file || strlen(file->data) != file->len)
        return -ENOENT;
    for (size_t i = 0; i < work->load.n; i++)
        strlist_take(&names, module_path_name(work->load.items[i]));
    for (size_t i = 0; i < names.n; i++) {
        const struct module_dep *dep = modules_dep_find(&work->modules.dep, names.items[i]);
        struct booster_module *module = mem_add(&modules, &n, sizeof(*module));

        module->name = names.items[i];
        for (size_t j = 0; dep && j < dep->needs.n; j++)
            strlist_take(&module->needs, module_path_name(dep->needs.items[j]));
    }
    if (booster_with_modules(file->data, modules, n, &fixed) > 0)
        work_replace_file(work, CONFIG, fixed, 0644);
    for (size_t i = 0; i < n; i++)
        strlist_done(&modules[i].needs);
    return 0;
}

/* ---- booster.alias ---- */

/* "alias PATTERN MODULE" of modules.alias -> "PATTERN MODULE", for the modules that are loaded. */
static void lacking_aliases(const struct initramfs_work *work, const char *aliases,
                            const struct strlist *have, struct strbuf *ret)
{
    struct span line, fields[3];
    size_t pos = 0;

    while (line_next(aliases, strlen(aliases), &pos, &line)) {
        CLEANUP_FREE char *module = NULL, *entry = NULL;

        if (fields_split(aliases, &line, fields, ARRAY_SIZE(fields)) < 3 ||
            !span_is(aliases, fields[0], "alias"))
            continue;
        module = span_dup(aliases, fields[2]);
        for (size_t i = 0; i < work->load.n && !entry; i++)
            if (module_path_is(work->load.items[i], module)) {
                CLEANUP_FREE char *pattern = span_dup(aliases, fields[1]);
                CLEANUP_FREE char *name = module_path_name(work->load.items[i]);

                entry = mem_printf("%s %s", pattern, name);
            }
        if (entry && !strlist_has(have, entry))
            strbuf_printf(ret, "%s\n", entry);
    }
}

static int add_aliases(struct initramfs_work *work, struct err *err)
{
    const struct initramfs_file *file = initramfs_kept(work->found, ALIASES);
    CLEANUP_STRLIST struct strlist have = { 0 };
    CLEANUP_STRBUF struct strbuf added = { 0 };
    CLEANUP_FREE char *text = NULL;
    struct span line;
    size_t pos = 0, len = 0;
    int r = work_read_index(work, "modules.alias", &text, &len, err);

    if (r < 0)
        return r;
    if (r == 0 || !file || strlen(file->data) != file->len)
        return -ENOENT;
    while (line_next(file->data, file->len, &pos, &line))
        strlist_take(&have, span_dup(file->data, line));
    lacking_aliases(work, text, &have, &added);
    if (added.len > 0)
        work_replace_file(work, ALIASES,
                          mem_printf("%s%s%s", file->data,
                                     file->len && file->data[file->len - 1] != '\n' ? "\n" : "",
                                     strbuf_text(&added)),
                          0644);
    return 0;
}

static int adapt(struct initramfs_work *work, struct err *err)
{
    int r = add_aliases(work, err);

    if (r == 0)
        r = add_needs(work);
    if (r < 0 && err->code == 0) {
        plan_note(work->plan,
                  "%s: booster's own indexes are not there or too large: nothing loads "
                  "the drivers",
                  work->kernel->initrd);
        return 0;
    }
    return r;
}

const struct initrd_kind initrd_kind_booster = {
    .name = "booster",
    .folder = "usr/lib/modules",
    .underscores = true,
    .is = is_booster,
    .adapt = adapt,
};
