/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What comes to the removable path of an ESP, for each kind of loader; every case is planned twice.
 */
#include "inspect/pe.h"
#include "tests/unit/fix_util.h"
#include "tests/unit/uki_util.h"

#define ESP "/boot/efi/"

/*
 * On the ESP: "x64 PATH", "aa64 PATH", "ia32 PATH" are programs that differ by their folder and
 * name, "same PATH" one that does not; "empty PATH", "cut PATH" are broken ones, "text PATH WORDS"
 * is a text ("|" ends its lines).
 */
static const struct {
    const char *label, *arch, *distro, *loader, *esp;
    const char *want; /* a line for each change but folders: "PATH < SOURCE" is a copy */
    const char *note; /* part of the only note; NULL: there is none */
} cases[] = {
    { "shim and GRUB, with what shim and GRUB need", "x86_64", "debian", "grub2",
      "x64 EFI/debian/shimx64.efi\nx64 EFI/debian/grubx64.efi\nx64 EFI/debian/mmx64.efi\n"
      "x64 EFI/debian/fbx64.efi\ntext EFI/debian/BOOTX64.CSV x\n"
      "text EFI/debian/grub.cfg search.fs_uuid aaaa-1111 root|configfile $prefix/grub.cfg\n",
      "EFI/BOOT/BOOTX64.EFI < EFI/debian/shimx64.efi\n"
      "EFI/BOOT/grubx64.efi < EFI/debian/grubx64.efi\n"
      "EFI/BOOT/mmx64.efi < EFI/debian/mmx64.efi\nEFI/BOOT/grub.cfg\n",
      NULL },
    { "a stub that looks for what is not there", "x86_64", "debian", "grub2",
      "x64 EFI/BOOT/BOOTX64.EFI\n"
      "text EFI/debian/grub.cfg search.fs_uuid AAAA-1111 root hd0,gpt2|search --fs-uuid "
      "--set=dev --hint hd0,gpt2 'aaaa-1111'|search --no-floppy --fs-uuid --set=root ffff-9999|"
      "search --label x|search.fs_uuid $x root|configfile $prefix/grub.cfg\n",
      "", "ffff-9999" },
    { "GRUB alone", "x86_64", "gentoo", "grub2", "x64 EFI/gentoo/grubx64.efi\n",
      "EFI/BOOT/BOOTX64.EFI < EFI/gentoo/grubx64.efi\n", NULL },
    { "a full configuration is no stub", "x86_64", "centos", "grub2",
      "x64 EFI/centos/grubx64.efi\n"
      "text EFI/centos/grub.cfg menuentry 'a' {|linux /v|}|source $prefix/custom.cfg\n",
      "EFI/BOOT/BOOTX64.EFI < EFI/centos/grubx64.efi\n", NULL },
    { "SUSE's names", "x86_64", "sles", "grub2",
      "x64 EFI/sles/shim.efi\nx64 EFI/sles/grub.efi\nx64 EFI/sles/MokManager.efi\n"
      "text EFI/sles/grub.cfg set prefix=($root)/boot/grub2|source \"${prefix}/grub.cfg\"\n",
      "EFI/BOOT/BOOTX64.EFI < EFI/sles/shim.efi\nEFI/BOOT/grub.efi < EFI/sles/grub.efi\n"
      "EFI/BOOT/MokManager.efi < EFI/sles/MokManager.efi\nEFI/BOOT/grub.cfg\n",
      NULL },
    { "fallback that is there is used", "x86_64", "fedora", "grub2",
      "x64 EFI/BOOT/fbx64.efi\nx64 EFI/fedora/shimx64.efi\nx64 EFI/fedora/grubx64.efi\n"
      "text EFI/fedora/BOOTX64.CSV x\n",
      "EFI/BOOT/BOOTX64.EFI < EFI/fedora/shimx64.efi\n", NULL },
    { "fallback without its list", "x86_64", "fedora", "grub2",
      "x64 EFI/BOOT/fbx64.efi\nx64 EFI/fedora/shimx64.efi\nx64 EFI/fedora/grubx64.efi\n",
      "EFI/BOOT/BOOTX64.EFI < EFI/fedora/shimx64.efi\n"
      "EFI/BOOT/grubx64.efi < EFI/fedora/grubx64.efi\n",
      "finds no BOOTX64.CSV" },
    { "the distribution's folder, not the first", "x86_64", "rhel", "grub2",
      "x64 EFI/centos/grubx64.efi\nx64 EFI/redhat/grubx64.efi\n",
      "EFI/BOOT/BOOTX64.EFI < EFI/redhat/grubx64.efi\n", NULL },
    { "ARM, names of any case", "aarch64", "debian", "grub2",
      "aa64 efi/boot/other.efi\naa64 efi/DEBIAN/SHIMAA64.EFI\naa64 efi/DEBIAN/GRUBAA64.EFI\n",
      "efi/boot/BOOTAA64.EFI < efi/DEBIAN/SHIMAA64.EFI\n"
      "efi/boot/GRUBAA64.EFI < efi/DEBIAN/GRUBAA64.EFI\n",
      NULL },
    { "32 and 64 bits", "i386", "debian", "grub2",
      "ia32 EFI/debian/grubia32.efi\nx64 EFI/debian/grubx64.efi\n",
      "EFI/BOOT/BOOTX64.EFI < EFI/debian/grubx64.efi\n"
      "EFI/BOOT/BOOTIA32.EFI < EFI/debian/grubia32.efi\n",
      NULL },
    { "32 bits only", "x86_64", "debian", "grub2", "ia32 EFI/debian/grubia32.efi\n",
      "EFI/BOOT/BOOTIA32.EFI < EFI/debian/grubia32.efi\n", "firmware of 32 bits" },
    { "a name that says nothing of the processor", "aarch64", "opensuse-leap", "grub2",
      "x64 EFI/opensuse/grub.efi\n", "", "nor a loader" },

    { "GRUB 0.97 and its configuration, by UUID", "x86_64", "centos", "grub-legacy",
      "x64 EFI/redhat/grub.efi\n"
      "text EFI/redhat/grub.conf title a|kernel /v root=UUID=aaaa-1111|initrd /i\n",
      "EFI/BOOT/BOOTX64.EFI < EFI/redhat/grub.efi\nEFI/BOOT/BOOTX64.conf\n",
      "must be copied again" },
    { "systemd-boot", "x86_64", "arch", "systemd-boot", "x64 EFI/systemd/systemd-bootx64.efi\n",
      "EFI/BOOT/BOOTX64.EFI < EFI/systemd/systemd-bootx64.efi\n", NULL },
    { "what is in use comes first", "x86_64", "arch", "systemd-boot",
      "x64 EFI/arch/grubx64.efi\nx64 EFI/systemd/systemd-bootx64.efi\n",
      "EFI/BOOT/BOOTX64.EFI < EFI/systemd/systemd-bootx64.efi\n", NULL },
    { "rEFInd with its drivers", "x86_64", "arch", "refind",
      "x64 EFI/refind/refind_x64.efi\nx64 EFI/refind/drivers_x64/ext4_x64.efi\n"
      "text EFI/refind/refind.conf timeout 5\n",
      "EFI/BOOT/BOOTX64.EFI < EFI/refind/refind_x64.efi\n"
      "EFI/BOOT/drivers_x64/ext4_x64.efi < EFI/refind/drivers_x64/ext4_x64.efi\n"
      "EFI/BOOT/refind.conf\n",
      NULL },
    { "ELILO with its kernels", "x86_64", "sles", "elilo",
      "x64 EFI/SuSE/elilo.efi\nx64 EFI/SuSE/vmlinuz\nempty EFI/SuSE/initrd\n"
      "text EFI/SuSE/elilo.conf image=vmlinuz|  initrd = "
      "\"initrd\"|image=/EFI/SuSE/other|#image=x\n",
      "EFI/BOOT/BOOTX64.EFI < EFI/SuSE/elilo.efi\nEFI/BOOT/vmlinuz < EFI/SuSE/vmlinuz\n"
      "EFI/BOOT/initrd < EFI/SuSE/initrd\nEFI/BOOT/elilo.conf\n",
      "must be copied again" },
    { "unified images: the newest", "x86_64", "fedora", "",
      "x64 EFI/Linux/a-6.9.efi\nx64 EFI/Linux/a-6.10.efi\nx64 EFI/Linux/a-6.11-fallback.efi\n"
      "cut EFI/Linux/a-6.12.efi\n",
      "EFI/BOOT/BOOTX64.EFI < EFI/Linux/a-6.10.efi\n", "copy of the unified kernel image" },

    { "a loader that is there stays", "x86_64", "debian", "grub2",
      "x64 EFI/BOOT/BOOTX64.EFI\nx64 EFI/debian/shimx64.efi\nx64 EFI/debian/grubx64.efi\n", "",
      NULL },
    { "an empty one does not", "x86_64", "arch", "systemd-boot",
      "empty EFI/BOOT/bootx64.efi\nx64 EFI/systemd/systemd-bootx64.efi\n",
      "EFI/BOOT/bootx64.efi < EFI/systemd/systemd-bootx64.efi\n", NULL },
    { "nor one that is cut off", "x86_64", "arch", "systemd-boot",
      "cut EFI/BOOT/BOOTX64.EFI\nx64 EFI/systemd/systemd-bootx64.efi\n",
      "EFI/BOOT/BOOTX64.EFI < EFI/systemd/systemd-bootx64.efi\n", NULL },
    { "a broken one and nothing better", "x86_64", "arch", "systemd-boot",
      "text EFI/BOOT/BOOTX64.EFI x\nempty EFI/systemd/systemd-bootx64.efi\n", "", "is no program" },
    { "a shim without its GRUB", "x86_64", "debian", "grub2",
      "same EFI/BOOT/BOOTX64.EFI\nsame EFI/debian/shimx64.efi\nx64 EFI/debian/grubx64.efi\n",
      "EFI/BOOT/grubx64.efi < EFI/debian/grubx64.efi\n", NULL },
    { "a shim with it", "x86_64", "debian", "grub2",
      "same EFI/BOOT/BOOTX64.EFI\nx64 EFI/BOOT/grubx64.efi\nsame EFI/debian/shimx64.efi\n"
      "x64 EFI/debian/grubx64.efi\nx64 EFI/debian/mmx64.efi\n",
      "", NULL },
    { "a shim with fallback", "x86_64", "rocky", "grub2",
      "same EFI/BOOT/BOOTX64.EFI\nx64 EFI/BOOT/fbx64.efi\nsame EFI/rocky/shimx64.efi\n"
      "x64 EFI/rocky/grubx64.efi\ntext EFI/rocky/BOOTX64.CSV x\n",
      "", NULL },
    { "a shim with fallback that finds nothing", "x86_64", "rocky", "grub2",
      "same EFI/BOOT/BOOTX64.EFI\nx64 EFI/BOOT/fbx64.efi\nsame EFI/rocky/shimx64.efi\n"
      "x64 EFI/rocky/grubx64.efi\n",
      "", "finds no BOOTX64.CSV" },
    { "SUSE's fallback is called by its name", "x86_64", "opensuse-microos", "grub2",
      "same EFI/BOOT/BOOTX64.EFI\nx64 EFI/BOOT/fallback.efi\nsame EFI/opensuse/shim.efi\n"
      "x64 EFI/opensuse/grub.efi\n",
      "", "remove fallback.efi" },
    { "a GRUB that is broken is not copied", "x86_64", "debian", "grub2",
      "x64 EFI/debian/shimx64.efi\ncut EFI/debian/grubx64.efi\n", "", "nor a loader" },
    { "nothing but Windows", "x86_64", "debian", "grub2", "x64 EFI/Microsoft/Boot/bootmgfw.efi\n",
      "", "nor a loader" },
};

/* ---- a tree from its description ---- */

static void put_program(const struct tree *tree, const char *path, uint32_t machine,
                        const char *text, size_t len)
{
    static uint8_t program[UKI_UTIL_SIZE];
    char *full = tree_path(tree, path);
    struct err err = ERR_NONE;

    uki_program(program, machine, text);
    assert_int_equal(io_write_file(full, program, len, 0644, &err), 0);
    free(full);
}

static void put_file(const struct tree *tree, const char *kind, const char *name, char *words)
{
    static const struct {
        const char *kind;
        uint32_t machine;
        size_t len;
    } kinds[] = {
        { "x64", PE_X86_64, UKI_UTIL_SIZE },
        { "aa64", PE_AARCH64, UKI_UTIL_SIZE },
        { "ia32", PE_I386, UKI_UTIL_SIZE },
        { "same", PE_X86_64, UKI_UTIL_SIZE },
        { "empty", 0, 0 },
        { "cut", PE_X86_64, 1200 },
    };
    char *path = mem_printf(ESP "%s", name);

    for (char *c = words; (c = strchr(c, '|')) != NULL;)
        *c = '\n';
    if (strcmp(kind, "text") == 0)
        tree_put(tree, path, words, 0644);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strcmp(kind, kinds[i].kind) == 0)
            put_program(tree, path, kinds[i].machine, strcmp(kind, "same") == 0 ? "same" : name,
                        kinds[i].len);
    free(path);
}

static void put_esp(const struct tree *tree, const char *text)
{
    size_t pos = 0;
    struct span line, field[3];

    while (line_next(text, strlen(text), &pos, &line)) {
        size_t n = fields_split(text, &line, field, ARRAY_SIZE(field));
        char *kind = span_dup(text, field[0]), *name = span_dup(text, field[1]);
        struct span rest = { 0, 0 };
        char *words;

        if (n == 3)
            rest = (struct span){ field[2].start, line.start + line.len - field[2].start };
        words = span_dup(text, rest);
        put_file(tree, kind, name, words);
        free(kind);
        free(name);
        free(words);
    }
}

/* ---- what comes of it ---- */

static char *changes_of(const struct plan *plan)
{
    struct strbuf out = { 0 };

    strbuf_puts(&out, "");
    for (size_t i = 0; i < plan->n; i++) {
        const struct change *change = &plan->changes[i];

        if (change->action == CHANGE_COPY)
            strbuf_printf(&out, "%s < %s\n", change->path + strlen(ESP),
                          change->data + strlen(ESP));
        else if (change->action != CHANGE_MKDIR)
            strbuf_printf(&out, "%s\n", change->path + strlen(ESP));
    }
    return strbuf_take(&out);
}

static struct plan *plan_esp(const struct tree *tree, size_t i)
{
    struct facts *facts = facts_of_text("device /dev/sda2 partition ext4 aaaa-1111 0abc-02\n");
    struct fix_opts opts = { 0 };
    struct fix_context ctx = { .facts = facts, .opts = &opts };
    struct plan *plan = NULL;
    struct err err = ERR_NONE;

    facts->firmware = FIRMWARE_UEFI;
    facts_set(&facts->arch, cases[i].arch);
    facts_set(&facts->distro, cases[i].distro);
    facts_set(&facts->boot_loader, cases[i].loader);
    strlist_add(&opts.only, "bootloader");
    assert_int_equal(fixers_plan(&ctx, tree->root, &plan, &err), 0);
    strlist_done(&opts.only);
    facts_free(facts);
    return plan;
}

static void loaders_come_to_the_removable_path(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = ERR_NONE;
        struct plan *plan;
        struct tree tree;
        char *text;

        print_message("case: %s\n", cases[i].label);
        tree_open(&tree, NULL);
        put_esp(&tree, cases[i].esp);
        plan = plan_esp(&tree, i);
        text = changes_of(plan);
        assert_string_equal(text, cases[i].want);
        free(text);
        assert_int_equal(plan->notes.n, cases[i].note != NULL);
        if (cases[i].note)
            assert_non_null(strstr(plan->notes.items[0], cases[i].note));
        assert_int_equal(plan_apply(plan, &err), 0);
        plan_free(plan);
        plan = plan_esp(&tree, i);
        assert_int_equal(plan->n, 0);
        plan_free(plan);
        tree_close(&tree);
    }
}

/* What is copied has its devices by UUID already, and says why something was replaced. */
static void texts_and_reasons(void **state)
{
    static const char conf[] = "title a\n\tkernel /v root=/dev/sda2\n\tinitrd /i\n";
    struct err err = ERR_NONE;
    struct plan *plan;
    struct tree tree;
    bool is_said = false;

    (void)state;
    tree_open(&tree, NULL);
    put_program(&tree, ESP "EFI/redhat/grub.efi", PE_X86_64, "grub", UKI_UTIL_SIZE);
    tree_put(&tree, ESP "EFI/redhat/grub.conf", conf, 0644);
    tree_put(&tree, ESP "EFI/BOOT/BOOTX64.EFI", "", 0644);
    plan = plan_esp(&tree, 0);
    for (size_t i = 0; i < plan->n; i++)
        is_said |= strstr(plan->changes[i].reason, "what was there is empty") != NULL;
    assert_true(is_said);
    assert_int_equal(plan_apply(plan, &err), 0);
    tree_expect(&tree, ESP "EFI/BOOT/BOOTX64.conf",
                "title a\n\tkernel /v root=UUID=aaaa-1111\n\tinitrd /i\n");
    plan_free(plan);
    tree_close(&tree);
}

/* ---- --secure-boot=on ---- */

static void put_signed(const struct tree *tree, const char *path, bool is_signed)
{
    static uint8_t program[UKI_UTIL_SIZE];
    char *full = tree_path(tree, path);
    struct err err = ERR_NONE;

    uki_program(program, PE_X86_64, path);
    if (is_signed)
        uki_sign(program);
    assert_int_equal(io_write_file(full, program, sizeof(program), 0644, &err), 0);
    free(full);
}

static int plan_secure(const struct tree *tree, const char *unified, struct err *err)
{
    struct facts *facts = facts_of_text("device /dev/sda2 partition ext4 aaaa-1111 0abc-02\n");
    struct fix_opts opts = { .secure_boot = SECURE_BOOT_ON };
    struct fix_context ctx = { .facts = facts, .opts = &opts };
    struct fact_kernel *kernel = facts_add_kernel(facts);
    struct plan *plan = NULL;
    int r;

    facts->firmware = FIRMWARE_UEFI;
    facts_set(&facts->arch, "x86_64");
    facts_set(&facts->distro, "debian");
    facts_set(&facts->boot_loader, "grub2");
    facts_set(&kernel->version, "6.1");
    facts_set(&kernel->image, "/boot/vmlinuz-6.1");
    facts_set(&kernel->unified, unified);
    kernel->is_default = true;
    strlist_add(&opts.only, "bootloader");
    r = fixers_plan(&ctx, tree->root, &plan, err);
    if (r >= 0)
        plan_free(plan);
    strlist_done(&opts.only);
    facts_free(facts);
    return r;
}

static void only_what_is_signed_gets_secure_boot(void **state)
{
    static const struct {
        const char *files; /* signed but those behind a "!" */
        const char *unified, *refused;
    } chains[] = {
        { "EFI/debian/shimx64.efi EFI/debian/grubx64.efi vmlinuz-6.1", "", NULL },
        { "EFI/BOOT/BOOTX64.EFI EFI/BOOT/grubx64.efi vmlinuz-6.1", "", NULL },
        { "!EFI/debian/shimx64.efi EFI/debian/grubx64.efi vmlinuz-6.1", "", "shimx64.efi is not" },
        { "EFI/debian/shimx64.efi !EFI/debian/grubx64.efi vmlinuz-6.1", "", "grubx64.efi is not" },
        { "EFI/debian/shimx64.efi EFI/debian/grubx64.efi !vmlinuz-6.1", "", "vmlinuz-6.1 is not" },
        { "!EFI/BOOT/BOOTX64.EFI vmlinuz-6.1", "", "BOOTX64.EFI is not" },
        { "EFI/BOOT/BOOTX64.EFI !EFI/Linux/a.efi !vmlinuz-6.1", ESP "EFI/Linux/a.efi",
          "a.efi is not" },
        { "EFI/BOOT/BOOTX64.EFI EFI/Linux/a.efi !vmlinuz-6.1", ESP "EFI/Linux/a.efi", NULL },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(chains); i++) {
        struct strlist files = { 0 };
        struct err err = ERR_NONE;
        struct tree tree;
        struct span line = { 0, strlen(chains[i].files) }, word;
        size_t pos = 0;

        print_message("case: %s\n", chains[i].files);
        tree_open(&tree, NULL);
        while (field_next(chains[i].files, &line, &pos, &word))
            strlist_take(&files, span_dup(chains[i].files, word));
        for (size_t n = 0; n < files.n; n++) {
            const char *name = files.items[n] + (files.items[n][0] == '!');
            char *path = mem_printf("%s%s", strchr(name, '/') ? ESP : "/boot/", name);

            put_signed(&tree, path, files.items[n][0] != '!');
            free(path);
        }
        if (chains[i].refused) {
            assert_true(plan_secure(&tree, chains[i].unified, &err) < 0);
            assert_int_equal(err.status, STATUS_REFUSED);
            assert_non_null(strstr(err.text[0], chains[i].refused));
        } else {
            assert_int_equal(plan_secure(&tree, chains[i].unified, &err), 0);
        }
        strlist_done(&files);
        tree_close(&tree);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_signed_gets_secure_boot),
        cmocka_unit_test(loaders_come_to_the_removable_path),
        cmocka_unit_test(texts_and_reasons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
