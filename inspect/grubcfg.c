/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/grubcfg.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"

#define MAX_WORDS 512 /* of one command; more are passed over */
#define MAX_DEPTH 32  /* of blocks */

struct word {
    struct span at;
    char *text; /* without quotes and escapes */
};

struct parser {
    const char *text;
    size_t len, pos;
    struct word words[MAX_WORDS]; /* of the command being read */
    size_t n_words;
    size_t blocks[MAX_DEPTH]; /* open blocks: the entry each belongs to */
    size_t depth;             /* may be larger than MAX_DEPTH: deeper blocks are only counted */
    size_t current_linux;     /* that an initrd command would belong to */
    struct grubcfg *cfg;
};

/* ---- words ---- */

/* Copy a quoted piece that opens at parser->pos and move behind it. */
static void read_quoted(struct parser *parser, struct strbuf *out)
{
    char quote = parser->text[parser->pos++];

    while (parser->pos < parser->len && parser->text[parser->pos] != quote) {
        if (quote == '"' && parser->text[parser->pos] == '\\' && parser->pos + 1 < parser->len)
            parser->pos++;
        strbuf_putc(out, parser->text[parser->pos++]);
    }
    if (parser->pos < parser->len)
        parser->pos++;
}

static bool ends_word(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ';' || c == '&' || c == '|';
}

static void read_word(struct parser *parser)
{
    struct strbuf out = { 0 };
    size_t start = parser->pos;

    while (parser->pos < parser->len && !ends_word(parser->text[parser->pos])) {
        char c = parser->text[parser->pos];

        if (c == '"' || c == '\'') {
            read_quoted(parser, &out);
            continue;
        }
        if (c == '\\' && parser->pos + 1 < parser->len) {
            parser->pos++;
            c = parser->text[parser->pos];
            if (c == '\n') { /* a line that goes on */
                parser->pos++;
                continue;
            }
        }
        strbuf_putc(&out, c);
        parser->pos++;
    }
    if (parser->n_words >= MAX_WORDS) {
        strbuf_done(&out);
        return;
    }
    parser->words[parser->n_words++] = (struct word){
        .at = { .start = start, .len = parser->pos - start },
        .text = strbuf_take(&out),
    };
}

static void drop_words(struct parser *parser)
{
    for (size_t i = 0; i < parser->n_words; i++)
        free(parser->words[i].text);
    parser->n_words = 0;
}

/* Read one command: words up to ';', the end of the line, or behind a brace that opens or closes a
 * block. false at the end of the text. */
static bool read_command(struct parser *parser)
{
    drop_words(parser);
    while (parser->pos < parser->len) {
        char c = parser->text[parser->pos];

        if (c == '#') {
            const char *end = memchr(parser->text + parser->pos, '\n', parser->len - parser->pos);

            parser->pos = end ? (size_t)(end - parser->text) : parser->len;
        } else if (c == ' ' || c == '\t' || c == '\r') {
            parser->pos++;
        } else if (ends_word(c)) {
            parser->pos++;
            return true;
        } else {
            size_t n = parser->n_words;

            read_word(parser);
            if (parser->n_words == n + 1 && parser->words[n].at.len == 1 && (c == '{' || c == '}'))
                return true;
        }
    }
    return parser->n_words > 0;
}

/* ---- commands ---- */

static size_t current_entry(const struct parser *parser)
{
    if (parser->depth == 0)
        return GRUBCFG_NONE;
    return parser->blocks[parser->depth <= MAX_DEPTH ? parser->depth - 1 : MAX_DEPTH - 1];
}

static void push_block(struct parser *parser, size_t entry)
{
    if (parser->depth < MAX_DEPTH)
        parser->blocks[parser->depth] = entry;
    parser->depth++;
}

static char *entry_number(struct grubcfg *cfg, size_t parent, size_t entry)
{
    size_t index = 0;

    if (parent != GRUBCFG_NONE) {
        index = cfg->entries[parent].n_children++;
        return mem_printf("%s>%zu", cfg->entries[parent].number, index);
    }
    for (size_t i = 0; i < entry; i++)
        index += cfg->entries[i].parent == GRUBCFG_NONE;
    return mem_printf("%zu", index);
}

/* menuentry and submenu: TITLE [OPTION...] { */
static void open_entry(struct parser *parser, const struct word *words, size_t n)
{
    struct grubcfg *cfg = parser->cfg;
    size_t parent = current_entry(parser);
    size_t index = cfg->n_entries;
    struct grubcfg_entry *entry;

    if (cfg->n_entries >= FIELDS_MAX_LINES / 16 ||
        (parent != GRUBCFG_NONE && !cfg->entries[parent].is_submenu)) {
        push_block(parser, parent);
        return;
    }
    entry = mem_add(&cfg->entries, &cfg->n_entries, sizeof(*entry));
    entry->parent = parent;
    entry->is_submenu = strcmp(words[0].text, "submenu") == 0;
    entry->title = mem_strdup(n > 1 ? words[1].text : "");
    entry->number = entry_number(cfg, parent, index);
    for (size_t i = 2; i + 1 < n && !entry->id; i++) {
        /* grub-mkconfig writes the option's name as a variable that old versions leave empty */
        if (strcmp(words[i].text, "--id") == 0 ||
            strcmp(words[i].text, "$menuentry_id_option") == 0 ||
            strcmp(words[i].text, "${menuentry_id_option}") == 0)
            entry->id = mem_strdup(words[i + 1].text);
    }
    if (!entry->id)
        entry->id = mem_strdup("");
    push_block(parser, index);
    parser->current_linux = GRUBCFG_NONE;
}

/* Where the value of "name=value" stands: quotes around it, or around the whole word, are not part
 * of it. */
static void locate_value(const struct parser *parser, const struct word *word,
                         struct grubcfg_arg *arg)
{
    const char *raw = parser->text + word->at.start;
    const char *equal = memchr(raw, '=', word->at.len);
    size_t start = equal ? (size_t)(equal - raw) + 1 : word->at.len;
    size_t end = word->at.len;

    if ((raw[0] == '"' || raw[0] == '\'') && end > start && raw[end - 1] == raw[0]) {
        end--;
    } else if (end - start >= 2 && (raw[start] == '"' || raw[start] == '\'') &&
               raw[end - 1] == raw[start]) {
        start++;
        end--;
    }
    arg->value_at = (struct span){ .start = word->at.start + start, .len = end - start };
    arg->plain = arg->value && strlen(arg->value) == arg->value_at.len &&
                 memcmp(arg->value, raw + start, end - start) == 0;
}

static void read_arg(const struct parser *parser, const struct word *word, struct grubcfg_arg *ret)
{
    const char *equal = strchr(word->text, '=');

    ret->name =
        equal ? mem_strndup(word->text, (size_t)(equal - word->text)) : mem_strdup(word->text);
    ret->value = equal ? mem_strdup(equal + 1) : NULL;
    locate_value(parser, word, ret);
}

static void add_linux(struct parser *parser, const struct word *words, size_t n)
{
    struct grubcfg *cfg = parser->cfg;
    struct grubcfg_linux *linux_;

    if (n < 2 || cfg->n_linuxes >= FIELDS_MAX_LINES / 16)
        return;
    parser->current_linux = cfg->n_linuxes;
    linux_ = mem_add(&cfg->linuxes, &cfg->n_linuxes, sizeof(*linux_));
    linux_->entry = current_entry(parser);
    linux_->path = mem_strdup(words[1].text);
    linux_->initrd = mem_strdup("");
    linux_->at = (struct span){ words[1].at.start,
                                words[n - 1].at.start + words[n - 1].at.len - words[1].at.start };
    for (size_t i = 2; i < n; i++)
        read_arg(parser, &words[i], mem_add(&linux_->args, &linux_->n_args, sizeof(*linux_->args)));
}

static void set_initrd(struct parser *parser, const struct word *words, size_t n)
{
    struct grubcfg_linux *linux_;

    if (n < 2 || parser->current_linux == GRUBCFG_NONE)
        return;
    linux_ = &parser->cfg->linuxes[parser->current_linux];
    if (linux_->entry != current_entry(parser))
        return;
    free(linux_->initrd);
    linux_->initrd = mem_strdup(words[n - 1].text); /* microcode images come before it */
}

/* set NAME=VALUE */
static void set_variable(struct parser *parser, const struct word *words, size_t n)
{
    struct grubcfg *cfg = parser->cfg;
    const char *equal = n > 1 ? strchr(words[1].text, '=') : NULL;
    struct grubcfg_arg *var;

    if (!equal || cfg->n_vars >= FIELDS_MAX_LINES / 16)
        return;
    var = mem_add(&cfg->vars, &cfg->n_vars, sizeof(*var));
    read_arg(parser, &words[1], var);
    if (!var->value || strcmp(var->name, "default") != 0)
        return;
    if (strstr(var->value, "saved_entry")) {
        cfg->default_saved = true;
    } else if (*var->value && *var->value != '$') {
        free(cfg->default_text);
        cfg->default_text = mem_strdup(var->value);
    }
}

static const struct {
    const char *name;
    void (*run)(struct parser *parser, const struct word *words, size_t n);
} commands[] = {
    { "initrd", set_initrd },    { "initrd16", set_initrd }, { "initrdefi", set_initrd },
    { "linux", add_linux },      { "linux16", add_linux },   { "linuxefi", add_linux },
    { "menuentry", open_entry }, { "set", set_variable },    { "submenu", open_entry },
};

static void run_command(struct parser *parser)
{
    static const char *const before[] = { "do", "elif", "else", "if", "then", "until", "while" };
    const struct word *words = parser->words;
    size_t n = parser->n_words;
    bool opens;

    for (size_t i = 0; n > 0 && i < ARRAY_SIZE(before); i++) {
        if (strcmp(words[0].text, before[i]) == 0) {
            words++;
            n--;
            i = (size_t)-1;
        }
    }
    if (n == 0)
        return;
    if (span_is(parser->text, words[n - 1].at, "}")) {
        if (parser->depth > 0)
            parser->depth--;
        return;
    }
    opens = span_is(parser->text, words[n - 1].at, "{");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        bool is_entry = commands[i].run == open_entry;

        if (strcmp(words[0].text, commands[i].name) == 0 && is_entry == opens) {
            commands[i].run(parser, words, n);
            return;
        }
    }
    if (opens) /* function NAME {: what is in it belongs to no entry */
        push_block(parser, current_entry(parser));
}

void grubcfg_parse(const char *text, size_t len, struct grubcfg *ret)
{
    struct parser *parser = mem_alloc(sizeof(*parser));

    *ret = (struct grubcfg){ .default_text = mem_strdup("0") };
    parser->text = text;
    parser->len = len;
    parser->current_linux = GRUBCFG_NONE;
    parser->cfg = ret;
    while (read_command(parser))
        run_command(parser);
    drop_words(parser);
    free(parser);
}

static void args_done(struct grubcfg_arg *args, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(args[i].name);
        free(args[i].value);
    }
    free(args);
}

void grubcfg_done(struct grubcfg *cfg)
{
    for (size_t i = 0; i < cfg->n_entries; i++) {
        free(cfg->entries[i].title);
        free(cfg->entries[i].id);
        free(cfg->entries[i].number);
    }
    for (size_t i = 0; i < cfg->n_linuxes; i++) {
        args_done(cfg->linuxes[i].args, cfg->linuxes[i].n_args);
        free(cfg->linuxes[i].path);
        free(cfg->linuxes[i].initrd);
    }
    args_done(cfg->vars, cfg->n_vars);
    free(cfg->entries);
    free(cfg->linuxes);
    free(cfg->default_text);
    *cfg = (struct grubcfg){ 0 };
}

/* ---- the default entry ---- */

/* Is @part (of @len bytes) a name of the entry: its number in its menu, id or title? */
static bool names_entry(const struct grubcfg_entry *entry, const char *part, size_t len)
{
    const char *last = strrchr(entry->number, '>');
    const char *names[] = { last ? last + 1 : entry->number, entry->id, entry->title };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (len > 0 && strlen(names[i]) == len && memcmp(names[i], part, len) == 0)
            return true;
    return false;
}

/* The entry that "a>b" names; GRUBCFG_NONE when there is none. */
static size_t find_entry(const struct grubcfg *cfg, const char *name)
{
    size_t parent = GRUBCFG_NONE;

    for (;;) {
        size_t len = strcspn(name, ">");
        size_t found = GRUBCFG_NONE;

        for (size_t i = 0; i < cfg->n_entries && found == GRUBCFG_NONE; i++)
            if (cfg->entries[i].parent == parent && names_entry(&cfg->entries[i], name, len))
                found = i;
        if (found == GRUBCFG_NONE || name[len] == '\0')
            return found;
        parent = found;
        name += len + 1;
    }
}

/* First kernel of the entry or, for a submenu, of its first entry. */
static size_t entry_linux(const struct grubcfg *cfg, size_t entry)
{
    for (size_t i = 0; i < cfg->n_linuxes; i++)
        for (size_t at = cfg->linuxes[i].entry; at != GRUBCFG_NONE; at = cfg->entries[at].parent)
            if (at == entry)
                return i;
    return GRUBCFG_NONE;
}

size_t grubcfg_default(const struct grubcfg *cfg, const char *saved)
{
    const char *names[] = { cfg->default_saved ? saved : NULL, cfg->default_text, "0" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        size_t entry = names[i] && *names[i] ? find_entry(cfg, names[i]) : GRUBCFG_NONE;
        size_t found = entry == GRUBCFG_NONE ? GRUBCFG_NONE : entry_linux(cfg, entry);

        if (found != GRUBCFG_NONE)
            return found;
    }
    return cfg->n_linuxes > 0 ? 0 : GRUBCFG_NONE;
}
