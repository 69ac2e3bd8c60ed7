/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys of SSH that may log in. sshd(8) takes them only from files that nobody else can write. */
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/accounts.h"
#include "fixers/linux/inject.h"

#define KEYS_REASON "the user wants to log in with this key"

static bool has_line(const char *text, const char *want)
{
    struct span line;
    size_t pos = 0;

    while (line_next(text, strlen(text), &pos, &line))
        if (span_is(text, line, want))
            return true;
    return false;
}

static void own_folder(struct plan *plan, const char *path, const struct guest_attr *attr)
{
    inject_parents(plan, path);
    plan_mkdir_as(plan, path, attr, KEYS_REASON);
}

static int add_keys(struct plan *plan, const struct inject_user *user, const char *home,
                    const struct account *account, struct err *err)
{
    const struct guest_attr folder_attr = { .mode = 0700,
                                            .uid = (uid_t)account->uid,
                                            .gid = (gid_t)account->gid };
    const struct guest_attr file_attr = { .mode = 0600,
                                          .uid = (uid_t)account->uid,
                                          .gid = (gid_t)account->gid };
    CLEANUP_FREE char *folder = mem_printf("%s/.ssh", home);
    CLEANUP_FREE char *path = mem_printf("%s/authorized_keys", folder);
    CLEANUP_STRBUF struct strbuf out = { 0 };
    CLEANUP_FREE char *text = NULL;
    int r = 0;

    if (plan_exists(plan, path)) {
        r = plan_read_text(plan, path, &text, err);
        if (r <= 0)
            return r < 0 ? r : err_status(err, STATUS_FAILED, "%s cannot be added to", path);
    }
    strbuf_puts(&out, text ? text : "");
    for (size_t i = 0; i < user->ssh_keys.n; i++) {
        if (has_line(strbuf_text(&out), user->ssh_keys.items[i]))
            continue;
        if (out.len > 0 && out.data[out.len - 1] != '\n')
            strbuf_putc(&out, '\n');
        strbuf_printf(&out, "%s\n", user->ssh_keys.items[i]);
    }
    if (text && strlen(text) == out.len)
        return 0;
    own_folder(plan, home, &folder_attr);
    own_folder(plan, folder, &folder_attr);
    plan_write_file(plan, path, strbuf_text(&out), out.len, &file_attr, KEYS_REASON);
    return 0;
}

int inject_keys(struct plan *plan, const struct inject_user *user, struct err *err)
{
    struct account account = { 0 };
    int r;

    if (user->ssh_keys.n == 0)
        return 0;
    r = account_get(plan, user->name, &account, err);
    if (r > 0) {
        size_t len = strlen(account.home);

        while (len > 0 && account.home[len - 1] == '/')
            account.home[--len] = '\0';
        r = len > 0 ? add_keys(plan, user, account.home, &account, err)
                    : err_status(err, STATUS_USAGE, "%s has no home for keys of SSH", user->name);
    }
    free(account.home);
    return r;
}
