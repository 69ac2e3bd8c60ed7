/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Images made here, attached, mounted and written; for the tests that need root. */
#ifndef H2K_TESTS_ROOT_MOUNT_UTIL_H
#define H2K_TESTS_ROOT_MOUNT_UTIL_H

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/image.h"
#include "engine/leftovers.h"
#include "storage/mount.h"
#include "tests/unit/run_util.h"

#define MIB (1ULL << 20)

static char dir[] = "/var/tmp/storage-test-XXXXXX";
static const struct guest_attr plain = { .mode = 0644 };

/* What a test holds; released by release(), also after a failure. */
static struct {
    struct session *session;
    struct image *images[2];
    struct disk *disks[2];
    size_t n;
    struct stack *stack;
    struct mtree *tree;
} on;

static inline char *path_of(const char *file)
{
    return mem_printf("%s/%s", dir, file);
}

static inline void must(int r, const struct err *err)
{
    char text[4096];

    if (r < 0)
        fail_msg("%s", err_text(err, text, sizeof(text)));
}

static inline char *new_image(const char *file, uint64_t size)
{
    char *path = path_of(file);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    (void)close(fd);
    return path;
}

static inline uint64_t hash_fd(int fd, uint64_t size)
{
    uint64_t hash = 14695981039346656037U;
    uint64_t words[512];

    for (uint64_t at = 0; at + sizeof(words) <= size; at += sizeof(words)) {
        assert_int_equal(io_pread_full(fd, words, sizeof(words), at), 0);
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
            hash = (hash ^ words[i]) * 1099511628211U;
    }
    return hash;
}

static inline void attach_image(const char *file, enum disk_mode mode, const char *overlay)
{
    struct image_opts image_opts = { .format = "raw", .allow_stale = true };
    struct disk_opts opts = { .mode = mode, .overlay = overlay };
    struct err err = ERR_NONE;
    char *path = path_of(file);

    if (!on.session)
        must(session_open(NULL, &on.session, &err), &err);
    must(image_open(path, &image_opts, &on.images[on.n], &err), &err);
    must(disk_attach(on.session, on.images[on.n], &opts, &on.disks[on.n], &err), &err);
    on.n++;
    free(path);
}

static inline void build(void)
{
    struct err err = ERR_NONE;

    must(stack_build(on.session, on.disks, on.n, &on.stack, &err), &err);
    must(mtree_new(on.stack, &on.tree, &err), &err);
}

static inline void open_image(const char *file, enum disk_mode mode)
{
    attach_image(file, mode, NULL);
    build();
}

static inline int try_mount(const char *volume, const char *target, const struct mount_opts *opts,
                            struct err *err)
{
    struct volume *found = stack_find(on.stack, volume);

    assert_non_null(found);
    return mtree_mount(on.tree, found, target, opts, err);
}

static inline void mount_rw(const char *volume, const char *target)
{
    struct mount_opts opts = { .read_only = false };
    struct err err = ERR_NONE;

    must(try_mount(volume, target, &opts, &err), &err);
}

static inline void mount_ro(const char *volume, const char *target)
{
    struct mount_opts opts = { .read_only = true };
    struct err err = ERR_NONE;

    must(try_mount(volume, target, &opts, &err), &err);
}

static inline void again(void)
{
    struct err err = ERR_NONE;

    must(mtree_release(on.tree, &err), &err);
    on.tree = NULL;
    must(mtree_new(on.stack, &on.tree, &err), &err);
}

static inline int release(void **state)
{
    struct err err = ERR_NONE;
    int r = mtree_release(on.tree, &err);

    (void)state;
    stack_free(on.stack);
    if (session_close(on.session, &err) < 0)
        r = -1;
    for (size_t i = 0; i < on.n; i++) {
        if (image_check_unchanged(on.images[i], &err) < 0)
            r = -1;
        image_free(on.images[i]);
    }
    if (r < 0) {
        char text[4096];

        print_message("%s\n", err_text(&err, text, sizeof(text)));
    }
    memset(&on, 0, sizeof(on));
    return r;
}

static inline void put(const char *path, const char *text)
{
    struct guest_piece piece = { .data = text, .len = strlen(text) };
    struct err err = ERR_NONE;

    must(guest_replace(mtree_root(on.tree), path, &piece, 1, &plain, &err), &err);
}

static inline void expect(const char *path, const char *want)
{
    struct err err = ERR_NONE;
    char *text = NULL;

    must(guest_read(mtree_root(on.tree), path, 1000000, &text, NULL, &err), &err);
    assert_string_equal(text, want);
    free(text);
}

static inline void make_folder(const char *path)
{
    const struct guest_attr attr = { .mode = 0755 };
    struct err err = ERR_NONE;

    must(guest_mkdir(mtree_root(on.tree), path, &attr, &err), &err);
}

static inline void sync_tree(void)
{
    struct err err = ERR_NONE;

    must(mtree_sync(on.tree, &err), &err);
}

static inline int setup(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static inline int teardown(void **state)
{
    struct err err = ERR_NONE;

    (void)state;
    return leftovers_remove_tree(dir, &err);
}

#endif
