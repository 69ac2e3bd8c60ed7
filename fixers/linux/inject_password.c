/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Passwords. What is typed is hashed here, in the way that the guest's own passwd(1) would use,
 * and only when the hash that is there is of another one. Source of the formats: crypt(5).
 */
#include <crypt.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "fixers/linux/accounts.h"
#include "fixers/linux/inject.h"

#define PASSWORD_REASON "the user sets the password"

/* ---- which hash the guest takes ---- */

static const struct method {
    const char *word;   /* of pam_unix(8), and of login.defs(5) in capitals */
    const char *prefix; /* crypt(5) */
} methods[] = {
    { "yescrypt", "$y$" },
    { "sha512", "$6$" },
    { "sha256", "$5$" },
    { "md5", "$1$" },
};

static const struct method *find_method(const char *text, struct span word)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (word.len == strlen(methods[i].word) &&
            strncasecmp(text + word.start, methods[i].word, word.len) == 0)
            return &methods[i];
    return NULL;
}

/* A line of @path that has the word @key names a method; NULL: none does. */
static const struct method *method_in(struct plan *plan, const char *path, const char *key)
{
    CLEANUP_FREE char *text = NULL;
    struct err ignored = ERR_NONE;
    struct span line, words[24];
    size_t pos = 0, len = 0;

    if (plan_read(plan, path, &text, &len, &ignored) < 0)
        return NULL;
    while (line_next(text, len, &pos, &line)) {
        size_t n = fields_split(text, &line, words, ARRAY_SIZE(words));
        bool is_meant = false;

        for (size_t i = 0; i < n; i++) {
            const struct method *method = is_meant ? find_method(text, words[i]) : NULL;

            if (method)
                return method;
            is_meant |= span_is(text, words[i], key);
        }
    }
    return NULL;
}

/* SHA-512 is understood by every libc since 2007, unless the guest says that it uses less. */
static const char *guest_prefix(struct plan *plan)
{
    static const char *const files[] = {
        "/etc/pam.d/common-password", "/etc/pam.d/system-auth", "/etc/pam.d/password-auth",
        "/etc/pam.d/base-password",   "/etc/pam.d/passwd",
    };
    const struct method *method = NULL;

    for (size_t i = 0; !method && i < ARRAY_SIZE(files); i++)
        method = method_in(plan, files[i], "pam_unix.so");
    if (!method)
        method = method_in(plan, "/etc/login.defs", "ENCRYPT_METHOD");
    return method ? method->prefix : "$6$";
}

/* ---- hashing ---- */

/* A guest's hash can ask for years of work: only usual amounts are done. */
static bool is_cheap(const char *hash)
{
    static const char *const plain[] = { "$1$", "$y$j9T$" };
    static const char *const sha[] = { "$5$", "$6$" };
    static const char rounds[] = "rounds=";

    for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
        if (strncmp(hash, plain[i], strlen(plain[i])) == 0)
            return true;
    for (size_t i = 0; i < ARRAY_SIZE(sha); i++) {
        const char *at = hash + strlen(sha[i]);
        size_t digits;

        if (strncmp(hash, sha[i], strlen(sha[i])) != 0)
            continue;
        if (strncmp(at, rounds, strlen(rounds)) != 0)
            return true;
        digits = strspn(at + strlen(rounds), "0123456789");
        return digits > 0 && digits < 6 && at[strlen(rounds) + digits] == '$';
    }
    return false;
}

/* NULL: it cannot be hashed so. Free it. */
static char *hash_password(const char *password, const char *setting)
{
    struct crypt_data *data = mem_alloc(sizeof(*data));
    const char *hash = crypt_rn(password, setting, data, (int)sizeof(*data));
    char *copy = hash && hash[0] != '*' ? mem_strdup(hash) : NULL;

    explicit_bzero(data, sizeof(*data));
    free(data);
    return copy;
}

static bool verifies(const char *password, const char *hash)
{
    CLEANUP_FREE char *again = is_cheap(hash) ? hash_password(password, hash) : NULL;

    return again && strcmp(again, hash) == 0;
}

/* What the field is to be; NULL: it stays as it is. */
static int new_field(struct plan *plan, const struct inject_user *user, const char *old, char **ret,
                     struct err *err)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];

    if (user->disable)
        *ret = old[0] == '*' ? NULL : mem_strdup("*");
    else if (user->lock)
        *ret = old[0] == '!' ? NULL : mem_printf("!%s", old);
    else if (user->password_hash)
        *ret = strcmp(old, user->password_hash) == 0 ? NULL : mem_strdup(user->password_hash);
    else if (user->password && !verifies(user->password, old)) {
        if (!crypt_gensalt_rn(guest_prefix(plan), 0, NULL, 0, setting, (int)sizeof(setting)))
            return err_set(err, errno, "make a salt");
        *ret = hash_password(user->password, setting);
        if (!*ret)
            return err_set(err, EINVAL, "hash the password of %s", user->name);
    }
    return 0;
}

/* ---- where it goes ---- */

static void set_field(struct plan *plan, const char *path, const char *text,
                      const struct span *fields, const char *value, bool with_day)
{
    CLEANUP_EDITS struct edits edits = { 0 };
    CLEANUP_FREE char *day = mem_printf("%lld", (long long)(time(NULL) / 86400));
    CLEANUP_FREE char *fixed = NULL;

    edits_add(&edits, fields[1], value);
    if (with_day) /* else an old password may have to be changed at once */
        edits_add(&edits, fields[2], day);
    fixed = edits_apply(&edits, text, strlen(text), NULL);
    plan_write(plan, path, fixed, PASSWORD_REASON);
    explicit_bzero(fixed, strlen(fixed));
}

/* A password beside "x" in PASSWD would hide the one in SHADOW. */
static int point_to_shadow(struct plan *plan, const char *name, struct err *err)
{
    struct span fields[ACCOUNT_FIELDS];
    CLEANUP_FREE char *text = NULL;
    int r = plan_read_text(plan, PASSWD, &text, err);

    if (r > 0 && account_find(text, name, 7, fields) && !span_is(text, fields[1], "x"))
        set_field(plan, PASSWD, text, fields, "x", false);
    return r < 0 ? r : 0;
}

static int add_to_shadow(struct plan *plan, const char *name, const char *text)
{
    CLEANUP_FREE char *line =
        mem_printf("%s:!:%lld:0:99999:7:::", name, (long long)(time(NULL) / 86400));
    CLEANUP_FREE char *fixed = account_add(text, line);

    plan_write(plan, SHADOW, fixed, PASSWORD_REASON);
    return 0;
}

int inject_password(struct plan *plan, const struct inject_user *user, struct err *err)
{
    bool has_shadow = plan_exists(plan, SHADOW);
    const char *path = has_shadow ? SHADOW : PASSWD;
    struct span fields[ACCOUNT_FIELDS];
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *old = NULL;
    CLEANUP_FREE char *value = NULL;
    int r;

    if (!user->password && !user->password_hash && !user->lock && !user->disable)
        return 0;
    r = plan_read_text(plan, path, &text, err);
    if (r > 0 && has_shadow && !account_find(text, user->name, 3, fields)) {
        r = add_to_shadow(plan, user->name, text);
        free(TAKE(text));
        if (r >= 0)
            r = plan_read_text(plan, path, &text, err);
    }
    if (r <= 0 || !account_find(text, user->name, 3, fields))
        return r < 0 ? r
                     : err_status(err, STATUS_FAILED, "%s has no line for %s", path, user->name);
    old = span_dup(text, fields[1]);
    r = new_field(plan, user, old, &value, err);
    if (r < 0)
        return r;
    if (value)
        set_field(plan, path, text, fields, value, has_shadow);
    return has_shadow ? point_to_shadow(plan, user->name, err) : 0;
}
