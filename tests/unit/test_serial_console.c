/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Consoles of Xen, and --serial-console: texts before and after, everything planned twice. */
#include "tests/unit/fix_util.h"
#include "tests/unit/uki_util.h"

#define GRUB "bootloader", "/boot/grub/grub.cfg"
#define DEFAULT "bootloader", "/etc/default/grub"
#define INITTAB "target-tools", "/etc/inittab"
#define SECURETTY "target-tools", "/etc/securetty"
#define BOTH "console=tty0 console=ttyS0,115200"
#define MENU                                                                                       \
    "if serial --unit=0 --speed=115200; then\n  terminal_input --append serial\n"                  \
    "  terminal_output --append serial\nfi\n"
#define TERMINAL                                                                                   \
    "GRUB_TERMINAL=\"console serial\"\nGRUB_SERIAL_COMMAND=\"serial --unit=0 --speed=115200\"\n"

enum asked { NO, YES, UEFI }; /* UEFI: asked for on such a machine */

static const struct {
    const char *label;
    enum asked asked;
    const char *arch, *fixer, *path, *in;
    const char *want; /* NULL: the text stays as it is */
} cases[] = {
    { "nobody asked", NO, "x86_64", GRUB, "menuentry 'A' {\nlinux /v quiet\n}\n", NULL },
    { "Xen's console", NO, "x86_64", GRUB,
      "linux /v root=UUID=a console=tty0 console=hvc0,115200 earlyprintk=xen\ninitrd /i\n",
      "linux /v root=UUID=a console=tty0 console=ttyS0 earlyprintk=xen\ninitrd /i\n" },
    { "Xen's console on ARM", NO, "aarch64", DEFAULT, "GRUB_CMDLINE_LINUX=\"console=hvc0\"\n",
      "GRUB_CMDLINE_LINUX=\"console=ttyAMA0\"\n" },
    { "POWER has no other", YES, "ppc64le", GRUB, "linux /v console=hvc0\n", NULL },
    { "no console of Xen", NO, "x86_64", GRUB, "linux /v console=hvc console=ttyS1 a=hvc0\n",
      NULL },

    { "a menu of GRUB", YES, "x86_64", GRUB,
      "set timeout=5\nmenuentry 'A' {\n\tlinux /v root=UUID=a ro \n\tinitrd /i\n}\n"
      "submenu 'B' {\n menuentry 'C' {\n  linux /v console=ttyS0 root=/dev/sda1\n  initrd /i\n }\n"
      "}\n",
      "set timeout=5\n" MENU "menuentry 'A' {\n\tlinux /v root=UUID=a ro " BOTH
      " \n\tinitrd /i\n}\n"
      "submenu 'B' {\n menuentry 'C' {\n  linux /v console=ttyS0 root=UUID=aaaa-1111\n"
      "  initrd /i\n }\n}\n" },
    { "a menu of GRUB that is there already", YES, "x86_64", GRUB,
      "serial\nterminal_input console serial\nmenuentry 'A' {\nlinux /v console=ttyS0\n}\n", NULL },
    { "a menu of GRUB, by UEFI", UEFI, "x86_64", GRUB, "menuentry 'A' {\nlinux /v quiet\n}\n",
      "menuentry 'A' {\nlinux /v quiet " BOTH "\n}\n" },
    { "a root that is renamed, at the end", UEFI, "x86_64", GRUB,
      "linuxefi /v ro root=/dev/sda1\ninitrdefi /i\n",
      "linuxefi /v ro root=UUID=aaaa-1111 " BOTH "\ninitrdefi /i\n" },
    { "another console", UEFI, "x86_64", GRUB, "linux /v console=ttyS1,9600\n",
      "linux /v console=ttyS1,9600 console=ttyS0,115200\n" },
    { "on ARM", UEFI, "aarch64", GRUB, "linux /v quiet\n",
      "linux /v quiet console=tty0 console=ttyAMA0,115200\n" },
    { "Red Hat's variable", UEFI, "x86_64", GRUB,
      "set kernelopts=\"root=UUID=a ro\"\nlinux /v $kernelopts\nblscfg\n",
      "set kernelopts=\"root=UUID=a ro " BOTH "\"\nlinux /v $kernelopts\nblscfg\n" },

    { "defaults", YES, "x86_64", DEFAULT,
      "GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\nGRUB_CMDLINE_LINUX=\"\"\n",
      "GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\nGRUB_CMDLINE_LINUX=\"" BOTH
      "\"\n" TERMINAL },
    { "defaults without quotes", UEFI, "x86_64", DEFAULT, "GRUB_CMDLINE_LINUX=quiet\n",
      "GRUB_CMDLINE_LINUX=\"quiet " BOTH "\"\n" },
    { "defaults without anything", UEFI, "x86_64", DEFAULT, "GRUB_CMDLINE_LINUX=\n",
      "GRUB_CMDLINE_LINUX=\"" BOTH "\"\n" },
    { "defaults without the line", UEFI, "x86_64", DEFAULT, "GRUB_TIMEOUT=5",
      "GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX=\"" BOTH "\"\n" },
    { "defaults that have it elsewhere", UEFI, "x86_64", DEFAULT,
      "GRUB_CMDLINE_LINUX_DEFAULT='console=ttyS0 quiet'\nGRUB_CMDLINE_LINUX='ro'\n", NULL },
    { "terminals that are set", YES, "x86_64", DEFAULT,
      "GRUB_TERMINAL_OUTPUT=\"gfxterm\"\nGRUB_CMDLINE_LINUX=\"a " BOTH "\"\n",
      "GRUB_TERMINAL_OUTPUT=\"gfxterm serial\"\nGRUB_CMDLINE_LINUX=\"a " BOTH
      "\"\nGRUB_TERMINAL_INPUT=\"console serial\"\n"
      "GRUB_SERIAL_COMMAND=\"serial --unit=0 --speed=115200\"\n" },

    { "an entry", UEFI, "x86_64", "bootloader", "/boot/loader/entries/a.conf",
      "title a\nlinux /v\ninitrd /i\noptions root=UUID=a ro \"x=a b\"\n",
      "title a\nlinux /v\ninitrd /i\noptions root=UUID=a ro \"x=a b\" " BOTH "\n" },
    { "an entry with Red Hat's variable", UEFI, "x86_64", "bootloader",
      "/boot/loader/entries/a.conf", "linux /v\noptions $kernelopts $tuned_params\n", NULL },
    { "for kernels to come", UEFI, "x86_64", "bootloader", "/etc/kernel/cmdline",
      "root=UUID=a rw\n", "root=UUID=a rw " BOTH "\n" },
    { "pieces of dracut's are not all", UEFI, "x86_64", "bootloader", "/etc/cmdline.d/a.conf",
      "rd.lvm=0\n", NULL },
    { "GRUB 0.97", UEFI, "x86_64", "bootloader", "/boot/grub/menu.lst",
      "# kopt=root=UUID=a ro\n# defoptions=quiet\ntitle a\nkernel /v root=UUID=a ro\ninitrd /i\n"
      "title x\nkernel /xen.gz com1=1\nmodule /v ro\nmodule /i\n",
      "# kopt=root=UUID=a ro " BOTH "\n# defoptions=quiet\ntitle a\nkernel /v root=UUID=a ro " BOTH
      "\ninitrd /i\n"
      "title x\nkernel /xen.gz com1=1\nmodule /v ro\nmodule /i\n" },
    { "extlinux", UEFI, "x86_64", "bootloader", "/boot/extlinux.conf",
      "LABEL a\n  LINUX v\n  INITRD i\n  APPEND root=UUID=a ro\n",
      "LABEL a\n  LINUX v\n  INITRD i\n  APPEND root=UUID=a ro " BOTH "\n" },
    { "what makes extlinux.conf", UEFI, "x86_64", "bootloader", "/etc/update-extlinux.conf",
      "overwrite=1\ndefault_kernel_opts=\"quiet\"\n",
      "overwrite=1\ndefault_kernel_opts=\"quiet " BOTH "\"\n" },
    { "rEFInd", UEFI, "x86_64", "bootloader", "/boot/refind_linux.conf",
      "\"standard\"  \"root=UUID=a ro\"\n", "\"standard\"  \"root=UUID=a ro " BOTH "\"\n" },
    { "LILO is not run", YES, "x86_64", "bootloader", "/etc/lilo.conf",
      "image=/vmlinuz\n append=\"quiet\"\n", NULL },

    { "inittab", NO, "x86_64", INITTAB,
      "id:3:initdefault:\n1:2345:respawn:/sbin/mingetty tty1\nco:2345:respawn:/sbin/agetty xvc0 "
      "9600 vt100\n",
      "id:3:initdefault:\n1:2345:respawn:/sbin/mingetty tty1\nco:2345:respawn:/sbin/agetty ttyS0 "
      "9600 vt100\n" },
    { "inittab with both", YES, "x86_64", INITTAB,
      "h0:2345:respawn:/sbin/agetty hvc0\nS0:2345:respawn:/sbin/agetty ttyS0\n",
      "# h0:2345:respawn:/sbin/agetty hvc0\nS0:2345:respawn:/sbin/agetty ttyS0\n" },
    { "a login more", YES, "x86_64", INITTAB,
      "1:2345:respawn:/sbin/getty 38400 tty1\n#T0:23:respawn:/sbin/getty -L ttyS0\nx:2:wait:/x\n",
      "1:2345:respawn:/sbin/getty 38400 tty1\nS0:2345:respawn:/sbin/agetty -L 115200 ttyS0 vt100\n"
      "#T0:23:respawn:/sbin/getty -L ttyS0\nx:2:wait:/x\n" },
    { "a login more, its name taken", YES, "x86_64", INITTAB, "S0:1:respawn:/sbin/getty 38400 tty1",
      "S0:1:respawn:/sbin/getty 38400 tty1\nT0:1:respawn:/sbin/agetty -L 115200 ttyS0 vt100\n" },
    { "busybox", YES, "x86_64", INITTAB, "::sysinit:/x\ntty1::respawn:/sbin/getty 38400 tty1\n",
      "::sysinit:/x\ntty1::respawn:/sbin/getty 38400 tty1\n"
      "ttyS0::respawn:/sbin/agetty -L 115200 ttyS0 vt100\n" },
    { "it is there", YES, "x86_64", INITTAB, "ttyS0::respawn:/sbin/getty -L 0 ttyS0\n", NULL },
    { "root may log in", NO, "x86_64", SECURETTY, "tty1\nxvc0\n", "tty1\nxvc0\nttyS0\n" },
    { "root may log in when asked for", YES, "x86_64", SECURETTY, "# x\ntty1",
      "# x\ntty1\nttyS0\n" },
    { "root may log in nowhere", YES, "x86_64", SECURETTY, "# nowhere\n", NULL },
};

static struct plan *plan_with(const struct tree *tree, enum asked asked, const char *arch,
                              const char *fixer)
{
    struct facts *facts = facts_of_text("device /dev/sda disk - - -\n"
                                        "device /dev/sda1 partition ext4 aaaa-1111 0abc-01\n");
    struct fix_opts opts = { .serial_console = asked != NO };
    struct fix_context ctx = { .facts = facts, .opts = &opts };
    struct plan *plan = NULL;
    struct err err = ERR_NONE;

    facts->firmware = asked == UEFI ? FIRMWARE_UEFI : FIRMWARE_BIOS;
    facts_set(&facts->arch, arch);
    strlist_add(&opts.only, fixer);
    assert_int_equal(fixers_plan(&ctx, tree->root, &plan, &err), 0);
    strlist_done(&opts.only);
    facts_free(facts);
    return plan;
}

static void texts_change_as_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = ERR_NONE;
        struct plan *plan;
        struct tree tree;

        print_message("case: %s\n", cases[i].label);
        tree_open(&tree, NULL);
        tree_put(&tree, "/sbin/agetty", "", 0755);
        tree_put(&tree, cases[i].path, cases[i].in, 0644);
        plan = plan_with(&tree, cases[i].asked, cases[i].arch, cases[i].fixer);
        assert_int_equal(plan->n, cases[i].want != NULL);
        assert_int_equal(plan_apply(plan, &err), 0);
        tree_expect(&tree, cases[i].path, cases[i].want ? cases[i].want : cases[i].in);
        plan_free(plan);
        plan = plan_with(&tree, cases[i].asked, cases[i].arch, cases[i].fixer);
        assert_int_equal(plan->n, 0);
        plan_free(plan);
        tree_close(&tree);
    }
}

/* UUIDs come first where there is no room for both. */
static void the_environment_block_keeps_its_size(void **state)
{
    static const char want[] =
        "# GRUB Environment Block\nkernelopts=root=UUID=aaaa-1111 ro " BOTH " \n#";
    char block[1025];
    struct err err = ERR_NONE;
    struct plan *plan;
    struct tree tree;
    char *text = NULL;
    size_t len = 0;
    bool is_told = false;

    (void)state;
    for (size_t size = 1; size <= 2; size++) {
        static const char head[] = "# GRUB Environment Block\nkernelopts=root=/dev/sda1 ro ";

        memset(block, '#', 1024);
        block[1024] = '\0';
        memcpy(block, head, strlen(head));
        if (size == 2)
            memset(block + strlen(head), 'x', 1000 - strlen(head)); /* 23 bytes are free */
        block[size == 2 ? 1000 : strlen(head)] = '\n';
        tree_open(&tree, NULL);
        tree_put(&tree, "/boot/grub2/grubenv", block, 0644);
        plan = plan_with(&tree, UEFI, "x86_64", "bootloader");
        assert_int_equal(plan->n, 1);
        for (size_t i = 0; i < plan->notes.n; i++)
            is_told |= strstr(plan->notes.items[i], "no room for the console") != NULL;
        assert_int_equal(is_told, size == 2);
        assert_int_equal(plan_apply(plan, &err), 0);
        plan_free(plan);
        assert_int_equal(
            guest_read(tree.root, "/boot/grub2/grubenv", GUEST_TEXT_MAX, &text, &len, &err), 0);
        assert_int_equal(len, 1024);
        assert_non_null(strstr(text, "root=UUID=aaaa-1111 ro"));
        if (size == 1)
            assert_memory_equal(text, want, strlen(want));
        free(text);
        tree_close(&tree);
    }
}

/* What starts logins, and what is there after the fixer; links are "-> TARGET". */
static const struct {
    const char *label, *init;
    const char *have[2][2];
    const char *want[2];
    int n_changes; /* folders included */
} inits[] = {
    { "systemd does it itself",
      "systemd",
      { { "/etc/inittab", "1::respawn:/sbin/getty tty1\n" } },
      { NULL },
      0 },
    { "EL 6 too",
      "upstart",
      { { "/etc/init/serial.conf", "x" }, { "/etc/init/tty1.conf", "x" } },
      { NULL },
      0 },
    { "upstart",
      "upstart",
      { { "/etc/init/tty1.conf", "exec /sbin/getty tty1\n" } },
      { "/etc/init/ttyS0.conf", NULL },
      1 },
    { "OpenRC",
      "openrc",
      { { "/etc/init.d/agetty", "#!" }, { "/etc/runlevels/default/agetty.tty1", "x" } },
      { "/etc/runlevels/default/agetty.ttyS0", "/etc/init.d/agetty.ttyS0" },
      2 },
    { "runit",
      "runit",
      { { "/etc/sv/agetty-ttyS0/run", "#!" }, { "/etc/runit/runsvdir/default/x", "x" } },
      { "/etc/runit/runsvdir/default/agetty-ttyS0", "/etc/sv/agetty-ttyS0" },
      1 },
};

static void logins_are_started(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(inits); i++) {
        struct facts *facts = facts_of_text("arch x86_64\n");
        struct fix_opts opts = { .serial_console = true };
        struct fix_context ctx = { .facts = facts, .opts = &opts };
        struct err err = ERR_NONE;

        print_message("case: %s\n", inits[i].label);
        facts_set(&facts->init_system, inits[i].init);
        strlist_add(&opts.only, "target-tools");
        for (int round = 0; round < 2; round++) {
            static struct tree tree;
            struct plan *plan = NULL;

            if (round == 0) {
                tree_open(&tree, NULL);
                tree_put(&tree, "/sbin/agetty", "", 0755);
                for (size_t k = 0; k < 2 && inits[i].have[k][0]; k++)
                    tree_put(&tree, inits[i].have[k][0], inits[i].have[k][1], 0644);
            }
            assert_int_equal(fixers_plan(&ctx, tree.root, &plan, &err), 0);
            assert_int_equal(plan->n, round == 0 ? inits[i].n_changes : 0);
            assert_int_equal(plan_apply(plan, &err), 0);
            plan_free(plan);
            if (inits[i].want[1]) {
                char *target = NULL;

                assert_int_equal(guest_readlink(tree.root, inits[i].want[0], &target, &err), 0);
                assert_string_equal(target, inits[i].want[1]);
                free(target);
            } else if (inits[i].want[0]) {
                assert_true(guest_is_file(tree.root, inits[i].want[0]));
            }
            if (round == 1)
                tree_close(&tree);
        }
        strlist_done(&opts.only);
        facts_free(facts);
    }
}

/* A unit that waits for a terminal that never comes holds the start up. */
static void units_for_consoles_of_xen_go(void **state)
{
    static const char link[] = "/etc/systemd/system/getty.target.wants/serial-getty@hvc0.service";
    struct err err = ERR_NONE;
    struct plan *plan;
    struct tree tree;

    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, "/etc/systemd/system/getty.target.wants/x", "", 0644);
    tree_link(&tree, "/usr/lib/systemd/system/serial-getty@.service", link);
    plan = fix_plan(&tree, "", "target-tools");
    assert_int_equal(plan->n, 1);
    assert_int_equal(plan->changes[0].action, CHANGE_REMOVE);
    assert_int_equal(plan_apply(plan, &err), 0);
    plan_free(plan);
    tree_close(&tree);
}

/* Images are not edited. */
static void an_image_is_told_of(void **state)
{
    static uint8_t image[UKI_UTIL_SIZE];
    static const char *const lines[] = { "root=UUID=a", "root=UUID=a console=ttyS0" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct err err = ERR_NONE;
        struct plan *plan;
        struct tree tree;
        char *path;
        size_t n = 0;

        tree_open(&tree, NULL);
        path = tree_path(&tree, "/efi/EFI/Linux/a.efi");
        uki_make(image, &lines[i], 1);
        assert_int_equal(io_write_file(path, image, sizeof(image), 0644, &err), 0);
        free(path);
        plan = plan_with(&tree, UEFI, "x86_64", "bootloader");
        for (size_t k = 0; k < plan->notes.n; k++)
            n += strstr(plan->notes.items[k], "build it again for a console") != NULL;
        assert_int_equal(n, i == 0);
        plan_free(plan);
        tree_close(&tree);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_change_as_the_table_says),
        cmocka_unit_test(the_environment_block_keeps_its_size),
        cmocka_unit_test(logins_are_started),
        cmocka_unit_test(units_for_consoles_of_xen_go),
        cmocka_unit_test(an_image_is_told_of),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
