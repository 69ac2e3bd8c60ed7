/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts that match cards by driver or slot, and names that are none. */
#include <stdlib.h>

#include "fixers/linux/network_match.h"
#include "fixers/linux/network_names.h"
#include "tests/unit/unit.h"

static void slots_become_what_is_known(void **state)
{
    static const struct {
        const char *in;
        bool is_link;
        const char *name, *mac;
        enum match_result result;
        const char *want;
    } slots[] = {
        { "[Match]\nPath=pci-0000:0b:00.0\n", false, "a", NULL, MATCH_FIXED, "[Match]\nName=a\n" },
        { "[Match]\nName=a\nPath=pci-0000:0b:00.0\nX=1\n", false, NULL, NULL, MATCH_FIXED,
          "[Match]\nName=a\nX=1\n" },
        { "[Match]\nPath=pci-0000:0b:00.0\nMACAddress=x", false, NULL, NULL, MATCH_FIXED,
          "[Match]\nMACAddress=x" },
        { "[Match]\nPath=pci-0000:0b:00.0\n", false, NULL, NULL, MATCH_UNSURE, NULL },
        { "[Match]\nPath=pci-*\n", false, "a", NULL, MATCH_SAME, NULL },
        { "[Match]\nPath=pci-0000:0b:00.0\n", true, "a", "m", MATCH_FIXED,
          "[Match]\nMACAddress=m\n" },
        { "[Match]\nPath=pci-0000:0b:00.0\nDriver=vmxnet3\n", true, "a", NULL, MATCH_FIXED,
          "[Match]\nDriver=virtio_net\n" },
        { "[Match]\nDriver=!vmxnet3 e1000\n", false, NULL, NULL, MATCH_FIXED,
          "[Match]\nDriver=!vmxnet3 virtio_net\n" },
        { "[Match]\nProperty=ID_NET_DRIVER=vmxnet3 A=1\n", false, NULL, NULL, MATCH_FIXED,
          "[Match]\nProperty=ID_NET_DRIVER=virtio_net A=1\n" },
        { "[Match]\nProperty=ID_PATH=pci-0000:0b:00.0\n", false, "a", NULL, MATCH_UNSURE, NULL },
        { "[Network]\nDriver=vmxnet3\n", false, NULL, NULL, MATCH_SAME, NULL },
        { "", false, NULL, NULL, MATCH_SAME, NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(slots); i++) {
        struct match_target target = { slots[i].name, slots[i].mac, "virtio_net" };
        char *fixed = NULL;

        print_message("case: %s\n", slots[i].in);
        assert_int_equal(match_fix_unit(slots[i].in, slots[i].is_link, &target, &fixed),
                         slots[i].result);
        if (slots[i].want)
            assert_string_equal(fixed, slots[i].want);
        free(fixed);
    }
}

static void drivers_in_yaml_and_rules_are_found(void **state)
{
    static const struct {
        const char *in, *want; /* want NULL: stays */
    } yaml[] = {
        { "match: {driver: vmxnet3}\n", "match: {driver: virtio_net}\n" },
        { "  driver: [\"e1000\", \"vmxnet3\"]\n", "  driver: [\"virtio_net\", \"virtio_net\"]\n" },
        { "  \"driver\" : 'vmxnet3'", "  \"driver\" : 'virtio_net'" },
        { "# driver: vmxnet3\n", NULL },
        { "my_driver: vmxnet3\n", NULL },
        { "driver: vmxnet3x\n", NULL },
        { "driver\n", NULL },
        { "driver:", NULL },
    };
    char *fixed = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(yaml); i++) {
        print_message("case: %s\n", yaml[i].in);
        fixed = NULL;
        assert_int_equal(match_fix_netplan(yaml[i].in, "virtio_net", &fixed),
                         yaml[i].want ? MATCH_FIXED : MATCH_SAME);
        if (yaml[i].want)
            assert_string_equal(fixed, yaml[i].want);
        free(fixed);
    }
    fixed = NULL;
    assert_int_equal(match_fix_netplan("driver: [e1000, vmxnet3]\n", "e1000", &fixed), MATCH_FIXED);
    assert_string_equal(fixed, "driver: [e1000, e1000]\n");
    free(fixed);
    fixed = NULL;
    assert_int_equal(match_fix_rules("DRIVERS==\"vmxnet3\", NAME=\"lan\"\n# DRIVERS==\"vmxnet3\", "
                                     "NAME=\"x\"\nDRIVERS==\"vmxnet3\", RUN+=\"y\"\n",
                                     NULL, 0, false, "virtio_net", &fixed),
                     MATCH_FIXED);
    assert_string_equal(fixed, "DRIVERS==\"virtio_net\", NAME=\"lan\"\n# DRIVERS==\"vmxnet3\", "
                               "NAME=\"x\"\nDRIVERS==\"vmxnet3\", RUN+=\"y\"\n");
    free(fixed);
}

static void names_are_checked(void **state)
{
    (void)state;
    assert_true(nic_name_ok("ens192"));
    assert_true(nic_name_ok("enx005056aabbcc"));
    assert_false(nic_name_ok("enx005056aabbccd"));
    assert_false(nic_name_ok(""));
    assert_false(nic_name_ok("../x"));
    assert_false(nic_name_ok("a b"));
    assert_false(nic_name_ok("a\nb"));
    assert_false(nic_name_ok("a\"b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_become_what_is_known),
        cmocka_unit_test(drivers_in_yaml_and_rules_are_found),
        cmocka_unit_test(names_are_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
