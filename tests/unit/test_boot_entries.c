/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which kernels there are, and which of them the boot loader starts. */
#include "inspect/boot_entries.h"
#include "inspect/kernel_image.h"
#include "inspect/linux.h"
#include "tests/unit/tree.h"

static struct tree tree;
static struct facts *facts;

static int setup(void **state)
{
    (void)state;
    tree_open(&tree, NULL);
    facts = facts_new();
    facts->os = OS_LINUX;
    tree_put(&tree, "/etc/fstab", "/dev/sda1 / ext4 defaults 0 1\n", 0644);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    facts_free(facts);
    tree_close(&tree);
    return 0;
}

/* The head of a bzImage that says @version. */
static void put_kernel(const char *path, const char *version)
{
    char *full = tree_path(&tree, path);
    char head[0x900] = { 0 };
    struct err err = ERR_NONE;

    memcpy(head + 0x202, "HdrS", 4);
    head[0x20f] = 0x04; /* at 0x600 */
    (void)snprintf(head + 0x600, 128, "%s (linux@host) #1 SMP", version);
    assert_int_equal(io_write_file(full, head, sizeof(head), 0644, &err), 0);
    free(full);
}

static void put_modules(const char *version, const char *virtio)
{
    char *path = mem_printf("/lib/modules/%s/modules.dep", version);

    tree_put(&tree, path, virtio, 0644);
    free(path);
}

#define VIRTIO "kernel/drivers/block/virtio_blk.ko:\nkernel/drivers/virtio/virtio_pci.ko:\n"

static void look(void)
{
    linux_boot(tree.root, facts);
    linux_kernels(tree.root, facts);
    for (size_t i = 0; i < facts->n_kernels; i++)
        print_message("%s %s [%s] %s%s\n", facts->kernels[i].version, facts->kernels[i].image,
                      facts->kernels[i].initrd, facts->kernels[i].kind,
                      facts->kernels[i].is_default ? " default" : "");
}

static const struct fact_kernel *kernel(const char *version)
{
    for (size_t i = 0; i < facts->n_kernels; i++)
        if (strcmp(facts->kernels[i].version, version) == 0)
            return &facts->kernels[i];
    fail_msg("no kernel %s", version);
    return NULL;
}

/* The only one that is started by default. */
static const char *chosen(void)
{
    const char *found = NULL;

    for (size_t i = 0; i < facts->n_kernels; i++) {
        if (!facts->kernels[i].is_default)
            continue;
        assert_null(found);
        found = facts->kernels[i].version;
    }
    return found ? found : "none";
}

/* ---- trees ---- */

static void arch_kernels_say_their_version(void **state)
{
    (void)state;
    put_kernel("/boot/vmlinuz-linux", "6.6.1-arch1-1");
    put_kernel("/boot/vmlinuz-linux-lts", "6.1.60-1-lts");
    put_modules("6.6.1-arch1-1", VIRTIO);
    put_modules("6.1.60-1-lts", VIRTIO);
    tree_put(&tree, "/boot/initramfs-linux.img", "", 0644);
    tree_put(&tree, "/boot/initramfs-linux-fallback.img", "", 0644);
    tree_put(&tree, "/boot/booster-linux-lts.img", "", 0644);
    tree_put(&tree, "/boot/grub/grub.cfg",
             "set default=\"0\"\nmenuentry 'Arch' --id arch {\n linux /boot/vmlinuz-linux-lts ro\n"
             " initrd /boot/intel-ucode.img /boot/booster-linux-lts.img\n}\n"
             "menuentry 'x' {\n linux /boot/vmlinuz-linux ro\n}\n",
             0644);
    look();
    assert_int_equal(facts->n_kernels, 2);
    assert_string_equal(kernel("6.6.1-arch1-1")->initrd, "/boot/initramfs-linux.img");
    assert_string_equal(kernel("6.6.1-arch1-1")->modules_dir, "/lib/modules/6.6.1-arch1-1");
    assert_string_equal(kernel("6.1.60-1-lts")->initrd, "/boot/booster-linux-lts.img");
    assert_true(kernel("6.1.60-1-lts")->has_virtio);
    assert_string_equal(chosen(), "6.1.60-1-lts");
}

static void fedora_starts_what_grubenv_names(void **state)
{
    static const char *const saved[] = { "abc-6.5.6-300.fc39.x86_64", "1",
                                         "Fedora (6.5.6-300.fc39.x86_64)", "gone" };

    (void)state;
    put_kernel("/boot/vmlinuz-0-rescue-abc", "6.5.6-300.fc39.x86_64");
    put_kernel("/boot/vmlinuz-6.5.6-300.fc39.x86_64", "6.5.6-300.fc39.x86_64");
    put_kernel("/boot/vmlinuz-6.6.2-201.fc39.x86_64", "6.6.2-201.fc39.x86_64");
    put_modules("6.5.6-300.fc39.x86_64", VIRTIO);
    put_modules("6.6.2-201.fc39.x86_64", VIRTIO);
    tree_put(&tree, "/boot/initramfs-0-rescue-abc.img", "", 0644);
    tree_put(&tree, "/boot/grub2/grub.cfg", "set default=\"${saved_entry}\"\nblscfg\n", 0644);
    tree_put(&tree, "/boot/loader/entries/abc-0-rescue.conf",
             "title Rescue\nlinux /vmlinuz-0-rescue-abc\n", 0644);
    tree_put(&tree, "/boot/loader/entries/abc-6.5.6-300.fc39.x86_64.conf",
             "title Fedora (6.5.6-300.fc39.x86_64)\nversion 6.5.6\n# x\n"
             "linux /vmlinuz-6.5.6-300.fc39.x86_64\ninitrd /initramfs-6.5.6.img $tuned_initrd\n",
             0644);
    tree_put(&tree, "/boot/loader/entries/abc-6.6.2-201.fc39.x86_64.conf",
             "title Fedora (6.6.2)\nlinux /vmlinuz-6.6.2-201.fc39.x86_64\n", 0644);
    tree_put(&tree, "/boot/initramfs-6.5.6.img", "", 0644);
    for (size_t i = 0; i < ARRAY_SIZE(saved); i++) {
        char *env = mem_printf("# GRUB Environment Block\nsaved_entry=%s\n####", saved[i]);

        tree_put(&tree, "/boot/grub2/grubenv", env, 0644);
        facts_free(facts);
        facts = facts_new();
        look();
        assert_int_equal(facts->n_kernels, 3);
        assert_string_equal(kernel("0-rescue-abc")->kind, "rescue");
        assert_string_equal(kernel("6.5.6-300.fc39.x86_64")->initrd, "/boot/initramfs-6.5.6.img");
        assert_string_equal(chosen(), i < 3 ? "6.5.6-300.fc39.x86_64" : "6.6.2-201.fc39.x86_64");
        free(env);
    }
}

/* kernel-install puts kernels on the ESP, in folders of their own. */
static void systemd_boot_has_kernels_of_its_own(void **state)
{
    static const struct {
        const char *conf, *want;
    } cases[] = {
        { "timeout 3\n", "6.6.3" },        { "default abc-6.1.2.conf\n", "6.1.2" },
        { "default abc-6.1*\n", "6.1.2" }, { "default nothing\n", "6.6.3" },
        { "default @saved\n", "none" },
    };

    (void)state;
    put_kernel("/boot/efi/abc/6.1.2/linux", "6.1.2");
    put_kernel("/boot/efi/abc/6.6.3/linux", "6.6.3");
    put_modules("6.1.2", VIRTIO);
    put_modules("6.6.3", "");
    put_kernel("/lib/modules/6.6.3/vmlinuz",
               "6.6.3"); /* the package's copy, which is not started */
    tree_put(&tree, "/boot/efi/abc/6.6.3/initrd", "", 0644);
    tree_put(&tree, "/boot/efi/loader/entries/abc-6.1.2.conf",
             "title A\nsort-key a\nversion 6.1.2\nlinux /abc/6.1.2/linux\n", 0644);
    tree_put(&tree, "/boot/efi/loader/entries/abc-6.6.3.conf",
             "title A\nsort-key a\nversion 6.6.3\nlinux /abc/6.6.3/linux\n"
             "initrd /ucode.img\ninitrd /abc/6.6.3/initrd\n",
             0644);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        print_message("case: %s", cases[i].conf);
        tree_put(&tree, "/boot/efi/loader/loader.conf", cases[i].conf, 0644);
        facts_free(facts);
        facts = facts_new();
        look();
        assert_int_equal(facts->n_kernels, 2);
        assert_string_equal(kernel("6.6.3")->initrd, "/boot/efi/abc/6.6.3/initrd");
        assert_false(kernel("6.6.3")->has_virtio);
        assert_true(kernel("6.1.2")->has_virtio);
        assert_string_equal(chosen(), cases[i].want);
    }
}

static void el5_has_a_xen_kernel_and_a_default_number(void **state)
{
    (void)state;
    tree_put(&tree, "/boot/vmlinuz-2.6.18-398.el5", "", 0644);
    tree_put(&tree, "/boot/vmlinuz-2.6.18-398.el5xen", "", 0644);
    tree_put(&tree, "/boot/vmlinuz-2.6.18-8.el5", "", 0644);
    tree_put(&tree, "/boot/vmlinuz-2.6.18-8.el5debug", "", 0644);
    tree_put(&tree, "/boot/initrd-2.6.18-398.el5.img", "", 0644);
    tree_put(&tree, "/boot/initrd-2.6.18-398.el5kdump.img", "", 0644);
    tree_put(&tree, "/boot/config-2.6.18-398.el5xen", "CONFIG_X86_64_XEN=y\n", 0644);
    tree_put(&tree, "/boot/config-2.6.18-8.el5", "CONFIG_VIRTIO_PCI=y\nCONFIG_VIRTIO_BLK=y\n",
             0644);
    put_modules("2.6.18-398.el5",
                "/lib/modules/2.6.18-398.el5/kernel/drivers/block/virtio_blk.ko:\n"
                "/lib/modules/2.6.18-398.el5/kernel/drivers/virtio/virtio_pci.ko:"
                "\n");
    put_modules("2.6.18-398.el5xen", "");
    put_modules("2.6.18-8.el5", "");
    tree_put(&tree, "/boot/grub/menu.lst",
             "# grub.conf\ndefault=1\ntimeout=5\ntitle Xen\n\troot (hd0,0)\n\tkernel /xen.gz\n"
             "\tmodule /vmlinuz-2.6.18-398.el5xen ro\n\tmodule /initrd-xen.img\n"
             "title CentOS\n\troot (hd0,0)\n\tkernel (hd0,0)/vmlinuz-2.6.18-398.el5 ro quiet\n"
             "\tinitrd /initrd-2.6.18-398.el5.img\n",
             0644);
    look();
    assert_int_equal(facts->n_kernels, 4);
    assert_string_equal(chosen(), "2.6.18-398.el5");
    assert_string_equal(kernel("2.6.18-398.el5xen")->kind, "xen");
    assert_string_equal(kernel("2.6.18-8.el5debug")->kind, "debug");
    assert_string_equal(kernel("2.6.18-398.el5")->initrd, "/boot/initrd-2.6.18-398.el5.img");
    assert_true(kernel("2.6.18-398.el5")->has_virtio);
    assert_true(kernel("2.6.18-8.el5")->virtio_builtin);
    assert_false(kernel("2.6.18-398.el5xen")->has_virtio);
}

static void alpine_is_started_by_extlinux(void **state)
{
    (void)state;
    put_kernel("/boot/vmlinuz-lts", "6.6.58-0-lts");
    put_kernel("/boot/vmlinuz-virt", "6.6.58-0-virt");
    put_modules("6.6.58-0-lts", VIRTIO);
    put_modules("6.6.58-0-virt", VIRTIO);
    tree_put(&tree, "/boot/initramfs-lts", "", 0644);
    tree_put(&tree, "/boot/initramfs-virt", "", 0644);
    tree_put(&tree, "/boot/extlinux.conf", "", 0644);
    tree_put(&tree, "/boot/extlinux/extlinux.conf",
             "DEFAULT menu.c32\nPROMPT 0\nLABEL lts\n  MENU LABEL Linux lts\n  LINUX vmlinuz-lts\n"
             "  INITRD initramfs-lts\nLABEL virt\n  MENU DEFAULT\n  KERNEL vmlinuz-virt\n"
             "  APPEND root=UUID=a initrd=/ucode.img,/initramfs-virt\n",
             0644);
    look();
    assert_int_equal(facts->n_kernels, 2);
    assert_string_equal(chosen(), "6.6.58-0-virt");
    assert_string_equal(kernel("6.6.58-0-lts")->initrd, "/boot/initramfs-lts");
    assert_string_equal(kernel("6.6.58-0-virt")->initrd, "/boot/initramfs-virt");
}

/* The store, and what leads into it: links of the profile, and the menu. */
static void put_nixos(void)
{
    put_kernel("/nix/store/k-linux-6.1.69/bzImage", "6.1.69");
    tree_put(&tree, "/nix/store/i-initrd/initrd", "", 0644);
    tree_put(&tree, "/nix/store/m-modules/lib/modules/6.1.69/modules.dep", VIRTIO, 0644);
    tree_put(&tree, "/nix/store/s-system/init", "", 0755);
    tree_link(&tree, "/nix/store/m-modules", "/nix/store/s-system/kernel-modules");
    tree_put(&tree, "/nix/var/nix/profiles/per-user/x", "", 0644);
    tree_link(&tree, "/nix/store/s-system", "/nix/var/nix/profiles/system-1-link");
    tree_link(&tree, "system-1-link", "/nix/var/nix/profiles/system");
}

static void expect_nixos(const char *image, const char *initrd)
{
    look();
    assert_int_equal(facts->n_kernels, 1);
    assert_string_equal(chosen(), "6.1.69");
    assert_string_equal(kernel("6.1.69")->image, image);
    assert_string_equal(kernel("6.1.69")->initrd, initrd);
    assert_string_equal(kernel("6.1.69")->modules_dir, "/nix/store/m-modules/lib/modules/6.1.69");
    assert_true(kernel("6.1.69")->virtio_known);
    assert_true(kernel("6.1.69")->has_virtio);
}

/* Its entries say /efi/nixos, whatever the folder is called on the FAT. */
static void nixos_with_systemd_boot(void **state)
{
    (void)state;
    put_nixos();
    put_kernel("/boot/EFI/nixos/k-linux-6.1.69-bzImage.efi", "6.1.69");
    tree_put(&tree, "/boot/EFI/nixos/i-initrd.efi", "", 0644);
    tree_put(&tree, "/boot/loader/loader.conf", "default nixos-generation-1.conf\n", 0644);
    tree_put(&tree, "/boot/loader/entries/nixos-generation-1.conf",
             "title NixOS\nlinux /efi/nixos/k-linux-6.1.69-bzImage.efi\n"
             "initrd /efi/nixos/i-initrd.efi\noptions init=/nix/store/s-system/init\n",
             0644);
    expect_nixos("/boot/EFI/nixos/k-linux-6.1.69-bzImage.efi", "/boot/EFI/nixos/i-initrd.efi");
}

static void nixos_with_grub(void **state)
{
    static const char *const menus[] = {
        "menuentry 'NixOS' {\n linux ($drive2)/nix/store/k-linux-6.1.69/bzImage init=/x\n"
        " initrd ($drive2)/nix/store/i-initrd/initrd\n}\n",
        "menuentry 'NixOS' {\n linux ($drive1)//kernels/k-linux-6.1.69-bzImage init=/x\n"
        " initrd ($drive1)//kernels/i-initrd\n}\n",
    };

    put_nixos();
    tree_put(&tree, "/boot/grub/grub.cfg", menus[0], 0644);
    expect_nixos("/nix/store/k-linux-6.1.69/bzImage", "/nix/store/i-initrd/initrd");
    (void)teardown(state);
    (void)setup(state);
    put_nixos();
    put_kernel("/boot/kernels/k-linux-6.1.69-bzImage", "6.1.69");
    tree_put(&tree, "/boot/kernels/i-initrd", "", 0644);
    tree_put(&tree, "/boot/grub/grub.cfg", menus[1], 0644);
    expect_nixos("/boot/kernels/k-linux-6.1.69-bzImage", "/boot/kernels/i-initrd");
}

/* SUSE's kernel for dumps, and an initramfs for dumps beside an ordinary one. */
static void kernels_for_dumps_are_known(void **state)
{
    (void)state;
    tree_put(&tree, "/boot/vmlinuz-3.0.101-default", "", 0644);
    tree_put(&tree, "/boot/vmlinux-2.6.16-kdump", "", 0644);
    tree_put(&tree, "/boot/initrd-3.0.101-default", "", 0644);
    tree_put(&tree, "/boot/initrd-3.0.101-default-kdump", "", 0644);
    look();
    assert_string_equal(kernel("2.6.16-kdump")->kind, "kdump");
    assert_string_equal(kernel("3.0.101-default")->kind, "");
    assert_string_equal(kernel("3.0.101-default")->initrd, "/boot/initrd-3.0.101-default");
}

/* ---- pure parsers ---- */

static void images_say_their_version(void **state)
{
    static char head[0x900];
    char *version;

    (void)state;
    assert_null(kernel_image_version(head, sizeof(head)));
    memcpy(head + 0x202, "HdrS", 4);
    head[0x20e] = 0x10;
    memcpy(head + 0x210, "6.1.0 (x", 8);
    version = kernel_image_version(head, sizeof(head));
    assert_string_equal(version, "6.1.0");
    free(version);
    assert_null(kernel_image_version(head, 0x212));
    assert_null(kernel_image_version(head, 0x20f));
    head[0x20f] = 0x7f;
    assert_null(kernel_image_version(head, sizeof(head)));
}

static void configurations_are_read(void **state)
{
    static const char text[] = "# CONFIG_X86_XEN is not set\nCONFIG_VIRTIO_PCI=y\n"
                               "CONFIG_VIRTIO_BLK=m\nCONFIG_VIRTIO_BLK_X=y\nCONFIG_HZ=250\n";

    (void)state;
    assert_int_equal(kernel_config_get(text, strlen(text), "CONFIG_VIRTIO_PCI"), 'y');
    assert_int_equal(kernel_config_get(text, strlen(text), "CONFIG_VIRTIO_BLK"), 'm');
    assert_int_equal(kernel_config_get(text, strlen(text), "CONFIG_X86_XEN"), 0);
    assert_int_equal(kernel_config_get(text, strlen(text), "CONFIG_HZ"), 0);
    assert_string_equal(kernel_kind("2.6.18-el5xen", text, strlen(text)), "");
    assert_string_equal(kernel_kind("2.6.18-el5xen", NULL, 0), "xen");
    assert_string_equal(kernel_kind("5.14.0-70.el9.x86_64+debug", NULL, 0), "debug");
}

static void grub1_defaults(void **state)
{
    static const char *const titles = "title a\nkernel /a\ntitle b\nkernel /b\n";
    static const struct {
        const char *before, *saved;
        size_t want;
    } cases[] = {
        { "", NULL, 0 },
        { "default 1\n", NULL, 1 },
        { "default=1\n", NULL, 1 },
        { "default 7\n", NULL, 0 },
        { "default saved\n", "1\n", 1 },
        { "default saved\n", NULL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *text = mem_printf("%s%s", cases[i].before, titles);
        struct boot_entries menu = { .chosen = BOOT_ENTRIES_NONE };

        boot_entries_parse_grub1(text, strlen(text), cases[i].saved, &menu);
        assert_int_equal(menu.n, 2);
        assert_int_equal(menu.chosen, cases[i].want);
        boot_entries_done(&menu);
        free(text);
    }
}

int main(void)
{
#define WITH_TREE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_TREE(arch_kernels_say_their_version),
        WITH_TREE(fedora_starts_what_grubenv_names),
        WITH_TREE(systemd_boot_has_kernels_of_its_own),
        WITH_TREE(el5_has_a_xen_kernel_and_a_default_number),
        WITH_TREE(alpine_is_started_by_extlinux),
        WITH_TREE(nixos_with_systemd_boot),
        WITH_TREE(nixos_with_grub),
        WITH_TREE(kernels_for_dumps_are_known),
        cmocka_unit_test(images_say_their_version),
        cmocka_unit_test(configurations_are_read),
        cmocka_unit_test(grub1_defaults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
