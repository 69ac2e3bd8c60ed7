/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AddReg: values of the registry (Microsoft, "INF AddReg Directive"). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/utf16.h"
#include "engine/hive.h"
#include "fixers/windows/inf_install.h"

#define FLAG_BINARY 0x1U
#define FLAG_NO_CLOBBER 0x2U
#define FLAG_DELETE 0x4U
#define FLAG_APPEND 0x8U
#define FLAG_KEY_ONLY 0x10U
#define TYPE_MASK 0xffff0001U
#define DATA_FIRST 4U /* field */

/* Types of what is no text; others have their number of the registry in the upper half. */
static const struct {
    uint32_t flags, type;
} types[] = {
    { 0x00000000, REG_SZ },     { 0x00010000, REG_MULTI_SZ }, { 0x00020000, REG_EXPAND_SZ },
    { 0x00000001, REG_BINARY }, { 0x00010001, REG_DWORD },    { 0x00020001, REG_NONE },
    { 0x000b0001, REG_QWORD },
};

/* false: there is no such type. */
static bool read_type(uint32_t flags, uint32_t *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if ((flags & TYPE_MASK) == types[i].flags) {
            *ret = types[i].type;
            return true;
        }
    *ret = flags >> 16;
    return (flags & FLAG_BINARY) != 0;
}

static void add_text(const char *text, struct strbuf *ret)
{
    utf16_from_utf8(text, strlen(text) + 1, ret);
}

/* Bytes in hexadecimal, one in each field. */
static bool read_bytes(const struct inf_line *line, struct strbuf *ret)
{
    for (size_t i = DATA_FIRST; i < line->fields.n; i++) {
        const char *text = inf_field(line, i);
        char *end = NULL;
        unsigned long byte = strtoul(text, &end, 16);

        if (end == text || *end || byte > 0xff || text[0] == '-')
            return false;
        strbuf_putc(ret, (char)byte);
    }
    return true;
}

/* A number, or its bytes. */
static bool read_number(const struct inf_line *line, size_t size, struct strbuf *ret)
{
    const char *text = inf_field(line, DATA_FIRST);
    unsigned char bytes[8];
    char *end = NULL;

    if (line->fields.n > DATA_FIRST + 1)
        return read_bytes(line, ret) && ret->len == size;
    put_le64(bytes, *text ? strtoull(text, &end, 0) : 0);
    strbuf_add(ret, bytes, size);
    return !end || (end > text && !*end);
}

static bool read_data(const struct inf_line *line, uint32_t type, struct strbuf *ret)
{
    switch (type) {
    case REG_SZ:
    case REG_EXPAND_SZ:
        add_text(inf_field(line, DATA_FIRST), ret);
        return true;
    case REG_MULTI_SZ:
        for (size_t i = DATA_FIRST; i < line->fields.n; i++)
            if (*inf_field(line, i))
                add_text(inf_field(line, i), ret);
        add_text("", ret);
        return true;
    case REG_DWORD:
        return read_number(line, 4, ret);
    case REG_QWORD:
        return read_number(line, 8, ret);
    default:
        return read_bytes(line, ret);
    }
}

static void read_reg(struct inf_reading *reading, const char *section, const struct inf_line *line,
                     struct inf_regs *regs)
{
    CLEANUP_STRBUF struct strbuf data = { 0 };
    const char *flags_text = inf_field(line, 3);
    uint32_t flags = 0, type = REG_NONE;
    struct inf_reg *reg;

    if ((*flags_text && inf_number(flags_text, &flags) < 0) || !read_type(flags, &type) ||
        (!(flags & (FLAG_KEY_ONLY | FLAG_DELETE)) && !read_data(line, type, &data))) {
        inf_complain(reading, "[%.64s] a value is left out: %.64s %.64s", section,
                     inf_field(line, 1), inf_field(line, 2));
        return;
    }
    reg = mem_add(&regs->items, &regs->n, sizeof(*regs->items));
    reg->root = mem_strdup(inf_field(line, 0));
    reg->key = mem_strdup(inf_field(line, 1));
    reg->name = mem_strdup(inf_field(line, 2));
    reg->flags = flags;
    reg->type = type;
    reg->no_clobber = (flags & FLAG_NO_CLOBBER) != 0;
    reg->is_delete = (flags & FLAG_DELETE) != 0;
    reg->is_append = (flags & FLAG_APPEND) != 0;
    reg->key_only = (flags & FLAG_KEY_ONLY) != 0;
    reg->len = data.len;
    reg->data = strbuf_take(&data);
}

void inf_regs_read(struct inf_reading *reading, const struct inf_section *section,
                   struct inf_regs *ret)
{
    const struct inf_line *line;

    for (size_t at = 0; (line = inf_next(section, "AddReg", &at)) != NULL;)
        for (size_t i = 0; i < line->fields.n && inf_room(reading); i++) {
            const char *name = inf_field(line, i);
            const struct inf_section *list = inf_section(reading->inf, name);

            for (size_t k = 0; list && k < list->n_lines && inf_room(reading); k++)
                read_reg(reading, name, &list->lines[k], ret);
        }
}

void inf_regs_done(struct inf_regs *regs)
{
    for (size_t i = 0; i < regs->n; i++) {
        free(regs->items[i].root);
        free(regs->items[i].key);
        free(regs->items[i].name);
        free(regs->items[i].data);
    }
    free(regs->items);
    *regs = (struct inf_regs){ .n = 0 };
}
