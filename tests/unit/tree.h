/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A small guest tree in a temporary folder, for tests of plans and fixers. */
#ifndef H2K_TESTS_UNIT_TREE_H
#define H2K_TESTS_UNIT_TREE_H

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/exec.h"
#include "engine/base/io.h"
#include "engine/guest.h"
#include "tests/unit/unit.h"

struct tree {
    char dir[32];
    struct guest_root *root;
};

static inline void tree_run(const char *const *argv)
{
    struct exec_opts opts = { .argv = argv };
    struct err err = ERR_NONE;

    assert_int_equal(exec_check(&opts, NULL, &err), 0);
}

/* A test that fails does not come to its tree_close(). */
static char tree_left[32][32];

static inline void tree_remove_left(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(tree_left); i++) {
        const char *const argv[] = { "rm", "-rf", "--", tree_left[i], NULL };
        struct exec_opts opts = { .argv = argv };
        struct err ignored = ERR_NONE;

        if (tree_left[i][0])
            (void)exec_check(&opts, NULL, &ignored);
    }
}

static inline void tree_remember(const char *dir, bool open)
{
    static bool registered;

    if (!registered)
        assert_int_equal(atexit(tree_remove_left), 0);
    registered = true;
    for (size_t i = 0; i < ARRAY_SIZE(tree_left); i++) {
        if (strcmp(tree_left[i], open ? "" : dir) != 0)
            continue;
        (void)snprintf(tree_left[i], sizeof(tree_left[i]), "%s", open ? dir : "");
        return;
    }
}

/* An empty tree, or a copy of the folder @from. */
static inline void tree_open(struct tree *tree, const char *from)
{
    struct err err = ERR_NONE;
    int fd;

    memcpy(tree->dir, "/tmp/h2k-tree.XXXXXX", sizeof("/tmp/h2k-tree.XXXXXX"));
    assert_non_null(mkdtemp(tree->dir));
    tree_remember(tree->dir, true);
    if (from) {
        char *inside = mem_printf("%s/.", from);

        tree_run((const char *const[]){ "cp", "-a", inside, tree->dir, NULL });
        free(inside);
    }
    fd = open(tree->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(guest_root_new(fd, &tree->root, &err), 0);
    (void)close(fd);
}

static inline void tree_close(struct tree *tree)
{
    guest_root_free(tree->root);
    tree->root = NULL;
    tree_run((const char *const[]){ "rm", "-rf", "--", tree->dir, NULL });
    tree_remember(tree->dir, false);
}

/* Make the folders above @path; returns the path on the host, to free. */
static inline char *tree_path(const struct tree *tree, const char *path)
{
    char *full = mem_printf("%s%s", tree->dir, path);

    for (char *slash = strchr(full + strlen(tree->dir) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(full, 0755);
        *slash = '/';
    }
    return full;
}

static inline void tree_put_bytes(const struct tree *tree, const char *path, const void *data,
                                  size_t len, mode_t mode)
{
    char *full = tree_path(tree, path);
    struct err err = ERR_NONE;

    assert_int_equal(io_write_file(full, data, len, mode, &err), 0);
    free(full);
}

static inline void tree_put(const struct tree *tree, const char *path, const char *text,
                            mode_t mode)
{
    tree_put_bytes(tree, path, text, strlen(text), mode);
}

static inline void tree_link(const struct tree *tree, const char *target, const char *path)
{
    char *full = tree_path(tree, path);

    assert_int_equal(symlink(target, full), 0);
    free(full);
}

static inline void tree_expect(const struct tree *tree, const char *path, const char *want)
{
    struct err err = ERR_NONE;
    char *text = NULL;

    assert_int_equal(guest_read(tree->root, path, GUEST_TEXT_MAX, &text, NULL, &err), 0);
    assert_string_equal(text, want);
    free(text);
}

#endif
