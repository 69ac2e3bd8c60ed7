/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A row of the network stack: the first line is its key, the data follow. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/windows/nsi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* "ADDRESS/BITS" */
static void must_be_prefix(const char *text)
{
    const char *slash = strchr(text, '/');
    CLEANUP_FREE char *address = slash ? mem_strndup(text, (size_t)(slash - text)) : NULL;
    struct in6_addr bytes;

    if (!address || inet_pton(AF_INET6, address, &bytes) != 1 || strtoul(slash + 1, NULL, 10) > 128)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t n = end ? (size_t)(end - data) : size;
    CLEANUP_FREE char *name = mem_strndup((const char *)data, n);
    /* a copy, so that what is read behind it is seen */
    size_t len = end ? size - n - 1 : 0;
    CLEANUP_FREE uint8_t *row = mem_alloc(len + 1);
    struct nsi_address address;
    struct nsi_route route;
    struct nsi_card card;

    if (len > 0)
        memmove(row + 1, end + 1, len); /* its end is that of the memory */
    if (nsi_ip6_address(name, row + 1, len, &address) == NSI_MANUAL)
        must_be_prefix(address.text);
    if (nsi_ip6_route(name, row + 1, len, &route) == NSI_MANUAL) {
        struct in6_addr bytes;

        must_be_prefix(route.prefix);
        if ((*route.gateway && inet_pton(AF_INET6, route.gateway, &bytes) != 1) ||
            route.metric > 9999)
            abort();
    }
    if (nsi_card(name, row + 1, len, &card) && (strlen(card.guid) != 38 || strlen(card.mac) != 17))
        abort();
    return 0;
}
