/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* dhcpcd.conf(5): what follows `interface NAME` is for that interface. */
#include <string.h>

#include "engine/base/cleanup.h"
#include "inspect/fields.h"
#include "inspect/linux_net.h"

#define FILE_PATH "/etc/dhcpcd.conf"

static void read_line(struct net_reader *net, const char *text, const struct span *words, size_t n,
                      char **name)
{
    static const char address[] = "ip_address=";

    if (n == 2 && span_is(text, words[0], "interface")) {
        free(*name);
        *name = span_dup(text, words[1]);
        net_note(net, *name, NULL, FILE_PATH, false);
    } else if (span_is(text, words[0], "profile") || span_is(text, words[0], "ssid")) {
        free(*name);
        *name = NULL;
    } else if (n >= 2 && *name && span_is(text, words[0], "static") &&
               words[1].len > sizeof(address) - 1 &&
               strncmp(text + words[1].start, address, sizeof(address) - 1) == 0) {
        net_note(net, *name, NULL, FILE_PATH, true);
    }
}

/* Is it started on its own, and not by another network program? */
static bool is_service(const struct guest_root *root)
{
    static const char *const marks[] = {
        "/etc/systemd/system/multi-user.target.wants/dhcpcd.service",
        "/etc/runlevels/default/dhcpcd",
        "/etc/runlevels/boot/dhcpcd",
        "/etc/runit/runsvdir/default/dhcpcd",
    };
    struct stat st;

    for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
        if (guest_lstat(root, marks[i], &st) == 0)
            return true;
    return false;
}

bool net_read_dhcpcd(struct net_reader *net)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *name = NULL;
    struct span line, words[3];
    size_t len = 0, pos = 0;
    bool has_block = false;

    text = linux_read(net->root, FILE_PATH, &len);
    while (text && line_next(text, len, &pos, &line)) {
        size_t n = fields_split(text, &line, words, ARRAY_SIZE(words));

        if (n > 0)
            read_line(net, text, words, n, &name);
        has_block |= name != NULL;
    }
    return has_block || is_service(net->root);
}
