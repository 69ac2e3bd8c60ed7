/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of the network as a guest has them (the first byte says which), in which an interface gets
 * other addresses: no input may crash, hang or leak. */
#include <stdint.h>
#include <stdlib.h>

#include "engine/base/mem.h"
#include "fixers/linux/inject_network.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int (*const writers[])(const struct inject_nic *nic, const char *old, struct strbuf *text,
                              struct err *err) = {
    inject_write_dhcpcd, inject_write_etcnet,  inject_write_ifcfg,   inject_write_ifupdown,
    inject_write_netctl, inject_write_netifrc, inject_write_rcinet1, inject_write_suse,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char name[] = "eth0";
    static struct inject_nic nic;
    struct strbuf text = { 0 };
    struct err err = ERR_NONE;
    char *old;

    if (size == 0)
        return 0;
    if (!nic.name) {
        nic.name = name;
        strlist_add(&nic.addresses, "10.0.0.2/24");
        strlist_add(&nic.gateways, "10.0.0.1");
        strlist_add(&nic.dns, "10.0.0.53");
    }
    old = mem_strndup((const char *)data + 1, size - 1);
    (void)writers[data[0] % (sizeof(writers) / sizeof(writers[0]))](&nic, old, &text, &err);
    strbuf_done(&text);
    free(old);
    return 0;
}
