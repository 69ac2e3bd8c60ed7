/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What lies below and beside file systems and names disks: LVM, md, kdump, automounts. Caches of
 * devices that the guest makes again are removed.
 */
#include <ctype.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/devnames.h"
#include "fixers/linux/linux.h"

#define LVM_REASON "LVM must find its disks whatever the disk controller calls them"
#define MD_REASON "mdadm must find members of arrays whatever the disk controller calls them"
#define CACHE_REASON "it is a cache of names of disks, which change"
#define MAP_REASON "names of disks change with the disk controller; the UUID does not"

/* ---- kdump.conf(5): "TYPE DEVICE" says where a dump goes ---- */

static char *kdump_by_uuid(const struct fix_context *ctx, struct plan *plan, const char *path,
                           const char *text)
{
    static const char *const types[] = { "btrfs", "ext2", "ext3", "ext4", "minix", "raw", "xfs" };
    CLEANUP_EDITS struct edits edits = { 0 };
    struct span line, fields[2];
    size_t pos = 0;

    while (line_next(text, strlen(text), &pos, &line)) {
        CLEANUP_FREE char *name = NULL;
        CLEANUP_FREE char *stable = NULL;
        CLEANUP_FREE char *device = NULL;
        const char *why = "";
        bool is_target = false, is_raw;

        if (fields_split(text, &line, fields, ARRAY_SIZE(fields)) < ARRAY_SIZE(fields))
            continue;
        for (size_t i = 0; i < ARRAY_SIZE(types); i++)
            is_target |= span_is(text, fields[0], types[i]);
        name = span_dup(text, fields[1]);
        if (!is_target || !devname_changes(name))
            continue;
        is_raw = span_is(text, fields[0], "raw"); /* the dump is all that it holds */
        stable = devname_stable(ctx->facts, name, "", is_raw ? DEVNAME_NO_UUID : 0, &why);
        device = stable && is_raw ? devname_as_path(stable) : NULL;
        if (stable)
            edits_add(&edits, fields[1], device ? device : stable);
        else
            plan_note(plan, "%s: %s %s; dumps of crashes fail until it is changed by hand", path,
                      name, why);
    }
    return edits_apply(&edits, text, strlen(text), NULL);
}

/* ---- maps of the automounter, autofs(5): ":/dev/sdb1" is a local device ---- */

static char *automounts_by_uuid(const struct fix_context *ctx, struct plan *plan, const char *path,
                                const char *text)
{
    CLEANUP_EDITS struct edits edits = { 0 };
    struct span line, field;
    size_t pos = 0;

    while (strncmp(text, "#!", 2) != 0 && line_next(text, strlen(text), &pos, &line)) {
        size_t at = line.start;

        while (field_next(text, &line, &at, &field) && text[field.start] != '#') {
            CLEANUP_FREE char *name = NULL;
            CLEANUP_FREE char *stable = NULL;
            CLEANUP_FREE char *device = NULL;
            const char *why = "";

            if (text[field.start] != ':')
                continue;
            field.start++;
            field.len--;
            name = span_dup(text, field);
            if (!devname_changes(name))
                continue;
            stable = devname_stable(ctx->facts, name, "", 0, &why);
            device = stable ? devname_as_path(stable) : NULL;
            if (device)
                edits_add(&edits, field, device);
            else
                plan_note(plan, "%s: %s %s; it stays as it is", path, name, why);
        }
    }
    return edits_apply(&edits, text, strlen(text), NULL);
}

/* ---- what only the administrator can change ---- */

static bool is_name_end(char c)
{
    return c == '\0' || isspace((unsigned char)c) || strchr("\"',;:=()<>*?[", c);
}

/* ':' ends a name before an option, and is part of hardware's: "by-path/pci-0000:03:00.0-scsi". */
static size_t name_len(const char *name)
{
    bool is_link = strncmp(name, "/dev/disk/by-", 13) == 0;
    size_t len = 5;

    while (!is_name_end(name[len]) || (is_link && name[len] == ':'))
        len++;
    return len;
}

/* The first name of a disk in the bytes, "/dev/sdb1"; NULL: none. Free it. */
static char *first_name(const char *text, const struct span *line)
{
    for (size_t at = line->start; at + 5 < line->start + line->len; at++) {
        CLEANUP_FREE char *name = NULL;

        if (strncmp(text + at, "/dev/", 5) != 0 || (at > line->start && !is_name_end(text[at - 1])))
            continue;
        name = mem_strndup(text + at, name_len(text + at));
        if (devname_changes(name))
            return TAKE(name);
    }
    return NULL;
}

/* KERNEL=="sdb1", KERNELS=="sd*", ENV{ID_SERIAL}=="...": what udev finds on other hardware. */
static char *first_match(const char *text, const struct span *line)
{
    static const char *const keys[] = { "KERNEL==\"", "KERNELS==\"" };
    static const char *const hardware[] = { "ENV{ID_PATH}==", "ENV{ID_SERIAL", "ENV{ID_WWN",
                                            "scsi_id" };
    CLEANUP_FREE char *copy = span_dup(text, *line);

    /* names of CD drives and of interfaces are another matter */
    if (strstr(copy, "ID_CDROM") || strstr(copy, "SUBSYSTEM==\"net\""))
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        const char *at = strstr(copy, keys[i]);
        CLEANUP_FREE char *name =
            at ? mem_printf("/dev/%.*s", (int)strcspn(at + strlen(keys[i]), "\""),
                            at + strlen(keys[i]))
               : NULL;

        if (name && devname_pattern_changes(name))
            return mem_strdup(name + strlen("/dev/"));
    }
    for (size_t i = 0; i < ARRAY_SIZE(hardware); i++)
        if (strstr(copy, hardware[i]))
            return mem_strndup(hardware[i], strcspn(hardware[i], "="));
    return NULL;
}

static void note_first(struct plan *plan, const char *path, const char *text,
                       char *(*find)(const char *text, const struct span *line))
{
    struct span line;
    size_t pos = 0;

    while (line_next(text, strlen(text), &pos, &line)) {
        size_t start = line.start + strspn(text + line.start, " \t");
        CLEANUP_FREE char *found = text[start] == '#' ? NULL : find(text, &line);

        if (!found)
            continue;
        plan_note(plan,
                  "%s: it names disks (%s) that may be called otherwise on the new machine; it "
                  "stays as it is: look at it by hand",
                  path, found);
        return;
    }
}

static char *note_names(const struct fix_context *ctx, struct plan *plan, const char *path,
                        const char *text)
{
    (void)ctx;
    note_first(plan, path, text, first_name);
    return NULL;
}

static char *note_rules(const struct fix_context *ctx, struct plan *plan, const char *path,
                        const char *text)
{
    (void)ctx;
    note_first(plan, path, text, first_match);
    return NULL;
}

/* ---- where they are ---- */

static const struct source {
    const char *path;
    const char *pattern; /* not NULL: @path is a folder, and these are its files */
    char *(*fix)(const struct fix_context *ctx, struct plan *plan, const char *path,
                 const char *text);
    const char *reason;
} sources[] = {
    { "/etc/lvm/lvm.conf", NULL, lvm_filters_by_name, LVM_REASON },
    { "/etc/lvm/lvmlocal.conf", NULL, lvm_filters_by_name, LVM_REASON },
    { "/etc/mdadm.conf", NULL, mdadm_conf_by_uuid, MD_REASON },
    { "/etc/mdadm/mdadm.conf", NULL, mdadm_conf_by_uuid, MD_REASON },
    { "/etc/kdump.conf", NULL, kdump_by_uuid, "dumps of crashes must find their device" },
    { "/etc/auto.master.d", "*.autofs", automounts_by_uuid, MAP_REASON },
    { "/etc/autofs", "*", automounts_by_uuid, MAP_REASON },
    { "/etc/default/grub_installdevice", NULL, note_names, "" }, /* of SUSE's updates */
    { "/etc/drbd.conf", NULL, note_names, "" },
    { "/etc/drbd.d", "*.res", note_names, "" },
    { "/etc/hdparm.conf", NULL, note_names, "" },
    { "/etc/nixos", "*.nix", note_names, "" },
    { "/etc/raw", NULL, note_names, "" },
    { "/etc/rc.d/rc.local", NULL, note_names, "" },
    { "/etc/rc.local", NULL, note_names, "" },
    { "/etc/smartd.conf", NULL, note_names, "" },
    { "/etc/sysconfig/rawdevices", NULL, note_names, "" },
    { "/etc/udev/rules.d", "*.rules", note_rules, "" },
    { "/etc", "auto.*", automounts_by_uuid, MAP_REASON }, /* they lie among everything else */
};

static bool names_disks(const char *text)
{
    struct span line;
    size_t pos = 0;

    while (line_next(text, strlen(text), &pos, &line)) {
        CLEANUP_FREE char *name = first_name(text, &line);

        if (name)
            return true;
    }
    return false;
}

/* Lines "IDTYPE=sys_wwid IDNAME=naa.6000... DEVNAME=/dev/sda2 PVID=...": with an entry for each
 * disk that LVM may use. Those of volumes (lvmlv_uuid, md_uuid, crypt_uuid) last. */
static bool names_hardware(const char *text)
{
    static const char *const types[] = { "devname",  "loop_file", "mpath_uuid", "sys_serial",
                                         "sys_wwid", "wwid_eui",  "wwid_naa",   "wwid_t10" };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        CLEANUP_FREE char *entry = mem_printf("IDTYPE=%s ", types[i]);
        const char *at = strstr(text, entry);

        if (at && (at == text || isspace((unsigned char)at[-1])))
            return true;
    }
    return false;
}

static const struct {
    const char *path;
    bool (*is_stale)(const char *text);
    const char *reason;
} caches[] = {
    { "/etc/blkid.tab", names_disks, CACHE_REASON },
    { "/etc/blkid.tab.old", names_disks, CACHE_REASON },
    { "/etc/blkid/blkid.tab", names_disks, CACHE_REASON },
    { "/etc/blkid/blkid.tab.old", names_disks, CACHE_REASON },
    { "/etc/lvm/.cache", names_disks, CACHE_REASON },
    { "/etc/lvm/cache/.cache", names_disks, CACHE_REASON },
    { "/etc/lvm/devices/system.devices", names_hardware,
      "it lists LVM's disks by the old machine's hardware and would hide them on the new one; "
      "without it LVM looks at all disks" },
};

static int fix_one(const struct fix_context *ctx, struct plan *plan, const struct source *source,
                   const char *path, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *fixed = NULL;
    int r = plan_read_text(plan, path, &text, err);

    if (r <= 0)
        return r;
    fixed = source->fix(ctx, plan, path, text);
    if (fixed)
        plan_write(plan, path, fixed, source->reason);
    return 0;
}

static int fix_folder(const struct fix_context *ctx, struct plan *plan, const struct source *source,
                      struct err *err)
{
    CLEANUP_STRLIST struct strlist files = { 0 };
    int r = guest_files(plan->root, source->path, source->pattern, 0, &files, err);

    for (size_t i = 0; r >= 0 && i < files.n; i++)
        r = fix_one(ctx, plan, source, files.items[i], err);
    return r;
}

static int remove_caches(struct plan *plan, struct err *err)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(caches); i++) {
        CLEANUP_FREE char *text = NULL;

        r = plan_read_text(plan, caches[i].path, &text, err);
        if (r > 0 && caches[i].is_stale(text))
            plan_remove(plan, caches[i].path, caches[i].reason);
    }
    return r;
}

static bool applies(const struct fix_context *ctx, const char **ret_why)
{
    (void)ctx;
    *ret_why = "disk names change under virtio";
    return true;
}

static int plan_storage(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(sources); i++)
        r = sources[i].pattern ? fix_folder(ctx, plan, &sources[i], err)
                               : fix_one(ctx, plan, &sources[i], sources[i].path, err);
    if (r >= 0)
        r = remove_caches(plan, err);
    return r < 0 ? r : 0;
}

const struct fixer fixer_storage = {
    .name = "storage",
    .summary = "let LVM, md, kdump and automounts find their disks under any name",
    .os = OS_LINUX,
    .applies = applies,
    .plan = plan_storage,
};
