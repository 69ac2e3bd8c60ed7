/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the old machine needed: services that would hang, crash or fight on KVM are disabled, and
 * filters that cannot be loaded any more are taken out of the lists of their classes, because a
 * device does not start without all of its filters. Keys of services stay: their uninstallers need
 * them.
 *
 * What is left alone on purpose: drivers of devices that are just not there (pvscsi, vmxnet3,
 * VBoxVideo, vm3dmp) never run; VMware's vmci and vsock start without a device and do no harm;
 * Hyper-V's are Windows' own, and KVM offers what they talk to.
 */
#include "fixers/windows/tools.h"

#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/plan_hive.h"
#include "fixers/windows/windows.h"
#include "inspect/windows/facts.h"

#define SERVICES_MAX 20
#define START_DISABLED 4

enum tools_when {
    ALWAYS,
    ON_REQUEST, /* with --remove-tools: harmless until their uninstaller has run */
    BEFORE_NT6,
};

static const struct tools {
    enum tools_when when;
    const char *reason;
    const char *services[SERVICES_MAX];
} all_tools[] = {
    { ON_REQUEST,
      "VMware's tools have nothing to talk to on KVM",
      { "VMTools", "VGAuthService", "vmmemctl", "vm3dservice", "VMwareCAFCommAmqpListener",
        "VMwareCAFManagementAgentHost" } },
    { ALWAYS,
      "VMware's NSX drivers ask an appliance that is not there",
      { "vsepflt", "vnetflt", "vnetWFP", "giappdef" } },
    { ALWAYS,
      "Xen's drivers take emulated devices away for others that only Xen has",
      { "xenbus", "xenfilt", "scsifilt", "xenvbd", "xendisk", "xencrsh", "xenvif", "xennet",
        "xennet6", "xeniface", "xenutil", "xevtchn", "xenevtchn", "xeninp", "xenhide", "xenpci",
        "xenscsi", "xenusb" } },
    { ALWAYS,
      "Xen's agents have nothing to talk to on KVM",
      { "XenSvc", "xenlite", "LiteAgent", "xenagent", "xenbus_monitor", "ShutdownMon",
        "AWSPVDriver", "AWSLiteAgent" } },
    { ALWAYS, "the driver of Xen's disks has nothing to talk to on KVM", { "rhelscsi" } },
    { ALWAYS,
      "Parallels' drivers have nothing to talk to on KVM",
      { "prl_boot", "prl_dd", "prl_eth5", "prl_fs", "prl_memdev", "prl_mouf", "prl_pv32",
        "prl_pv64", "prl_scsi", "prl_sound", "prl_strg", "prl_tg", "prl_time", "prl_uprof",
        "prl_va" } },
    { ALWAYS,
      "VirtualBox's additions have nothing to talk to on KVM",
      { "VBoxGuest", "VBoxService" } },
    { BEFORE_NT6,
      "before Windows Vista these stop at a processor of another make (0x7E)",
      { "intelppm", "processor", "amdk7", "amdk8", "amdppm" } },
};

static bool is_meant(const struct fix_context *ctx, const struct tools *tools)
{
    switch (tools->when) {
    case ALWAYS:
        break;
    case ON_REQUEST:
        return ctx->opts->inject.remove_tools;
    case BEFORE_NT6:
        return ctx->facts->windows->nt_major < 6;
    }
    return true;
}

bool tools_knows(const char *service)
{
    for (size_t i = 0; i < ARRAY_SIZE(all_tools); i++)
        for (size_t s = 0; s < SERVICES_MAX && all_tools[i].services[s]; s++)
            if (all_tools[i].when == ALWAYS && strcasecmp(all_tools[i].services[s], service) == 0)
                return true;
    return false;
}

bool service_is_disabled(struct plan *plan, const char *hive, const char *key)
{
    uint32_t start = 0;

    return plan_hive_u32(plan, hive, key, "Start", &start) && start == START_DISABLED;
}

/* Keys without "Start" are what an installer left: nothing starts them. */
static void disable(struct plan *plan, const char *hive, const char *key, const char *reason)
{
    uint32_t start = START_DISABLED;

    if (plan_hive_u32(plan, hive, key, "Start", &start) && start != START_DISABLED)
        plan_hive_set_u32(plan, hive, key, "Start", START_DISABLED, reason);
}

static void disable_all(const struct fix_context *ctx, struct plan *plan, const char *set)
{
    for (size_t i = 0; i < ARRAY_SIZE(all_tools); i++) {
        const struct tools *tools = &all_tools[i];

        for (size_t s = 0; is_meant(ctx, tools) && s < SERVICES_MAX && tools->services[s]; s++) {
            CLEANUP_FREE char *key = mem_printf("%s\\Services\\%s", set, tools->services[s]);

            disable(plan, ctx->facts->windows->system_hive, key, tools->reason);
        }
    }
}

static bool applies(const struct fix_context *ctx, const char **ret_why)
{
    *ret_why = "the guest may hold tools of its old hypervisor";
    return ctx->facts->windows != NULL;
}

static int plan_tools(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    const struct strlist *sets = &ctx->facts->windows->control_sets;
    int r = 0;

    for (size_t i = 0; r >= 0 && i < sets->n; i++) {
        disable_all(ctx, plan, sets->items[i]);
        r = filters_plan(ctx, plan, sets->items[i], err);
    }
    return r;
}

const struct fixer fixer_win_tools = {
    .name = "win-tools",
    .summary = "switch drivers and services of the old hypervisor off",
    .os = OS_WINDOWS,
    .applies = applies,
    .plan = plan_tools,
};
