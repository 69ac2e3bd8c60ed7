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
#include "fixers/fixer.h"
#include "fixers/linux/linux.h"
#include "fixers/linux/naming_files.h"
#include "fixers/linux/network_match.h"
#include "fixers/linux/network_names.h"
#include "inspect/keyfile.h"

#define RULES_DIR "/etc/udev/rules.d"
#define NETPLAN_DIR "/etc/netplan"
#define NM_DIR "/etc/NetworkManager/system-connections"

/* A name that must stay. */
struct kept {
    const char *name, *mac; /* mac "": not known */
};

struct network {
    const struct fix_context *ctx;
    struct plan *plan;
    struct kept *kept;
    size_t n;
    bool kernel_names; /* eth0 ... stay by themselves */
    bool links;        /* udev reads .link files */
};

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

static void keep(struct network *network, const char *name, const char *mac)
{
    if (is_kept(network, name))
        return;
    if (!nic_name_ok(name)) {
        log_debug("no kernel accepts the interface name %s", name);
        return;
    }
    *(struct kept *)mem_add(&network->kept, &network->n, sizeof(*network->kept)) =
        (struct kept){ name, mac };
}

static void find_kept(struct network *network)
{
    const struct facts *facts = network->ctx->facts;
    const struct fix_opts *opts = network->ctx->opts;

    for (size_t i = 0; i < facts->n_nics; i++) {
        const struct nic_option *option = find_option(opts, facts->nics[i].name);

        keep(network, facts->nics[i].name, option ? option->mac : facts->nics[i].mac);
    }
    for (size_t i = 0; i < opts->n_nics; i++)
        keep(network, opts->nics[i].name, opts->nics[i].mac);
}

/* "eth0", "eth1" ...: what the kernel itself calls a card. */
static bool is_kernel_name(const char *name)
{
    return strncmp(name, "eth", 3) == 0 && name[3] &&
           strspn(name + 3, "0123456789") == strlen(name + 3);
}

/* ---- files ---- */

/* Called for a configuration file; > 0 ends the round. */
typedef int (*file_fn)(struct network *network, const char *path, const char *text, void *arg);

/* All files of @dir that match @pattern, as they will be. Returns what @fn gave, or 0. */
static int each_file(struct network *network, const char *dir, const char *pattern, file_fn fn,
                     void *arg, struct err *err)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    int r = 0;

    if (guest_is_dir(network->plan->root, dir) &&
        guest_list(network->plan->root, dir, &names, err) < 0)
        return -err->code;
    for (size_t i = 0; r == 0 && i < names.n; i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", dir, names.items[i]);
        CLEANUP_FREE char *text = NULL;

        if (fnmatch(pattern, names.items[i], FNM_PERIOD) != 0 ||
            !guest_is_file(network->plan->root, path))
            continue;
        r = plan_read_text(network->plan, path, &text, err);
        if (r > 0)
            r = fn(network, path, text, arg);
    }
    return r;
}

/* ---- naming rules ---- */

static int link_has_name(struct network *network, const char *path, const char *text, void *arg)
{
    const struct kept *kept = arg;

    (void)network, (void)path;
    return link_names(text, kept->name, kept->mac);
}

static int rules_have_name(struct network *network, const char *path, const char *text, void *arg)
{
    const struct kept *kept = arg;

    (void)network, (void)path;
    return rules_name(text, kept->name, kept->mac);
}

static int netplan_has_name(struct network *network, const char *path, const char *text, void *arg)
{
    const struct kept *kept = arg;

    (void)network, (void)path;
    return netplan_names(text, kept->name, kept->mac);
}

/* Does something in the guest give the name to the card already? 0, 1 or negative errno. */
static int is_named(struct network *network, struct kept *kept, struct err *err)
{
    static const struct {
        const char *dir, *pattern;
        file_fn fn;
    } places[] = {
        { RULES_DIR, "*.rules", rules_have_name },
        { NAMING_LINKS, "*.link", link_has_name },
        { NETPLAN_DIR, "*.yaml", netplan_has_name },
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(places); i++)
        r = each_file(network, places[i].dir, places[i].pattern, places[i].fn, kept, err);
    return r;
}

static void write_link(struct network *network, const struct kept *kept, const char *reason)
{
    CLEANUP_FREE char *path = mem_printf(NAMING_LINKS "/10-h2k-%s.link", kept->name);
    CLEANUP_FREE char *match =
        *kept->mac ? mem_printf("MACAddress=%s", kept->mac) : mem_strdup("Driver=" NEW_DRIVER);
    CLEANUP_FREE char *text = mem_printf("# the name that the network configuration uses (h2k)\n"
                                         "[Match]\n%s\n\n[Link]\nName=%s\n",
                                         match, kept->name);

    plan_write_new(network->plan, path, text, 0644, reason);
}

/* For udev before 197. */
static int write_rule(struct network *network, const struct kept *kept, const char *reason,
                      struct err *err)
{
    CLEANUP_FREE char *old = NULL, *text = NULL;
    CLEANUP_FREE char *match = *kept->mac
                                   ? mem_printf("DRIVERS==\"?*\", ATTR{address}==\"%s\"", kept->mac)
                                   : mem_strdup("DRIVERS==\"" NEW_DRIVER "\"");
    int r = plan_read_text(network->plan, NAMING_RULES, &old, err);
    size_t len = old ? strlen(old) : 0;

    if (r < 0)
        return r;
    text =
        mem_printf("%s%sSUBSYSTEM==\"net\", ACTION==\"add\", %s, ATTR{type}==\"1\", "
                   "KERNEL==\"eth*\", NAME=\"%s\"\n",
                   old ? old : "", len > 0 && old[len - 1] != '\n' ? "\n" : "", match, kept->name);
    plan_write_new(network->plan, NAMING_RULES, text, 0644, reason);
    return 0;
}

static int plan_name(struct network *network, struct kept *kept, struct err *err)
{
    CLEANUP_FREE char *reason = NULL;
    int r;

    if (network->kernel_names && is_kernel_name(kept->name)) {
        log_debug("%s is the kernel's own name", kept->name);
        return 0;
    }
    r = is_named(network, kept, err);
    if (r != 0)
        return r < 0 ? r : 0;
    if (!*kept->mac && network->n > 1)
        return 1;
    reason = mem_printf("%s is configured, and the virtio card would get another name", kept->name);
    if (!network->links)
        return write_rule(network, kept, reason, err);
    write_link(network, kept, reason);
    return 0;
}

/* Names that nothing binds to a card when there are several. */
static int plan_names(struct network *network, struct err *err)
{
    CLEANUP_STRBUF struct strbuf unknown = { 0 };

    for (size_t i = 0; i < network->n; i++) {
        int r = plan_name(network, &network->kept[i], err);

        if (r < 0)
            return r;
        if (r > 0)
            strbuf_printf(&unknown, "%s%s", unknown.len ? ", " : "", network->kept[i].name);
    }
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

    if (result == MATCH_FIXED)
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

static int fix_unit(struct network *network, const char *path, const char *text, void *arg)
{
    bool is_link = *(const bool *)arg;
    struct match_target target = { network->n == 1 ? network->kept[0].name : NULL, NULL };
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
    struct match_target target = { network->n == 1 ? network->kept[0].name : NULL, NULL };
    char *fixed = NULL;
    enum match_result result = match_fix_keyfile(text, &target, &fixed);

    (void)arg;
    return settle(network, path, result, fixed);
}

static int fix_netplan(struct network *network, const char *path, const char *text, void *arg)
{
    char *fixed = NULL;
    enum match_result result = match_fix_netplan(text, &fixed);

    (void)arg;
    return settle(network, path, result, fixed);
}

static int fix_rules(struct network *network, const char *path, const char *text, void *arg)
{
    char *fixed = NULL;
    enum match_result result = match_fix_rules(text, &fixed);

    (void)arg;
    return settle(network, path, result, fixed);
}

static int plan_matches(struct network *network, struct err *err)
{
    static bool no = false, yes = true;
    static const struct {
        const char *dir, *pattern;
        file_fn fn;
        void *arg;
    } places[] = {
        { NAMING_LINKS, "*.network", fix_unit, &no }, { NAMING_LINKS, "*.link", fix_unit, &yes },
        { NM_DIR, "*", fix_keyfile, NULL },           { NETPLAN_DIR, "*.yaml", fix_netplan, NULL },
        { RULES_DIR, "*.rules", fix_rules, NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        if (each_file(network, places[i].dir, places[i].pattern, places[i].fn, places[i].arg, err) <
            0)
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

static int plan(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    CLEANUP(network_done)
    struct network network = {
        .ctx = ctx,
        .plan = plan,
        .links = has_link_files(plan->root),
    };
    int r = keeps_kernel_names(ctx->facts, plan, err);

    if (r < 0)
        return r;
    network.kernel_names = r > 0;
    find_kept(&network);
    /* first, so that a rule that is made to match counts as one */
    r = plan_matches(&network, err);
    return r < 0 ? r : plan_names(&network, err);
}

const struct fixer fixer_network = {
    .name = "network",
    .summary = "network interfaces keep their names",
    .os = OS_LINUX,
    .applies = applies,
    .plan = plan,
};
