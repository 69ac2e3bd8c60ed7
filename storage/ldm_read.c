/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/ldm_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"

/* In sectors: the first copy of a PRIVHEAD on a disk with an MBR; others from the end of the disk,
 * or of the metadata partition of a GPT. */
#define HEAD_MBR 6U
static const uint64_t heads_from_end[] = { 1, 192 };

#define TYPE_MBR "0x42"
#define TYPE_GPT_METADATA "5808c8aa-7e8f-42e0-85d2-e1e90434cfb3"
#define TYPE_GPT_DATA "af9b60a0-1431-4f62-bc68-3311714a69ad"

static bool has_ldm_type(const struct volume *volume)
{
    return strcmp(volume->part_type, TYPE_MBR) == 0 ||
           strcmp(volume->part_type, TYPE_GPT_METADATA) == 0 ||
           strcmp(volume->part_type, TYPE_GPT_DATA) == 0;
}

static const struct volume *metadata_part(const struct stack *stack, size_t disk)
{
    for (size_t i = disk; i < stack->n_volumes; i++) {
        const struct volume *volume = &stack->volumes[i];

        if (volume->n_parents == 1 && volume->parents[0] == disk &&
            strcmp(volume->part_type, TYPE_GPT_METADATA) == 0)
            return volume;
    }
    return NULL;
}

static bool head_at(const struct volume *volume, uint64_t at, struct ldm_head *ret)
{
    uint8_t bytes[LDM_HEAD_LEN];

    return volume_read(volume, at, bytes, sizeof(bytes)) == 0 && ldm_head_parse(bytes, ret) == 0;
}

static bool head_near_end(const struct volume *volume, uint32_t sector, struct ldm_head *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(heads_from_end); i++)
        if (volume->size_bytes >= heads_from_end[i] * sector &&
            head_at(volume, volume->size_bytes / sector * sector - heads_from_end[i] * sector, ret))
            return true;
    return false;
}

static bool find_head(const struct stack *stack, size_t disk, struct ldm_head *ret)
{
    const struct volume *volume = &stack->volumes[disk];
    const struct volume *metadata = metadata_part(stack, disk);
    uint32_t sector = volume->table_sector_size;

    if (sector == 0 || (volume->inactive && !volume->peek))
        return false;
    if (strcmp(volume->table, "gpt") == 0)
        return metadata && head_near_end(metadata, sector, ret);
    return head_at(volume, (uint64_t)HEAD_MBR * sector, ret) || head_near_end(volume, sector, ret);
}

bool ldm_is_member(const struct stack *stack, const struct volume *volume)
{
    struct ldm_head head;

    return volume->kind == VOLUME_PARTITION && volume->n_parents == 1 && has_ldm_type(volume) &&
           find_head(stack, volume->parents[0], &head);
}

void ldm_mark_member(struct volume *volume)
{
    free(volume->use);
    volume->use = mem_strdup("raid");
    free(volume->fstype);
    volume->fstype = mem_strdup(LDM_MEMBER);
}

static void read_group(const struct stack *stack, struct ldm_member *member)
{
    const struct volume *disk = &stack->volumes[member->volume];
    const uint32_t sector = disk->table_sector_size;
    const struct ldm_head *head = &member->head;
    CLEANUP_FREE uint8_t *config = NULL;
    uint64_t at = 0, len = head->config_size * sector; /* it is at most LDM_CONFIG_MAX / 512 */

    if (len > LDM_CONFIG_MAX || __builtin_mul_overflow(head->config_start, sector, &at)) {
        (void)err_status(&member->err, STATUS_FAILED, "its LDM database is damaged (its place)");
        return;
    }
    config = mem_alloc(len);
    if (volume_read(disk, at, config, len) < 0) {
        (void)err_status(&member->err, STATUS_FAILED, "its LDM database cannot be read");
        return;
    }
    (void)ldm_group_parse(config, len, sector, &member->group, &member->err);
}

static bool has_member(const struct ldm_members *members, size_t disk)
{
    for (size_t i = 0; i < members->n; i++)
        if (members->items[i].volume == disk)
            return true;
    return false;
}

void ldm_members_read(const struct stack *stack, struct ldm_members *ret)
{
    *ret = (struct ldm_members){ 0 };
    for (size_t i = 0; i < stack->n_volumes; i++) {
        const struct volume *volume = &stack->volumes[i];
        struct ldm_member *member;
        struct ldm_head head;

        if (volume->handled || strcmp(volume->fstype, LDM_MEMBER) != 0 ||
            has_member(ret, volume->parents[0]) || !find_head(stack, volume->parents[0], &head))
            continue;
        member = mem_add(&ret->items, &ret->n, sizeof(*member));
        *member = (struct ldm_member){
            .volume = volume->parents[0],
            .head = head,
            .err = ERR_NONE,
        };
        read_group(stack, member);
    }
}

void ldm_members_done(struct ldm_members *members)
{
    for (size_t i = 0; i < members->n; i++)
        ldm_group_done(&members->items[i].group);
    free(members->items);
    *members = (struct ldm_members){ 0 };
}
