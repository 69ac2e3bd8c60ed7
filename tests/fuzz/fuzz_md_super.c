/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Superblocks one behind the other: the tables made of them have no gaps and stay on the members.
 * Checksums and positions are set right, as no fuzzer would guess them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/le.h"
#include "storage/md_table.h"

#define MEMBERS_MAX 8U
#define SECTORS (1ULL << 40)
#define V1_SIZE 512U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fix_checksum(uint8_t *super, size_t at, size_t len)
{
    uint64_t sum = 0;
    size_t i;

    put_le32(super + at, 0);
    for (i = 0; i + 4 <= len; i += 4)
        sum += get_le32(super + i);
    if (i + 2 <= len)
        sum += get_le16(super + i);
    put_le32(super + at, (uint32_t)sum + (uint32_t)(sum >> 32));
}

/* One superblock; returns the bytes that it takes. */
static size_t parse(const uint8_t *data, size_t size, struct md_super *super, int *ret)
{
    struct md_place place = { .major = 1, .minor = 2 };
    uint8_t bytes[MD_SUPER_MAX] = { 0 };
    size_t len = V1_SIZE;

    if (get_le32(data + 4) == 0) {
        place = (struct md_place){ .minor = 90, .sector = SECTORS - 128 };
        len = sizeof(bytes);
    }
    len = size < len ? size : len;
    memcpy(bytes, data, len);
    if (place.major == 1) {
        uint32_t max_dev = get_le32(bytes + 220);

        place.sector = get_le64(bytes + 144);
        if (max_dev <= 128)
            fix_checksum(bytes, 216, 256 + 2 * (size_t)max_dev);
    } else {
        fix_checksum(bytes, 38 * 4, sizeof(bytes));
    }
    *ret = md_super_parse(bytes, sizeof(bytes), &place, SECTORS, super);
    return len;
}

static void check_tables(const struct md_array *array, bool writable)
{
    static struct dmtable_address legs[MD_DISKS_MAX];
    struct dmtables tables = { 0 };
    struct err err = ERR_NONE;
    uint64_t at = 0;

    for (uint32_t i = 0; i < array->n; i++)
        legs[i] = (struct dmtable_address){
            .device = array->legs[i] == MD_NO_LEG ? NULL : "7:1",
            .start = array->leg_start[i],
        };
    if (md_tables_make(array, legs, writable, &tables, &err) < 0)
        return;
    for (size_t i = 0; i < tables.tables[tables.n_tables - 1].n_rows; i++) {
        const struct dmtable_row *row = &tables.tables[tables.n_tables - 1].rows[i];

        if (row->start != at || row->len == 0 || strstr(row->params, "null"))
            abort();
        at += row->len;
    }
    if (at != array->size)
        abort();
    dmtables_done(&tables);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct md_super supers[MEMBERS_MAX];
    const struct md_super *members[MEMBERS_MAX];
    struct md_array array;
    struct err err = ERR_NONE;
    size_t n = 0;

    while (n < MEMBERS_MAX && size >= 8) {
        int r;
        size_t used = parse(data, size, &supers[n], &r);

        data += used;
        size -= used;
        if (r < 0)
            continue;
        members[n] = &supers[n];
        n++;
    }
    /* a hostile size may need tables that are too long to be worth checking here */
    if (n == 0 || md_array_assemble(members, n, &array, &err) < 0 ||
        array.size / (array.chunk ? array.chunk : 1) > (1ULL << 40))
        return 0;
    check_tables(&array, false);
    if (array.read_only[0] == '\0')
        check_tables(&array, true);
    return 0;
}
