/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses in a file of netplan: what was changed once stays as it is when it is changed again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fixers/linux/netplan_edit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct netplan_addresses new;
    char *once = NULL, *twice = NULL;

    if (new.pairs.n == 0) {
        strlist_add(&new.pairs, "dhcp4: true");
        strlist_add(&new.defaults, "{to: default, via: 10.0.0.1}");
    }
    if (netplan_readdress((const char *)data, size, "e", &new, &once) > 0 &&
        (netplan_readdress(once, strlen(once), "e", &new, &twice) != 1 || strcmp(once, twice) != 0))
        abort();
    free(once);
    free(twice);
    return 0;
}
