/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/peek.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"

#define SECTOR 512U
#define PEEKS_MAX 128U      /* of a guest: each may hold a copy of START + END bytes */
#define START (1536U << 10) /* tables, superblocks, LVM's metadata */
#define END (256U << 10)    /* md's superblock, the second GPT */
#define PIECE (64U << 10)

struct peek {
    struct stack *stack;
    struct dmtables tables;
    size_t index;
};

/* A place on its way down through the tables: so many bytes lie together. */
struct place {
    size_t table;
    uint64_t at;
    uint64_t len;
};

/* ---- one row ---- */

/* Text up to the next blank; moves *@text behind it. */
static char *word(const char **text)
{
    size_t len = strcspn(*text, " ");
    char *copy = mem_strndup(*text, len);

    *text += len + ((*text)[len] == ' ');
    return copy;
}

static uint64_t number(const char **text)
{
    CLEANUP_FREE char *digits = word(text);

    return strtoull(digits, NULL, 10);
}

static void shorten(struct place *place, uint64_t len)
{
    place->len = place->len < len ? place->len : len;
}

/* "DEVICE START" */
static char *in_linear(const struct dmtable_row *row, struct place *place)
{
    const char *params = row->params;
    char *device = word(&params);

    place->at += number(&params) * SECTOR;
    return device;
}

/* "N CHUNK DEVICE START DEVICE START ...": chunks go round the devices. */
static char *in_striped(const struct dmtable_row *row, struct place *place)
{
    const char *params = row->params;
    uint64_t n = number(&params), chunk = number(&params) * SECTOR, within, start = 0;
    CLEANUP_FREE char *device = NULL;

    if (n == 0 || chunk == 0)
        return NULL;
    within = place->at % chunk;
    for (uint64_t i = 0; i <= place->at / chunk % n; i++) {
        free(device);
        device = word(&params);
        start = number(&params) * SECTOR;
    }
    shorten(place, chunk - within);
    place->at = start + place->at / chunk / n * chunk + within;
    return TAKE(device);
}

/* "N CHUNK I DEVICE START": chunk number I of every N. */
static char *in_unstriped(const struct dmtable_row *row, struct place *place)
{
    const char *params = row->params;
    uint64_t n = number(&params), chunk = number(&params) * SECTOR, which = number(&params), within;
    CLEANUP_FREE char *device = word(&params);

    if (chunk == 0)
        return NULL;
    within = place->at % chunk;
    shorten(place, chunk - within);
    place->at = number(&params) * SECTOR + (place->at / chunk * n + which) * chunk + within;
    return TAKE(device);
}

/* Where the byte place->at of a row lies: the device (free it), and from which byte on. */
static const struct target {
    const char *name;
    char *(*find)(const struct dmtable_row *row, struct place *place);
} targets[] = {
    { "linear", in_linear },
    { "striped", in_striped },
    { "unstriped", in_unstriped },
};

static const struct target *find_target(const struct dmtable_row *row)
{
    for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
        if (strcmp(targets[i].name, row->target) == 0)
            return &targets[i];
    return NULL;
}

static const struct dmtable_row *find_row(const struct dmtable *table, struct place *place)
{
    for (size_t i = 0; i < table->n_rows; i++) {
        const struct dmtable_row *row = &table->rows[i];
        uint64_t start = row->start * SECTOR, len = row->len * SECTOR;

        if (place->at < start || place->at - start >= len)
            continue;
        place->at -= start;
        place->len = place->len < len - place->at ? place->len : len - place->at;
        return row;
    }
    return NULL;
}

/* ---- reading ---- */

/* What lies together from there on, at most @len bytes; returns how many. */
static ssize_t read_some(const struct peek *peek, uint64_t at, void *buf, size_t len)
{
    struct place place = { .table = peek->index, .at = at, .len = len };

    for (;;) { /* tables refer to earlier ones only: see is_readable() */
        const struct dmtable_row *row = find_row(&peek->tables.tables[place.table], &place);
        CLEANUP_FREE char *device = row ? find_target(row)->find(row, &place) : NULL;
        size_t index;
        int r;

        if (!device || device[0] == '\0')
            return -EIO;
        index = strtoul(device + 1, NULL, 10);
        if (device[0] == '@') {
            place.table = index;
            continue;
        }
        r = volume_read(&peek->stack->volumes[index], place.at, buf, (size_t)place.len);
        return r < 0 ? r : (ssize_t)place.len;
    }
}

int peek_read(const struct peek *peek, uint64_t at, void *buf, size_t len)
{
    char *to = buf;

    while (len > 0) {
        ssize_t n = read_some(peek, at, to, len);

        if (n <= 0)
            return n < 0 ? (int)n : -EIO;
        to += n;
        at += (uint64_t)n;
        len -= (size_t)n;
    }
    return 0;
}

/* ---- making ---- */

static bool row_is_readable(const struct dmtable_row *row, size_t n_volumes, size_t table)
{
    if (!find_target(row))
        return false;
    for (const char *c = row->params; *c;) {
        CLEANUP_FREE char *text = word(&c);
        size_t index = text[0] ? strtoul(text + 1, NULL, 10) : 0;

        if ((text[0] == 'v' && index >= n_volumes) || (text[0] == '@' && index >= table) ||
            strchr(text, ':'))
            return false;
    }
    return true;
}

static bool is_readable(const struct peek *peek, size_t n_volumes)
{
    for (size_t i = 0; i <= peek->index; i++)
        for (size_t row = 0; row < peek->tables.tables[i].n_rows; row++)
            if (!row_is_readable(&peek->tables.tables[i].rows[row], n_volumes, i))
                return false;
    return true;
}

/* Holes stay holes. */
static int copy(const struct volume *volume, int fd, uint64_t from, uint64_t to)
{
    CLEANUP_FREE char *piece = malloc(PIECE);

    for (uint64_t at = from; piece && at < to; at += PIECE) {
        size_t len = to - at < PIECE ? (size_t)(to - at) : PIECE;
        int r = volume_read(volume, at, piece, len);

        if (r < 0)
            return r;
        if ((piece[0] != 0 || memcmp(piece, piece + 1, len - 1) != 0) &&
            pwrite(fd, piece, len, (off_t)at) != (ssize_t)len)
            return -EIO;
    }
    return piece ? 0 : -ENOMEM;
}

static int copy_ends(const struct volume *volume)
{
    uint64_t size = volume->size_bytes;
    uint64_t start = size < START ? size : START, end = size - start < END ? start : size - END;
    CLEANUP_FD int fd = memfd_create("h2k-peek", MFD_CLOEXEC);
    int r = fd < 0 || ftruncate(fd, (off_t)size) < 0 ? -errno : 0;

    if (r == 0)
        r = copy(volume, fd, 0, start);
    if (r == 0)
        r = copy(volume, fd, end, size);
    return r < 0 ? r : TAKE_FD(fd);
}

void peek_make(struct stack *stack, struct volume *volume, struct dmtables *tables, size_t index)
{
    struct peek *peek = mem_alloc(sizeof(*peek));
    int fd = -1;

    *peek = (struct peek){ .stack = stack, .tables = *tables, .index = index };
    *tables = (struct dmtables){ 0 };
    if (volume->size_bytes > 0 && stack->n_peeks < PEEKS_MAX &&
        is_readable(peek, (size_t)(volume - stack->volumes))) {
        volume->peek = peek;
        fd = copy_ends(volume);
    }
    if (fd < 0) {
        volume->peek = NULL;
        peek_free(peek);
        return;
    }
    stack->n_peeks++;
    volume->fd = fd;
    volume->owns_fd = true;
    volume->offset = 0;
}

void peek_piece(struct stack *stack, struct volume *volume, size_t parent, uint64_t offset)
{
    CLEANUP_DMTABLES struct dmtables tables = { 0 };
    struct dmtable *table = dmtable_add(&tables);

    dmtable_add_row(table, volume->size_bytes / SECTOR, "linear",
                    mem_printf("v%zu %llu", parent, (unsigned long long)(offset / SECTOR)));
    peek_make(stack, volume, &tables, 0);
}

void peek_free(struct peek *peek)
{
    if (!peek)
        return;
    dmtables_done(&peek->tables);
    free(peek);
}
