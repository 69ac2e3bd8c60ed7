/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Interface names. On virtio "ens192" would become "ens4" or "enp1s0", and the configuration for it
 * would apply to nothing. Each name keeps its card: by MAC address when that is known, by driver
 * when there is one card. What the configuration does with the interface is not touched.
 */
#include <fnmatch.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "fixers/hardware.h"
#include "fixers/linux/linux.h"
#include "fixers/linux/naming_files.h"
#include "fixers/linux/network.h"
#include "inspect/keyfile.h"
#include "inspect/linux_net.h"

#define RULES_DIR "/etc/udev/rules.d"
#define NETPLAN_DIR "/etc/netplan"
#define NM_DIR "/etc/NetworkManager/system-connections"

static void network_done(struct network *network)
{
    free(network->kept);
}

/* ---- which names, and which cards ---- */

static const struct nic_option *find_option(const struct fix_opts *opts, const char *name)
{
    for (size_t i = 0; i < opts->n_nics; i++)
        if (strcmp(opts->nics[i].name, name) == 0)
            return &opts->nics[i];
    return NULL;
}

static bool is_kept(const struct network *network, const char *name)
{
    for (size_t i = 0; i < network->n; i++)
        if (strcmp(network->kept[i].name, name) == 0)
            return true;
    return false;
}

static void keep(struct network *network, const char *name, const char *mac, const char *old_mac)
{
    if (is_kept(network, name))
        return;
    if (!nic_name_ok(name)) {
        log_debug("no kernel accepts the interface name %s", name);
        return;
    }
    *(struct kept *)mem_add(&network->kept, &network->n, sizeof(*network->kept)) =
        (struct kept){ .name = name, .mac = mac, .old_mac = old_mac };
}

static void find_kept(struct network *network)
{
    const struct facts *facts = network->ctx->facts;
    const struct fix_opts *opts = network->ctx->opts;

    for (size_t i = 0; i < facts->n_nics; i++) {
        const struct nic_option *option = find_option(opts, facts->nics[i].name);

        network->n_cards += !*facts->nics[i].name;
        if (*facts->nics[i].name)
            keep(network, facts->nics[i].name, option ? option->mac : facts->nics[i].mac,
                 facts->nics[i].mac);
    }
    for (size_t i = 0; i < opts->n_nics; i++)
        keep(network, opts->nics[i].name, opts->nics[i].mac, "");
    network->n_cards += network->n;
}

/* "eth0", "eth1" ...: what the kernel itself calls a card. */
static bool is_kernel_name(const char *name)
{
    return strncmp(name, "eth", 3) == 0 && name[3] &&
           strspn(name + 3, "0123456789") == strlen(name + 3);
}

/* ---- files ---- */

int network_each_file(struct network *network, const char *dir, const char *pattern,
                      network_file_fn fn, void *arg, struct err *err)
{
    CLEANUP_STRLIST struct strlist files = { 0 };
    int r = guest_files(network->plan->root, dir, pattern, FNM_PERIOD, &files, err);

    for (size_t i = 0; r == 0 && i < files.n; i++) {
        CLEANUP_FREE char *text = NULL;

        if (net_is_leftover(strrchr(files.items[i], '/') + 1))
            continue;
        r = plan_read_text(network->plan, files.items[i], &text, err);
        if (r > 0)
            r = fn(network, files.items[i], text, arg);
    }
    return r;
}

/* ---- names ---- */

static int plan_name(struct network *network, struct kept *kept, struct err *err)
{
    int r;

    if (network->kernel_names && is_kernel_name(kept->name)) {
        log_debug("%s is the kernel's own name", kept->name);
        return 0;
    }
    r = network_is_named(network, kept, false, err);
    if (r != 0)
        return r < 0 ? r : 0;
    if (!*kept->mac && network->n_cards > 1)
        return 1;
    kept->is_given = true;
    return network_give_name(network, kept, err);
}

/*
 * The only name whose card is not known is that of the card which is left over, when all others
 * have .link files that are read before. They need them though a rule or netplan names them: the
 * initramfs does not get all of these, and a rule for KERNEL=="eth*" does not match again when udev
 * starts anew, but the .link file of the last card would. A file that matches keeps those behind it
 * from being read, so the guest's own come first.
 */
static int name_the_rest(struct network *network, struct kept *rest, struct err *err)
{
    rest->order = NAMING_LEFT_OVER;
    for (size_t i = 0; i < network->n; i++) {
        struct kept *kept = &network->kept[i];
        int r = kept == rest || kept->is_given ? 1 : network_is_named(network, kept, true, err);

        if (r < 0)
            return r;
        if (r > 0)
            continue;
        kept->order = NAMING_REPEATED;
        if (network_give_name(network, kept, err) < 0)
            return -err->code;
    }
    return network_give_name(network, rest, err);
}

static void note_idle(struct network *network)
{
    CLEANUP_STRLIST struct strlist names = net_words(network->ctx->facts->idle_nics);
    CLEANUP_STRBUF struct strbuf idle = { 0 };

    for (size_t i = 0; i < names.n; i++)
        if (!is_kept(network, names.items[i]))
            strbuf_printf(&idle, "%s%s", idle.len ? ", " : "", names.items[i]);
    if (idle.len > 0)
        plan_note(network->plan,
                  "%s: configured, but not started at boot or long out of use, and the card is not "
                  "known: taken for a leftover; if the new machine has such a card, give its MAC "
                  "address with --nic NAME=MAC",
                  strbuf_text(&idle));
}

/* Names that nothing binds to a card when there are several. */
static int plan_names(struct network *network, struct err *err)
{
    CLEANUP_STRBUF struct strbuf unknown = { 0 };
    struct kept *rest = NULL;
    size_t n_without = 0;

    note_idle(network);

    for (size_t i = 0; i < network->n; i++) {
        int r = plan_name(network, &network->kept[i], err);

        if (r < 0)
            return r;
        n_without += !*network->kept[i].mac;
        if (r == 0)
            continue;
        strbuf_printf(&unknown, "%s%s", unknown.len ? ", " : "", network->kept[i].name);
        rest = &network->kept[i];
    }
    if (rest && n_without == 1 && network->n_cards == network->n && network->way == NAMING_LINK)
        return name_the_rest(network, rest, err);
    if (unknown.len > 0)
        plan_note(network->plan,
                  "which card is %s is not known, so these names may change: give their MAC "
                  "addresses with --nic NAME=MAC",
                  strbuf_text(&unknown));
    return 0;
}

/* ---- configuration that matches the old hardware ---- */

static int settle(struct network *network, const char *path, enum match_result result, char *fixed)
{
    CLEANUP_FREE char *text = fixed;

    if (text)
        plan_write(network->plan, path, text, "it matches the network card of the old machine");
    if (result == MATCH_UNSURE)
        plan_note(network->plan,
                  "%s matches a slot of the old machine, and which interface that was is not "
                  "known: edit its match",
                  path);
    return 0;
}

static const struct kept *find_kept_by_name(const struct network *network, const char *name)
{
    for (size_t i = 0; name && i < network->n; i++)
        if (strcmp(network->kept[i].name, name) == 0)
            return &network->kept[i];
    return NULL;
}

/* NULL: there is none, or several. */
static const char *only_name(const struct network *network)
{
    return network->n == 1 && network->n_cards == 1 ? network->kept[0].name : NULL;
}

static int fix_unit(struct network *network, const char *path, const char *text, void *arg)
{
    bool is_link = *(const bool *)arg;
    struct match_target target = { only_name(network), NULL, network->driver };
    CLEANUP_KEYFILE struct keyfile keyfile = { 0 };
    const struct kept *kept;
    char *fixed = NULL;
    enum match_result result;

    keyfile_parse(text, strlen(text), &keyfile);
    kept = find_kept_by_name(network, keyfile_get(&keyfile, "Link", "Name"));
    target.mac = kept && *kept->mac ? kept->mac : NULL;
    result = match_fix_unit(text, is_link, &target, &fixed);
    return settle(network, path, result, fixed);
}

static int fix_keyfile(struct network *network, const char *path, const char *text, void *arg)
{
    struct match_target target = { only_name(network), NULL, network->driver };
    char *fixed = NULL;
    enum match_result result = match_fix_keyfile(text, &target, &fixed);

    (void)arg;
    return settle(network, path, result, fixed);
}

static int fix_netplan(struct network *network, const char *path, const char *text, void *arg)
{
    char *fixed = NULL;
    enum match_result result = match_fix_netplan(text, network->driver, &fixed);

    (void)arg;
    return settle(network, path, result, fixed);
}

static int fix_conf(struct network *network, const char *path, const char *text, void *arg)
{
    char *fixed = NULL;
    enum match_result result = match_fix_conf(text, network->driver, &fixed);

    (void)arg;
    return settle(network, path, result, fixed);
}

static int fix_rules(struct network *network, const char *path, const char *text, void *arg)
{
    struct match_target *known = NULL;
    enum match_result result;
    char *fixed = NULL;
    size_t n = 0;

    (void)arg;
    while (n < network->n) {
        const struct kept *kept = &network->kept[n];

        *(struct match_target *)mem_add(&known, &n, sizeof(*known)) =
            (struct match_target){ kept->name, kept->mac, network->driver };
    }
    result = match_fix_rules(text, known, n, network->n_cards == 1, network->driver, &fixed);
    free(known);
    return settle(network, path, result, fixed);
}

/* SLES 10: ifcfg-eth-bus-pci-0000:0b:00.0, and BONDING_SLAVE0='bus-pci-...'. */
static int note_slot(struct network *network, const char *path, const char *text, void *arg)
{
    (void)arg;
    if (strstr(path, "bus-pci-") || strstr(text, "'bus-pci-") || strstr(text, "\"bus-pci-"))
        plan_note(
            network->plan,
            "%s names a slot of the old machine: name the card by its address (eth-id-MAC) or "
            "by its interface",
            path);
    return 0;
}

static int plan_matches(struct network *network, struct err *err)
{
    static bool no = false, yes = true;
    static const struct {
        const char *dir, *pattern;
        network_file_fn fn;
        void *arg;
    } places[] = {
        { NAMING_LINKS, "*.network", fix_unit, &no },
        { NAMING_LINKS, "*.link", fix_unit, &yes },
        { NM_DIR, "*", fix_keyfile, NULL },
        { NETPLAN_DIR, "*.yaml", fix_netplan, NULL },
        { RULES_DIR, "*.rules", fix_rules, NULL },
        { "/etc/sysconfig/network", "ifcfg-*", note_slot, NULL },
        { "/etc/NetworkManager", "NetworkManager.conf", fix_conf, NULL },
        { "/etc/NetworkManager/conf.d", "*.conf", fix_conf, NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        if (network_each_file(network, places[i].dir, places[i].pattern, places[i].fn,
                              places[i].arg, err) < 0)
            return -err->code;
    return 0;
}

/* ---- the fixer ---- */

static bool applies(const struct fix_context *ctx, const char **ret_why)
{
    (void)ctx;
    *ret_why = "interfaces may be configured";
    return true;
}

/* Of the card that the machine gets. */
static const char *new_driver(const struct facts *facts)
{
    return hardware_for(facts, kernel_instead(facts) != NULL, 1)->is_virtio ? "virtio_net"
                                                                            : "e1000";
}

static int plan(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    /* in this order: a rule that is made to match counts as one when names are given */
    static int (*const steps[])(struct network *, struct err *) = {
        network_new_macs, plan_matches, network_aliases, network_ethtool, network_cloud, plan_names,
    };
    CLEANUP(network_done)
    struct network network = { .ctx = ctx, .plan = plan, .driver = new_driver(ctx->facts) };
    int r = keeps_kernel_names(ctx->facts, plan, err);

    if (r < 0)
        return r;
    network.kernel_names = r > 0;
    r = find_naming_way(plan, network.kernel_names, &network.way, err);
    if (r < 0)
        return r;
    find_kept(&network);
    if (network.n_cards == 0 && !network.kernel_names) {
        const char *name = NULL;

        r = network_pattern(&network, &name, err);
        if (r > 0) {
            keep(&network, name, "", "");
            network.n_cards++;
        }
    }
    /* these rename nothing of their own accord */
    network.kernel_names |=
        network.way == NAMING_NONE ||
        (network.n == 1 && (network.way == NAMING_TABLE || network.way == NAMING_HWADDR));
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(steps); i++)
        r = steps[i](&network, err);
    return r;
}

const struct fixer fixer_network = {
    .name = "network",
    .summary = "network interfaces keep their names",
    .os = OS_LINUX,
    .applies = applies,
    .plan = plan,
};
