/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tools of the old hypervisor, switched off without running anything of the guest: services are
 * masked or get stop links, and what configuration asks for in vain is commented out
 * (guest_tools_conf.c). Files of packages stay, so that the package manager's view remains true; it
 * removes them later.
 */
#include <ctype.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/guest_tools.h"
#include "fixers/linux/linux.h"
#include "fixers/linux/services.h"

#define UNITS_MAX 10
#define SCRIPTS_MAX 4

enum tools_kind {
    ALWAYS,
    CLOUD, /* on request only */
};

static const struct tools {
    enum tools_kind kind;
    const char *reason;
    const char *units[UNITS_MAX];
    const char *scripts[SCRIPTS_MAX]; /* of sysvinit and upstart */
} all_tools[] = {
    { ALWAYS,
      "VMware's tools have nothing to talk to on KVM",
      { "open-vm-tools.service", "open-vm-tools-desktop.service", "vmtoolsd.service",
        "vgauth.service", "vgauthd.service", "run-vmblock\\x2dfuse.mount",
        "vmware-vmblock-fuse.service", "vmware-tools.service", "vmware-tools-thinprint.service" },
      { "vmware-tools", "vmware-tools-thinprint", "open-vm-tools", "vmtoolsd" } },
    { ALWAYS,
      "Hyper-V's daemons have nothing to talk to on KVM",
      { "hypervkvpd.service", "hypervvssd.service", "hypervfcopyd.service", "hv-kvp-daemon.service",
        "hv-vss-daemon.service", "hv-fcopy-daemon.service", "hv_kvp_daemon.service",
        "hv_vss_daemon.service", "hv_fcopy_daemon.service" },
      { "hypervkvpd", "hv_kvp_daemon", "hv_vss_daemon" } },
    { ALWAYS,
      "XenServer's tools have nothing to talk to on KVM",
      { "xe-daemon.service", "xe-linux-distribution.service" },
      { "xe-daemon", "xe-linux-distribution" } },
    { ALWAYS,
      "VirtualBox's additions have nothing to talk to on KVM",
      { "vboxadd.service", "vboxadd-service.service", "vboxadd-x11.service",
        "virtualbox-guest-utils.service", "vboxservice.service" },
      { "vboxadd", "vboxadd-service", "vboxadd-x11", "virtualbox-guest-utils" } },
    { ALWAYS,
      "Parallels' tools have nothing to talk to on KVM",
      { "prltoolsd.service", "prl-x11.service" },
      { "prltoolsd", "prl-x11" } },
    { ALWAYS,
      "Nutanix' tools have nothing to talk to on KVM",
      { "ngt_guest_agent.service", "ngt_self_service_restore.service" },
      { "ngt_guest_agent" } },
    { CLOUD,
      "Azure's agent was asked to be switched off",
      { "walinuxagent.service", "waagent.service", "walinuxagent-network-setup.service" },
      { "waagent", "walinuxagent" } },
    { CLOUD,
      "Google's agents were asked to be switched off",
      { "google-guest-agent.service", "google-guest-agent-manager.service",
        "google-guest-compat-manager.service", "google-osconfig-agent.service",
        "google-startup-scripts.service", "google-shutdown-scripts.service",
        "google-oslogin-cache.timer", "gce-workload-cert-refresh.timer" },
      { "google-guest-agent", "google-osconfig-agent" } },
    { CLOUD,
      "Amazon's agents were asked to be switched off",
      { "amazon-ssm-agent.service", "snap.amazon-ssm-agent.amazon-ssm-agent.service",
        "amazon-cloudwatch-agent.service", "hibinit-agent.service" },
      { "amazon-ssm-agent", "amazon-cloudwatch-agent" } },
    { CLOUD,
      "Oracle's agents were asked to be switched off",
      { "oracle-cloud-agent.service", "oracle-cloud-agent-updater.service",
        "snap.oracle-cloud-agent.oracle-cloud-agent.service",
        "snap.oracle-cloud-agent.oracle-cloud-agent-updater.service" },
      { "oracle-cloud-agent" } },
    { CLOUD,
      "Alibaba's agents were asked to be switched off",
      { "aliyun.service", "aegis.service", "cloudmonitor.service", "ecs_mq.service" },
      { "aliyun-service", "aegis", "cloudmonitor", "ecs_mq-service" } },
    { CLOUD,
      "DigitalOcean's agents were asked to be switched off",
      { "droplet-agent.service", "do-agent.service" },
      { NULL } },
    /* EL 5 and before: it would ask at the console what to do about each new and lost device */
    { ALWAYS, "new hardware is no question to be asked at the first start", { NULL }, { "kudzu" } },
};

/* ---- systemd ---- */

static const char *const unit_folders[] = {
    "/etc/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
};

/* Also a link that leads nowhere: it would come to life when its target is installed. */
static bool there_is(const struct plan *plan, const char *folder, const char *name)
{
    CLEANUP_FREE char *path = mem_printf("%s/%s", folder, name);
    struct stat st;

    return guest_lstat(plan->root, path, &st) == 0;
}

static bool has_systemd(const struct plan *plan)
{
    return guest_is_file(plan->root, "/usr/lib/systemd/systemd") ||
           guest_is_file(plan->root, "/lib/systemd/systemd");
}

/* systemd makes units of init scripts too. */
static bool unit_exists(const struct plan *plan, const char *unit)
{
    CLEANUP_FREE char *script = mem_strndup(unit, strcspn(unit, "."));

    for (size_t i = 0; i < ARRAY_SIZE(unit_folders); i++)
        if (there_is(plan, unit_folders[i], unit))
            return true;
    return there_is(plan, "/etc/init.d", script);
}

static int mask_unit(struct plan *plan, const char *unit, const char *reason, struct err *err)
{
    CLEANUP_FREE char *path = mem_printf("%s/%s", unit_folders[0], unit);
    int r = unit_move_links(plan, unit, NULL, reason, err);

    plan_link(plan, "/dev/null", path, reason);
    return r;
}

static int mask_units(struct plan *plan, const struct tools *tools, struct err *err)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < UNITS_MAX && tools->units[i]; i++)
        if (unit_exists(plan, tools->units[i]))
            r = mask_unit(plan, tools->units[i], tools->reason, err);
    return r;
}

/* ---- sysvinit and upstart ---- */

static bool is_same_folder(const struct guest_root *root, const char *a, const char *b)
{
    struct stat one, two;

    return guest_stat(root, a, &one) == 0 && guest_stat(root, b, &two) == 0 &&
           one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

/* "/etc/rc2.d/S20open-vm-tools" -> K80: as `update-rc.d NAME disable` does, so that a later upgrade
 * of the package sees that it is disabled, not new. */
static void stop_instead(struct plan *plan, const char *folder, const char *name,
                         const char *reason)
{
    CLEANUP_FREE char *start = mem_printf("%s/%s", folder, name);
    CLEANUP_FREE char *target = plan_readlink(plan, start);
    int order = (name[1] - '0') * 10 + (name[2] - '0');
    CLEANUP_FREE char *stop = mem_printf("%s/K%02d%s", folder, (100 - order) % 100, name + 3);

    if (!target)
        return;
    plan_remove(plan, start, reason);
    plan_link(plan, target, stop, reason);
}

static bool is_meant(const struct fix_context *ctx, const struct tools *tools)
{
    return tools->kind != CLOUD || ctx->opts->no_cloud_agents;
}

/* The tools whose script "S20NAME" starts; NULL: it is none's. */
static const struct tools *started_by(const struct fix_context *ctx, const char *link)
{
    if (link[0] != 'S' || !isdigit((unsigned char)link[1]) || !isdigit((unsigned char)link[2]))
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(all_tools); i++)
        for (size_t j = 0; j < SCRIPTS_MAX && all_tools[i].scripts[j]; j++)
            if (is_meant(ctx, &all_tools[i]) && strcmp(link + 3, all_tools[i].scripts[j]) == 0)
                return &all_tools[i];
    return NULL;
}

static int stop_scripts_in(const struct fix_context *ctx, struct plan *plan, const char *folder,
                           struct err *err)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    int r = guest_is_dir(plan->root, folder) ? guest_list(plan->root, folder, &names, err) : 0;

    for (size_t i = 0; r >= 0 && i < names.n; i++) {
        const struct tools *tools = started_by(ctx, names.items[i]);

        if (tools)
            stop_instead(plan, folder, names.items[i], tools->reason);
    }
    return r;
}

/* /etc/rcX.d is often a link to the other one. */
static int stop_scripts(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    static const char levels[] = "0123456S";
    int r = 0;

    for (const char *level = levels; r >= 0 && *level; level++) {
        char debian[] = "/etc/rcX.d", redhat[] = "/etc/rc.d/rcX.d", suse[] = "/etc/init.d/rcX.d";
        char *const folders[] = { debian, redhat, suse };

        debian[7] = redhat[12] = suse[14] = *level;
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(folders); i++)
            if (i == 0 || !is_same_folder(plan->root, debian, folders[i]))
                r = stop_scripts_in(ctx, plan, folders[i], err);
    }
    return r;
}

/* Enabled services of OpenRC and runit are links with their names. */
static void remove_service_links(struct plan *plan, const char *name, const char *reason)
{
    static const char *const folders[] = { "/etc/runlevels/boot", "/etc/runlevels/default",
                                           "/etc/runit/runsvdir/default" };

    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", folders[i], name);

        if (there_is(plan, folders[i], name))
            plan_remove(plan, path, reason);
    }
}

static int stop_services(struct plan *plan, const struct tools *tools, struct err *err)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < SCRIPTS_MAX && tools->scripts[i]; i++) {
        r = job_stop(plan, tools->scripts[i], tools->reason, err);
        remove_service_links(plan, tools->scripts[i], tools->reason);
    }
    return r;
}

/* ---- the fixer ---- */

static bool applies(const struct fix_context *ctx, const char **ret_why)
{
    (void)ctx;
    *ret_why = "the guest may hold tools of its old hypervisor";
    return true;
}

static int plan_guest_tools(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    bool systemd = has_systemd(plan); /* a masked unit hides the init script of the same name */
    int r = systemd ? 0 : stop_scripts(ctx, plan, err);

    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(all_tools); i++) {
        if (!is_meant(ctx, &all_tools[i]))
            continue;
        if (systemd)
            r = mask_units(plan, &all_tools[i], err);
        else
            r = stop_services(plan, &all_tools[i], err);
    }
    if (r >= 0 && ctx->opts->remove_tools_now)
        r = guest_tools_remove(ctx, plan, err);
    return r < 0 ? r : guest_tools_conf(ctx, plan, err);
}

const struct fixer fixer_guest_tools = {
    .name = "guest-tools",
    .summary = "switch tools of the old hypervisor off (they stay installed)",
    .os = OS_LINUX,
    .applies = applies,
    .plan = plan_guest_tools,
};
