/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What Windows is started by. */
#include "fixers/windows/boot.h"

#include "engine/base/cleanup.h"
#include "fixers/windows/windows.h"
#include "inspect/windows/place.h"

static bool applies(const struct fix_context *ctx, const char **ret_why)
{
    *ret_why = "another machine starts it";
    return ctx->facts->windows != NULL;
}

/* Their ids stay: which of them is the one that Windows knows cannot be found out. */
static void note_copies(const struct fix_context *ctx, struct plan *plan)
{
    const struct fact_device *first, *copy;

    for (size_t at = 0; place_next_copy(ctx->facts, &at, &first, &copy);) {
        CLEANUP_FREE char *text = place_copy_text(first, copy);

        plan_note(plan, "%s", text);
    }
}

static int plan_boot(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    static int (*const parts[])(const struct fix_context *ctx, struct plan *plan,
                                struct err *err) = {
        boot_esp_plan, boot_bcd_plan, boot_ini_plan, boot_sector_plan, boot_letter_plan,
    };
    int r = 0;

    note_copies(ctx, plan);
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(parts); i++)
        r = parts[i](ctx, plan, err);
    return r;
}

const struct fixer fixer_win_boot = {
    .name = "win-boot",
    .summary = "let Windows' boot files find it on the new machine",
    .os = OS_WINDOWS,
    .applies = applies,
    .plan = plan_boot,
};
