/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/linux/archived_conf.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/linux.h"

static const struct {
    const char *pattern;
    char *(*fix)(const struct fix_context *ctx, struct plan *plan, const char *path,
                 const char *text);
} rules[] = {
    { "conf/conf.d/*", initramfs_vars_by_uuid },
    { "conf/initramfs.conf", initramfs_vars_by_uuid },
    { "conf/param.conf", initramfs_vars_by_uuid },
    { "cryptroot/crypttab", crypttab_by_uuid },
    { "etc/crypttab", crypttab_by_uuid },
    { "etc/cmdline.d/*.conf", command_line_by_uuid },
    { "etc/lvm/lvm.conf", lvm_filters_by_name },
    { "etc/lvm/lvmlocal.conf", lvm_filters_by_name },
    { "etc/mdadm.conf", mdadm_conf_by_uuid },
    { "etc/mdadm/mdadm.conf", mdadm_conf_by_uuid },
};

static bool is_replaced_later(const struct initramfs *found, size_t i)
{
    for (size_t j = i + 1; j < found->n_kept; j++)
        if (strcmp(found->kept[j].name, found->kept[i].name) == 0)
            return true;
    return false;
}

/* The file's text with UUIDs, NULL when it stays as it is. */
static char *fix_file(const struct fix_context *ctx, const struct initramfs_file *file)
{
    struct plan unsaid = { 0 }; /* its notes are those of the guest's own files */
    char *fixed = NULL;

    if (strlen(file->data) != file->len)
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(rules) && !fixed; i++)
        if (fnmatch(rules[i].pattern, file->name, FNM_PATHNAME) == 0)
            fixed = rules[i].fix(ctx, &unsaid, file->name, file->data);
    strlist_done(&unsaid.notes);
    if (fixed && strcmp(fixed, file->data) == 0) {
        free(fixed);
        return NULL;
    }
    return fixed;
}

void archived_conf_add_fixed(const struct fix_context *ctx, const struct initramfs *found,
                             struct segment *segment, struct strlist *ret)
{
    for (size_t i = 0; i < found->n_kept; i++) {
        const struct initramfs_file *file = &found->kept[i];
        char *fixed = is_replaced_later(found, i) ? NULL : fix_file(ctx, file);

        if (!fixed)
            continue;
        segment_add(segment, file->name, fixed, strlen(fixed));
        strlist_add(ret, file->name);
    }
}
