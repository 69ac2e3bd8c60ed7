/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/windows/guid.h"

#include <stdio.h>

#include "engine/base/le.h"

void guid_text(const void *data, char ret[37])
{
    const uint8_t *at = data;

    (void)snprintf(ret, 37, "%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", get_le32(at),
                   get_le16(at + 4), get_le16(at + 6), at[8], at[9], at[10], at[11], at[12], at[13],
                   at[14], at[15]);
}
