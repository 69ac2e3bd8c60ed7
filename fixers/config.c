/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"

/* A mapping that is still to be read: a list of them instead of recursion. */
struct todo {
    const yaml_node_t *node;
    const struct config_map *map;
    char *item;  /* the struct */
    char *where; /* "users", "": the top */
};

struct reader {
    yaml_document_t *document;
    const char *name, *folder;
    struct todo *todo;
    size_t n_todo;
    size_t n_values;
    struct err *err;
};

static int wrong(const struct reader *reader, const yaml_mark_t *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int wrong(const struct reader *reader, const yaml_mark_t *at, const char *fmt, ...)
{
    CLEANUP_FREE char *text = NULL;
    va_list args;

    va_start(args, fmt);
    text = mem_vprintf(fmt, args);
    va_end(args);
    return err_status(reader->err, STATUS_USAGE, "%s:%zu:%zu: %s", reader->name, at->line + 1,
                      at->column + 1, text);
}

static const char *kind_of_node(const yaml_node_t *node)
{
    if (node->type == YAML_SEQUENCE_NODE)
        return "a list";
    return node->type == YAML_MAPPING_NODE ? "a mapping" : "a value";
}

/* The value of a scalar node; NULL and *err when it is none. It is the document's. */
static const char *text_of(const struct reader *reader, const yaml_node_t *node, const char *key)
{
    const char *text;

    if (node->type != YAML_SCALAR_NODE) {
        (void)wrong(reader, &node->start_mark, "%s: a value is expected, not %s", key,
                    kind_of_node(node));
        return NULL;
    }
    text = (const char *)node->data.scalar.value;
    if (strlen(text) != node->data.scalar.length) {
        (void)wrong(reader, &node->start_mark, "%s: it holds a zero byte", key);
        return NULL;
    }
    if (*text == '\0' && node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
        (void)wrong(reader, &node->start_mark, "%s: it has no value", key);
        return NULL;
    }
    return text;
}

static int read_flag(const struct reader *reader, const yaml_node_t *node, const char *key,
                     bool *ret)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {
        { "true", true },   { "yes", true }, { "on", true },
        { "false", false }, { "no", false }, { "off", false },
    };
    const char *text = text_of(reader, node, key);

    if (!text)
        return -reader->err->code;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        *ret = words[i].value;
        if (strcmp(text, words[i].word) == 0)
            return 0;
    }
    return wrong(reader, &node->start_mark, "%s: it is true or false", key);
}

static int read_texts(const struct reader *reader, const yaml_node_t *node, const char *key,
                      struct strlist *ret)
{
    const yaml_node_item_t *at, *end;

    if (node->type != YAML_SEQUENCE_NODE) {
        const char *text = text_of(reader, node, key);

        if (!text)
            return -reader->err->code;
        strlist_add(ret, text);
        return 0;
    }
    at = node->data.sequence.items.start;
    end = node->data.sequence.items.top;
    for (; at < end; at++) {
        const char *text = text_of(reader, yaml_document_get_node(reader->document, *at), key);

        if (!text)
            return -reader->err->code;
        if (ret->n >= CONFIG_VALUES_MAX)
            return wrong(reader, &node->start_mark, "%s: the list is too long", key);
        strlist_add(ret, text);
    }
    return 0;
}

static int add_todo(struct reader *reader, const yaml_node_t *node, const struct config_map *map,
                    char *item, const char *where)
{
    struct todo *todo;

    if (node->type != YAML_MAPPING_NODE)
        return wrong(reader, &node->start_mark, "%s%s a mapping is expected, not %s", where,
                     *where ? ":" : "", kind_of_node(node));
    todo = mem_add(&reader->todo, &reader->n_todo, sizeof(*todo));
    *todo = (struct todo){ .node = node, .map = map, .item = item, .where = mem_strdup(where) };
    return 0;
}

/* Elements move while they are added, so all of them are made first. */
static int read_maps(struct reader *reader, const yaml_node_t *node, const struct config_key *key,
                     char *item)
{
    char *elements = NULL;
    size_t n = 0;
    int r = 0;

    if (node->type != YAML_SEQUENCE_NODE)
        return wrong(reader, &node->start_mark, "%s: a list is expected, not %s", key->name,
                     kind_of_node(node));
    for (const yaml_node_item_t *at = node->data.sequence.items.start;
         at < node->data.sequence.items.top; at++)
        (void)mem_add(&elements, &n, key->map->size);
    memcpy(item + key->offset, &elements, sizeof(elements));
    memcpy(item + key->n_offset, &n, sizeof(n));
    for (size_t i = 0; r == 0 && i < n; i++)
        r = add_todo(reader,
                     yaml_document_get_node(reader->document, node->data.sequence.items.start[i]),
                     key->map, elements + i * key->map->size, key->name);
    return r;
}

static int read_value(struct reader *reader, const yaml_node_t *node, const struct config_key *key,
                      char *item)
{
    const char *text;

    switch (key->kind) {
    case CONFIG_TEXT:
        text = text_of(reader, node, key->name);
        if (!text)
            return -reader->err->code;
        text = mem_strdup(text);
        memcpy(item + key->offset, &text, sizeof(text));
        return 0;
    case CONFIG_FLAG:
        return read_flag(reader, node, key->name, (void *)(item + key->offset));
    case CONFIG_TEXTS:
        return read_texts(reader, node, key->name, (void *)(item + key->offset));
    case CONFIG_MAP:
        return add_todo(reader, node, key->map, item + key->offset, key->name);
    case CONFIG_MAPS:
        break;
    }
    return read_maps(reader, node, key, item);
}

static int unknown_key(const struct reader *reader, const struct todo *todo,
                       const yaml_node_t *node, const char *name)
{
    struct strbuf known = { 0 };
    int r;

    for (size_t i = 0; i < todo->map->n_keys; i++)
        strbuf_printf(&known, "%s%s", i ? ", " : "", todo->map->keys[i].name);
    r = wrong(reader, &node->start_mark, "%s%s\"%.40s\" is not known; known are %s", todo->where,
              todo->where[0] ? ": " : "", name, strbuf_text(&known));
    strbuf_done(&known);
    return r;
}

/* Which key of the map? n_keys: none. */
static size_t find_key(const struct config_map *map, const char *name)
{
    size_t i = 0;

    while (i < map->n_keys && strcmp(map->keys[i].name, name) != 0)
        i++;
    return i;
}

static int read_map(struct reader *reader, const struct todo *todo)
{
    uint64_t seen = 0; /* no map has more keys */
    int r;

    for (const yaml_node_pair_t *pair = todo->node->data.mapping.pairs.start;
         pair < todo->node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(reader->document, pair->key);
        const yaml_node_t *value = yaml_document_get_node(reader->document, pair->value);
        const char *name = text_of(reader, key, "a key");
        size_t i;

        if (!name)
            return -reader->err->code;
        i = find_key(todo->map, name);
        if (i == todo->map->n_keys)
            return unknown_key(reader, todo, key, name);
        if (seen & (UINT64_C(1) << i))
            return wrong(reader, &key->start_mark, "%s is there twice", name);
        seen |= UINT64_C(1) << i;
        if (++reader->n_values > CONFIG_VALUES_MAX)
            return wrong(reader, &key->start_mark, "there is too much in it");
        r = read_value(reader, value, &todo->map->keys[i], todo->item);
        if (r < 0)
            return r;
    }
    if (!todo->map->check)
        return 0;
    r = todo->map->check(todo->item, reader->folder, reader->err);
    return r < 0 ? err_wrap(reader->err, "%s:%zu:%zu: %s", reader->name,
                            todo->node->start_mark.line + 1, todo->node->start_mark.column + 1,
                            todo->where[0] ? todo->where : "the file")
                 : 0;
}

static int read_document(struct reader *reader, const struct config_map *map, void *ret)
{
    const yaml_node_t *top = yaml_document_get_root_node(reader->document);
    int r = 0;

    if (top) /* an empty file asks for nothing */
        r = add_todo(reader, top, map, ret, "");
    for (size_t i = 0; r == 0 && i < reader->n_todo; i++) {
        const struct todo todo = reader->todo[i]; /* the list may move */

        r = read_map(reader, &todo);
    }
    for (size_t i = 0; i < reader->n_todo; i++)
        free(reader->todo[i].where);
    free(reader->todo);
    return r;
}

static int parse(const char *text, size_t len, struct reader *reader, const struct config_map *map,
                 void *ret)
{
    yaml_document_t document, second;
    yaml_parser_t parser;
    int r = 0;

    if (!yaml_parser_initialize(&parser))
        return err_set(reader->err, ENOMEM, "read %s", reader->name);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    if (!yaml_parser_load(&parser, &document)) {
        r = wrong(reader, &parser.problem_mark, "no YAML: %s",
                  parser.problem ? parser.problem : "unknown problem");
        yaml_parser_delete(&parser);
        return r;
    }
    reader->document = &document;
    r = read_document(reader, map, ret);
    reader->document = NULL;
    yaml_document_delete(&document);
    if (r == 0 && yaml_parser_load(&parser, &second)) {
        if (yaml_document_get_root_node(&second))
            r = wrong(reader, &second.start_mark, "only one document is read");
        yaml_document_delete(&second);
    } else if (r == 0) {
        r = wrong(reader, &parser.problem_mark, "no YAML: %s",
                  parser.problem ? parser.problem : "unknown problem");
    }
    yaml_parser_delete(&parser);
    return r;
}

int config_parse(const char *text, size_t len, const char *name, const struct config_map *map,
                 void *ret, struct err *err)
{
    struct reader reader = { .name = name, .folder = "", .err = err };

    return parse(text, len, &reader, map, ret);
}

int config_read(const char *path, const struct config_map *map, void *ret, struct err *err)
{
    const char *slash = strrchr(path, '/');
    CLEANUP_FREE char *folder = mem_strndup(path, slash ? (size_t)(slash - path) + 1 : 0);
    struct reader reader = { .name = path, .folder = folder, .err = err };
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    int r = io_read_file(path, CONFIG_MAX, &text, &len, err);

    return r < 0 ? r : parse(text, len, &reader, map, ret);
}
