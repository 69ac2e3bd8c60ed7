/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/os_release.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/shellvars.h"

static int parse_number(const char **at)
{
    long value = 0;

    while (isdigit((unsigned char)**at)) {
        value = value > 99999999 ? 1000000000 : value * 10 + (**at - '0');
        (*at)++;
    }
    return value > 99999999 ? 0 : (int)value;
}

void version_parse(const char *text, int *ret_major, int *ret_minor)
{
    const char *at = text + strcspn(text, "0123456789");

    *ret_major = parse_number(&at);
    *ret_minor = 0;
    if (at[0] == '.' && isdigit((unsigned char)at[1])) {
        at++;
        *ret_minor = parse_number(&at);
    }
}

static char *lower(const char *text)
{
    char *copy = mem_strdup(text);

    for (char *c = copy; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return copy;
}

void os_release_parse(const char *text, size_t len, struct os_release *ret)
{
    struct shellvars vars CLEANUP_SHELLVARS;
    const char *id, *like, *pretty, *name, *version, *version_id, *codename, *variant;

    shellvars_parse(text, len, &vars);
    id = shellvars_get(&vars, "ID");
    like = shellvars_get(&vars, "ID_LIKE");
    pretty = shellvars_get(&vars, "PRETTY_NAME");
    name = shellvars_get(&vars, "NAME");
    version = shellvars_get(&vars, "VERSION");
    version_id = shellvars_get(&vars, "VERSION_ID");
    codename = shellvars_get(&vars, "VERSION_CODENAME");
    variant = shellvars_get(&vars, "VARIANT_ID");

    ret->id = lower(id ? id : "");
    ret->id_like = lower(like ? like : "");
    if (pretty)
        ret->pretty = mem_strdup(pretty);
    else
        ret->pretty =
            mem_printf("%s%s%s", name ? name : "", version ? " " : "", version ? version : "");
    ret->version = mem_strdup(version_id ? version_id : version ? version : "");
    ret->codename = mem_strdup(codename ? codename : "");
    ret->variant = mem_strdup(variant ? variant : "");
    version_parse(ret->version, &ret->major, &ret->minor);
}

void os_release_done(struct os_release *release)
{
    free(release->id);
    free(release->id_like);
    free(release->pretty);
    free(release->version);
    free(release->codename);
    free(release->variant);
    *release = (struct os_release){ 0 };
}
