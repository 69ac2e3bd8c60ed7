/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "inspect/facts.h"
#include "inspect/json_text.h"
#include "tests/unit/unit.h"

static void add(struct facts *facts, const char *name, const char *kind, const char *uuid,
                const char *label)
{
    struct fact_device *device = facts_add_device(facts);

    facts_set(&device->name, name);
    facts_set(&device->kind, kind);
    facts_set(&device->uuid, uuid);
    facts_set(&device->label, label);
}

static struct facts *guest(bool two_disks)
{
    struct facts *facts = facts_new();

    facts_set(&facts->root, "btrfsvol:/dev/sda2/@");
    add(facts, "/dev/sda", "disk", "", "");
    add(facts, "/dev/sda1", "partition", "ABCD-1234", "EFI");
    add(facts, "/dev/sda2", "partition", "aaaa-1111", "my disk");
    facts_set(&facts->devices[2].part_uuid, "dead-02");
    facts_set(&facts->devices[2].part_label, "root part");
    add(facts, "/dev/vg-a/lv-b", "lv", "bbbb", "");
    add(facts, "/dev/mapper/luks", "crypt", "cccc", "");
    if (two_disks) {
        add(facts, "/dev/sdb", "disk", "", "");
        add(facts, "/dev/sdb1", "partition", "dddd", "my disk");
    }
    return facts;
}

static const struct {
    const char *spec;
    const char *one, *two; /* device on the guest with one disk and with two; NULL: not known */
} cases[] = {
    { "UUID=aaaa-1111", "/dev/sda2", "/dev/sda2" },
    { "UUID=\"AAAA-1111\"", "/dev/sda2", "/dev/sda2" },
    { "\"UUID=aaaa-1111\"", "/dev/sda2", "/dev/sda2" },
    { "uuid=abcd-1234", "/dev/sda1", "/dev/sda1" },
    { "UUID=", NULL, NULL },
    { "LABEL=my disk", "/dev/sda2", "/dev/sda2" },
    { "LABEL='my disk'", "/dev/sda2", "/dev/sda2" },
    { "LABEL=MY DISK", NULL, NULL },
    { "PARTUUID=DEAD-02", "/dev/sda2", "/dev/sda2" },
    { "PARTLABEL=\"root part\"", "/dev/sda2", "/dev/sda2" },
    { "/dev/disk/by-uuid/ABCD-1234", "/dev/sda1", "/dev/sda1" },
    { "/dev/disk/by-label/my\\x20disk", "/dev/sda2", "/dev/sda2" },
    { "/dev/disk/by-partuuid/dead-02", "/dev/sda2", "/dev/sda2" },
    { "/dev/disk/by-partlabel/root\\x20part", "/dev/sda2", "/dev/sda2" },
    { "/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0-part2", "/dev/sda2", NULL },
    { "/dev/disk/by-id/scsi-36000c29-part1", "/dev/sda1", NULL },
    { "/dev/disk/by-id/scsi-36000c29", "/dev/sda", NULL },
    { "/dev/disk/by-id/scsi-36000c29-part9", NULL, NULL },
    { "/dev/disk/by-id/dm-name-vg--a-lv--b", "/dev/vg-a/lv-b", "/dev/vg-a/lv-b" },
    { "/dev/disk/by-id/dm-uuid-LVM-xyz-part1", NULL, NULL },
    { "/dev/mapper/vg--a-lv--b", "/dev/vg-a/lv-b", "/dev/vg-a/lv-b" },
    { "/dev/mapper/luks", "/dev/mapper/luks", "/dev/mapper/luks" },
    { "/dev/mapper/gone", NULL, NULL },
    { "/dev/vg-a/lv-b", "/dev/vg-a/lv-b", "/dev/vg-a/lv-b" },
    { "/dev/sda1", "/dev/sda1", "/dev/sda1" },
    { "/dev/hda1", "/dev/sda1", "/dev/sda1" },
    { "/dev/vda", "/dev/sda", "/dev/sda" },
    { "/dev/xvda2", "/dev/sda2", "/dev/sda2" },
    { "/dev/sdb1", NULL, "/dev/sdb1" },
    { "/dev/sdaa1", NULL, NULL },
    { "/dev/sda01", NULL, NULL },
    { "/dev/sda1x", NULL, NULL },
    { "/dev/nvme0n1p2", "/dev/sda2", "/dev/sda2" },
    { "/dev/nvme0n1", "/dev/sda", "/dev/sda" },
    { "/dev/nvme0n2p1", NULL, "/dev/sdb1" },
    { "/dev/nvme1n1p1", NULL, "/dev/sdb1" },
    { "/dev/nvme0n1x", NULL, NULL },
    { "/dev/nvme0", NULL, NULL },
    { "/dev/root", "/dev/sda2", "/dev/sda2" },
    { "tmpfs", NULL, NULL },
    { "", NULL, NULL },
    { "\"", NULL, NULL },
};

static void resolves_names(void **state)
{
    struct facts *one = guest(false), *two = guest(true);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct fact_device *found[] = { facts_resolve(one, cases[i].spec),
                                              facts_resolve(two, cases[i].spec) };
        const char *want[] = { cases[i].one, cases[i].two };

        print_message("case: %s\n", cases[i].spec);
        for (size_t k = 0; k < 2; k++) {
            assert_int_equal(found[k] != NULL, want[k] != NULL);
            if (found[k])
                assert_string_equal(found[k]->name, want[k]);
        }
    }
    facts_free(one);
    facts_free(two);
}

static void json_has_the_contract(void **state)
{
    static const char *const keys[] = { "root",           "type",   "distro",   "product_name",
                                        "version",        "arch",   "hostname", "firmware",
                                        "package_format", "mounts", "kernels",  "packages" };
    struct facts *facts = guest(false);
    struct fact_mount *mount = facts_add_mount(facts);
    json_t *json, *item;

    (void)state;
    facts_set(&mount->source, "/dev/sda1");
    facts_set(&mount->target, "/boot");
    mount->device = facts_resolve(facts, mount->source);
    facts_set(&facts->hostname, "a\xff\xc3\xa9");
    facts->version_major = 12;
    json = facts_to_json(facts);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        assert_non_null(json_object_get(json, keys[i]));
    item = json_array_get(json_object_get(json, "mounts"), 0);
    assert_string_equal(json_string_value(json_object_get(item, "device")), "/dev/sda1");
    assert_string_equal(json_string_value(json_object_get(json, "hostname")),
                        "a\xef\xbf\xbd\xc3\xa9");
    item = json_object_get(json_object_get(json, "version"), "major");
    assert_int_equal(json_integer_value(item), 12);
    assert_ptr_equal(facts_mount(facts, "/boot"), mount);
    assert_null(facts_mount(facts, "/"));
    json_decref(json);
    facts_free(facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resolves_names),
        cmocka_unit_test(json_has_the_contract),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
