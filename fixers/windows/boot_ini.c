/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * boot.ini of Windows up to 2003: "multi(0)disk(0)rdisk(N)partition(M)\WINDOWS" names the disk as
 * the firmware counts and the partition as ntldr does. It is corrected where the only thing that
 * can be meant is this Windows: its folder is in one place of the file only, and that is another
 * one.
 */
#include "inspect/windows/boot_ini.h"

#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/windows/boot.h"
#include "inspect/fields.h"
#include "inspect/windows/facts.h"
#include "inspect/windows/place.h"

#define PLACES_MAX 256U /* disks, and partitions of one, that are tried */

struct arc {
    uint32_t rdisk, partition;
};

/* Where ntldr finds @device. */
static bool find_arc(const struct facts *facts, const struct fact_device *device, struct arc *ret)
{
    for (ret->rdisk = 0; ret->rdisk < PLACES_MAX; ret->rdisk++)
        for (ret->partition = 1; ret->partition < PLACES_MAX; ret->partition++) {
            const struct fact_device *there = place_arc(facts, ret->rdisk, ret->partition);

            if (there == device)
                return true;
            if (!there)
                break;
        }
    return false;
}

static bool is_at(const struct arc_path *path, const struct arc *arc)
{
    return path->is_arc && path->rdisk == arc->rdisk && path->partition == arc->partition;
}

/* Does it name this Windows, by its folder? */
static bool is_ours(const struct arc_path *path, const char *folder)
{
    return path->is_arc && strcasecmp(path->folder, folder) == 0;
}

/* scsi() and signature() are read through ntbootdd.sys, a driver for the old machine's controller.
 */
static bool needs_driver(const struct boot_ini *ini, const char *folder)
{
    for (size_t i = 0; i < ini->n_entries; i++)
        if (is_ours(&ini->entries[i].path, folder) &&
            strncasecmp(ini->entries[i].line, "multi(", strlen("multi(")) != 0)
            return true;
    return false;
}

enum verdict { RIGHT, WRONG, UNCLEAR };

/* *ret_wrong: the one place that entries for the folder name. */
static enum verdict judge(const struct boot_ini *ini, const char *folder, const struct arc *want,
                          struct arc *ret_wrong)
{
    bool found = false;

    for (size_t i = 0; i < ini->n_entries; i++) {
        const struct arc_path *path = &ini->entries[i].path;

        if (!is_ours(path, folder))
            continue;
        if (is_at(path, want))
            return RIGHT;
        if (found && !is_at(path, ret_wrong))
            return UNCLEAR;
        *ret_wrong = (struct arc){ path->rdisk, path->partition };
        found = true;
    }
    return found ? WRONG : UNCLEAR;
}

/* In each line: "rdisk(1)partition(2)\WINDOWS", whatever its case. */
static char *corrected(const char *text, const char *folder, const struct arc *from,
                       const struct arc *to)
{
    CLEANUP_FREE char *old =
        mem_printf("rdisk(%u)partition(%u)%s", from->rdisk, from->partition, folder);
    CLEANUP_FREE char *new = mem_printf("rdisk(%u)partition(%u)", to->rdisk, to->partition);
    CLEANUP_EDITS struct edits edits = { 0 };
    size_t pos = 0;
    struct span line;

    for (char *slash = old; *slash; slash++)
        if (*slash == '/')
            *slash = '\\';
    while (line_next(text, strlen(text), &pos, &line)) {
        CLEANUP_FREE char *copy = span_dup(text, line);
        const char *at = strcasestr(copy, old);

        if (at && strchr("= \t", at[strlen(old)])) /* or the end of the line */
            edits_add(&edits,
                      (struct span){ .start = line.start + (size_t)(at - copy),
                                     .len = strlen(old) - strlen(folder) },
                      new);
    }
    return edits_apply(&edits, text, strlen(text), NULL);
}

int boot_ini_plan(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    const struct facts *facts = ctx->facts;
    const struct fact_device *root = facts_root_device(facts);
    const char *file = facts->windows->boot_ini, *folder = facts->windows->system_root;
    CLEANUP(boot_ini_done) struct boot_ini ini = { 0 };
    CLEANUP_FREE char *text = NULL;
    CLEANUP_FREE char *fixed = NULL;
    struct arc want, wrong = { 0 };
    int r = *file ? plan_read_text(plan, file, &text, err) : 0;

    if (r <= 0 || !root || !find_arc(facts, root, &want))
        return r < 0 ? r : 0;
    boot_ini_parse(text, strlen(text), &ini);
    if (needs_driver(&ini, folder)) {
        plan_note(
            plan,
            "%s names a disk by scsi() or signature(), for which ntldr needs a driver for the "
            "old machine's controller: write multi(0)disk(0)rdisk(%u)partition(%u) there",
            file, want.rdisk, want.partition);
        return 0;
    }
    switch (judge(&ini, folder, &want, &wrong)) {
    case RIGHT:
        return 0;
    case WRONG:
        fixed = corrected(text, folder, &wrong, &want);
        plan_write(plan, file, fixed,
                   "Windows is on another disk or partition than its loader is told");
        return 0;
    case UNCLEAR:
        break;
    }
    plan_note(plan,
              "%s: it is not clear which line is for %s on %s, which ntldr knows as "
              "rdisk(%u)partition(%u)",
              file, folder, root->name, want.rdisk, want.partition);
    return 0;
}
