/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/foreign.h"

#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"

#define TYPES_MAX 5

/* FreeBSD's gpart(8), NetBSD's gpt(8), OpenBSD's and DragonFly's fdisk(8); those of a root first.
 */
static const struct kind {
    struct foreign foreign;
    const char *part_types[TYPES_MAX];
} kinds[] = {
    { { "freebsd", "FreeBSD" },
      { "516e7cb6-6ecf-11d6-8ff8-00022d09712b", "516e7cba-6ecf-11d6-8ff8-00022d09712b",
        "516e7cb4-6ecf-11d6-8ff8-00022d09712b", "83bd6b9d-7f41-11dc-be0b-001560b84f0f", "0xa5" } },
    { { "openbsd", "OpenBSD" }, { "824cc7a0-36a8-11e3-890a-952519ad3f61", "0xa6" } },
    { { "netbsd", "NetBSD" },
      { "49f48d5a-b10e-11dc-b99b-0019d1879648", "49f48d82-b10e-11dc-b99b-0019d1879648", "0xa9" } },
    { { "dragonfly", "DragonFly BSD" },
      { "5cbb9ad1-862d-11dc-a94d-01301bb8a9f5", "61dc63ac-6e38-11dc-8513-01301bb8a9f5",
        "3d48ce54-1d16-11dc-8696-01301bb8a9f5", "9d087404-1ca5-11dc-8817-01301bb8a9f5", "0x6c" } },
    { { "solaris", "Solaris" }, { "6a85cf4d-1dd2-11b2-99a6-080020736631", "0xbf" } },
    { { "haiku", "Haiku" }, { "42465331-3ba3-10f1-802a-4861696b7521", "0xeb" } },
    { { "macos", "macOS" },
      { "7c3457ef-0000-11aa-aa11-00306543ecac", "48465300-0000-11aa-aa11-00306543ecac" } },
};

/* A disk without partitions says its file system only. */
static const struct foreign any_bsd = { "bsd", "a BSD" };

static struct volume *with_part_type(const struct stack *stack, const char *type)
{
    for (size_t i = 0; i < stack->n_volumes; i++)
        if (strcasecmp(stack->volumes[i].part_type, type) == 0)
            return &stack->volumes[i];
    return NULL;
}

const struct foreign *foreign_find(const struct stack *stack, struct volume **ret)
{
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        for (size_t i = 0; i < TYPES_MAX && kinds[k].part_types[i]; i++) {
            *ret = with_part_type(stack, kinds[k].part_types[i]);
            if (*ret)
                return &kinds[k].foreign;
        }
    }
    for (size_t i = 0; i < stack->n_volumes; i++) {
        *ret = &stack->volumes[i];
        if (strcmp(stack->volumes[i].fstype, "ufs") == 0)
            return &any_bsd;
    }
    return NULL;
}

/* An ESP means UEFI, unless FreeBSD's boot code for BIOS machines is there, too. */
void foreign_identify(const struct foreign *foreign, const struct stack *stack, struct facts *facts)
{
    facts->os = OS_OTHER;
    facts_set(&facts->type, foreign->type);
    facts_set(&facts->distro, foreign->type);
    facts_set(&facts->product_name, foreign->product);
    facts->firmware = FIRMWARE_BIOS;
    if (with_part_type(stack, "83bd6b9d-7f41-11dc-be0b-001560b84f0f"))
        return;
    for (size_t i = 0; i < facts->n_devices; i++)
        if (fact_device_is_esp(&facts->devices[i]))
            facts->firmware = FIRMWARE_UEFI;
}

static bool match(const struct guest_root *root)
{
    (void)root;
    return false; /* not by its files */
}

static void identify(const struct guest_root *root, struct facts *facts)
{
    (void)root;
    (void)facts;
}

static void mounts(const struct guest_root *root, struct facts *facts)
{
    (void)root;
    (void)facts;
}

static int collect(const struct guest_root *root, const struct inspect_opts *opts,
                   struct facts *facts, struct err *err)
{
    (void)root;
    (void)opts;
    (void)facts;
    (void)err;
    return 0;
}

const struct os_probe os_probe_foreign = {
    .name = "foreign",
    .os = OS_OTHER,
    .match = match,
    .identify = identify,
    .mounts = mounts,
    .collect = collect,
};
