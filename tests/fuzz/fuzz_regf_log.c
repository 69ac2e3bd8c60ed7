/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A byte of flags, two lengths (16 bits), then a hive and two logs. With the first flag, checksums
 * and hashes are made right, which no mutation would. What is recovered is clean ever after. */
#include <stdlib.h>

#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "engine/regf.h"
#include "engine/regf_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void seal_base(uint8_t *at, size_t len)
{
    uint32_t sum = 0;

    if (len < 512)
        return;
    for (size_t i = 0; i < 508; i += 4)
        sum ^= get_le32(at + i);
    put_le32(at + 508, sum);
}

static void seal_entries(uint8_t *at, size_t len)
{
    size_t pos = 512;

    while (pos < len && len - pos >= 512) {
        uint32_t size = get_le32(at + pos + 4);

        if (size < 512 || size > len - pos)
            return;
        put_le64(at + pos + 24, regf_log_hash(at + pos + 40, size - 40));
        put_le64(at + pos + 32, regf_log_hash(at + pos, 32));
        pos += size;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct strbuf hive = { 0 };
    struct regf_log logs[2];
    struct regf_recovery recovery;
    struct regf_base base;
    struct err err = ERR_NONE;
    size_t hive_len, log_len;
    uint8_t *copy;

    if (size < 5)
        return 0;
    hive_len = get_le16(data + 1);
    log_len = get_le16(data + 3);
    if (hive_len > size - 5 || log_len > size - 5 - hive_len)
        return 0;
    copy = mem_dup(data + 5, size - 5);
    logs[0] = (struct regf_log){ copy + hive_len, log_len };
    logs[1] = (struct regf_log){ copy + hive_len + log_len, size - 5 - hive_len - log_len };
    if (data[0] & 1) {
        seal_base(copy, hive_len);
        for (int i = 0; i < 2; i++) {
            seal_base(copy + ((const uint8_t *)logs[i].data - copy), logs[i].len);
            seal_entries(copy + ((const uint8_t *)logs[i].data - copy), logs[i].len);
        }
    }
    strbuf_add(&hive, copy, hive_len);
    if (regf_recover(&hive, logs, 2, &recovery, &err) == 0 && recovery.state == REGF_RECOVERED) {
        if (!regf_base_parse(hive.data, hive.len, &base) || regf_is_dirty(&base) ||
            hive.len < REGF_BASE_LEN + (size_t)base.bins_size ||
            regf_recover(&hive, logs, 2, &recovery, &err) < 0 || recovery.state != REGF_CLEAN)
            abort();
    }
    strbuf_done(&hive);
    free(copy);
    return 0;
}
