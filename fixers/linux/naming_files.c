/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/linux/naming_files.h"

#include <fnmatch.h>
#include <string.h>

#include "engine/base/cleanup.h"

void naming_files_done(struct naming_files *naming)
{
    for (size_t i = 0; i < naming->n; i++) {
        free(naming->files[i].path);
        free(naming->files[i].text);
    }
    free(naming->files);
    *naming = (struct naming_files){ 0 };
}

static int read_one(struct plan *plan, const char *path, struct naming_files *ret, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    int r = plan_read_text(plan, path, &text, err);

    if (r > 0)
        *(struct naming_file *)mem_add(&ret->files, &ret->n, sizeof(*ret->files)) =
            (struct naming_file){ .path = mem_strdup(path), .text = TAKE(text) };
    return r < 0 ? r : 0;
}

/* A link to /dev/null takes a file of the distribution out of use. */
static bool is_mask(const struct plan *plan, const char *path)
{
    CLEANUP_FREE char *target = plan_readlink(plan, path);

    return target && strcmp(target, "/dev/null") == 0;
}

int naming_files_read(struct plan *plan, struct naming_files *ret, struct err *err)
{
    CLEANUP_STRLIST struct strlist names = { 0 }, paths = { 0 };
    int r = 0;

    if (guest_is_dir(plan->root, NAMING_LINKS))
        r = guest_list(plan->root, NAMING_LINKS, &names, err);
    for (size_t i = 0; i < names.n; i++)
        strlist_take(&paths, mem_printf(NAMING_LINKS "/%s", names.items[i]));
    for (size_t i = 0; i < plan->n; i++)
        if (plan->changes[i].action == CHANGE_WRITE && !strlist_has(&paths, plan->changes[i].path))
            strlist_add(&paths, plan->changes[i].path);
    strlist_sort(&paths);
    if (r >= 0 && plan_exists(plan, NAMING_RULES))
        r = read_one(plan, NAMING_RULES, ret, err);
    for (size_t i = 0; r >= 0 && i < paths.n; i++)
        if (fnmatch(NAMING_LINKS "/*.link", paths.items[i], FNM_PATHNAME) == 0 &&
            plan_exists(plan, paths.items[i]) && !is_mask(plan, paths.items[i]))
            r = read_one(plan, paths.items[i], ret, err);
    return r < 0 ? r : 0;
}

bool naming_archive_has_udev(const struct initramfs *found)
{
    static const char *const programs[] = { "*/systemd-udevd", "*/udevd", "*/bin/udevadm" };

    for (size_t i = 0; i < found->names.n; i++)
        for (size_t j = 0; j < ARRAY_SIZE(programs); j++)
            if (fnmatch(programs[j], found->names.items[i], 0) == 0)
                return true;
    return false;
}

/* ---- what the archive has ---- */

/* Is the archive's file in one of the folders of its kind? *ret_is_etc: in the one that counts. */
static bool is_read_by_udev(const char *name, bool *ret_is_etc)
{
    static const char *const folders[] = { "etc/udev/rules.d/",        "usr/lib/udev/rules.d/",
                                           "lib/udev/rules.d/",        "etc/systemd/network/",
                                           "usr/lib/systemd/network/", "lib/systemd/network/" };
    const char *slash = strrchr(name, '/');
    size_t len = slash ? (size_t)(slash + 1 - name) : 0;

    *ret_is_etc = name[0] == 'e';
    for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
        if (strlen(folders[i]) == len && strncmp(name, folders[i], len) == 0)
            return true;
    return false;
}

/* The content that udev in the archive sees: etc comes before usr/lib and lib, and a later entry
 * replaces an earlier one. */
static const struct initramfs_file *find_inside(const struct initramfs *found, const char *path)
{
    const struct initramfs_file *best = NULL;
    bool best_is_etc = false;

    for (size_t i = 0; i < found->n_kept; i++) {
        const struct initramfs_file *file = &found->kept[i];
        bool is_etc = false;

        if (!is_read_by_udev(file->name, &is_etc) || (best_is_etc && !is_etc) ||
            strcmp(strrchr(file->name, '/'), strrchr(path, '/')) != 0)
            continue;
        best = file;
        best_is_etc = is_etc;
    }
    return best;
}

size_t naming_add_missing(const struct naming_files *naming, const struct initramfs *found,
                          struct segment *segment)
{
    size_t n = 0;

    for (size_t i = 0; i < naming->n; i++) {
        const struct naming_file *file = &naming->files[i];
        const struct initramfs_file *inside = find_inside(found, file->path);
        size_t len = strlen(file->text);

        if (inside && inside->len == len && memcmp(inside->data, file->text, len) == 0)
            continue;
        segment_add(segment, file->path + 1, mem_strdup(file->text), len);
        n++;
    }
    return n;
}
