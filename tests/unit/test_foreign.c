/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Systems that are known by their partitions only. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"
#include "inspect/foreign.h"
#include "tests/unit/unit.h"

static const struct {
    const char *label;
    const char *part_types[3]; /* of the disk's partitions */
    const char *fstype;        /* of the last one, or of the disk */
    const char *type;          /* NULL: none is found */
    size_t root;               /* which volume; 0 is the disk */
    enum firmware firmware;
} cases[] = {
    { "FreeBSD for BIOS and UEFI",
      { "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "83bd6b9d-7f41-11dc-be0b-001560b84f0f",
        "516e7cb6-6ecf-11d6-8ff8-00022d09712b" },
      "ufs",
      "freebsd",
      3,
      FIRMWARE_BIOS },
    { "FreeBSD for UEFI, on ZFS",
      { "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "516e7cba-6ecf-11d6-8ff8-00022d09712b" },
      "zfs_member",
      "freebsd",
      2,
      FIRMWARE_UEFI },
    { "FreeBSD in a slice", { "0xa5" }, "", "freebsd", 1, FIRMWARE_BIOS },
    { "OpenBSD", { "0xa6" }, "", "openbsd", 1, FIRMWARE_BIOS },
    { "OpenBSD for UEFI", { "0xef", "0xa6" }, "", "openbsd", 2, FIRMWARE_UEFI },
    { "NetBSD", { "49F48D5A-B10E-11DC-B99B-0019D1879648" }, "ufs", "netbsd", 1, FIRMWARE_BIOS },
    { "a disk without partitions", { NULL }, "ufs", "bsd", 0, FIRMWARE_BIOS },
    { "Linux on ZFS", { "6a898cc3-1dd2-11b2-99a6-080020736631" }, "zfs_member", NULL, 0, 0 },
    { "Linux", { "0x83" }, "jfs", NULL, 0, 0 },
    { "nothing", { NULL }, "", NULL, 0, 0 },
};

static void fill_stack(struct stack *stack, struct facts *facts, size_t n)
{
    *stack = (struct stack){ 0 };
    for (size_t v = 0; v < 4 && (v == 0 || cases[n].part_types[v - 1]); v++) {
        struct volume *volume = mem_add(&stack->volumes, &stack->n_volumes, sizeof(*volume));

        volume->part_type = mem_strdup(v ? cases[n].part_types[v - 1] : "");
        volume->fstype = mem_strdup(v == 3 || !cases[n].part_types[v] ? cases[n].fstype : "");
        facts_set(&facts_add_device(facts)->part_type, volume->part_type);
    }
}

static void systems_are_known_by_their_partitions(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct facts *facts = facts_new();
        struct volume *root = NULL;
        const struct foreign *found;
        struct stack stack;

        print_message("case: %s\n", cases[i].label);
        fill_stack(&stack, facts, i);
        found = foreign_find(&stack, &root);
        assert_int_equal(found != NULL, cases[i].type != NULL);
        if (found) {
            foreign_identify(found, &stack, facts);
            assert_string_equal(facts->type, cases[i].type);
            assert_int_equal(facts->os, OS_OTHER);
            assert_int_equal(facts->firmware, cases[i].firmware);
            assert_int_equal(root - stack.volumes, cases[i].root);
        }
        for (size_t v = 0; v < stack.n_volumes; v++) {
            free(stack.volumes[v].part_type);
            free(stack.volumes[v].fstype);
        }
        free(stack.volumes);
        facts_free(facts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(systems_are_known_by_their_partitions) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
