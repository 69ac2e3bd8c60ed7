/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/resolve_md.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/mdadm_conf.h"

#define FIRST_UNNAMED 100 /* the kernel numbers arrays without a name from 127 downwards */

static bool is_array(const struct fact_device *device)
{
    return strcmp(device->kind, "md") == 0;
}

static const struct fact_device *by_name(const struct facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->n_devices; i++)
        if (strcmp(facts->devices[i].name, name) == 0)
            return &facts->devices[i];
    return NULL;
}

static const struct fact_device *by_alias(const struct facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->n_aliases; i++)
        if (strcmp(facts->aliases[i].name, name) == 0)
            return by_name(facts, facts->aliases[i].device);
    return NULL;
}

static bool all_digits(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

static const struct fact_device *only_array(const struct facts *facts)
{
    const struct fact_device *found = NULL;

    for (size_t i = 0; i < facts->n_devices; i++) {
        if (!is_array(&facts->devices[i]))
            continue;
        if (found)
            return NULL;
        found = &facts->devices[i];
    }
    return found;
}

/* An array: what mdadm.conf says, its own name, /dev/md/0 for /dev/md0; and a number that the
 * kernel gave when there is one array only. */
static const struct fact_device *whole_array(const struct facts *facts, const char *rest)
{
    CLEANUP_FREE char *name = mem_printf("/dev/md%s", rest);
    CLEANUP_FREE char *other = all_digits(rest) ? mem_printf("/dev/md/%s", rest)
                               : rest[0] == '/' && all_digits(rest + 1)
                                   ? mem_printf("/dev/md%s", rest + 1)
                                   : mem_strdup("");
    const struct fact_device *found = by_alias(facts, name);

    if (!found)
        found = by_alias(facts, other);
    if (!found)
        found = by_name(facts, name);
    if (!found)
        found = by_name(facts, other);
    if (!found && all_digits(rest) && strlen(rest) == 3 && strtoul(rest, NULL, 10) >= FIRST_UNNAMED)
        found = only_array(facts);
    return found;
}

static const struct fact_device *partition(const struct facts *facts,
                                           const struct fact_device *array, const char *number)
{
    CLEANUP_FREE char *name = NULL;
    bool digit;

    if (!array)
        return NULL;
    digit = isdigit((unsigned char)array->name[strlen(array->name) - 1]) != 0;
    name = mem_printf("%s%s%s", array->name, digit ? "p" : "", number);
    return by_name(facts, name);
}

const struct fact_device *resolve_md(const struct facts *facts, const char *rest)
{
    const struct fact_device *found = whole_array(facts, rest);
    size_t len = strlen(rest), at = len;
    CLEANUP_FREE char *array = NULL;

    while (at > 0 && isdigit((unsigned char)rest[at - 1]))
        at--;
    if (found || at == len || at == 0)
        return found;
    /* "0p1", "/0p1"; "/root1" */
    if (at > 1 && rest[at - 1] == 'p' && isdigit((unsigned char)rest[at - 2]))
        array = mem_strndup(rest, at - 1);
    else if (rest[at - 1] != '/')
        array = mem_strndup(rest, at);
    return array ? partition(facts, whole_array(facts, array), rest + at) : NULL;
}

static bool has_id(const struct fact_device *device, const char *kind, const char *id)
{
    CLEANUP_FREE char *wanted = mdadm_uuid_digits(id);
    CLEANUP_FREE char *have = mdadm_uuid_digits(device->array_uuid);

    if (strcmp(kind, "name-") == 0)
        return *id && strcmp(device->array_name, id) == 0;
    return *wanted && strcmp(wanted, have) == 0;
}

const struct fact_device *resolve_md_id(const struct facts *facts, const char *rest)
{
    static const char *const kinds[] = { "uuid-", "name-" };
    CLEANUP_FREE char *id = mem_strdup(rest);
    char *part = strstr(id, "-part");

    if (part)
        *part = '\0';
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        if (strncmp(id, kinds[k], strlen(kinds[k])) != 0)
            continue;
        for (size_t i = 0; i < facts->n_devices; i++)
            if (is_array(&facts->devices[i]) &&
                has_id(&facts->devices[i], kinds[k], id + strlen(kinds[k])))
                return part ? partition(facts, &facts->devices[i], part + strlen("-part"))
                            : &facts->devices[i];
    }
    return NULL;
}
