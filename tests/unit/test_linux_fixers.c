/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Texts before and after each Linux fixer; every case is planned twice. */
#include "tests/unit/fix_util.h"

/* sda6 has no id at all; sda7 and sda8 are clones of each other. */
static const char one_disk[] = "root /dev/sda1\narch x86_64\ndistro debian\n"
                               "device /dev/sda disk - - -\n"
                               "device /dev/sda1 partition ext4 aaaa-1111 0abc-01\n"
                               "device /dev/sda2 partition swap bbbb-2222 0abc-02\n"
                               "device /dev/sda3 partition crypto_LUKS cccc-3333 0abc-03\n"
                               "device /dev/sda5 partition - - 0abc-05\n"
                               "device /dev/sda6 partition - - -\n"
                               "device /dev/sda7 partition xfs dddd-4444 0abc-07\n"
                               "device /dev/sda8 partition xfs dddd-4444 0abc-08\n";
static const char two_disks[] = "root /dev/sda1\narch x86_64\ndistro debian\n"
                                "device /dev/sda disk - - -\n"
                                "device /dev/sda1 partition btrfs eeee-5555 0abc-01\n"
                                "device /dev/sdb disk - - -\n"
                                "device /dev/sdb1 partition btrfs eeee-5555 0def-01\n";
static const char lvm[] = "root /dev/vg0/root\n"
                          "device /dev/sda disk - - -\n"
                          "device /dev/sda1 partition ext4 aaaa-1111 0abc-01\n"
                          "device /dev/vg0/root logical ext4 ffff-6666 -\n";

#define FSTAB "fstab", "/etc/fstab"
#define CRYPTTAB "crypttab", "/etc/crypttab"
#define GRUB "bootloader", "/boot/grub/grub.cfg"
#define DEFAULT "bootloader", "/etc/default/grub"

static const struct {
    const char *label, *facts, *fixer, *path, *in;
    const char *want; /* NULL: the text stays as it is */
    int n_notes;
} cases[] = {
    { "disk name", one_disk, FSTAB, "/dev/sda1 / ext4 rw 0 1\n", "UUID=aaaa-1111 / ext4 rw 0 1\n",
      0 },
    { "swap", one_disk, FSTAB, "/dev/sda2\tnone\tswap\tsw\t0\t0\n",
      "UUID=bbbb-2222\tnone\tswap\tsw\t0\t0\n", 0 },
    { "aligned columns stay aligned", one_disk, FSTAB,
      "/dev/sda1             /     ext4  rw  0 1\n/dev/sda2   none  swap  sw  0 0\n",
      "UUID=aaaa-1111        /     ext4  rw  0 1\nUUID=bbbb-2222 none  swap  sw  0 0\n", 0 },
    { "comments, order and the missing newline stay", one_disk, FSTAB,
      "# / was on /dev/sda1\n\nproc /proc proc defaults 0 0\n/dev/sda1 / ext4 rw 0 1",
      "# / was on /dev/sda1\n\nproc /proc proc defaults 0 0\nUUID=aaaa-1111 / ext4 rw 0 1", 0 },
    { "stable names", one_disk, FSTAB,
      "UUID=aaaa-1111 / ext4 rw 0 1\nLABEL=x /x xfs rw 0 0\nPARTUUID=0abc-05 /y xfs rw 0 0\n"
      "/dev/mapper/vg0-root /z xfs rw 0 0\n/dev/md0 /m xfs rw 0 0\n/dev/vg0/v /v xfs rw 0 0\n"
      "/dev/disk/by-uuid/aaaa-1111 /u ext4 rw 0 0\n/dev/disk/by-label/x /l xfs rw 0 0\n"
      "/dev/disk/by-id/dm-name-vg0-root /d xfs rw 0 0\n/dev/disk/by-id/md-uuid-1 /e xfs rw 0 0\n"
      "server:/export /n nfs rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n",
      NULL, 0 },
    { "removable drives", one_disk, FSTAB,
      "/dev/sr0 /media/cdrom0 udf,iso9660 user,noauto 0 0\n/dev/fd0 /media/floppy auto rw 0 0\n"
      "/dev/hdc /media/cdrom1 iso9660 user,noauto 0 0\n/dev/cdrom /c auto noauto 0 0\n"
      "/dev/hdc /media/cdrecorder auto pamconsole,exec,noauto,managed 0 0\n",
      NULL, 0 },
    { "by-path", one_disk, FSTAB,
      "/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0-part1 / ext4 rw 0 1\n",
      "UUID=aaaa-1111 / ext4 rw 0 1\n", 0 },
    { "multipath", one_disk, FSTAB,
      "/dev/mapper/mpatha1 /a ext4 rw 0 0\n/dev/mapper/mpathap1 /b ext4 rw 0 0\n"
      "/dev/mapper/36000c2957a4b3d1c8e5f0a9b7c6d5e4f-part2 none swap sw 0 0\n"
      "/dev/mapper/mpathological /m ext4 rw 0 0\n/dev/mapper/mpath-x /n ext4 rw 0 0\n",
      "UUID=aaaa-1111 /a ext4 rw 0 0\nUUID=aaaa-1111 /b ext4 rw 0 0\n"
      "UUID=bbbb-2222 none swap sw 0 0\n"
      "/dev/mapper/mpathological /m ext4 rw 0 0\n/dev/mapper/mpath-x /n ext4 rw 0 0\n",
      0 },
    { "multipath with two disks is not clear", two_disks, FSTAB,
      "/dev/mapper/mpathb1 /x btrfs rw 0 0\n", NULL, 1 },
    { "by-id", one_disk, FSTAB, "/dev/disk/by-id/wwn-0x6000c29-part2 none swap sw 0 0\n",
      "UUID=bbbb-2222 none swap sw 0 0\n", 0 },
    { "other drivers", one_disk, FSTAB,
      "/dev/hda1 /a ext4 rw 0 1\n/dev/xvda1 /b ext4 rw 0 1\n/dev/cciss/c0d0p1 /c ext4 rw 0 1\n"
      "/dev/nvme0n1p1 /d ext4 rw 0 1\n/dev/vda1 /e ext4 rw 0 1\n",
      "UUID=aaaa-1111 /a ext4 rw 0 1\nUUID=aaaa-1111 /b ext4 rw 0 1\n"
      "UUID=aaaa-1111 /c ext4 rw 0 1\nUUID=aaaa-1111 /d ext4 rw 0 1\n"
      "UUID=aaaa-1111 /e ext4 rw 0 1\n",
      0 },
    { "PARTUUID where there is no UUID", one_disk, FSTAB, "/dev/sda5 /x ext4 rw 0 0\n",
      "PARTUUID=0abc-05 /x ext4 rw 0 0\n", 0 },
    { "PARTUUID where the UUID is not unique", one_disk, FSTAB, "/dev/sda8 /x xfs rw 0 0\n",
      "PARTUUID=0abc-08 /x xfs rw 0 0\n", 0 },
    { "no id", one_disk, FSTAB, "/dev/sda6 /x ext4 rw 0 0\n", NULL, 1 },
    { "no such disk", one_disk, FSTAB, "/dev/sdb1 /x ext4 rw 0 0\n", NULL, 1 },
    { "another file system than the entry says", one_disk, FSTAB, "/dev/sda1 /x xfs rw 0 0\n", NULL,
      1 },
    { "by-path with two disks is not clear", two_disks, FSTAB,
      "/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:1:0-part1 /x btrfs rw 0 0\n", NULL, 1 },
    { "btrfs over two disks", two_disks, FSTAB, "/dev/sdb1 / btrfs subvol=@ 0 0\n",
      "UUID=eeee-5555 / btrfs subvol=@ 0 0\n", 0 },
    { "ext3 entry for ext4", one_disk, FSTAB, "/dev/sda1 / ext3 rw 0 1\n",
      "UUID=aaaa-1111 / ext3 rw 0 1\n", 0 },

    { "options that are devices", one_disk, FSTAB,
      "UUID=x / xfs rw,logdev=/dev/sda5,nofail 0 0\n"
      "UUID=y /b btrfs device=/dev/sda2,device=/dev/mapper/c 0 0\n"
      "UUID=z /c ext4 x-systemd.requires=/dev/sda3\nUUID=z /d ext4 journal_path=/dev/sdb1,rw 0 0\n",
      "UUID=x / xfs rw,logdev=/dev/disk/by-partuuid/0abc-05,nofail 0 0\n"
      "UUID=y /b btrfs device=/dev/disk/by-partuuid/0abc-02,device=/dev/mapper/c 0 0\n"
      "UUID=z /c ext4 x-systemd.requires=/dev/disk/by-partuuid/0abc-03\n"
      "UUID=z /d ext4 journal_path=/dev/sdb1,rw 0 0\n",
      1 },
    { "a drop-in of a mount", one_disk, "fstab", "/etc/systemd/system/data.mount.d/a.conf",
      "[Mount]\nWhat=/dev/sda1\n", "[Mount]\nWhat=/dev/disk/by-uuid/aaaa-1111\n", 0 },
    { "a service that waits for a disk", one_disk, "fstab", "/etc/systemd/system/a.service",
      "[Unit]\n# After=dev-sdb.device\nAfter=dev-sda1.device dev-mapper-x.device dev-sda2.swap\n"
      "Requires=dev-disk-by\\x2dpath-pci\\x2d0\\x2dpart1.device\n",
      "[Unit]\n# After=dev-sdb.device\nAfter=dev-disk-by\\x2duuid-aaaa\\x2d1111.device "
      "dev-mapper-x.device dev-disk-by\\x2duuid-bbbb\\x2d2222.swap\n"
      "Requires=dev-disk-by\\x2duuid-aaaa\\x2d1111.device\n",
      0 },
    { "a disk that is not there", one_disk, "fstab", "/etc/systemd/system/a.target",
      "[Unit]\nBindsTo=dev-sdq1.device\n", NULL, 1 },
    { "a mount that requires its disk", one_disk, "fstab", "/etc/systemd/system/data.mount",
      "[Unit]\nRequires=dev-sda1.device\n[Mount]\nWhat=/dev/sda1\nWhere=/data\n",
      "[Unit]\nRequires=dev-disk-by\\x2duuid-aaaa\\x2d1111.device\n"
      "[Mount]\nWhat=/dev/disk/by-uuid/aaaa-1111\nWhere=/data\n",
      0 },
    { "a drop-in of a service", one_disk, "fstab", "/etc/systemd/system/db.service.d/a.conf",
      "[Unit]\nBindsTo=dev-sda1.device\n",
      "[Unit]\nBindsTo=dev-disk-by\\x2duuid-aaaa\\x2d1111.device\n", 0 },

    { "LUKS", one_disk, CRYPTTAB, "# c\ncr   /dev/sda3         none luks,discard\n",
      "# c\ncr   UUID=cccc-3333    none luks,discard\n", 0 },
    { "mkinitcpio's own", one_disk, "crypttab", "/etc/crypttab.initramfs",
      "cr /dev/sda3 none luks\n", "cr UUID=cccc-3333 none luks\n", 0 },
    { "plain swap gets no UUID that is overwritten", one_disk, CRYPTTAB,
      "sw /dev/sda2 /dev/urandom swap\n", "sw PARTUUID=0abc-02 /dev/urandom swap\n", 0 },
    { "stable", one_disk, CRYPTTAB, "a UUID=cccc-3333 none\nb /dev/vg0/x none luks\n", NULL, 0 },
    { "unknown", one_disk, CRYPTTAB, "a /dev/sdc3 none luks\n", NULL, 1 },
    { "a header on a disk", one_disk, CRYPTTAB, "a UUID=cccc-3333 none luks,header=/dev/sdb1\n",
      NULL, 1 },
    { "key on a disk", one_disk, CRYPTTAB, "a UUID=cccc-3333 /dev/sda1:/key luks\n", NULL, 1 },

    { "kernels, not GRUB's own root", one_disk, GRUB,
      "set root='hd0,msdos1'\nsearch --no-floppy --fs-uuid --set=root "
      "--hint-bios=hd0,msdos1 aaaa-1111\n# linux /v root=/dev/sda1\n"
      "menuentry 'A' {\n\tset root=/dev/sda1\n"
      "\tlinux\t/boot/vmlinuz-6.1 root=/dev/sda1 ro resume=/dev/sda2 rootflags=subvol=@ quiet\n"
      "\tinitrd\t/boot/initrd.img-6.1\n}\n",
      "set root='hd0,msdos1'\nsearch --no-floppy --fs-uuid --set=root "
      "--hint-bios=hd0,msdos1 aaaa-1111\n# linux /v root=/dev/sda1\n"
      "menuentry 'A' {\n\tset root=/dev/sda1\n"
      "\tlinux\t/boot/vmlinuz-6.1 root=UUID=aaaa-1111 ro resume=UUID=bbbb-2222 "
      "rootflags=subvol=@ quiet\n"
      "\tinitrd\t/boot/initrd.img-6.1\n}\n",
      0 },
    { "no initramfs, no UUID", one_disk, GRUB, "linux /vmlinuz root=/dev/sda1 ro\n",
      "linux /vmlinuz root=PARTUUID=0abc-01 ro\n", 0 },
    { "stable root", one_disk, GRUB,
      "linux /v root=/dev/mapper/vg0-root ro\ninitrd /i\nlinux /v root=UUID=x\ninitrd /i\n", NULL,
      0 },
    { "unknown root", one_disk, GRUB, "linux /v root=/dev/sdd1\ninitrd /i\n", NULL, 1 },

    { "default/grub", one_disk, DEFAULT,
      "GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet resume=/dev/sda2\"\n"
      "GRUB_CMDLINE_LINUX='root=/dev/sda1'\n#GRUB_CMDLINE_LINUX=\"root=/dev/sda1\"\n",
      "GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet resume=UUID=bbbb-2222\"\n"
      "GRUB_CMDLINE_LINUX='root=UUID=aaaa-1111'\n#GRUB_CMDLINE_LINUX=\"root=/dev/sda1\"\n",
      0 },
    { "default/grub without root= gets none", one_disk, DEFAULT,
      "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\nGRUB_CMDLINE_LINUX=\"\"\n", NULL, 0 },
    { "UUIDs are allowed again", one_disk, DEFAULT,
      "GRUB_DISABLE_LINUX_UUID=\"true\" # old\nGRUB_DISABLE_UUID=true\n",
      "GRUB_DISABLE_LINUX_UUID=false # old\nGRUB_DISABLE_UUID=false\n", 0 },
    { "but a volume's name is better", lvm, DEFAULT, "GRUB_DISABLE_LINUX_UUID=true\n", NULL, 0 },
    { "default/grub.d", one_disk, "bootloader", "/etc/default/grub.d/x.cfg",
      "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX root=/dev/sda1 x\"\n",
      "GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX root=UUID=aaaa-1111 x\"\n", 0 },
    { "a file that grub-mkconfig does not read", one_disk, "bootloader",
      "/etc/default/grub.d/x.cfg.old", "GRUB_CMDLINE_LINUX=root=/dev/sda1\n", NULL, 0 },
    { "initramfs-tools", one_disk, "bootloader", "/etc/initramfs-tools/conf.d/resume",
      "RESUME=/dev/sda2\n", "RESUME=UUID=bbbb-2222\n", 0 },
    { "no resume", one_disk, "bootloader", "/etc/initramfs-tools/conf.d/resume", "RESUME=none\n",
      NULL, 0 },
    { "kernel-install", one_disk, "bootloader", "/etc/kernel/cmdline",
      "root=/dev/sda1 ro nofoo_root=/dev/sda1\n", "root=UUID=aaaa-1111 ro nofoo_root=/dev/sda1\n",
      1 },
    { "boot loader specification", one_disk, "bootloader", "/boot/loader/entries/a.conf",
      "title root=/dev/sda1\noptions root=/dev/sda1 ro\n",
      "title root=/dev/sda1\noptions root=UUID=aaaa-1111 ro\n", 0 },
    { "stable device.map", one_disk, "bootloader", "/boot/grub/device.map", "(hd0) /dev/md0\n",
      NULL, 0 },
};

static void apply(struct plan *plan)
{
    struct err err = ERR_NONE;

    assert_int_equal(plan_apply(plan, &err), 0);
    plan_free(plan);
}

static void texts_change_as_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct fix_case one = { cases[i].label, cases[i].path, cases[i].in, cases[i].want,
                                      cases[i].n_notes };

        fix_check(cases[i].facts, cases[i].fixer, &one);
    }
}

/* hda1 and sda1 would both be taken for the first disk's partition. */
static void names_of_two_drivers_are_not_guessed(void **state)
{
    static const char *const sources[] = { "/dev/hda1", "/dev/sda1" };

    (void)state;
    for (int disks = 1; disks <= 2; disks++) {
        struct facts *facts = facts_of_text(disks == 1 ? one_disk : two_disks);
        struct fix_opts opts = { 0 };
        struct fix_context ctx = { .facts = facts, .opts = &opts };
        struct plan *plan = NULL;
        struct err err = ERR_NONE;
        struct tree tree;

        for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
            struct fact_mount *mount = facts_add_mount(facts);

            facts_set(&mount->source, sources[i]);
            mount->device = facts_resolve(facts, sources[i]);
            mount->at_boot = true;
        }
        tree_open(&tree, NULL);
        tree_put(&tree, "/etc/fstab", "/dev/hda1 /a auto rw 0 0\n/dev/sda1 /b auto rw 0 0\n", 0644);
        strlist_add(&opts.only, "fstab");
        assert_int_equal(fixers_plan(&ctx, tree.root, &plan, &err), 0);
        assert_int_equal(plan->n, disks == 1);
        assert_int_equal(plan->notes.n, disks == 1 ? 0 : 2);
        plan_free(plan);
        strlist_done(&opts.only);
        tree_close(&tree);
        facts_free(facts);
    }
}

static void a_stale_device_map_is_removed(void **state)
{
    struct tree tree;

    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, "/boot/grub/device.map", "# map\n(fd0)\t/dev/fd0\n(hd0)\t/dev/sda\n", 0644);
    apply(fix_plan(&tree, one_disk, "bootloader"));
    assert_false(guest_exists(tree.root, "/boot/grub/device.map"));
    tree_close(&tree);
}

static void swap_units_move_with_their_links(void **state)
{
    static const char wants[] = "/etc/systemd/system/swap.target.wants";
    static const char uuid_unit[] = "dev-disk-by\\x2duuid-bbbb\\x2d2222.swap";
    struct tree tree;
    struct plan *plan;
    char *path, *target;

    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, "/etc/systemd/system/dev-sda2.swap", "[Swap]\nWhat=/dev/sda2\n", 0644);
    tree_put(&tree, "/etc/systemd/system/data.mount",
             "[Mount]\nWhat = /dev/sda1\nWhere=/data\nType=ext4\n", 0644);
    tree_link(&tree, "/etc/systemd/system/dev-sda2.swap",
              "/etc/systemd/system/swap.target.wants/dev-sda2.swap");
    apply(fix_plan(&tree, one_disk, "fstab"));
    tree_expect(&tree, "/etc/systemd/system/data.mount",
                "[Mount]\nWhat = /dev/disk/by-uuid/aaaa-1111\nWhere=/data\nType=ext4\n");
    path = mem_printf("/etc/systemd/system/%s", uuid_unit);
    tree_expect(&tree, path, "[Swap]\nWhat=/dev/disk/by-uuid/bbbb-2222\n");
    free(path);
    assert_false(guest_exists(tree.root, "/etc/systemd/system/dev-sda2.swap"));
    plan = fix_plan(&tree, one_disk, "fstab");
    assert_int_equal(plan->n, 0);
    path = mem_printf("%s/%s", wants, uuid_unit);
    target = plan_readlink(plan, path);
    assert_non_null(target);
    free(path);
    path = mem_printf("/etc/systemd/system/%s", uuid_unit);
    assert_string_equal(target, path);
    free(path);
    free(target);
    plan_free(plan);
    tree_close(&tree);
}

static void unknown_and_skipped_fixers(void **state)
{
    struct facts *facts = facts_of_text(one_disk);
    struct fix_opts opts = { 0 };
    struct fix_context ctx = { .facts = facts, .opts = &opts };
    struct plan *plan = NULL;
    struct err err = ERR_NONE;
    struct tree tree;

    (void)state;
    assert_null(fixer_find("nonsense"));
    tree_open(&tree, NULL);
    tree_put(&tree, "/etc/fstab", "/dev/sda1 / ext4 rw 0 1\n", 0644);
    strlist_add(&opts.skip, "fstab");
    assert_int_equal(fixers_plan(&ctx, tree.root, &plan, &err), 0);
    assert_int_equal(plan->n, 0);
    plan_free(plan);
    strlist_done(&opts.skip);
    facts->os = OS_WINDOWS;
    assert_int_equal(fixers_plan(&ctx, tree.root, &plan, &err), 0);
    assert_int_equal(plan->n, 0);
    plan_free(plan);
    tree_close(&tree);
    facts_free(facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_change_as_the_table_says),
        cmocka_unit_test(names_of_two_drivers_are_not_guessed),
        cmocka_unit_test(a_stale_device_map_is_removed),
        cmocka_unit_test(swap_units_move_with_their_links),
        cmocka_unit_test(unknown_and_skipped_fixers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
