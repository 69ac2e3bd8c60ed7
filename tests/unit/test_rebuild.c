/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --initramfs=rebuild as far as it is a plan; tests/root/rebuild.sh runs it. */
#include <errno.h>
#include <jansson.h>

#include "engine/jail.h"
#include "tests/unit/initramfs_guest.h"

#define OUT JAIL_OUT "/initrd"

static const struct change *planned_run(struct plan *plan)
{
    const struct change *change = find_change(plan, INITRD);

    assert_non_null(change);
    assert_int_equal(change->action, CHANGE_RUN);
    return change;
}

static void expect_command(const char *want)
{
    struct plan *plan = make_plan();
    const struct run *run = planned_run(plan)->run;
    struct strbuf text = { 0 };

    for (size_t i = 0; i < run->argv.n; i++)
        strbuf_printf(&text, "%s[%s]", i ? " " : "", run->argv.items[i]);
    assert_string_equal(strbuf_text(&text), want);
    strbuf_done(&text);
    plan_free(plan);
}

static int rebuild_setup(void **state)
{
    struct fact_device *root;

    (void)setup(state);
    opts.initramfs = INITRAMFS_REBUILD;
    root = facts_add_device(facts);
    facts_set(&root->name, "/dev/sda1");
    facts_set(&root->kind, "partition");
    facts_set(&root->fstype, "ext4");
    facts_set(&facts->root, "/dev/sda1");
    facts_set(&facts->kernels[0].image, "/boot/vmlinuz-" KVER);
    make_initrd("gzip", "kernel/drivers/scsi/vmw_pvscsi.ko");
    tree_put(&tree, "/usr/sbin/mkinitramfs", "#!/bin/sh\n", 0755);
    return 0;
}

static void the_guests_tool_is_run_after_its_configuration_changes(void **state)
{
    struct err err = ERR_NONE;
    struct plan *plan = NULL;
    const struct run *run;
    char *diff;

    (void)state;
    strlist_add(&opts.only, "initramfs");
    assert_int_equal(fixers_plan(&ctx, tree.root, &plan, &err), 0);
    strlist_done(&opts.only);
    opts.only = (struct strlist){ 0 };
    assert_int_equal(plan->n, 2);
    assert_string_equal(plan->changes[0].path, "/etc/initramfs-tools/modules");
    assert_ptr_equal(planned_run(plan), &plan->changes[1]);
    run = plan->changes[1].run;
    assert_string_equal(run->makes, "initrd");
    assert_true(strlist_has(&run->wanted, "virtio_blk"));
    assert_false(strlist_has(&run->wanted, "ext4")); /* built in */
    /* MODULES=list is no question to the host; what the root is formatted as is */
    assert_int_equal(run->paths.n, 1);
    assert_string_equal(run->paths.items[0], "/etc/initramfs-tools/initramfs.conf");
    assert_string_equal(run->texts.items[0], "MODULES=list\n\nFSTYPE=ext4\n");
    diff = change_diff(&plan->changes[1], false);
    assert_non_null(strstr(diff, "/usr/sbin/mkinitramfs -o " OUT " " KVER));
    assert_non_null(strstr(diff, "replaces " INITRD));
    free(diff);
    plan_free(plan);
}

static void json_has_the_command(void **state)
{
    struct plan *plan = make_plan();
    json_t *json = plan_to_json(plan, false), *run = NULL, *change;
    size_t i;

    (void)state;
    json_array_foreach(json, i,
                       change) if (strcmp(json_string_value(json_object_get(change, "action")),
                                          "run") == 0) run = change;
    assert_non_null(run);
    assert_string_equal(json_string_value(json_object_get(run, "path")), INITRD);
    assert_int_equal(json_array_size(json_object_get(run, "argv")), 4);
    assert_string_equal(json_string_value(json_array_get(json_object_get(run, "argv"), 3)), KVER);
    json_decref(json);
    plan_free(plan);
}

static void modules_of_this_host_are_not_asked_for(void **state)
{
    const struct run *run;
    struct plan *plan;

    (void)state;
    tree_put(&tree, "/etc/initramfs-tools/conf.d/driver-policy", "MODULES=dep", 0644);
    plan = make_plan();
    run = planned_run(plan)->run;
    assert_int_equal(run->paths.n, 2);
    assert_string_equal(run->paths.items[1], "/etc/initramfs-tools/conf.d/driver-policy");
    assert_string_equal(run->texts.items[1], "MODULES=dep\nMODULES=most\n");
    plan_free(plan);
    tree_expect(&tree, "/etc/initramfs-tools/conf.d/driver-policy", "MODULES=dep");
}

static void every_tool_has_its_words(void **state)
{
    static const struct {
        enum initrd_tool tool;
        const char *program, *mark, *want;
    } cases[] = {
        { INITRD_DRACUT, "/usr/bin/dracut", "/usr/lib/dracut/modules.d/a",
          "[/usr/bin/dracut] [--force] [--no-hostonly] [--add-drivers] "
          "[virtio_pci virtio_blk virtio_scsi sd_mod] [" OUT "] [" KVER "]" },
        { INITRD_MKINITCPIO, "/usr/bin/mkinitcpio", NULL,
          "[/usr/bin/mkinitcpio] [-S] [autodetect] [-k] [" KVER "] [-g] [" OUT "]" },
        { INITRD_BOOSTER, "/usr/bin/booster", NULL,
          "[/usr/bin/booster] [build] [--universal] [--force] [--kernel-version] [" KVER "] [" OUT
          "]" },
        { INITRD_MKINITFS, "/sbin/mkinitfs", NULL, "[/sbin/mkinitfs] [-o] [" OUT "] [" KVER "]" },
        { INITRD_MAKE_INITRD, "/usr/sbin/make-initrd", NULL,
          "[/usr/sbin/make-initrd] [-b] [" JAIL_OUT "] [-k] [" KVER "]" },
        { INITRD_TINY, "/usr/sbin/mktirfs", NULL,
          "[/usr/sbin/mktirfs] [-o] [" OUT "] [-m] [no] [-M] [no] [--include-modules] "
          "[virtio_pci,virtio_blk,virtio_scsi,sd_mod] [" KVER "]" },
        { INITRD_MKINITRD, "/sbin/mkinitrd", NULL,
          "[/sbin/mkinitrd] [-f] [--allow-missing] [--with=virtio_pci] [--with=virtio_blk] "
          "[--with=virtio_scsi] [--with=sd_mod] [" OUT "] [" KVER "]" },
        { INITRD_MKINITRD, "/sbin/mkinitrd", "/lib/mkinitrd/setup",
          "[/sbin/mkinitrd] [-m] [virtio_pci virtio_blk virtio_scsi sd_mod] [-k] "
          "[/boot/vmlinuz-" KVER "] [-i] [" OUT "]" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        print_message("case: %s\n", cases[i].program);
        facts->initrd_tool = cases[i].tool;
        tree_put(&tree, cases[i].program, "#!/bin/sh\n", 0755);
        if (cases[i].mark)
            tree_put(&tree, cases[i].mark, "", 0644);
        expect_command(cases[i].want);
    }
}

static void of_two_dracuts_the_old_one_knows_less(void **state)
{
    (void)state;
    facts->initrd_tool = INITRD_DRACUT;
    tree_put(&tree, "/sbin/dracut", "#!/bin/sh\n", 0755);
    tree_put(&tree, "/usr/share/dracut/modules.d/a", "", 0644);
    expect_command("[/sbin/dracut] [--force] [--add-drivers] "
                   "[virtio_pci virtio_blk virtio_scsi sd_mod] [" OUT "] [" KVER "]");
}

static void a_stacked_root_is_looked_for_at_boot(void **state)
{
    (void)state;
    facts->initrd_tool = INITRD_DRACUT;
    facts_set(&facts->devices[0].kind, "lv");
    tree_put(&tree, "/usr/bin/dracut", "#!/bin/sh\n", 0755);
    tree_put(&tree, "/usr/lib/dracut/modules.d/a", "", 0644);
    expect_command("[/usr/bin/dracut] [--force] [--no-hostonly] [--kernel-cmdline] [rd.auto] "
                   "[--add-drivers] [virtio_pci virtio_blk virtio_scsi sd_mod] [" OUT "] [" KVER
                   "]");
}

static void expect_refusal(const char *text)
{
    struct plan *plan = plan_new(tree.root);
    struct err err = ERR_NONE;

    assert_true(fixer_initramfs.plan(&ctx, plan, &err) < 0);
    assert_int_equal(err.status, STATUS_REFUSED);
    assert_non_null(strstr(err.text[0], text));
    assert_non_null(strstr(err.text[0], "--initramfs=inject"));
    plan_free(plan);
}

static void what_cannot_be_rebuilt_is_refused(void **state)
{
    (void)state;
    facts_set(&facts->devices[0].decrypts, "/dev/sda5");
    expect_refusal("encrypted volumes");
    facts_set(&facts->devices[0].decrypts, "");
    facts->initrd_tool = INITRD_GENKERNEL;
    expect_refusal("no tool that is known");
    facts->initrd_tool = INITRD_DRACUT; /* it is not installed */
    expect_refusal("no tool that is known");
}

static void what_has_the_drivers_is_left_alone(void **state)
{
    (void)state;
    make_initrd("gzip", "kernel/drivers/virtio/virtio.ko kernel/drivers/virtio/virtio_pci.ko "
                        "kernel/drivers/block/virtio_blk.ko kernel/drivers/scsi/virtio_scsi.ko "
                        "kernel/drivers/scsi/sd_mod.ko");
    tree_put(&tree, "/etc/initramfs-tools/initramfs.conf", "MODULES=most\n", 0644);
    expect_no_change();
}

static void too_little_space_is_seen_before_it_runs(void **state)
{
    struct err err = ERR_NONE;
    uint64_t space = 0;
    struct plan *plan = make_plan();

    (void)state;
    assert_int_equal(plan_check_space(plan, &err), 0);
    assert_int_equal(guest_free_space(tree.root, "/boot", &space, &err), 0);
    planned_run(plan)->run->about_bytes = space + (8U << 20);
    assert_int_equal(plan_check_space(plan, &err), -EPERM);
    assert_non_null(strstr(err.text[0], "too full"));
    plan_free(plan);
}

static int check_image(const struct run *run)
{
    struct err err = ERR_NONE;
    struct stat st;
    int fd = guest_open(tree.root, INITRD, &err);
    int r;

    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    r = run->check(run, fd, (uint64_t)st.st_size, &err);
    (void)close(fd);
    return r;
}

static void an_image_without_drivers_is_no_result(void **state)
{
    struct plan *plan = make_plan();
    const struct run *run = planned_run(plan)->run;

    (void)state;
    assert_true(check_image(run) < 0);
    make_initrd("gzip", "kernel/drivers/virtio/virtio_pci.ko kernel/drivers/block/virtio_blk.ko "
                        "kernel/drivers/scsi/virtio_scsi.ko");
    assert_int_equal(check_image(run), 0);
    tree_put(&tree, INITRD, "no archive", 0644);
    assert_true(check_image(run) < 0);
    plan_free(plan);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rebuild_setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_guests_tool_is_run_after_its_configuration_changes),
        TEST(json_has_the_command),
        TEST(modules_of_this_host_are_not_asked_for),
        TEST(every_tool_has_its_words),
        TEST(of_two_dracuts_the_old_one_knows_less),
        TEST(a_stacked_root_is_looked_for_at_boot),
        TEST(what_cannot_be_rebuilt_is_refused),
        TEST(what_has_the_drivers_is_left_alone),
        TEST(too_little_space_is_seen_before_it_runs),
        TEST(an_image_without_drivers_is_no_result),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
