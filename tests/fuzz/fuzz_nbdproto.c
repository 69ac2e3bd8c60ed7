/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever a server says, the handshake ends, and it is done only when a size was told. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/nbdproto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct text {
    const uint8_t *data;
    size_t len;
};

static int from_text(void *arg, void *data, size_t len)
{
    struct text *text = arg;

    if (len > text->len)
        return -ECONNRESET;
    if (len)
        memcpy(data, text->data, len);
    text->data += len;
    text->len -= len;
    return 0;
}

static int to_nowhere(void *arg, const void *data, size_t len)
{
    (void)arg;
    (void)data;
    (void)len;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text text = { data, size };
    const struct nbdproto_stream stream = { .read = from_text, .write = to_nowhere, .arg = &text };
    struct nbdproto_export export = { 0 };
    struct err err = ERR_NONE;

    /* greeting, a size, an acknowledgement */
    if (nbdproto_go(&stream, &export, &err) == 0 && size < 18 + 32 + 20)
        abort();
    return 0;
}
