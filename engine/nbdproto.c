/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/nbdproto.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "engine/base/le.h"
#include "engine/base/mem.h"

/* All numbers are big-endian. */
#define MAGIC_HELLO 0x4e42444d41474943ULL  /* "NBDMAGIC" */
#define MAGIC_OPTION 0x49484156454f5054ULL /* "IHAVEOPT" */
#define MAGIC_REPLY 0x0003e889045565a9ULL

#define FIXED_NEWSTYLE (1U << 0) /* both ways */
#define OPT_GO 7U
#define REP_ACK 1U
#define REP_INFO 3U
#define REP_ERROR (1U << 31)
#define INFO_EXPORT 0U

#define HELLO_SIZE 18U
#define REQUEST_MAGIC 0x25609513U
#define REQUEST_SIZE 28U
#define SIMPLE_REPLY_MAGIC 0x67446698U
#define SIMPLE_REPLY_SIZE 16U
#define REPLY_SIZE 20U
#define EXPORT_SIZE 12U
#define DATA_MAX 4096U /* of one reply: a few numbers, or an error text */
#define REPLIES_MAX 64U

static void put_be32(uint8_t *at, uint32_t value)
{
    value = htobe32(value);
    memcpy(at, &value, sizeof(value));
}

static void put_be64(uint8_t *at, uint64_t value)
{
    value = htobe64(value);
    memcpy(at, &value, sizeof(value));
}

static int take(const struct nbdproto_stream *stream, void *data, size_t len, const char *what,
                struct err *err)
{
    int r = stream->read(stream->arg, data, len);

    return r < 0 ? err_set(err, -r, "read %s from the NBD server", what) : 0;
}

static int greet(const struct nbdproto_stream *stream, struct err *err)
{
    uint8_t hello[HELLO_SIZE];
    /* our flags, then the option: magic, number, length of the data (empty name, no requests) */
    uint8_t go[4 + 8 + 4 + 4 + 6] = { 0 };
    int r = take(stream, hello, sizeof(hello), "the greeting", err);

    if (r < 0)
        return r;
    if (get_be64(hello) != MAGIC_HELLO || get_be64(hello + 8) != MAGIC_OPTION ||
        !(get_be16(hello + 16) & FIXED_NEWSTYLE))
        return err_set(err, EPROTO, "greet the NBD server: it does not speak fixed newstyle");
    put_be32(go, FIXED_NEWSTYLE);
    put_be64(go + 4, MAGIC_OPTION);
    put_be32(go + 12, OPT_GO);
    put_be32(go + 16, 6);
    r = stream->write(stream->arg, go, sizeof(go));
    return r < 0 ? err_set(err, -r, "write to the NBD server") : 0;
}

/* 1: it acknowledged, nothing but the transmission follows. */
static int take_reply(const struct nbdproto_stream *stream, struct nbdproto_export *export,
                      bool *known, struct err *err)
{
    uint8_t reply[REPLY_SIZE], data[DATA_MAX];
    uint32_t type, len;
    int r = take(stream, reply, sizeof(reply), "a reply", err);

    if (r < 0)
        return r;
    type = get_be32(reply + 12);
    len = get_be32(reply + 16);
    if (get_be64(reply) != MAGIC_REPLY || get_be32(reply + 8) != OPT_GO || len > sizeof(data))
        return err_set(err, EPROTO, "read a reply from the NBD server: it is none to our request");
    r = take(stream, data, len, "a reply", err);
    if (r < 0)
        return r;
    if (type & REP_ERROR)
        return err_set(err, EPROTO, "open the export: the NBD server refuses (error %u): %.*s",
                       type & ~REP_ERROR, (int)len, (const char *)data);
    if (type == REP_ACK)
        return 1;
    if (type == REP_INFO && len == EXPORT_SIZE && get_be16(data) == INFO_EXPORT) {
        export->size_bytes = get_be64(data + 2);
        export->flags = get_be16(data + 10);
        *known = true;
    }
    return 0;
}

int nbdproto_go(const struct nbdproto_stream *stream, struct nbdproto_export *ret, struct err *err)
{
    bool known = false;
    int r = greet(stream, err);

    if (r < 0)
        return r;
    for (unsigned n = 0; n < REPLIES_MAX; n++) {
        r = take_reply(stream, ret, &known, err);
        if (r < 0)
            return r;
        if (r > 0 && known)
            return 0;
        if (r > 0)
            break;
    }
    return err_set(err, EPROTO, "open the export: the NBD server does not tell its size");
}

int nbdproto_read(const struct nbdproto_stream *stream, uint64_t offset, void *buf, uint32_t len,
                  struct err *err)
{
    uint8_t request[REQUEST_SIZE] = { 0 }, reply[SIMPLE_REPLY_SIZE];
    int r;

    put_be32(request, REQUEST_MAGIC); /* flags, command (0: read) and cookie stay 0 */
    put_be64(request + 16, offset);
    put_be32(request + 24, len);
    r = stream->write(stream->arg, request, sizeof(request));
    if (r < 0)
        return err_set(err, -r, "write to the NBD server");
    r = take(stream, reply, sizeof(reply), "a reply", err);
    if (r < 0)
        return r;
    if (get_be32(reply) != SIMPLE_REPLY_MAGIC || get_be64(reply + 8) != 0)
        return err_set(err, EPROTO, "read a reply from the NBD server: it is none to our request");
    if (get_be32(reply + 4) != 0)
        return err_set(err, EIO, "read from the NBD server: error %u", get_be32(reply + 4));
    return take(stream, buf, len, "data", err);
}
