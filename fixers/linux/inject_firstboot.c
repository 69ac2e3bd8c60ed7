/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Scripts, commands and packages of the user for the first start. */
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/firstboot.h"
#include "fixers/linux/inject.h"

/* How packages come from repositories, without a question. */
static const struct {
    const char *manager; /* facts.package_manager */
    const char *command;
} installers[] = {
    { "apt", "apt-get -q update\nDEBIAN_FRONTEND=noninteractive exec apt-get -q -y install" },
    { "dnf", "exec dnf -y install" },
    { "yum", "exec yum -y install" },
    { "tdnf", "exec tdnf -y install" },
    { "microdnf", "exec microdnf -y install" },
    { "zypper", "exec zypper --non-interactive install --auto-agree-with-licenses" },
    { "urpmi", "exec urpmi --auto" },
    { "apk", "exec apk add --update-cache" },
    { "pacman", "exec pacman -Sy --noconfirm --needed" },
    { "xbps", "exec xbps-install -Sy" },
};

const char *inject_install_command(const struct facts *facts)
{
    for (size_t i = 0; i < ARRAY_SIZE(installers); i++)
        if (strcmp(installers[i].manager, facts->package_manager) == 0)
            return installers[i].command;
    return NULL;
}

static int add_packages(const struct fix_context *ctx, const struct strlist *packages,
                        struct strbuf *text, struct err *err)
{
    const char *command = inject_install_command(ctx->facts);

    if (!command)
        return err_status(
            err, STATUS_USAGE, "%s: how %s installs packages is not known; use a script",
            packages->items[0],
            ctx->facts->package_manager[0] ? ctx->facts->package_manager : "the guest");
    strbuf_printf(text, "#!/bin/sh\n%s", command);
    for (size_t i = 0; i < packages->n; i++)
        strbuf_printf(text, " %s", packages->items[i]);
    strbuf_putc(text, '\n');
    return 0;
}

int inject_firstboot(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ctx->opts->inject.n_firstboot; i++) {
        const struct inject_script *given = &ctx->opts->inject.firstboot[i];
        CLEANUP_STRBUF struct strbuf text = { 0 };
        /* the same command may be given twice */
        CLEANUP_FREE char *name = mem_printf("%s-%zu", given->name, i + 1);
        struct firstboot_script script = {
            .name = name, .data = given->data, .len = given->len, .mode = 0700
        };

        if (given->script && inject_is_windows_script(given->name) &&
            strncmp(given->data, "#!", 2) != 0)
            return err_status(err, STATUS_USAGE, "%s: a script begins with #! and its interpreter",
                              given->script);
        if (!given->data) {
            r = add_packages(ctx, &given->install, &text, err);
            script.data = strbuf_text(&text);
            script.len = text.len;
            script.mode = 0755;
        }
        if (r >= 0)
            r = firstboot_add(ctx, plan, &script, "the user wants it to run at the first start",
                              err);
    }
    return r;
}
