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

void inject_put_joined(struct strbuf *text, const char *before, const struct strlist *list,
                       const char *between, const char *after)
{
    for (size_t i = 0; i < list->n; i++)
        strbuf_printf(text, "%s%s", i ? between : before, list->items[i]);
    strbuf_puts(text, list->n ? after : "");
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

/* ---- netplan(5) ---- */

static int write_netplan(const struct inject_nic *nic, const char *old, struct strbuf *text,
                         struct err *err)
{
    (void)old;
    (void)err;
    strbuf_printf(text, "network:\n  version: 2\n  ethernets:\n    %s:\n      dhcp4: %s\n",
                  nic->name, nic->dhcp ? "true" : "false");
    inject_put_joined(text, "      addresses: [\"", &nic->addresses, "\", \"", "\"]\n");
    strbuf_puts(text, nic->gateways.n ? "      routes:\n" : "");
    for (size_t i = 0; i < nic->gateways.n; i++)
        strbuf_printf(text, "        - {to: \"%s\", via: \"%s\"}\n",
                      inject_is_ip6(nic->gateways.items[i]) ? "::/0" : "0.0.0.0/0",
                      nic->gateways.items[i]);
    strbuf_puts(text, nic->dns.n || nic->search.n ? "      nameservers:\n" : "");
    inject_put_joined(text, "        addresses: [\"", &nic->dns, "\", \"", "\"]\n");
    inject_put_joined(text, "        search: [", &nic->search, ", ", "]\n");
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
    int (*write)(const struct inject_nic *nic, const char *old, struct strbuf *text,
                 struct err *err);
} stacks[] = {
    { "netplan", "/usr/sbin/netplan", "/etc/netplan", "95-h2k-%s.yaml", 0600, false,
      write_netplan },
    { "networkmanager", "/usr/sbin/NetworkManager", "/etc/NetworkManager/system-connections",
      "h2k-%s.nmconnection", 0600, true, write_networkmanager },
    { "networkd", "/etc/systemd/system/multi-user.target.wants/systemd-networkd.service",
      "/etc/systemd/network", "05-h2k-%s.network", 0644, true, write_networkd },
    { "ifcfg", "/etc/sysconfig/network-scripts/network-functions", "/etc/sysconfig/network-scripts",
      "ifcfg-%s", 0644, false, inject_write_ifcfg },
    { "ifupdown", "/etc/network/interfaces", "/etc/network", "interfaces", 0644, false,
      inject_write_ifupdown },
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

/* Whose file has it; else the first that the guest uses at all. */
static const struct stack *find_stack(const struct fix_context *ctx, const struct plan *plan,
                                      const char *source)
{
    for (size_t i = 0; i < ARRAY_SIZE(stacks); i++)
        if (*source ? path_is_below(source, stacks[i].folder) : is_used(ctx, plan, &stacks[i]))
            return &stacks[i];
    return NULL;
}

static char *path_of(const struct stack *stack, const char *name)
{
    const char *hole = strstr(stack->file, "%s");

    if (!hole)
        return mem_printf("%s/%s", stack->folder, stack->file);
    return mem_printf("%s/%.*s%s%s", stack->folder, (int)(hole - stack->file), stack->file, name,
                      hole + 2);
}

static int one_nic(const struct fix_context *ctx, struct plan *plan, const struct inject_nic *nic,
                   struct err *err)
{
    const char *source = source_of(ctx->facts, nic->name);
    const struct stack *stack = find_stack(ctx, plan, source);
    CLEANUP_STRBUF struct strbuf text = { 0 };
    CLEANUP_FREE char *path = stack ? path_of(stack, nic->name) : NULL;
    CLEANUP_FREE char *old = NULL;
    int r;

    if (!path)
        return err_status(err, STATUS_USAGE,
                          "%s: how this guest configures its network (%s) is not known here; put "
                          "its file in with \"files\"",
                          nic->name,
                          *source                      ? source
                          : *ctx->facts->network_stack ? ctx->facts->network_stack
                                                       : "by nothing that was found");
    if (*source && !stack->comes_first && strcmp(source, path) != 0)
        return err_status(err, STATUS_USAGE,
                          "%s is configured in %s, which would be read together with what is "
                          "asked for; put that file in with \"files\"",
                          nic->name, source);
    r = plan_read_text(plan, path, &old, err);
    if (r >= 0)
        r = stack->write(nic, r > 0 ? old : "", &text, err);
    if (r < 0)
        return r;
    plan_write_new(plan, path, strbuf_text(&text), stack->mode, INJECT_REASON);
    return 0;
}

int inject_network(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ctx->opts->inject.n_nics; i++)
        r = one_nic(ctx, plan, &ctx->opts->inject.nics[i], err);
    return r;
}
