/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever the text is (the first byte says which format): names of disks that were replaced once
 * are not replaced again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "fixers/linux/linux.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *(*const formats[])(const struct fix_context *ctx, struct plan *plan, const char *path,
                                const char *text) = {
    lvm_filters_by_name,    mdadm_conf_by_uuid,   crypttab_by_uuid,
    initramfs_vars_by_uuid, command_line_by_uuid,
};

static void add_device(struct facts *facts, const char *name, const char *fstype, const char *uuid,
                       const char *part)
{
    struct fact_device *device = facts_add_device(facts);

    facts_set(&device->name, name);
    facts_set(&device->kind, part ? "partition" : "disk");
    facts_set(&device->fstype, fstype);
    facts_set(&device->uuid, uuid);
    facts_set(&device->part_uuid, part);
}

static struct facts *make_facts(void)
{
    struct facts *facts = facts_new();
    struct fact_device *array;

    facts_set(&facts->root, "/dev/sda1");
    add_device(facts, "/dev/sda", "", "", NULL);
    add_device(facts, "/dev/sda1", "ext4", "aaaa-1111", "0abc-01");
    add_device(facts, "/dev/sda2", "LVM2_member", "bbbb-2222", "0abc-02");
    add_device(facts, "/dev/sda3", "crypto_LUKS", "cccc-3333", "0abc-03");
    array = facts_add_device(facts);
    facts_set(&array->name, "/dev/md0");
    facts_set(&array->kind, "md");
    facts_set(&array->array_uuid, "1:2:3:4");
    return facts;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct facts *facts;
    struct fix_context ctx = { 0 };
    struct plan plan = { .fixer = "x" };
    char *text, *once, *twice;
    size_t format;

    if (size == 0)
        return 0;
    if (!facts)
        facts = make_facts();
    ctx.facts = facts;
    format = data[0] % ARRAY_SIZE(formats);
    text = mem_strndup((const char *)data + 1, size - 1);
    once = formats[format](&ctx, &plan, "/x", text);
    twice = formats[format](&ctx, &plan, "/x", once);
    if (strcmp(once, twice) != 0)
        abort();
    strlist_done(&plan.notes);
    free(twice);
    free(once);
    free(text);
    return 0;
}
