/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* No input may crash or hang the parsers, or make them leak. */
#include <stdint.h>

#include "inspect/leases.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct leases leases = { 0 };

    leases_add_dhclient((const char *)data, size, &leases);
    leases_add_dhcpcd("ens192", (const char *)data, size, &leases);
    leases_done(&leases);
    return 0;
}
