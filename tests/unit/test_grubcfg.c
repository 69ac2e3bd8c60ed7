/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "inspect/grubcfg.h"
#include "inspect/grubenv.h"
#include "tests/unit/unit.h"

/* As grub-mkconfig of Debian 12 writes it, shortened. */
static const char debian[] =
    "if [ -s $prefix/grubenv ]; then\n"
    "  set have_grubenv=true\n"
    "  load_env\n"
    "fi\n"
    "if [ \"${next_entry}\" ] ; then\n"
    "   set default=\"${next_entry}\"\n"
    "   set next_entry=\n"
    "else\n"
    "   set default=\"1>2\"\n"
    "fi\n"
    "function load_video {\n"
    "  if [ x$feature_all_video_module = xy ]; then\n"
    "    insmod all_video\n"
    "  fi\n"
    "}\n"
    "set root='hd0,msdos1'\n"
    "menuentry 'Debian GNU/Linux' --class debian $menuentry_id_option 'gnulinux-simple-1' {\n"
    "\tload_video\n"
    "\tif [ x$grub_platform = xxen ]; then insmod xzio; insmod lzopio; fi\n"
    "\techo\t'Loading Linux 6.1 ...'\n"
    "\tlinux\t/boot/vmlinuz-6.1 root=/dev/sda1 ro  quiet console=ttyS0,115200 # note\n"
    "\tinitrd\t/boot/initrd.img-6.1\n"
    "}\n"
    "submenu 'Advanced options' $menuentry_id_option 'adv' {\n"
    "\tmenuentry 'Linux 6.1' --id one {\n"
    "\t\tlinux /boot/vmlinuz-6.1 root=/dev/sda1\n"
    "\t\tinitrd /boot/initrd.img-6.1\n"
    "\t}\n"
    "\tmenuentry 'Linux 6.1 (recovery)' --id two {\n"
    "\t\tlinux /boot/vmlinuz-6.1 root=/dev/sda1 single\n"
    "\t}\n"
    "\tmenuentry 'Linux 5.10' --id three {\n"
    "\t\tlinux /boot/vmlinuz-5.10 root=/dev/sda1\n"
    "\t\tinitrd /boot/ucode.img /boot/initrd.img-5.10\n"
    "\t}\n"
    "}\n"
    "menuentry 'Memtest' { linux16 /boot/memtest; }\n";

static void finds_entries_and_kernels(void **state)
{
    struct grubcfg cfg;

    (void)state;
    grubcfg_parse(debian, strlen(debian), &cfg);
    assert_int_equal(cfg.n_entries, 6);
    assert_string_equal(cfg.entries[0].title, "Debian GNU/Linux");
    assert_string_equal(cfg.entries[0].id, "gnulinux-simple-1");
    assert_true(cfg.entries[1].is_submenu);
    assert_string_equal(cfg.entries[1].id, "adv");
    assert_string_equal(cfg.entries[4].number, "1>2");
    assert_int_equal(cfg.entries[4].parent, 1);
    assert_string_equal(cfg.entries[5].number, "2");
    assert_int_equal(cfg.n_linuxes, 5);
    assert_string_equal(cfg.linuxes[0].path, "/boot/vmlinuz-6.1");
    assert_string_equal(cfg.linuxes[0].initrd, "/boot/initrd.img-6.1");
    assert_int_equal(cfg.linuxes[0].n_args, 4);
    assert_string_equal(cfg.linuxes[0].args[0].name, "root");
    assert_string_equal(cfg.linuxes[0].args[0].value, "/dev/sda1");
    assert_null(cfg.linuxes[0].args[1].value);
    assert_string_equal(cfg.linuxes[2].initrd, "");
    assert_string_equal(cfg.linuxes[3].initrd, "/boot/initrd.img-5.10");
    assert_string_equal(cfg.linuxes[4].path, "/boot/memtest");
    assert_string_equal(cfg.default_text, "1>2");
    assert_false(cfg.default_saved);
    grubcfg_done(&cfg);
}

static void changes_root_on_linux_lines_only(void **state)
{
    static const struct {
        const char *label, *in, *want;
    } cases[] = {
        { "plain", "linux /v root=/dev/sda1 ro\n", "linux /v root=U ro\n" },
        { "set root stays", "set root='/dev/sda1'\nsearch root=/dev/sda1\n",
          "set root='/dev/sda1'\nsearch root=/dev/sda1\n" },
        { "quoted value", "linux /v root=\"/dev/sda1\" ro", "linux /v root=\"U\" ro" },
        { "quoted word", "linux /v 'root=/dev/sda1' ro", "linux /v 'root=U' ro" },
        { "continued line", "linux /v \\\n  root=/dev/sda1\n", "linux /v \\\n  root=U\n" },
        { "comment", "# linux /v root=/dev/sda1\n", "# linux /v root=/dev/sda1\n" },
        { "CRLF", "linux /v root=/dev/sda1\r\n", "linux /v root=U\r\n" },
        { "behind then", "if a; then linux /v root=/dev/sda1; fi",
          "if a; then linux /v root=U; fi" },
        { "in an entry", "menuentry x {\nlinuxefi /v root=/dev/sda1\n}",
          "menuentry x {\nlinuxefi /v root=U\n}" },
        { "mixed quotes are not plain", "linux /v root=/dev/\"sda1\"x\n",
          "linux /v root=/dev/\"sda1\"x\n" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct edits edits = { 0 };
        struct grubcfg cfg;
        char *out;

        print_message("case: %s\n", cases[i].label);
        grubcfg_parse(cases[i].in, strlen(cases[i].in), &cfg);
        for (size_t k = 0; k < cfg.n_linuxes; k++)
            for (size_t a = 0; a < cfg.linuxes[k].n_args; a++)
                if (strcmp(cfg.linuxes[k].args[a].name, "root") == 0 &&
                    cfg.linuxes[k].args[a].plain)
                    edits_add(&edits, cfg.linuxes[k].args[a].value_at, "U");
        out = edits_apply(&edits, cases[i].in, strlen(cases[i].in), NULL);
        assert_string_equal(out, cases[i].want);
        free(out);
        edits_done(&edits);
        grubcfg_done(&cfg);
    }
}

static void knows_the_default(void **state)
{
#define MENU                                                                                       \
    "menuentry A --id a {\nlinux /a\n}\nsubmenu S --id s {\nmenuentry B --id b {\nlinux /b\n}\n"   \
    "menuentry C {\nlinux /c\n}\n}\nmenuentry D {\nlinux /d\n}\n"
    static const struct {
        const char *label, *in, *saved, *want;
    } cases[] = {
        { "nothing is said", MENU, NULL, "/a" },
        { "number", "set default=\"2\"\n" MENU, NULL, "/d" },
        { "submenu means its first", "set default=1\n" MENU, NULL, "/b" },
        { "path of numbers", "set default=\"1>1\"\n" MENU, NULL, "/c" },
        { "path of ids", "set default=\"s>b\"\n" MENU, NULL, "/b" },
        { "path of titles", "set default=\"S>C\"\n" MENU, NULL, "/c" },
        { "unknown means the first", "set default=\"gone\"\n" MENU, NULL, "/a" },
        { "saved entry", "set default=\"${saved_entry}\"\n" MENU, "S>C", "/c" },
        { "saved entry that is not set", "set default=\"${saved_entry}\"\n" MENU, NULL, "/a" },
        { "saved entry that is not asked for", MENU, "S>C", "/a" },
        { "no menu", "linux /x\n", NULL, "/x" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct grubcfg cfg;
        size_t found;

        print_message("case: %s\n", cases[i].label);
        grubcfg_parse(cases[i].in, strlen(cases[i].in), &cfg);
        found = grubcfg_default(&cfg, cases[i].saved);
        assert_true(found < cfg.n_linuxes);
        assert_string_equal(cfg.linuxes[found].path, cases[i].want);
        grubcfg_done(&cfg);
    }
}

static void deep_nesting_and_no_kernel_are_harmless(void **state)
{
    char text[4096];
    struct grubcfg cfg;

    (void)state;
    for (size_t i = 0; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "{\n", 2);
    grubcfg_parse(text, sizeof(text) - 2, &cfg);
    assert_int_equal(grubcfg_default(&cfg, NULL), GRUBCFG_NONE);
    grubcfg_done(&cfg);
}

static void reads_the_environment_block(void **state)
{
    static const char text[] = "# GRUB Environment Block\nsaved_entry=1>2\nkernelopts=root=x\n###";
    char *saved = grubenv_get(text, strlen(text), "saved_entry");

    (void)state;
    assert_string_equal(saved, "1>2");
    assert_null(grubenv_get(text, strlen(text), "saved"));
    free(saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_entries_and_kernels),
        cmocka_unit_test(changes_root_on_linux_lines_only),
        cmocka_unit_test(knows_the_default),
        cmocka_unit_test(deep_nesting_and_no_kernel_are_harmless),
        cmocka_unit_test(reads_the_environment_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
