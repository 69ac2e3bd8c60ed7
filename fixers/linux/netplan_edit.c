/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events of libyaml say where each key and its value are in the text. */
#include "fixers/linux/netplan_edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "engine/base/cleanup.h"
#include "engine/base/strbuf.h"
#include "inspect/fields.h"
#include "inspect/netplan.h"

#define MAX_DEPTH 24
#define DEFINITION 3 /* depth of what is below network/ethernets/ID */

/* A collection that is open. */
struct level {
    bool is_map, is_flow;
    bool has_key; /* in a mapping: the value of @key is next */
    char *key;
    size_t n; /* of its elements so far, keys and values apart */
    size_t start;
};

struct editor {
    const char *text, *id;
    size_t len;
    const struct netplan_addresses *new;
    struct level levels[MAX_DEPTH];
    size_t depth;

    size_t mark_index,
        mark_byte;  /* the last place that was looked for: libyaml counts characters */
    size_t end;     /* of what was read last, in bytes */
    bool is_inside; /* in the definition */
    unsigned n_found;
    size_t indent; /* of its keys */
    bool is_flow;  /* in brackets; else its keys have a line each */
    struct edits edits;
    size_t key_start;           /* of the definition's key that is read */
    struct strlist kept_pairs;  /* "key: value" as they are written */
    struct strlist kept_routes; /* in flow style */
    struct strbuf route;        /* one that is read */
    bool route_is_default, route_has_table;
    int problem;
};

void netplan_addresses_done(struct netplan_addresses *addresses)
{
    strlist_done(&addresses->pairs);
    strlist_done(&addresses->defaults);
}

/* ---- places ---- */

/* Marks come in order, nearly. */
static size_t byte_of(struct editor *editor, size_t index)
{
    if (index < editor->mark_index)
        editor->mark_index = editor->mark_byte = 0;
    while (editor->mark_index < index && editor->mark_byte < editor->len) {
        editor->mark_byte++;
        while (editor->mark_byte < editor->len &&
               ((unsigned char)editor->text[editor->mark_byte] & 0xc0) == 0x80)
            editor->mark_byte++;
        editor->mark_index++;
    }
    return editor->mark_byte;
}

/* The start of the line that @at is in, when only blanks are before it there; else -1. */
static ssize_t line_start(const struct editor *editor, size_t at)
{
    while (at > 0 && editor->text[at - 1] == ' ')
        at--;
    return at == 0 || editor->text[at - 1] == '\n' ? (ssize_t)at : -1;
}

/* Behind the line whose last word ends at @at. */
static size_t line_end(const struct editor *editor, size_t at)
{
    const char *nl;

    if (at > 0 && editor->text[at - 1] == '\n')
        return at;
    nl = memchr(editor->text + at, '\n', editor->len - at);
    return nl ? (size_t)(nl - editor->text) + 1 : editor->len;
}

/* ---- where the events are ---- */

static const char *key_at(const struct editor *editor, size_t level)
{
    const char *key = level < editor->depth ? editor->levels[level].key : NULL;

    return key ? key : "";
}

/* Is the value that comes next the definition? */
static bool is_definition(const struct editor *editor)
{
    return editor->depth == DEFINITION && editor->levels[2].has_key &&
           strcmp(key_at(editor, 0), "network") == 0 &&
           strcmp(key_at(editor, 1), "ethernets") == 0 &&
           strcmp(key_at(editor, 2), editor->id) == 0;
}

/* Is the scalar that comes next one of network/bonds/NAME/interfaces? */
static bool is_member(const struct editor *editor)
{
    return editor->depth == 5 && strcmp(key_at(editor, 0), "network") == 0 &&
           (strcmp(key_at(editor, 1), "bonds") == 0 || strcmp(key_at(editor, 1), "bridges") == 0) &&
           strcmp(key_at(editor, 3), "interfaces") == 0;
}

static bool is_replaced(const char *key)
{
    static const char *const keys[] = { "addresses",       "dhcp4",           "dhcp6",
                                        "dhcp4-overrides", "dhcp6-overrides", "gateway4",
                                        "gateway6",        "nameservers",     "routes" };

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

/* ---- routes that stay, in flow style ---- */

static bool in_routes(const struct editor *editor)
{
    return editor->is_inside && editor->depth > DEFINITION + 1 &&
           strcmp(key_at(editor, DEFINITION), "routes") == 0;
}

/* Words that need no quotes anywhere keep the meaning that they have without. */
static void put_scalar(struct strbuf *out, const yaml_event_t *event)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./_-";
    const char *value = (const char *)event->data.scalar.value;

    if (event->data.scalar.plain_implicit && *value && strspn(value, safe) == strlen(value)) {
        strbuf_puts(out, value);
        return;
    }
    strbuf_putc(out, '"');
    for (const char *c = value; *c; c++) {
        if ((unsigned char)*c < ' ') {
            strbuf_printf(out, "\\x%02x", (unsigned char)*c);
            continue;
        }
        if (*c == '"' || *c == '\\')
            strbuf_putc(out, '\\');
        strbuf_putc(out, *c);
    }
    strbuf_putc(out, '"');
}

static void put_between(struct editor *editor)
{
    const struct level *level = &editor->levels[editor->depth - 1];

    if (editor->depth > DEFINITION + 2 && level->n > 0)
        strbuf_puts(&editor->route, level->is_map && level->has_key ? ": " : ", ");
}

static void route_scalar(struct editor *editor, const yaml_event_t *event)
{
    static const char *const defaults[] = { "default", "0.0.0.0/0", "::/0", "0/0" };
    const struct level *level = &editor->levels[editor->depth - 1];
    const char *value = (const char *)event->data.scalar.value;

    put_between(editor);
    put_scalar(&editor->route, event);
    if (editor->depth != DEFINITION + 3 || !level->has_key)
        return;
    editor->route_has_table |= strcmp(level->key, "table") == 0;
    for (size_t i = 0; strcmp(level->key, "to") == 0 && i < ARRAY_SIZE(defaults); i++)
        editor->route_is_default |= strcmp(value, defaults[i]) == 0;
}

static void end_route(struct editor *editor)
{
    char *text = strbuf_take(&editor->route);

    if (editor->route_is_default && !editor->route_has_table)
        free(text);
    else
        strlist_take(&editor->kept_routes, text);
    editor->route_is_default = editor->route_has_table = false;
}

/* ---- the definition ---- */

/* A key of the definition has its whole value. */
static void end_pair(struct editor *editor, const char *key)
{
    struct span pair = { editor->key_start, editor->end - editor->key_start };
    ssize_t start = line_start(editor, editor->key_start);

    if (!is_replaced(key)) {
        strlist_take(&editor->kept_pairs, span_dup(editor->text, pair));
        return;
    }
    if (editor->is_flow)
        return;
    if (start < 0) {
        editor->problem = -ENOTSUP;
        return;
    }
    edits_add(&editor->edits,
              (struct span){ (size_t)start, line_end(editor, editor->end) - (size_t)start }, "");
}

/* All that is new: the definition's keys. */
static struct strlist new_pairs(const struct editor *editor)
{
    const struct strlist *lists[] = { &editor->new->defaults, &editor->kept_routes };
    CLEANUP_STRBUF struct strbuf routes = { 0 };
    struct strlist pairs = { 0 };

    for (size_t i = 0; i < editor->new->pairs.n; i++)
        strlist_add(&pairs, editor->new->pairs.items[i]);
    for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
        for (size_t i = 0; i < lists[l]->n; i++)
            strbuf_printf(&routes, "%s%s", routes.len ? ", " : "", lists[l]->items[i]);
    if (routes.len)
        strlist_take(&pairs, mem_printf("routes: [%s]", strbuf_text(&routes)));
    return pairs;
}

static void end_definition(struct editor *editor, size_t start)
{
    CLEANUP_STRLIST struct strlist pairs = new_pairs(editor);
    CLEANUP_STRBUF struct strbuf text = { 0 };
    size_t at = line_end(editor, editor->end);

    editor->is_inside = false;
    if (editor->is_flow) {
        for (size_t i = 0; i < editor->kept_pairs.n + pairs.n; i++)
            strbuf_printf(&text, "%s%s", i ? ", " : "{",
                          i < editor->kept_pairs.n ? editor->kept_pairs.items[i]
                                                   : pairs.items[i - editor->kept_pairs.n]);
        strbuf_putc(&text, '}');
        edits_add(&editor->edits, (struct span){ start, editor->end - start }, strbuf_text(&text));
        return;
    }
    for (size_t i = 0; i < pairs.n; i++)
        strbuf_printf(&text, "%*s%s\n", (int)editor->indent, "", pairs.items[i]);
    edits_add(&editor->edits, (struct span){ at, 0 }, strbuf_text(&text));
}

/* "ID:" with nothing, or null. */
static void fill_empty(struct editor *editor, size_t start)
{
    CLEANUP_STRLIST struct strlist pairs = new_pairs(editor);
    CLEANUP_STRBUF struct strbuf text = { 0 };

    for (size_t i = 0; i < pairs.n; i++)
        strbuf_printf(&text, "%s%s", i ? ", " : start == editor->end ? " {" : "{", pairs.items[i]);
    strbuf_putc(&text, '}');
    edits_add(&editor->edits, (struct span){ start, editor->end - start }, strbuf_text(&text));
}

/* ---- events ---- */

/* An element of the collection that is open is complete. */
static void end_element(struct editor *editor)
{
    struct level *level = editor->depth ? &editor->levels[editor->depth - 1] : NULL;

    if (!level)
        return;
    level->n++;
    if (!level->is_map) {
        if (editor->depth == DEFINITION + 2 && in_routes(editor))
            end_route(editor);
        return;
    }
    if (level->has_key && editor->depth == DEFINITION + 1 && editor->is_inside)
        end_pair(editor, level->key);
    level->has_key = !level->has_key;
}

static void read_scalar(struct editor *editor, const yaml_event_t *event, size_t start)
{
    struct level *level = editor->depth ? &editor->levels[editor->depth - 1] : NULL;
    const char *value = (const char *)event->data.scalar.value;

    if (!level)
        return;
    if (is_member(editor) && strcmp(value, editor->id) == 0)
        editor->problem = -EBUSY;
    if (is_definition(editor)) {
        editor->n_found++;
        fill_empty(editor, start);
    } else if (in_routes(editor)) {
        route_scalar(editor, event);
    }
    if (level->is_map && !level->has_key) {
        free(level->key);
        level->key = mem_strdup(value);
        if (editor->is_inside && editor->depth == DEFINITION + 1) {
            editor->key_start = start;
            editor->indent = event->start_mark.column;
        }
    }
    end_element(editor);
}

static void open_collection(struct editor *editor, bool is_map, bool is_flow, size_t start)
{
    struct level *level = &editor->levels[editor->depth];
    bool starts = is_definition(editor);

    if (editor->depth + 1 >= MAX_DEPTH || (starts && !is_map)) {
        editor->problem = -ENOTSUP;
        return;
    }
    if (editor->depth && editor->levels[editor->depth - 1].is_map &&
        !editor->levels[editor->depth - 1].has_key) /* a key that is no word */
        editor->problem = -ENOTSUP;
    if (in_routes(editor)) {
        put_between(editor);
        strbuf_putc(&editor->route, is_map ? '{' : '[');
    }
    *level = (struct level){ .is_map = is_map, .is_flow = is_flow, .start = start };
    editor->depth++;
    if (starts) {
        editor->n_found++;
        editor->is_inside = true;
        editor->is_flow = is_flow;
    }
}

static void close_collection(struct editor *editor)
{
    struct level *level = &editor->levels[editor->depth - 1];

    free(level->key);
    level->key = NULL;
    editor->depth--;
    if (in_routes(editor))
        strbuf_putc(&editor->route, level->is_map ? '}' : ']');
    if (editor->is_inside && editor->depth == DEFINITION)
        end_definition(editor, level->start);
    end_element(editor);
}

/* Does the event say no more than its words, and refer to nothing else? */
static bool is_plain(const yaml_event_t *event)
{
    if (event->type == YAML_SCALAR_EVENT)
        return !event->data.scalar.anchor && !event->data.scalar.tag;
    if (event->type == YAML_MAPPING_START_EVENT)
        return !event->data.mapping_start.anchor && !event->data.mapping_start.tag;
    if (event->type == YAML_SEQUENCE_START_EVENT)
        return !event->data.sequence_start.anchor && !event->data.sequence_start.tag;
    return event->type != YAML_ALIAS_EVENT;
}

/* false: no further events. */
static bool handle(struct editor *editor, const yaml_event_t *event)
{
    size_t start = byte_of(editor, event->start_mark.index);
    bool is_map = event->type == YAML_MAPPING_START_EVENT;

    if (!is_plain(event) && (editor->is_inside || is_definition(editor)))
        editor->problem = -ENOTSUP;
    if (editor->problem < 0)
        return false;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        editor->end = byte_of(editor, event->end_mark.index);
        read_scalar(editor, event, start);
        return true;
    case YAML_ALIAS_EVENT:
        editor->end = byte_of(editor, event->end_mark.index);
        end_element(editor);
        return true;
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        open_collection(editor, is_map,
                        is_map ? event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
                               : event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE,
                        start);
        return editor->problem == 0;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        /* the end of what is not in brackets is only seen at the next word */
        if (editor->levels[editor->depth - 1].is_flow)
            editor->end = byte_of(editor, event->end_mark.index);
        close_collection(editor);
        return true;
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT: /* one document is all that netplan reads */
        return false;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_START_EVENT:
        break;
    }
    return true;
}

static int read_events(struct editor *editor)
{
    yaml_parser_t parser;
    bool more = true;

    if (!yaml_parser_initialize(&parser))
        return -ENOMEM;
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)editor->text, editor->len);
    while (more) {
        yaml_event_t event;

        if (!yaml_parser_parse(&parser, &event)) {
            editor->problem = -EBADMSG;
            break;
        }
        more = handle(editor, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return editor->problem;
}

/* What was made must be what was meant, as far as inspecting it tells. */
static bool is_sound(const char *text, size_t len, const char *id)
{
    CLEANUP_NETPLAN struct netplan netplan = { 0 };
    unsigned n = 0;
    int r = netplan_parse(text, len, &netplan);

    for (size_t i = 0; i < netplan.n; i++)
        n += strcmp(netplan.ethernets[i].id, id) == 0;
    return r == 0 && n == 1;
}

int netplan_readdress(const char *text, size_t len, const char *id,
                      const struct netplan_addresses *new, char **ret)
{
    bool is_whole = len == 0 || text[len - 1] == '\n';
    CLEANUP_FREE char *lines = is_whole ? mem_dup(text, len) : mem_printf("%.*s\n", (int)len, text);
    struct editor editor = {
        .text = lines, .len = is_whole ? len : strlen(lines), .id = id, .new = new
    };
    CLEANUP_FREE char *made = NULL;
    size_t made_len = 0;
    int r = read_events(&editor);

    if (r == 0 && editor.n_found > 1)
        r = -ENOTSUP;
    if (r == 0 && editor.n_found == 1) {
        made = edits_apply(&editor.edits, editor.text, editor.len, &made_len);
        r = is_sound(made, made_len, id) ? 1 : -ENOTSUP;
    }
    for (size_t i = 0; i < editor.depth; i++)
        free(editor.levels[i].key);
    edits_done(&editor.edits);
    strlist_done(&editor.kept_pairs);
    strlist_done(&editor.kept_routes);
    strbuf_done(&editor.route);
    if (r > 0)
        *ret = TAKE(made);
    return r;
}
