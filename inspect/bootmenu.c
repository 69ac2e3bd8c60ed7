/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/bootmenu.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"

enum what {
    ARGS = 1 << 0,
    DEVICE = 1 << 1, /* the root's name alone */
    ENTRY = 1 << 2,  /* begins an entry of the menu */
    KERNEL = 1 << 3,
    INITRD = 1 << 4,
    OWN = 1 << 5,    /* of ARGS: more can be added */
    MODULE = 1 << 6, /* for a Xen hypervisor: the first is the kernel, the second its initramfs */
};

/* Case means nothing in some of these formats, and no other word differs by it in the others. */
static const struct keyword {
    enum bootmenu_kind kind;
    const char *word;
    unsigned what;
} keywords[] = {
    { BOOTMENU_BLS, "efi", INITRD }, /* a unified image brings its own */
    { BOOTMENU_BLS, "initrd", INITRD },
    { BOOTMENU_BLS, "linux", KERNEL },
    { BOOTMENU_BLS, "options", ARGS | OWN },
    { BOOTMENU_BLS, "uki", INITRD },
    { BOOTMENU_DRACUT, "kernel_cmdline", ARGS },
    { BOOTMENU_ELILO, "addappend", ARGS },
    { BOOTMENU_ELILO, "append", ARGS | OWN },
    { BOOTMENU_ELILO, "image", ENTRY | KERNEL },
    { BOOTMENU_ELILO, "initrd", INITRD },
    { BOOTMENU_ELILO, "literal", ARGS },
    { BOOTMENU_ELILO, "root", DEVICE },
    { BOOTMENU_GRUB1, "# defoptions", ARGS },
    { BOOTMENU_GRUB1, "# kopt", ARGS | OWN },
    { BOOTMENU_GRUB1, "# kopt_2_6", ARGS },
    { BOOTMENU_GRUB1, "# xenkopt", ARGS },
    { BOOTMENU_GRUB1, "initrd", INITRD },
    { BOOTMENU_GRUB1, "kernel", KERNEL | ARGS | OWN },
    { BOOTMENU_GRUB1, "module", MODULE | ARGS },
    { BOOTMENU_GRUB1, "modulenounzip", MODULE | ARGS },
    { BOOTMENU_GRUB1, "title", ENTRY },
    { BOOTMENU_LIMINE, "cmdline", ARGS | OWN },
    { BOOTMENU_LIMINE, "kernel_cmdline", ARGS | OWN },
    { BOOTMENU_REFIND, "add_options", ARGS },
    { BOOTMENU_REFIND, "initrd", INITRD },
    { BOOTMENU_REFIND, "loader", KERNEL },
    { BOOTMENU_REFIND, "menuentry", ENTRY },
    { BOOTMENU_REFIND, "options", ARGS | OWN },
    { BOOTMENU_SYSLINUX, "append", ARGS | OWN },
    { BOOTMENU_SYSLINUX, "initrd", INITRD },
    { BOOTMENU_SYSLINUX, "kernel", KERNEL },
    { BOOTMENU_SYSLINUX, "label", ENTRY },
    { BOOTMENU_SYSLINUX, "linux", KERNEL },
    { BOOTMENU_UKI, "cmdline", ARGS | OWN },
    { BOOTMENU_ZIPL, "image", KERNEL },
    { BOOTMENU_ZIPL, "parameters", ARGS },
    { BOOTMENU_ZIPL, "ramdisk", INITRD },
};

struct entry {
    bool has_kernel, has_initrd;
    size_t n_modules;
};

struct parser {
    enum bootmenu_kind kind;
    const char *text;
    struct entry *entries; /* the first one: what stands before all of them */
    size_t n_entries;
    size_t *owners; /* of the lines */
    size_t n_owners;
    struct bootmenu *menu;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

static bool ends_keyword(char c)
{
    return is_blank(c) || c == '=' || c == ':' || c == '+';
}

/* What ends a word of arguments; lines may go on behind a backslash. */
static bool ends_arg(const char *text, size_t at, size_t end)
{
    if (text[at] == '\\')
        return at + 1 < end && (text[at + 1] == '\n' || text[at + 1] == '\r');
    return is_blank(text[at]) || is_quote(text[at]) || text[at] == '\n' || text[at] == '\r';
}

bool kernel_arg_next(const char *text, const struct span *at, size_t *pos, struct kernel_arg *ret)
{
    size_t end = at->start + at->len;

    while (*pos < end) {
        size_t start = *pos, name;
        const char *close = NULL;

        while (*pos < end && !ends_arg(text, *pos, end) && text[*pos] != '=')
            (*pos)++;
        name = *pos - start;
        if (*pos >= end)
            return false;
        if (text[(*pos)++] != '=' || name == 0)
            continue;
        ret->name = (struct span){ start, name };
        if (*pos < end && is_quote(text[*pos]))
            close = memchr(text + *pos + 1, text[*pos], end - *pos - 1);
        *pos += close != NULL;
        start = *pos;
        while (*pos < end && (close ? text + *pos < close : !ends_arg(text, *pos, end)))
            (*pos)++;
        ret->value = (struct span){ start, *pos - start };
        return true;
    }
    return false;
}

/* What the line is about; *ret is the value behind the keyword. */
static unsigned read_line(const struct parser *parser, const struct span *line, struct span *ret)
{
    const char *text = parser->text;
    size_t at = line->start, end = line->start + line->len;

    while (at < end && is_blank(text[at]))
        at++;
    if (parser->kind == BOOTMENU_LINES) {
        *ret = (struct span){ at, end - at };
        return at < end && text[at] != '#' ? ARGS | OWN : 0;
    }
    if (parser->kind == BOOTMENU_ZIPL && at < end && text[at] == '[')
        return ENTRY;
    for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
        size_t len = strlen(keywords[i].word);
        size_t value = at + len;

        if (keywords[i].kind != parser->kind || end - at < len ||
            strncasecmp(text + at, keywords[i].word, len) != 0 ||
            (value < end && !ends_keyword(text[value])))
            continue;
        while (value < end && (is_blank(text[value]) || text[value] == '+'))
            value++;
        if (value < end && (text[value] == '=' || text[value] == ':'))
            value++;
        while (value < end && is_blank(text[value]))
            value++;
        *ret = (struct span){ value, end - value };
        return keywords[i].what;
    }
    return 0;
}

/* The first word, without quotes. */
static struct span first_word(const char *text, struct span value)
{
    size_t len = 0;

    if (value.len > 0 && is_quote(text[value.start])) {
        value.start++;
        value.len--;
    }
    while (len < value.len && !is_blank(text[value.start + len]) &&
           !is_quote(text[value.start + len]))
        len++;
    return (struct span){ value.start, len };
}

static bool names_initrd(const char *text, struct span args)
{
    struct kernel_arg arg;
    size_t pos = args.start;

    while (kernel_arg_next(text, &args, &pos, &arg))
        if (span_is(text, arg.name, "initrd"))
            return true;
    return false;
}

static void add_line(struct parser *parser, struct span value, unsigned what)
{
    struct bootmenu_line *line;
    struct entry *entry;

    if (what & ENTRY)
        (void)mem_add(&parser->entries, &parser->n_entries, sizeof(*entry));
    entry = &parser->entries[parser->n_entries - 1];
    entry->has_kernel |= (what & KERNEL) != 0;
    entry->has_initrd |= (what & INITRD) != 0 || ((what & MODULE) && entry->n_modules++ > 0) ||
                         ((what & ARGS) && names_initrd(parser->text, value));
    if (!(what & (ARGS | DEVICE)))
        return;
    line = mem_add(&parser->menu->lines, &parser->menu->n, sizeof(*line));
    line->is_device = (what & DEVICE) != 0;
    line->extends = (what & OWN) != 0;
    line->at = line->is_device ? first_word(parser->text, value) : value;
    *(size_t *)mem_add(&parser->owners, &parser->n_owners, sizeof(size_t)) = parser->n_entries - 1;
}

void bootmenu_parse(enum bootmenu_kind kind, const char *text, size_t len, struct bootmenu *ret)
{
    struct parser parser = { .kind = kind, .text = text, .menu = ret };
    struct span line;
    size_t pos = 0;

    *ret = (struct bootmenu){ 0 };
    (void)mem_add(&parser.entries, &parser.n_entries, sizeof(*parser.entries));
    for (size_t i = 0; i < FIELDS_MAX_LINES && line_next(text, len, &pos, &line); i++) {
        struct span value = { line.start, 0 };
        unsigned what = read_line(&parser, &line, &value);

        if (what)
            add_line(&parser, value, what);
    }
    for (size_t i = 0; i < ret->n; i++) {
        const struct entry *entry = &parser.entries[parser.owners[i]];

        ret->lines[i].has_initrd = entry->has_initrd || !entry->has_kernel;
    }
    free(parser.entries);
    free(parser.owners);
}

void bootmenu_done(struct bootmenu *menu)
{
    free(menu->lines);
    *menu = (struct bootmenu){ 0 };
}
