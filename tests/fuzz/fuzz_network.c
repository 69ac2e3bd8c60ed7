/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever a network file holds (the first byte says which one): it is inspected, the fixer plans,
 * the plan is applied, and a second plan is empty. */

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "fixers/apply.h"
#include "fixers/linux/linux.h"
#include "inspect/linux.h"
#include "tests/fuzz/fuzz_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const paths[] = {
    "/etc/network/interfaces",
    "/etc/netplan/a.yaml",
    "/etc/systemd/network/a.network",
    "/etc/systemd/network/a.link",
    "/etc/systemd/network/a.netdev",
    "/etc/NetworkManager/system-connections/a",
    "/etc/sysconfig/network-scripts/ifcfg-eth0",
    "/etc/sysconfig/network/ifcfg-eth0",
    "/etc/wicked/ifconfig/a.xml",
    "/etc/dhcpcd.conf",
    "/var/lib/connman/a.config",
    "/etc/netctl/a",
    "/etc/conf.d/net",
    "/etc/net/ifaces/eth0/options",
    "/etc/udev/rules.d/a.rules",
    "/etc/mactab",
    "/etc/cloud/cloud.cfg.d/a.cfg",
    "/etc/modprobe.conf",
    "/var/lib/dhcp/dhclient.leases",
    "/etc/rc.d/rc.inet1.conf",
    "/etc/NetworkManager/conf.d/a.conf",
    "/etc/net/iftab",
};

/* How the guest names cards: the second byte's two lowest bits. */
static const char *const ways[] = {
    "/usr/lib/systemd/network/99-default.link",
    "/lib/udev/rename_device",
    "/etc/mdev.conf",
    "/sbin/udevd",
};

/* With the third bit: --nic eth0=MAC. */
static struct plan *make_plan(bool with_nic)
{
    struct nic_option nic = { mem_strdup("eth0"), mem_strdup("52:54:00:00:00:01") };
    struct fix_opts opts = { .nics = &nic, .n_nics = with_nic };
    struct fix_context ctx = { .opts = &opts };
    struct facts *facts = facts_new();
    struct plan *plan = plan_new(root);
    struct err err = ERR_NONE;

    facts->os = OS_LINUX;
    linux_net(root, facts);
    ctx.facts = facts;
    plan->fixer = fixer_network.name;
    must(fixer_network.plan(&ctx, plan, &err) == 0);
    facts_free(facts);
    free(nic.name);
    free(nic.mac);
    return plan;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = ERR_NONE;
    struct plan *plan;
    bool with_nic;

    if (size < 2)
        return 0;
    if (!root)
        tree_start();
    with_nic = data[1] & 4;
    tree_put(ways[data[1] & 3], "@nameif\n", 8);
    tree_put(paths[data[0] % ARRAY_SIZE(paths)], data + 2, size - 2);
    plan = make_plan(with_nic);
    json_decref(plan_to_json(plan, true));
    must(plan_apply(plan, &err) == 0);
    plan_free(plan);
    plan = make_plan(with_nic);
    must(plan->n == 0);
    plan_free(plan);
    tree_clear();
    return 0;
}
