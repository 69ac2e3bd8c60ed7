/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Drivers that osslsigncode signed (tests/lib/make-virtio-win), and what is read of their
 * signatures. */
#ifndef H2K_TESTS_UNIT_SIGNATURE_UTIL_H
#define H2K_TESTS_UNIT_SIGNATURE_UTIL_H

#include <stdlib.h>

#include "engine/base/io.h"
#include "fixers/windows/signature.h"
#include "tests/unit/tree.h"

#define READ_MAX (1U << 20)

static struct tree tree;
static bool is_made; /* else its tools are missing */

struct file {
    char *bytes;
    size_t len;
};

static inline bool run(const char *const *argv)
{
    struct exec_opts opts = { .argv = argv };
    struct err err = ERR_NONE;
    char text[512];

    if (exec_check(&opts, NULL, &err) == 0)
        return true;
    print_message("%s\n", err_text(&err, text, sizeof(text)));
    return false;
}

static inline int setup(void **state)
{
    char *script = mem_printf("%s/../lib/make-virtio-win", TEST_DATA_DIR), *dir;

    (void)state;
    tree_open(&tree, NULL);
    dir = mem_printf("%s/d", tree.dir);
    is_made = run((const char *const[]){ script, "--os", "w7,w8.1,w10", dir, NULL });
    free(script);
    free(dir);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    tree_close(&tree);
    return 0;
}

static inline struct file read_file(const char *path)
{
    char *full = mem_printf("%s/%s", tree.dir, path);
    struct file file = { 0 };
    struct err err = ERR_NONE;

    assert_int_equal(io_read_file(full, READ_MAX, &file.bytes, &file.len, &err), 0);
    free(full);
    return file;
}

static inline void write_file(const char *path, const struct file *file)
{
    char *full = mem_printf("%s/%s", tree.dir, path);
    struct err err = ERR_NONE;

    assert_int_equal(io_write_file(full, file->bytes, file->len, 0644, &err), 0);
    free(full);
}

/* "kind digest subject < issuer", with a star when a catalog said so. Releases @signature. */
static inline char *show(struct signature *signature)
{
    char *text =
        mem_printf("%d%s %s %s < %s", (int)signature->kind, signature->by_catalog ? "*" : "",
                   signature->digest, signature->subject, signature->issuer);

    signature_done(signature);
    return text;
}

static inline void expect(const struct file *pe, const struct file *catalog, const char *want)
{
    struct signature signature;
    char *have;

    signature_read(pe->bytes, pe->len, catalog ? catalog->bytes : NULL, catalog ? catalog->len : 0,
                   &signature);
    have = show(&signature);
    assert_string_equal(have, want);
    free(have);
}

/* "folder verdict" of the one that is chosen, then how many were passed over. */
static inline char *choose(struct virtio_win *source, const char *name,
                           const struct win_target *target, bool secure_boot)
{
    struct win_drivers drivers;
    struct win_verdict verdict;
    struct strlist notes = { 0 };
    struct err err = ERR_NONE;
    const struct win_driver *driver;
    char *text;

    virtio_win_choose(source, target, true, &drivers);
    assert_int_equal(virtio_win_load(source, &drivers, &err), 0);
    driver = win_driver_choose(&drivers, name, target, secure_boot, &verdict, &notes);
    text = mem_printf("%s %d -%zu", driver ? driver->dir : "none", (int)verdict.verdict, notes.n);
    print_message("%s\n", verdict.text ? verdict.text : "");
    for (size_t i = 0; i < notes.n; i++)
        print_message("  not %s\n", notes.items[i]);
    win_verdict_done(&verdict);
    strlist_done(&notes);
    win_drivers_done(&drivers);
    return text;
}

static inline struct virtio_win *open_source(void)
{
    char *path = mem_printf("%s/d", tree.dir);
    struct virtio_win *source = NULL;
    struct err err = ERR_NONE;

    assert_int_equal(virtio_win_open(path, &source, &err), 0);
    free(path);
    return source;
}

#endif
