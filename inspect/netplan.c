/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events of libyaml, without building a document: a document may refer to its parts so often that
 * it grows without limit.
 */
#include "inspect/netplan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/fields.h"

#define MAX_DEPTH 8 /* of what is looked at */
#define MAX_NESTING 64

struct reader {
    struct netplan *out;
    bool is_cloud;          /* cloud-init's own forms count, too */
    bool is_bare;           /* what netplan has below "network" is at the top */
    char *keys[MAX_DEPTH];  /* key that the collection at each depth is the value of */
    bool is_map[MAX_DEPTH]; /* the collection at each depth is a mapping */
    char *key;              /* in a mapping: key whose value comes next; NULL: a key is next */
    size_t depth;           /* open collections; deeper ones than MAX_DEPTH are only counted */
};

/* Do the keys from the top spell @path? */
static bool under(const struct reader *reader, size_t depth, const char *const *path, size_t n)
{
    size_t skip = reader->is_bare; /* its "network" */

    if (depth + skip != n)
        return false;
    for (size_t i = skip + 1; i < n; i++) {
        const char *key = reader->keys[i - skip];

        if (path[i] && (!key || strcmp(key, path[i]) != 0))
            return false;
    }
    return true;
}

static struct netplan_ethernet *current(struct reader *reader)
{
    return reader->out->n > 0 ? &reader->out->ethernets[reader->out->n - 1] : NULL;
}

static void replace(char **field, const char *value)
{
    free(*field);
    *field = mem_strdup(value);
}

static bool is_true(const char *value)
{
    static const char *const words[] = { "true", "yes", "on", "y" };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcasecmp(value, words[i]) == 0)
            return true;
    return false;
}

/* keys[0] is the top mapping's (none); keys[1] is what holds it, and so on. */
static const char *const in_network[] = { NULL, "network" };
static const char *const in_ethernets[] = { NULL, "network", "ethernets" };
static const char *const in_ethernet[] = { NULL, "network", "ethernets", NULL };
static const char *const in_match[] = { NULL, "network", "ethernets", NULL, "match" };

/* cloud-init's version 1: a list of things that have a type. */
static const char *const in_config[] = { NULL, "network", "config" };
static const char *const in_item[] = { NULL, "network", "config", NULL };
static const char *const in_subnet[] = { NULL, "network", "config", NULL, "subnets", NULL };

static void item_scalar(struct reader *reader, const char *key, const char *value)
{
    struct netplan_ethernet *ethernet = current(reader);

    if (under(reader, reader->depth, in_item, ARRAY_SIZE(in_item))) {
        if (strcmp(key, "name") == 0)
            replace(&ethernet->id, value);
        else if (strcmp(key, "mac_address") == 0)
            replace(&ethernet->match_mac, value);
        else if (strcmp(key, "type") == 0)
            ethernet->is_software = strcmp(value, "physical") != 0;
    } else if (under(reader, reader->depth, in_subnet, ARRAY_SIZE(in_subnet))) {
        ethernet->has_addresses |= strcmp(key, "address") == 0;
        ethernet->dhcp |= strcmp(key, "type") == 0 && strncmp(value, "dhcp", 4) == 0;
    }
}

static void scalar(struct reader *reader, const char *key, const char *value)
{
    struct netplan_ethernet *ethernet = current(reader);

    if (under(reader, reader->depth, in_network, ARRAY_SIZE(in_network))) {
        if (strcmp(key, "renderer") == 0)
            replace(&reader->out->renderer, value);
        return;
    }
    if (!ethernet)
        return;
    if (under(reader, reader->depth, in_ethernet, ARRAY_SIZE(in_ethernet))) {
        if (strcmp(key, "set-name") == 0)
            replace(&ethernet->set_name, value);
        else if (strcmp(key, "dhcp4") == 0 || strcmp(key, "dhcp6") == 0)
            ethernet->dhcp |= is_true(value);
    } else if (under(reader, reader->depth, in_match, ARRAY_SIZE(in_match))) {
        if (strcmp(key, "name") == 0)
            replace(&ethernet->match_name, value);
        else if (strcmp(key, "macaddress") == 0)
            replace(&ethernet->match_mac, value);
        else if (strcmp(key, "driver") == 0)
            replace(&ethernet->match_driver, value);
    } else if (reader->is_cloud) {
        item_scalar(reader, key, value);
    }
}

static void add_ethernet(struct reader *reader, const char *id)
{
    struct netplan_ethernet *ethernet;

    if (reader->out->n >= FIELDS_MAX_LINES)
        return;
    ethernet = mem_add(&reader->out->ethernets, &reader->out->n, sizeof(*ethernet));
    ethernet->id = mem_strdup(id);
    ethernet->match_name = mem_strdup("");
    ethernet->match_mac = mem_strdup("");
    ethernet->match_driver = mem_strdup("");
    ethernet->set_name = mem_strdup("");
}

/* A collection opens as the value of reader->key. */
static void opened(struct reader *reader, bool is_map)
{
    const char *key = reader->key;

    if (key && is_map && under(reader, reader->depth, in_ethernets, ARRAY_SIZE(in_ethernets))) {
        add_ethernet(reader, key);
    } else if (!key && is_map && reader->is_cloud &&
               under(reader, reader->depth, in_config, ARRAY_SIZE(in_config))) {
        add_ethernet(reader, "");
    } else if (key && current(reader) &&
               under(reader, reader->depth, in_ethernet, ARRAY_SIZE(in_ethernet))) {
        current(reader)->has_match |= is_map && strcmp(key, "match") == 0;
        current(reader)->has_addresses |= !is_map && strcmp(key, "addresses") == 0;
    }
    if (reader->depth < MAX_DEPTH) {
        free(reader->keys[reader->depth]);
        reader->keys[reader->depth] = reader->key;
        reader->is_map[reader->depth] = is_map;
    } else {
        free(reader->key);
    }
    reader->key = NULL;
    reader->depth++;
}

static void closed(struct reader *reader)
{
    if (reader->depth > 0)
        reader->depth--;
    free(reader->key);
    reader->key = NULL;
}

static void value(struct reader *reader, const char *text)
{
    bool in_map =
        reader->depth > 0 && reader->depth <= MAX_DEPTH && reader->is_map[reader->depth - 1];

    if (!in_map)
        return;
    if (!reader->key) {
        reader->key = mem_strdup(text);
        return;
    }
    scalar(reader, reader->key, text);
    free(reader->key);
    reader->key = NULL;
}

/* false: no further events. */
static bool handle(struct reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        value(reader, (const char *)event->data.scalar.value);
        return true;
    case YAML_ALIAS_EVENT:
        value(reader, "");
        return true;
    case YAML_MAPPING_START_EVENT:
        opened(reader, true);
        return reader->depth < MAX_NESTING;
    case YAML_SEQUENCE_START_EVENT:
        opened(reader, false);
        return reader->depth < MAX_NESTING;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        closed(reader);
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

static int parse(struct reader *reader, const char *text, size_t len)
{
    yaml_parser_t parser;
    bool more = true;
    int r = 0;

    *reader->out = (struct netplan){ .renderer = mem_strdup("") };
    if (!yaml_parser_initialize(&parser))
        return -ENOMEM;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
    while (more) {
        yaml_event_t event;

        if (!yaml_parser_parse(&parser, &event)) {
            r = -EBADMSG;
            break;
        }
        more = handle(reader, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    for (size_t i = 0; i < MAX_DEPTH; i++)
        free(reader->keys[i]);
    free(reader->key);
    return r;
}

int netplan_parse(const char *text, size_t len, struct netplan *ret)
{
    struct reader reader = { .out = ret };

    return parse(&reader, text, len);
}

int netplan_parse_cloud(const char *text, size_t len, struct netplan *ret)
{
    struct reader reader = { .out = ret, .is_cloud = true };
    struct reader bare = { .out = ret, .is_cloud = true, .is_bare = true };
    int r = parse(&reader, text, len);

    if (r < 0 || ret->n > 0)
        return r;
    netplan_done(ret);
    return parse(&bare, text, len);
}

void netplan_done(struct netplan *netplan)
{
    for (size_t i = 0; i < netplan->n; i++) {
        free(netplan->ethernets[i].id);
        free(netplan->ethernets[i].match_name);
        free(netplan->ethernets[i].match_mac);
        free(netplan->ethernets[i].match_driver);
        free(netplan->ethernets[i].set_name);
    }
    free(netplan->ethernets);
    free(netplan->renderer);
    *netplan = (struct netplan){ 0 };
}
