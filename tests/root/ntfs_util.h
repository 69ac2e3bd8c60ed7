/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NTFS of mkntfs; for the tests that need root. */
#ifndef H2K_TESTS_ROOT_NTFS_UTIL_H
#define H2K_TESTS_ROOT_NTFS_UTIL_H

#include <sys/statfs.h>

#include "tests/root/mount_util.h"

#define NTFS3 0x7366746e /* statfs(2) f_type */

/* By ntfs-3g, or by the kernel's driver where there is no ntfs-3g. */
static inline bool can_test(void)
{
    return exec_have("mkntfs") && exec_have("ntfscat") && exec_have("ntfscp") &&
           mount_support("ntfs", false) != MOUNT_NONE;
}

static inline char *new_ntfs(const char *file)
{
    char *path = new_image(file, 64 * MIB);

    RUN("mkntfs", "-FQq", path);
    return path;
}

/* An empty volume is mounted at "/" for writing; the test is skipped where that cannot be. */
static inline void start_ntfs(void)
{
    if (!can_test())
        skip();
    free(new_ntfs("ntfs.raw"));
    open_image("ntfs.raw", DISK_OVERLAY);
    mount_rw("/dev/sda", "/");
}

static inline bool is_ntfs3(void)
{
    struct statfs fs;

    assert_int_equal(fstatfs(guest_root_fd(mtree_root(on.tree)), &fs), 0);
    return fs.f_type == NTFS3;
}

/* A file on the volume, by ntfscp. */
static inline void add_file(const char *image, const char *name, const void *data, size_t len)
{
    char *from = path_of("file");
    struct err err = ERR_NONE;

    must(io_write_file(from, data, len, 0600, &err), &err);
    RUN("ntfscp", "-fq", image, from, name);
    free(from);
}

static inline char *output_of(const char *const *argv, int *ret_status)
{
    struct exec_opts opts = { .argv = argv };
    struct exec_result result = { 0 };
    struct err err = ERR_NONE;
    char *text;

    must(exec_run(&opts, &result, &err), &err);
    if (ret_status)
        *ret_status = result.exit_status;
    text = mem_strdup(strbuf_text(&result.out));
    exec_result_done(&result);
    return text;
}

static inline void expect_in_image(const char *image, const char *file, const char *want)
{
    const char *const argv[] = { "ntfscat", image, file, NULL };
    char *text = output_of(argv, NULL);

    assert_string_equal(text, want);
    free(text);
}

#endif
