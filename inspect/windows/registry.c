/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/windows/registry.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/upcase.h"
#include "inspect/windows/windows.h"

#define BCD_HIVE "BCD00000000"
#define DEFAULT_HIVE ".DEFAULT"

static const struct {
    const char *name, *full;
} roots[] = {
    { "HKLM", REGISTRY_MACHINE },
    { REGISTRY_MACHINE, REGISTRY_MACHINE },
    { "HKU", REGISTRY_USERS },
    { REGISTRY_USERS, REGISTRY_USERS },
};

static const char *const machine_hives[] = { "SYSTEM", "SOFTWARE", "SAM", "SECURITY", BCD_HIVE };

/* The first name of the path @text; the rest begins at *ret_rest. Free it. */
static char *first_name(const char *text, const char **ret_rest)
{
    size_t len = strcspn(text, "\\");

    *ret_rest = text + len + strspn(text + len, "\\");
    return mem_strndup(text, len);
}

/* Without what ends it. Free it. */
static char *without_end(const char *text)
{
    size_t len = strlen(text);

    while (len > 0 && text[len - 1] == '\\')
        len--;
    return mem_strndup(text, len);
}

static const char *full_root(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
        if (upcase_equal(name, roots[i].name))
            return roots[i].full;
    return NULL;
}

/* How the hive @name is written; NULL: no file holds it. A user's folder is as the guest has it. */
static const char *full_hive(const char *name, bool is_users)
{
    if (is_users)
        return *name == '\0' || strchr(name, '/') || strcmp(name, ".") == 0 ||
                       strcmp(name, "..") == 0
                   ? NULL
               : upcase_equal(name, DEFAULT_HIVE) ? DEFAULT_HIVE
                                                  : name;
    for (size_t i = 0; i < ARRAY_SIZE(machine_hives); i++)
        if (upcase_equal(name, machine_hives[i]))
            return machine_hives[i];
    return NULL;
}

int registry_key_parse(const char *text, struct registry_key *ret, struct err *err)
{
    const char *rest = text;
    CLEANUP_FREE char *root = first_name(text, &rest);
    CLEANUP_FREE char *hive = first_name(rest, &rest);
    const char *full = full_root(root);
    bool is_users = full && strcmp(full, REGISTRY_USERS) == 0;
    const char *full_name = full ? full_hive(hive, is_users) : NULL;

    if (!full_name)
        return err_status(err, STATUS_USAGE,
                          "%s: a key begins with HKLM\\SYSTEM, HKLM\\SOFTWARE, HKLM\\SAM, "
                          "HKLM\\SECURITY, HKLM\\" BCD_HIVE ", HKU\\" DEFAULT_HIVE " or HKU\\USER",
                          text);
    *ret = (struct registry_key){ .hive = mem_strdup(full_name),
                                  .key = without_end(rest),
                                  .is_users = is_users };
    ret->name = mem_printf("%s\\%s%s%s", full, ret->hive, *ret->key ? "\\" : "", ret->key);
    return 0;
}

void registry_key_done(struct registry_key *key)
{
    free(key->name);
    free(key->hive);
    free(key->key);
    *key = (struct registry_key){ 0 };
}

/* ---- in a guest ---- */

static char *config_file(const struct guest_root *root, const struct fact_windows *windows,
                         const char *name)
{
    CLEANUP_FREE char *path = mem_printf("%s/System32/config/%s", windows->system_root, name);

    return windows_spelling(root, path);
}

static char *user_file(const struct guest_root *root, const char *user)
{
    static const char *const folders[] = { "/Users", "/Documents and Settings" };

    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s/NTUSER.DAT", folders[i], user);

        if (guest_is_file(root, path))
            return windows_spelling(root, path);
    }
    return NULL;
}

static char *hive_file(const struct guest_root *root, const struct fact_windows *windows,
                       const struct registry_key *key)
{
    if (key->is_users && strcmp(key->hive, DEFAULT_HIVE) != 0)
        return user_file(root, key->hive);
    if (key->is_users)
        return config_file(root, windows, "DEFAULT");
    if (strcmp(key->hive, BCD_HIVE) == 0)
        return *windows->bcd ? mem_strdup(windows->bcd) : NULL;
    return config_file(root, windows, key->hive);
}

/* CurrentControlSet is a link that Windows makes when it starts. NULL: no set is known. */
static char *in_control_set(const struct fact_windows *windows, const struct registry_key *key)
{
    const char *rest;
    CLEANUP_FREE char *first = first_name(key->key, &rest);
    const struct strlist *sets = &windows->control_sets;

    if (key->is_users || strcmp(key->hive, "SYSTEM") != 0 || !upcase_equal(first, REGISTRY_CURRENT))
        return mem_strdup(key->key);
    return sets->n > 0 ? mem_printf("%s%s%s", sets->items[0], *rest ? "\\" : "", rest) : NULL;
}

int registry_key_locate(const struct guest_root *root, const struct fact_windows *windows,
                        const struct registry_key *key, char **ret_path, char **ret_key,
                        struct err *err)
{
    CLEANUP_FREE char *path = hive_file(root, windows, key);
    CLEANUP_FREE char *real = in_control_set(windows, key);

    if (!path)
        return err_status(err, STATUS_FAILED,
                          key->is_users ? "%s: there is no such user in the guest"
                                        : "%s: the guest has no such hive",
                          key->hive);
    if (!real)
        return err_status(err, STATUS_FAILED, "the guest says no control set that it starts with");
    *ret_path = TAKE(path);
    *ret_key = TAKE(real);
    return 0;
}
