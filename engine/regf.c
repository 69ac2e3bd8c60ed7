/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/regf.h"

#include "engine/base/le.h"

/* Where the fields are. */
enum {
    SEQ1 = 4,
    SEQ2 = 8,
    TIMESTAMP = 12,
    MAJOR = 20,
    MINOR = 24,
    TYPE = 28,
    BINS_SIZE = 40,
    CHECKSUM = 508,
};

/* XOR of the 127 words before it; 0 and ~0 are not used. */
static uint32_t checksum(const uint8_t *data)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < CHECKSUM; i += sizeof(sum))
        sum ^= get_le32(data + i);
    if (sum == 0)
        return 1;
    return sum == UINT32_MAX ? UINT32_MAX - 1 : sum;
}

bool regf_base_parse(const void *data, size_t len, struct regf_base *ret)
{
    const uint8_t *at = data;

    if (len < REGF_LOG_BASE_LEN || memcmp(at, "regf", 4) != 0 || get_le32(at + MAJOR) != 1)
        return false;
    *ret = (struct regf_base){
        .seq1 = get_le32(at + SEQ1),
        .seq2 = get_le32(at + SEQ2),
        .timestamp = get_le64(at + TIMESTAMP),
        .minor = get_le32(at + MINOR),
        .type = get_le32(at + TYPE),
        .bins_size = get_le32(at + BINS_SIZE),
        .checksum_ok = get_le32(at + CHECKSUM) == checksum(at),
    };
    return true;
}

bool regf_is_dirty(const struct regf_base *base)
{
    return !base->checksum_ok || base->seq1 != base->seq2;
}

void regf_base_complete(void *data, uint32_t seq, uint32_t bins_size)
{
    uint8_t *at = data;

    put_le32(at + SEQ1, seq);
    put_le32(at + SEQ2, seq);
    put_le32(at + TYPE, REGF_PRIMARY);
    put_le32(at + BINS_SIZE, bins_size);
    put_le32(at + CHECKSUM, checksum(at));
}
