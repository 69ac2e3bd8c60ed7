/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Accounts: made as useradd(8) makes them, and put into groups. */
#include <string.h>
#include <time.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/accounts.h"
#include "fixers/linux/inject.h"
#include "inspect/shellvars.h"

#define SKEL "/etc/skel"
#define SKEL_MAX 1000 /* entries */
#define USER_REASON "the user wants this account"

/* ---- numbers ---- */

/* login.defs(5). */
static uint64_t login_number(struct plan *plan, const char *name, uint64_t other)
{
    CLEANUP_FREE char *text = NULL;
    struct err ignored = ERR_NONE;
    struct span line, words[2];
    size_t pos = 0, len = 0;

    if (plan_read(plan, "/etc/login.defs", &text, &len, &ignored) < 0)
        return other;
    while (line_next(text, len, &pos, &line))
        if (fields_split(text, &line, words, ARRAY_SIZE(words)) == ARRAY_SIZE(words) &&
            span_is(text, words[0], name))
            return account_number(text, words[1], other);
    return other;
}

/* The highest number of field 2 that lies between @min and @max, or @min - 1. */
static uint64_t highest(const char *text, uint64_t min, uint64_t max)
{
    struct span fields[ACCOUNT_FIELDS];
    uint64_t top = min - 1;
    size_t pos = 0, n;

    while ((n = account_next(text, &pos, fields)) > 0) {
        uint64_t number = n > 2 ? account_number(text, fields[2], 0) : 0;

        if (number > top && number <= max)
            top = number;
    }
    return top;
}

static bool is_taken(const char *text, uint64_t number)
{
    struct span fields[ACCOUNT_FIELDS];
    size_t pos = 0, n;

    while ((n = account_next(text, &pos, fields)) > 0)
        if (n > 2 && account_number(text, fields[2], UINT32_MAX) == number)
            return true;
    return false;
}

/* ---- groups ---- */

/* Add @line to the file when it is there. */
static int add_line(struct plan *plan, const char *path, const char *line, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *fixed = NULL;
    int r = plan_read_text(plan, path, &text, err);

    if (r <= 0)
        return r;
    fixed = account_add(text, line);
    plan_write(plan, path, fixed, USER_REASON);
    return 0;
}

/* The number of the group @name, made with @number or a higher one when it is missing. */
static int own_group(struct plan *plan, const char *name, uint64_t number, uint64_t max,
                     uint64_t *ret, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *line = NULL;
    CLEANUP_FREE char *shadow = mem_printf("%s:!::", name);
    struct span fields[ACCOUNT_FIELDS];
    int r = plan_read_text(plan, GROUP, &text, err);

    if (r <= 0)
        return r < 0 ? r : err_status(err, STATUS_FAILED, "the guest has no %s", GROUP);
    if (account_find(text, name, 3, fields)) {
        *ret = account_number(text, fields[2], number);
        return 0;
    }
    if (is_taken(text, number))
        number = highest(text, number, max) + 1;
    *ret = number;
    line = mem_printf("%s:x:%llu:", name, (unsigned long long)number);
    r = add_line(plan, GROUP, line, err);
    return r < 0 ? r : add_line(plan, GSHADOW, shadow, err);
}

static bool is_member(const char *text, struct span members, const char *name)
{
    CLEANUP_FREE char *list = span_dup(text, members);

    return list_has(list, name);
}

/* 0: there is no such group in this file. */
static int join_in(struct plan *plan, const char *path, const char *group, const char *name,
                   struct err *err)
{
    struct span fields[ACCOUNT_FIELDS];
    CLEANUP_EDITS struct edits edits = { 0 };
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *added = NULL;
    CLEANUP_FREE char *fixed = NULL;
    int r = plan_read_text(plan, path, &text, err);

    if (r <= 0)
        return r;
    if (!account_find(text, group, 4, fields))
        return 0;
    if (is_member(text, fields[3], name))
        return 1;
    added = mem_printf("%s%s", fields[3].len ? "," : "", name);
    edits_add(&edits, (struct span){ fields[3].start + fields[3].len, 0 }, added);
    fixed = edits_apply(&edits, text, strlen(text), NULL);
    plan_write(plan, path, fixed, USER_REASON);
    return 1;
}

static int join(struct plan *plan, const struct inject_user *user, struct err *err)
{
    for (size_t i = 0; i < user->groups.n; i++) {
        const char *group = user->groups.items[i];
        int r = join_in(plan, GROUP, group, user->name, err);

        if (r == 0)
            return err_status(err, STATUS_USAGE, "%s: there is no group %s in the guest",
                              user->name, group);
        if (r > 0)
            r = join_in(plan, GSHADOW, group, user->name, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- a new account ---- */

/* useradd's own configuration; NULL: it says nothing. Free it. */
static char *default_of(struct plan *plan, const char *name)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_SHELLVARS struct shellvars vars = { 0 };
    struct err ignored = ERR_NONE;
    size_t len = 0;

    if (plan_read(plan, "/etc/default/useradd", &text, &len, &ignored) < 0)
        return NULL;
    shellvars_parse(text, len, &vars);
    return mem_strdup(shellvars_get(&vars, name));
}

static char *shell_of(struct plan *plan, const struct inject_user *user)
{
    CLEANUP_FREE char *usual = default_of(plan, "SHELL");
    const char *const shells[] = { usual, "/bin/bash", "/bin/sh" };

    if (user->shell)
        return mem_strdup(user->shell);
    for (size_t i = 0; i < ARRAY_SIZE(shells); i++)
        if (shells[i] && shells[i][0] == '/' && plan_exists(plan, shells[i]))
            return mem_strdup(shells[i]);
    return mem_strdup("/bin/sh");
}

static char *home_of(struct plan *plan, const struct inject_user *user)
{
    CLEANUP_FREE char *base = default_of(plan, "HOME");

    if (user->home)
        return mem_strdup(user->home);
    return mem_printf("%s/%s", base && base[0] == '/' && base[1] ? base : "/home", user->name);
}

/* One entry of SKEL; a folder's entries are added to @all. */
static int copy_entry(struct plan *plan, const char *inside, const char *home,
                      struct guest_attr attr, struct strlist *all, struct err *err)
{
    CLEANUP_FREE char *from = mem_printf(SKEL "%s", inside);
    CLEANUP_FREE char *to = mem_printf("%s%s", home, inside);
    CLEANUP_STRLIST struct strlist names = { 0 };
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    struct stat st;
    int r = 0;

    if (guest_lstat(plan->root, from, &st) < 0 || plan_exists(plan, to))
        return 0;
    attr.mode = st.st_mode & 07777;
    if (S_ISDIR(st.st_mode)) {
        plan_mkdir_as(plan, to, &attr, USER_REASON);
        r = guest_list(plan->root, from, &names, err);
        for (size_t i = 0; r >= 0 && i < names.n && all->n < SKEL_MAX; i++)
            strlist_take(all, mem_printf("%s/%s", inside, names.items[i]));
    } else if (S_ISREG(st.st_mode)) {
        r = guest_read(plan->root, from, GUEST_TEXT_MAX, &text, &len, err);
        if (r >= 0)
            plan_write_file(plan, to, text, len, &attr, USER_REASON);
    } else if (S_ISLNK(st.st_mode)) {
        text = plan_readlink(plan, from);
        if (text)
            plan_link(plan, text, to, USER_REASON);
    }
    return r;
}

static int make_home(struct plan *plan, const char *home, uint64_t uid, uint64_t gid,
                     struct err *err)
{
    const struct guest_attr attr = { .mode = 0700, .uid = (uid_t)uid, .gid = (gid_t)gid };
    CLEANUP_STRLIST struct strlist all = { 0 };
    CLEANUP_STRLIST struct strlist names = { 0 };
    int r = 0;

    if (plan_exists(plan, home))
        return 0;
    inject_parents(plan, home);
    plan_mkdir_as(plan, home, &attr, USER_REASON);
    if (guest_is_dir(plan->root, SKEL))
        r = guest_list(plan->root, SKEL, &names, err);
    for (size_t i = 0; i < names.n && i < SKEL_MAX; i++)
        strlist_take(&all, mem_printf("/%s", names.items[i]));
    for (size_t i = 0; r >= 0 && i < all.n; i++) {
        CLEANUP_FREE char *inside = mem_strdup(all.items[i]); /* the list moves */

        r = copy_entry(plan, inside, home, attr, &all, err);
    }
    return r;
}

static int pick_uid(struct plan *plan, const struct inject_user *user, const char *passwd,
                    uint64_t max, uint64_t *ret, struct err *err)
{
    *ret = highest(passwd, login_number(plan, "UID_MIN", 1000), max) + 1;
    if (user->uid)
        *ret = strtoull(user->uid, NULL, 10); /* it was checked when it was taken */
    if (is_taken(passwd, *ret))
        return err_status(err, STATUS_USAGE, "%s: another user of the guest has the number %llu",
                          user->name, (unsigned long long)*ret);
    if (!user->uid && *ret > max)
        return err_status(err, STATUS_FAILED, "%s: no number is left for it; give uid", user->name);
    return 0;
}

static int create(struct plan *plan, const struct inject_user *user, struct err *err)
{
    uint64_t max = login_number(plan, "UID_MAX", 60000), uid = 0, gid = 0;
    CLEANUP_FREE char *home = home_of(plan, user);
    CLEANUP_FREE char *shell = shell_of(plan, user);
    CLEANUP_FREE char *passwd = NULL;
    CLEANUP_FREE char *line = NULL;
    CLEANUP_FREE char *shadow =
        mem_printf("%s:!:%lld:0:99999:7:::", user->name, (long long)(time(NULL) / 86400));
    int r = plan_read_text(plan, PASSWD, &passwd, err);

    if (r <= 0)
        return r < 0 ? r : err_status(err, STATUS_FAILED, "the guest has no %s", PASSWD);
    r = pick_uid(plan, user, passwd, max, &uid, err);
    if (r == 0)
        r = own_group(plan, user->name, uid, max, &gid, err);
    if (r < 0)
        return r;
    line = mem_printf("%s:%s:%llu:%llu:%s:%s:%s", user->name, plan_exists(plan, SHADOW) ? "x" : "*",
                      (unsigned long long)uid, (unsigned long long)gid,
                      user->comment ? user->comment : "", home, shell);
    r = add_line(plan, PASSWD, line, err);
    if (r >= 0)
        r = add_line(plan, SHADOW, shadow, err);
    return r < 0 ? r : make_home(plan, home, uid, gid, err);
}

/* ---- all of it ---- */

static int one_user(struct plan *plan, const struct inject_user *user, struct err *err)
{
    struct account account = { 0 };
    int r = account_get(plan, user->name, &account, err);

    if (r == 0 && !user->create)
        return err_status(err, STATUS_USAGE,
                          "there is no user %s in the guest; \"create: true\" (h2k-config(5)) "
                          "makes it",
                          user->name);
    if (r == 0)
        r = create(plan, user, err);
    else if (r > 0 && ((user->home && strcmp(user->home, account.home) != 0) ||
                       (user->uid && strtoull(user->uid, NULL, 10) != account.uid)))
        plan_note(plan, "the user %s is there already: its number and home stay as they are",
                  user->name);
    free(account.home);
    if (r >= 0)
        r = join(plan, user, err);
    if (r >= 0)
        r = inject_password(plan, user, err);
    return r < 0 ? r : inject_keys(plan, user, err);
}

int inject_users(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ctx->opts->inject.n_users; i++)
        r = one_user(plan, &ctx->opts->inject.users[i], err);
    return r;
}
