/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/rpm_header.h"

#include <string.h>

#include "engine/base/le.h"
#include "engine/base/mem.h"

#define ENTRY 16U
#define ENTRIES_MAX 65536U /* rpm's own limit */
#define TYPE_INT32 4
#define TYPE_STRING 6

enum tag {
    TAG_NAME = 1000,
    TAG_VERSION = 1001,
    TAG_RELEASE = 1002,
    TAG_EPOCH = 1003,
    TAG_ARCH = 1022
};

/* The terminated string at @at of the data. NULL: there is none. */
static const char *string_at(const uint8_t *data, size_t len, uint32_t at)
{
    return at < len && memchr(data + at, 0, len - at) ? (const char *)data + at : NULL;
}

bool rpm_header_parse(const uint8_t *header, size_t len, struct rpm_package *ret)
{
    struct rpm_package package = { .arch = "" };
    const uint8_t *data;
    uint32_t n;

    if (len < 8)
        return false;
    n = get_be32(header);
    if (n > ENTRIES_MAX || n > (len - 8) / ENTRY)
        return false;
    data = header + 8 + (size_t)n * ENTRY;
    len -= 8 + (size_t)n * ENTRY;
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *entry = header + 8 + (size_t)i * ENTRY;
        uint32_t tag = get_be32(entry), type = get_be32(entry + 4), at = get_be32(entry + 8);
        const char *text = type == TYPE_STRING ? string_at(data, len, at) : NULL;

        if (text && tag == TAG_NAME)
            package.name = text;
        else if (text && tag == TAG_VERSION)
            package.version = text;
        else if (text && tag == TAG_RELEASE)
            package.release = text;
        else if (text && tag == TAG_ARCH)
            package.arch = text;
        else if (tag == TAG_EPOCH && type == TYPE_INT32 && len >= 4 && at <= len - 4)
            package.epoch = get_be32(data + at);
    }
    *ret = package;
    return package.name && package.name[0] && package.version && package.version[0] &&
           package.release && package.release[0];
}
