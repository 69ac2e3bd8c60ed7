/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a device name of the guest means: the names that udev, libmount and the kernel know. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "inspect/facts.h"
#include "inspect/multipath.h"
#include "inspect/resolve_hardware.h"
#include "inspect/resolve_md.h"

static bool is_disk(const struct fact_device *device)
{
    return strcmp(device->kind, "disk") == 0;
}

static const struct fact_device *by_name(const struct facts *facts, const char *name)
{
    for (size_t i = 0; i < facts->n_devices; i++)
        if (strcmp(facts->devices[i].name, name) == 0)
            return &facts->devices[i];
    return NULL;
}

/* The disk number @index in the guest's order; NULL when there are fewer. */
static const struct fact_device *nth_disk(const struct facts *facts, size_t index)
{
    for (size_t i = 0; i < facts->n_devices; i++)
        if (is_disk(&facts->devices[i]) && index-- == 0)
            return &facts->devices[i];
    return NULL;
}

/* Partition @number (digits) of @disk; the disk itself when @number is "". */
static const struct fact_device *disk_part(const struct facts *facts,
                                           const struct fact_device *disk, const char *number)
{
    CLEANUP_FREE char *name = NULL;

    if (!disk || strspn(number, "0123456789") != strlen(number) || number[0] == '0')
        return NULL;
    name = mem_printf("%s%s", disk->name, number);
    return by_name(facts, name);
}

/* ---- tags ---- */

static const struct tag {
    const char *prefix; /* "UUID=" */
    const char *link;   /* "/dev/disk/by-uuid/" */
    size_t field;       /* of struct fact_device */
    bool any_case;      /* hexadecimal: people and tools write either case */
} tags[] = {
    { "UUID=", "/dev/disk/by-uuid/", offsetof(struct fact_device, uuid), true },
    { "LABEL=", "/dev/disk/by-label/", offsetof(struct fact_device, label), false },
    { "PARTUUID=", "/dev/disk/by-partuuid/", offsetof(struct fact_device, part_uuid), true },
    { "PARTLABEL=", "/dev/disk/by-partlabel/", offsetof(struct fact_device, part_label), false },
};

static const char *device_tag(const struct fact_device *device, const struct tag *tag)
{
    const char *value;

    memcpy(&value, (const char *)device + tag->field, sizeof(value));
    return value;
}

/* 0: not this one; 2: as it is written; 1: but for the case. */
static unsigned tag_fits(const struct fact_device *device, const struct tag *tag, const char *value)
{
    const char *have = device_tag(device, tag);

    if (*value == '\0' || device->lead[0] != '\0')
        return 0;
    return strcmp(have, value) == 0 ? 2 : tag->any_case && strcasecmp(have, value) == 0;
}

static bool on_one_disk(const struct fact_device *device, const struct fact_device *other)
{
    return other && other->disk[0] != '\0' && strcmp(other->disk, device->disk) == 0;
}

/* The same spelling wins over one that differs in case; of equals, what is no snapshot (udev gives
 * links to the origin), then one on the root's disk (copies of a disk have the same tags), then the
 * first. */
static const struct fact_device *by_tag(const struct facts *facts, const struct tag *tag,
                                        const char *value)
{
    const struct fact_device *root = facts_root_device(facts);
    const struct fact_device *found = NULL;
    unsigned best = 0;

    for (size_t i = 0; i < facts->n_devices; i++) {
        const struct fact_device *device = &facts->devices[i];
        unsigned fit = 4 * tag_fits(device, tag, value);

        if (fit > 0)
            fit += 2 * (device->snapshot_of[0] == '\0') + on_one_disk(device, root);
        if (fit > best) {
            best = fit;
            found = device;
        }
    }
    return found;
}

static char *unquoted(const char *value)
{
    size_t len = strlen(value);

    if (len >= 2 && (value[0] == '"' || value[0] == '\'') && value[len - 1] == value[0])
        return mem_strndup(value + 1, len - 2);
    return mem_strdup(value);
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* udev writes bytes that do not suit a file name as "\x20". */
static char *unhex(const char *name)
{
    struct strbuf out = { 0 };

    for (const char *c = name; *c; c++) {
        int high = c[0] == '\\' && c[1] == 'x' ? hex_digit(c[2]) : -1;
        int low = high >= 0 ? hex_digit(c[3]) : -1;

        if (low >= 0 && (high | low) != 0) {
            strbuf_putc(&out, (char)(high * 16 + low));
            c += 3;
        } else {
            strbuf_putc(&out, *c);
        }
    }
    return strbuf_take(&out);
}

/* ---- names by position ---- */

/* "a" -> 0, "z" -> 25, "aa" -> 26; moves *@at behind the letters. */
static bool disk_letters(const char **at, size_t *ret)
{
    size_t value = 0, n = 0;

    while (**at >= 'a' && **at <= 'z' && n < 3) {
        value = value * 26 + (size_t)(**at - 'a') + 1;
        (*at)++;
        n++;
    }
    *ret = value - 1;
    return n > 0;
}

static const struct fact_device *by_letter(const struct facts *facts, const char *rest)
{
    size_t index;

    if (!disk_letters(&rest, &index))
        return NULL;
    return disk_part(facts, nth_disk(facts, index), rest);
}

/* A decimal number of at most three digits; moves *@at behind it. */
static bool small_number(const char **at, size_t *ret)
{
    size_t value = 0, n = 0;

    while (**at >= '0' && **at <= '9' && n < 3) {
        value = value * 10 + (size_t)(**at - '0');
        (*at)++;
        n++;
    }
    *ret = value;
    return n > 0;
}

/* "0n1p2": disks are either namespaces of one controller or controllers with one namespace. */
static const struct fact_device *by_nvme(const struct facts *facts, const char *rest)
{
    size_t controller, space;

    if (!small_number(&rest, &controller) || *rest++ != 'n' || !small_number(&rest, &space) ||
        space == 0 || (controller > 0 && space > 1))
        return NULL;
    if (*rest == 'p')
        rest++;
    else if (*rest != '\0')
        return NULL;
    return disk_part(facts, nth_disk(facts, controller + space - 1), rest);
}

/* ---- links and mapper names ---- */

/* by-path and by-id name hardware, which only one disk leaves without doubt; see
 * resolve_hardware() for others. */
static const struct fact_device *by_hardware(const struct facts *facts, const char *rest)
{
    const char *part = strstr(rest, "-part");

    if (nth_disk(facts, 1) || *rest == '\0')
        return NULL;
    while (part && strstr(part + 1, "-part"))
        part = strstr(part + 1, "-part");
    if (part && part[5] != '\0')
        return disk_part(facts, nth_disk(facts, 0), part + 5);
    return nth_disk(facts, 0);
}

/* "/dev/VG/LV" as device-mapper spells it: '-' doubled in each part. NULL: not such a name. */
static char *mapper_name(const char *name)
{
    struct strbuf out = { 0 };
    unsigned slashes = 0;

    if (strncmp(name, "/dev/", 5) != 0)
        return NULL;
    for (const char *c = name + 5; *c; c++) {
        slashes += *c == '/';
        strbuf_puts(&out, *c == '-' ? "--" : *c == '/' ? "-" : (char[]){ *c, '\0' });
    }
    if (slashes == 1)
        return strbuf_take(&out);
    strbuf_done(&out);
    return NULL;
}

/* What crypttab calls it, its own name, or that of a logical volume; last a disk under multipath,
 * which only one disk leaves without doubt. */
static const struct fact_device *by_mapper(const struct facts *facts, const char *rest)
{
    const char *part;
    CLEANUP_FREE char *whole = mem_printf("/dev/mapper/%s", rest);

    for (size_t i = 0; i < facts->n_aliases; i++)
        if (strcmp(facts->aliases[i].name, whole) == 0)
            return by_name(facts, facts->aliases[i].device);
    for (size_t i = 0; i < facts->n_devices; i++) {
        const char *name = facts->devices[i].name;
        CLEANUP_FREE char *mapped = NULL;

        if (strncmp(name, "/dev/mapper/", 12) == 0) {
            if (strcmp(name + 12, rest) == 0)
                return &facts->devices[i];
            continue;
        }
        mapped = mapper_name(name);
        if (mapped && strcmp(mapped, rest) == 0)
            return &facts->devices[i];
    }
    if (multipath_name(rest, &part) && !nth_disk(facts, 1))
        return disk_part(facts, nth_disk(facts, 0), part);
    return NULL;
}

static const struct fact_device *root_device(const struct facts *facts, const char *rest)
{
    return *rest == '\0' ? facts_root_device(facts) : NULL;
}

static const struct {
    const char *prefix;
    const struct fact_device *(*find)(const struct facts *facts, const char *rest);
} names[] = {
    { "/dev/disk/by-id/dm-name-", by_mapper },
    { "/dev/disk/by-id/dm-uuid-", NULL }, /* names no hardware */
    { "/dev/disk/by-id/lvm-pv-uuid-", NULL },
    { "/dev/disk/by-id/md-", resolve_md_id },
    { "/dev/disk/by-id/", by_hardware },
    { "/dev/disk/by-path/", by_hardware },
    { "/dev/mapper/", by_mapper },
    { "/dev/md", resolve_md },
    { "/dev/root", root_device },
    { "/dev/xvd", by_letter },
    { "/dev/sd", by_letter },
    { "/dev/hd", by_letter },
    { "/dev/vd", by_letter },
    { "/dev/nvme", by_nvme },
};

/* The tag that a name is about, and its value (free it); NULL: it is no tag. */
static const struct tag *find_tag(const char *plain, char **ret_value)
{
    for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
        size_t prefix = strlen(tags[i].prefix), link = strlen(tags[i].link);

        if (strncasecmp(plain, tags[i].prefix, prefix) == 0) {
            *ret_value = unquoted(plain + prefix);
            return &tags[i];
        }
        if (strncmp(plain, tags[i].link, link) == 0) {
            *ret_value = unhex(plain + link);
            return &tags[i];
        }
    }
    return NULL;
}

size_t facts_count(const struct facts *facts, const char *spec)
{
    CLEANUP_FREE char *plain = unquoted(spec);
    CLEANUP_FREE char *value = NULL;
    const struct tag *tag = find_tag(plain, &value);
    size_t n = 0;

    for (size_t i = 0; tag && i < facts->n_devices; i++)
        n += facts->devices[i].snapshot_of[0] == '\0' &&
             tag_fits(&facts->devices[i], tag, value) > 0;
    return n;
}

static const struct fact_device *resolve(const struct facts *facts, const char *spec)
{
    CLEANUP_FREE char *plain = unquoted(spec);
    CLEANUP_FREE char *value = NULL;
    const struct tag *tag = find_tag(plain, &value);
    const struct fact_device *device;

    if (tag)
        return by_tag(facts, tag, value);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        size_t prefix = strlen(names[i].prefix);

        if (strncmp(plain, names[i].prefix, prefix) == 0) {
            if (names[i].find == by_hardware && resolve_hardware_link(facts, plain, &device))
                return device;
            device = names[i].find ? names[i].find(facts, plain + prefix) : NULL;
            return device ? device : by_name(facts, plain);
        }
    }
    return by_name(facts, plain);
}

const struct fact_device *facts_resolve(const struct facts *facts, const char *spec)
{
    const struct fact_device *device = resolve(facts, spec);

    return device && device->lead[0] != '\0' ? by_name(facts, device->lead) : device;
}

const struct fact_device *facts_root_device(const struct facts *facts)
{
    const char *name = facts->root;

    if (strncmp(name, "btrfsvol:", 9) != 0)
        return by_name(facts, name);
    name += 9;
    for (size_t i = 0; i < facts->n_devices; i++) {
        size_t len = strlen(facts->devices[i].name);

        if (strncmp(facts->devices[i].name, name, len) == 0 && name[len] == '/')
            return &facts->devices[i];
    }
    return NULL;
}

bool facts_names_device(const char *source)
{
    CLEANUP_FREE char *plain = unquoted(source);
    CLEANUP_FREE char *value = NULL;

    return find_tag(plain, &value) || strncmp(plain, "/dev/", 5) == 0;
}
