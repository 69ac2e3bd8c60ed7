/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Configuration of boot loaders other than grub.cfg: the GRUB 0.97 manual ("Configuration"),
 * doc/syslinux.txt of Syslinux, the Boot Loader Specification, loader.conf(5). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/boot_entries.h"
#include "inspect/fields.h"

#define ENTRIES_MAX 256U
#define FIELDS_MAX 64

static struct boot_entry *add_entry(struct boot_entries *menu, char *id)
{
    struct boot_entry *entry;

    if (menu->n >= ENTRIES_MAX) {
        free(id);
        return NULL;
    }
    entry = mem_add(&menu->entries, &menu->n, sizeof(*entry));
    entry->id = id;
    entry->image = mem_strdup("");
    entry->initrd = mem_strdup("");
    return entry;
}

static void set(char **field, char *value)
{
    free(*field);
    *field = value;
}

/* "default 0", "default=0" -> the keyword and what follows; false: neither. */
static bool split_keyword(const char *text, const struct span *line, struct span *ret_key,
                          struct span *ret_rest)
{
    size_t at = line->start, end = line->start + line->len;

    while (at < end && strchr(" \t", text[at]))
        at++;
    ret_key->start = at;
    while (at < end && !strchr(" \t=", text[at]))
        at++;
    ret_key->len = at - ret_key->start;
    while (at < end && strchr(" \t=", text[at]))
        at++;
    ret_rest->start = at;
    while (end > at && strchr(" \t\r", text[end - 1]))
        end--;
    ret_rest->len = end - at;
    return ret_key->len > 0 && text[ret_key->start] != '#';
}

static bool is_key(const char *text, struct span key, const char *name)
{
    return key.len == strlen(name) && strncasecmp(text + key.start, name, key.len) == 0;
}

/* ---- GRUB 0.9x ---- */

/* The first word that is no option, without "(hd0,0)" in front. */
static char *grub1_path(const char *text, struct span rest)
{
    struct span word;
    size_t at = rest.start;

    while (field_next(text, &rest, &at, &word)) {
        CLEANUP_FREE char *path = span_dup(text, word);
        const char *behind = path[0] == '(' ? strchr(path, ')') : NULL;

        if (strncmp(path, "--", 2) != 0)
            return mem_strdup(behind ? behind + 1 : path);
    }
    return mem_strdup("");
}

static bool is_hypervisor(const char *image)
{
    const char *slash = strrchr(image, '/');

    return strncmp(slash ? slash + 1 : image, "xen", 3) == 0;
}

void boot_entries_parse_grub1(const char *text, size_t len, const char *saved,
                              struct boot_entries *menu)
{
    struct boot_entry *entry = NULL;
    unsigned long number = 0;
    struct span line, key, rest;
    size_t pos = 0;

    while (line_next(text, len, &pos, &line)) {
        if (!split_keyword(text, &line, &key, &rest))
            continue;
        if (is_key(text, key, "title")) {
            entry = add_entry(menu, mem_printf("%zu", menu->n));
        } else if (!entry && is_key(text, key, "default")) {
            CLEANUP_FREE char *value = span_dup(text, rest);

            menu->saved = strcmp(value, "saved") == 0;
            number = strtoul(menu->saved && saved ? saved : value, NULL, 10);
        } else if (entry && is_key(text, key, "kernel")) {
            set(&entry->image, grub1_path(text, rest));
        } else if (entry && is_key(text, key, "initrd")) {
            set(&entry->initrd, grub1_path(text, rest));
        } else if (entry && is_key(text, key, "module")) {
            /* Xen's hypervisor starts the kernel */
            set(is_hypervisor(entry->image) ? &entry->image : &entry->initrd,
                grub1_path(text, rest));
        }
    }
    menu->chosen = number < menu->n ? number : menu->n ? 0 : BOOT_ENTRIES_NONE;
}

/* ---- syslinux ---- */

/* initrd= of the kernel's arguments. */
static void take_initrd_argument(const char *text, struct span rest, struct boot_entry *entry)
{
    struct span word;
    size_t at = rest.start;

    while (field_next(text, &rest, &at, &word))
        if (word.len > 7 && strncmp(text + word.start, "initrd=", 7) == 0)
            set(&entry->initrd, mem_strndup(text + word.start + 7, word.len - 7));
}

/* The last one of a comma list. */
static void keep_last(char **list)
{
    const char *comma = strrchr(*list, ',');

    if (comma)
        set(list, mem_strdup(comma + 1));
}

void boot_entries_parse_syslinux(const char *text, size_t len, struct boot_entries *menu)
{
    CLEANUP_FREE char *chosen = NULL, *on_timeout = NULL;
    struct boot_entry *entry = NULL;
    struct span line, key, rest;
    size_t pos = 0;

    while (line_next(text, len, &pos, &line)) {
        if (!split_keyword(text, &line, &key, &rest))
            continue;
        if (is_key(text, key, "ontimeout"))
            set(&on_timeout, span_dup(text, rest));
        else if (is_key(text, key, "label"))
            entry = add_entry(menu, span_dup(text, rest));
        else if (is_key(text, key, "default") && !entry)
            set(&chosen, span_dup(text, rest));
        else if (entry && is_key(text, key, "menu") && is_key(text, rest, "default"))
            set(&chosen, mem_strdup(entry->id));
        else if (entry && (is_key(text, key, "linux") || is_key(text, key, "kernel")))
            set(&entry->image, grub1_path(text, rest));
        else if (entry && is_key(text, key, "initrd"))
            set(&entry->initrd, span_dup(text, rest));
        else if (entry && is_key(text, key, "append"))
            take_initrd_argument(text, rest, entry);
    }
    menu->chosen = BOOT_ENTRIES_NONE;
    if (on_timeout)
        set(&chosen, TAKE(on_timeout));
    for (size_t i = menu->n; i > 0; i--) {
        keep_last(&menu->entries[i - 1].initrd);
        if (chosen && strcmp(menu->entries[i - 1].id, chosen) == 0)
            menu->chosen = i - 1;
    }
}

/* ---- the Boot Loader Specification ---- */

/* The last word that is no variable of GRUB's. */
static void keep_last_word(char **words)
{
    struct span line = { 0, strlen(*words) }, word;
    char *last = NULL;
    size_t at = 0;

    while (field_next(*words, &line, &at, &word))
        if ((*words)[word.start] != '$')
            set(&last, span_dup(*words, word));
    set(words, last ? last : mem_strdup(""));
}

bool bls_parse(const char *text, size_t len, const char *id, struct bls_entry *ret)
{
    struct {
        const char *name;
        char **value;
    } keys[] = {
        { "title", &ret->title }, { "version", &ret->version }, { "sort-key", &ret->sort_key },
        { "linux", &ret->image }, { "initrd", &ret->initrd },
    };
    struct span line, key, rest;
    size_t pos = 0;

    *ret = (struct bls_entry){ .id = mem_strdup(id) };
    while (line_next(text, len, &pos, &line))
        for (size_t i = 0; split_keyword(text, &line, &key, &rest) && i < ARRAY_SIZE(keys); i++)
            if (span_is(text, key, keys[i].name))
                set(keys[i].value, span_dup(text, rest));
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (!*keys[i].value)
            *keys[i].value = mem_strdup("");
    /* GRUB's files may name several on a line, and variables of its own behind them */
    keep_last_word(&ret->initrd);
    return *ret->image != '\0';
}

void bls_entry_done(struct bls_entry *entry)
{
    free(entry->id);
    free(entry->title);
    free(entry->version);
    free(entry->sort_key);
    free(entry->image);
    free(entry->initrd);
}

int bls_compare_grub(const void *a, const void *b)
{
    const struct bls_entry *left = a, *right = b;

    return strverscmp(right->id, left->id);
}

int bls_compare_systemd(const void *a, const void *b)
{
    const struct bls_entry *left = a, *right = b;
    int r = (*left->sort_key == '\0') - (*right->sort_key == '\0');

    if (r == 0 && *left->sort_key)
        r = strcmp(left->sort_key, right->sort_key);
    if (r == 0 && *left->sort_key)
        r = strverscmp(right->version, left->version);
    return r ? r : bls_compare_grub(a, b);
}

char *loader_conf_default(const char *text, size_t len)
{
    struct span line, key, rest;
    char *found = NULL;
    size_t pos = 0;

    while (line_next(text, len, &pos, &line))
        if (split_keyword(text, &line, &key, &rest) && span_is(text, key, "default"))
            set(&found, span_dup(text, rest));
    return found;
}
