/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The options that ask for injections; they spell as virt-customize's do. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/injections.h"
#include "fixers/windows/inject_registry.h"

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

/* ---- users ---- */

/* What stands behind @prefix in @text; NULL: something else does. */
static const char *behind(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);

    return strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

static int set_password(struct inject_user *user, const char *how, struct err *err)
{
    const char *text = behind(how, "password:");
    const char *file = behind(how, "file:");
    const char *hash = behind(how, "hash:");

    inject_user_forget(user);
    user->password = mem_strdup(text);
    user->password_file = mem_strdup(file);
    user->password_hash = mem_strdup(hash);
    user->lock = strcmp(how, "locked") == 0;
    user->disable = strcmp(how, "disabled") == 0;
    if (!text && !file && !hash && !user->lock && !user->disable) /* it may be a password */
        return err_status(err, STATUS_USAGE,
                          "%s: known are password:TEXT, file:FILE, hash:HASH, locked and disabled",
                          user->name);
    return inject_user_check(user, "", err);
}

static int add_password(struct injections *inject, const char *value, struct err *err)
{
    CLEANUP_FREE char *name = NULL;
    CLEANUP_FREE char *how = NULL;
    int r = split(value, false, &name, &how, err);

    if (r < 0 || !name || !how)
        return r;
    r = set_password(inject_user_get(inject, name), how, err);
    explicit_bzero(how, strlen(how));
    return r;
}

static int set_root_password(struct injections *inject, const char *value, struct err *err)
{
    return set_password(inject_user_get(inject, "root"), value, err);
}

static int add_key(struct injections *inject, const char *value, struct err *err)
{
    bool is_own = !strchr(value, ':');
    CLEANUP_FREE char *name = is_own ? mem_strdup(value) : NULL;
    CLEANUP_FREE char *how = NULL;
    CLEANUP_FREE char *own = NULL;
    int r = is_own ? inject_own_key(&own, err) : split(value, false, &name, &how, err);
    struct inject_user *user;

    if (own)
        how = mem_printf("file:%s", own);
    if (r < 0 || !name || !how)
        return r;
    user = inject_user_get(inject, name);
    if (behind(how, "file:"))
        strlist_add(&user->ssh_key_files, behind(how, "file:"));
    else if (behind(how, "string:"))
        strlist_add(&user->ssh_keys, behind(how, "string:"));
    else
        return err_status(err, STATUS_USAGE, "%s: known are file:FILE and string:KEY", name);
    return inject_user_check(user, "", err);
}

/* ---- files ---- */

static struct inject_file *add_file(struct injections *inject)
{
    return mem_add(&inject->files, &inject->n_files, sizeof(*inject->files));
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

/* ---- services and what the guest does at its first start ---- */

static int add_enable(struct injections *inject, const char *value, struct err *err)
{
    strlist_add(&inject->services.enable, value);
    return inject_services_check(&inject->services, "", err);
}

static int add_disable(struct injections *inject, const char *value, struct err *err)
{
    strlist_add(&inject->services.disable, value);
    return inject_services_check(&inject->services, "", err);
}

static int add_mask(struct injections *inject, const char *value, struct err *err)
{
    strlist_add(&inject->services.mask, value);
    return inject_services_check(&inject->services, "", err);
}

static struct inject_script *add_script(struct injections *inject)
{
    return mem_add(&inject->firstboot, &inject->n_firstboot, sizeof(*inject->firstboot));
}

static int add_firstboot(struct injections *inject, const char *value, struct err *err)
{
    struct inject_script *script = add_script(inject);

    script->script = mem_strdup(value);
    return inject_script_check(script, "", err);
}

static int add_command(struct injections *inject, const char *value, struct err *err)
{
    struct inject_script *script = add_script(inject);

    script->command = mem_strdup(value);
    return inject_script_check(script, "", err);
}

static int add_install(struct injections *inject, const char *value, struct err *err)
{
    struct inject_script *script = add_script(inject);
    CLEANUP_FREE char *copy = mem_strdup(value);
    char *save = NULL;

    for (char *name = strtok_r(copy, ",", &save); name; name = strtok_r(NULL, ",", &save))
        strlist_add(&script->install, name);
    return inject_script_check(script, "", err);
}

static int set_agent(struct injections *inject, const char *value, struct err *err)
{
    replace(&inject->agent_from, value);
    return inject_agent_load(inject, "", err);
}

static int set_remove_tools(struct injections *inject, const char *value, struct err *err)
{
    (void)value;
    (void)err;
    inject->remove_tools = true;
    return 0;
}

static int add_registry(struct injections *inject, const char *value, struct err *err)
{
    return inject_registry_add(inject, "", value, err);
}

static int set_rdp(struct injections *inject, const char *value, struct err *err)
{
    (void)value;
    (void)err;
    inject->rdp = true;
    return 0;
}

static int set_never_sleep(struct injections *inject, const char *value, struct err *err)
{
    (void)value;
    (void)err;
    inject->never_sleep = true;
    return 0;
}

static int add_cloud(struct injections *inject, const char *value, struct err *err)
{
    struct inject_cloud *cloud = &inject->cloud;
    const struct {
        const char *key;
        char **text, **file;
    } files[] = {
        { "user-data=", &cloud->user_data, &cloud->user_data_file },
        { "meta-data=", &cloud->meta_data, &cloud->meta_data_file },
        { "network-config=", &cloud->network_config, &cloud->network_config_file },
    };
    bool known = false;

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        if (!behind(value, files[i].key))
            continue;
        free(TAKE(*files[i].text));
        replace(files[i].file, behind(value, files[i].key));
        known = true;
    }
    if (behind(value, "datasource=")) {
        strlist_add(&cloud->datasources, behind(value, "datasource="));
        known = true;
    } else if (strcmp(value, "disable") == 0) {
        cloud->disable = known = true;
    }
    if (!known)
        return err_status(err, STATUS_USAGE,
                          "known are user-data=FILE, meta-data=FILE, network-config=FILE, "
                          "datasource=NAME and disable");
    return inject_cloud_check(cloud, "", err);
}

static const struct {
    const char *name;
    int (*take)(struct injections *inject, const char *value, struct err *err);
} options[] = {
    { "chmod", add_chmod },
    { "cloud-init", add_cloud },
    { "delete", add_delete },
    { "disable-service", add_disable },
    { "enable-service", add_enable },
    { "firstboot", add_firstboot },
    { "firstboot-command", add_command },
    { "firstboot-install", add_install },
    { "hostname", set_hostname },
    { "install-agent", set_agent },
    { "link", add_link },
    { "mask-service", add_mask },
    { "mkdir", add_mkdir },
    { "never-sleep", set_never_sleep },
    { "password", add_password },
    { "rdp", set_rdp },
    { "registry", add_registry },
    { "remove-tools", set_remove_tools },
    { "root-password", set_root_password },
    { "ssh-inject", add_key },
    { "timezone", set_timezone },
    { "upload", add_upload },
    { "write", add_write },
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
