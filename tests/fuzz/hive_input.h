/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A hive out of fuzzed bytes: one for the minor version, two for the place of the root key (in
 * eights of bytes), then bins, to which zeros are added up to a whole number of pages. */
#ifndef H2K_TESTS_FUZZ_HIVE_INPUT_H
#define H2K_TESTS_FUZZ_HIVE_INPUT_H

#include <stdlib.h>

#include "engine/base/le.h"
#include "engine/hive.h"
#include "engine/regf.h"

#define HIVE_INPUT_MAX 65536U

static inline struct hive *hive_input(const uint8_t *data, size_t size)
{
    static const char zeros[4096];
    struct strbuf bytes = { 0 };
    struct err err = ERR_NONE;
    struct hive *hive = NULL;
    size_t len;

    if (size < 4 || size > HIVE_INPUT_MAX)
        return NULL;
    strbuf_add(&bytes, zeros, REGF_BASE_LEN);
    memcpy(bytes.data, "regf", 4);
    put_le32(bytes.data + 20, 1);
    put_le32(bytes.data + 24, 2U + data[0] % 5U);
    put_le32(bytes.data + 36, 8U * get_le16(data + 1));
    strbuf_add(&bytes, data + 3, size - 3);
    len = (size - 3) % sizeof(zeros);
    if (len > 0)
        strbuf_add(&bytes, zeros, sizeof(zeros) - len);
    regf_base_complete(bytes.data, 1, (uint32_t)bytes.len - REGF_BASE_LEN);
    if (hive_from_bytes(&bytes, "fuzzed", &hive, &err) < 0)
        strbuf_done(&bytes);
    return hive;
}

#endif
