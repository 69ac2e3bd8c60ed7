/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/mount_units.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/base/text.h"
#include "inspect/keyfile.h"
#include "inspect/linux.h"

#define UNITS_MAX 1024 /* further ones are not looked at */
#define LOCAL "/etc/systemd/system"

const char *const unit_folders[UNIT_FOLDERS] = {
    LOCAL,
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
};

char *unit_name_of_path(const char *path, const char *suffix)
{
    struct strbuf out = { 0 };
    bool slash = false;

    for (const char *c = path; *c; c++) {
        if (*c == '/') {
            slash = out.len > 0;
            continue;
        }
        if (slash)
            strbuf_putc(&out, '-');
        slash = false;
        if (isalnum((unsigned char)*c) || strchr(":_", *c) || (*c == '.' && out.len > 0))
            strbuf_putc(&out, *c);
        else
            strbuf_printf(&out, "\\x%02x", (unsigned char)*c);
    }
    strbuf_printf(&out, "%s%s", out.len == 0 ? "-" : "", suffix);
    return strbuf_take(&out);
}

static void list(const struct guest_root *root, const char *folder, struct strlist *ret)
{
    struct err err = ERR_NONE;

    if (guest_is_dir(root, folder))
        (void)guest_list(root, folder, ret, &err);
}

/* ---- what a unit says ---- */

static void set(char **field, const char *value)
{
    if (!value)
        return;
    free(*field);
    *field = mem_strdup(value);
}

/* What is read later wins. */
static void read_file(const struct guest_root *root, const char *path, struct mount_unit *unit)
{
    size_t len = 0;
    CLEANUP_FREE char *text = linux_read(root, path, &len);
    struct keyfile keyfile CLEANUP_KEYFILE = { 0 };

    if (!text)
        return;
    keyfile_parse(text, len, &keyfile);
    set(&unit->what, keyfile_get(&keyfile, "Mount", "What"));
    set(&unit->where, keyfile_get(&keyfile, "Mount", "Where"));
    set(&unit->type, keyfile_get(&keyfile, "Mount", "Type"));
    set(&unit->options, keyfile_get(&keyfile, "Mount", "Options"));
}

/* NAME.mount.d/FILE.conf in the order of FILE, whatever folder it is in. */
static void read_drop_ins(const struct guest_root *root, struct mount_unit *unit)
{
    CLEANUP_STRLIST struct strlist names = { 0 };

    for (size_t i = 0; i < UNIT_FOLDERS; i++) {
        CLEANUP_FREE char *folder = mem_printf("%s/%s.d", unit_folders[i], unit->name);
        CLEANUP_STRLIST struct strlist found = { 0 };

        list(root, folder, &found);
        for (size_t f = 0; f < found.n; f++)
            if (text_has_suffix(found.items[f], ".conf") && !strlist_has(&names, found.items[f]))
                strlist_add(&names, found.items[f]);
    }
    strlist_sort(&names);
    for (size_t n = 0; n < names.n; n++) {
        bool read = false;

        for (size_t i = 0; i < UNIT_FOLDERS && !read; i++) {
            CLEANUP_FREE char *path =
                mem_printf("%s/%s.d/%s", unit_folders[i], unit->name, names.items[n]);

            read = guest_exists(root, path);
            if (read)
                read_file(root, path, unit);
        }
    }
}

/* A link to /dev/null, or an empty file. */
static bool is_masked(const struct guest_root *root, const char *path)
{
    struct err err = ERR_NONE;
    CLEANUP_FREE char *target = NULL;
    struct stat st;

    if (guest_readlink(root, path, &target, &err) == 0)
        return strcmp(target, "/dev/null") == 0;
    return guest_lstat(root, path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0;
}

static const char *find_problem(const struct mount_unit *unit)
{
    CLEANUP_FREE char *name = unit_name_of_path(unit->where, ".mount");

    if (unit->what[0] == '\0' || unit->where[0] != '/')
        return "the unit lacks What= or Where=";
    if (strcmp(name, unit->name) != 0)
        return "the unit's name does not fit its Where=";
    return "";
}

static void add_unit(const struct guest_root *root, const char *folder, const char *name,
                     struct mount_units *units)
{
    struct mount_unit *unit = mem_add(&units->items, &units->n, sizeof(*unit));

    unit->name = mem_strdup(name);
    unit->path = mem_printf("%s/%s", folder, name);
    unit->what = mem_strdup("");
    unit->where = mem_strdup("");
    unit->type = mem_strdup("");
    unit->options = mem_strdup("");
    unit->is_local = strcmp(folder, LOCAL) == 0;
    unit->is_masked = is_masked(root, unit->path);
    if (!unit->is_masked) {
        read_file(root, unit->path, unit);
        read_drop_ins(root, unit);
    }
    unit->problem = mem_strdup(unit->is_masked ? "" : find_problem(unit));
}

/* ---- what starts it ---- */

static void add_links(const struct guest_root *root, const char *folder, struct strlist *ret)
{
    CLEANUP_STRLIST struct strlist names = { 0 };

    list(root, folder, &names);
    for (size_t i = 0; i < names.n && ret->n < UNITS_MAX; i++)
        if (text_has_suffix(names.items[i], ".mount") ||
            text_has_suffix(names.items[i], ".automount"))
            strlist_add(ret, names.items[i]);
}

static void mark_enabled(struct mount_units *units, const struct strlist *started)
{
    for (size_t i = 0; i < units->n; i++) {
        struct mount_unit *unit = &units->items[i];
        CLEANUP_FREE char *automount =
            mem_printf("%.*s.automount", (int)(strlen(unit->name) - strlen(".mount")), unit->name);

        unit->is_enabled |=
            strlist_has(started, unit->name) != 0 || strlist_has(started, automount) != 0;
    }
}

/* A mount needs those that it lies on. */
static void mark_parents(struct mount_units *units)
{
    for (size_t i = 0; i < units->n; i++)
        for (size_t j = 0; j < units->n && !units->items[i].is_enabled; j++)
            units->items[i].is_enabled =
                units->items[j].is_enabled && units->items[i].where[0] &&
                path_is_below(units->items[j].where, units->items[i].where);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct mount_unit *)a)->name, ((const struct mount_unit *)b)->name);
}

/* Packages bring a dozen units for file systems of the kernel, which no disk holds. */
static bool is_of_kernel(const char *name)
{
    static const char *const prefixes[] = { "dev-", "proc-", "sys-" };

    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

/* The names in one of the folders; none when it is another one under a second name: /lib is a link
 * to /usr/lib today. */
static void list_units(const struct guest_root *root, size_t at, struct strlist *ret)
{
    struct stat st, other;

    if (guest_stat(root, unit_folders[at], &st) < 0)
        return;
    for (size_t i = 0; i < at; i++)
        if (guest_stat(root, unit_folders[i], &other) == 0 && other.st_ino == st.st_ino &&
            other.st_dev == st.st_dev)
            return;
    list(root, unit_folders[at], ret);
}

void mount_units_read(const struct guest_root *root, struct mount_units *ret)
{
    CLEANUP_STRLIST struct strlist links = { 0 };
    CLEANUP_STRLIST struct strlist started = { 0 };

    *ret = (struct mount_units){ 0 };
    for (size_t i = 0; i < UNIT_FOLDERS; i++) {
        CLEANUP_STRLIST struct strlist names = { 0 };

        list_units(root, i, &names);
        for (size_t n = 0; n < names.n; n++) {
            const char *name = names.items[n];

            if (text_has_suffix(name, ".wants") || text_has_suffix(name, ".requires"))
                strlist_take(&links, mem_printf("%s/%s", unit_folders[i], name));
            else if (text_has_suffix(name, ".mount") && (i == 0 || !is_of_kernel(name)) &&
                     ret->n < UNITS_MAX && !mount_units_find(ret, name))
                add_unit(root, unit_folders[i], name, ret);
        }
    }
    /* there are dozens of these folders, and most guests have no such unit */
    for (size_t i = 0; i < links.n && ret->n > 0; i++)
        add_links(root, links.items[i], &started);
    mark_enabled(ret, &started);
    mark_parents(ret);
    if (ret->n > 0)
        qsort(ret->items, ret->n, sizeof(*ret->items), by_name);
}

void mount_units_done(struct mount_units *units)
{
    for (size_t i = 0; i < units->n; i++) {
        struct mount_unit *unit = &units->items[i];
        char *const texts[] = { unit->name, unit->path,    unit->what,   unit->where,
                                unit->type, unit->options, unit->problem };

        for (size_t t = 0; t < ARRAY_SIZE(texts); t++)
            free(texts[t]);
    }
    free(units->items);
    *units = (struct mount_units){ 0 };
}

const struct mount_unit *mount_units_find(const struct mount_units *units, const char *name)
{
    for (size_t i = 0; i < units->n; i++)
        if (strcmp(units->items[i].name, name) == 0)
            return &units->items[i];
    return NULL;
}
