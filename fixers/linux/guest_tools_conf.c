/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/linux/guest_tools.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/linux.h"
#include "inspect/fields.h"
#include "inspect/fstab.h"
#include "inspect/keyfile.h"

/* ---- mounts ---- */

/* Folders of the host, by their source or their type. */
static const struct {
    const char *source, *type;
} shared[] = {
    { ".host:", NULL },           { "vmhgfs-fuse", NULL }, { NULL, "vmhgfs" },
    { NULL, "fuse.vmhgfs-fuse" }, { NULL, "vboxsf" },      { NULL, "prl_fs" },
};

static bool is_shared_folder(const struct fstab_entry *entry)
{
    for (size_t i = 0; i < ARRAY_SIZE(shared); i++)
        if (shared[i].type
                ? strcmp(entry->type, shared[i].type) == 0
                : strncmp(entry->source, shared[i].source, strlen(shared[i].source)) == 0)
            return true;
    return false;
}

static int comment_mounts(struct plan *plan, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *fixed = NULL;
    CLEANUP_FSTAB struct fstab fstab = { 0 };
    CLEANUP_EDITS struct edits edits = { 0 };
    int r = plan_read_text(plan, "/etc/fstab", &text, err);

    if (r <= 0)
        return r;
    fstab_parse(text, strlen(text), &fstab);
    for (size_t i = 0; i < fstab.n; i++)
        if (is_shared_folder(&fstab.entries[i]))
            edits_add(&edits, (struct span){ fstab.entries[i].source_at.start, 0 }, "# ");
    fixed = edits_apply(&edits, text, strlen(text), NULL);
    plan_write(plan, "/etc/fstab", fixed,
               "folders shared by the old hypervisor are not there on KVM");
    return 0;
}

/* ---- modules ---- */

/* Drivers that refuse to load without the hypervisor's devices or are of its tools: a failing line
 * makes systemd-modules-load.service fail. Others (vmxnet3, vmw_pvscsi) load and stay idle. */
static const char *const modules[] = {
    "vmhgfs",       "vmblock",      "vmmemctl",        "vmxnet",           "vmsync",
    "vmci",         "pvscsi",       "vmw_balloon",     "vboxguest",        "vboxsf",
    "vboxvideo",    "hv_vmbus",     "hv_netvsc",       "hv_storvsc",       "hv_utils",
    "hv_balloon",   "hyperv_fb",    "hyperv_keyboard", "hid_hyperv",       "xen-blkfront",
    "xen_blkfront", "xen-netfront", "xen_netfront",    "xen-platform-pci", "xen_platform_pci",
    "xenblk",       "xennet",       "xen-vbd",         "xen-vnif",         "prl_fs",
    "prl_tg",       "prl_eth",
};

static bool is_lost_module(const char *text, const struct span *line)
{
    struct span field;

    if (fields_split(text, line, &field, 1) == 1)
        for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
            if (span_is(text, field, modules[i]))
                return true;
    return false;
}

static int comment_modules(struct plan *plan, const char *path, struct err *err)
{
    return comment_lines(plan, path, is_lost_module,
                         "this driver cannot load without the old hypervisor's devices", err);
}

/* ---- package sources ---- */

/* VMware's packages of the tools; Photon's own packages come from another folder of that server. */
static const char vendor_repo[] = "packages.vmware.com/tools";

static const char repo_reason[] =
    "packages of VMware's tools are of no use on KVM, and their server "
    "may be out of reach";

static void disable_section(const struct keyfile *repos, const char *section, struct edits *edits)
{
    const struct keyfile_entry *first = NULL, *enabled = NULL;

    for (size_t i = 0; i < repos->n; i++) {
        const struct keyfile_entry *entry = &repos->entries[i];

        if (strcmp(entry->section, section) != 0)
            continue;
        if (!first)
            first = entry;
        if (strcmp(entry->key, "enabled") == 0)
            enabled = entry;
    }
    if (enabled && strcmp(enabled->value, "0") != 0)
        edits_add(edits, enabled->value_at, "0");
    else if (first && !enabled)
        edits_add(edits, (struct span){ first->value_at.start + first->value_at.len, 0 },
                  "\nenabled=0");
}

/* yum.conf(5), zypper's repositories. */
static int disable_repo(struct plan *plan, const char *path, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *fixed = NULL;
    CLEANUP_KEYFILE struct keyfile repos = { 0 };
    CLEANUP_EDITS struct edits edits = { 0 };
    int r = plan_read_text(plan, path, &text, err);

    if (r <= 0)
        return r;
    keyfile_parse(text, strlen(text), &repos);
    for (size_t i = 0; i < repos.n; i++)
        if (strcmp(repos.entries[i].key, "baseurl") == 0 &&
            strstr(repos.entries[i].value, vendor_repo))
            disable_section(&repos, repos.entries[i].section, &edits);
    fixed = edits_apply(&edits, text, strlen(text), NULL);
    plan_write(plan, path, fixed, repo_reason);
    return 0;
}

/* sources.list(5), the one-line form. */
static bool is_vendor_source(const char *text, const struct span *line)
{
    struct span field;

    return fields_split(text, line, &field, 1) == 1 &&
           memmem(text + line->start, line->len, vendor_repo, strlen(vendor_repo));
}

static int comment_source(struct plan *plan, const char *path, struct err *err)
{
    return comment_lines(plan, path, is_vendor_source, repo_reason, err);
}

/* ---- things to say ---- */

static const struct {
    const char *path; /* is there when it is installed */
    const char *note;
    bool is_package; /* which --remove-tools-now removes */
} leftovers[] = {
    { "/var/lib/dpkg/info/open-vm-tools.list",
      "the package open-vm-tools stays installed, switched off; remove it with \"apt-get purge "
      "open-vm-tools\" once the guest runs",
      true },
    { "/usr/bin/vmware-uninstall-tools.pl",
      "VMware Tools of a tarball stay installed, switched off; remove them with "
      "\"vmware-uninstall-tools.pl\" once the guest runs",
      false },
    { "/var/lib/VBoxGuestAdditions/config",
      "VirtualBox's additions stay installed, switched off; remove them with the uninstall.sh in "
      "their folder (INSTALL_DIR in /var/lib/VBoxGuestAdditions/config) once the guest runs",
      false },
    { "/usr/lib/parallels-tools/install",
      "Parallels' tools stay installed, switched off; remove them with "
      "\"/usr/lib/parallels-tools/install -r\" once the guest runs",
      false },
    { "/usr/sbin/xe-linux-distribution",
      "XenServer's tools stay installed, switched off; remove the package xe-guest-utilities once "
      "the guest runs",
      true },
};

static bool is_lost_driver(const char *text, struct span name)
{
    static const char *const drivers[] = { "\"vmware\"", "\"vmmouse\"", "\"vboxvideo\"",
                                           "\"vboxmouse\"" };

    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
        if (span_is(text, name, drivers[i]))
            return true;
    return false;
}

static int note_xorg(struct plan *plan, const char *path, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    struct span line;
    size_t pos = 0;
    int r = plan_read_text(plan, path, &text, err);

    while (r > 0 && line_next(text, strlen(text), &pos, &line)) {
        struct span fields[2];

        if (fields_split(text, &line, fields, ARRAY_SIZE(fields)) == ARRAY_SIZE(fields) &&
            span_is(text, fields[0], "Driver") && is_lost_driver(text, fields[1]))
            plan_note(plan,
                      "%s asks for the X driver %.*s, which finds no device on KVM; remove "
                      "the line if the screen stays dark",
                      path, (int)fields[1].len, text + fields[1].start);
    }
    return r;
}

int guest_tools_conf(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    static const struct {
        const char *folder, *pattern;
        int (*fn)(struct plan *plan, const char *path, struct err *err);
    } files[] = {
        { "/etc/modules-load.d", "*.conf", comment_modules },
        { "/etc/yum.repos.d", "*.repo", disable_repo },
        { "/etc/zypp/repos.d", "*.repo", disable_repo },
        { "/etc/apt", "sources.list", comment_source },
        { "/etc/apt/sources.list.d", "*.list", comment_source },
        { "/etc/X11", "xorg.conf", note_xorg },
        { "/etc/X11/xorg.conf.d", "*.conf", note_xorg },
    };
    int r = comment_mounts(plan, err);

    if (r >= 0)
        r = comment_modules(plan, "/etc/modules", err);
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(files); i++) {
        CLEANUP_STRLIST struct strlist paths = { 0 };

        r = guest_files(plan->root, files[i].folder, files[i].pattern, 0, &paths, err);
        for (size_t j = 0; r >= 0 && j < paths.n; j++)
            r = files[i].fn(plan, paths.items[j], err);
    }
    for (size_t i = 0; i < ARRAY_SIZE(leftovers); i++)
        if (!ctx->opts->inject.remove_tools && guest_is_file(plan->root, leftovers[i].path) &&
            !(ctx->opts->remove_tools_now && leftovers[i].is_package))
            plan_note(plan, "%s", leftovers[i].note);
    return r;
}
