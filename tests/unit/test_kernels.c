/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest with two kernels: "5.10.0-9", which can start from a virtio disk or not, and others. */
#include "fixers/apply.h"
#include "fixers/hardware.h"
#include "fixers/linux/linux.h"
#include "inspect/linux.h"
#include "tests/unit/tree.h"

#define VIRTIO "kernel/drivers/block/virtio_blk.ko:\nkernel/drivers/virtio/virtio_pci.ko:\n"
#define PIIX "kernel/drivers/ata/ata_piix.ko:\n"
#define AHCI "kernel/drivers/ata/ahci.ko:\n"

static struct tree tree;
static struct facts *facts;

static void put_kernel(const char *version, const char *modules)
{
    char *image = mem_printf("/boot/vmlinuz-%s", version);
    char *initrd = mem_printf("/boot/initrd.img-%s", version);
    char *dep = mem_printf("/lib/modules/%s/modules.dep", version);

    tree_put(&tree, image, "", 0644);
    tree_put(&tree, initrd, "", 0644);
    tree_put(&tree, dep, modules, 0644);
    free(image);
    free(initrd);
    free(dep);
}

static int setup(void **state)
{
    (void)state;
    tree_open(&tree, NULL);
    facts = facts_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    facts_free(facts);
    tree_close(&tree);
    return 0;
}

static void look(void)
{
    facts_free(facts);
    facts = facts_new();
    facts->os = OS_LINUX;
    facts_set(&facts->arch, "x86_64");
    linux_boot(tree.root, facts);
    linux_kernels(tree.root, facts);
}

static struct plan *make_plan(void)
{
    static const struct fix_opts opts = { 0 };
    struct fix_context ctx = { .facts = facts, .opts = &opts };
    struct plan *plan = plan_new(tree.root);
    struct err err = ERR_NONE;
    const char *why = NULL;

    plan->fixer = fixer_kernels.name;
    if (fixer_kernels.applies(&ctx, &why))
        assert_int_equal(fixer_kernels.plan(&ctx, plan, &err), 0);
    assert_non_null(why);
    assert_int_equal(plan->err.code, 0);
    for (size_t i = 0; i < plan->notes.n; i++)
        print_message("%s\n", plan->notes.items[i]);
    return plan;
}

#define GRUB_MENU                                                                                  \
    "menuentry 'Debian' --id simple {\n linux /boot/vmlinuz-6.1.0-1 ro\n}\n"                       \
    "submenu 'Advanced' --id adv {\n menuentry 'a' --id a-6.1 {\n  linux /boot/vmlinuz-6.1.0-1\n"  \
    " }\n menuentry 'b' --id b-5.10 {\n  linux /boot/vmlinuz-5.10.0-9 ro\n }\n}\n"
#define GRUB1_MENU                                                                                 \
    "title new\n kernel /boot/vmlinuz-6.1.0-1\ntitle old\n kernel /boot/vmlinuz-5.10.0-9\n"

static const struct {
    const char *label, *config, *text;
    const char *other, *other_text; /* a file beside it; NULL: none */
    const char *changed, *want;     /* NULL: nothing changes, but a note says what to do */
    const char *changed2, *want2;
} loaders[] = {
    { "grub.cfg and its source", "/boot/grub/grub.cfg", "set default=\"0\"\n" GRUB_MENU,
      "/etc/default/grub", "GRUB_DEFAULT=0\nGRUB_TIMEOUT=5\n", "/boot/grub/grub.cfg",
      "set default=\"adv>b-5.10\"\n" GRUB_MENU, "/etc/default/grub",
      "GRUB_DEFAULT=\"adv>b-5.10\"\nGRUB_TIMEOUT=5\n" },
    { "grubenv", "/boot/grub/grub.cfg", "set default=\"${saved_entry}\"\n" GRUB_MENU,
      "/boot/grub/grubenv", "# GRUB Environment Block\nsaved_entry=simple\nx=1\n########",
      "/boot/grub/grubenv", "# GRUB Environment Block\nsaved_entry=adv>b-5.10\nx=1\n####", NULL,
      NULL },
    { "BLS without a saved entry", "/boot/grub2/grub.cfg",
      "set default=\"${saved_entry}\"\nblscfg\n", "/boot/grub2/grubenv",
      "# GRUB Environment Block\n##############################", "/boot/grub2/grubenv",
      "# GRUB Environment Block\nsaved_entry=m-5.10.0-9\n#######", NULL, NULL },
    { "GRUB 0.97", "/boot/grub/menu.lst", "# x\ndefault\t\t0\ntimeout 5\n" GRUB1_MENU, NULL, NULL,
      "/boot/grub/menu.lst", "# x\ndefault\t\t1\ntimeout 5\n" GRUB1_MENU, NULL, NULL },
    { "GRUB 0.97 without default", "/boot/grub/menu.lst", GRUB1_MENU, NULL, NULL,
      "/boot/grub/menu.lst", "default 1\n" GRUB1_MENU, NULL, NULL },
    { "systemd-boot", "/boot/loader/loader.conf", "timeout 3\ndefault  m-6*\n", NULL, NULL,
      "/boot/loader/loader.conf", "timeout 3\ndefault  m-5.10.0-9.conf\n", NULL, NULL },
    { "extlinux", "/boot/extlinux/extlinux.conf",
      "DEFAULT l0\nLABEL l0\n LINUX /boot/vmlinuz-6.1.0-1\nLABEL l1\n LINUX "
      "/boot/vmlinuz-5.10.0-9\n",
      NULL, NULL, "/boot/extlinux/extlinux.conf",
      "DEFAULT l1\nLABEL l0\n LINUX /boot/vmlinuz-6.1.0-1\nLABEL l1\n LINUX "
      "/boot/vmlinuz-5.10.0-9\n",
      NULL, NULL },
    { "a menu of its own", "/boot/extlinux/extlinux.conf",
      "DEFAULT menu.c32\nLABEL l0\n MENU DEFAULT\n LINUX /boot/vmlinuz-6.1.0-1\n"
      "LABEL l1\n LINUX /boot/vmlinuz-5.10.0-9\n",
      NULL, NULL, "/boot/extlinux/extlinux.conf",
      "DEFAULT menu.c32\nLABEL l0\n LINUX /boot/vmlinuz-6.1.0-1\n"
      "LABEL l1\n  MENU DEFAULT\n LINUX /boot/vmlinuz-5.10.0-9\n",
      NULL, NULL },
    { "what is started without a key, and the menu's default", "/boot/extlinux/extlinux.conf",
      "default menu.c32\nontimeout l0\nlabel l1\n linux /boot/vmlinuz-5.10.0-9\n menu default\n"
      "label l0\n linux /boot/vmlinuz-6.1.0-1",
      NULL, NULL, "/boot/extlinux/extlinux.conf",
      "default menu.c32\nontimeout l1\nlabel l1\n  MENU DEFAULT\n linux /boot/vmlinuz-5.10.0-9\n"
      "label l0\n linux /boot/vmlinuz-6.1.0-1",
      NULL, NULL },
    { "not in the menu", "/boot/grub/menu.lst", "title new\nkernel /boot/vmlinuz-6.1.0-1\n", NULL,
      NULL, NULL, NULL, NULL, NULL },
};

static void expect_change(size_t i, const struct plan *plan)
{
    struct err err = ERR_NONE;

    assert_int_equal(plan->notes.n, loaders[i].changed ? 0 : 1);
    assert_int_equal(plan->n, !loaders[i].changed ? 0 : loaders[i].changed2 ? 2 : 1);
    if (!loaders[i].changed)
        return;
    assert_string_equal(plan->changes[0].reason,
                        "kernel 6.1.0-1, which is started now, cannot start from a virtio disk; "
                        "5.10.0-9 has virtio drivers");
    assert_int_equal(plan_apply(plan, &err), 0);
    tree_expect(&tree, loaders[i].changed, loaders[i].want);
    if (loaders[i].changed2)
        tree_expect(&tree, loaders[i].changed2, loaders[i].want2);
    /* that is what is started then, and nothing is left to do */
    look();
    assert_string_equal(kernel_started(facts)->version, "5.10.0-9");
    assert_string_equal(hardware_for(facts, false, 1)->disk_bus, "virtio");
}

static void the_default_is_changed_when_it_cannot_start(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(loaders); i++) {
        struct plan *plan;

        print_message("case: %s\n", loaders[i].label);
        (void)teardown(state);
        (void)setup(state);
        put_kernel("6.1.0-1", PIIX);
        put_kernel("5.10.0-9", VIRTIO);
        put_kernel("5.10.0-10-debug", VIRTIO);
        tree_put(&tree, "/boot/loader/entries/m-6.1.0-1.conf", "linux /boot/vmlinuz-6.1.0-1\n",
                 0644);
        tree_put(&tree, "/boot/loader/entries/m-5.10.0-9.conf", "linux /boot/vmlinuz-5.10.0-9\n",
                 0644);
        tree_put(&tree, loaders[i].config, loaders[i].text, 0644);
        if (loaders[i].other)
            tree_put(&tree, loaders[i].other, loaders[i].other_text, 0644);
        look();
        assert_string_equal(kernel_started(facts)->version, "6.1.0-1");
        assert_string_equal(kernel_instead(facts)->version, "5.10.0-9");
        plan = make_plan();
        expect_change(i, plan);
        plan_free(plan);
        plan = make_plan();
        assert_int_equal(plan->n, 0);
        plan_free(plan);
    }
}

static void what_can_start_stays(void **state)
{
    static const char *const modules[] = { VIRTIO, NULL }; /* NULL: it has no folder of modules */
    struct plan *plan;

    for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
        (void)teardown(state);
        (void)setup(state);
        tree_put(&tree, "/boot/grub/menu.lst", GRUB1_MENU, 0644);
        put_kernel("5.10.0-9", VIRTIO);
        if (modules[i])
            put_kernel("6.1.0-1", modules[i]);
        else
            tree_put(&tree, "/boot/vmlinuz-6.1.0-1", "", 0644);
        look();
        assert_int_equal(kernel_fit(kernel_started(facts)), i ? KERNEL_UNKNOWN : KERNEL_FITS);
        plan = make_plan();
        assert_int_equal(plan->n, 0);
        assert_int_equal(plan->notes.n, 0);
        plan_free(plan);
        assert_true(hardware_for(facts, false, 1)->is_virtio);
    }
}

static const struct {
    const char *label, *modules, *config;
    size_t n_disks;
    const char *bus, *machine;
} old_kernels[] = {
    { "IDE", PIIX AHCI, "", 4, "ide", "pc" },
    { "IDE built in", "kernel/x.ko:\n", "CONFIG_BLK_DEV_PIIX=y\n", 1, "ide", "pc" },
    { "too many disks for IDE", PIIX AHCI, "", 5, "sata", NULL },
    { "SATA only", AHCI, "", 1, "sata", NULL },
    { "nothing is known to work", "kernel/x.ko:\n", "", 1, "ide", "pc" },
};

static void without_virtio_the_hardware_is_emulated(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(old_kernels); i++) {
        const struct hardware *hardware;
        struct plan *plan;

        print_message("case: %s\n", old_kernels[i].label);
        (void)teardown(state);
        (void)setup(state);
        put_kernel("2.6.9-5.EL", old_kernels[i].modules);
        tree_put(&tree, "/boot/config-2.6.9-5.EL", old_kernels[i].config, 0644);
        tree_put(&tree, "/boot/grub/menu.lst", "title a\nkernel /boot/vmlinuz-2.6.9-5.EL ro\n",
                 0644);
        look();
        plan = make_plan();
        assert_int_equal(plan->n, 0);
        assert_int_equal(plan->notes.n, 1);
        assert_non_null(strstr(plan->notes.items[0], "no other one can be started"));
        plan_free(plan);
        hardware = hardware_for(facts, false, old_kernels[i].n_disks);
        assert_string_equal(hardware->disk_bus, old_kernels[i].bus);
        assert_string_equal(hardware->nic_model, "e1000");
        if (old_kernels[i].machine)
            assert_string_equal(hardware->machine, old_kernels[i].machine);
        else
            assert_null(hardware->machine);
        assert_true(hardware_for(facts, true, 1)->is_virtio);
        facts_set(&facts->arch, "aarch64");
        assert_true(hardware_for(facts, false, 1)->is_virtio);
    }
}

static void a_xen_kernel_is_not_started(void **state)
{
    struct plan *plan;

    (void)state;
    put_kernel("2.6.18-398.el5xen", VIRTIO);
    put_kernel("2.6.18-398.el5", VIRTIO);
    tree_put(&tree, "/boot/config-2.6.18-398.el5xen", "CONFIG_X86_64_XEN=y\n", 0644);
    tree_put(&tree, "/boot/grub/menu.lst",
             "default=0\ntitle x\nkernel /xen.gz\nmodule /boot/vmlinuz-2.6.18-398.el5xen\n"
             "title y\nkernel /boot/vmlinuz-2.6.18-398.el5\n",
             0644);
    look();
    assert_int_equal(kernel_fit(kernel_started(facts)), KERNEL_NO_KVM);
    plan = make_plan();
    assert_int_equal(plan->n, 1);
    assert_non_null(strstr(plan->changes[0].reason, "does not start on KVM"));
    plan_free(plan);
}

/* What is started when nobody says so may be any of them. */
static void an_unknown_default_counts_all(void **state)
{
    (void)state;
    put_kernel("6.1.0-1", PIIX);
    look();
    assert_null(kernel_started(facts));
    assert_string_equal(hardware_for(facts, false, 1)->disk_bus, "ide");
    put_kernel("5.10.0-9", VIRTIO);
    look();
    assert_true(hardware_for(facts, false, 1)->is_virtio);
}

int main(void)
{
#define WITH_TREE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_TREE(the_default_is_changed_when_it_cannot_start),
        WITH_TREE(what_can_start_stays),
        WITH_TREE(without_virtio_the_hardware_is_emulated),
        WITH_TREE(a_xen_kernel_is_not_started),
        WITH_TREE(an_unknown_default_counts_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
