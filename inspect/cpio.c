/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/cpio.h"

#include <errno.h>
#include <string.h>

void cpio_init(struct cpio *cpio, const struct cpio_sink *sink)
{
    *cpio = (struct cpio){ .sink = *sink, .state = CPIO_BETWEEN };
}

/* Bytes that fill @len up to a multiple of 4. */
static unsigned padding(uint64_t len)
{
    return (unsigned)(-len & 3);
}

static void collect(struct cpio *cpio, enum cpio_state state, size_t need)
{
    cpio->state = state;
    cpio->have = 0;
    cpio->need = need;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static int parse_header(struct cpio *cpio)
{
    uint32_t fields[13];
    size_t name_len;

    if (memcmp(cpio->text, "070701", 6) != 0 && memcmp(cpio->text, "070702", 6) != 0)
        return -EBADMSG;
    for (size_t i = 0; i < 13; i++) {
        fields[i] = 0;
        for (size_t j = 0; j < 8; j++) {
            int digit = hex_digit(cpio->text[6 + 8 * i + j]);

            if (digit < 0)
                return -EBADMSG;
            fields[i] = fields[i] << 4 | (uint32_t)digit;
        }
    }
    name_len = fields[11];
    if (name_len < 1 || name_len > CPIO_NAME_MAX)
        return -EBADMSG;
    cpio->current = (struct cpio_entry){
        .ino = fields[0],
        .mode = fields[1],
        .nlink = fields[4],
        .size = fields[6],
        .major = fields[7],
        .minor = fields[8],
    };
    cpio->left = name_len;
    collect(cpio, CPIO_NAME, name_len + padding(CPIO_HEADER_LEN + name_len));
    return 0;
}

/* The content, or the padding behind it, is over. */
static int finish_content(struct cpio *cpio)
{
    if (cpio->state == CPIO_CONTENT && cpio->wanted) {
        int r = cpio->sink.end ? cpio->sink.end(cpio->sink.arg) : 0;

        if (r < 0)
            return r;
    }
    cpio->wanted = false;
    if (cpio->state == CPIO_CONTENT) {
        cpio->state = CPIO_PADDING;
        cpio->left = padding(cpio->current.size);
    }
    if (cpio->left > 0)
        return 0;
    collect(cpio, cpio->is_trailer ? CPIO_BETWEEN : CPIO_HEADER, CPIO_HEADER_LEN);
    return 0;
}

static int parse_name(struct cpio *cpio)
{
    size_t name_len = cpio->left;
    int r = 0;

    if (cpio->text[name_len - 1] != '\0')
        return -EBADMSG;
    cpio->current.name = cpio->text;
    cpio->is_trailer = strcmp(cpio->text, CPIO_TRAILER) == 0;
    if (cpio->is_trailer) {
        cpio->n_archives++;
    } else {
        cpio->n_entries++;
        r = cpio->sink.entry(cpio->sink.arg, &cpio->current);
        if (r < 0)
            return r;
    }
    cpio->wanted = r > 0;
    cpio->state = CPIO_CONTENT;
    cpio->left = cpio->current.size;
    return cpio->left == 0 ? finish_content(cpio) : 0;
}

/* Take bytes of the header or name until it is complete. */
static int take_text(struct cpio *cpio, const uint8_t *data, size_t len)
{
    memcpy(cpio->text + cpio->have, data, len);
    cpio->have += len;
    if (cpio->have < cpio->need)
        return 0;
    return cpio->state == CPIO_HEADER ? parse_header(cpio) : parse_name(cpio);
}

static int take_content(struct cpio *cpio, const uint8_t *data, size_t len)
{
    if (cpio->wanted && cpio->state == CPIO_CONTENT) {
        int r = cpio->sink.data(cpio->sink.arg, data, len);

        if (r < 0)
            return r;
    }
    cpio->left -= len;
    return cpio->left == 0 ? finish_content(cpio) : 0;
}

int cpio_feed(struct cpio *cpio, const uint8_t *data, size_t len, size_t *ret_used)
{
    size_t used = 0;
    int r = 0;

    if (cpio->state == CPIO_BETWEEN && len > 0)
        collect(cpio, CPIO_HEADER, CPIO_HEADER_LEN);
    while (r >= 0 && used < len && cpio->state != CPIO_BETWEEN) {
        bool is_text = cpio->state == CPIO_HEADER || cpio->state == CPIO_NAME;
        uint64_t want = is_text ? cpio->need - cpio->have : cpio->left;
        size_t n = want < len - used ? (size_t)want : len - used;

        r = is_text ? take_text(cpio, data + used, n) : take_content(cpio, data + used, n);
        used += n;
    }
    *ret_used = used;
    return r < 0 ? r : 0;
}

uint64_t cpio_skippable(const struct cpio *cpio)
{
    /* not the last byte: taking it ends the entry */
    return cpio->state == CPIO_CONTENT && !cpio->wanted && cpio->left > 1 ? cpio->left - 1 : 0;
}

void cpio_skip(struct cpio *cpio, uint64_t len)
{
    cpio->left -= len;
}
