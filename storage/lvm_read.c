/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/lvm_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"

static bool is_known(const struct lvm_found *found, const char *text, size_t len)
{
    for (size_t i = 0; i < found->n_groups; i++)
        if (found->groups[i].len == len && memcmp(found->groups[i].text, text, len) == 0)
            return true;
    return false;
}

static struct lvm_group *find_group(struct lvm_found *found, const char *id)
{
    for (size_t i = 0; i < found->n_groups; i++)
        if (strcmp(found->groups[i].vg.id, id) == 0)
            return &found->groups[i];
    return NULL;
}

static void group_done(struct lvm_group *group)
{
    lvm_vg_done(&group->vg);
    free(group->text);
}

/* Every metadata area of a group has the same text, unless one was away when it changed. */
static int add_text(struct lvm_found *found, char *text, size_t len, struct err *err)
{
    struct lvm_group fresh = { .text = text, .len = len };
    struct lvm_group *group;
    int r;

    if (is_known(found, text, len)) {
        free(text);
        return 0;
    }
    r = lvm_vg_parse(text, len, &fresh.vg, err);
    if (r < 0) {
        group_done(&fresh);
        return r;
    }
    group = find_group(found, fresh.vg.id);
    if (!group) {
        group = mem_add(&found->groups, &found->n_groups, sizeof(*group));
        *group = fresh;
        return 0;
    }
    if (fresh.vg.seqno > group->vg.seqno) {
        group_done(group);
        *group = fresh;
        return 0;
    }
    group->is_split |= fresh.vg.seqno == group->vg.seqno;
    group_done(&fresh);
    return 0;
}

static int read_member(struct lvm_found *found, const struct volume *volume,
                       const struct lvm_label *label, struct err *err)
{
    int first = 0;
    size_t good = 0;

    for (size_t i = 0; i < label->n_metadata; i++) {
        struct err one = ERR_NONE;
        char *text = NULL;
        size_t len = 0;
        int r = lvm_text_read(volume, &label->metadata[i], &text, &len);

        if (r == -ENOENT) { /* no group yet, or the group keeps it elsewhere */
            good++;
            continue;
        }
        if (r == 0)
            r = add_text(found, text, len, &one);
        else
            (void)err_status(&one, STATUS_FAILED, "its LVM metadata is damaged");
        if (r == 0)
            good++;
        if (r < 0 && first == 0) {
            first = r;
            *err = one;
        }
    }
    return good > 0 ? 0 : first; /* one good copy is enough */
}

void lvm_find(struct stack *stack, struct lvm_found *ret)
{
    *ret = (struct lvm_found){ 0 };
    for (size_t i = 0; i < stack->n_volumes; i++) {
        struct volume *volume = &stack->volumes[i];
        struct lvm_label label;
        struct lvm_member *member;
        struct err one = ERR_NONE;
        char text[ERR_TEXT];

        if (volume->handled || strcmp(volume->fstype, "LVM2_member") != 0)
            continue;
        if (lvm_label_read(volume, &label) < 0) {
            volume->handled = true;
            volume_set_problem(volume, STATUS_FAILED, "its LVM label is damaged");
            continue;
        }
        member = mem_add(&ret->members, &ret->n_members, sizeof(*member));
        *member = (struct lvm_member){ i, label };
        if (read_member(ret, volume, &label, &one) < 0) {
            log_debug("%s: %s", volume->name, err_text(&one, text, sizeof(text)));
            volume_set_problem(volume, one.status, err_text(&one, text, sizeof(text)));
        }
    }
}

void lvm_found_done(struct lvm_found *found)
{
    for (size_t i = 0; i < found->n_groups; i++)
        group_done(&found->groups[i]);
    free(found->groups);
    free(found->members);
}

size_t lvm_find_member(const struct lvm_found *found, const char *id, bool *ret_twice)
{
    size_t first = LVM_NONE;

    *ret_twice = false;
    for (size_t i = 0; i < found->n_members; i++) {
        if (strcmp(found->members[i].label.id, id) != 0)
            continue;
        *ret_twice = first != LVM_NONE;
        if (first == LVM_NONE)
            first = i;
    }
    return first;
}
