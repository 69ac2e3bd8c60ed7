/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/modules_dep.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"

#define NEEDS_MAX 4000000U /* of all modules together; a full kernel has some 20,000 */

static const char *const suffixes[] = { ".ko", ".ko.xz", ".ko.zst", ".ko.gz" };

/* Length of the last component without its suffix; 0: not a module. */
static size_t stem_len(const char *base)
{
    size_t len = strlen(base);

    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        size_t n = strlen(suffixes[i]);

        if (len > n && strcmp(base + len - n, suffixes[i]) == 0)
            return len - n;
    }
    return 0;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

bool module_path_ok(const char *path)
{
    const char *part = path;

    while (*part) {
        size_t len = strcspn(part, "/");

        if (len == 0 || (len == 1 && part[0] == '.') ||
            (len == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        part += len;
        if (*part == '/' && part[1])
            part++;
    }
    return stem_len(base_name(path)) > 0;
}

static char plain(char c)
{
    if (c == '-')
        return '_';
    return c;
}

static char *plain_copy(const char *text, size_t len)
{
    char *copy = mem_strndup(text, len);

    for (char *c = copy; *c; c++)
        *c = plain(*c);
    return copy;
}

bool module_path_is(const char *path, const char *name)
{
    const char *base = base_name(path);
    size_t len = stem_len(base);

    if (len == 0 || len != strlen(name))
        return false;
    for (size_t i = 0; i < len; i++)
        if (plain(base[i]) != plain(name[i]))
            return false;
    return true;
}

char *module_path_name(const char *path)
{
    const char *base = base_name(path);
    size_t len = stem_len(base);

    return plain_copy(base, len ? len : strlen(base));
}

/* ---- lines and words ---- */

struct cursor {
    const char *at, *end;
};

/* The next line without its end; false when there is none. Lines with a zero byte end there. */
static bool next_line(struct cursor *text, struct cursor *line)
{
    const char *nl;

    if (text->at >= text->end)
        return false;
    nl = memchr(text->at, '\n', (size_t)(text->end - text->at));
    line->at = text->at;
    line->end = nl ? nl : text->end;
    text->at = nl ? nl + 1 : text->end;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next word as a string of its own; NULL when there is none. */
static char *next_word(struct cursor *line)
{
    const char *start;

    while (line->at < line->end && is_blank(*line->at))
        line->at++;
    start = line->at;
    while (line->at < line->end && !is_blank(*line->at))
        line->at++;
    return line->at > start ? mem_strndup(start, (size_t)(line->at - start)) : NULL;
}

/* ---- modules.dep ---- */

/* The path below the kernel's folder: module-init-tools wrote /lib/modules/VERSION/ in front. */
static const char *below_folder(const char *path)
{
    static const char folder[] = "/lib/modules/";
    const char *slash;

    if (strncmp(path, folder, strlen(folder)) != 0)
        return path;
    slash = strchr(path + strlen(folder), '/');
    return slash ? slash + 1 : path;
}

static int by_name(const void *a, const void *b)
{
    const struct module_dep *left = a, *right = b;

    return strcmp(left->name, right->name);
}

int modules_dep_parse(const char *text, size_t len, struct modules_dep *ret)
{
    struct cursor all = { text, text + len }, line;
    struct modules_dep dep = { 0 };
    size_t n_lines = 0, n_needs = 0;

    while (next_line(&all, &line)) {
        const char *colon = memchr(line.at, ':', (size_t)(line.end - line.at));
        CLEANUP_FREE char *path = colon ? mem_strndup(line.at, (size_t)(colon - line.at)) : NULL;
        struct module_dep *module;
        const char *below;
        char *word;

        if (++n_lines > MODULES_LINES_MAX || n_needs > NEEDS_MAX) {
            modules_dep_done(&dep);
            return -EFBIG;
        }
        below = path ? below_folder(path) : "";
        if (!module_path_ok(below))
            continue;
        module = mem_add(&dep.modules, &dep.n, sizeof(*module));
        module->name = module_path_name(below);
        module->path = mem_strdup(below);
        line.at = colon + 1;
        while ((word = next_word(&line))) {
            strlist_add(&module->needs, below_folder(word));
            free(word);
            n_needs++;
        }
    }
    if (dep.n > 0)
        qsort(dep.modules, dep.n, sizeof(*dep.modules), by_name);
    *ret = dep;
    return 0;
}

void modules_dep_done(struct modules_dep *dep)
{
    for (size_t i = 0; i < dep->n; i++) {
        free(dep->modules[i].name);
        free(dep->modules[i].path);
        strlist_done(&dep->modules[i].needs);
    }
    free(dep->modules);
    *dep = (struct modules_dep){ 0 };
}

const struct module_dep *modules_dep_find(const struct modules_dep *dep, const char *name)
{
    CLEANUP_FREE char *key = plain_copy(name, strlen(name));
    struct module_dep want = { .name = key };

    return dep->n ? bsearch(&want, dep->modules, dep->n, sizeof(want), by_name) : NULL;
}

const struct module_dep *modules_dep_find_path(const struct modules_dep *dep, const char *path)
{
    CLEANUP_FREE char *name = module_path_name(path);
    const struct module_dep *found = modules_dep_find(dep, name);

    /* two folders may hold modules of one name */
    while (found && found > dep->modules && strcmp(found[-1].name, name) == 0)
        found--;
    for (; found && found < dep->modules + dep->n && strcmp(found->name, name) == 0; found++)
        if (strcmp(found->path, path) == 0)
            return found;
    return NULL;
}

/* ---- modules.builtin, modules.softdep ---- */

int modules_builtin_parse(const char *text, size_t len, struct strlist *ret)
{
    struct cursor all = { text, text + len }, line;
    struct strlist names = { 0 };

    while (next_line(&all, &line)) {
        CLEANUP_FREE char *path = next_word(&line);

        if (names.n >= MODULES_LINES_MAX) {
            strlist_done(&names);
            return -EFBIG;
        }
        if (path && module_path_ok(path))
            strlist_take(&names, module_path_name(path));
    }
    strlist_sort(&names);
    *ret = names;
    return 0;
}

static int compare_names(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;

    return strcmp(*left, *right);
}

bool modules_builtin_has(const struct strlist *builtin, const char *name)
{
    CLEANUP_FREE char *key = plain_copy(name, strlen(name));

    return builtin->n &&
           bsearch(&key, builtin->items, builtin->n, sizeof(*builtin->items), compare_names);
}

void modules_softdep_of(const char *text, size_t len, const char *name, struct strlist *ret)
{
    CLEANUP_FREE char *key = plain_copy(name, strlen(name));
    struct cursor all = { text, text + len }, line;

    while (next_line(&all, &line)) {
        CLEANUP_FREE char *keyword = next_word(&line);
        CLEANUP_FREE char *module = keyword ? next_word(&line) : NULL;
        CLEANUP_FREE char *folded = module ? plain_copy(module, strlen(module)) : NULL;
        char *word;

        if (!folded || strcmp(keyword, "softdep") != 0 || strcmp(folded, key) != 0)
            continue;
        while ((word = next_word(&line))) {
            if (strcmp(word, "pre:") != 0 && strcmp(word, "post:") != 0 &&
                ret->n < MODULES_LINES_MAX)
                strlist_take(ret, plain_copy(word, strlen(word)));
            free(word);
        }
    }
}
