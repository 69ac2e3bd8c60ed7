/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/linux/module_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "inspect/decoder.h"

#define CHUNK (128U << 10)

bool module_file_is_packed(const char *path)
{
    size_t len = strlen(path);

    return len < 3 || strcmp(path + len - 3, ".ko") != 0;
}

char *module_file_plain(const char *path)
{
    const char *dot = strrchr(path, '.');

    return module_file_is_packed(path) && dot ? mem_strndup(path, (size_t)(dot - path))
                                              : mem_strdup(path);
}

static void free_decoder(struct decoder **decoder)
{
    decoder_free(*decoder);
}

int module_file_unpack(const char *path, char **data, size_t *len, struct err *err)
{
    const char *name = decoder_detect((const uint8_t *)*data, *len);
    CLEANUP(free_decoder) struct decoder *decoder = name ? decoder_new(name) : NULL;
    CLEANUP_FREE uint8_t *piece = mem_alloc(CHUNK);
    CLEANUP_STRBUF struct strbuf out = { 0 };
    struct decoder_io io = { .in = (const uint8_t *)*data, .in_len = *len, .in_end = true };
    int done = 0;

    if (!decoder)
        return err_set(err, EBADMSG, "%s is compressed in a way that is not known", path);
    while (!done) {
        io.out = piece;
        io.out_room = CHUNK;
        done = decoder_step(decoder, &io);
        if (done < 0)
            return err_set(err, -done, "unpack %s", path);
        strbuf_add(&out, piece, CHUNK - io.out_room);
        if (out.len > MODULE_FILE_MAX)
            return err_set(err, EFBIG, "unpack %s", path);
    }
    free(*data);
    *len = out.len;
    *data = strbuf_take(&out);
    return 0;
}
