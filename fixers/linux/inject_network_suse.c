/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SUSE's /etc/sysconfig/network, read by wicked and by the scripts before it: ifcfg(5) for
 * addresses, ifroute(5) for routes, netconfig(8) for name servers.
 */
#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/text.h"
#include "fixers/linux/inject.h"
#include "fixers/linux/inject_network.h"
#include "inspect/fields.h"
#include "inspect/linux_net.h"
#include "inspect/shellvars.h"

#define FOLDER "/etc/sysconfig/network"
#define ROUTES FOLDER "/routes"
#define CONFIG FOLDER "/config"

/* ---- ifcfg-NAME ---- */

/* Does it start by itself? */
static bool is_automatic(const char *mode)
{
    static const char *const modes[] = { "auto",    "boot",    "onboot",  "on",
                                         "hotplug", "nfsroot", "ifplugd", "rootfs" };

    for (size_t i = 0; mode && i < ARRAY_SIZE(modes); i++)
        if (strcasecmp(mode, modes[i]) == 0)
            return true;
    return false;
}

int inject_write_suse(const struct inject_nic *nic, const char *old, struct strbuf *text,
                      struct err *err)
{
    static const char *const address_variables[] = {
        "STARTMODE", "BOOTPROTO", "BROADCAST*", "IPADDR*", "LABEL*",
        "NETMASK*",  "NETWORK*",  "PREFIXLEN*", "SCOPE*",
    };
    CLEANUP_SHELLVARS struct shellvars vars = { 0 };
    const char *mode;
    int r = 0;

    shellvars_parse(old, strlen(old), &vars);
    mode = shellvars_get(&vars, "STARTMODE");
    for (size_t i = 0; r == 0 && i < vars.n; i++)
        if (strcmp(vars.vars[i].name, "REMOTE_IPADDR") == 0 ||
            strcmp(vars.vars[i].name, "ETHERDEVICE") == 0)
            r = err_status(err, STATUS_USAGE, "%s is a tunnel or VLAN", nic->name);
    if (r < 0)
        return r;
    inject_keep_others(old, address_variables, ARRAY_SIZE(address_variables), text);
    strbuf_printf(text, "STARTMODE='%s'\nBOOTPROTO='%s'\n", is_automatic(mode) ? mode : "auto",
                  nic->dhcp ? "dhcp" : "static");
    for (size_t i = 0; i < nic->addresses.n; i++) {
        if (i == 0)
            strbuf_printf(text, "IPADDR='%s'\n", nic->addresses.items[i]);
        else
            strbuf_printf(text, "IPADDR_%zu='%s'\n", i, nic->addresses.items[i]);
    }
    return 0;
}

/* Is the interface a part of what another file makes? */
static int check_parts(const struct inject_place *place, struct err *err)
{
    static const char *const patterns[] = { "BONDING_SLAVE*", "BRIDGE_PORTS", "TEAM_PORT_DEVICE*",
                                            "OVS_BRIDGE_PORT_DEVICE*" };
    CLEANUP_STRLIST struct strlist names = { 0 };
    int r = guest_list(place->plan->root, FOLDER, &names, err);

    for (size_t n = 0; r >= 0 && n < names.n && n < NET_MAX_FILES; n++) {
        CLEANUP_FREE char *path = mem_printf(FOLDER "/%s", names.items[n]);
        CLEANUP_FREE char *text = NULL;
        CLEANUP_SHELLVARS struct shellvars vars = { 0 };

        if (strncmp(names.items[n], "ifcfg-", 6) != 0 || net_is_leftover(names.items[n]))
            continue;
        r = plan_read_text(place->plan, path, &text, err);
        if (r <= 0)
            continue;
        shellvars_parse(text, strlen(text), &vars);
        for (size_t i = 0; i < vars.n * ARRAY_SIZE(patterns); i++) {
            const struct shellvar *var = &vars.vars[i / ARRAY_SIZE(patterns)];
            CLEANUP_STRLIST struct strlist words = net_words(var->value);

            if (fnmatch(patterns[i % ARRAY_SIZE(patterns)], var->name, 0) == 0 &&
                strlist_has(&words, place->nic->name))
                return err_status(err, STATUS_USAGE, "%s is part of what %s makes",
                                  place->nic->name, path);
        }
    }
    return r < 0 ? r : 0;
}

/* ---- routes: DESTINATION GATEWAY NETMASK INTERFACE, "-" for what is not said ---- */

enum whose { OF_OTHERS, OF_IT, OF_ANY };

/* Whose default route of the kinds that change is it? */
static enum whose whose_default(const struct inject_place *place, const char *text,
                                const struct span *words, size_t n, bool is_its_file)
{
    static const char *const names[] = { "default", "0.0.0.0/0", "::/0" };
    CLEANUP_FREE char *gateway = NULL;
    bool is_default =
        n > 0 && span_is(text, words[0], "0.0.0.0") && n > 2 && span_is(text, words[2], "0.0.0.0");

    for (size_t i = 0; n > 0 && i < ARRAY_SIZE(names); i++)
        is_default |= span_is(text, words[0], names[i]);
    if (!is_default)
        return OF_OTHERS;
    if (is_its_file || (n > 3 && span_is(text, words[3], place->nic->name)))
        return OF_IT;
    if (n > 3 && !span_is(text, words[3], "-"))
        return OF_OTHERS;
    gateway = span_dup(text, n > 1 ? words[1] : words[0]);
    /* the only interface, or a second default route of its kind */
    return place->ctx->facts->n_nics <= 1 || inject_gateway(place->nic, inject_is_ip6(gateway))
               ? OF_IT
               : OF_ANY;
}

/* The lines that stay. */
static void keep_routes(const struct inject_place *place, const char *old, bool is_its_file,
                        struct strbuf *text)
{
    struct span line, words[4];
    size_t pos = 0;

    while (line_next(old, strlen(old), &pos, &line)) {
        size_t n = fields_split(old, &line, words, ARRAY_SIZE(words));
        enum whose whose = whose_default(place, old, words, n, is_its_file);

        if (whose == OF_ANY)
            plan_note(place->plan, "a default route in %s names no interface; it stays", ROUTES);
        if (whose == OF_IT)
            continue;
        strbuf_add(text, old + line.start, line.len);
        strbuf_putc(text, '\n');
    }
}

static int plan_routes(const struct inject_place *place, struct err *err)
{
    CLEANUP_FREE char *path = mem_printf(FOLDER "/ifroute-%s", place->nic->name);
    const struct {
        const char *path;
        bool is_its;
    } files[] = { { path, true }, { ROUTES, false } };

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        CLEANUP_FREE char *old = NULL;
        CLEANUP_STRBUF struct strbuf text = { 0 };
        int r = plan_read_text(place->plan, files[i].path, &old, err);

        if (r < 0)
            return r;
        keep_routes(place, r > 0 ? old : "", files[i].is_its, &text);
        for (size_t g = 0; files[i].is_its && g < place->nic->gateways.n; g++)
            strbuf_printf(&text, "default %s - %s\n", place->nic->gateways.items[g],
                          place->nic->name);
        if (r > 0 || text.len > 0)
            plan_write_new(place->plan, files[i].path, strbuf_text(&text), 0644, INJECT_REASON);
    }
    return 0;
}

/* ---- name servers ---- */

static int plan_names(const struct inject_place *place, struct err *err)
{
    CLEANUP_STRLIST struct strlist servers = inject_all_servers(place->ctx);
    CLEANUP_STRLIST struct strlist domains = inject_all_domains(place->ctx);
    const struct {
        const char *name;
        const struct strlist *values;
    } settings[] = {
        { "NETCONFIG_DNS_STATIC_SERVERS", &servers },
        { "NETCONFIG_DNS_STATIC_SEARCHLIST", &domains },
    };
    CLEANUP_FREE char *text = NULL;
    int r = plan_read_text(place->plan, CONFIG, &text, err);

    if (r < 0)
        return r;
    if (r == 0 || !strstr(text, "NETCONFIG_DNS_")) /* before netconfig */
        return inject_resolv_conf(place, err);
    for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
        CLEANUP_STRBUF struct strbuf value = { 0 };
        CLEANUP_FREE char *before = text;

        inject_put_joined(&value, "", settings[i].values, " ", "");
        text = value.len ? shellvars_set(before, strlen(before), settings[i].name,
                                         strbuf_text(&value), NULL)
                         : TAKE(before);
    }
    plan_write(place->plan, CONFIG, text, INJECT_REASON);
    return 0;
}

int inject_also_suse(const struct inject_place *place, struct err *err)
{
    int r = check_parts(place, err);

    if (r == 0)
        r = plan_routes(place, err);
    return r < 0 ? r : plan_names(place, err);
}
