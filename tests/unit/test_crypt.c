/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LUKS headers that cryptsetup has made, whole and damaged, and the keys that open them; where the
 * data of a BitLocker volume lies. */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "storage/crypt_bitlk.h"
#include "tests/unit/run_util.h"

#define SIZE (24U << 20)
#define UUID "49b65d41-5be7-427e-b3a0-4c8a5cd7c73e"

static char image[] = "/tmp/h2k-crypt-XXXXXX";
static struct disk disk = { .sector_size = 512, .read_only = true };
static char name[] = "/dev/sda1";
static struct volume volume = { .name = name, .disk = &disk, .fd = -1, .size_bytes = SIZE };
static struct keys keys;
static struct crypt_answer answer;

static int setup(void **state)
{
    (void)state;
    disk.fd = mkstemp(image);
    return disk.fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)close(disk.fd);
    return unlink(image);
}

static int after(void **state)
{
    (void)state;
    keys_done(&keys);
    volume.size_bytes = SIZE;
    return 0;
}

/* A fresh volume that "first" opens. */
static void format(const char *type, const char *sector)
{
    const char *const argv[] = { "cryptsetup",
                                 "luksFormat",
                                 "-q",
                                 "--disable-locks",
                                 "--type",
                                 type,
                                 "--uuid",
                                 UUID,
                                 "--pbkdf",
                                 "pbkdf2",
                                 "--pbkdf-force-iterations",
                                 "1000",
                                 "--sector-size",
                                 sector,
                                 image,
                                 "-",
                                 NULL };

    if (!exec_have("cryptsetup"))
        skip();
    assert_int_equal(ftruncate(disk.fd, 0), 0);
    assert_int_equal(ftruncate(disk.fd, SIZE), 0);
    run(argv, "first");
}

static void add_key(const char *text)
{
    struct err err = ERR_NONE;

    assert_int_equal(keys_add(&keys, text, &err), 0);
}

static void ask(void)
{
    const struct crypt_request request = { .volume = &volume, .keys = &keys, .header_fd = -1 };
    struct err err = ERR_NONE;
    char text[ERR_TEXT];

    answer = (struct crypt_answer){ .slot = -1 };
    if (crypt_ask(crypt_luks_open, &request, &answer, &err) < 0)
        fail_msg("%s", err_text(&err, text, sizeof(text)));
}

static void refused(enum err_status status, const char *text)
{
    ask();
    if (answer.status != status || !strstr(answer.text, text))
        fail_msg("%d %s", (int)answer.status, answer.text);
    assert_int_equal(answer.key_len, 0);
}

static void the_right_key_is_found(void **state)
{
    static const struct {
        const char *type, *sector, *name;
        unsigned sector_size, data_sector;
    } cases[] = {
        { "luks1", "512", "LUKS1", 512, 4096 },
        { "luks2", "512", "LUKS2", 512, 32768 },
        { "luks2", "4096", "LUKS2", 4096, 32768 },
    };

    (void)state;
    add_key("all:key:wrong");
    add_key("/dev/sda:key:wrong too");
    add_key(UUID ":key:first");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        print_message("case: %s %s\n", cases[i].type, cases[i].sector);
        format(cases[i].type, cases[i].sector);
        ask();
        assert_string_equal(answer.text, "");
        assert_int_equal(answer.status, STATUS_OK);
        assert_string_equal(answer.type, cases[i].name);
        assert_string_equal(answer.uuid, UUID);
        assert_string_equal(answer.cipher, "aes-xts-plain64");
        assert_int_equal(answer.sector_size, cases[i].sector_size);
        assert_int_equal(answer.n_rows, 1);
        assert_int_equal(answer.rows[0].at, cases[i].data_sector);
        assert_int_equal(answer.rows[0].iv, 0);
        assert_int_equal(answer.rows[0].len, SIZE / 512 - cases[i].data_sector);
        assert_int_equal(answer.key_len, 64);
        assert_int_equal(answer.key_number, 3);
        assert_int_equal(answer.slot, 0);
    }
}

static void other_keys_do_not_open(void **state)
{
    (void)state;
    format("luks2", "512");
    refused(STATUS_REFUSED, "no key was given");
    add_key("/dev/sdb1:key:first");
    refused(STATUS_REFUSED, "no key was given");
    assert_true(answer.needs_key);
    add_key("all:key:First");
    refused(STATUS_REFUSED, "the key that was given for it is wrong");
    add_key("/dev/sda1:key:first ");
    refused(STATUS_REFUSED, "none of the 2 keys");
    add_key("/dev/sda1:key:first");
    ask();
    assert_int_equal(answer.status, STATUS_OK);
}

/* The library would write the second header over the first. */
static void a_damaged_header_is_not_repaired(void **state)
{
    static unsigned char zeros[16384], after_it[16384];

    (void)state;
    format("luks2", "512");
    add_key("all:key:first");
    assert_int_equal(io_pwrite_full(disk.fd, zeros, sizeof(zeros), 0), 0);
    ask();
    assert_string_equal(answer.text, "");
    assert_int_equal(answer.status, STATUS_OK);
    assert_int_equal(io_pread_full(disk.fd, after_it, sizeof(after_it), 0), 0);
    assert_memory_equal(after_it, zeros, sizeof(zeros));
    assert_int_equal(io_pwrite_full(disk.fd, zeros, sizeof(zeros), sizeof(zeros)), 0);
    refused(STATUS_FAILED, "header is damaged");
}

static void nonsense_is_damaged(void **state)
{
    static const struct {
        const char *type;
        unsigned at, len;
        unsigned char byte;
    } cases[] = {
        { "luks1", 40, 32, 0xff },  /* mode of the cipher */
        { "luks1", 108, 4, 0xff },  /* bytes of the key */
        { "luks1", 208, 48, 0xff }, /* the first key slot, in use */
        { "luks1", 6, 2, 0xff },    /* version */
    };

    (void)state;
    add_key("all:key:first");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        unsigned char bytes[64];

        print_message("case %zu\n", i);
        format(cases[i].type, "512");
        memset(bytes, cases[i].byte, sizeof(bytes));
        assert_int_equal(io_pwrite_full(disk.fd, bytes, cases[i].len, cases[i].at), 0);
        ask();
        assert_int_not_equal(answer.status, STATUS_OK);
        assert_int_not_equal(answer.text[0], '\0');
    }
}

static void what_is_cut_off_is_no_header(void **state)
{
    static const uint64_t sizes[] = { 8, 512, 4096, 20000, 40000, 1U << 20 };

    (void)state;
    format("luks2", "512");
    add_key("all:key:first");
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        volume.size_bytes = sizes[i];
        ask();
        assert_int_not_equal(answer.status, STATUS_OK);
        assert_int_not_equal(answer.text[0], '\0');
    }
}

static void die(const struct crypt_request *request, struct crypt_answer *ret)
{
    (void)request;
    (void)ret;
    abort();
}

static void a_child_that_dies_is_an_error(void **state)
{
    const struct crypt_request request = { .volume = &volume, .header_fd = -1 };
    struct err err = ERR_NONE;

    (void)state;
    assert_true(crypt_ask(die, &request, &answer, &err) < 0);
    assert_int_equal(err.status, STATUS_FAILED);
}

/* ---- BitLocker's own data (tests/fuzz/corpus/bitlk: 2 MiB, areas at 256, 640 and 1024 KiB) ----
 */

static void read_sample(const char *file, uint8_t boot[BITLK_BOOT_SIZE], uint8_t area[1024])
{
    char *path = mem_printf("%s/../fuzz/corpus/bitlk/%s", TEST_DATA_DIR, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(io_pread_full(fd, boot, BITLK_BOOT_SIZE, 0), 0);
    assert_int_equal(io_pread_full(fd, area, 1024, BITLK_BOOT_SIZE), 0);
    (void)close(fd);
    free(path);
}

static void bitlocker_leaves_out_its_own_places(void **state)
{
    static const struct crypt_row want[] = {
        { 0, 16, false, 640, 640 },        { 16, 496, false, 16, 16 },
        { 512, 128, true, 512, 512 },      { 640, 16, true, 640, 640 },
        { 656, 624, false, 656, 656 },     { 1280, 128, true, 1280, 1280 },
        { 1408, 640, false, 1408, 1408 },  { 2048, 128, true, 2048, 2048 },
        { 2176, 1920, false, 2176, 2176 },
    };
    struct crypt_row rows[CRYPT_ROWS_MAX];
    uint8_t boot[BITLK_BOOT_SIZE], area[1024];
    uint64_t areas[BITLK_AREAS];
    struct bitlk_meta meta;
    size_t n = 0;

    (void)state;
    read_sample("password", boot, area);
    assert_true(bitlk_areas(boot, areas));
    assert_int_equal(bitlk_sector_size(boot), 512);
    assert_true(bitlk_meta_parse(area, sizeof(area), &meta));
    assert_int_equal(meta.state, BITLK_STATE_ENCRYPTED);
    assert_int_equal(meta.clear_at, 0);
    assert_true(bitlk_rows(&meta, areas, 4096, rows, &n));
    assert_int_equal(n, ARRAY_SIZE(want));
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(rows[i].start, want[i].start);
        assert_int_equal(rows[i].len, want[i].len);
        assert_int_equal(rows[i].zero, want[i].zero);
        assert_int_equal(rows[i].at, want[i].at);
        assert_int_equal(rows[i].iv, want[i].iv);
    }
    assert_false(bitlk_rows(&meta, areas, 2175, rows, &n)); /* cut off */
    areas[1] = areas[0];
    assert_false(bitlk_rows(&meta, areas, 4096, rows, &n));
    areas[1] = 100;
    assert_false(bitlk_rows(&meta, areas, 4096, rows, &n));
    for (size_t len = 0; len < 300; len++)
        assert_false(bitlk_meta_parse(area, len, &meta));
    boot[160] ^= 1; /* encrypt on write */
    assert_false(bitlk_areas(boot, areas));
}

static void a_suspended_volume_has_its_key_beside_it(void **state)
{
    uint8_t boot[BITLK_BOOT_SIZE], area[1024], bek[BITLK_BEK_MAX];
    struct bitlk_meta meta;

    (void)state;
    read_sample("clear", boot, area);
    assert_true(bitlk_meta_parse(area, sizeof(area), &meta));
    assert_int_not_equal(meta.clear_at, 0);
    assert_int_equal(bitlk_clear_to_startup(area, &meta, bek), 124);
    assert_memory_equal(bek + 16, area + meta.clear_at + 8, 16);
    assert_true(bitlk_meta_parse(area, sizeof(area), &meta));
    assert_int_equal(meta.clear_at, 0);
    assert_int_equal(bitlk_clear_to_startup(area, &meta, bek), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_right_key_is_found, after),
        cmocka_unit_test_teardown(other_keys_do_not_open, after),
        cmocka_unit_test_teardown(a_damaged_header_is_not_repaired, after),
        cmocka_unit_test_teardown(nonsense_is_damaged, after),
        cmocka_unit_test_teardown(what_is_cut_off_is_no_header, after),
        cmocka_unit_test_teardown(a_child_that_dies_is_an_error, after),
        cmocka_unit_test(bitlocker_leaves_out_its_own_places),
        cmocka_unit_test(a_suspended_volume_has_its_key_beside_it),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
