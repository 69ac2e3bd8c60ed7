/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "storage/lvm_read.h"
#include "storage/lvm_segment.h"
#include "storage/lvm_state.h"

#define SECTOR 512U

struct look {
    const struct stack *stack;
    struct lvm_vg *vg;
    const size_t *pvs;
};

/* The first bytes of a logical volume that needs no device. */
static bool read_start(const struct look *look, size_t lv, uint8_t *buf, size_t len)
{
    const struct lvm_tables tables = { .vg = look->vg };
    uint64_t sector = 0;
    size_t pv = 0;

    return lv != LVM_NONE && lvm_is_piece(&tables, lv, &pv, &sector) && look->pvs[pv] != LVM_NONE &&
           volume_read(&look->stack->volumes[look->pvs[pv]], sector * SECTOR, buf, len) == 0;
}

static void look_at_raid(const struct look *look, struct lvm_lv *lv,
                         const struct lvm_segment *segment)
{
    struct lvm_raid_super supers[LVM_DEVICES_MAX], newest = { 0 };
    bool has[LVM_DEVICES_MAX] = { false };
    size_t n = 0;

    for (; n < LVM_DEVICES_MAX; n++) {
        size_t meta = lvm_list_ref(look->vg, segment, "raids", 2 * n);
        uint8_t bytes[LVM_RAID_SUPER];

        if (meta == LVM_NONE)
            break;
        has[n] =
            read_start(look, meta, bytes, sizeof(bytes)) && lvm_raid_super_parse(bytes, &supers[n]);
        if (has[n] && supers[n].events >= newest.events)
            newest = supers[n];
    }
    if (n == 0 || strcmp(segment->type, "raid0_meta") == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        size_t leg = lvm_list_ref(look->vg, segment, "raids", 2 * i + 1);

        if (leg != LVM_NONE)
            look->vg->lvs[leg].is_stale = lvm_raid_is_stale(&newest, has[i] ? &supers[i] : NULL, i);
    }
    if (newest.resync_offset != UINT64_MAX)
        lvm_must_not_write(lv->read_only, "RAID of which the copies are not in step yet");
}

/* The kernel's number of changes and lvm's own must agree, else one of them is older. */
static void look_at_pool(const struct look *look, struct lvm_lv *lv,
                         const struct lvm_segment *segment)
{
    struct lvm_thin_super super;
    uint8_t bytes[LVM_THIN_SUPER];
    uint64_t transaction = 0;

    if (!read_start(look, lvm_ref(look->vg, segment, "metadata"), bytes, sizeof(bytes)) ||
        !lvm_thin_super_parse(bytes, &super))
        return;
    if (!lvm_config_number(&look->vg->config, segment->node, "transaction_id", INT64_MAX,
                           &transaction) ||
        transaction != super.transaction)
        (void)snprintf(lv->problem, sizeof(lv->problem),
                       "its thin pool is at another change (%llu) than the volume group (%llu)",
                       (unsigned long long)super.transaction, (unsigned long long)transaction);
    if (super.needs_check)
        lvm_must_not_write(lv->read_only, "thin pool whose metadata needs a check (thin_check)");
}

void lvm_read_states(const struct stack *stack, struct lvm_vg *vg, const size_t *pvs)
{
    const struct look look = { stack, vg, pvs };

    for (size_t i = 0; i < vg->n_lvs; i++) {
        struct lvm_lv *lv = &vg->lvs[i];

        for (size_t s = 0; s < lv->n_segments; s++) {
            if (lvm_is_raid(&lv->segments[s]))
                look_at_raid(&look, lv, &lv->segments[s]);
            else if (lvm_is_type(&lv->segments[s], "thin-pool"))
                look_at_pool(&look, lv, &lv->segments[s]);
        }
    }
}
