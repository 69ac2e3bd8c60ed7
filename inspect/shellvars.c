/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/shellvars.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"
#include "engine/base/strbuf.h"

static bool is_name_char(char c, bool first)
{
    return c == '_' || isalpha((unsigned char)c) || (!first && isdigit((unsigned char)c));
}

static bool ends_word(char c)
{
    return strchr(" \t\r\n;&|", c) != NULL; /* also NUL */
}

/* One assignment's right side while it is read. */
struct word {
    struct strbuf plain; /* quotes and escapes taken away */
    bool literal;
    unsigned n_quoted; /* quoted pieces */
    bool bare;         /* has bytes outside quotes */
};

/* Read "..." or '...' that opens at @pos; returns the position behind it (the end of the text when
 * it is not closed). */
static size_t read_quoted(const char *text, size_t len, size_t pos, struct word *word)
{
    char quote = text[pos++];

    word->n_quoted++;
    while (pos < len && text[pos] != quote) {
        if (quote == '"' && text[pos] == '\\' && pos + 1 < len) {
            char next = text[pos + 1];

            if (!strchr("\"\\$`\n", next) || next == '\0')
                strbuf_putc(&word->plain, '\\');
            if (next != '\n')
                strbuf_putc(&word->plain, next);
            pos += 2;
            continue;
        }
        if (quote == '"' && (text[pos] == '$' || text[pos] == '`'))
            word->literal = false;
        strbuf_putc(&word->plain, text[pos++]);
    }
    if (pos >= len) {
        word->literal = false;
        return len;
    }
    return pos + 1;
}

/* Read the value that begins at @pos; returns the position behind it. */
static size_t read_word(const char *text, size_t len, size_t pos, struct word *word)
{
    word->literal = true;
    while (pos < len && !ends_word(text[pos])) {
        if (text[pos] == '"' || text[pos] == '\'') {
            pos = read_quoted(text, len, pos, word);
            continue;
        }
        word->bare = true;
        if (text[pos] == '$' || text[pos] == '`' || text[pos] == '(')
            word->literal = false;
        if (text[pos] == '\\' && pos + 1 < len) {
            if (text[pos + 1] != '\n')
                strbuf_putc(&word->plain, text[pos + 1]);
            pos += 2;
            continue;
        }
        strbuf_putc(&word->plain, text[pos++]);
    }
    return pos;
}

static void add_var(struct shellvars *vars, const char *text, size_t len, struct span name,
                    size_t *pos)
{
    struct shellvar *var = mem_add(&vars->vars, &vars->n, sizeof(*var));
    struct word word = { 0 };
    size_t end = read_word(text, len, *pos, &word);
    bool one_pair = word.n_quoted == 1 && !word.bare && end - *pos >= 2;

    var->name = span_dup(text, name);
    var->appends = text[name.start + name.len] == '+';
    var->at = (struct span){ .start = *pos, .len = end - *pos };
    var->raw = var->at;
    if (one_pair && text[end - 1] == text[*pos]) {
        var->quote = text[*pos];
        var->raw.start++;
        var->raw.len -= 2;
    }
    var->literal = word.literal;
    var->value = word.literal ? strbuf_take(&word.plain) : span_dup(text, var->raw);
    strbuf_done(&word.plain);
    *pos = end;
}

static size_t skip_blanks(const char *text, size_t len, size_t pos)
{
    while (pos < len && (text[pos] == ' ' || text[pos] == '\t'))
        pos++;
    return pos;
}

/* The name of an assignment at @pos (behind blanks and "export"); false when it is not one. */
static bool read_name(const char *text, size_t len, size_t *pos, struct span *ret)
{
    size_t at = skip_blanks(text, len, *pos);

    if (len - at > 7 && memcmp(text + at, "export", 6) == 0 &&
        (text[at + 6] == ' ' || text[at + 6] == '\t'))
        at = skip_blanks(text, len, at + 6);
    ret->start = at;
    while (at < len && is_name_char(text[at], at == ret->start))
        at++;
    ret->len = at - ret->start;
    if (at + 1 < len && text[at] == '+' && text[at + 1] == '=')
        at++;
    if (ret->len == 0 || at >= len || text[at] != '=')
        return false;
    *pos = at + 1;
    return true;
}

void shellvars_parse(const char *text, size_t len, struct shellvars *ret)
{
    size_t pos = 0;

    *ret = (struct shellvars){ 0 };
    while (pos < len && ret->n < FIELDS_MAX_LINES) {
        const char *end;
        struct span name;

        if (read_name(text, len, &pos, &name))
            add_var(ret, text, len, name, &pos);
        end = pos < len ? memchr(text + pos, '\n', len - pos) : NULL;
        pos = end ? (size_t)(end - text) + 1 : len;
    }
}

void shellvars_done(struct shellvars *vars)
{
    for (size_t i = 0; i < vars->n; i++) {
        free(vars->vars[i].name);
        free(vars->vars[i].value);
    }
    free(vars->vars);
    *vars = (struct shellvars){ 0 };
}

const struct shellvar *shellvars_find(const struct shellvars *vars, const char *name)
{
    for (size_t i = vars->n; i-- > 0;)
        if (!vars->vars[i].appends && strcmp(vars->vars[i].name, name) == 0)
            return &vars->vars[i];
    return NULL;
}

const char *shellvars_get(const struct shellvars *vars, const char *name)
{
    const struct shellvar *var = shellvars_find(vars, name);

    return var ? var->value : NULL;
}

static bool is_safe(const char *value)
{
    for (const char *c = value; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("_-./:@%+,=", *c))
            return false;
    return true;
}

/* @value between quotes of the kind @quote; 0: none are needed when it is safe. */
static char *quoted(const char *value, char quote)
{
    struct strbuf out = { 0 };

    if (quote == 0 && *value && is_safe(value))
        return mem_strdup(value);
    if (quote == '\'' && !strchr(value, '\''))
        return mem_printf("'%s'", value);
    strbuf_putc(&out, '"');
    for (const char *c = value; *c; c++) {
        if (strchr("\"\\$`", *c))
            strbuf_putc(&out, '\\');
        strbuf_putc(&out, *c);
    }
    strbuf_putc(&out, '"');
    return strbuf_take(&out);
}

/* A new line at the end, in the file's own line ending. */
static char *added_line(const char *text, size_t len, const char *name, const char *value)
{
    const char *first = len > 0 ? memchr(text, '\n', len) : NULL;
    const char *eol = first && first > text && first[-1] == '\r' ? "\r\n" : "\n";

    return mem_printf("%s%s=%s%s", len > 0 && text[len - 1] != '\n' ? eol : "", name, value, eol);
}

char *shellvars_set(const char *text, size_t len, const char *name, const char *value,
                    size_t *ret_len)
{
    struct shellvars vars;
    struct edits edits = { 0 };
    const struct shellvar *var;
    char *with, *out;

    shellvars_parse(text, len, &vars);
    var = shellvars_find(&vars, name);
    if (var && !var->literal) {
        edits_add(&edits, var->raw, value);
    } else {
        char quote = '"';

        if (var)
            quote = var->quote;
        with = quoted(value, quote);
        if (var) {
            edits_add(&edits, var->at, with);
        } else {
            char *line = added_line(text, len, name, with);

            edits_add(&edits, (struct span){ .start = len }, line);
            free(line);
        }
        free(with);
    }
    out = edits_apply(&edits, text, len, ret_len);
    edits_done(&edits);
    shellvars_done(&vars);
    return out;
}
