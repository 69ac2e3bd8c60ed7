/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the guest does at its first start, under every init system; and cloud-init. */
#include "tests/unit/inject_util.h"

#define DIR "/var/lib/h2k/firstboot/"
#define COMMAND "firstboot: [{command: date}]\n"
#define SCRIPT "#!/bin/sh\ndate\n"
#define SEED "/var/lib/cloud/seed/nocloud/"
#define CLOUD "/etc/cloud/cloud.cfg"
#define SOURCES "/etc/cloud/cloud.cfg.d/zz-h2k.cfg"

static const struct inject_case cases[] = {
    { .label = "systemd",
      .config = COMMAND,
      .init = "systemd",
      .have = { { "/var/lib/x", "" } },
      .want = { { DIR "scripts/0001-command-1", SCRIPT },
                { "/etc/systemd/system/multi-user.target.wants/h2k-firstboot.service",
                  "-> /etc/systemd/system/h2k-firstboot.service" } },
      .n_changes = 9 },
    { .label = "OpenRC",
      .config = COMMAND,
      .init = "openrc",
      .have = { { "/sbin/openrc-run", "" }, { "/etc/runlevels/default", "/" } },
      .want = { { DIR "scripts/0001-command-1", SCRIPT },
                { "/etc/runlevels/default/h2k-firstboot", "-> /etc/init.d/h2k-firstboot" } },
      .n_changes = -1 },
    { .label = "sysvinit",
      .config = COMMAND,
      .init = "sysvinit",
      .have = { { "/etc/rc2.d", "/" },
                { "/etc/rc3.d", "/" },
                { "/etc/rc4.d", "/" },
                { "/etc/rc5.d", "/" } },
      .want = { { "/etc/rc2.d/S99h2k-firstboot", "-> ../init.d/h2k-firstboot" },
                { "/etc/rc5.d/S99h2k-firstboot", "-> ../init.d/h2k-firstboot" } },
      .n_changes = -1 },
    { .label = "runit", .config = COMMAND, .init = "runit", .error = "not runit" },
    { .label = "in order",
      .config = "firstboot: [{command: a}, {command: b}, {command: a}]\n",
      .init = "systemd",
      .want = { { DIR "scripts/0001-command-1", "#!/bin/sh\na\n" },
                { DIR "scripts/0002-command-2", "#!/bin/sh\nb\n" },
                { DIR "scripts/0003-command-3", "#!/bin/sh\na\n" } },
      .n_changes = -1 },
    { .label = "it has run already",
      .config = COMMAND,
      .init = "systemd",
      .have = { { DIR "done/0001-command-1", SCRIPT } },
      .n_changes = 0 },
    { .label = "it has failed already",
      .config = COMMAND,
      .init = "systemd",
      .have = { { DIR "failed/0004-command-1", SCRIPT } },
      .n_changes = 0 },
    { .label = "another one of that name waits",
      .config = COMMAND,
      .init = "systemd",
      .have = { { DIR "scripts/0003-command-1", "#!/bin/sh\nold\n" } },
      .want = { { DIR "scripts/0003-command-1", SCRIPT } },
      .n_changes = -1 },
    { .label = "another one of that name has run",
      .config = COMMAND,
      .init = "systemd",
      .have = { { DIR "done/0003-command-1", "#!/bin/sh\nold\n" } },
      .want = { { DIR "scripts/0004-command-1", SCRIPT },
                { DIR "done/0003-command-1", "#!/bin/sh\nold\n" } },
      .n_changes = -1 },
    { .label = "packages without a known manager",
      .config = "firstboot: [{install: nginx}]\n",
      .init = "systemd",
      .error = "nginx: how the guest installs packages is not known" },
    { .label = "the agent is there",
      .config = "install-agent: repository\n",
      .init = "systemd",
      .have = { { "/usr/sbin/qemu-ga", "" } },
      .n_changes = 0 },
    { .label = "the agent without a known manager",
      .config = "install-agent: repository\n",
      .init = "systemd",
      .error = "give a package file" },
    { .label = "a seed of user data",
      .config = "cloud-init: {user-data: '#cloud-config'}\n",
      .have = { { CLOUD, "" } },
      .want = { { SEED "user-data", "#cloud-config" },
                { SEED "meta-data", "instance-id: h2k-d560ac62948291c8\n" },
                { SEED "network-config", NULL },
                { SOURCES, "datasource_list: [ NoCloud, None ]\n" } },
      .n_changes = -1 },
    { .label = "a seed of meta data",
      .config = "cloud-init: {meta-data: 'instance-id: a', network-config: 'version: 2'}\n",
      .have = { { CLOUD, "" } },
      .want = { { SEED "user-data", "#cloud-config\n{}\n" },
                { SEED "meta-data", "instance-id: a" },
                { SEED "network-config", "version: 2" } },
      .n_changes = -1 },
    { .label = "sources",
      .config = "cloud-init: {datasources: [ConfigDrive, None]}\n",
      .have = { { CLOUD, "" } },
      .want = { { SOURCES, "datasource_list: [ ConfigDrive, None ]\n" },
                { SEED "user-data", NULL } },
      .n_changes = 2 },
    { .label = "disabled",
      .config = "cloud-init: {disable: true}\n",
      .have = { { CLOUD, "" } },
      .want = { { "/etc/cloud/cloud-init.disabled", "" } },
      .n_changes = 1 },
    { .label = "not there, and to be disabled",
      .config = "cloud-init: {disable: true}\n",
      .n_changes = 0 },
    { .label = "not there",
      .config = "cloud-init: {datasources: None}\n",
      .error = "the guest has no cloud-init" },
};

static void it_is_there_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        inject_check(&cases[i]);
}

/* What is said to which package manager. */
static const struct {
    const char *format, *manager, *config, *want;
} packages[] = {
    { "deb", "apt", "firstboot: [{install: [a, b]}]\n", "apt-get -q -y install a b\n" },
    { "rpm", "dnf", "firstboot: [{install: a}]\n", "exec dnf -y install a\n" },
    { "apk", "apk", "install-agent: repository\n", "exec apk add --update-cache qemu-guest-agent" },
    { "rpm", "zypper", "install-agent: repository\n", "auto-agree-with-licenses qemu-guest-agent" },
    { "deb", "apt", "remove-tools: true\n", "/usr/bin/dpkg --purge open-vm-tools || status=1\n" },
    { "rpm", "yum", "remove-tools: true\n", "/usr/bin/rpm -e open-vm-tools || status=1\n" },
    { "", "", "remove-tools: true\n", "/usr/bin/vmware-uninstall-tools.pl || status=1\n" },
};

static struct plan *plan_with(const struct tree *tree, const char *format, const char *manager,
                              struct injections *inject, struct err *err)
{
    static const char *const installed[] = { "open-vm-tools", "open-vm-tools;reboot", "vim" };
    struct facts *facts = facts_of_text("");
    struct fix_opts opts = { .inject = *inject };
    struct fix_context ctx = { .facts = facts, .opts = &opts };
    struct plan *plan = NULL;

    facts_set(&facts->init_system, "systemd");
    facts_set(&facts->package_format, format);
    facts_set(&facts->package_manager, manager);
    for (size_t i = 0; format[0] && i < ARRAY_SIZE(installed); i++)
        facts_set(&facts_add_package(facts)->name, installed[i]);
    strlist_add(&opts.only, "inject");
    (void)fixers_plan(&ctx, tree->root, &plan, err);
    strlist_done(&opts.only);
    facts_free(facts);
    return plan;
}

static const struct change *find_script(const struct plan *plan)
{
    for (size_t i = 0; i < plan->n; i++)
        if (plan->changes[i].action == CHANGE_WRITE && strstr(plan->changes[i].path, "/scripts/"))
            return &plan->changes[i];
    fail();
    return NULL;
}

static void package_managers_are_asked_in_their_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(packages); i++) {
        struct injections inject = { 0 };
        struct err err = ERR_NONE;
        struct plan *plan;
        struct tree tree;

        print_message("case: %s %s", packages[i].manager, packages[i].config);
        tree_open(&tree, NULL);
        tree_put(&tree, "/usr/bin/dpkg", "", 0755);
        tree_put(&tree, "/usr/bin/rpm", "", 0755);
        assert_int_equal(
            injections_parse(&inject, packages[i].config, strlen(packages[i].config), "x", &err),
            0);
        plan = plan_with(&tree, packages[i].format, packages[i].manager, &inject, &err);
        assert_non_null(plan);
        assert_non_null(strstr(find_script(plan)->data, packages[i].want));
        plan_free(plan);
        injections_done(&inject);
        tree_close(&tree);
    }
}

/* The package goes along, and only one that the guest can install. */
static void the_agent_comes_with_its_package(void **state)
{
    struct injections inject = { 0 };
    struct err err = ERR_NONE;
    struct plan *plan;
    struct tree tree;
    char *path;

    (void)state;
    tree_open(&tree, NULL);
    tree_put(&tree, "/host/qemu-guest-agent_1 2.deb", "!<arch>", 0644);
    path = mem_printf("%s/host/qemu-guest-agent_1 2.deb", tree.dir);
    assert_int_equal(injections_option(&inject, "install-agent", path, &err), 0);
    plan = plan_with(&tree, "deb", "apt", &inject, &err);
    assert_non_null(plan);
    assert_non_null(
        strstr(find_script(plan)->data, "dpkg -i " DIR "packages/qemu-guest-agent_1_2.deb || "));
    assert_int_equal(plan_apply(plan, &err), 0);
    tree_expect(&tree, DIR "packages/qemu-guest-agent_1_2.deb", "!<arch>");
    plan_free(plan);
    plan = plan_with(&tree, "deb", "apt", &inject, &err);
    assert_int_equal(plan->n, 0);
    plan_free(plan);
    assert_null(plan_with(&tree, "rpm", "dnf", &inject, &err));
    assert_int_equal(err.status, STATUS_USAGE);
    injections_done(&inject);
    free(path);
    tree_close(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_there_once),
        cmocka_unit_test(package_managers_are_asked_in_their_way),
        cmocka_unit_test(the_agent_comes_with_its_package),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
