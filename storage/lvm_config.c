/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/lvm_config.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/mem.h"

#define DEPTH_MAX 16U
#define NODES_MAX 500000U
#define NUMBER_DIGITS 18 /* what surely fits 63 bits */

struct parser {
    const char *at, *end;
    struct lvm_config *config;
    char *out; /* where the next string goes in config->strings: never longer than the text */
    size_t parents[DEPTH_MAX];
    size_t last[DEPTH_MAX]; /* the newest child of each; 0: none yet */
    size_t depth;
};

static void skip_blanks(struct parser *p)
{
    while (p->at < p->end) {
        if (*p->at == '#')
            while (p->at < p->end && *p->at != '\n')
                p->at++;
        else if (isspace((unsigned char)*p->at) || *p->at == '\0')
            p->at++;
        else
            return;
    }
}

static bool accept(struct parser *p, char c)
{
    skip_blanks(p);
    if (p->at >= p->end || *p->at != c)
        return false;
    p->at++;
    return true;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || strchr("_-.+/@", c) != NULL;
}

/* A bare word, "" when there is none. */
static const char *word(struct parser *p)
{
    const char *start = p->out;

    skip_blanks(p);
    while (p->at < p->end && *p->at != '\0' && is_word(*p->at))
        *p->out++ = *p->at++;
    *p->out++ = '\0';
    return start;
}

/* After the opening quotation mark. NULL: it does not end. */
static const char *quoted(struct parser *p)
{
    const char *start = p->out;

    while (p->at < p->end && *p->at != '"' && *p->at != '\0') {
        if (*p->at == '\\' && p->end - p->at > 1)
            p->at++;
        *p->out++ = *p->at++;
    }
    *p->out++ = '\0';
    if (p->at >= p->end || *p->at != '"')
        return NULL;
    p->at++;
    return start;
}

/* Append a child to the section or list that is open. */
static int add(struct parser *p, enum lvm_node_kind kind, const char *key, struct lvm_node **ret)
{
    struct lvm_config *config = p->config;
    size_t index = config->n;
    size_t *last = &p->last[p->depth - 1];

    if (index >= NODES_MAX)
        return -E2BIG;
    *ret = mem_add(&config->nodes, &config->n, sizeof(**ret));
    **ret = (struct lvm_node){ .kind = kind, .key = key, .text = "" };
    if (*last != 0)
        config->nodes[*last].next = index;
    else
        config->nodes[p->parents[p->depth - 1]].first = index;
    *last = index;
    return 0;
}

static int open_node(struct parser *p)
{
    if (p->depth >= DEPTH_MAX)
        return -E2BIG;
    p->parents[p->depth] = p->config->n - 1;
    p->last[p->depth++] = 0;
    return 0;
}

/* Fractions occur nowhere that matters: what follows the point is dropped. */
static int number(struct parser *p, int64_t *ret)
{
    char digits[NUMBER_DIGITS + 2];
    size_t n = 0;

    if (p->at < p->end && *p->at == '-')
        digits[n++] = *p->at++;
    while (p->at < p->end && isdigit((unsigned char)*p->at)) {
        if (n > NUMBER_DIGITS)
            return -EBADMSG;
        digits[n++] = *p->at++;
    }
    digits[n] = '\0';
    if (n == 0)
        return -EBADMSG;
    *ret = strtoll(digits, NULL, 10);
    if (p->at < p->end && *p->at == '.')
        for (p->at++; p->at < p->end && isdigit((unsigned char)*p->at); p->at++)
            ;
    return 0;
}

static int scalar(struct parser *p, const char *key)
{
    bool is_text = accept(p, '"');
    struct lvm_node *node = NULL;
    int r = add(p, is_text ? LVM_STRING : LVM_NUMBER, key, &node);

    if (r < 0)
        return r;
    if (!is_text)
        return number(p, &node->number);
    node->text = quoted(p);
    if (!node->text) {
        node->text = "";
        return -EBADMSG;
    }
    return 0;
}

static int list(struct parser *p, const char *key)
{
    struct lvm_node *node = NULL;
    int r = add(p, LVM_LIST, key, &node);

    if (r == 0)
        r = open_node(p);
    if (r < 0)
        return r;
    while (r == 0 && !accept(p, ']')) {
        r = scalar(p, "");
        if (r == 0 && !accept(p, ',') && !(p->at < p->end && *p->at == ']'))
            r = -EBADMSG;
    }
    p->depth--;
    return r;
}

/* One "key = value", "key {" or "}" of the section that is open. */
static int entry(struct parser *p)
{
    struct lvm_node *node = NULL;
    const char *key;
    int r;

    if (accept(p, '}')) {
        p->depth--;
        return p->depth == 0 ? -EBADMSG : 0;
    }
    key = word(p);
    if (key[0] == '\0')
        return -EBADMSG;
    if (accept(p, '{')) {
        r = add(p, LVM_SECTION, key, &node);
        return r < 0 ? r : open_node(p);
    }
    if (!accept(p, '='))
        return -EBADMSG;
    return accept(p, '[') ? list(p, key) : scalar(p, key);
}

int lvm_config_parse(const char *text, size_t len, struct lvm_config *ret)
{
    struct parser p = { .at = text, .end = text + len, .config = ret, .depth = 1 };
    struct lvm_node *root;
    int r = 0;

    *ret = (struct lvm_config){ 0 };
    /* each string ends where the text has a separator; an empty last word is the exception */
    ret->strings = mem_alloc(len + 2);
    p.out = ret->strings;
    root = mem_add(&ret->nodes, &ret->n, sizeof(*root));
    *root = (struct lvm_node){ .kind = LVM_SECTION, .key = "", .text = "" };
    for (skip_blanks(&p); r == 0 && p.at < p.end; skip_blanks(&p))
        r = entry(&p);
    return r == 0 && p.depth != 1 ? -EBADMSG : r;
}

void lvm_config_done(struct lvm_config *config)
{
    free(config->nodes);
    free(config->strings);
    *config = (struct lvm_config){ 0 };
}

size_t lvm_config_find(const struct lvm_config *config, size_t section, const char *key,
                       enum lvm_node_kind kind)
{
    for (size_t i = config->nodes[section].first; i != 0; i = config->nodes[i].next)
        if (config->nodes[i].kind == kind && strcmp(config->nodes[i].key, key) == 0)
            return i;
    return 0;
}

const char *lvm_config_text(const struct lvm_config *config, size_t section, const char *key)
{
    size_t node = lvm_config_find(config, section, key, LVM_STRING);

    return node ? config->nodes[node].text : "";
}

bool lvm_config_number(const struct lvm_config *config, size_t section, const char *key,
                       uint64_t max, uint64_t *ret)
{
    size_t node = lvm_config_find(config, section, key, LVM_NUMBER);

    if (!node || config->nodes[node].number < 0 || (uint64_t)config->nodes[node].number > max)
        return false;
    *ret = (uint64_t)config->nodes[node].number;
    return true;
}

bool lvm_config_lists(const struct lvm_config *config, size_t section, const char *key,
                      const char *text)
{
    size_t node = lvm_config_find(config, section, key, LVM_LIST);

    if (node)
        for (size_t i = config->nodes[node].first; i != 0; i = config->nodes[i].next)
            if (strcmp(config->nodes[i].text, text) == 0)
                return true;
    return false;
}
