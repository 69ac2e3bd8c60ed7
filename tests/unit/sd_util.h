/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Security descriptors from and to text, for tests: "D:(A;OICI;1f01ff;5-18)" with the control
 * flags in front; a reader and a writer of their own. */
#ifndef H2K_TESTS_SD_UTIL_H
#define H2K_TESTS_SD_UTIL_H

#include <stdio.h>
#include <string.h>

#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "tests/unit/unit.h"

struct sd_ace {
    uint8_t type, flags;
    uint32_t mask;
    const char *sid; /* "5-32-544" */
};

/* Empty: without a list. */
struct sd_list {
    const struct sd_ace *aces;
    size_t n;
};

static inline void sd_add_sid(struct strbuf *to, const char *text)
{
    uint8_t sid[68] = { 1 };
    uint32_t parts[16] = { 0 };
    size_t n = 0;

    for (const char *at = text; at && n < 16; at = strchr(at, '-') ? strchr(at, '-') + 1 : NULL)
        parts[n++] = (uint32_t)strtoul(at, NULL, 10);
    sid[1] = (uint8_t)(n - 1);
    sid[7] = (uint8_t)parts[0];
    for (size_t i = 1; i < n; i++)
        put_le32(sid + 4 + 4 * i, parts[i]);
    strbuf_add(to, sid, 4 + 4 * n);
}

static inline void sd_add_list(struct strbuf *to, size_t offset_at, const struct sd_list *list)
{
    uint8_t header[8] = { 2 };
    size_t start = to->len;

    if (!list->aces)
        return;
    put_le32(to->data + offset_at, (uint32_t)start);
    strbuf_add(to, header, sizeof(header));
    for (size_t i = 0; i < list->n; i++) {
        uint8_t ace[8] = { list->aces[i].type, list->aces[i].flags };
        size_t at = to->len;

        put_le32(ace + 4, list->aces[i].mask);
        strbuf_add(to, ace, sizeof(ace));
        sd_add_sid(to, list->aces[i].sid);
        put_le16(to->data + at + 2, (uint16_t)(to->len - at));
    }
    put_le16(to->data + start + 2, (uint16_t)(to->len - start));
    put_le16(to->data + start + 4, (uint16_t)list->n);
}

static inline void sd_build(uint16_t control, const struct sd_list *dacl,
                            const struct sd_list *sacl, struct strbuf *ret)
{
    uint8_t header[20] = { 1 };

    put_le16(header + 2, control | 0x8000 | (dacl->aces ? 4 : 0) | (sacl->aces ? 0x10 : 0));
    ret->len = 0;
    strbuf_add(ret, header, sizeof(header));
    put_le32(ret->data + 4, (uint32_t)ret->len);
    sd_add_sid(ret, "5-18");
    put_le32(ret->data + 8, (uint32_t)ret->len);
    sd_add_sid(ret, "5-18");
    sd_add_list(ret, 12, sacl);
    sd_add_list(ret, 16, dacl);
}

static inline void sd_show_sid(struct strbuf *to, const uint8_t *sid)
{
    strbuf_printf(to, "%u", sid[7]);
    for (size_t i = 0; i < sid[1]; i++)
        strbuf_printf(to, "-%u", get_le32(sid + 8 + 4 * i));
}

static inline void sd_show_list(struct strbuf *to, const char *name, const uint8_t *sd,
                                uint32_t offset)
{
    const uint8_t *at = sd + offset + 8;

    if (!offset)
        return;
    strbuf_printf(to, " %s:", name);
    for (unsigned i = 0; i < get_le16(sd + offset + 4); i++) {
        strbuf_printf(to, "(%x;%x;%x;", at[0], at[1], get_le32(at + 4));
        sd_show_sid(to, at + 8);
        strbuf_puts(to, ")");
        at += get_le16(at + 2);
    }
    assert_ptr_equal(at, sd + offset + get_le16(sd + offset + 2));
}

/* "8404 O:5-32-544 G:5-18 D:(TYPE;FLAGS;MASK;SID)...", numbers in hex; free it. */
static inline char *sd_show(const void *data)
{
    const uint8_t *sd = data;
    struct strbuf text = { 0 };

    strbuf_printf(&text, "%x O:", get_le16(sd + 2));
    sd_show_sid(&text, sd + get_le32(sd + 4));
    strbuf_puts(&text, " G:");
    sd_show_sid(&text, sd + get_le32(sd + 8));
    sd_show_list(&text, "S", sd, get_le32(sd + 12));
    sd_show_list(&text, "D", sd, get_le32(sd + 16));
    return strbuf_take(&text);
}

#endif
