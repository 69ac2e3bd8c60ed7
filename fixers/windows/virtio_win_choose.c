/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which drivers of a source are for a Windows. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/windows/virtio_win.h"
#include "fixers/windows/win_source.h"

/* ---- which folders fit ---- */

enum product { CLIENT = 1, SERVER = 2, ANY = 3 };

/* By version, then the folders in their order; those behind "|" are of an older family, for drivers
 * whose right one is signed in a way that Windows does not accept. */
static const struct {
    uint32_t major, minor, first_build, last_build;
    enum product product;
    const char *folders;
} choices[] = {
    { 5, 1, 0, UINT32_MAX, ANY, "xp" },
    { 5, 2, 0, UINT32_MAX, CLIENT, "xp 2k3" },
    { 5, 2, 0, UINT32_MAX, SERVER, "2k3" },
    { 6, 0, 0, UINT32_MAX, ANY, "2k8" },
    { 6, 1, 0, UINT32_MAX, CLIENT, "w7" },
    { 6, 1, 0, UINT32_MAX, SERVER, "2k8R2 w7" },
    { 6, 2, 0, UINT32_MAX, CLIENT, "w8 | w7 2k8R2" },
    { 6, 2, 0, UINT32_MAX, SERVER, "2k12 w8 | 2k8R2 w7" },
    { 6, 3, 0, UINT32_MAX, CLIENT, "w8.1 | w7 2k8R2" },
    { 6, 3, 0, UINT32_MAX, SERVER, "2k12R2 w8.1 | 2k8R2 w7" },
    { 10, 0, 0, 21999, CLIENT, "w10" },
    { 10, 0, 22000, UINT32_MAX, CLIENT, "w11 w10" },
    { 10, 0, 0, 17762, SERVER, "2k16 w10" },
    { 10, 0, 17763, 20347, SERVER, "2k19 w10" },
    { 10, 0, 20348, 26039, SERVER, "2k22 w10" },
    { 10, 0, 26040, UINT32_MAX, SERVER, "2k25 w11 w10" },
};

static const char *find_folders(const struct win_target *target)
{
    enum product product = target->is_server ? SERVER : CLIENT;

    for (size_t i = 0; i < ARRAY_SIZE(choices); i++)
        if (choices[i].major == target->major && choices[i].minor == target->minor &&
            choices[i].first_build <= target->build && choices[i].last_build >= target->build &&
            (choices[i].product & product))
            return choices[i].folders;
    return NULL;
}

const char *virtio_win_os(const struct win_target *target)
{
    static const char *const names[] = { "xp",   "2k3",  "2k8",  "w7",     "2k8R2",
                                         "w8",   "2k12", "w8.1", "2k12R2", "w10",
                                         "2k16", "2k19", "2k22", "w11",    "2k25" };
    const char *folders = find_folders(target);
    size_t len = folders ? strcspn(folders, " ") : 0;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (folders && strlen(names[i]) == len && strncmp(folders, names[i], len) == 0)
            return names[i];
    return NULL;
}

static const struct {
    const char *name;
    enum win_arch arch;
} arch_folders[] = {
    { "x86", WIN_X86 },
    { "i386", WIN_X86 },
    { "amd64", WIN_AMD64 },
    { "arm64", WIN_ARM64 },
};

/* Is a folder of @path called @name? */
static bool has_folder(const char *path, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = path; at; at = strchr(at, '/')) {
        at += *at == '/';
        if (strncasecmp(at, name, len) == 0 && at[len] == '/')
            return true;
    }
    return false;
}

static bool is_for_arch(const char *path, enum win_arch arch)
{
    for (size_t i = 0; i < ARRAY_SIZE(arch_folders); i++)
        if (arch_folders[i].arch == arch && has_folder(path, arch_folders[i].name))
            return true;
    return false;
}

/* What fails over between two network cards is set up by hand, and is in the way of netkvm. */
static bool is_inf_of(const char *path, const char *os, enum win_arch arch)
{
    return win_source_is_inf(path) && has_folder(path, os) && is_for_arch(path, arch) &&
           !has_folder(path, "sriov") && strcasecmp(win_source_base(path), "vioprot.inf") != 0;
}

/* ---- choosing ---- */

/* While drivers are chosen. */
struct choosing {
    const struct win_source *source;
    const struct win_target *target;
    struct win_drivers *ret;
    const char *os; /* folder that is looked at */
    unsigned rank;
    bool is_older; /* it is of an older family */
    bool all_ranks;
};

static char *lower(const char *text)
{
    char *copy = mem_strdup(text);

    for (char *c = copy; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return copy;
}

static void driver_done(struct win_driver *driver)
{
    for (size_t i = 0; i < driver->n_files; i++)
        free(driver->files[i].name);
    free(driver->files);
    free(driver->name);
    free(driver->dir);
    free(driver->os);
    free(driver->why);
    inf_driver_free(driver->inf);
    strlist_done(&driver->missing);
}

/* What the INF names, of the folder it lies in. */
static void find_files(const struct win_source *source, const char *inf_name,
                       struct win_driver *driver)
{
    CLEANUP_STRLIST struct strlist names = { 0 };

    inf_driver_files(driver->inf, inf_name, &names);
    for (size_t i = 0; i < names.n; i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", driver->dir, names.items[i]);
        struct win_entry *entry = win_source_find(source, path);
        struct win_file *file;

        if (!entry) {
            strlist_add(&driver->missing, names.items[i]);
            continue;
        }
        file = mem_add(&driver->files, &driver->n_files, sizeof(*driver->files));
        file->name = lower(names.items[i]);
        file->entry = (size_t)(entry - source->entries);
        file->data = entry->data;
        file->len = entry->len;
    }
}

static char *explain(const struct choosing *choosing)
{
    const char *own = virtio_win_os(choosing->target);

    if (choosing->rank == 0)
        return mem_printf("made for this Windows (%s)", choosing->os);
    if (choosing->is_older)
        return mem_printf("made for an older Windows (%s), which this one starts too",
                          choosing->os);
    return mem_printf("made for %s, there is none for %s", choosing->os, own);
}

/* The one of that name and rank, or of any rank. */
static struct win_driver *find_driver(const struct win_drivers *drivers, const char *name,
                                      bool any_rank, unsigned rank)
{
    for (size_t i = 0; i < drivers->n; i++)
        if (strcmp(drivers->items[i].name, name) == 0 &&
            (any_rank || drivers->items[i].rank == rank))
            return &drivers->items[i];
    return NULL;
}

static int read_inf(const struct win_entry *entry, const struct win_target *target,
                    struct win_driver *ret, struct err *err)
{
    const char *base = win_source_base(entry->path);
    struct inf *inf = NULL;
    int n = inf_parse(entry->data, entry->len, &inf, err);

    if (n < 0)
        return n;
    ret->inf = inf_driver_new(inf, target);
    inf_free(inf);
    ret->dir = mem_strndup(entry->path, (size_t)(base - entry->path) - 1);
    ret->name = lower(base);
    *strrchr(ret->name, '.') = '\0';
    ret->is_boot_storage = inf_driver_boot_service(ret->inf) != NULL;
    return 0;
}

static void note(struct choosing *choosing, const struct win_entry *entry, const char *why)
{
    strlist_take(&choosing->ret->notes, mem_printf("%s: %s", entry->path, why));
}

/* Is another one better? One may be there twice, in folders by driver and by Windows. */
static bool is_wanted(const struct choosing *choosing, const struct win_driver *driver)
{
    const struct win_driver *other =
        find_driver(choosing->ret, driver->name, !choosing->all_ranks, choosing->rank);

    /* for others only where Windows may refuse the right one: a family has devices of its own */
    if (choosing->is_older && !driver->is_boot_storage &&
        !find_driver(choosing->ret, driver->name, true, 0))
        return false;
    return !other || (other->rank == choosing->rank && other->missing.n > driver->missing.n);
}

static void consider(struct choosing *choosing, const struct win_entry *entry)
{
    struct win_driver driver = { .rank = choosing->rank }, *other;
    struct err err = ERR_NONE;
    char text[512];

    if (!entry->data)
        return;
    if (read_inf(entry, choosing->target, &driver, &err) < 0) {
        note(choosing, entry, err_text(&err, text, sizeof(text)));
        return;
    }
    find_files(choosing->source, win_source_base(entry->path), &driver);
    if (driver.inf->n_devices == 0)
        note(choosing, entry, "it has nothing for this version of Windows");
    if (driver.inf->n_devices == 0 || !is_wanted(choosing, &driver)) {
        driver_done(&driver);
        return;
    }
    driver.os = mem_strdup(choosing->os);
    driver.why = explain(choosing);
    other = find_driver(choosing->ret, driver.name, false, driver.rank);
    if (other)
        driver_done(other);
    else
        other = mem_add(&choosing->ret->items, &choosing->ret->n, sizeof(*other));
    *other = driver;
}

static int compare_drivers(const void *a, const void *b)
{
    const struct win_driver *left = a, *right = b;
    int order = strcmp(left->name, right->name);

    return order != 0 ? order : (left->rank > right->rank) - (left->rank < right->rank);
}

/* Both are for the same device; the one that does something wins. */
static void drop_placeholder(struct win_drivers *drivers)
{
    size_t kept = 0;

    if (!find_driver(drivers, "fwcfg", true, 0))
        return;
    for (size_t i = 0; i < drivers->n; i++) {
        if (strcmp(drivers->items[i].name, "qemufwcfg") == 0)
            driver_done(&drivers->items[i]);
        else
            drivers->items[kept++] = drivers->items[i];
    }
    drivers->n = kept;
}

void virtio_win_choose(struct virtio_win *source, const struct win_target *target, bool all_ranks,
                       struct win_drivers *ret)
{
    struct choosing choosing = {
        .source = &source->source, .target = target, .ret = ret, .all_ranks = all_ranks
    };
    const char *folders = find_folders(target);
    CLEANUP_FREE char *copy = mem_strdup(folders ? folders : "");
    char *save = NULL;

    *ret = (struct win_drivers){ .n = 0 };
    for (char *os = strtok_r(copy, " ", &save); os; os = strtok_r(NULL, " ", &save)) {
        if (strcmp(os, "|") == 0) {
            choosing.is_older = true;
            continue;
        }
        choosing.os = os;
        if (choosing.is_older && !all_ranks)
            break;
        for (size_t i = 0; i < choosing.source->n_entries; i++)
            if (is_inf_of(choosing.source->entries[i].path, os, target->arch))
                consider(&choosing, &choosing.source->entries[i]);
        choosing.rank++;
    }
    drop_placeholder(ret);
    if (ret->n > 0)
        qsort(ret->items, ret->n, sizeof(*ret->items), compare_drivers);
}

void win_drivers_done(struct win_drivers *drivers)
{
    for (size_t i = 0; i < drivers->n; i++)
        driver_done(&drivers->items[i]);
    free(drivers->items);
    strlist_done(&drivers->notes);
    *drivers = (struct win_drivers){ .n = 0 };
}

const struct win_driver *win_drivers_find(const struct win_drivers *drivers, const char *name)
{
    return find_driver(drivers, name, true, 0);
}

const struct win_file *win_driver_file(const struct win_driver *driver, const char *name)
{
    for (size_t i = 0; i < driver->n_files; i++)
        if (strcasecmp(driver->files[i].name, name) == 0)
            return &driver->files[i];
    return NULL;
}
