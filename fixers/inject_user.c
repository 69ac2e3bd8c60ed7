/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is asked for about accounts: does it fit together, and what do files of the host say? */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "fixers/injections.h"
#include "inspect/fields.h"

#define SMALL_MAX (1U << 20)  /* bytes of a file of keys or with a password */
#define PASSWORD_MAX_LEN 511U /* crypt(3) takes no more */

/* useradd(8): what every system takes. */
static bool is_name(const char *name)
{
    static const char known[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789-.";
    size_t len = strlen(name);

    return len > 0 && len <= 32 && strspn(name, known) == len && !strchr("-.0123456789", name[0]);
}

/* Nothing that would end a field or a line of /etc/passwd. */
static bool is_field(const char *text)
{
    for (const char *c = text; *c; c++)
        if (*c == ':' || iscntrl((unsigned char)*c))
            return false;
    return true;
}

static int read_password(struct inject_user *user, const char *folder, struct err *err)
{
    size_t len = 0;
    int r = inject_load(folder, user->password_file, SMALL_MAX, &user->password, &len, err);

    if (r < 0)
        return r;
    free(TAKE(user->password_file));
    len = strcspn(user->password, "\r\n");
    explicit_bzero(user->password + len, strlen(user->password + len));
    return 0;
}

static int check_password(struct inject_user *user, const char *folder, struct err *err)
{
    int n = (user->password != NULL) + (user->password_file != NULL) +
            (user->password_hash != NULL) + user->lock + user->disable;
    int r = 0;

    if (n > 1)
        return err_status(err, STATUS_USAGE,
                          "%s: give only one of password, password-file, password-hash, lock and "
                          "disable",
                          user->name);
    if (user->password_file)
        r = read_password(user, folder, err);
    if (r < 0)
        return r;
    if (user->password && (user->password[0] == '\0' || strlen(user->password) > PASSWORD_MAX_LEN))
        return err_status(err, STATUS_USAGE, "%s: the password is empty or too long", user->name);
    if (user->password_hash && (user->password_hash[0] == '\0' || !is_field(user->password_hash)))
        return err_status(err, STATUS_USAGE, "%s: that is no hash of crypt(5)", user->name);
    return 0;
}

/* "options type base64 comment": sshd(8), AUTHORIZED_KEYS FILE FORMAT. */
static bool is_key(const char *line)
{
    static const char *const types[] = { "ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-" };

    if (strpbrk(line, "\r\n"))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        const char *at = strstr(line, types[i]);

        if (at && (at == line || at[-1] == ' ') && strchr(at, ' '))
            return true;
    }
    return false;
}

static int read_keys(struct inject_user *user, const char *folder, const char *path,
                     struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    struct span line, field;
    size_t len = 0, pos = 0;
    int r = inject_load(folder, path, SMALL_MAX, &text, &len, err);

    while (r == 0 && line_next(text, len, &pos, &line))
        if (fields_split(text, &line, &field, 1) > 0)
            strlist_take(&user->ssh_keys, span_dup(text, line));
    return r;
}

static int check_keys(struct inject_user *user, const char *folder, struct err *err)
{
    for (size_t i = 0; i < user->ssh_key_files.n; i++)
        if (read_keys(user, folder, user->ssh_key_files.items[i], err) < 0)
            return -err->code;
    strlist_done(&user->ssh_key_files);
    for (size_t i = 0; i < user->ssh_keys.n; i++)
        if (!is_key(user->ssh_keys.items[i])) /* it may be a private key: it is not shown */
            return err_status(err, STATUS_USAGE,
                              "%s: that is no line of a public key of SSH, as files *.pub have it",
                              user->name);
    return 0;
}

int inject_user_check(void *item, const char *folder, struct err *err)
{
    struct inject_user *user = item;
    const char *const fields[] = { user->home, user->shell, user->comment };
    uint64_t number;
    int r;

    if (!user->name)
        return err_status(err, STATUS_USAGE, "name is missing");
    if (!is_name(user->name))
        return err_status(err, STATUS_USAGE,
                          "%.40s: a user's name has at most 32 letters, digits, and _-. after the "
                          "first letter",
                          user->name);
    for (size_t i = 0; i < user->groups.n; i++)
        if (!is_name(user->groups.items[i]))
            return err_status(err, STATUS_USAGE, "%s: no group is called %.40s", user->name,
                              user->groups.items[i]);
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        if (fields[i] && !is_field(fields[i]))
            return err_status(err, STATUS_USAGE,
                              "%s: home, shell and comment have no colon and one line", user->name);
    if ((user->home && !inject_path_ok(user->home)) || (user->shell && user->shell[0] != '/'))
        return err_status(err, STATUS_USAGE, "%s: home and shell are absolute paths", user->name);
    if (user->uid && io_parse_u64(user->uid, 4294967293U, &number) < 0)
        return err_status(err, STATUS_USAGE, "%s: uid %s is no number of a user", user->name,
                          user->uid);
    r = check_password(user, folder, err);
    return r < 0 ? r : check_keys(user, folder, err);
}
