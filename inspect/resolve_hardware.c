/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/resolve_hardware.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/fstab.h"

#define LINKS_MAX 64 /* no guest names more disks so */

static const char by_path[] = "/dev/disk/by-path/";
static const char by_id[] = "/dev/disk/by-id/";

/* A link to a whole disk. */
struct link {
    char *name;
    const struct fact_device *disk; /* NULL: not known yet */
};

struct links {
    struct link *items;
    size_t n;
};

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Links that name contents are not meant. */
static bool is_hardware(const char *source)
{
    static const char *const contents[] = { "dm-", "md-", "lvm-" };

    if (starts_with(source, by_path))
        return true;
    if (!starts_with(source, by_id))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(contents); i++)
        if (starts_with(source + strlen(by_id), contents[i]))
            return false;
    return true;
}

/* The link without "-partN"; *ret_part is N, or "". Free the result. */
static char *whole_disk(const char *link, const char **ret_part)
{
    const char *part = NULL;

    for (const char *at = strstr(link, "-part"); at; at = strstr(at + 1, "-part"))
        part = at;
    if (!part || part[5] == '\0' || part[5 + strspn(part + 5, "0123456789")] != '\0')
        part = NULL;
    *ret_part = part ? part + 5 : "";
    return part ? mem_strndup(link, (size_t)(part - link)) : mem_strdup(link);
}

static const struct fact_device *find_device(const struct facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->n_devices; i++)
        if (strcmp(facts->devices[i].name, name) == 0)
            return &facts->devices[i];
    return NULL;
}

static const struct fact_device *part_of(const struct facts *facts, const struct fact_device *disk,
                                         const char *part)
{
    CLEANUP_FREE char *name = mem_printf("%s%s", disk->name, part);

    return find_device(facts, name);
}

/* ---- what fits ---- */

static bool mount_fits(const struct facts *facts, const struct fact_mount *mount,
                       const struct fact_device *disk, const char *part)
{
    const struct fact_device *device = part_of(facts, disk, part);

    if (!device || device->fstype[0] == '\0')
        return false;
    if (strcmp(mount->target, "/") == 0)
        return device == facts_root_device(facts);
    if (device == facts_root_device(facts) && strcmp(device->fstype, "btrfs") != 0)
        return false;
    return fstab_type_fits(mount->type, device->fstype);
}

static bool disk_fits(const struct facts *facts, const struct link *link,
                      const struct fact_device *disk)
{
    for (size_t i = 0; i < facts->n_mounts; i++) {
        const struct fact_mount *mount = &facts->mounts[i];
        const char *part;
        CLEANUP_FREE char *whole = NULL;

        if (!is_hardware(mount->source))
            continue;
        whole = whole_disk(mount->source, &part);
        if (strcmp(whole, link->name) == 0 && !mount_fits(facts, mount, disk, part))
            return false;
    }
    return true;
}

/* Links of one kind lead to different disks: "by-id/wwn-", "by-id/scsi-", all of by-path. */
static bool same_kind(const char *a, const char *b)
{
    size_t len;

    if (starts_with(a, by_path) || starts_with(b, by_path))
        return starts_with(a, by_path) && starts_with(b, by_path);
    len = strcspn(a + strlen(by_id), "-") + strlen(by_id);
    return strncmp(a, b, len) == 0 && b[len] == '-';
}

static bool is_taken(const struct links *links, const struct link *link,
                     const struct fact_device *disk)
{
    for (size_t i = 0; i < links->n; i++)
        if (&links->items[i] != link && links->items[i].disk == disk &&
            same_kind(links->items[i].name, link->name))
            return true;
    return false;
}

static bool is_disk(const struct fact_device *device)
{
    return strcmp(device->kind, "disk") == 0;
}

static bool any_fits(const struct facts *facts, const struct link *link)
{
    for (size_t i = 0; i < facts->n_devices; i++)
        if (is_disk(&facts->devices[i]) && disk_fits(facts, link, &facts->devices[i]))
            return true;
    return false;
}

/* The only disk that suits the link; NULL: none does, or several. */
static const struct fact_device *only_choice(const struct facts *facts, const struct links *links,
                                             const struct link *link)
{
    const struct fact_device *found = NULL;

    for (size_t i = 0; i < facts->n_devices; i++) {
        const struct fact_device *disk = &facts->devices[i];

        if (!is_disk(disk) || is_taken(links, link, disk) || !disk_fits(facts, link, disk))
            continue;
        if (found)
            return NULL;
        found = disk;
    }
    return found;
}

static size_t n_of_kind(const struct links *links, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < links->n; i++)
        n += same_kind(links->items[i].name, name);
    return n;
}

static size_t n_disks(const struct facts *facts)
{
    size_t n = 0;

    for (size_t i = 0; i < facts->n_devices; i++)
        n += is_disk(&facts->devices[i]);
    return n;
}

/* Is the disk the only choice of another link, too? Then one of the guest's disks is not here. */
static bool is_contested(const struct facts *facts, const struct links *links,
                         const struct link *link, const struct fact_device *disk)
{
    for (size_t i = 0; i < links->n; i++) {
        const struct link *other = &links->items[i];

        if (other != link && !other->disk && same_kind(other->name, link->name) &&
            only_choice(facts, links, other) == disk)
            return true;
    }
    return false;
}

static bool is_of_root(const struct facts *facts, const struct link *link)
{
    for (size_t i = 0; i < facts->n_mounts; i++) {
        const char *part;
        CLEANUP_FREE char *whole = NULL;

        if (strcmp(facts->mounts[i].target, "/") != 0 || !is_hardware(facts->mounts[i].source))
            continue;
        whole = whole_disk(facts->mounts[i].source, &part);
        if (strcmp(whole, link->name) == 0)
            return true;
    }
    return false;
}

/* The disk of the root first; then each one that is clear may make another one clear. With more
 * links than disks nothing else is. */
static void choose_clear(const struct facts *facts, struct links *links)
{
    bool more = true;

    for (size_t i = 0; i < links->n; i++)
        if (is_of_root(facts, &links->items[i]))
            links->items[i].disk = only_choice(facts, links, &links->items[i]);
    while (more) {
        more = false;
        for (size_t i = 0; i < links->n; i++) {
            struct link *link = &links->items[i];
            const struct fact_device *disk;

            if (link->disk || n_of_kind(links, link->name) > n_disks(facts))
                continue;
            disk = only_choice(facts, links, link);
            if (disk && !is_contested(facts, links, link, disk))
                link->disk = disk;
            more |= link->disk != NULL;
        }
    }
}

/* ---- the order of disks ---- */

/* @n numbers of at most three digits with colons between. */
static bool small_numbers(const char *text, unsigned *ret, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t digits = strspn(text, "0123456789");

        if (digits == 0 || digits > 3)
            return false;
        ret[i] = 0;
        for (size_t d = 0; d < digits; d++)
            ret[i] = ret[i] * 10 + (unsigned)(text[d] - '0');
        if (i + 1 < n && text[digits] != ':')
            return false;
        text += digits + 1;
    }
    return true;
}

/*
 * The place of a disk on its controller, and how much of the name is the controller: SCSI targets
 * ("scsi-0:0:TARGET:0"; 7 is the controller itself) or units ("scsi-0:0:0:UNIT", "lun-UNIT"), ATA
 * ports ("ata-1"; counted from 1).
 */
static bool place(const char *name, size_t *ret_len, unsigned *ret_place)
{
    static const char *const starts[] = { "-scsi-", "-lun-", "-ata-" };
    unsigned numbers[4];

    for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
        const char *at = strstr(name, starts[i]);
        size_t wanted = i == 0 ? 4 : 1;

        if (!at || !small_numbers(at + strlen(starts[i]), numbers, wanted))
            continue;
        *ret_len = (size_t)(at - name);
        if (i == 0) { /* host, channel, target, unit */
            *ret_place = numbers[3] > 0 ? numbers[3] : numbers[2] - (numbers[2] > 7);
            return numbers[2] == 0 || numbers[3] == 0;
        }
        *ret_place = i == 1 ? numbers[0] : numbers[0] - 1;
        return i == 1 || numbers[0] > 0;
    }
    return false;
}

static const struct fact_device *nth_disk(const struct facts *facts, unsigned index)
{
    for (size_t i = 0; i < facts->n_devices; i++)
        if (is_disk(&facts->devices[i]) && index-- == 0)
            return &facts->devices[i];
    return NULL;
}

/* All by-path links are of one controller, and none of them speaks against the order. */
static bool order_holds(const struct facts *facts, const struct links *links)
{
    const char *controller = NULL;
    size_t controller_len = 0;

    for (size_t i = 0; i < links->n; i++) {
        const struct link *link = &links->items[i];
        const struct fact_device *disk;
        size_t len = 0;
        unsigned index = 0;

        if (!starts_with(link->name, by_path))
            continue;
        if (!place(link->name, &len, &index))
            return false;
        if (controller && (len != controller_len || strncmp(controller, link->name, len) != 0))
            return false;
        controller = link->name;
        controller_len = len;
        disk = nth_disk(facts, index);
        if (!disk || (link->disk && link->disk != disk) || !disk_fits(facts, link, disk))
            return false;
    }
    return true;
}

static void choose_by_order(const struct facts *facts, struct links *links)
{
    if (!order_holds(facts, links))
        return;
    for (size_t i = 0; i < links->n; i++) {
        size_t len;
        unsigned index = 0;

        if (starts_with(links->items[i].name, by_path) && place(links->items[i].name, &len, &index))
            links->items[i].disk = nth_disk(facts, index);
    }
}

/* ---- all links ---- */

static void collect(const struct facts *facts, struct links *links)
{
    for (size_t i = 0; i < facts->n_mounts && links->n < LINKS_MAX; i++) {
        const char *part;
        CLEANUP_FREE char *whole = NULL;
        bool known = false;

        if (!is_hardware(facts->mounts[i].source))
            continue;
        whole = whole_disk(facts->mounts[i].source, &part);
        for (size_t l = 0; l < links->n; l++)
            known |= strcmp(links->items[l].name, whole) == 0;
        if (!known) {
            struct link *link = mem_add(&links->items, &links->n, sizeof(*link));

            link->name = TAKE(whole);
        }
    }
}

void resolve_hardware(struct facts *facts)
{
    struct links links = { 0 };

    collect(facts, &links);
    choose_clear(facts, &links);
    choose_by_order(facts, &links);
    for (size_t i = 0; i < links.n; i++) {
        const struct fact_device *disk = links.items[i].disk;

        /* one of several that is not clear need not be the only disk, nor need one that fits none
         */
        if (disk || n_of_kind(&links, links.items[i].name) > 1 ||
            !any_fits(facts, &links.items[i])) {
            struct fact_alias *alias = facts_add_alias(facts);

            facts_set(&alias->name, links.items[i].name);
            facts_set(&alias->device, disk ? disk->name : "");
        }
    }
    for (size_t i = 0; i < links.n; i++)
        free(links.items[i].name);
    free(links.items);
}

bool resolve_hardware_link(const struct facts *facts, const char *link,
                           const struct fact_device **ret)
{
    const char *part;
    CLEANUP_FREE char *whole = whole_disk(link, &part);

    for (size_t i = 0; i < facts->n_aliases; i++) {
        const struct fact_device *disk;

        if (strcmp(facts->aliases[i].name, whole) != 0)
            continue;
        disk = find_device(facts, facts->aliases[i].device);
        *ret = disk ? part_of(facts, disk, part) : NULL;
        return true;
    }
    return false;
}
