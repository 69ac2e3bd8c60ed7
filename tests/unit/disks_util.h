/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Disks of a guest for the tests of layers: plain files, no root needed. */
#ifndef H2K_TESTS_DISKS_UTIL_H
#define H2K_TESTS_DISKS_UTIL_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/volume.h"
#include "tests/unit/unit.h"

#define MIB (1ULL << 20)
#define DISKS 3

static char images[DISKS][sizeof("/tmp/h2k-disk-XXXXXX")];

static struct {
    struct disk disks[DISKS];
    size_t n;
    struct stack *stack;
} on;

static inline int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < DISKS; i++) {
        memcpy(images[i], "/tmp/h2k-disk-XXXXXX", sizeof(images[i]));
        on.disks[i].fd = mkstemp(images[i]);
        if (on.disks[i].fd < 0)
            return -1;
    }
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < DISKS; i++) {
        (void)close(on.disks[i].fd);
        (void)unlink(images[i]);
    }
    return 0;
}

/* After each test. */
static inline int after(void **state)
{
    (void)state;
    stack_free(on.stack);
    on.stack = NULL;
    return 0;
}

/* The guest has @n empty disks of @size bytes. */
static inline void new_disks(size_t n, uint64_t size)
{
    on.n = n;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(ftruncate(on.disks[i].fd, 0), 0);
        assert_int_equal(ftruncate(on.disks[i].fd, (off_t)size), 0);
        on.disks[i].size_bytes = size;
        on.disks[i].sector_size = 512;
        on.disks[i].read_only = true;
    }
}

static inline void put(size_t disk, uint64_t at, const void *bytes, size_t len)
{
    assert_int_equal(pwrite(on.disks[disk].fd, bytes, len, (off_t)at), (ssize_t)len);
}

static inline void build(void)
{
    struct disk *disks[DISKS] = { &on.disks[0], &on.disks[1], &on.disks[2] };
    struct err err = ERR_NONE;
    char text[ERR_TEXT];

    if (stack_build(NULL, disks, on.n, &on.stack, &err) < 0)
        fail_msg("%s", err_text(&err, text, sizeof(text)));
}

static inline const struct volume *volume(const char *name)
{
    const struct volume *found = stack_find(on.stack, name);

    if (!found)
        fail_msg("no volume %s", name);
    return found;
}

#endif
