/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where arguments of kernels stand in the files of boot loaders. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "inspect/bootmenu.h"
#include "tests/unit/unit.h"

static const struct {
    const char *label;
    enum bootmenu_kind kind;
    const char *text;
    const char *want; /* "VALUE;" for each line, "!" before it: no initramfs, "=": a device alone */
} cases[] = {
    { "grub1", BOOTMENU_GRUB1,
      "default=0\n# kopt=root=/dev/a ro\n#kernel /x root=/dev/b\ntitle A root=/dev/c\n"
      "\troot (hd0,0)\n\tkernel /v ro root=/dev/d\n\tinitrd /i\ntitle B\n kernel=/w root=/dev/e\n",
      "root=/dev/a ro;/v ro root=/dev/d;!/w root=/dev/e;" },
    { "grub1 with Xen", BOOTMENU_GRUB1,
      "title A\nkernel /xen.gz\nmodule /v root=1\nmodule /i\ntitle B\nkernel /x\nmodule /v\n",
      "/xen.gz;/v root=1;/i;!/x;!/v;" },
    { "grub1, a title alone", BOOTMENU_GRUB1, "title", "" },
    { "boot loader specification", BOOTMENU_BLS,
      "title x\nlinux /v\ninitrd /i\noptions\troot=1  ro\noptions two\noptional three\n",
      "root=1  ro;two;" },
    { "without initramfs", BOOTMENU_BLS, "options a\nlinux /v\n", "!a;" },
    { "initrd as an argument", BOOTMENU_BLS, "linux /v\noptions a initrd=\\i\n", "a initrd=\\i;" },
    { "unified image", BOOTMENU_BLS, "efi /EFI/Linux/a.efi\noptions a\n", "a;" },
    { "extlinux", BOOTMENU_SYSLINUX,
      "APPEND g\nLABEL a\n  MENU LABEL append x\n  LINUX /v\n  Initrd /i\n  Append root=1\r\n"
      "label b\nkernel /v\nappend b\nlabel c\nlinux /v\nappend initrd=/i c\n",
      "g;root=1;!b;initrd=/i c;" },
    { "zipl", BOOTMENU_ZIPL,
      "[defaultboot]\ndefault=a\n[a]\nimage=/v\nramdisk=/i\nparameters = \"root=1 ro\"\n[b]\n"
      "image=/v\nparameters='x'\n",
      "\"root=1 ro\";!'x';" },
    { "elilo", BOOTMENU_ELILO,
      "root = /dev/a\nappend=\"q\"\nimage=/v\n  initrd=/i\n  root=\"/dev/b\"\n  append = \"r s\"\n"
      "image=/w\n  root=/dev/c x\n",
      "=/dev/a;\"q\";=/dev/b;\"r s\";!=/dev/c;" },
    { "dracut", BOOTMENU_DRACUT,
      "kernel_cmdline=\"a\"\n  kernel_cmdline+=\" b \"\n#kernel_cmdline=c\nkernel_cmdline2=d\n",
      "\"a\";\" b \";" },
    { "ukify", BOOTMENU_UKI, "[UKI]\nCmdline=root=1\n", "root=1;" },
    { "rEFInd", BOOTMENU_REFIND,
      "menuentry \"A\" {\n loader /v\n initrd /i\n options \"root=1\"\n}\nmenuentry B {\n"
      " loader /v\n options x\n}\n",
      "\"root=1\";!x;" },
    { "limine", BOOTMENU_LIMINE, "/Linux\n    cmdline: root=1\n    KERNEL_CMDLINE=x\n",
      "root=1;x;" },
    { "plain", BOOTMENU_LINES, "a b\n\n # c\n\"Boot\" \"d\"", "a b;\"Boot\" \"d\";" },
    { "nothing", BOOTMENU_LINES, "", "" },
};

static void lines_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct bootmenu menu;
        struct strbuf got = { 0 };

        bootmenu_parse(cases[i].kind, cases[i].text, strlen(cases[i].text), &menu);
        for (size_t n = 0; n < menu.n; n++) {
            char *value = span_dup(cases[i].text, menu.lines[n].at);

            strbuf_printf(&got, "%s%s%s;", menu.lines[n].has_initrd ? "" : "!",
                          menu.lines[n].is_device ? "=" : "", value);
            free(value);
        }
        print_message("case: %s\n", cases[i].label);
        assert_string_equal(strbuf_text(&got), cases[i].want);
        strbuf_done(&got);
        bootmenu_done(&menu);
    }
}

static const struct {
    const char *text, *want; /* "name:value;" for each */
} arguments[] = {
    { "root=/dev/a ro quiet resume=b", "root:/dev/a;resume:b;" },
    { "\"root=a b\" 'c=d'", "root:a;c:d;" },
    { "root=\"/dev/a\" b='c d' e=f", "root:/dev/a;b:c d;e:f;" },
    { "root=\"/dev/a", "root:;" },
    { "a= =b c==d", "a:;c:=d;" },
    { "root=a\\\nb=c\r\nd=e\\f\n", "root:a;b:c;d:e\\f;" },
    { "root", "" },
    { "", "" },
};

static void arguments_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(arguments); i++) {
        const char *text = arguments[i].text;
        struct span at = { 0, strlen(text) };
        struct kernel_arg arg;
        struct strbuf got = { 0 };
        size_t pos = 0;

        while (kernel_arg_next(text, &at, &pos, &arg))
            strbuf_printf(&got, "%.*s:%.*s;", (int)arg.name.len, text + arg.name.start,
                          (int)arg.value.len, text + arg.value.start);
        print_message("case: %s\n", text);
        assert_string_equal(strbuf_text(&got), arguments[i].want);
        strbuf_done(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_found),
        cmocka_unit_test(arguments_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
