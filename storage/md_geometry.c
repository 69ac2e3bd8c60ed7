/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where md puts the chunks of an array. */
#include <errno.h>
#include <stdlib.h>

#include "engine/base/mem.h"
#include "storage/md_array.h"

/* Layouts of raid5 and raid6 (linux/drivers/md/raid5.h, ALGORITHM_...): how parity moves from row
 * to row, and where the data begins. */
enum parity_moves { DOWN, UP, DOWN_1, FIRST, LAST };
enum data_begins { SKIPPING, BEHIND_P, BEHIND_Q };

static const struct parity {
    int32_t level;
    uint32_t layout;
    enum parity_moves moves;
    enum data_begins data;
    uint32_t fixed_q; /* the last device holds Q of every row and takes no part in the rest */
} parities[] = {
    { 5, 0, DOWN, SKIPPING, 0 },  { 5, 1, UP, SKIPPING, 0 },     { 5, 2, DOWN, BEHIND_P, 0 },
    { 5, 3, UP, BEHIND_P, 0 },    { 5, 4, FIRST, SKIPPING, 0 },  { 5, 5, LAST, SKIPPING, 0 },
    { 6, 0, DOWN, SKIPPING, 0 },  { 6, 1, UP, SKIPPING, 0 },     { 6, 2, DOWN, BEHIND_Q, 0 },
    { 6, 3, UP, BEHIND_Q, 0 },    { 6, 4, FIRST, SKIPPING, 0 },  { 6, 5, LAST, SKIPPING, 0 },
    { 6, 8, UP, SKIPPING, 0 },    { 6, 9, DOWN_1, SKIPPING, 0 }, { 6, 10, DOWN, BEHIND_P, 0 },
    { 6, 16, DOWN, SKIPPING, 1 }, { 6, 17, UP, SKIPPING, 1 },    { 6, 18, DOWN, BEHIND_P, 1 },
    { 6, 19, UP, BEHIND_P, 1 },   { 6, 20, FIRST, SKIPPING, 1 },
};

static const struct parity *find_parity(const struct md_array *array)
{
    for (size_t i = 0; i < sizeof(parities) / sizeof(parities[0]); i++)
        if (parities[i].level == array->level && parities[i].layout == array->layout)
            return &parities[i];
    return NULL;
}

uint32_t md_data_disks(const struct md_array *array)
{
    uint32_t parity = array->level == 6 ? 2 : array->level == 4 || array->level == 5 ? 1 : 0;

    return array->n > parity ? array->n - parity : 0;
}

/* Devices that take part in a row, and how many of them hold parity: P, and Q, which follows it. */
static uint32_t takes_part(const struct md_array *array, const struct parity *parity,
                           uint32_t *ret_parity)
{
    *ret_parity = array->level == 6 && !parity->fixed_q ? 2 : 1;
    return array->n - parity->fixed_q;
}

/* The device of P in @row, of @n devices that take part. */
static uint32_t p_disk(const struct parity *parity, uint32_t n, uint32_t n_parity, uint32_t row)
{
    switch (parity->moves) {
    case DOWN:
        return n - 1 - row % n;
    case DOWN_1:
        return n - 1 - (row + 1) % n;
    case UP:
        return row % n;
    case LAST:
        return n - n_parity;
    case FIRST:
        break;
    }
    return 0;
}

void md_array_parity(const struct md_array *array, uint64_t row, uint32_t *ret_p, uint32_t *ret_q)
{
    const struct parity *parity = find_parity(array);
    uint32_t n_parity, n = takes_part(array, parity, &n_parity);

    *ret_p = p_disk(parity, n, n_parity, (uint32_t)(row % n));
    *ret_q = parity->fixed_q ? array->n - 1 : (*ret_p + 1) % n;
}

/* The device of data number @i in @row. */
static uint32_t data_disk(const struct parity *parity, uint32_t n, uint32_t n_parity, uint32_t row,
                          uint32_t i)
{
    uint32_t p = p_disk(parity, n, n_parity, row);

    switch (parity->data) {
    case BEHIND_P:
        return (p + 1 + i) % n;
    case BEHIND_Q:
        return (p + 2 + i) % n;
    case SKIPPING:
        break;
    }
    if (n_parity == 2 && p == n - 1) /* P is last, Q first */
        return i + 1;
    return i < p ? i : i + n_parity;
}

void md_period_done(struct md_period *period)
{
    free(period->cells);
    *period = (struct md_period){ 0 };
}

static struct md_cell *new_cells(struct md_period *period, size_t n)
{
    period->cells = mem_alloc(n * sizeof(*period->cells));
    period->n_cells = n;
    return period->cells;
}

static int parity_period(const struct md_array *array, struct md_period *period)
{
    const struct parity *parity = find_parity(array);
    uint32_t data = md_data_disks(array), n, n_parity;
    struct md_cell *cell;

    if (!parity || data == 0)
        return -ENOTSUP;
    n = takes_part(array, parity, &n_parity);
    period->rows = parity->moves == FIRST || parity->moves == LAST ? 1 : n;
    cell = new_cells(period, (size_t)period->rows * data);
    for (uint32_t row = 0; row < period->rows; row++)
        for (uint32_t i = 0; i < data; i++)
            *cell++ =
                (struct md_cell){ .disk = data_disk(parity, n, n_parity, row, i), .row = row };
    return 0;
}

/* raid10's layout word: copies side by side, copies in another part of the devices. */
#define NEAR(layout) ((layout)&0xffU)
#define FAR(layout) (((layout) >> 8) & 0xffU)
#define OFFSET_BIT (1U << 16) /* the far copies are in the row below */
#define SETS(layout) ((layout) >> 17)

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

static bool has_leg(const struct md_array *array, uint32_t disk)
{
    return array->legs[disk] != MD_NO_LEG;
}

/* Copies are side by side and run on into the next row. */
static int near_period(const struct md_array *array, uint32_t copies, struct md_period *period)
{
    uint32_t common = common_divisor(array->n, copies);

    period->rows = copies / common;
    (void)new_cells(period, array->n / common);
    for (uint32_t i = 0; i < period->n_cells; i++) {
        uint32_t at = i * copies, end = at + copies;

        while (at < end && !has_leg(array, at % array->n))
            at++;
        if (at == end)
            return -ENODATA;
        period->cells[i] = (struct md_cell){ .disk = at % array->n, .row = at / array->n };
    }
    return 0;
}

/* Each copy is moved on by one device; it lies a row below (offset) or a whole part behind. */
static int far_period(const struct md_array *array, uint32_t copies, struct md_period *period)
{
    bool offset = (array->layout & OFFSET_BIT) != 0;
    uint64_t part = array->super->size / array->chunk / copies * array->chunk;

    period->rows = offset ? copies : 1;
    (void)new_cells(period, array->n);
    for (uint32_t i = 0; i < array->n; i++) {
        uint32_t copy = 0;

        while (copy < copies && !has_leg(array, (i + copy) % array->n))
            copy++;
        if (copy > 0 && SETS(array->layout) != 0)
            return -ENOTSUP;
        if (copy == copies)
            return -ENODATA;
        period->cells[i] = (struct md_cell){
            .disk = (i + copy) % array->n,
            .row = offset ? copy : 0,
            .skip = offset ? 0 : copy * part,
        };
    }
    return 0;
}

static int mirror_period(const struct md_array *array, struct md_period *period)
{
    uint32_t near = NEAR(array->layout), far = FAR(array->layout);

    if (near == 0 || far == 0 || (near > 1 && far > 1) || near > array->n || far > array->n ||
        SETS(array->layout) > 1)
        return -ENOTSUP;
    return far > 1 ? far_period(array, far, period) : near_period(array, near, period);
}

int md_array_period(const struct md_array *array, struct md_period *ret)
{
    struct md_array as_raid5 = *array;

    *ret = (struct md_period){ 0 };
    if (array->level == 10)
        return mirror_period(array, ret);
    if (array->level == 4) { /* its parity is on the last device */
        as_raid5.level = 5;
        as_raid5.layout = 5;
    }
    return parity_period(&as_raid5, ret);
}
