/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* netplan(5): an interface that a file defines is changed there, a new one gets a file. */
#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/text.h"
#include "fixers/linux/inject.h"
#include "fixers/linux/inject_network.h"
#include "fixers/linux/netplan_edit.h"
#include "inspect/linux_net.h"
#include "inspect/netplan.h"

#define FOLDER "/etc/netplan"

static void make_addresses(const struct inject_nic *nic, struct netplan_addresses *ret)
{
    struct strbuf text = { 0 };

    strlist_take(&ret->pairs, mem_printf("dhcp4: %s", nic->dhcp ? "true" : "false"));
    inject_put_joined(&text, "addresses: [\"", &nic->addresses, "\", \"", "\"]");
    if (text.len)
        strlist_take(&ret->pairs, strbuf_take(&text));
    inject_put_joined(&text, "addresses: [\"", &nic->dns, "\", \"", "\"]");
    inject_put_joined(&text, text.len ? ", search: [" : "search: [", &nic->search, ", ", "]");
    if (text.len)
        strlist_take(&ret->pairs, mem_printf("nameservers: {%s}", strbuf_text(&text)));
    strbuf_done(&text);
    for (size_t i = 0; i < nic->gateways.n; i++)
        strlist_take(&ret->defaults,
                     mem_printf("{to: \"%s\", via: \"%s\"}",
                                inject_is_ip6(nic->gateways.items[i]) ? "::/0" : "0.0.0.0/0",
                                nic->gateways.items[i]));
}

/* ---- what is there ---- */

enum about { ABOUT_OTHERS, ABOUT_IT, MAY_BE_ABOUT_IT, MATCHES_IT };

static const char *card_of(const struct inject_place *place)
{
    const struct facts *facts = place->ctx->facts;

    for (size_t i = 0; i < facts->n_nics; i++)
        if (strcmp(facts->nics[i].name, place->nic->name) == 0)
            return facts->nics[i].mac;
    return "";
}

/* A definition is for the interface that it names, or for all that it matches. */
static enum about about(const struct inject_place *place, const struct netplan_ethernet *ethernet)
{
    const char *name = place->nic->name, *card = card_of(place);

    if (!ethernet->has_match)
        return strcmp(ethernet->id, name) == 0 ? ABOUT_IT : ABOUT_OTHERS;
    if (*ethernet->set_name)
        return strcmp(ethernet->set_name, name) == 0 ? ABOUT_IT : ABOUT_OTHERS;
    if (*ethernet->match_name && strcmp(ethernet->match_name, name) == 0)
        return ABOUT_IT;
    if (*ethernet->match_name && fnmatch(ethernet->match_name, name, 0) != 0)
        return ABOUT_OTHERS;
    if (*ethernet->match_mac && *card)
        return strcasecmp(ethernet->match_mac, card) == 0 ? ABOUT_IT : ABOUT_OTHERS;
    return *ethernet->match_mac ? MAY_BE_ABOUT_IT : MATCHES_IT;
}

struct search {
    const struct inject_place *place;
    const struct netplan_addresses *addresses;
    struct strlist ids; /* of definitions that are about it: the same in all files */
    bool is_matched;
    char *doubtful; /* file with a definition that may be about it */
    char *renderer;
};

static int read_file(struct search *search, const char *path, const char *text, struct err *err)
{
    CLEANUP_NETPLAN struct netplan netplan = { 0 };

    if (netplan_parse(text, strlen(text), &netplan) < 0)
        return err_status(err, STATUS_USAGE, "%s: netplan cannot read it", path);
    if (*netplan.renderer) {
        free(search->renderer);
        search->renderer = mem_strdup(netplan.renderer);
    }
    for (size_t i = 0; i < netplan.n; i++) {
        enum about what = about(search->place, &netplan.ethernets[i]);

        search->is_matched |= what == MATCHES_IT;
        if (what == MAY_BE_ABOUT_IT && !search->doubtful)
            search->doubtful = mem_strdup(path);
        if (what == ABOUT_IT && !strlist_has(&search->ids, netplan.ethernets[i].id))
            strlist_add(&search->ids, netplan.ethernets[i].id);
    }
    return 0;
}

/* The lists of all files are added together, so each must lose what it has. */
static int edit_file(struct search *search, const char *path, const char *text, struct err *err)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < search->ids.n; i++) {
        CLEANUP_FREE char *made = NULL;

        r = netplan_readdress(text, strlen(text), search->ids.items[i], search->addresses, &made);
        if (r > 0)
            plan_write(search->place->plan, path, made, INJECT_REASON);
        if (r > 0) /* one interface is one definition */
            return 0;
    }
    if (r == -EBUSY)
        return err_status(err, STATUS_USAGE, "%s is part of a bond or bridge in %s",
                          search->place->nic->name, path);
    if (r < 0)
        return err_status(err, STATUS_USAGE,
                          "%s is configured in %s in a way that cannot be edited; put that file in "
                          "with \"files\"",
                          search->place->nic->name, path);
    return 0;
}

static int each_file(struct search *search,
                     int (*fn)(struct search *search, const char *path, const char *text,
                               struct err *err),
                     struct err *err)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    int r = guest_list(search->place->plan->root, FOLDER, &names, err);

    strlist_sort(&names); /* as netplan reads them: the last renderer counts */
    for (size_t i = 0; r >= 0 && i < names.n && i < NET_MAX_FILES; i++) {
        CLEANUP_FREE char *path = mem_printf(FOLDER "/%s", names.items[i]);
        CLEANUP_FREE char *text = NULL;

        if (!text_has_suffix(path, ".yaml") || strcmp(path, search->place->path) == 0)
            continue;
        r = plan_read_text(search->place->plan, path, &text, err);
        if (r > 0)
            r = fn(search, path, text, err);
    }
    return r;
}

/* ---- what is new ---- */

static void write_new(const struct inject_place *place, const struct netplan_addresses *addresses)
{
    CLEANUP_STRBUF struct strbuf text = { 0 };

    strbuf_printf(&text, "network:\n  version: 2\n  ethernets:\n    %s:\n", place->nic->name);
    for (size_t i = 0; i < addresses->pairs.n; i++)
        strbuf_printf(&text, "      %s\n", addresses->pairs.items[i]);
    inject_put_joined(&text, "      routes: [", &addresses->defaults, ", ", "]\n");
    plan_write_new(place->plan, place->path, strbuf_text(&text), 0600, INJECT_REASON);
}

static int decide(const struct inject_place *place, struct search *search, struct err *err)
{
    bool is_nm = search->renderer && strcmp(search->renderer, "NetworkManager") == 0;

    if (search->ids.n > 0)
        return each_file(search, edit_file, err);
    /* what netplan makes of a pattern may come before what it makes of a name; this comes first */
    if (search->is_matched)
        return inject_network_first(place, is_nm ? "networkmanager" : "networkd", err);
    if (search->doubtful)
        return err_status(err, STATUS_USAGE,
                          "%s configures a card by its address, which may be that of %s; put that "
                          "file in with \"files\"",
                          search->doubtful, place->nic->name);
    write_new(place, search->addresses);
    return 0;
}

int inject_plan_netplan(const struct inject_place *place, struct err *err)
{
    struct netplan_addresses addresses = { 0 };
    struct search search = { .place = place, .addresses = &addresses };
    int r;

    make_addresses(place->nic, &addresses);
    r = each_file(&search, read_file, err);
    if (r >= 0)
        r = decide(place, &search, err);
    strlist_done(&search.ids);
    free(search.doubtful);
    free(search.renderer);
    netplan_addresses_done(&addresses);
    return r;
}
