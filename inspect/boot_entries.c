/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/boot_entries.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "inspect/grubcfg.h"
#include "inspect/grubenv.h"
#include "inspect/linux.h"

#define BLS_MAX 256U
#define NEAR 16U /* entries that one is compared with: menus of guests may be long */

static struct boot_entry *add(struct boot_entries *menu, const char *id, const char *image,
                              const char *initrd)
{
    struct boot_entry *entry = mem_add(&menu->entries, &menu->n, sizeof(*entry));

    entry->id = mem_strdup(id);
    entry->image = mem_strdup(image);
    entry->initrd = mem_strdup(initrd);
    return entry;
}

/* ---- files of the Boot Loader Specification ---- */

struct bls_list {
    struct bls_entry *items;
    size_t n;
};

static void bls_list_done(struct bls_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        bls_entry_done(&list->items[i]);
    free(list->items);
}

static void read_bls(const struct guest_root *root, const char *folder,
                     int (*compare)(const void *, const void *), struct bls_list *ret)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    struct err err = ERR_NONE;

    if (guest_list(root, folder, &names, &err) < 0)
        return;
    for (size_t i = 0; i < names.n && ret->n < BLS_MAX; i++) {
        size_t name_len = strlen(names.items[i]), len = 0;
        CLEANUP_FREE char *path = mem_printf("%s/%s", folder, names.items[i]);
        CLEANUP_FREE char *text = NULL;
        struct bls_entry entry;

        if (name_len < 6 || strcmp(names.items[i] + name_len - 5, ".conf") != 0)
            continue;
        text = linux_read(root, path, &len);
        names.items[i][name_len - 5] = '\0';
        if (text && bls_parse(text, len, names.items[i], &entry))
            *(struct bls_entry *)mem_add(&ret->items, &ret->n, sizeof(entry)) = entry;
        else if (text)
            bls_entry_done(&entry);
    }
    if (ret->n > 1)
        qsort(ret->items, ret->n, sizeof(*ret->items), compare);
}

static void add_bls(const struct bls_list *list, struct boot_entries *menu)
{
    for (size_t i = 0; i < list->n; i++)
        (void)add(menu, list->items[i].id, list->items[i].image, list->items[i].initrd);
}

/* ---- GRUB 2 ---- */

static char *grub_saved(const struct guest_root *root, const char *config)
{
    const char *slash = strrchr(config, '/');
    CLEANUP_FREE char *path = mem_printf("%.*s/grubenv", (int)(slash - config), config);
    size_t len = 0;
    CLEANUP_FREE char *text = linux_read(root, path, &len);

    return text ? grubenv_get(text, len, "saved_entry") : NULL;
}

static bool has_blscfg(const char *text, size_t len)
{
    struct span line, field;
    size_t pos = 0;

    while (line_next(text, len, &pos, &line))
        if (fields_split(text, &line, &field, 1) == 1 && span_is(text, field, "blscfg"))
            return true;
    return false;
}

/* "parent>entry" of ids, where they have some: they stay when the menu is made anew. */
static char *grub_id(const struct grubcfg *cfg, size_t index)
{
    char *path = NULL;

    for (size_t at = index; at != GRUBCFG_NONE; at = cfg->entries[at].parent) {
        const struct grubcfg_entry *entry = &cfg->entries[at];
        const char *last = strrchr(entry->number, '>');
        const char *name = last ? last + 1 : entry->number;
        char *longer;

        if (*entry->id && !strpbrk(entry->id, "$>"))
            name = entry->id;
        longer = path ? mem_printf("%s>%s", name, path) : mem_strdup(name);
        free(path);
        path = longer;
    }
    return path;
}

/* GRUB's blscfg numbers its entries, and names them by file and by title. */
static void choose_bls(const struct bls_list *list, const char *saved, const char *text,
                       struct boot_entries *menu)
{
    const char *names[] = { saved, text, "0" };

    for (size_t i = 0; i < ARRAY_SIZE(names) && menu->chosen == BOOT_ENTRIES_NONE; i++)
        for (size_t j = 0; names[i] && j < list->n; j++) {
            CLEANUP_FREE char *number = mem_printf("%zu", j);

            if (strcmp(names[i], list->items[j].id) == 0 ||
                strcmp(names[i], list->items[j].title) == 0 || strcmp(names[i], number) == 0) {
                menu->chosen = j;
                break;
            }
        }
}

static void read_grub2(const struct guest_root *root, const char *text, size_t len,
                       struct boot_entries *menu)
{
    CLEANUP_GRUBCFG struct grubcfg cfg = { 0 };
    CLEANUP(bls_list_done) struct bls_list list = { 0 };
    CLEANUP_FREE char *saved = NULL;

    grubcfg_parse(text, len, &cfg);
    menu->saved = cfg.default_saved;
    saved = cfg.default_saved ? grub_saved(root, menu->config) : NULL;
    menu->kind = has_blscfg(text, len) ? BOOT_ENTRIES_GRUB2_BLS : BOOT_ENTRIES_GRUB2;
    if (menu->kind == BOOT_ENTRIES_GRUB2_BLS) {
        read_bls(root, "/boot/loader/entries", bls_compare_grub, &list);
        add_bls(&list, menu);
        choose_bls(&list, saved, cfg.default_text, menu);
        return;
    }
    for (size_t i = 0; i < cfg.n_linuxes; i++) {
        CLEANUP_FREE char *id = cfg.linuxes[i].entry == GRUBCFG_NONE
                                    ? mem_strdup("")
                                    : grub_id(&cfg, cfg.linuxes[i].entry);

        (void)add(menu, id, cfg.linuxes[i].path, cfg.linuxes[i].initrd);
    }
    menu->chosen = grubcfg_default(&cfg, saved);
}

/* ---- others ---- */

static void read_grub1(const struct guest_root *root, const char *text, size_t len,
                       struct boot_entries *menu)
{
    const char *slash = strrchr(menu->config, '/');
    CLEANUP_FREE char *path = mem_printf("%.*s/default", (int)(slash - menu->config), menu->config);
    CLEANUP_FREE char *saved = linux_read(root, path, NULL);

    menu->kind = BOOT_ENTRIES_GRUB1;
    boot_entries_parse_grub1(text, len, saved, menu);
}

/* Its entries lie beside loader.conf, and on /boot when that is another file system. */
static void read_systemd(const struct guest_root *root, const char *text, size_t len,
                         struct boot_entries *menu)
{
    const char *slash = strrchr(menu->config, '/');
    CLEANUP_FREE char *folder =
        mem_printf("%.*s/entries", (int)(slash - menu->config), menu->config);
    CLEANUP(bls_list_done) struct bls_list list = { 0 };
    CLEANUP_FREE char *pattern = loader_conf_default(text, len);

    menu->kind = BOOT_ENTRIES_SYSTEMD;
    read_bls(root, folder, bls_compare_systemd, &list);
    if (list.n == 0)
        read_bls(root, "/boot/loader/entries", bls_compare_systemd, &list);
    add_bls(&list, menu);
    if (pattern && pattern[0] == '@') /* @saved is in the firmware's variables */
        return;
    for (size_t i = 0; i < list.n && menu->chosen == BOOT_ENTRIES_NONE; i++) {
        CLEANUP_FREE char *name = mem_printf("%s.conf", list.items[i].id);

        if (!pattern || fnmatch(pattern, name, 0) == 0 ||
            fnmatch(pattern, list.items[i].id, 0) == 0)
            menu->chosen = i;
    }
    if (menu->chosen == BOOT_ENTRIES_NONE && list.n > 0)
        menu->chosen = 0;
}

static void read_syslinux(const struct guest_root *root, const char *text, size_t len,
                          struct boot_entries *menu)
{
    (void)root;
    menu->kind = BOOT_ENTRIES_SYSLINUX;
    boot_entries_parse_syslinux(text, len, menu);
}

static const struct {
    const char *loader;
    void (*read)(const struct guest_root *root, const char *text, size_t len,
                 struct boot_entries *menu);
} loaders[] = {
    { "extlinux", read_syslinux }, { "grub-legacy", read_grub1 },    { "grub2", read_grub2 },
    { "syslinux", read_syslinux }, { "systemd-boot", read_systemd },
};

/* Menus name a kernel several times: ordinary, recovery. */
static void find_paths(const struct guest_root *root, struct boot_entries *menu)
{
    for (size_t i = 0; i < menu->n; i++) {
        struct boot_entry *entry = &menu->entries[i];
        size_t same = 0;

        while (same < i && same < NEAR && strcmp(menu->entries[same].image, entry->image) != 0)
            same++;
        if (same == i || same == NEAR)
            entry->path = boot_entries_path(root, entry->image);
        else if (menu->entries[same].path)
            entry->path = mem_strdup(menu->entries[same].path);
    }
}

void boot_entries_read(const struct guest_root *root, const char *loader, const char *config,
                       struct boot_entries *ret)
{
    size_t len = 0;
    CLEANUP_FREE char *text = linux_read(root, config, &len);

    *ret = (struct boot_entries){ .chosen = BOOT_ENTRIES_NONE, .config = mem_strdup(config) };
    for (size_t i = 0; text && i < ARRAY_SIZE(loaders); i++)
        if (strcmp(loader, loaders[i].loader) == 0)
            loaders[i].read(root, text, len, ret);
    find_paths(root, ret);
}

void boot_entries_done(struct boot_entries *menu)
{
    for (size_t i = 0; i < menu->n; i++) {
        free(menu->entries[i].id);
        free(menu->entries[i].image);
        free(menu->entries[i].initrd);
        free(menu->entries[i].path);
    }
    free(menu->entries);
    free(menu->config);
    *menu = (struct boot_entries){ .chosen = BOOT_ENTRIES_NONE };
}

/* ---- kernels ---- */

/* The name in the folder @dir that is @part but for its case; NULL. Free it. */
static char *step_any_case(const struct guest_root *root, const char *dir, const char *part)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    struct err err = ERR_NONE;

    if (guest_list(root, *dir ? dir : "/", &names, &err) < 0)
        return NULL;
    for (size_t i = 0; i < names.n; i++)
        if (strcasecmp(names.items[i], part) == 0)
            return mem_printf("%s/%s", dir, names.items[i]);
    return NULL;
}

char *boot_entries_any_case(const struct guest_root *root, const char *place, const char *spelled)
{
    CLEANUP_FREE char *copy = mem_strdup(spelled);
    char *path = mem_strdup(place);
    char *save = NULL;

    for (char *part = strtok_r(copy, "/", &save); path && part; part = strtok_r(NULL, "/", &save)) {
        char *next = step_any_case(root, path, part);

        free(path);
        path = next;
    }
    return path;
}

char *boot_entries_path(const struct guest_root *root, const char *spelled)
{
    static const char *const places[] = { "/boot", "", "/boot/efi", "/efi", "/boot/extlinux" };
    static const char *const esps[] = { "/boot/efi", "/efi", "/boot" };
    const char *device_end = *spelled == '(' ? strchr(spelled, ')') : NULL;
    struct err err = ERR_NONE;
    char *real = NULL;

    /* GRUB's ($drive1)/kernels/... */
    spelled = device_end ? device_end + 1 : spelled;
    for (size_t i = 0; i < ARRAY_SIZE(places) && *spelled; i++) {
        CLEANUP_FREE char *path =
            mem_printf("%s%s%s", places[i], *spelled == '/' ? "" : "/", spelled);

        if (guest_is_file(root, path) && guest_real_path(root, path, &real, &err) >= 0)
            return real;
    }
    for (size_t i = 0; i < ARRAY_SIZE(esps) && strncasecmp(spelled, "/EFI/", 5) == 0; i++) {
        CLEANUP_FREE char *path = boot_entries_any_case(root, esps[i], spelled);

        if (path && guest_is_file(root, path) && guest_real_path(root, path, &real, &err) >= 0)
            return real;
    }
    return NULL;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* GRUB's path may begin at a file system that is not known here (a btrfs with the root in a
 * subvolume): then a name that holds a version says enough. */
static bool starts(const struct boot_entry *entry, const char *image)
{
    if (entry->path)
        return strcmp(entry->path, image) == 0;
    return strchr(base_name(image), '-') && strcmp(base_name(entry->image), base_name(image)) == 0;
}

size_t boot_entries_find(const struct guest_root *root, const struct boot_entries *menu,
                         const char *image)
{
    CLEANUP_FREE char *real = NULL;
    struct err err = ERR_NONE;

    if (menu->n == 0)
        return BOOT_ENTRIES_NONE;
    if (guest_real_path(root, image, &real, &err) < 0)
        real = mem_strdup(image);
    if (menu->chosen != BOOT_ENTRIES_NONE && starts(&menu->entries[menu->chosen], real))
        return menu->chosen;
    for (size_t i = 0; i < menu->n; i++)
        if (starts(&menu->entries[i], real))
            return i;
    return BOOT_ENTRIES_NONE;
}
