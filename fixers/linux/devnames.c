/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/linux/devnames.h"

#include <ctype.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/fstab.h"
#include "inspect/multipath.h"

/* Links below by-id that name contents (volumes), not hardware. */
static const char *const lasting[] = {
    "/dev/disk/by-id/dm-name-", "/dev/disk/by-id/dm-uuid-", "/dev/disk/by-id/lvm-pv-uuid-",
    "/dev/disk/by-id/md-name-", "/dev/disk/by-id/md-uuid-",
};

/* What follows the prefix must begin with a letter or a digit of a unit. */
static const struct {
    const char *prefix;
    int (*next)(int c);
} changing[] = {
    { "/dev/sd", islower },
    { "/dev/hd", islower },
    { "/dev/vd", islower },
    { "/dev/xvd", islower },
    { "/dev/nvme", isdigit },
    { "/dev/cciss/c", isdigit },
    { "/dev/disk/by-path/", isgraph },
    { "/dev/disk/by-id/", isgraph },
};

static bool is_lasting(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(lasting); i++)
        if (strncmp(name, lasting[i], strlen(lasting[i])) == 0)
            return true;
    return false;
}

/* Does it begin as a name that changes, and @follows agree with what comes next? */
static bool has_prefix(const char *name, bool (*follows)(int (*next)(int c), unsigned char c))
{
    if (is_lasting(name))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(changing); i++) {
        size_t len = strlen(changing[i].prefix);

        if (strncmp(name, changing[i].prefix, len) == 0 &&
            follows(changing[i].next, (unsigned char)name[len]))
            return true;
    }
    return false;
}

static bool is_unit(int (*next)(int c), unsigned char c)
{
    return next(c) != 0;
}

static bool is_unit_or_pattern(int (*next)(int c), unsigned char c)
{
    return next(c) != 0 || (c && strchr("*?[(.", c));
}

/* A disk under multipath is named after its hardware, and has one path on a virtual machine. */
static bool is_multipath(const char *name)
{
    static const char folder[] = "/dev/mapper/";
    const char *part;

    return strncmp(name, folder, sizeof(folder) - 1) == 0 &&
           multipath_name(name + sizeof(folder) - 1, &part);
}

bool devname_changes(const char *name)
{
    return has_prefix(name, is_unit) || is_multipath(name);
}

bool devname_pattern_changes(const char *pattern)
{
    return has_prefix(pattern, is_unit_or_pattern);
}

/* The cciss driver's "c0d1p2" is the second disk's second partition; its disks come first. */
const struct fact_device *devname_resolve(const struct facts *facts, const char *name)
{
    static const char prefix[] = "/dev/cciss/c0d";
    const char *at = name + sizeof(prefix) - 1;
    CLEANUP_FREE char *sd = NULL;

    if (strncmp(name, prefix, sizeof(prefix) - 1) != 0)
        return facts_resolve(facts, name);
    if (!isdigit((unsigned char)at[0]) || (at[1] != 'p' && at[1] != '\0'))
        return NULL;
    sd = mem_printf("/dev/sd%c%s", 'a' + (at[0] - '0'), at[1] ? at + 2 : "");
    return facts_resolve(facts, sd);
}

/* ---- two drivers at once ---- */

static size_t driver_of(const char *name)
{
    static const char *const drivers[] = { "/dev/hd", "/dev/nvme", "/dev/sd", "/dev/vd",
                                           "/dev/xvd" };
    size_t i = 0;

    while (i < ARRAY_SIZE(drivers) && strncmp(name, drivers[i], strlen(drivers[i])) != 0)
        i++;
    return i < ARRAY_SIZE(drivers) ? i + 1 : 0;
}

static bool on_one_disk(const struct fact_device *a, const struct fact_device *b)
{
    size_t len = strcspn(a->name, "0123456789");

    return strcspn(b->name, "0123456789") == len && strncmp(a->name, b->name, len) == 0;
}

static bool has_several_disks(const struct facts *facts)
{
    size_t n = 0;

    for (size_t i = 0; i < facts->n_devices; i++)
        n += strcmp(facts->devices[i].kind, "disk") == 0;
    return n > 1;
}

/* hda and sda are both the first disk of their drivers: when the guest mounts from both, the order
 * of disks does not say which one a name means. */
static bool is_ambiguous(const struct facts *facts, const char *name,
                         const struct fact_device *device)
{
    size_t driver = driver_of(name);

    for (size_t i = 0; driver > 0 && has_several_disks(facts) && i < facts->n_mounts; i++) {
        const struct fact_mount *mount = &facts->mounts[i];
        size_t other = driver_of(mount->source);

        if (mount->at_boot && other > 0 && other != driver && mount->device &&
            on_one_disk(mount->device, device))
            return true;
    }
    return false;
}

/* Only what every reader of these files takes without quotes. */
static bool is_plain_id(const char *id)
{
    return *id && strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") ==
                      strlen(id);
}

static bool uuid_is_usable(const struct facts *facts, const struct fact_device *device)
{
    size_t len = strlen(device->fstype);

    /* members of arrays and volume groups have none that udev makes a link of */
    if (!is_plain_id(device->uuid) || (len > 7 && strcmp(device->fstype + len - 7, "_member") == 0))
        return false;
    if (strcmp(device->fstype, "btrfs") == 0) /* all its devices have the same one */
        return true;
    for (size_t i = 0; i < facts->n_devices; i++)
        if (&facts->devices[i] != device && strcmp(facts->devices[i].uuid, device->uuid) == 0)
            return false;
    return true;
}

static bool part_uuid_is_usable(const struct facts *facts, const struct fact_device *device)
{
    /* the part before the number is the disk's signature, which an MBR may lack */
    if (!is_plain_id(device->part_uuid) || strncmp(device->part_uuid, "00000000-", 9) == 0)
        return false;
    for (size_t i = 0; i < facts->n_devices; i++)
        if (&facts->devices[i] != device &&
            strcmp(facts->devices[i].part_uuid, device->part_uuid) == 0)
            return false;
    return true;
}

static bool is_encrypted(const struct fact_device *device)
{
    return strcmp(device->fstype, "crypto_LUKS") == 0 || strcmp(device->fstype, "BitLocker") == 0;
}

char *devname_stable(const struct facts *facts, const char *name, const char *fstype,
                     unsigned flags, const char **ret_why)
{
    const struct fact_device *device = devname_resolve(facts, name);

    if (!device || is_ambiguous(facts, name, device)) {
        *ret_why = "is on none of the given disks, or it is not clear on which";
        return NULL;
    }
    if (!fstab_type_fits(fstype, device->fstype)) {
        *ret_why = "holds another file system than this entry says";
        return NULL;
    }
    if (!(flags & DEVNAME_NO_UUID) && (!(flags & DEVNAME_LUKS_UUID) || is_encrypted(device)) &&
        uuid_is_usable(facts, device))
        return mem_printf("UUID=%s", device->uuid);
    if (part_uuid_is_usable(facts, device))
        return mem_printf("PARTUUID=%s", device->part_uuid);
    *ret_why = "has neither a UUID nor a PARTUUID that is its own";
    return NULL;
}

char *devname_as_path(const char *stable)
{
    const char *value = strchr(stable, '=');

    if (!value)
        return mem_strdup(stable);
    return mem_printf("/dev/disk/by-%s/%s",
                      strncmp(stable, "PARTUUID=", 9) == 0 ? "partuuid" : "uuid", value + 1);
}

void field_replace(struct edits *edits, const char *text, struct span at, const char *value)
{
    CLEANUP_FREE char *with = NULL;
    size_t end = at.start + at.len;
    size_t run = strspn(text + end, " ");
    size_t width = at.len + run;
    size_t len = strlen(value);
    int pad;

    /* one space is a separator, not an alignment; behind the last field there is nothing to align
     */
    if (run < 2 || strchr("\t\r\n", text[end + run])) {
        edits_add(edits, at, value);
        return;
    }
    pad = len < width ? (int)(width - len) : 1;
    with = mem_printf("%s%*s", value, pad, "");
    edits_add(edits, (struct span){ at.start, width }, with);
}
