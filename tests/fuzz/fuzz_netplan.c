/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* No input may crash or hang the parser, or make it leak. */
#include <stdint.h>

#include "inspect/netplan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct netplan netplan;

    (void)netplan_parse((const char *)data, size, &netplan); /* any result will do */
    netplan_done(&netplan);
    (void)netplan_parse_cloud((const char *)data, size, &netplan);
    netplan_done(&netplan);
    return 0;
}
