/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tools of old hypervisors: what starts, and what configuration asks for. */
#include "tests/unit/fix_util.h"

static const struct fix_case cases[] = {
    { "shared folders", "/etc/fstab",
      "/dev/sda1 / ext4 rw 0 1\n  .host:/ /mnt/hgfs vmhgfs defaults 0 0\n"
      "vmhgfs-fuse /h fuse defaults,allow_other 0 0\n",
      "/dev/sda1 / ext4 rw 0 1\n  # .host:/ /mnt/hgfs vmhgfs defaults 0 0\n"
      "# vmhgfs-fuse /h fuse defaults,allow_other 0 0\n",
      0 },
    { "modules", "/etc/modules", "# loop\nloop\nvmhgfs\nvmxnet3\n",
      "# loop\nloop\n# vmhgfs\nvmxnet3\n", 0 },
    { "modules-load.d", "/etc/modules-load.d/v.conf", "vmw_balloon\n", "# vmw_balloon\n", 0 },
    { "X driver", "/etc/X11/xorg.conf", "Section \"Device\"\n Driver \"vmware\"\nEndSection\n",
      NULL, 1 },
    { "VirtualBox's folder", "/etc/fstab", "UUID=x / ext4 rw 0 1\nwork /work vboxsf defaults 0 0\n",
      "UUID=x / ext4 rw 0 1\n# work /work vboxsf defaults 0 0\n", 0 },
    { "modules of Hyper-V and Xen", "/etc/modules", "hv_vmbus\nxen-blkfront\nxfs\n",
      "# hv_vmbus\n# xen-blkfront\nxfs\n", 0 },
    { "packages of VMware's tools", "/etc/yum.repos.d/vmware-tools.repo",
      "# repos\n[vmware-tools]\nname=VMware Tools\n"
      "baseurl=http://packages.vmware.com/tools/esx/5.5latest/rhel6/$basearch\nenabled=1 "
      "\ngpgcheck=1\n"
      "[other]\nbaseurl=http://mirror/x\nenabled=1\n",
      "# repos\n[vmware-tools]\nname=VMware Tools\n"
      "baseurl=http://packages.vmware.com/tools/esx/5.5latest/rhel6/$basearch\nenabled=0 "
      "\ngpgcheck=1\n"
      "[other]\nbaseurl=http://mirror/x\nenabled=1\n",
      0 },
    { "enabled without a word", "/etc/zypp/repos.d/vmware.repo",
      "[vmware]\nname=x\nbaseurl=https://packages.vmware.com/tools/esx\n",
      "[vmware]\nname=x\nenabled=0\nbaseurl=https://packages.vmware.com/tools/esx\n", 0 },
    { "disabled already", "/etc/yum.repos.d/v.repo",
      "[vmware]\nenabled=0\nbaseurl=https://packages.vmware.com/tools/esx\n", NULL, 0 },
    { "Photon's own packages", "/etc/yum.repos.d/photon.repo",
      "[photon]\nbaseurl=https://packages.vmware.com/photon/4.0/\nenabled=1\n", NULL, 0 },
    { "sources of apt", "/etc/apt/sources.list.d/vmware.list",
      "# deb http://packages.vmware.com/tools/a x main\n"
      "deb http://packages.vmware.com/tools/esx/latest/ubuntu precise main\ndeb http://m/ x main\n",
      "# deb http://packages.vmware.com/tools/a x main\n"
      "# deb http://packages.vmware.com/tools/esx/latest/ubuntu precise main\ndeb http://m/ x "
      "main\n",
      0 },
    { "VirtualBox's X driver", "/etc/X11/xorg.conf.d/v.conf",
      "Section \"Device\"\n Driver \"vboxvideo\"\nEndSection\n", NULL, 1 },
    { "what stays", "/usr/lib/parallels-tools/install", "#!/bin/sh\n", NULL, 1 },
};

static void texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        fix_check("", "guest-tools", &cases[i]);
}

static void apply_all(const struct tree *tree)
{
    struct plan *plan = fix_plan(tree, "", "guest-tools");
    struct err err = ERR_NONE;

    assert_int_equal(plan_apply(plan, &err), 0);
    plan_free(plan);
    plan = fix_plan(tree, "", "guest-tools");
    assert_int_equal(plan->n, 0);
    plan_free(plan);
}

static void expect_link(const struct tree *tree, const char *path, const char *want)
{
    struct err err = ERR_NONE;
    char *target = NULL;

    if (want) {
        assert_int_equal(guest_readlink(tree->root, path, &target, &err), 0);
        assert_string_equal(target, want);
    } else {
        assert_true(guest_readlink(tree->root, path, &target, &err) < 0);
    }
    free(target);
}

static void services_of_every_hypervisor_are_masked(void **state)
{
    static const struct {
        const char *unit;
        bool masked;
    } units[] = {
        { "vmtoolsd", true },        { "hypervkvpd", true }, { "hv-kvp-daemon", true },
        { "xe-daemon", true },       { "vboxadd", true },    { "prltoolsd", true },
        { "ngt_guest_agent", true }, { "ssh", false },       { "qemu-guest-agent", false },
    };
    struct tree tree;

    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, "/usr/lib/systemd/systemd", "", 0755);
    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        char *unit = mem_printf("/usr/lib/systemd/system/%s.service", units[i].unit);
        char *link =
            mem_printf("/etc/systemd/system/multi-user.target.wants/%s.service", units[i].unit);

        tree_put(&tree, unit, "[Service]\n", 0644);
        tree_link(&tree, unit, link);
        free(unit);
        free(link);
    }
    apply_all(&tree);
    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        char *unit = mem_printf("/usr/lib/systemd/system/%s.service", units[i].unit);
        char *mask = mem_printf("/etc/systemd/system/%s.service", units[i].unit);
        char *link =
            mem_printf("/etc/systemd/system/multi-user.target.wants/%s.service", units[i].unit);

        expect_link(&tree, mask, units[i].masked ? "/dev/null" : NULL);
        expect_link(&tree, link, units[i].masked ? NULL : unit);
        free(unit);
        free(mask);
        free(link);
    }
    tree_close(&tree);
}

static void init_scripts_get_stop_links(void **state)
{
    struct tree tree;
    struct plan *plan;
    char *target;

    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, "/etc/init.d/vmware-tools", "#!/bin/sh\n", 0755);
    tree_link(&tree, "../init.d/vmware-tools", "/etc/rc2.d/S20vmware-tools");
    tree_link(&tree, "../init.d/ssh", "/etc/rc2.d/S20ssh");
    tree_put(&tree, "/etc/init/vmware-tools.conf", "start on x\n", 0644);
    apply_all(&tree);
    plan = fix_plan(&tree, "", "guest-tools");
    assert_int_equal(plan->n, 0);
    target = plan_readlink(plan, "/etc/rc2.d/K80vmware-tools");
    assert_string_equal(target, "../init.d/vmware-tools");
    free(target);
    assert_null(plan_readlink(plan, "/etc/rc2.d/S20vmware-tools"));
    target = plan_readlink(plan, "/etc/rc2.d/S20ssh");
    assert_non_null(target);
    free(target);
    tree_expect(&tree, "/etc/init/vmware-tools.override", "manual\n");
    plan_free(plan);
    tree_close(&tree);
}

static void upstart_of_red_hat_reads_no_overrides(void **state)
{
    struct tree tree;

    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, "/var/lib/rpm/Packages", "", 0644);
    tree_put(&tree, "/etc/init/vmware-tools.conf",
             "# start on\nstart on starting rc\nstop on runlevel 0\nexec /x start on y\n", 0644);
    apply_all(&tree);
    tree_expect(&tree, "/etc/init/vmware-tools.conf",
                "# start on\n# start on starting rc\nstop on runlevel 0\nexec /x start on y\n");
    assert_false(guest_exists(tree.root, "/etc/init/vmware-tools.override"));
    tree_close(&tree);
}

/* SUSE's folders of levels lie in init.d; kudzu asks at the console. */
static void other_init_systems(void **state)
{
    struct tree tree;

    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, "/etc/init.d/vmtoolsd", "#!/bin/sh\n", 0755);
    tree_put(&tree, "/etc/init.d/kudzu", "#!/bin/sh\n", 0755);
    tree_link(&tree, "../vmtoolsd", "/etc/init.d/rc3.d/S11vmtoolsd");
    tree_link(&tree, "../init.d/kudzu", "/etc/rc.d/rc5.d/S05kudzu");
    tree_link(&tree, "/etc/init.d/vmtoolsd", "/etc/runlevels/default/vmtoolsd");
    tree_link(&tree, "/etc/init.d/sshd", "/etc/runlevels/default/sshd");
    tree_link(&tree, "/etc/sv/vmtoolsd", "/etc/runit/runsvdir/default/vmtoolsd");
    apply_all(&tree);
    expect_link(&tree, "/etc/init.d/rc3.d/K89vmtoolsd", "../vmtoolsd");
    expect_link(&tree, "/etc/init.d/rc3.d/S11vmtoolsd", NULL);
    expect_link(&tree, "/etc/rc.d/rc5.d/K95kudzu", "../init.d/kudzu");
    expect_link(&tree, "/etc/rc.d/rc5.d/S05kudzu", NULL);
    expect_link(&tree, "/etc/runlevels/default/vmtoolsd", NULL);
    expect_link(&tree, "/etc/runlevels/default/sshd", "/etc/init.d/sshd");
    expect_link(&tree, "/etc/runit/runsvdir/default/vmtoolsd", NULL);
    tree_close(&tree);
}

/* Only where that is asked for. */
static void agents_of_clouds(void **state)
{
    static const char agent[] = "/usr/lib/systemd/system/walinuxagent.service";
    struct facts *facts = facts_of_text("");
    struct fix_opts opts = { 0 };
    struct fix_context ctx = { .facts = facts, .opts = &opts };
    struct tree tree;

    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, agent, "[Service]\n", 0644);
    tree_put(&tree, "/etc/init.d/waagent", "#!/bin/sh\n", 0755);
    tree_link(&tree, "../init.d/waagent", "/etc/rc2.d/S20waagent");
    strlist_add(&opts.only, "guest-tools");
    for (int i = 0; i < 4; i++) {
        struct plan *plan = NULL;
        struct err err = ERR_NONE;

        if (i == 2)
            tree_put(&tree, "/usr/lib/systemd/systemd", "", 0755);
        opts.no_cloud_agents = i % 2;
        assert_int_equal(fixers_plan(&ctx, tree.root, &plan, &err), 0);
        assert_int_equal(plan->n > 0, opts.no_cloud_agents);
        assert_int_equal(plan_apply(plan, &err), 0);
        plan_free(plan);
    }
    expect_link(&tree, "/etc/rc2.d/K80waagent", "../init.d/waagent");
    expect_link(&tree, "/etc/systemd/system/walinuxagent.service", "/dev/null");
    strlist_done(&opts.only);
    facts_free(facts);
    tree_close(&tree);
}

/* What is run is a matter of tests/root/rebuild.sh. */
static void packages_are_removed_on_request(void **state)
{
    static const struct {
        const char *format, *program, *want;
    } managers[] = {
        { "deb", "/usr/bin/dpkg", "/usr/bin/dpkg --purge open-vm-tools open-vm-tools-desktop " },
        { "rpm", "/bin/rpm", "/bin/rpm -e open-vm-tools open-vm-tools-desktop " },
    };
    static const char *const names[] = { "bash", "open-vm-tools", "open-vm-tools-desktop",
                                         "vmware-toolsmith" };
    struct facts *facts = facts_of_text("");
    struct fix_opts opts = { 0 };
    struct fix_context ctx = { .facts = facts, .opts = &opts };
    struct tree tree;

    (void)state;
    tree_open(&tree, NULL);
    strlist_add(&opts.only, "guest-tools");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        facts_set(&facts_add_package(facts)->name, names[i]);
    for (size_t i = 0; i < ARRAY_SIZE(managers) * 2; i++) {
        struct strbuf text = { 0 };
        struct plan *plan = NULL;
        struct err err = ERR_NONE;

        opts.remove_tools_now = i % 2;
        facts_set(&facts->package_format, managers[i / 2].format);
        if (i % 2 == 0) {
            tree_put(&tree, managers[i / 2].program, "", 0755);
            assert_int_equal(fixers_plan(&ctx, tree.root, &plan, &err), 0);
            assert_false(plan_runs(plan));
            plan_free(plan);
            continue;
        }
        assert_int_equal(fixers_plan(&ctx, tree.root, &plan, &err), 0);
        assert_int_equal(plan->n, 1);
        assert_string_equal(plan->changes[0].path, managers[i / 2].program);
        for (size_t j = 0; j < plan->changes[0].run->argv.n; j++)
            strbuf_printf(&text, "%s ", plan->changes[0].run->argv.items[j]);
        assert_string_equal(strbuf_text(&text), managers[i / 2].want);
        assert_int_equal(plan_check_space(plan, &err), 0);
        strbuf_done(&text);
        plan_free(plan);
    }
    strlist_done(&opts.only);
    facts_free(facts);
    tree_close(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(services_of_every_hypervisor_are_masked),
        cmocka_unit_test(init_scripts_get_stop_links),
        cmocka_unit_test(upstart_of_red_hat_reads_no_overrides),
        cmocka_unit_test(other_init_systems),
        cmocka_unit_test(agents_of_clouds),
        cmocka_unit_test(packages_are_removed_on_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
