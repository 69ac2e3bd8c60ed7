/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Network interfaces as --config has them. */
#include <arpa/inet.h>
#include <ctype.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "fixers/injections.h"

bool inject_is_ip6(const char *address)
{
    return strchr(address, ':') != NULL;
}

static bool is_ip(const char *text)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(inject_is_ip6(text) ? AF_INET6 : AF_INET, text, bytes) == 1;
}

/* "192.0.2.1/24", "2001:db8::1/64" */
static bool is_network(const char *text)
{
    const char *slash = strchr(text, '/');
    CLEANUP_FREE char *address = slash ? mem_strndup(text, (size_t)(slash - text)) : NULL;
    uint64_t bits;

    return address && is_ip(address) &&
           io_parse_u64(slash + 1, inject_is_ip6(address) ? 128 : 32, &bits) == 0;
}

static bool is_word(const char *text)
{
    for (const char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
            return false;
    return *text != '\0' && *text != '-' && *text != '.';
}

static int check_all(const struct strlist *list, bool (*is_right)(const char *text),
                     const char *key, const char *what, struct err *err)
{
    for (size_t i = 0; i < list->n; i++)
        if (!is_right(list->items[i]))
            return err_status(err, STATUS_USAGE, "%s: \"%s\" is no %s", key, list->items[i], what);
    return 0;
}

int inject_nic_check(void *item, const char *folder, struct err *err)
{
    const struct inject_nic *nic = item;
    size_t n_of[2] = { 0, 0 };
    int r;

    (void)folder;
    if (!nic->name || !is_word(nic->name) || strlen(nic->name) >= IFNAMSIZ)
        return err_status(err, STATUS_USAGE, "a network interface needs its name in the guest");
    r = check_all(&nic->addresses, is_network, "addresses", "address with its prefix (1.2.3.4/24)",
                  err);
    if (r == 0)
        r = check_all(&nic->gateways, is_ip, "gateways", "address", err);
    if (r == 0)
        r = check_all(&nic->dns, is_ip, "dns", "address", err);
    if (r == 0)
        r = check_all(&nic->search, is_word, "search", "domain", err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < nic->gateways.n; i++)
        if (++n_of[inject_is_ip6(nic->gateways.items[i])] > 1)
            return err_status(err, STATUS_USAGE, "%s: one gateway of a kind is enough", nic->name);
    if (nic->dhcp == (nic->addresses.n > 0) || (nic->dhcp && nic->gateways.n > 0))
        return err_status(err, STATUS_USAGE, "%s: either dhcp or addresses are expected",
                          nic->name);
    return 0;
}
