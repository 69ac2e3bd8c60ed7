/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Real images for the tests of engine/image.c, made by qemu-img in a folder of their own. */
#ifndef H2K_TESTS_IMAGE_UTIL_H
#define H2K_TESTS_IMAGE_UTIL_H

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/exec.h"
#include "engine/base/io.h"
#include "engine/base/le.h"
#include "engine/image.h"
#include "tests/unit/unit.h"

#define MB (1024 * 1024LL)
#define ARGS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static char folder[PATH_MAX]; /* the current test's, resolved */
static char *paths[256];
static size_t n_paths;

/* Path of a file in the test's folder, valid until the end of the test. */
static inline const char *in(const char *name)
{
    assert_true(n_paths < ARRAY_SIZE(paths));
    paths[n_paths] = mem_printf("%s/%s", folder, name);
    return paths[n_paths++];
}

/* The same for an option string that names a raw file. */
static inline const char *raw_opts(const char *path)
{
    assert_true(n_paths < ARRAY_SIZE(paths));
    paths[n_paths] = mem_printf("driver=raw,file.driver=file,file.filename=%s", path);
    return paths[n_paths++];
}

static inline int make_folder(void **state)
{
    char temp[] = "/tmp/h2k-image.XXXXXX";

    (void)state;
    return mkdtemp(temp) && realpath(temp, folder) ? 0 : -1;
}

static inline int remove_folder(void **state)
{
    struct err err = ERR_NONE;
    struct exec_opts opts = { .argv = ARGS("rm", "-rf", folder) };

    (void)state;
    while (n_paths > 0)
        free(paths[--n_paths]);
    return exec_check(&opts, NULL, &err);
}

static inline void run(const char *const *argv)
{
    struct err err = ERR_NONE;
    struct exec_opts opts = { .argv = argv };
    char text[1024];

    if (exec_check(&opts, NULL, &err) < 0)
        fail_msg("%s", err_text(&err, text, sizeof(text)));
}

/* What it prints; free it. */
static inline char *output_of(const char *const *argv)
{
    struct err err = ERR_NONE;
    struct exec_opts opts = { .argv = argv };
    struct exec_result result = { 0 };
    char text[1024];
    char *out;

    if (exec_check(&opts, &result, &err) < 0)
        fail_msg("%s", err_text(&err, text, sizeof(text)));
    out = strbuf_take(&result.out);
    exec_result_done(&result);
    return out;
}

static inline void write_at(const char *path, uint64_t offset, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(io_pwrite_full(fd, data, len, offset), 0);
    (void)close(fd);
}

static inline void read_at(const char *path, uint64_t offset, void *data, size_t len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(io_pread_full(fd, data, len, offset), 0);
    (void)close(fd);
}

static inline void write_text(const char *path, const char *text)
{
    (void)unlink(path);
    write_at(path, 0, text, strlen(text));
}

static inline uint64_t file_size(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return (uint64_t)st.st_size;
}

/* A raw disk with data at its start, in its middle and in its last sector. */
static inline const char *make_raw(const char *name, uint64_t size)
{
    const char *path = in(name);
    unsigned char noise[65536];
    unsigned seed = 1;

    for (size_t i = 0; i < sizeof(noise); i++) {
        seed = seed * 1103515245 + 12345;
        noise[i] = (unsigned char)(seed >> 16);
    }
    write_at(path, 0, noise, sizeof(noise));
    assert_int_equal(truncate(path, (off_t)size), 0);
    write_at(path, size / 2, noise, sizeof(noise));
    write_at(path, size - sizeof(noise), noise, sizeof(noise));
    return path;
}

/* NAME in FORMAT with these -o options ("" for none), holding make_raw()'s data. */
static inline const char *make_image(const char *name, const char *format, const char *options,
                                     uint64_t size)
{
    const char *raw = make_raw("source.raw", size), *path = in(name);

    if (options[0])
        run(ARGS("qemu-img", "convert", "-f", "raw", "-O", format, "-o", options, raw, path));
    else
        run(ARGS("qemu-img", "convert", "-f", "raw", "-O", format, raw, path));
    return path;
}

static inline struct image *open_image(const char *path, const struct image_opts *opts)
{
    struct err err = ERR_NONE;
    struct image *image = NULL;
    char text[1024];

    if (image_open(path, opts, &image, &err) < 0)
        fail_msg("%s", err_text(&err, text, sizeof(text)));
    return image;
}

/* It must not be opened, with this status and these words in the message. */
static inline void assert_refused(const char *path, const struct image_opts *opts,
                                  enum err_status status, const char *words)
{
    struct err err = ERR_NONE;
    struct image *image = NULL;
    char text[4096] = "(it was opened)";

    if (image_open(path, opts, &image, &err) == 0)
        image_free(image);
    else
        err_text(&err, text, sizeof(text));
    if (err.status != status || !strstr(text, words))
        fail_msg("expected status %d and \"%s\", got %d: %s", status, words, err.status, text);
}

/* qemu-img is a declared dependency of the tests; without it nothing here can be said. */
static inline int skip_without_qemu(void)
{
    if (exec_have("qemu-img"))
        return 0;
    print_message("skipped: no qemu-img\n");
    return 1;
}

#define image_test(fn) cmocka_unit_test_setup_teardown(fn, make_folder, remove_folder)

#endif
