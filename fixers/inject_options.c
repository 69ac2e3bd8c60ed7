/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options that ask for injections; they spell as virt-customize's do. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/injections.h"

static void replace(char **field, const char *value)
{
    free(*field);
    *field = mem_strdup(value);
}

static int set_hostname(struct injections *inject, const char *value, struct err *err)
{
    replace(&inject->hostname, value);
    return inject_hostname_check(value, err);
}

static int set_timezone(struct injections *inject, const char *value, struct err *err)
{
    replace(&inject->timezone, value);
    return inject_timezone_check(value, err);
}

/* ---- files ---- */

static struct inject_file *add_file(struct injections *inject)
{
    return mem_add(&inject->files, &inject->n_files, sizeof(*inject->files));
}

/* Both sides of the colon; usage error when one is missing. */
static int split(const char *value, bool last, char **ret_left, char **ret_right, struct err *err)
{
    const char *colon = last ? strrchr(value, ':') : strchr(value, ':');

    if (!colon || colon == value || (last && colon[1] == '\0'))
        return err_status(err, STATUS_USAGE, "two parts with a colon between them are expected");
    *ret_left = mem_strndup(value, (size_t)(colon - value));
    *ret_right = mem_strdup(colon + 1);
    return 0;
}

static int add_upload(struct injections *inject, const char *value, struct err *err)
{
    struct inject_file *file = add_file(inject);
    int r = split(value, true, &file->from, &file->path, err);

    return r < 0 ? r : inject_file_check(file, "", err);
}

static int add_write(struct injections *inject, const char *value, struct err *err)
{
    struct inject_file *file = add_file(inject);
    int r = split(value, false, &file->path, &file->text, err);

    return r < 0 ? r : inject_file_check(file, "", err);
}

static int add_link(struct injections *inject, const char *value, struct err *err)
{
    struct inject_file *file = add_file(inject);
    int r = split(value, true, &file->link, &file->path, err);

    return r < 0 ? r : inject_file_check(file, "", err);
}

static int add_chmod(struct injections *inject, const char *value, struct err *err)
{
    struct inject_file *file = add_file(inject);
    int r = split(value, false, &file->mode, &file->path, err);

    return r < 0 ? r : inject_file_check(file, "", err);
}

static int add_mkdir(struct injections *inject, const char *value, struct err *err)
{
    struct inject_file *file = add_file(inject);

    file->path = mem_strdup(value);
    file->folder = true;
    return inject_file_check(file, "", err);
}

static int add_delete(struct injections *inject, const char *value, struct err *err)
{
    struct inject_file *file = add_file(inject);

    file->path = mem_strdup(value);
    file->remove = true;
    return inject_file_check(file, "", err);
}

static const struct {
    const char *name;
    int (*take)(struct injections *inject, const char *value, struct err *err);
} options[] = {
    { "hostname", set_hostname }, { "timezone", set_timezone }, { "upload", add_upload },
    { "write", add_write },       { "mkdir", add_mkdir },       { "delete", add_delete },
    { "chmod", add_chmod },       { "link", add_link },
};

int injections_option(struct injections *inject, const char *option, const char *value,
                      struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        int r;

        if (strcmp(options[i].name, option) != 0)
            continue;
        r = options[i].take(inject, value, err);
        return r < 0 ? err_wrap(err, "--%s", option) : 0;
    }
    return err_set(err, EINVAL, "take the option %s", option);
}
