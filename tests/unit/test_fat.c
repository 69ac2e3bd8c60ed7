/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The root folder of small FAT16 and FAT32 volumes: one sector is one cluster, and the table says
 * of FAT32 that the root goes on in another place. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/le.h"
#include "storage/fat_read.h"
#include "tests/unit/unit.h"

#define SECTOR 512U
#define SECTORS 128U
#define ENTRIES (SECTOR / 32)

enum { TABLE = 2, TABLE_SECTORS = 4, ROOT16 = TABLE + TABLE_SECTORS, ROOT16_SECTORS = 2 };

struct fat_image {
    uint8_t bytes[SECTORS * SECTOR];
    bool is_16;
    int fd;
};

static struct fat_image image;

static uint8_t *sector(unsigned number)
{
    return image.bytes + (size_t)number * SECTOR;
}

/* Sector of a cluster: of FAT32 they begin behind the table, of FAT16 behind the root. */
static unsigned sector_of(uint32_t cluster)
{
    return ROOT16 + (image.is_16 ? ROOT16_SECTORS : 0) + cluster - 2;
}

static void link_to(uint32_t cluster, uint32_t next)
{
    put_le32(sector(TABLE) + (size_t)cluster * 4, next);
}

static void start(bool is_16)
{
    uint8_t *boot = image.bytes;

    memset(image.bytes, 0, sizeof(image.bytes));
    image.is_16 = is_16;
    put_le16(boot + 0x0b, SECTOR);
    boot[0x0d] = 1;
    put_le16(boot + 0x0e, TABLE);
    boot[0x10] = 1;
    put_le16(boot + 0x11, is_16 ? ROOT16_SECTORS * ENTRIES : 0);
    put_le16(boot + 0x13, SECTORS);
    put_le16(boot + 0x16, is_16 ? TABLE_SECTORS : 0);
    put_le32(boot + 0x24, is_16 ? 0 : TABLE_SECTORS);
    put_le32(boot + 0x2c, is_16 ? 0 : 2);
    if (!is_16) { /* the root: cluster 2, then 9; the upper bits of a link mean nothing */
        link_to(2, 0xf0000009);
        link_to(9, 0x0fffffff);
    }
}

/* Place @n of the root. */
static uint8_t *place(unsigned n)
{
    unsigned first = image.is_16 ? ROOT16 : sector_of(2);
    unsigned second = image.is_16 ? ROOT16 + 1 : sector_of(9);

    return sector(n < ENTRIES ? first : second) + (size_t)(n % ENTRIES) * 32;
}

static void put(unsigned n, const char *name, uint8_t attributes, uint32_t cluster, uint32_t size)
{
    memcpy(place(n), name, FAT_NAME);
    place(n)[11] = attributes;
    put_le16(place(n) + 20, (uint16_t)(cluster >> 16));
    put_le16(place(n) + 26, (uint16_t)cluster);
    put_le32(place(n) + 28, size);
}

/* One that is not the last, whatever is looked for. */
static void fill(unsigned first, unsigned end)
{
    for (unsigned n = first; n < end; n++)
        put(n, "OTHER   TXT", 0x20, 0, 0);
}

static bool open_image(struct volume *volume, struct fat *fat)
{
    image.fd = memfd_create("fat", MFD_CLOEXEC);
    *volume = (struct volume){ .fd = image.fd, .size_bytes = sizeof(image.bytes) };
    assert_int_equal(io_pwrite_full(image.fd, image.bytes, sizeof(image.bytes), 0), 0);
    return fat_open(volume, fat);
}

enum answer { UNKNOWN, NOT_THERE, THERE };

static enum answer look_for(const char *name, struct fat_entry *entry)
{
    struct volume volume;
    struct fat fat;
    bool found = false, known;

    assert_true(open_image(&volume, &fat));
    known = fat_root_find(&fat, name, entry, &found);
    (void)close(image.fd);
    return !known ? UNKNOWN : found ? THERE : NOT_THERE;
}

static void names_are_found_in_all_of_the_root(void **state)
{
    struct fat_entry entry = { 0 };

    (void)state;
    for (int is_16 = 0; is_16 < 2; is_16++) {
        start(is_16);
        fill(0, ENTRIES + 2);
        put(1, "BOOT    INI", 0x27, 5, 194);
        put(3, "WINNT      ", 0x0f, 0, 0); /* part of a long name */
        put(ENTRIES + 1, "WINDOWS    ", 0x10, is_16 ? 6 : 0x10006, 0);
        assert_int_equal(look_for("BOOT    INI", &entry), THERE);
        assert_int_equal(entry.size, 194);
        assert_false(entry.is_folder);
        assert_int_equal(look_for("WINDOWS    ", &entry), THERE);
        assert_int_equal(entry.cluster, is_16 ? 6 : 0x10006);
        assert_true(entry.is_folder);
        assert_int_equal(look_for("WINNT      ", &entry), NOT_THERE);
        place(1)[0] = 0xe5; /* removed */
        assert_int_equal(look_for("BOOT    INI", &entry), NOT_THERE);
        place(4)[0] = 0; /* nothing counts from here on */
        assert_int_equal(look_for("WINDOWS    ", &entry), NOT_THERE);
    }
}

static void a_root_that_leads_nowhere_is_not_known(void **state)
{
    struct fat_entry entry;

    (void)state;
    start(false);
    fill(0, 2 * ENTRIES);
    link_to(9, 2); /* round and round */
    assert_int_equal(look_for("WINDOWS    ", &entry), UNKNOWN);
    put_le32(image.bytes + 0x2c, 1U << 20);
    assert_int_equal(look_for("WINDOWS    ", &entry), UNKNOWN);
}

static void what_does_not_fit_together_is_no_fat(void **state)
{
    static const struct {
        const char *label;
        size_t at;
        uint8_t bytes[2];
    } broken[] = {
        { "sectors of 513 bytes", 0x0b, { 1, 2 } },
        { "sectors of 8 KiB", 0x0b, { 0, 32 } },
        { "three sectors to a cluster", 0x0d, { 3, 2 } },
        { "a table beyond the end", 0x0e, { 0xff, 0xff } },
        { "more sectors than the volume", 0x13, { 129, 0 } },
        { "FAT16 without a root", 0x11, { 0, 0 } },
    };
    struct volume volume;
    struct fat fat;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
        print_message("case: %s\n", broken[i].label);
        start(true);
        memcpy(image.bytes + broken[i].at, broken[i].bytes, 2);
        assert_false(open_image(&volume, &fat));
        (void)close(image.fd);
    }
}

static void a_sleeping_windows_is_seen(void **state)
{
    static const struct {
        const char *head;
        uint32_t cluster;
        bool want;
    } cases[] = {
        { "hibr", 20, true }, { "HIBR", 20, true },    { "wake", 20, false },
        { "", 20, false },    { "hibr", 5000, false }, { "hibr", 0, false },
    };
    struct volume volume;
    struct fat fat;
    uint64_t at = 0;

    (void)state;
    for (int is_16 = 0; is_16 < 2; is_16++)
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
            start(is_16);
            put(0, "HIBERFILSYS", 0x26, cases[i].cluster, 65536);
            memcpy(sector(sector_of(20)), cases[i].head, strlen(cases[i].head));
            assert_true(open_image(&volume, &fat));
            assert_int_equal(fat_is_hibernated(&fat, &at), cases[i].want);
            assert_true(!cases[i].want || at == (uint64_t)sector_of(20) * SECTOR);
            (void)close(image.fd);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_in_all_of_the_root),
        cmocka_unit_test(a_root_that_leads_nowhere_is_not_known),
        cmocka_unit_test(what_does_not_fit_together_is_no_fat),
        cmocka_unit_test(a_sleeping_windows_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
