/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/linux/naming_files.h"

#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

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

/* The content that udev in the archive sees for each file: etc comes before usr/lib and lib. */
struct inside {
    const struct naming_files *naming;
    struct strbuf *texts; /* one for each file */
    bool *is_etc, *is_there;
};

/* Which file is it? naming->n: none. */
static size_t which(const struct naming_files *naming, const char *name, bool *ret_is_etc)
{
    static const char *const folders[] = { "etc/udev/rules.d/",        "usr/lib/udev/rules.d/",
                                           "lib/udev/rules.d/",        "etc/systemd/network/",
                                           "usr/lib/systemd/network/", "lib/systemd/network/" };

    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        size_t len = strlen(folders[i]);

        if (strncmp(name, folders[i], len) != 0)
            continue;
        *ret_is_etc = name[0] == 'e';
        for (size_t j = 0; j < naming->n; j++)
            if (strcmp(strrchr(naming->files[j].path, '/') + 1, name + len) == 0)
                return j;
    }
    return naming->n;
}

static bool want_file(void *arg, const char *name, uint32_t mode)
{
    struct inside *inside = arg;
    bool is_etc;

    return S_ISREG(mode) && which(inside->naming, name, &is_etc) < inside->naming->n;
}

static int take_file(void *arg, const char *name, uint32_t mode, const void *data, size_t len)
{
    struct inside *inside = arg;
    bool is_etc = false;
    size_t i = which(inside->naming, name, &is_etc);

    (void)mode;
    if (inside->is_etc[i] && !is_etc)
        return 0;
    inside->is_etc[i] = is_etc;
    inside->is_there[i] = true;
    inside->texts[i].len = 0;
    strbuf_add(&inside->texts[i], data, len);
    return 0;
}

int naming_add_missing(const struct naming_files *naming, int fd, uint64_t size,
                       struct segment *segment, size_t *ret_n, struct err *err)
{
    CLEANUP_FREE struct strbuf *texts = mem_alloc((naming->n + 1) * sizeof(*texts));
    CLEANUP_FREE bool *is_etc = mem_alloc(naming->n + 1);
    CLEANUP_FREE bool *is_there = mem_alloc(naming->n + 1);
    struct inside inside = { naming, texts, is_etc, is_there };
    int r = 0;

    if (naming->n > 0)
        r = initramfs_walk(fd, size, want_file, take_file, &inside, err);
    *ret_n = 0;
    for (size_t i = 0; i < naming->n; i++) {
        const struct naming_file *file = &naming->files[i];
        size_t len = strlen(file->text);

        if (r >= 0 && (!is_there[i] || texts[i].len != len ||
                       memcmp(strbuf_text(&texts[i]), file->text, len) != 0)) {
            segment_add(segment, file->path + 1, mem_strdup(file->text), len);
            (*ret_n)++;
        }
        strbuf_done(&texts[i]);
    }
    return r;
}
