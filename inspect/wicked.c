/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/wicked.h"

#include <errno.h>
#include <libxml/xmlreader.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"

#define MAX_IFACES 256
#define MAX_PORTS 64
#define MAX_DEPTH 8
#define MAX_BYTES (1U << 20)

struct walk {
    struct wicked *out;
    struct wicked_iface *iface; /* the one that is open; NULL: none */
    int depth;                  /* of its element */
    char *path[MAX_DEPTH];      /* names of the elements below it that are open */
};

static const char *local_name(xmlTextReader *reader)
{
    const char *name = (const char *)xmlTextReaderConstLocalName(reader);

    return name ? name : "";
}

/* Elements right below <interface>, in any name space. */
static void note_kind(struct wicked_iface *iface, const char *name, const char *qualified)
{
    static const char *const software[] = { "bond", "bridge",     "dummy", "macvlan", "ovs-bridge",
                                            "team", "tun",        "tap",   "vlan",    "vxlan",
                                            "gre",  "infiniband", "ipip",  "sit" };

    for (size_t i = 0; i < ARRAY_SIZE(software); i++)
        iface->is_software |= strcmp(name, software[i]) == 0;
    iface->is_static |=
        strcmp(qualified, "ipv4:static") == 0 || strcmp(qualified, "ipv6:static") == 0;
}

static void opened(struct walk *walk, xmlTextReader *reader)
{
    const char *name = local_name(reader);
    const char *qualified = (const char *)xmlTextReaderConstName(reader);
    int depth = xmlTextReaderDepth(reader);

    if (!walk->iface) {
        if (strcmp(name, "interface") != 0 || walk->out->n >= MAX_IFACES ||
            xmlTextReaderIsEmptyElement(reader))
            return;
        walk->iface = mem_add(&walk->out->ifaces, &walk->out->n, sizeof(*walk->iface));
        walk->iface->name = mem_strdup("");
        walk->iface->mac = mem_strdup("");
        walk->depth = depth;
        return;
    }
    depth -= walk->depth + 1;
    if (depth == 0)
        note_kind(walk->iface, name, qualified ? qualified : "");
    if (depth >= 0 && depth < MAX_DEPTH) {
        free(walk->path[depth]);
        walk->path[depth] = mem_strdup(name);
    }
}

static void text_of(struct walk *walk, xmlTextReader *reader)
{
    const char *value = (const char *)xmlTextReaderConstValue(reader);
    int depth = xmlTextReaderDepth(reader) - (walk->iface ? walk->depth + 2 : 0);
    struct wicked_iface *iface = walk->iface;
    CLEANUP_FREE char *word = NULL;
    const char *in;

    if (!iface || !value || depth < 0 || depth >= MAX_DEPTH || !walk->path[depth])
        return;
    value += strspn(value, " \t\r\n");
    word = mem_strndup(value, strcspn(value, " \t\r\n"));
    in = walk->path[depth];
    if (depth == 0 && strcmp(in, "name") == 0) {
        free(iface->name);
        iface->name = TAKE(word);
    } else if (depth == 1 && walk->path[0] && strcmp(walk->path[0], "name") == 0 &&
               strcmp(in, "permanent-address") == 0) {
        free(iface->mac);
        iface->mac = TAKE(word);
    } else if (strcmp(in, "device") == 0 && iface->ports.n < MAX_PORTS) {
        strlist_take(&iface->ports, TAKE(word));
    }
}

static void handle(struct walk *walk, xmlTextReader *reader)
{
    switch (xmlTextReaderNodeType(reader)) {
    case XML_READER_TYPE_ELEMENT:
        opened(walk, reader);
        break;
    case XML_READER_TYPE_TEXT:
    case XML_READER_TYPE_CDATA:
        text_of(walk, reader);
        break;
    case XML_READER_TYPE_END_ELEMENT:
        if (walk->iface && xmlTextReaderDepth(reader) == walk->depth)
            walk->iface = NULL;
        break;
    default:
        break;
    }
}

int wicked_parse(const char *text, size_t len, struct wicked *ret)
{
    struct walk walk = { .out = ret };
    xmlTextReader *reader;
    int more;

    *ret = (struct wicked){ 0 };
    if (len > MAX_BYTES)
        return -EBADMSG;
    /* an encoding that the text claims would bring converters, which print what they think */
    reader = xmlReaderForMemory(text, (int)len, NULL, "UTF-8",
                                XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (!reader)
        return -EBADMSG;
    while ((more = xmlTextReaderRead(reader)) == 1)
        handle(&walk, reader);
    xmlFreeTextReader(reader);
    for (size_t i = 0; i < MAX_DEPTH; i++)
        free(walk.path[i]);
    return more < 0 ? -EBADMSG : 0;
}

void wicked_done(struct wicked *wicked)
{
    for (size_t i = 0; i < wicked->n; i++) {
        free(wicked->ifaces[i].name);
        free(wicked->ifaces[i].mac);
        strlist_done(&wicked->ifaces[i].ports);
    }
    free(wicked->ifaces);
    *wicked = (struct wicked){ 0 };
}
