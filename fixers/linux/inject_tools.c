/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* At the first start: the old hypervisor's tools go, QEMU's guest agent comes. */
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/text.h"
#include "fixers/linux/firstboot.h"
#include "fixers/linux/guest_tools.h"
#include "fixers/linux/inject.h"

/* ---- tools of the old hypervisor ---- */

/* What was installed from archives removes itself. */
static const char uninstallers[] =
    "if [ -x /usr/bin/vmware-uninstall-tools.pl ]; then\n"
    "    for what in INITRD INITRD_OLD INITRD_NOSCSI; do\n"
    "        echo \"remove_answer RESTORE_RAMDISK_$what\" >>/etc/vmware-tools/locations\n"
    "    done\n"
    "    /usr/bin/vmware-uninstall-tools.pl || status=1\n"
    "fi\n"
    "if [ -f /var/lib/VBoxGuestAdditions/config ]; then\n"
    "    . /var/lib/VBoxGuestAdditions/config\n"
    "    if [ -n \"$INSTALL_DIR\" ] && [ -x \"$INSTALL_DIR/uninstall.sh\" ]; then\n"
    "        \"$INSTALL_DIR/uninstall.sh\" || status=1\n"
    "    fi\n"
    "fi\n"
    "if [ -x /usr/lib/parallels-tools/install ]; then\n"
    "    /usr/lib/parallels-tools/install -r --install-unattended || status=1\n"
    "fi\n";

int inject_remove_tools(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    struct firstboot_script script = { .name = "remove-tools", .mode = 0755 };
    CLEANUP_STRLIST struct strlist command = { 0 };
    CLEANUP_STRBUF struct strbuf text = { 0 };

    if (!ctx->opts->inject.remove_tools)
        return 0;
    if (!ctx->opts->remove_tools_now && guest_tools_removal(ctx, plan, &command, err) < 0)
        return -err->code;
    strbuf_puts(&text, "#!/bin/sh\n"
                       "# Remove the tools of the hypervisor that this machine came from.\n"
                       "status=0\n");
    for (size_t i = 0; i < command.n; i++)
        strbuf_printf(&text, "%s%s", i ? " " : "DEBIAN_FRONTEND=noninteractive ", command.items[i]);
    strbuf_puts(&text, command.n ? " || status=1\n" : "");
    strbuf_printf(&text, "%sexit $status\n", uninstallers);
    script.data = strbuf_text(&text);
    script.len = text.len;
    return firstboot_add(ctx, plan, &script, "the old hypervisor's tools are to be removed", err);
}

/* ---- the guest agent ---- */

#define AGENT_REASON "QEMU's guest agent is to be installed"
#define PACKAGES FIRSTBOOT "/packages"

static const struct {
    const char *suffix;  /* of the file */
    const char *format;  /* facts.package_format */
    const char *command; /* with "%s" for the file; what repositories have may be needed, too */
} package_kinds[] = {
    { ".deb", "deb",
      "dpkg -i %s || { apt-get -q update; DEBIAN_FRONTEND=noninteractive apt-get -q -y -f install; "
      "}" },
    { ".rpm", "rpm",
      "rpm -U --replacepkgs %s || { command -v zypper >/dev/null &&\n"
      "    zypper --non-interactive --no-gpg-checks install %s; } ||\n"
      "    { command -v dnf >/dev/null && dnf -y install %s; } || yum -y install %s" },
    { ".apk", "apk", "apk add --allow-untrusted %s" },
};

/* "%s" is the only thing that is replaced. */
static void add_command(struct strbuf *text, const char *command, const char *path)
{
    const char *at;

    while ((at = strstr(command, "%s")) != NULL) {
        strbuf_add(text, command, (size_t)(at - command));
        strbuf_puts(text, path);
        command = at + 2;
    }
    strbuf_printf(text, "%s\n", command);
}

static int add_package(const struct fix_context *ctx, struct plan *plan, struct strbuf *text,
                       struct err *err)
{
    const struct inject_agent *agent = &ctx->opts->inject.agent;
    const struct guest_attr attr = { .mode = 0644 };
    CLEANUP_FREE char *path = mem_printf(PACKAGES "/%s", agent->file);

    for (size_t i = 0; i < ARRAY_SIZE(package_kinds); i++) {
        if (!text_has_suffix(agent->file, package_kinds[i].suffix))
            continue;
        if (strcmp(package_kinds[i].format, ctx->facts->package_format) != 0)
            break;
        inject_parents(plan, path);
        plan_write_file(plan, path, agent->data, agent->len, &attr, AGENT_REASON);
        add_command(text, package_kinds[i].command, path);
        return 0;
    }
    return err_status(err, STATUS_USAGE, "%s: that is no package for this guest (it has %s)",
                      agent->file,
                      ctx->facts->package_format[0] ? ctx->facts->package_format
                                                    : "no package manager that is known");
}

static int add_from_repository(const struct fix_context *ctx, struct strbuf *text, struct err *err)
{
    const char *command = inject_install_command(ctx->facts);

    if (!command)
        return err_status(err, STATUS_USAGE,
                          "the guest agent: how the guest installs packages is not known; give a "
                          "package file");
    strbuf_printf(text, "(\n%s qemu-guest-agent\n)\n", command);
    return 0;
}

/* Under the names that distributions give it; some start it by themselves. */
static const char start_agent[] =
    "status=$?\n"
    "for service in qemu-guest-agent qemu-ga; do\n"
    "    if command -v systemctl >/dev/null; then\n"
    "        systemctl enable $service 2>/dev/null\n"
    "        systemctl start $service 2>/dev/null && break\n"
    "    elif command -v rc-update >/dev/null; then\n"
    "        [ -x /etc/init.d/$service ] || continue\n"
    "        rc-update add $service default\n"
    "        rc-service $service start\n"
    "    elif [ -x /etc/init.d/$service ]; then\n"
    "        if command -v chkconfig >/dev/null; then chkconfig $service on; fi\n"
    "        /etc/init.d/$service start\n"
    "    fi\n"
    "done\n"
    "exit $status\n";

int inject_agent(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    static const char *const programs[] = { "/usr/bin/qemu-ga", "/usr/sbin/qemu-ga" };
    const struct inject_agent *agent = &ctx->opts->inject.agent;
    struct firstboot_script script = { .name = "guest-agent", .mode = 0755 };
    CLEANUP_STRBUF struct strbuf text = { 0 };
    int r;

    if (!agent->file && !agent->from_repository)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
        if (plan_exists(plan, programs[i])) /* the target-tools fixer starts it */
            return 0;
    strbuf_puts(&text, "#!/bin/sh\n# Install QEMU's guest agent.\n");
    r = agent->file ? add_package(ctx, plan, &text, err) : add_from_repository(ctx, &text, err);
    if (r < 0)
        return r;
    strbuf_puts(&text, start_agent);
    script.data = strbuf_text(&text);
    script.len = text.len;
    return firstboot_add(ctx, plan, &script, AGENT_REASON, err);
}
