/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Status lines as Linux 6.1 prints them: has a copy failed? */
#include "engine/base/cleanup.h"
#include "engine/dmdev.h"
#include "tests/unit/unit.h"

static const struct {
    const char *target, *status;
    int lost;
} lines[] = {
    { "raid", "raid1 2 AA 65536/65536 idle 0 0 -", 0 },
    { "raid", "raid1 2 AD 65536/65536 idle 0 0 -", 1 },
    { "raid", "raid1 2 DA 65536/65536 idle 0 0 -", 1 },
    { "raid", "raid1 3 A-A 65536/65536 idle 0 0 -", 0 }, /* it was not there from the beginning */
    { "raid", "raid1 2 Aa 128/65536 recover 0 0 -", 0 },
    { "raid", "raid5_ls 3 AAA 57344/57344 idle 0 0 -", 0 },
    { "raid", "raid5_ls 3 ADA 57344/57344 idle 0 0 -", 1 },
    { "mirror", "2 7:0 7:1 8/8 1 AA 1 core", 0 },
    { "mirror", "2 7:0 7:1 8/8 1 AD 1 core", 1 },
    { "mirror", "3 7:0 7:1 7:2 8/8 1 AAF 1 core", 1 },
    { "mirror", "3 7:0 7:1 7:2 8/8 1 AAA 3 disk 253:0 A", 0 },
    { "linear", "D", 0 },
    { "raid", "", 0 },
    { "mirror", "", 0 },
    { "mirror", "4294967295", 0 },
};

static void failed_copies_are_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        print_message("%s: %s\n", lines[i].target, lines[i].status);
        assert_int_equal(dmdev_lost_copy(lines[i].target, lines[i].status), lines[i].lost);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(failed_copies_are_seen) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
