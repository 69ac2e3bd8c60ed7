/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest's root in a folder of its own that is emptied after each input. */
#ifndef H2K_TESTS_FUZZ_TREE_H
#define H2K_TESTS_FUZZ_TREE_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/guest.h"

static char tree_dir[] = "/dev/shm/h2k-fuzz.XXXXXX"; /* where syncing costs nothing */
static struct guest_root *root;

static void must(int ok)
{
    if (!ok)
        abort();
}

static int tree_remove(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    return ftw->level == 0 ? 0 : remove(path);
}

static void tree_clear(void)
{
    must(nftw(tree_dir, tree_remove, 16, FTW_PHYS | FTW_DEPTH) == 0);
}

static void tree_finish(void)
{
    tree_clear();
    (void)rmdir(tree_dir);
    guest_root_free(root);
}

static void tree_start(void)
{
    struct err err = ERR_NONE;
    int fd;

    if (!mkdtemp(tree_dir)) {
        memcpy(tree_dir, "/tmp/h2k-fuzz.XXXXXX", sizeof("/tmp/h2k-fuzz.XXXXXX"));
        must(mkdtemp(tree_dir) != NULL);
    }
    fd = open(tree_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    must(fd >= 0 && guest_root_new(fd, &root, &err) == 0);
    (void)close(fd);
    (void)atexit(tree_finish);
}

static void tree_put(const char *path, const void *data, size_t size)
{
    char *full = mem_printf("%s%s", tree_dir, path);
    int fd;

    for (char *slash = strchr(full + strlen(tree_dir) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(full, 0755);
        *slash = '/';
    }
    fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    must(fd >= 0 && io_write_full(fd, data, size) == 0);
    (void)close(fd);
    free(full);
}

#endif
