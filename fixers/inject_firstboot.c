/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is asked for about services, the first start and cloud-init: checked, and files of the host
 * read. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/injections.h"

#define SCRIPT_MAX (16U << 20)
#define SEED_MAX (1U << 20)

static bool has_only(const char *text, const char *more)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t n = 0;

    while (text[n] && (strchr(letters, text[n]) || strchr(more, text[n])))
        n++;
    return n > 0 && text[n] == '\0';
}

int inject_services_check(void *item, const char *folder, struct err *err)
{
    const struct inject_services *services = item;
    const struct strlist *lists[] = { &services->enable, &services->disable, &services->mask };

    (void)folder;
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        for (size_t n = 0; n < lists[i]->n; n++) {
            const char *name = lists[i]->items[n];

            if (!has_only(name, "-_.@:\\") || strchr("-.", name[0]) || strlen(name) > 200)
                return err_status(err, STATUS_USAGE, "%.80s: that is no name of a service", name);
            for (size_t j = 0; j < i; j++)
                if (strlist_has(lists[j], name))
                    return err_status(err, STATUS_USAGE,
                                      "%s: it is to be enabled, disabled or masked: give one",
                                      name);
        }
    }
    return 0;
}

/* The last part of a path, as far as it can be a part of another name. */
static char *plain_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = mem_strndup(slash ? slash + 1 : path, 60);

    for (char *c = name; *c; c++)
        if (!has_only((char[]){ *c, '\0' }, "-_."))
            *c = '_';
    return name;
}

bool inject_is_windows_script(const char *name)
{
    static const char *const suffixes[] = { ".bat", ".cmd", ".ps1", ".vbs" };
    size_t len = strlen(name);

    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
        if (len > 4 && strcasecmp(name + len - 4, suffixes[i]) == 0)
            return true;
    return false;
}

int inject_script_check(void *item, const char *folder, struct err *err)
{
    struct inject_script *script = item;
    int n = (script->script != NULL) + (script->command != NULL) + (script->install.n > 0);
    int r;

    if (n != 1)
        return err_status(err, STATUS_USAGE, "give one of script, command and install");
    for (size_t i = 0; i < script->install.n; i++)
        if (!has_only(script->install.items[i], "-_.+:") || script->install.items[i][0] == '-')
            return err_status(err, STATUS_USAGE, "%.80s: that is no name of a package",
                              script->install.items[i]);
    free(TAKE(script->name));
    free(TAKE(script->data));
    if (script->script) {
        script->name = plain_name(script->script);
        r = inject_load(folder, script->script, SCRIPT_MAX, &script->data, &script->len, err);
        if (r == 0 && !inject_is_windows_script(script->name) &&
            (script->len < 3 || memcmp(script->data, "#!", 2) != 0))
            r = err_status(err, STATUS_USAGE, "%s: a script begins with #! and its interpreter",
                           script->script);
        return r;
    }
    script->name = mem_strdup(script->command ? "command" : "install");
    if (script->command) {
        script->data = mem_printf("#!/bin/sh\n%s\n", script->command);
        script->len = strlen(script->data);
    }
    return 0;
}

/* ---- the agent ---- */

int inject_agent_load(struct injections *inject, const char *folder, struct err *err)
{
    struct inject_agent *agent = &inject->agent;
    const char *from = inject->agent_from;

    if (!from)
        return 0;
    free(agent->file);
    free(agent->data);
    *agent = (struct inject_agent){ .from_repository = strcmp(from, "repository") == 0 };
    if (agent->from_repository)
        return 0;
    agent->file = plain_name(from);
    return inject_load(folder, from, INJECT_FILE_MAX, &agent->data, &agent->len, err);
}

/* ---- cloud-init ---- */

static int load_seed(char **text, char **file, const char *folder, struct err *err)
{
    size_t len = 0;
    int r;

    if (!*file)
        return 0;
    if (*text)
        return err_status(err, STATUS_USAGE, "give either a text or the file %s", *file);
    r = inject_load(folder, *file, SEED_MAX, text, &len, err);
    if (r == 0 && strlen(*text) != len)
        r = err_status(err, STATUS_USAGE, "%s holds zero bytes", *file);
    free(TAKE(*file));
    return r;
}

/* What cloud-init tells kinds of user data apart by. */
static bool is_user_data(const char *text)
{
    static const char *const heads[] = {
        "#cloud-config", "#!",           "#include",      "#cloud-boothook", "#part-handler",
        "#upstart-job",  "## template:", "Content-Type:", "MIME-Version:"
    };

    for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
        if (strncmp(text, heads[i], strlen(heads[i])) == 0)
            return true;
    return false;
}

int inject_cloud_check(void *item, const char *folder, struct err *err)
{
    struct inject_cloud *cloud = item;
    int r = load_seed(&cloud->user_data, &cloud->user_data_file, folder, err);

    if (r == 0)
        r = load_seed(&cloud->meta_data, &cloud->meta_data_file, folder, err);
    if (r == 0)
        r = load_seed(&cloud->network_config, &cloud->network_config_file, folder, err);
    if (r < 0)
        return r;
    if (cloud->user_data && !is_user_data(cloud->user_data))
        return err_status(err, STATUS_USAGE,
                          "user data begins with #cloud-config, or with #! when it is a script");
    for (size_t i = 0; i < cloud->datasources.n; i++)
        if (!has_only(cloud->datasources.items[i], ""))
            return err_status(err, STATUS_USAGE, "%.80s: that is no name of a data source",
                              cloud->datasources.items[i]);
    if (cloud->disable &&
        (cloud->user_data || cloud->meta_data || cloud->network_config || cloud->datasources.n > 0))
        return err_status(err, STATUS_USAGE, "cloud-init is to be disabled: it takes no more");
    return 0;
}
