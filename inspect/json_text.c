/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/json_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/strbuf.h"

/* Length of the UTF-8 sequence at @at, 0 when it is not one (RFC 3629). */
static size_t sequence(const unsigned char *at)
{
    size_t len = at[0] < 0x80 ? 1 : at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;

    if (at[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((at[i] & 0xc0) != 0x80) /* also the terminator */
            return 0;
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return len;
}

json_t *json_text(const char *text)
{
    json_t *value = json_string(text ? text : "");
    struct strbuf out = { 0 };

    if (value)
        return value;
    while (*text) {
        size_t len = sequence((const unsigned char *)text);

        if (len == 0)
            strbuf_puts(&out, "\xef\xbf\xbd");
        else
            strbuf_add(&out, text, len);
        text += len ? len : 1;
    }
    value = json_string(strbuf_text(&out));
    strbuf_done(&out);
    return value;
}

json_t *json_text_or_null(const char *text)
{
    return text && *text ? json_text(text) : json_null();
}
