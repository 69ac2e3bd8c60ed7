/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A row of items: one letter, the length in 4 bytes, the bytes. */
#include "inspect/initramfs_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/strbuf.h"
#include "inspect/decoder.h"

enum item {
    ITEM_COMPRESSION = 'c',
    ITEM_NUMBERS = 's', /* struct numbers: both sides are the same program */
    ITEM_PREFIX = 'p',
    ITEM_FLAT = 'o', /* folder of modules without a prefix */
    ITEM_MODULE = 'm',
    ITEM_LINK = 'l',
    ITEM_NAME = 'n',
    ITEM_KEPT = 'f',      /* name of a file whose content is kept */
    ITEM_KEPT_DATA = 'd', /* content of the last one */
};

struct numbers {
    uint64_t unpacked_bytes, image_bytes;
    uint8_t has_early;
};

static void put(struct strbuf *out, enum item item, const void *data, size_t len)
{
    uint32_t size = (uint32_t)len;

    strbuf_putc(out, (char)item);
    strbuf_add(out, &size, sizeof(size));
    strbuf_add(out, data, len);
}

static void put_text(struct strbuf *out, enum item item, const char *text)
{
    put(out, item, text, strlen(text));
}

static void put_list(struct strbuf *out, enum item item, const struct strlist *list)
{
    for (size_t i = 0; i < list->n && out->len <= INITRAMFS_WIRE_MAX; i++)
        put_text(out, item, list->items[i]);
}

int initramfs_pack(const struct initramfs *initramfs, struct strbuf *ret)
{
    struct numbers numbers = { 0 };

    numbers.unpacked_bytes = initramfs->unpacked_bytes;
    numbers.image_bytes = initramfs->image_bytes;
    numbers.has_early = initramfs->has_early;
    put(ret, ITEM_NUMBERS, &numbers, sizeof(numbers));
    put_text(ret, ITEM_COMPRESSION, initramfs->compression);
    if (initramfs->modules_prefix)
        put_text(ret, ITEM_PREFIX, initramfs->modules_prefix);
    if (initramfs->flat_folder)
        put_text(ret, ITEM_FLAT, initramfs->flat_folder);
    put_list(ret, ITEM_MODULE, &initramfs->modules);
    put_list(ret, ITEM_LINK, &initramfs->links);
    put_list(ret, ITEM_NAME, &initramfs->names);
    for (size_t i = 0; i < initramfs->n_kept && ret->len <= INITRAMFS_WIRE_MAX; i++) {
        put_text(ret, ITEM_KEPT, initramfs->kept[i].name);
        put(ret, ITEM_KEPT_DATA, initramfs->kept[i].data, initramfs->kept[i].len);
    }
    return ret->len <= INITRAMFS_WIRE_MAX ? 0 : -EFBIG;
}

/* The literal for a name of a compression; NULL: there is no such one. */
static const char *compression_literal(const char *name)
{
    return strcmp(name, "none") == 0 ? "none" : decoder_literal(name);
}

static bool is_prefix(const char *text)
{
    return strchr(text, '/') && text[0] != '/' && text[strlen(text) - 1] != '/';
}

static int take_kept_data(struct initramfs *initramfs, const char *data, size_t len)
{
    struct initramfs_file *file =
        initramfs->n_kept ? &initramfs->kept[initramfs->n_kept - 1] : NULL;

    if (!file || file->data)
        return -EBADMSG;
    file->data = mem_alloc(len + 1);
    memcpy(file->data, data, len);
    file->len = len;
    return 0;
}

static int take_text(struct initramfs *initramfs, enum item item, char *text)
{
    CLEANUP_FREE char *owned = text;
    struct initramfs_file *file;

    switch (item) {
    case ITEM_COMPRESSION:
        initramfs->compression = compression_literal(owned);
        return initramfs->compression ? 0 : -EBADMSG;
    case ITEM_PREFIX:
        if (initramfs->modules_prefix || !is_prefix(owned))
            return -EBADMSG;
        initramfs->modules_prefix = TAKE(owned);
        return 0;
    case ITEM_FLAT:
        if (initramfs->flat_folder || !*owned)
            return -EBADMSG;
        initramfs->flat_folder = TAKE(owned);
        return 0;
    case ITEM_MODULE:
        strlist_take(&initramfs->modules, TAKE(owned));
        return 0;
    case ITEM_LINK:
        strlist_take(&initramfs->links, TAKE(owned));
        return 0;
    case ITEM_NAME:
        strlist_take(&initramfs->names, TAKE(owned));
        return 0;
    case ITEM_KEPT:
        if (!*owned)
            return -EBADMSG;
        file = mem_add(&initramfs->kept, &initramfs->n_kept, sizeof(*file));
        file->name = TAKE(owned);
        return 0;
    case ITEM_NUMBERS:
    case ITEM_KEPT_DATA:
        break;
    }
    return -EBADMSG;
}

static int take_item(struct initramfs *initramfs, enum item item, const char *data, size_t len)
{
    struct numbers numbers;

    if (item == ITEM_KEPT_DATA)
        return take_kept_data(initramfs, data, len);
    if (item != ITEM_NUMBERS)
        return take_text(initramfs, item, mem_strndup(data, len));
    if (len != sizeof(numbers))
        return -EBADMSG;
    memcpy(&numbers, data, sizeof(numbers));
    initramfs->unpacked_bytes = numbers.unpacked_bytes;
    initramfs->image_bytes = numbers.image_bytes;
    initramfs->has_early = numbers.has_early != 0;
    return 0;
}

/* Every file has its content, and what is never NULL is there. */
static bool is_complete(const struct initramfs *initramfs)
{
    for (size_t i = 0; i < initramfs->n_kept; i++)
        if (!initramfs->kept[i].data)
            return false;
    return initramfs->compression != NULL;
}

int initramfs_unpack(const char *bytes, size_t len, struct initramfs *ret)
{
    CLEANUP(initramfs_done) struct initramfs initramfs = { 0 };
    size_t at = 0;

    while (at < len) {
        enum item item = (enum item)bytes[at];
        uint32_t size = 0;

        if (len - at < 1 + sizeof(size))
            return -EBADMSG;
        memcpy(&size, bytes + at + 1, sizeof(size));
        at += 1 + sizeof(size);
        if (size > len - at || take_item(&initramfs, item, bytes + at, size) < 0)
            return -EBADMSG;
        at += size;
    }
    if (!is_complete(&initramfs))
        return -EBADMSG;
    *ret = initramfs;
    initramfs = (struct initramfs){ 0 };
    return 0;
}
