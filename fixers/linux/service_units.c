/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Units of systemd, by their [Install] sections: systemd.unit(5), systemctl(1). */
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/text.h"
#include "fixers/linux/linux.h"
#include "fixers/linux/services.h"
#include "inspect/fields.h"
#include "inspect/keyfile.h"
#include "inspect/mount_units.h"

#define UNITS "/etc/systemd/system"
#define ALSO_MAX 32

/* A unit and where it is. */
struct unit {
    char *name;     /* "getty@tty1.service" */
    char *instance; /* "tty1"; "" */
    char *path;     /* of its file, or its template's; NULL: there is none */
};

static void unit_done(struct unit *unit)
{
    free(unit->name);
    free(unit->instance);
    free(unit->path);
}
#define CLEANUP_UNIT __attribute__((cleanup(unit_done)))

static char *full_name(const char *name)
{
    static const char *const suffixes[] = { ".service", ".socket", ".timer",    ".path",
                                            ".target",  ".mount",  ".automount" };

    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
        if (text_has_suffix(name, suffixes[i]))
            return mem_strdup(name);
    return mem_printf("%s.service", name);
}

static bool is_mask(const struct plan *plan, const char *path)
{
    CLEANUP_FREE char *target = plan_readlink(plan, path);

    return target && strcmp(target, "/dev/null") == 0;
}

/* The file called @name; a mask is none. */
static char *find_file(const struct plan *plan, const char *name)
{
    for (size_t i = 0; i < UNIT_FOLDERS; i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", unit_folders[i], name);

        if (!is_mask(plan, path) && plan_exists(plan, path))
            return TAKE(path);
    }
    return NULL;
}

static void find_unit(const struct plan *plan, const char *name, struct unit *ret)
{
    const char *at, *dot;

    ret->name = full_name(name);
    ret->path = find_file(plan, ret->name);
    at = strchr(ret->name, '@');
    dot = strrchr(ret->name, '.');
    if (at && dot && dot > at) {
        CLEANUP_FREE char *template = mem_printf("%.*s@%s", (int)(at - ret->name), ret->name, dot);

        ret->instance = mem_strndup(at + 1, (size_t)(dot - at) - 1);
        if (!ret->path)
            ret->path = find_file(plan, template);
    } else {
        ret->instance = mem_strdup("");
    }
}

/* ---- enabling ---- */

/* Links to the file that the unit's [Install] asks for. */
static const struct {
    const char *key, *format; /* of the folder; NULL: the word is a further name of the unit */
} installs[] = {
    { "WantedBy", ".wants" },
    { "RequiredBy", ".requires" },
    { "UpheldBy", ".upholds" },
    { "Alias", NULL },
};

/* Names with the instance for %i and %I; others have no specifiers in practice. */
static char *expand(const char *word, const char *instance)
{
    const char *percent = strchr(word, '%');

    if (!percent || (percent[1] != 'i' && percent[1] != 'I'))
        return mem_strdup(word);
    return mem_printf("%.*s%s%s", (int)(percent - word), word, instance, percent + 2);
}

static bool has_vendor_link(const struct plan *plan, const char *inside)
{
    for (size_t i = 1; i < UNIT_FOLDERS; i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", unit_folders[i], inside);

        if (plan_exists(plan, path))
            return true;
    }
    return false;
}

static void install_words(struct plan *plan, const struct unit *unit, const char *suffix,
                          const char *value, const char *reason)
{
    struct span line = { 0, strlen(value) }, field;
    size_t pos = 0;

    while (field_next(value, &line, &pos, &field)) {
        CLEANUP_FREE char *word = span_dup(value, field);
        CLEANUP_FREE char *name = expand(word, unit->instance);
        CLEANUP_FREE char *inside =
            suffix ? mem_printf("%s%s/%s", name, suffix, unit->name) : mem_strdup(name);
        CLEANUP_FREE char *link = mem_printf(UNITS "/%s", inside);
        CLEANUP_FREE char *now = plan_readlink(plan, link);

        if (!strchr(name, '/') && !(now && plan_exists(plan, link)) &&
            !has_vendor_link(plan, inside))
            plan_link(plan, unit->path, link, reason);
    }
}

/* 1: it has an [Install] section. @also gets what is to be enabled with it. */
static int install(struct plan *plan, const struct unit *unit, struct strlist *also,
                   const char *reason, struct err *err)
{
    CLEANUP_KEYFILE struct keyfile keyfile = { 0 };
    CLEANUP_FREE char *text = NULL;
    int found = 0;
    int r = plan_read_text(plan, unit->path, &text, err);

    if (r <= 0)
        return r;
    keyfile_parse(text, strlen(text), &keyfile);
    for (size_t i = 0; i < keyfile.n; i++) {
        const struct keyfile_entry *entry = &keyfile.entries[i];
        struct span line = { 0, strlen(entry->value) }, field;
        size_t pos = 0;

        if (strcmp(entry->section, "Install") != 0)
            continue;
        found = 1;
        for (size_t k = 0; k < ARRAY_SIZE(installs); k++)
            if (strcmp(entry->key, installs[k].key) == 0)
                install_words(plan, unit, installs[k].format, entry->value, reason);
        while (strcmp(entry->key, "Also") == 0 && field_next(entry->value, &line, &pos, &field))
            strlist_take(also, span_dup(entry->value, field));
    }
    return found;
}

static void unmask(struct plan *plan, const char *name, const char *reason)
{
    CLEANUP_FREE char *full = full_name(name);
    CLEANUP_FREE char *path = mem_printf(UNITS "/%s", full);

    if (is_mask(plan, path))
        plan_remove(plan, path, reason);
}

static int enable(struct plan *plan, const char *name, const char *reason, struct err *err)
{
    CLEANUP_STRLIST struct strlist todo = { 0 };
    CLEANUP_STRLIST struct strlist done = { 0 };
    int r = 1;

    strlist_add(&todo, name);
    for (size_t i = 0; r > 0 && i < todo.n && i < ALSO_MAX; i++) {
        CLEANUP_UNIT struct unit unit = { 0 };
        CLEANUP_FREE char *wanted = mem_strdup(todo.items[i]); /* the list moves */

        unmask(plan, wanted, reason);
        find_unit(plan, wanted, &unit);
        if (strlist_has(&done, unit.name) || (i > 0 && !unit.path))
            continue;
        strlist_add(&done, unit.name);
        if (!unit.path) /* systemd runs init scripts, too */
            return script_change(plan, wanted, SERVICE_ENABLE, reason, err);
        r = install(plan, &unit, &todo, reason, err);
        if (r == 0 && i == 0)
            return err_status(err, STATUS_USAGE,
                              "%s has no [Install] section: it starts when other units want it",
                              unit.name);
        r = r < 0 ? r : 1;
    }
    return r;
}

/* ---- disabling ---- */

/* Further names of the unit go; they are links to its file. */
static int remove_aliases(struct plan *plan, const struct unit *unit, const char *reason,
                          struct err *err)
{
    CLEANUP_KEYFILE struct keyfile keyfile = { 0 };
    CLEANUP_FREE char *text = NULL;
    int r = plan_read_text(plan, unit->path, &text, err);

    if (r <= 0)
        return r;
    keyfile_parse(text, strlen(text), &keyfile);
    for (size_t i = 0; i < keyfile.n; i++) {
        const struct keyfile_entry *entry = &keyfile.entries[i];
        struct span line = { 0, strlen(entry->value) }, field;
        size_t pos = 0;

        if (strcmp(entry->section, "Install") != 0 || strcmp(entry->key, "Alias") != 0)
            continue;
        while (field_next(entry->value, &line, &pos, &field)) {
            CLEANUP_FREE char *word = span_dup(entry->value, field);
            CLEANUP_FREE char *path = mem_printf(UNITS "/%s", word);
            CLEANUP_FREE char *target = plan_readlink(plan, path);

            if (target && !strchr(word, '/') && strcmp(target, "/dev/null") != 0)
                plan_remove(plan, path, reason);
        }
    }
    return 0;
}

int unit_change(struct plan *plan, const char *name, enum service_change change, const char *reason,
                struct err *err)
{
    CLEANUP_UNIT struct unit unit = { 0 };
    CLEANUP_FREE char *mask = NULL;
    struct stat st;
    int r;

    if (change == SERVICE_ENABLE)
        return enable(plan, name, reason, err);
    find_unit(plan, name, &unit);
    mask = mem_printf(UNITS "/%s", unit.name);
    if (is_mask(plan, mask))
        return 1;
    if (!unit.path && change == SERVICE_DISABLE)
        return script_change(plan, name, change, reason, err);
    if (!unit.path)
        return 0;
    if (change == SERVICE_DISABLE) {
        r = unit_move_links(plan, unit.name, NULL, reason, err);
        if (r >= 0)
            r = remove_aliases(plan, &unit, reason, err);
        return r < 0 ? r : 1;
    }
    if (guest_lstat(plan->root, mask, &st) == 0 && S_ISREG(st.st_mode))
        return err_status(err, STATUS_USAGE, "%s is a file of its own: disable it", mask);
    plan_link(plan, "/dev/null", mask, reason);
    return 1;
}
