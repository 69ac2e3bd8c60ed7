/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QEMU's guest agent under every init system, and chronyd's clocks. */
#include "tests/unit/fix_util.h"

#define CHRONY "/etc/chrony.conf"

/* one note: that there is no agent */
static const struct fix_case clocks[] = {
    { "Hyper-V's clock", CHRONY,
      "server ntp.example iburst\nrefclock PHC /dev/ptp_hyperv poll 3 dpoll -2\nmakestep 1 -1\n",
      "server ntp.example iburst\n# refclock PHC /dev/ptp_hyperv poll 3 dpoll -2\nmakestep 1 -1\n",
      1 },
    { "the only source", CHRONY, "refclock PHC /dev/ptp0 poll 2\n",
      "# refclock PHC /dev/ptp0 poll 2\n", 2 },
    { "commented already", CHRONY, "# refclock PHC /dev/ptp0 poll 2\n", NULL, 1 },
    { "another clock", CHRONY, "refclock SHM 0\n", NULL, 1 },
    { "in a folder", "/etc/chrony/conf.d/vm.conf", "refclock PHC /dev/ptp0\nserver a\n",
      "# refclock PHC /dev/ptp0\nserver a\n", 1 },
};

static void clocks_of_the_old_hypervisor_go(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(clocks); i++)
        fix_check("", "target-tools", &clocks[i]);
}

static void the_clock_of_kvm_stays(void **state)
{
    struct plan *plan;
    struct tree tree;

    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, "/etc/modules-load.d/ptp_kvm.conf", "ptp_kvm\n", 0644);
    tree_put(&tree, CHRONY, "refclock PHC /dev/ptp0\nrefclock PHC /dev/ptp_hyperv\n", 0644);
    plan = fix_plan(&tree, "", "target-tools");
    assert_int_equal(plan->n, 1);
    assert_string_equal(plan->changes[0].data,
                        "refclock PHC /dev/ptp0\n# refclock PHC /dev/ptp_hyperv\n");
    plan_free(plan);
    tree_close(&tree);
}

#define MODPROBE "/etc/modprobe.d/local.conf"

/* one note: that there is no agent */
static const struct fix_case forbidden[] = {
    { "modules of virtio", MODPROBE,
      "# local\nblacklist floppy\nblacklist virtio-balloon\ninstall virtio_rng /bin/true\n",
      "# local\nblacklist floppy\n# blacklist virtio-balloon\n# install virtio_rng /bin/true\n",
      1 },
    { "an old file", "/etc/modprobe.conf", "  blacklist virtio_net", "#   blacklist virtio_net",
      1 },
    { "others, and what forbids nothing", MODPROBE,
      "blacklist virtio_gpu\nalias eth0 virtio_net\noptions virtio_net a=1\n"
      "install virtio_net /sbin/modprobe -i virtio_net\n# blacklist virtio_net\nblacklist\n",
      NULL, 1 },
};

static void modules_of_virtio_may_load(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++)
        fix_check("", "target-tools", &forbidden[i]);
}

static void a_profile_for_vmware_goes(void **state)
{
    static const struct {
        const char *active, *want;
    } profiles[] = {
        { "vmware-guest\n", "virtual-guest\n" },
        { "throughput-performance\n", "throughput-performance\n" },
        { "", "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
        struct err err = ERR_NONE;
        struct plan *plan;
        struct tree tree;

        tree_open(&tree, NULL);
        tree_put(&tree, "/usr/lib/tuned/virtual-guest/tuned.conf", "[main]\n", 0644);
        tree_put(&tree, "/etc/tuned/active_profile", profiles[i].active, 0644);
        plan = fix_plan(&tree, "", "target-tools");
        assert_int_equal(plan_apply(plan, &err), 0);
        plan_free(plan);
        tree_expect(&tree, "/etc/tuned/active_profile", profiles[i].want);
        tree_close(&tree);
    }
}

#define WANTS "/etc/systemd/system/"
#define PORT "dev-virtio\\x2dports-org.qemu.guest_agent.0.device.wants/"

/* Files and links ("-> target") of a guest, and what is there after the fixer. */
static const struct {
    const char *label;
    const char *have[4][2];
    const char *want[2]; /* a link and its target */
    int n_changes, n_notes;
} cases[] = {
    { "a unit",
      { { "/usr/lib/systemd/systemd", "" },
        { "/usr/lib/systemd/system/qemu-guest-agent.service",
          "[Install]\nWantedBy=dev-virtio\\x2dports-org.qemu.guest_agent.0.device\n" } },
      { WANTS PORT "qemu-guest-agent.service", "/usr/lib/systemd/system/qemu-guest-agent.service" },
      2, /* the folder, too */
      0 },
    { "an enabled unit",
      { { "/usr/lib/systemd/systemd", "" },
        { "/lib/systemd/system/qemu-guest-agent.service",
          "[Install]\nWantedBy=multi-user.target\n" },
        { WANTS "multi-user.target.wants/qemu-guest-agent.service",
          "-> /lib/systemd/system/qemu-guest-agent.service" } },
      { NULL },
      0,
      0 },
    { "a unit that udev starts",
      { { "/usr/lib/systemd/systemd", "" },
        { "/lib/systemd/system/qemu-guest-agent.service", "[Unit]\nDescription=x\n" } },
      { NULL },
      0,
      0 },
    { "a masked unit",
      { { "/usr/lib/systemd/systemd", "" },
        { WANTS "qemu-guest-agent.service", "-> /dev/null" },
        { "/lib/systemd/system/qemu-guest-agent.service", "[Install]\nWantedBy=a.target\n" } },
      { NULL },
      0,
      1 },
    { "EL 6",
      { { "/etc/init.d/qemu-ga", "#!/bin/sh\n# chkconfig: 3 99 01\n# description: x\n" },
        { "/etc/rc.d/rc3.d/K01qemu-ga", "-> ../init.d/qemu-ga" } },
      { "/etc/rc.d/rc3.d/S99qemu-ga", "../init.d/qemu-ga" },
      2,
      0 },
    { "EL 6, enabled",
      { { "/etc/init.d/qemu-ga", "#!/bin/sh\n# chkconfig: 3 99 01\n" },
        { "/etc/rc.d/rc3.d/S99qemu-ga", "-> ../init.d/qemu-ga" } },
      { NULL },
      0,
      0 },
    { "OpenRC",
      { { "/etc/init.d/qemu-guest-agent", "#!/sbin/openrc-run\n" },
        { "/etc/runlevels/default/sshd", "-> /etc/init.d/sshd" } },
      { "/etc/runlevels/default/qemu-guest-agent", "/etc/init.d/qemu-guest-agent" },
      1,
      0 },
    { "none", { { "/usr/lib/systemd/systemd", "" } }, { NULL }, 0, 1 },
    { "a program without a service", { { "/usr/bin/qemu-ga", "" } }, { NULL }, 0, 1 },
};

static void check(size_t i)
{
    struct err err = ERR_NONE;
    struct plan *plan;
    struct tree tree;

    print_message("case: %s\n", cases[i].label);
    tree_open(&tree, NULL);
    for (size_t k = 0; k < ARRAY_SIZE(cases[i].have) && cases[i].have[k][0]; k++) {
        if (strncmp(cases[i].have[k][1], "-> ", 3) == 0)
            tree_link(&tree, cases[i].have[k][1] + 3, cases[i].have[k][0]);
        else
            tree_put(&tree, cases[i].have[k][0], cases[i].have[k][1], 0644);
    }
    plan = fix_plan(&tree, "", "target-tools");
    assert_int_equal(plan->n, cases[i].n_changes);
    assert_int_equal(plan->notes.n, cases[i].n_notes);
    assert_int_equal(plan_apply(plan, &err), 0);
    plan_free(plan);
    if (cases[i].want[0]) {
        char *target = NULL;

        assert_int_equal(guest_readlink(tree.root, cases[i].want[0], &target, &err), 0);
        assert_string_equal(target, cases[i].want[1]);
        free(target);
    }
    plan = fix_plan(&tree, "", "target-tools");
    assert_int_equal(plan->n, 0);
    plan_free(plan);
    tree_close(&tree);
}

static void the_agent_starts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        check(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_of_the_old_hypervisor_go),
        cmocka_unit_test(the_clock_of_kvm_stays),
        cmocka_unit_test(the_agent_starts),
        cmocka_unit_test(modules_of_virtio_may_load),
        cmocka_unit_test(a_profile_for_vmware_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
