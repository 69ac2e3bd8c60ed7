/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/injections.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"

static void file_done(struct inject_file *file)
{
    free(file->path);
    free(file->text);
    free(file->from);
    free(file->link);
    free(file->mode);
    free(file->data);
}

static void secret_free(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

void inject_user_forget(struct inject_user *user)
{
    secret_free(TAKE(user->password));
    free(TAKE(user->password_file));
    secret_free(TAKE(user->password_hash));
    user->lock = user->disable = false;
}

static void user_done(struct inject_user *user)
{
    inject_user_forget(user);
    free(user->name);
    strlist_done(&user->ssh_keys);
    strlist_done(&user->ssh_key_files);
    strlist_done(&user->groups);
    free(user->uid);
    free(user->home);
    free(user->shell);
    free(user->comment);
}

static void script_done(struct inject_script *script)
{
    free(script->script);
    free(script->command);
    strlist_done(&script->install);
    free(script->name);
    free(script->data);
}

static void cloud_done(struct inject_cloud *cloud)
{
    free(cloud->user_data);
    free(cloud->meta_data);
    free(cloud->network_config);
    free(cloud->user_data_file);
    free(cloud->meta_data_file);
    free(cloud->network_config_file);
    strlist_done(&cloud->datasources);
}

static void nic_done(struct inject_nic *nic)
{
    free(nic->name);
    strlist_done(&nic->addresses);
    strlist_done(&nic->gateways);
    strlist_done(&nic->dns);
    strlist_done(&nic->search);
}

void injections_done(struct injections *inject)
{
    for (size_t i = 0; i < inject->n_nics; i++)
        nic_done(&inject->nics[i]);
    free(inject->nics);
    strlist_done(&inject->registry_files);
    free(inject->hostname);
    free(inject->timezone);
    for (size_t i = 0; i < inject->n_users; i++)
        user_done(&inject->users[i]);
    free(inject->users);
    for (size_t i = 0; i < inject->n_files; i++)
        file_done(&inject->files[i]);
    free(inject->files);
    strlist_done(&inject->services.enable);
    strlist_done(&inject->services.disable);
    strlist_done(&inject->services.mask);
    for (size_t i = 0; i < inject->n_firstboot; i++)
        script_done(&inject->firstboot[i]);
    free(inject->firstboot);
    cloud_done(&inject->cloud);
    for (size_t i = 0; i < inject->n_registry; i++) {
        free(inject->registry[i].path);
        free(inject->registry[i].data);
    }
    free(inject->registry);
    free(inject->agent.file);
    free(inject->agent.data);
    free(inject->agent_from);
    *inject = (struct injections){ 0 };
}

bool injections_any(const struct injections *inject)
{
    const struct inject_services *services = &inject->services;
    const struct inject_cloud *cloud = &inject->cloud;

    return inject->hostname || inject->timezone || inject->n_nics > 0 || inject->n_users > 0 ||
           inject->n_files > 0 || services->enable.n > 0 || services->disable.n > 0 ||
           services->mask.n > 0 || inject->n_firstboot > 0 || inject->agent.from_repository ||
           inject->agent.file || inject->n_registry > 0 || inject->remove_tools ||
           cloud->user_data || cloud->meta_data || cloud->network_config ||
           cloud->datasources.n > 0 || cloud->disable;
}

struct inject_user *inject_user_get(struct injections *inject, const char *name)
{
    struct inject_user *user;

    for (size_t i = 0; i < inject->n_users; i++)
        if (inject->users[i].name && strcmp(inject->users[i].name, name) == 0)
            return &inject->users[i];
    user = mem_add(&inject->users, &inject->n_users, sizeof(*user));
    user->name = mem_strdup(name);
    return user;
}

bool injections_have_passwords(const struct injections *inject)
{
    for (size_t i = 0; i < inject->n_users; i++)
        if (inject->users[i].password)
            return true;
    return false;
}

int inject_load(const char *folder, const char *path, size_t max, char **ret, size_t *ret_len,
                struct err *err)
{
    CLEANUP_FREE char *full = mem_printf("%s%s", path[0] == '/' ? "" : folder, path);

    return io_read_file(full, max, ret, ret_len, err);
}

bool inject_path_ok(const char *path)
{
    const char *part = path;

    if (path[0] != '/' || path[strspn(path, "/.")] == '\0')
        return false;
    while (part) {
        part += strspn(part, "/");
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
            return false;
        part = strchr(part, '/');
    }
    return true;
}

/* hostname(7): letters, digits, hyphens and dots; the kernel keeps 64 bytes. */
int inject_hostname_check(const char *name, struct err *err)
{
    static const char known[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
    size_t len = strlen(name);

    if (len == 0 || len > 64 || strspn(name, known) != len || strstr(name, "..") ||
        strchr("-.", name[0]) || strchr("-.", name[len - 1]))
        return err_status(err, STATUS_USAGE,
                          "%s: a host name has at most 64 letters, digits, hyphens and dots", name);
    return 0;
}

/* A name below zoneinfo; the guest says whether it has such a zone. */
int inject_timezone_check(const char *name, struct err *err)
{
    static const char known[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+_/";
    size_t len = strlen(name);

    if (len == 0 || len > 128 || strspn(name, known) != len || name[0] == '/' ||
        strstr(name, "//") || name[len - 1] == '/')
        return err_status(err, STATUS_USAGE, "%s: a time zone is named as Europe/Berlin is", name);
    return 0;
}

/* Octal, at most 7777. */
static int read_mode(const char *text, mode_t *ret, struct err *err)
{
    size_t len = strlen(text);
    mode_t mode = 0;

    if (len == 0 || len > 5 || strspn(text, "01234567") != len)
        return err_status(err, STATUS_USAGE, "the mode %s is not octal, as 0644 is", text);
    for (size_t i = 0; i < len; i++)
        mode = mode * 8 + (mode_t)(text[i] - '0');
    if (mode > 07777)
        return err_status(err, STATUS_USAGE, "the mode %s is not octal, as 0644 is", text);
    *ret = mode;
    return 0;
}

/* What the file of the host has besides its bytes: who may read and run it. */
static mode_t mode_of_host(const char *folder, const char *path)
{
    CLEANUP_FREE char *full = mem_printf("%s%s", path[0] == '/' ? "" : folder, path);
    struct stat st;

    return stat(full, &st) < 0 ? 0644 : st.st_mode & 0777;
}

int inject_file_check(void *item, const char *folder, struct err *err)
{
    struct inject_file *file = item;
    int n = (file->text != NULL) + (file->from != NULL) + (file->link != NULL) + file->folder +
            file->remove;
    int r = 0;

    if (!file->path)
        return err_status(err, STATUS_USAGE, "path is missing");
    if (!inject_path_ok(file->path))
        return err_status(err, STATUS_USAGE,
                          "%s: a path in the guest begins with / and has no \"..\" in it",
                          file->path);
    if (n > 1)
        return err_status(err, STATUS_USAGE,
                          "%s: give only one of text, from, link, folder and remove", file->path);
    if (n == 0 && !file->mode)
        return err_status(err, STATUS_USAGE,
                          "%s: give one of text, from, link, folder, remove and mode", file->path);
    if (file->mode && (file->link || file->remove))
        return err_status(err, STATUS_USAGE, "%s: it takes no mode", file->path);
    file->bits = file->folder ? 0755 : 0644;
    if (file->text) {
        file->len = strlen(file->text);
        file->data = mem_strdup(file->text);
    } else if (file->from) {
        r = inject_load(folder, file->from, INJECT_FILE_MAX, &file->data, &file->len, err);
        file->bits = mode_of_host(folder, file->from);
    }
    return r == 0 && file->mode ? read_mode(file->mode, &file->bits, err) : r;
}
