/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SELinux: what the other fixers make gets its label from the guest's own policy when it is written
 * (engine/guest_labels.h), and what they replace keeps its own. Only where the policy cannot be
 * asked the guest has to label all its files again.
 */
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/guest_labels.h"
#include "fixers/linux/linux.h"

static bool applies(const struct fix_context *ctx, const char **ret_why)
{
    *ret_why = "the guest labels its files";
    return strcmp(ctx->facts->selinux, "enforcing") == 0 ||
           strcmp(ctx->facts->selinux, "permissive") == 0;
}

/* Removing and changing modes needs no label, and neither does replacing. */
static bool makes_something(const struct plan *plan)
{
    static const enum change_action makers[] = { CHANGE_COPY, CHANGE_LINK, CHANGE_MKDIR };

    for (size_t i = 0; i < plan->n; i++) {
        if (plan->changes[i].action == CHANGE_WRITE && !plan->changes[i].old)
            return true;
        for (size_t j = 0; j < ARRAY_SIZE(makers); j++)
            if (plan->changes[i].action == makers[j])
                return true;
    }
    return false;
}

static int plan_selinux(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    (void)ctx;
    (void)err;
    if (!guest_labels_are_used(plan->root) && makes_something(plan))
        plan_write_new(plan, "/.autorelabel", "-F\n", 0644,
                       "labels of new files are not known without the guest's policy: it labels "
                       "all files when it starts");
    return 0;
}

const struct fixer fixer_selinux = {
    .name = "selinux",
    .summary = "a boot that labels all files, where the policy is not there to label new ones",
    .os = OS_LINUX,
    .applies = applies,
    .plan = plan_selinux,
};
