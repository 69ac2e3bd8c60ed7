/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unaligned little- and big-endian numbers in on-disk structures. */
#ifndef H2K_ENGINE_BASE_LE_H
#define H2K_ENGINE_BASE_LE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define H2K_GET(name, type, convert)                                                               \
    static inline type name(const void *data)                                                      \
    {                                                                                              \
        type value;                                                                                \
                                                                                                   \
        memcpy(&value, data, sizeof(value));                                                       \
        return convert(value);                                                                     \
    }

H2K_GET(get_le16, uint16_t, le16toh)
H2K_GET(get_le32, uint32_t, le32toh)
H2K_GET(get_le64, uint64_t, le64toh)
H2K_GET(get_be16, uint16_t, be16toh)
H2K_GET(get_be32, uint32_t, be32toh)
H2K_GET(get_be64, uint64_t, be64toh)
#undef H2K_GET

#define H2K_PUT(name, type, convert)                                                               \
    static inline void name(void *data, type value)                                                \
    {                                                                                              \
        value = convert(value);                                                                    \
        memcpy(data, &value, sizeof(value));                                                       \
    }

H2K_PUT(put_le16, uint16_t, htole16)
H2K_PUT(put_le32, uint32_t, htole32)
H2K_PUT(put_le64, uint64_t, htole64)
#undef H2K_PUT

#endif
