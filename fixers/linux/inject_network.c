/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Addresses of interfaces, in the way the guest configures them: where a file of its own comes
 * first (networkd takes the first that matches, NetworkManager the highest priority), in one; else
 * in the file that has the interface already.
 */
#include "fixers/linux/inject_network.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/text.h"
#include "fixers/linux/inject.h"
#include "inspect/fields.h"

/* ---- systemd.network(5) ---- */

static void put_each(struct strbuf *text, const char *key, const struct strlist *list)
{
    for (size_t i = 0; i < list->n; i++)
        strbuf_printf(text, "%s=%s\n", key, list->items[i]);
}

static int write_networkd(const struct inject_nic *nic, const char *old, struct strbuf *text,
                          struct err *err)
{
    (void)old;
    (void)err;
    strbuf_printf(text, "[Match]\nName=%s\n\n[Network]\nDHCP=%s\n", nic->name,
                  nic->dhcp ? "yes" : "no");
    put_each(text, "Address", &nic->addresses);
    put_each(text, "Gateway", &nic->gateways);
    put_each(text, "DNS", &nic->dns);
    inject_put_joined(text, "Domains=", &nic->search, " ", "\n");
    return 0;
}

/* ---- nm-settings-keyfile(5) ---- */

static void add_family(const struct inject_nic *nic, bool is_ip6, struct strbuf *text)
{
    CLEANUP_STRBUF struct strbuf values = { 0 };
    unsigned n = 0;

    for (size_t i = 0; i < nic->addresses.n; i++)
        if (inject_is_ip6(nic->addresses.items[i]) == is_ip6)
            strbuf_printf(&values, "address%u=%s\n", ++n, nic->addresses.items[i]);
    for (size_t i = 0; i < nic->gateways.n; i++)
        if (inject_is_ip6(nic->gateways.items[i]) == is_ip6)
            strbuf_printf(&values, "gateway=%s\n", nic->gateways.items[i]);
    strbuf_printf(text, "\n[%s]\nmethod=%s\n%s", is_ip6 ? "ipv6" : "ipv4",
                  n > 0                 ? "manual"
                  : is_ip6 || nic->dhcp ? "auto"
                                        : "disabled",
                  strbuf_text(&values));
    n = 0;
    for (size_t i = 0; i < nic->dns.n; i++)
        if (inject_is_ip6(nic->dns.items[i]) == is_ip6)
            strbuf_printf(text, "%s%s;", n++ ? "" : "dns=", nic->dns.items[i]);
    strbuf_puts(text, n ? "\n" : "");
    inject_put_joined(text, "dns-search=", &nic->search, ";", ";\n");
}

static int write_networkmanager(const struct inject_nic *nic, const char *old, struct strbuf *text,
                                struct err *err)
{
    (void)old;
    (void)err;
    strbuf_printf(text,
                  "[connection]\nid=h2k-%s\ntype=ethernet\ninterface-name=%s\n"
                  "autoconnect-priority=999\n",
                  nic->name, nic->name);
    add_family(nic, false, text);
    add_family(nic, true, text);
    return 0;
}

/* ---- which of them ---- */

static const struct stack {
    const char *name;   /* in facts.network_stack */
    const char *mark;   /* it is used when this is there, though no file of its has an interface */
    const char *folder; /* of the files that it reads; must be there */
    const char *file;   /* below it, with %s: the interface */
    mode_t mode;
    bool comes_first; /* this file wins over others that have the interface */
    bool over_cards;  /* this file wins over others that are for a card */
    bool in_source;   /* the file that has the interface is changed, whatever its name */
    bool is_alone;    /* nothing else in the folder is its */
    int (*write)(const struct inject_nic *nic, const char *old, struct strbuf *text,
                 struct err *err);
    int (*also)(const struct inject_place *place, struct err *err); /* may be NULL */
    int (*plan)(const struct inject_place *place, struct err *err); /* instead of both; or NULL */
} stacks[] = {
    { .name = "netplan",
      .mark = "/usr/sbin/netplan",
      .folder = "/etc/netplan",
      .file = "95-h2k-%s.yaml",
      .plan = inject_plan_netplan },
    { .name = "networkmanager",
      .mark = "/usr/sbin/NetworkManager",
      .folder = "/etc/NetworkManager/system-connections",
      .file = "h2k-%s.nmconnection",
      .mode = 0600,
      .comes_first = true,
      .write = write_networkmanager },
    { .name = "networkd",
      .mark = "/etc/systemd/system/multi-user.target.wants/systemd-networkd.service",
      .folder = "/etc/systemd/network",
      .file = "05-h2k-%s.network",
      .mode = 0644,
      .comes_first = true,
      .write = write_networkd },
    { .name = "ifcfg",
      .mark = "/etc/sysconfig/network-scripts/network-functions",
      .folder = "/etc/sysconfig/network-scripts",
      .file = "ifcfg-%s",
      .mode = 0644,
      .write = inject_write_ifcfg },
    { .name = "ifcfg",
      .mark = "/etc/sysconfig/network/config",
      .folder = "/etc/sysconfig/network",
      .file = "ifcfg-%s",
      .mode = 0644,
      .write = inject_write_suse,
      .also = inject_also_suse },
    { .name = "wicked",
      .mark = "/usr/sbin/wicked",
      .folder = "/etc/sysconfig/network",
      .file = "ifcfg-%s",
      .mode = 0644,
      .write = inject_write_suse,
      .also = inject_also_suse },
    { .name = "ifupdown",
      .mark = "/etc/network/interfaces",
      .folder = "/etc/network",
      .file = "interfaces",
      .mode = 0644,
      .write = inject_write_ifupdown,
      .also = inject_also_ifupdown },
    { .name = "connman",
      .mark = "/usr/sbin/connmand",
      .folder = "/var/lib/connman",
      .file = "h2k-%s.config",
      .mode = 0600,
      .over_cards = true,
      .write = inject_write_connman },
    { .name = "netctl",
      .mark = "/usr/bin/netctl",
      .folder = "/etc/netctl",
      .file = "h2k_%s",
      .mode = 0644,
      .in_source = true,
      .write = inject_write_netctl,
      .also = inject_also_netctl },
    { .name = "netifrc",
      .mark = "/etc/init.d/net.lo",
      .folder = "/etc/conf.d",
      .file = "net",
      .mode = 0644,
      .is_alone = true,
      .write = inject_write_netifrc,
      .also = inject_also_netifrc },
    { .name = "etcnet",
      .mark = "/etc/net/ifaces",
      .folder = "/etc/net/ifaces",
      .file = "%s/options",
      .mode = 0644,
      .write = inject_write_etcnet,
      .also = inject_also_etcnet },
    { .name = "rcinet1",
      .mark = "/etc/rc.d/rc.inet1.conf",
      .folder = "/etc/rc.d",
      .file = "rc.inet1.conf",
      .mode = 0644,
      .is_alone = true,
      .write = inject_write_rcinet1,
      .also = inject_resolv_conf },
    { .name = "dhcpcd",
      .mark = "/etc/dhcpcd.conf",
      .folder = "/etc",
      .file = "dhcpcd.conf",
      .mode = 0644,
      .is_alone = true,
      .write = inject_write_dhcpcd },
};

/* The file that has the interface; "" when none has it. */
static const char *source_of(const struct facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->n_nics; i++)
        if (strcmp(facts->nics[i].name, name) == 0 && facts->nics[i].source)
            return facts->nics[i].source;
    return "";
}

static bool is_used(const struct fix_context *ctx, const struct plan *plan,
                    const struct stack *stack)
{
    const char *used = ctx->facts->network_stack;
    struct stat st;

    return guest_is_dir(plan->root, stack->folder) &&
           (*used ? list_has(used, stack->name) : guest_lstat(plan->root, stack->mark, &st) == 0);
}

static char *path_of(const struct stack *stack, const char *name)
{
    const char *hole = strstr(stack->file, "%s");

    if (!hole)
        return mem_printf("%s/%s", stack->folder, stack->file);
    return mem_printf("%s/%.*s%s%s", stack->folder, (int)(hole - stack->file), stack->file, name,
                      hole + 2);
}

static bool has_source(const struct stack *stack, const char *source)
{
    CLEANUP_FREE char *only = stack->is_alone ? path_of(stack, "") : NULL;

    return only ? strcmp(only, source) == 0 : path_is_below(source, stack->folder);
}

/* Whose file has it; else the first that the guest uses at all. */
static const struct stack *find_stack(const struct fix_context *ctx, const struct plan *plan,
                                      const char *source)
{
    for (size_t i = 0; i < ARRAY_SIZE(stacks); i++)
        if (*source ? has_source(&stacks[i], source) : is_used(ctx, plan, &stacks[i]))
            return &stacks[i];
    return NULL;
}

/* A file that names no interface is for a card: it may be this one's. */
static int check_cards(const struct inject_place *place, const struct stack *stack, struct err *err)
{
    const struct facts *facts = place->ctx->facts;

    for (size_t i = 0; i < facts->n_nics && !*place->source; i++)
        if (!*facts->nics[i].name && facts->nics[i].source &&
            path_is_below(facts->nics[i].source, stack->folder))
            return err_status(err, STATUS_USAGE,
                              "%s configures a card by its address, which may be that of %s; put "
                              "that file in with \"files\"",
                              facts->nics[i].source, place->nic->name);
    return 0;
}

static int write_place(const struct inject_place *place, const struct stack *stack, struct err *err)
{
    CLEANUP_STRBUF struct strbuf text = { 0 };
    CLEANUP_FREE char *old = NULL;
    int r = stack->comes_first || stack->over_cards ? 0 : check_cards(place, stack, err);

    if (r < 0)
        return r;
    if (*place->source && !stack->comes_first && strcmp(place->source, place->path) != 0)
        return err_status(err, STATUS_USAGE,
                          "%s is configured in %s, which would be read together with what is "
                          "asked for; put that file in with \"files\"",
                          place->nic->name, place->source);
    r = plan_read_text(place->plan, place->path, &old, err);
    if (r < 0 || stack->write(place->nic, r > 0 ? old : "", &text, err) < 0)
        return -err->code;
    if (r > 0 || text.len > 0)
        plan_write_new(place->plan, place->path, strbuf_text(&text), stack->mode, INJECT_REASON);
    return stack->also ? stack->also(place, err) : 0;
}

int inject_network_first(const struct inject_place *place, const char *stack, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(stacks); i++) {
        CLEANUP_FREE char *path = NULL;
        struct inject_place at = *place;

        if (strcmp(stacks[i].name, stack) != 0 || !stacks[i].comes_first)
            continue;
        path = path_of(&stacks[i], place->nic->name);
        at.path = path;
        return write_place(&at, &stacks[i], err);
    }
    return err_status(err, STATUS_USAGE, "%s: %s is not known here", place->nic->name, stack);
}

static int one_nic(const struct fix_context *ctx, struct plan *plan, const struct inject_nic *nic,
                   struct err *err)
{
    const char *source = source_of(ctx->facts, nic->name);
    const struct stack *stack = find_stack(ctx, plan, source);
    CLEANUP_FREE char *path = !stack                        ? NULL
                              : stack->in_source && *source ? mem_strdup(source)
                                                            : path_of(stack, nic->name);
    struct inject_place place = {
        .ctx = ctx, .plan = plan, .nic = nic, .path = path, .source = source
    };

    if (!stack)
        return err_status(err, STATUS_USAGE,
                          "%s: how this guest configures its network (%s) is not known here; put "
                          "its file in with \"files\"",
                          nic->name,
                          *source                      ? source
                          : *ctx->facts->network_stack ? ctx->facts->network_stack
                                                       : "by nothing that was found");
    return stack->plan ? stack->plan(&place, err) : write_place(&place, stack, err);
}

int inject_network(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ctx->opts->inject.n_nics; i++)
        r = one_nic(ctx, plan, &ctx->opts->inject.nics[i], err);
    return r;
}
