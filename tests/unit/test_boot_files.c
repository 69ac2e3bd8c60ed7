/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arguments of kernels in all files of boot loaders, before and after the fixer; each is planned
 * twice. */
#include "tests/unit/fix_util.h"

static const char facts_text[] = "root /dev/sda1\narch x86_64\n"
                                 "device /dev/sda disk - - -\n"
                                 "device /dev/sda1 partition ext4 aaaa-1111 0abc-01\n"
                                 "device /dev/sda2 partition swap bbbb-2222 0abc-02\n"
                                 "device /dev/sda3 partition crypto_LUKS cccc-3333 0abc-03\n";

#define ENV_SIGNATURE "# GRUB Environment Block\n"

/* Everything on the disks is seen. */
static const char seen_text[] = "root /dev/sda1\narch x86_64\n"
                                "device /dev/sda disk - - -\n"
                                "device /dev/sda1 partition ext4 aaaa-1111 0abc-01\n"
                                "device /dev/sda2 partition swap bbbb-2222 0abc-02\n";

static const struct fix_case resume_cases[] = {
    { "a swap that is gone", "/etc/kernel/cmdline",
      "root=UUID=aaaa-1111 resume=UUID=gone-0001 quiet\n", "root=UUID=aaaa-1111 noresume quiet\n",
      0 },
    { "one that is there", "/etc/kernel/cmdline",
      "resume=UUID=bbbb-2222 resume=/dev/disk/by-uuid/bbbb-2222 resume=/dev/vg/swap\n", NULL, 0 },
    { "in quotes", "/etc/default/grub",
      "GRUB_CMDLINE_LINUX=\"resume=/dev/disk/by-uuid/gone-0001 quiet\"\n",
      "GRUB_CMDLINE_LINUX=\"noresume quiet\"\n", 0 },
    { "grub.cfg", "/boot/grub/grub.cfg",
      "menuentry a {\n linux /v root=UUID=aaaa-1111 resume=UUID=gone-0001 ro\n initrd /i\n}\n",
      "menuentry a {\n linux /v root=UUID=aaaa-1111 noresume ro\n initrd /i\n}\n", 0 },
    { "grub.cfg, quoted", "/boot/grub/grub.cfg",
      "menuentry a {\n linux /v 'resume=UUID=gone-0001'\n initrd /i\n}\n",
      "menuentry a {\n linux /v 'noresume'\n initrd /i\n}\n", 0 },
    { "BLS", "/boot/loader/entries/a.conf", "linux /v\noptions resume=UUID=gone-0001 ro\n",
      "linux /v\noptions noresume ro\n", 0 },
    { "initramfs-tools", "/etc/initramfs-tools/conf.d/resume", "RESUME=UUID=gone-0001\n",
      "RESUME=none\n", 0 },
    { "initramfs-tools, there", "/etc/initramfs-tools/conf.d/resume", "RESUME=UUID=bbbb-2222\n",
      NULL, 0 },
};

static const struct fix_case cases[] = {
    { "every argument that is a device", "/etc/kernel/cmdline",
      "root=/dev/sda1 resume=/dev/sda2 boot=/dev/sda1 mount.usr=/dev/sda1 real_root=/dev/sda1\n",
      "root=UUID=aaaa-1111 resume=UUID=bbbb-2222 boot=UUID=aaaa-1111 mount.usr=UUID=aaaa-1111 "
      "real_root=UUID=aaaa-1111\n",
      0 },
    { "encrypted volumes, with what follows", "/etc/kernel/cmdline",
      "cryptdevice=/dev/sda3:cr:allow-discards cryptkey=/dev/sda1:ext4:/key crypt_root=/dev/sda3 "
      "cryptopts=target=cr,source=/dev/sda3,key=none cryptroot=/dev/sda3",
      "cryptdevice=UUID=cccc-3333:cr:allow-discards cryptkey=UUID=aaaa-1111:ext4:/key "
      "crypt_root=UUID=cccc-3333 cryptopts=target=cr,source=UUID=cccc-3333,key=none "
      "cryptroot=UUID=cccc-3333",
      0 },
    { "a plain dm-crypt volume has no UUID", "/etc/kernel/cmdline", "cryptdevice=/dev/sda2:cr",
      "cryptdevice=PARTUUID=0abc-02:cr", 0 },
    { "other drivers' names", "/etc/kernel/cmdline",
      "root=/dev/hda1 resume=/dev/xvda2 root=/dev/nvme0n1p1 root=/dev/cciss/c0d0p1 "
      "root=/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0-part1 "
      "resume=/dev/disk/by-id/scsi-36000c29-part2 root=/dev/vda1\n",
      "root=UUID=aaaa-1111 resume=UUID=bbbb-2222 root=UUID=aaaa-1111 root=UUID=aaaa-1111 "
      "root=/dev/disk/by-uuid/aaaa-1111 resume=/dev/disk/by-uuid/bbbb-2222 root=UUID=aaaa-1111\n",
      0 },
    { "names that last", "/etc/kernel/cmdline",
      "root=/dev/mapper/vg-root resume=/dev/vg/swap root=UUID=x root=LABEL=x root=PARTUUID=x "
      "boot=live root=/dev/nfs root=ZFS=a/b rd.luks.name=u=cr\n",
      NULL, 0 },
    { "names in what is not understood", "/etc/kernel/cmdline",
      "md=0,/dev/sda1,/dev/sdb1 rd.luks.key=/k:/dev/sdb1 root=block:/dev/sda1 ks=hd:sda1:/ks "
      "x=/dev/sda1",
      NULL, 5 },
    { "numbers", "/etc/kernel/cmdline", "root=0801 root=8:1 root=0x801 root=1 root=x801", NULL, 3 },
    { "a disk that is not there", "/etc/kernel/cmdline", "root=/dev/sdb1", NULL, 1 },
    { "a swap that may be in the encrypted volume", "/etc/kernel/cmdline",
      "root=UUID=aaaa-1111 resume=UUID=gone-0001 resume=UUID=bbbb-2222 resume=/dev/vg/swap\n", NULL,
      0 },
    { "a comment", "/etc/kernel/cmdline", "# root=/dev/sda1\nroot=/dev/sda1",
      "# root=/dev/sda1\nroot=UUID=aaaa-1111", 0 },
    { "what the vendor ships", "/usr/lib/kernel/cmdline", "root=/dev/sda1", "root=UUID=aaaa-1111",
      0 },
    { "ukify", "/etc/kernel/uki.conf", "[UKI]\nCmdline=root=/dev/sda1 ro\n",
      "[UKI]\nCmdline=root=UUID=aaaa-1111 ro\n", 0 },
    { "dracut", "/etc/dracut.conf.d/a.conf",
      "# kernel_cmdline=\"root=/dev/sda1\"\nkernel_cmdline+=\" root=/dev/sda1 \"\n",
      "# kernel_cmdline=\"root=/dev/sda1\"\nkernel_cmdline+=\" root=UUID=aaaa-1111 \"\n", 0 },
    { "cmdline.d", "/etc/cmdline.d/root.conf", "root=/dev/sda1\n", "root=UUID=aaaa-1111\n", 0 },
    { "initramfs-tools' cryptroot", "/etc/initramfs-tools/conf.d/cryptroot",
      "CRYPTROOT=target=cr,source=/dev/sda3,lvm=vg-root\n",
      "CRYPTROOT=target=cr,source=UUID=cccc-3333,lvm=vg-root\n", 0 },

    { "grub1", "/boot/grub/menu.lst",
      "default 0\n# kopt=root=/dev/sda1 ro\n# old: kernel /x root=/dev/sda1\n"
      "title A\n\troot\t(hd0,0)\n\tkernel\t/vmlinuz ro root=/dev/sda1 resume=/dev/sda2\n"
      "\tinitrd\t/initrd\ntitle B\n\tkernel /vmlinuz root=/dev/hda1\n",
      "default 0\n# kopt=root=UUID=aaaa-1111 ro\n# old: kernel /x root=/dev/sda1\n"
      "title A\n\troot\t(hd0,0)\n\tkernel\t/vmlinuz ro root=UUID=aaaa-1111 resume=UUID=bbbb-2222\n"
      "\tinitrd\t/initrd\ntitle B\n\tkernel /vmlinuz root=PARTUUID=0abc-01\n",
      0 },
    { "grub1 on the ESP", "/boot/efi/EFI/redhat/grub.conf",
      "title A\n\troot (hd0,1)\n\tkernel /v root=/dev/sda1\n\tinitrd /i\n",
      "title A\n\troot (hd0,1)\n\tkernel /v root=UUID=aaaa-1111\n\tinitrd /i\n", 0 },
    { "entries on the ESP", "/efi/loader/entries/a.conf",
      "title\tArch\nlinux\t/v\ninitrd\t/i\noptions\troot=/dev/sda1 rw\n",
      "title\tArch\nlinux\t/v\ninitrd\t/i\noptions\troot=UUID=aaaa-1111 rw\n", 0 },
    { "an entry without initramfs", "/boot/efi/loader/entries/a.conf",
      "linux /v\noptions root=/dev/sda1\n", "linux /v\noptions root=PARTUUID=0abc-01\n", 0 },
    { "a variable of GRUB stays", "/boot/loader/entries/a.conf",
      "linux /v\ninitrd /i $tuned_initrd\noptions $kernelopts $tuned_params\n", NULL, 0 },
    { "extlinux in upper case", "/boot/extlinux.conf",
      "DEFAULT a\nLABEL a\n  LINUX v\n  INITRD i\n  APPEND root=/dev/sda1 modules=ext4 quiet\n",
      "DEFAULT a\nLABEL a\n  LINUX v\n  INITRD i\n  APPEND root=UUID=aaaa-1111 modules=ext4 "
      "quiet\n",
      0 },
    { "extlinux' other files", "/boot/extlinux/linux.cfg",
      "label a\n\tkernel /v\n\tappend initrd=/i root=/dev/sda1 ro\n",
      "label a\n\tkernel /v\n\tappend initrd=/i root=UUID=aaaa-1111 ro\n", 0 },
    { "extlinux' sources", "/etc/default/extlinux",
      "EXTLINUX_PARAMETERS=\"ro quiet\"\nEXTLINUX_ROOT=\"root=/dev/sda1\"\n",
      "EXTLINUX_PARAMETERS=\"ro quiet\"\nEXTLINUX_ROOT=\"root=UUID=aaaa-1111\"\n", 0 },
    { "Alpine's sources", "/etc/update-extlinux.conf",
      "default_kernel_opts=\"quiet resume=/dev/sda2\"\nroot=/dev/sda1\n",
      "default_kernel_opts=\"quiet resume=UUID=bbbb-2222\"\nroot=UUID=aaaa-1111\n", 0 },
    { "genkernel", "/etc/genkernel.conf",
      "# REAL_ROOT=\"/dev/sda1\"\nREAL_ROOT=\"/dev/sda1\"\nCRYPT_ROOT=/dev/sda3\n",
      "# REAL_ROOT=\"/dev/sda1\"\nREAL_ROOT=\"UUID=aaaa-1111\"\nCRYPT_ROOT=UUID=cccc-3333\n", 0 },
    { "SUSE's sources", "/etc/sysconfig/bootloader",
      "DEFAULT_APPEND=\"resume=/dev/disk/by-id/ata-X-part2 splash=silent\"\n",
      "DEFAULT_APPEND=\"resume=/dev/disk/by-uuid/bbbb-2222 splash=silent\"\n", 0 },
    { "zipl", "/etc/zipl.conf", "[a]\n\timage=/v\n\tramdisk=/i\n\tparameters=\"root=/dev/sda1\"\n",
      "[a]\n\timage=/v\n\tramdisk=/i\n\tparameters=\"root=UUID=aaaa-1111\"\n", 1 },
    { "elilo", "/boot/efi/efi/SuSE/elilo.conf",
      "image = v\n  initrd = i\n  root = /dev/sda1\n  append = \"resume=/dev/sda2\"\n",
      "image = v\n  initrd = i\n  root = /dev/disk/by-uuid/aaaa-1111\n"
      "  append = \"resume=UUID=bbbb-2222\"\n",
      0 },
    { "elilo without initramfs", "/etc/elilo.conf", "image=v\n  root=/dev/sda1\n", NULL, 1 },
    { "LILO", "/etc/lilo.conf", "boot=/dev/sda\nimage=/v\n  initrd=/i\n  root=/dev/sda1\n", NULL,
      1 },
    { "rEFInd", "/boot/refind_linux.conf", "\"Boot\"  \"root=/dev/sda1 ro\"\n",
      "\"Boot\"  \"root=UUID=aaaa-1111 ro\"\n", 0 },
    { "limine", "/boot/limine.conf", "/Linux\n    cmdline: root=/dev/sda1\n",
      "/Linux\n    cmdline: root=UUID=aaaa-1111\n", 0 },
    { "RHEL's names of the same", "/etc/sysconfig/grub",
      "GRUB_CMDLINE_LINUX=\"root=/dev/sda1\"\nGRUB_DEVICE=/dev/sda1\nboot=/dev/sda\n",
      "GRUB_CMDLINE_LINUX=\"root=UUID=aaaa-1111\"\nGRUB_DEVICE=/dev/disk/by-uuid/aaaa-1111\n"
      "boot=/dev/sda\n",
      1 },
    { "several lines", "/etc/default/grub",
      "GRUB_CMDLINE_LINUX=\"root=/dev/sda1\\\n resume=/dev/sda2 \\\nquiet\"\n",
      "GRUB_CMDLINE_LINUX=\"root=UUID=aaaa-1111\\\n resume=UUID=bbbb-2222 \\\nquiet\"\n", 0 },
    { "what is added to a variable", "/etc/default/grub",
      "GRUB_CMDLINE_LINUX+=\" root=/dev/sda1\"\n", "GRUB_CMDLINE_LINUX+=\" root=UUID=aaaa-1111\"\n",
      0 },
    { "kdump", "/etc/sysconfig/kdump", "KDUMP_COMMANDLINE=\"root=/dev/sda1\"\n",
      "KDUMP_COMMANDLINE=\"root=UUID=aaaa-1111\"\n", 0 },

    { "GRUB's variables with arguments", "/boot/grub2/grub.cfg",
      "set root='hd0,msdos1'\nif [ -z \"${kernelopts}\" ]; then\n"
      "  set kernelopts=\"root=/dev/sda1 ro resume=/dev/sda2 \"\nfi\n",
      "set root='hd0,msdos1'\nif [ -z \"${kernelopts}\" ]; then\n"
      "  set kernelopts=\"root=UUID=aaaa-1111 ro resume=UUID=bbbb-2222 \"\nfi\n",
      0 },
    { "Photon", "/boot/grub2/grub.cfg",
      "set root=/dev/sda1\nset rootpartition=/dev/sda1\nset other=/dev/sda1\n"
      "menuentry \"Photon\" {\n linux \"/$photon_linux\" root=$rootpartition $photon_cmdline\n"
      " if [ \"$photon_initrd\" ]; then\n initrd \"/$photon_initrd\"\n fi\n}\n",
      "set root=/dev/sda1\nset rootpartition=PARTUUID=0abc-01\nset other=/dev/sda1\n"
      "menuentry \"Photon\" {\n linux \"/$photon_linux\" root=$rootpartition $photon_cmdline\n"
      " if [ \"$photon_initrd\" ]; then\n initrd \"/$photon_initrd\"\n fi\n}\n",
      0 },
    { "Photon's arguments", "/boot/photon.cfg",
      ENV_SIGNATURE "photon_cmdline=resume=/dev/sda2 ro\n",
      ENV_SIGNATURE "photon_cmdline=resume=UUID=bbbb-2222 ro\n", 0 },
    { "a .cfg that is something else", "/boot/other.cfg", "a=root=/dev/sda1\n", NULL, 0 },
};

static void texts_change_as_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        fix_check(facts_text, "bootloader", &cases[i]);
}

/* @lines in a block of 1024 bytes. */
static char *env_block(const char *lines)
{
    char *text = mem_printf("%s%s%01024d", ENV_SIGNATURE, lines, 0);
    size_t len = strlen(ENV_SIGNATURE) + strlen(lines);

    memset(text + len, '#', 1024 - len);
    text[1024] = '\0';
    return text;
}

static void blocks_of_grub_keep_their_size(void **state)
{
    char *in = env_block("saved_entry=a\nkernelopts=root=/dev/sda1 ro \n");
    char *want = env_block("saved_entry=a\nkernelopts=root=UUID=aaaa-1111 ro \n");
    char *lines = mem_printf("x=%0970d\nkernelopts=root=/dev/sda1\n", 0);
    char *full = env_block(lines);

    (void)state;
    assert_int_equal(strlen(full), 1024);
    fix_check(facts_text, "bootloader",
              &(struct fix_case){ "BIOS", "/boot/grub2/grubenv", in, want, 0 });
    fix_check(facts_text, "bootloader",
              &(struct fix_case){ "UEFI", "/boot/efi/EFI/redhat/grubenv", in, want, 0 });
    fix_check(facts_text, "bootloader",
              &(struct fix_case){ "no room", "/boot/grub2/grubenv", full, NULL, 1 });
    free(full);
    free(lines);
    free(want);
    free(in);
}

static void nothing_waits_for_a_swap_that_is_gone(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(resume_cases); i++)
        fix_check(seen_text, "bootloader", &resume_cases[i]);
}

/* EL has links: menu.lst to grub.conf, /etc/sysconfig/grub to /etc/default/grub. */
static void a_file_with_two_names_is_changed_once(void **state)
{
    struct plan *plan;
    struct tree tree;

    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, "/boot/grub/grub.conf",
             "title A\nkernel /v root=/dev/sda1 x=/dev/sdb1\ninitrd /i\n", 0600);
    tree_link(&tree, "./grub.conf", "/boot/grub/menu.lst");
    tree_put(&tree, "/etc/default/grub", "GRUB_CMDLINE_LINUX=\"root=/dev/sda1\"\n", 0644);
    tree_link(&tree, "../default/grub", "/etc/sysconfig/grub");
    plan = fix_plan(&tree, facts_text, "bootloader");
    assert_int_equal(plan->n, 2);
    assert_string_equal(plan->changes[0].path, "/etc/default/grub");
    assert_string_equal(plan->changes[1].path, "/boot/grub/grub.conf");
    assert_int_equal(plan->notes.n, 1);
    /* the diff of such a file is hidden, so the reason says it */
    assert_non_null(
        strstr(plan->changes[1].reason, "; root=/dev/sda1 becomes root=UUID=aaaa-1111"));
    plan_free(plan);
    tree_close(&tree);
}

/* Its initramfs waits for names that begin with /dev/ and for no others. */
static void mkinitrd_of_suse_gets_paths(void **state)
{
    struct err err = ERR_NONE;
    struct plan *plan;
    struct tree tree;

    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, "/lib/mkinitrd/scripts/boot-udev.sh", "#!/bin/bash\n", 0755);
    tree_put(&tree, "/boot/grub/menu.lst",
             "title A\n kernel /v root=/dev/sda1 resume=/dev/disk/by-id/scsi-3-part2\n initrd /i\n"
             "title B\n kernel /v root=/dev/sda1\n",
             0600);
    plan = fix_plan(&tree, facts_text, "bootloader");
    assert_int_equal(plan_apply(plan, &err), 0);
    tree_expect(&tree, "/boot/grub/menu.lst",
                "title A\n kernel /v root=/dev/disk/by-uuid/aaaa-1111 "
                "resume=/dev/disk/by-uuid/bbbb-2222\n initrd /i\n"
                "title B\n kernel /v root=PARTUUID=0abc-01\n");
    plan_free(plan);
    tree_close(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_change_as_the_table_says),
        cmocka_unit_test(blocks_of_grub_keep_their_size),
        cmocka_unit_test(nothing_waits_for_a_swap_that_is_gone),
        cmocka_unit_test(a_file_with_two_names_is_changed_once),
        cmocka_unit_test(mkinitrd_of_suse_gets_paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
