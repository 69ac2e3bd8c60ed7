/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/ostree.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/bootmenu.h"
#include "inspect/linux.h"

#define TOP "/ostree/deploy"
#define MAX_NAMES 16       /* of systems */
#define MAX_DEPLOYMENTS 64 /* of one */
#define MAX_ENTRIES 64

struct deployment {
    char *path;
    time_t made;
};

static int newest_first(const void *a, const void *b)
{
    const struct deployment *x = a, *y = b;

    if (x->made != y->made)
        return x->made < y->made ? 1 : -1;
    return strcmp(x->path, y->path);
}

/* It has been deployed: /etc is there, and programs. */
static bool is_deployed(const struct guest_root *root, const char *path)
{
    CLEANUP_FREE char *etc = mem_printf("%s/etc", path);
    CLEANUP_FREE char *usr = mem_printf("%s/usr", path);

    return guest_is_dir(root, etc) && guest_is_dir(root, usr);
}

/* Of all times only that of the file beside it is the time when it was made. */
static time_t time_of(const struct guest_root *root, const char *path)
{
    CLEANUP_FREE char *origin = mem_printf("%s.origin", path);
    struct stat st;

    return guest_stat(root, origin, &st) == 0 ? st.st_mtime : 0;
}

void ostree_deployments(const struct guest_root *root, struct strlist *ret)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    struct deployment *found = NULL;
    struct err err = ERR_NONE;
    size_t n = 0;

    if (guest_list(root, TOP, &names, &err) < 0)
        return;
    for (size_t i = 0; i < names.n && i < MAX_NAMES; i++) {
        CLEANUP_FREE char *folder = mem_printf(TOP "/%s/deploy", names.items[i]);
        CLEANUP_STRLIST struct strlist folders = { 0 };

        if (guest_list(root, folder, &folders, &err) < 0)
            continue;
        for (size_t f = 0; f < folders.n && f < MAX_DEPLOYMENTS; f++) {
            char *path = mem_printf("%s/%s", folder, folders.items[f]);

            if (is_deployed(root, path))
                *(struct deployment *)mem_add(&found, &n, sizeof(*found)) =
                    (struct deployment){ .path = path, .made = time_of(root, path) };
            else
                free(path);
        }
    }
    if (n > 1)
        qsort(found, n, sizeof(*found), newest_first);
    for (size_t i = 0; i < n; i++)
        strlist_take(ret, found[i].path);
    free(found);
}

/* ---- what is started ---- */

static void add_args(const char *text, size_t len, struct strlist *ret)
{
    CLEANUP_BOOTMENU struct bootmenu menu = { 0 };

    bootmenu_parse(BOOTMENU_BLS, text, len, &menu);
    for (size_t i = 0; i < menu.n; i++) {
        size_t pos = menu.lines[i].at.start;
        struct kernel_arg arg;

        while (kernel_arg_next(text, &menu.lines[i].at, &pos, &arg))
            if (span_is(text, arg.name, "ostree"))
                strlist_take(ret, span_dup(text, arg.value));
    }
}

static int last_version_first(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;

    return strverscmp(*y, *x);
}

void ostree_boot_args(const struct guest_root *root, const char *boot, struct strlist *ret)
{
    CLEANUP_FREE char *folder = mem_printf("%s/loader/entries", boot);
    CLEANUP_STRLIST struct strlist names = { 0 };
    struct err err = ERR_NONE;

    if (guest_list(root, folder, &names, &err) < 0)
        return;
    /* libostree numbers the entries; the highest is the default, with any boot loader */
    if (names.n > 1)
        qsort(names.items, names.n, sizeof(*names.items), last_version_first);
    for (size_t i = 0; i < names.n && i < MAX_ENTRIES; i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", folder, names.items[i]);
        size_t len = 0;
        CLEANUP_FREE char *text = linux_read(root, path, &len);

        if (text)
            add_args(text, len, ret);
    }
}

/* "/ostree/boot.1/NAME/CHECKSUM/0" -> "/boot/ostree/NAME-CHECKSUM"; "" when it is not so made. */
static char *kernels_of(const char *arg)
{
    const char *part[6] = { NULL };
    size_t len[6], n = 0;

    for (const char *at = arg; *at == '/' && n < ARRAY_SIZE(part); at += len[n++] + 1) {
        part[n] = at + 1;
        len[n] = strcspn(at + 1, "/");
    }
    if (n != 5)
        return mem_strdup("");
    return mem_printf("/boot/ostree/%.*s-%.*s", (int)len[2], part[2], (int)len[3], part[3]);
}

static void set_found(struct ostree *ret, const char *path, char *kernels)
{
    const char *end = strstr(path + strlen(TOP) + 1, "/deploy/");

    ret->path = mem_strdup(path);
    ret->var = mem_printf("%.*s/var", (int)(end - path), path);
    ret->kernels = kernels;
}

void ostree_find(const struct guest_root *root, const struct strlist *args, struct ostree *ret)
{
    CLEANUP_STRLIST struct strlist deployments = { 0 };

    ostree_deployments(root, &deployments);
    for (size_t i = 0; i < args->n && deployments.n > 0; i++) {
        CLEANUP_FREE char *real = NULL;
        struct err err = ERR_NONE;

        if (guest_real_path(root, args->items[i], &real, &err) == 0 &&
            strlist_has(&deployments, real)) {
            set_found(ret, real, kernels_of(args->items[i]));
            return;
        }
    }
    if (deployments.n > 0)
        set_found(ret, deployments.items[0], mem_strdup(""));
}

void ostree_done(struct ostree *ostree)
{
    free(ostree->path);
    free(ostree->var);
    free(ostree->kernels);
    *ostree = (struct ostree){ 0 };
}
