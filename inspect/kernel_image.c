/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/kernel_image.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "engine/base/text.h"
#include "inspect/fields.h"

#define VERSION_MAX 128U

char *kernel_image_version(const void *data, size_t len)
{
    const uint8_t *head = data;
    size_t at, n = 0;

    if (len < 0x210 || memcmp(head + 0x202, "HdrS", 4) != 0)
        return NULL;
    at = (size_t)get_le16(head + 0x20e) + 0x200;
    while (at + n < len && n < VERSION_MAX && head[at + n] > ' ' && head[at + n] < 0x7f &&
           head[at + n] != '/')
        n++;
    if (n == 0 || n == VERSION_MAX || at + n >= len || !isdigit(head[at]))
        return NULL;
    return mem_strndup((const char *)head + at, n);
}

char kernel_config_get(const char *text, size_t len, const char *option)
{
    size_t option_len = strlen(option);
    struct span line;
    size_t pos = 0;

    while (line_next(text, len, &pos, &line)) {
        const char *at = text + line.start;

        if (line.len == option_len + 2 && memcmp(at, option, option_len) == 0 &&
            at[option_len] == '=' && (at[option_len + 1] == 'y' || at[option_len + 1] == 'm'))
            return at[option_len + 1];
    }
    return 0;
}

const char *kernel_kind(const char *version, const char *config, size_t len)
{
    /* of kernels that were ported to Xen; later ones start everywhere */
    static const char *const xen_options[] = { "CONFIG_X86_XEN", "CONFIG_X86_64_XEN" };
    static const char *const debug_ends[] = { "debug", "dbg" };

    if (strstr(version, "kdump"))
        return "kdump";
    if (strstr(version, "rescue"))
        return "rescue";
    for (size_t i = 0; config && i < ARRAY_SIZE(xen_options); i++)
        if (kernel_config_get(config, len, xen_options[i]) == 'y')
            return "xen";
    if (!config && (text_ends_with(version, "xen") || text_ends_with(version, "xenU")))
        return "xen";
    for (size_t i = 0; i < ARRAY_SIZE(debug_ends); i++)
        if (text_ends_with(version, debug_ends[i]))
            return "debug";
    return "";
}
