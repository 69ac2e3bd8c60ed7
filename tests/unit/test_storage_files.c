/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of disks in configuration of LVM, md, kdump and others, before and after the fixer. */
#include "tests/unit/fix_util.h"

static const char facts_text[] = "root /dev/vg0/root\narch x86_64\n"
                                 "device /dev/sda disk - - -\n"
                                 "device /dev/sda1 partition ext4 aaaa-1111 0abc-01\n"
                                 "device /dev/sda2 partition LVM2_member bbbb-2222 0abc-02\n"
                                 "device /dev/sda3 partition - - 0abc-03\n"
                                 "device /dev/vg0/root lv ext4 cccc-3333 -\n";

#define MDADM "/etc/mdadm.conf"
#define LVM "/etc/lvm/lvm.conf"

static const struct fix_case cases[] = {
    { "names of members", MDADM,
      "MAILADDR root\nDEVICE /dev/sda1 /dev/sdb1 # two\nARRAY /dev/md0 UUID=1:2:3:4\n",
      "MAILADDR root\nDEVICE partitions # two\nARRAY /dev/md0 UUID=1:2:3:4\n", 0 },
    { "patterns, over several lines", "/etc/mdadm/mdadm.conf",
      "dev /dev/sd*[0-9] /dev/hd*\n    /dev/xvda1 /dev/mapper/x\nDEVICE /dev/disk/by-path/*\n",
      "dev partitions\n /dev/mapper/x\nDEVICE partitions\n", 0 },
    { "all that there is", MDADM, "DEVICE partitions containers\nDEVICE /dev/sda1 partitions\n",
      NULL, 0 },
    { "a comment", MDADM, "# DEVICE /dev/sda1\n", NULL, 0 },
    { "members of an array with a UUID", MDADM,
      "ARRAY /dev/md0 level=raid1\n   devices=/dev/sda1,/dev/sdb1\n   UUID=1:2:3:4\n",
      "ARRAY /dev/md0 level=raid1\n   UUID=1:2:3:4\n", 0 },
    { "members of an array that is not known", MDADM,
      "ARRAY /dev/md0 devices=/dev/sda1,/dev/sdb1\n", NULL, 1 },
    { "members whose names last", MDADM, "ARRAY /dev/md0 devices=/dev/mapper/a,/dev/mapper/b\n",
      NULL, 0 },

    { "an accepted disk", LVM,
      "devices {\n\t# filter = [ \"a|/dev/sda2|\" ]\n\tfilter = [ \"a|^/dev/sda2$|\", \"r|.*|\" "
      "]\n}\n",
      "devices {\n\t# filter = [ \"a|/dev/sda2|\" ]\n\tfilter = [ \"a|^/dev/[hsv]da2$|\", "
      "\"r|.*|\" "
      "]\n}\n",
      0 },
    { "patterns", LVM,
      "devices {\n global_filter=[ # mine\n \"a|/dev/sd.*|\",\n \"a|^/dev/xvd[ab]|\" "
      "\"a/sd(a|b)/\" "
      "]\n}\n",
      "devices {\n global_filter=[ # mine\n \"a|/dev/[hsv]d.*|\",\n \"a|^/dev/[hsv]d[ab]|\" "
      "\"a/[hsv]d(a|b)/\" ]\n}\n",
      0 },
    { "by-path", LVM,
      "devices/filter = [ \"a|^/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0-part2$|\" ]\n",
      "devices/filter = [ \"a|^/dev/[hsv]da2$|\" ]\n", 0 },
    { "NVMe", LVM, "filter = [ \"a|/dev/nvme0n1p2|\", \"r|.*|\" ]\n",
      "filter = [ \"a|/dev/[hsv]da2|\", \"r|.*|\" ]\n", 0 },
    { "a pattern of another driver", LVM, "filter = \"a|/dev/nvme.*|\"\n", NULL, 1 },
    { "everything", LVM, "filter = [ \"a|.*|\" ]\nglobal_filter = [ \"r|/dev/drbd.*|\" ]\n", NULL,
      0 },
    { "the guest's own disk is refused", LVM, "filter = [ \"r|/dev/vd.*|\", \"a|.*|\" ]\n", NULL,
      1 },
    { "and this one is not", LVM, "filter = [ \"a|/dev/[hsv]da2|\", \"r|.*|\" ]\n", NULL, 0 },
    { "another setting", LVM, "devices {\n preferred_names = [ \"a|/dev/sda|\" ]\n}\n", NULL, 0 },
    { "strings and comments that do not end", LVM, "filter = [ \"a|/dev/sda2", NULL, 0 },

    { "dumps", "/etc/kdump.conf",
      "#ext4 /dev/sda1\npath /var/crash\next4 /dev/sda1\nraw /dev/sda3\nxfs /dev/sdb1\n"
      "core_collector makedumpfile -l\n",
      "#ext4 /dev/sda1\npath /var/crash\next4 UUID=aaaa-1111\nraw /dev/disk/by-partuuid/0abc-03\n"
      "xfs /dev/sdb1\ncore_collector makedumpfile -l\n",
      1 },
    { "a volume of LVM is found by its partition", "/etc/kdump.conf", "ext4 /dev/sda2\n",
      "ext4 PARTUUID=0abc-02\n", 0 },
    { "NixOS", "/etc/nixos/hardware-configuration.nix",
      "  fileSystems.\"/\" = {\n    device = \"/dev/sda1\";\n  };\n", NULL, 1 },
    { "automounts", "/etc/auto.misc",
      "# x :/dev/sda1\ncd\t-fstype=iso9660,ro\t:/dev/cdrom\ndata\t-fstype=ext4\t:/dev/sda1\n"
      "nfs\tserver:/dev/sda1\n",
      "# x :/dev/sda1\ncd\t-fstype=iso9660,ro\t:/dev/cdrom\n"
      "data\t-fstype=ext4\t:/dev/disk/by-uuid/aaaa-1111\nnfs\tserver:/dev/sda1\n",
      0 },
    { "a map that is a program", "/etc/auto.net", "#!/bin/sh\necho :/dev/sda1 :/dev/sda1\n", NULL,
      0 },

    { "rules of udev", "/etc/udev/rules.d/99-asm.rules",
      "# KERNEL==\"sda\"\nKERNEL==\"sd?1\", SUBSYSTEM==\"block\", OWNER=\"oracle\"\n", NULL, 1 },
    { "rules by serial number", "/etc/udev/rules.d/99-asm.rules",
      "SUBSYSTEM==\"block\", ENV{ID_SERIAL}==\"36000c29\", SYMLINK+=\"asm1\"\n", NULL, 1 },
    { "rules of other things", "/etc/udev/rules.d/70-persistent-cd.rules",
      "SUBSYSTEM==\"block\", ENV{ID_CDROM}==\"?*\", ENV{ID_PATH}==\"pci-1\", SYMLINK+=\"cdrom\"\n"
      "SUBSYSTEM==\"net\", KERNEL==\"eth*\", ENV{ID_PATH}==\"pci-2\", NAME=\"eth0\"\n"
      "KERNEL==\"dm-*\", OWNER=\"oracle\"\n",
      NULL, 0 },
    { "a script", "/etc/rc.local", "#!/bin/sh\nhdparm -W0 /dev/sda\nmount /dev/mapper/x /x\n", NULL,
      1 },
    { "raw devices", "/etc/sysconfig/rawdevices", "/dev/raw/raw1 /dev/sdb1\n", NULL, 1 },
    { "what SUSE installs GRUB to", "/etc/default/grub_installdevice",
      "/dev/disk/by-id/scsi-36000c29-part1\nactivate\n", NULL, 1 },
    { "or not by its name", "/etc/default/grub_installdevice", "(hd0)\ngeneric_mbr\n", NULL, 0 },
    { "nothing to say", "/etc/smartd.conf", "# /dev/sda -a\nDEVICESCAN\n", NULL, 0 },

    { "a devices file of volumes", "/etc/lvm/devices/system.devices",
      "VERSION=1.1.1\nIDTYPE=crypt_uuid IDNAME=CRYPT-LUKS2-1 DEVNAME=/dev/dm-0 PVID=x\n", NULL, 0 },
};

static void texts_change_as_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        fix_check(facts_text, "storage", &cases[i]);
}

static const struct {
    const char *path, *text;
    int goes;
} caches[] = {
    { "/etc/blkid/blkid.tab", "<device DEVNO=\"0x0302\" TYPE=\"ext3\">/dev/hda2</device>\n", 1 },
    { "/etc/blkid.tab", "<device TYPE=\"ext3\">/dev/mapper/a-b</device>\n", 0 },
    { "/etc/lvm/cache/.cache", "persistent_filter_cache {\n\tvalid_devices=[\"/dev/sda2\"]\n}\n",
      1 },
    { "/etc/lvm/devices/system.devices",
      "VERSION=1.1.2\nIDTYPE=sys_wwid IDNAME=naa.6000c29 DEVNAME=/dev/sda2 PVID=x PART=2\n", 1 },
    { "/etc/lvm/devices/system.devices",
      "IDTYPE=devname IDNAME=/dev/sda2 DEVNAME=/dev/sda2 PVID=x\n", 1 },
};

static void hardware_s_names_are_told_in_full(void **state)
{
    static const char path[] = "/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0";
    struct tree tree;
    struct plan *plan;

    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, "/etc/default/grub_installdevice",
             "/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0\nactivate\n", 0644);
    plan = fix_plan(&tree, facts_text, "storage");
    assert_int_equal(plan->notes.n, 1);
    assert_non_null(strstr(plan->notes.items[0], path));
    plan_free(plan);
    tree_close(&tree);
}

static void stale_caches_are_removed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(caches); i++) {
        struct err err = ERR_NONE;
        struct plan *plan;
        struct tree tree;

        tree_open(&tree, NULL);
        tree_put(&tree, caches[i].path, caches[i].text, 0600);
        plan = fix_plan(&tree, facts_text, "storage");
        assert_int_equal(plan->n, caches[i].goes);
        assert_int_equal(plan_apply(plan, &err), 0);
        assert_int_equal(guest_exists(tree.root, caches[i].path), !caches[i].goes);
        plan_free(plan);
        tree_close(&tree);
    }
}

/* An array that only its members name is known by the UUID in their superblocks. */
static void members_become_the_uuid(void **state)
{
    struct facts *facts = facts_of_text(facts_text);
    struct fix_opts opts = { 0 };
    struct fix_context ctx = { .facts = facts, .opts = &opts };
    struct fact_device *device = facts_add_device(facts);
    struct fact_alias *alias = facts_add_alias(facts);
    struct plan *plan = NULL;
    struct err err = ERR_NONE;
    struct tree tree;

    (void)state;
    facts_set(&device->name, "/dev/md/0");
    facts_set(&device->kind, "md");
    facts_set(&device->array_uuid, "01234567:89abcdef:01234567:89abcdef");
    facts_set(&alias->name, "/dev/md0");
    facts_set(&alias->device, "/dev/md/0");
    tree_open(&tree, NULL);
    tree_put(&tree, MDADM, "ARRAY /dev/md0 devices=/dev/sdb1,/dev/sdc1\n", 0644);
    strlist_add(&opts.only, "storage");
    assert_int_equal(fixers_plan(&ctx, tree.root, &plan, &err), 0);
    assert_int_equal(plan_apply(plan, &err), 0);
    tree_expect(&tree, MDADM, "ARRAY /dev/md0 UUID=01234567:89abcdef:01234567:89abcdef\n");
    plan_free(plan);
    strlist_done(&opts.only);
    tree_close(&tree);
    facts_free(facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_change_as_the_table_says),
        cmocka_unit_test(hardware_s_names_are_told_in_full),
        cmocka_unit_test(stale_caches_are_removed),
        cmocka_unit_test(members_become_the_uuid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
