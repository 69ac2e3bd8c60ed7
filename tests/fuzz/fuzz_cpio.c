/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The same bytes in one piece and in small pieces must give the same entries and the same result.
 */
#include <stdlib.h>
#include <string.h>

#include "inspect/cpio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sum {
    uint64_t entries, bytes, ends, names;
};

static int entry(void *arg, const struct cpio_entry *entry)
{
    struct sum *sum = arg;

    sum->entries++;
    for (const char *c = entry->name; *c; c++)
        sum->names = sum->names * 31 + (unsigned char)*c;
    return entry->ino % 2 == 0;
}

static int content(void *arg, const uint8_t *data, size_t len)
{
    struct sum *sum = arg;

    for (size_t i = 0; i < len; i++)
        sum->bytes = sum->bytes * 31 + data[i] + 1;
    return 0;
}

static int end(void *arg)
{
    ((struct sum *)arg)->ends++;
    return 0;
}

static int run(const uint8_t *data, size_t size, size_t piece, struct sum *sum)
{
    struct cpio_sink sink = { entry, content, end, sum };
    struct cpio cpio;
    size_t done = 0;

    cpio_init(&cpio, &sink);
    while (done < size) {
        size_t n = piece < size - done ? piece : size - done, used = 0;
        int r = cpio_feed(&cpio, data + done, n, &used);

        if (r < 0)
            return r;
        if (used == 0 || used > n)
            abort(); /* it must go on */
        done += used;
        if (cpio_skippable(&cpio) > UINT32_MAX)
            abort();
    }
    return (int)cpio.state;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sum whole = { 0 }, pieces = { 0 };

    if (run(data, size, size, &whole) != run(data, size, 7, &pieces) ||
        memcmp(&whole, &pieces, sizeof(whole)) != 0)
        abort();
    return 0;
}
