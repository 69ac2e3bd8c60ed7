/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "%token%" in INF files, and what [Strings] says of it. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/strbuf.h"
#include "fixers/windows/inf.h"

/* What is said in English wins over what is said in the language of its maker. */
static const char *const strings_sections[] = { "Strings", "Strings.0409" };

struct token {
    const char *name, *text;
    size_t order; /* a later one of the same name wins */
};

struct tokens {
    struct token *items;
    size_t n;
    size_t expanded; /* bytes that replaced tokens so far */
};

static int compare(const void *a, const void *b)
{
    const struct token *left = a, *right = b;
    int order = strcasecmp(left->name, right->name);

    if (order != 0)
        return order;
    return left->order < right->order ? -1 : left->order > right->order;
}

/* Sorted, each name once. */
static void collect(const struct inf *inf, struct tokens *ret)
{
    size_t kept = 0;

    for (size_t i = 0; i < ARRAY_SIZE(strings_sections); i++) {
        const struct inf_section *section = inf_section(inf, strings_sections[i]);

        for (size_t k = 0; section && k < section->n_lines; k++) {
            struct token *token = mem_add(&ret->items, &ret->n, sizeof(*token));

            token->name = section->lines[k].key;
            token->text = inf_field(&section->lines[k], 0);
            token->order = ret->n;
        }
    }
    if (ret->n > 0)
        qsort(ret->items, ret->n, sizeof(*ret->items), compare);
    for (size_t i = 0; i < ret->n; i++)
        if (i + 1 == ret->n || strcasecmp(ret->items[i].name, ret->items[i + 1].name) != 0)
            ret->items[kept++] = ret->items[i];
    ret->n = kept;
}

static const struct token *find(const struct tokens *tokens, const char *name, size_t len)
{
    size_t low = 0, high = tokens->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct token *token = &tokens->items[middle];
        int order = strncasecmp(name, token->name, len);

        if (order == 0 && token->name[len])
            order = -1;
        if (order == 0)
            return token;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* Tokens that nothing defines stay: "%12%" is a folder, others are somebody's mistake. */
static int replace(struct tokens *tokens, char **text, struct err *err)
{
    struct strbuf result = { 0 };
    const char *at = *text, *percent, *end;

    if (!strchr(at, '%'))
        return 0;
    while ((percent = strchr(at, '%')) != NULL && (end = strchr(percent + 1, '%')) != NULL) {
        const struct token *token = find(tokens, percent + 1, (size_t)(end - percent - 1));

        strbuf_add(&result, at, (size_t)(percent - at));
        if (end == percent + 1)
            strbuf_putc(&result, '%');
        else if (token)
            strbuf_puts(&result, token->text);
        else
            strbuf_add(&result, percent, (size_t)(end - percent + 1));
        at = end + 1;
        if (result.len > INF_EXPANDED_MAX)
            break;
    }
    strbuf_puts(&result, at);
    tokens->expanded += result.len;
    if (tokens->expanded > INF_EXPANDED_MAX) {
        strbuf_done(&result);
        return err_set(err, EFBIG, "tokens stand for more than %u bytes", INF_EXPANDED_MAX);
    }
    free(*text);
    *text = strbuf_take(&result);
    return 0;
}

int inf_replace_tokens(struct inf *inf, struct err *err)
{
    struct tokens tokens = { 0 };
    int n = 0;

    collect(inf, &tokens);
    for (size_t i = 0; n == 0 && i < inf->n_sections; i++) {
        struct inf_section *section = &inf->sections[i];

        if (strncasecmp(section->name, "Strings", strlen("Strings")) == 0)
            continue;
        for (size_t k = 0; n == 0 && k < section->n_lines; k++) {
            struct inf_line *line = &section->lines[k];

            n = replace(&tokens, &line->key, err);
            for (size_t f = 0; n == 0 && f < line->fields.n; f++)
                n = replace(&tokens, &line->fields.items[f], err);
        }
    }
    free(tokens.items);
    return n;
}
