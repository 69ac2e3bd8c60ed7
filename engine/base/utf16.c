/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/base/utf16.h"

#include <stdint.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"

#define REPLACEMENT 0xfffdU
#define HIGH_FIRST 0xd800U
#define LOW_FIRST 0xdc00U
#define LOW_END 0xe000U
#define PAIRS_FIRST 0x10000U
#define CHARS_END 0x110000U

/* Forms of UTF-8: the first byte, and the least character that may be written like that. */
static const struct {
    unsigned char mask, lead;
    unsigned least;
} forms[] = {
    { 0x80, 0x00, 0 },
    { 0xe0, 0xc0, 0x80 },
    { 0xf0, 0xe0, 0x800 },
    { 0xf8, 0xf0, PAIRS_FIRST },
};

static bool is_surrogate(unsigned c)
{
    return c >= HIGH_FIRST && c < LOW_END;
}

size_t utf8_decode(const char *text, size_t len, unsigned *ret)
{
    unsigned char first = (unsigned char)text[0];
    size_t form = 0, more;
    unsigned c;

    while (form < ARRAY_SIZE(forms) && (first & forms[form].mask) != forms[form].lead)
        form++;
    if (form == ARRAY_SIZE(forms) || form >= len)
        return 0;
    c = first & (unsigned char)~forms[form].mask;
    for (more = 1; more <= form; more++) {
        unsigned char next = (unsigned char)text[more];

        if ((next & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (next & 0x3fU);
    }
    if (c < forms[form].least || c >= CHARS_END || is_surrogate(c))
        return 0;
    *ret = c;
    return more;
}

void utf8_encode(unsigned c, struct strbuf *ret)
{
    size_t form = 0;

    while (form + 1 < ARRAY_SIZE(forms) && c >= forms[form + 1].least)
        form++;
    strbuf_putc(ret, (char)(forms[form].lead | c >> 6 * form));
    while (form-- > 0)
        strbuf_putc(ret, (char)(0x80 | (c >> 6 * form & 0x3f)));
}

void utf16_to_utf8(const void *bytes, size_t len, bool big_endian, struct strbuf *ret)
{
    const uint8_t *at = bytes, *end = at + len / 2 * 2;

    while (at < end) {
        unsigned c = big_endian ? get_be16(at) : get_le16(at), low = 0;

        at += 2;
        if (c >= HIGH_FIRST && c < LOW_FIRST && at < end)
            low = big_endian ? get_be16(at) : get_le16(at);
        if (low >= LOW_FIRST && low < LOW_END) {
            c = PAIRS_FIRST + ((c - HIGH_FIRST) << 10) + (low - LOW_FIRST);
            at += 2;
        }
        utf8_encode(is_surrogate(c) ? REPLACEMENT : c, ret);
    }
}

static void put_unit(unsigned unit, struct strbuf *ret)
{
    strbuf_putc(ret, (char)(unit & 0xff));
    strbuf_putc(ret, (char)(unit >> 8));
}

void utf16_from_utf8(const char *text, size_t len, struct strbuf *ret)
{
    for (size_t at = 0, step; at < len; at += step) {
        unsigned c = REPLACEMENT;

        step = utf8_decode(text + at, len - at, &c);
        if (step == 0)
            step = 1;
        if (c < PAIRS_FIRST) {
            put_unit(c, ret);
            continue;
        }
        put_unit(HIGH_FIRST + ((c - PAIRS_FIRST) >> 10), ret);
        put_unit(LOW_FIRST + ((c - PAIRS_FIRST) & 0x3ff), ret);
    }
}

bool utf8_is_valid(const char *text, size_t len)
{
    unsigned c;

    for (size_t at = 0, step; at < len; at += step) {
        step = utf8_decode(text + at, len - at, &c);
        if (step == 0)
            return false;
    }
    return true;
}
