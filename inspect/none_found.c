/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/none_found.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/strbuf.h"
#include "storage/mount.h"

/* Does what it lies on say already why it is not there? */
static bool has_told(const struct stack *stack, const struct volume *volume)
{
    for (size_t i = 0; i < volume->n_parents; i++)
        if (stack->volumes[volume->parents[i]].problem[0] != '\0')
            return true;
    return false;
}

/* What the layers could not open, with the reasons; the gravest status wins. */
static int name_problems(const struct stack *stack, struct err *err)
{
    CLEANUP_STRBUF struct strbuf text = { 0 };
    enum err_status status = STATUS_OK;
    const char *last = "";

    for (size_t i = 0; i < stack->n_volumes; i++) {
        const struct volume *volume = &stack->volumes[i];

        if (volume->problem[0] == '\0' || (volume->inactive && has_told(stack, volume)))
            continue;
        if (volume->problem_status > status)
            status = volume->problem_status;
        /* the members of an array have the same one */
        if (strcmp(volume->problem, last) != 0)
            strbuf_printf(&text, "%s%s: %s", text.len ? "; " : "", volume->name, volume->problem);
        last = volume->problem;
    }
    if (status == STATUS_OK)
        return 0;
    return err_status(err, status, "no operating system was found; %s", strbuf_text(&text));
}

/* File systems that h2k never mounts, and what is more than one at a time: "/dev/sda1 (jfs)". */
static char *unknown_types(const struct stack *stack)
{
    struct strbuf list = { 0 };

    for (size_t i = 0; i < stack->n_volumes; i++) {
        const struct volume *volume = &stack->volumes[i];
        struct err err = ERR_NONE;

        if (strcmp(volume->fstype, "ambivalent") == 0 ||
            (strcmp(volume->use, "filesystem") == 0 &&
             mount_check(volume->fstype, true, &err) < 0 && err.status == STATUS_FAILED))
            strbuf_printf(&list, "%s%s (%s)", list.len ? ", " : "", volume->name, volume->fstype);
    }
    return strbuf_take(&list);
}

int inspect_say_none(const struct stack *stack, struct err *err)
{
    CLEANUP_STRBUF struct strbuf hidden = { 0 };
    CLEANUP_FREE char *unknown = NULL;

    if (name_problems(stack, err) < 0)
        return -err->code;
    for (size_t i = 0; i < stack->n_volumes; i++) {
        const struct volume *volume = &stack->volumes[i];

        if (volume->handled)
            continue;
        if (strcmp(volume->use, "raid") == 0 || strcmp(volume->use, "crypto") == 0)
            strbuf_printf(&hidden, "%s%s (%s)", hidden.len ? ", " : "", volume->name,
                          volume->fstype);
    }
    if (hidden.len > 0)
        return err_status(err, STATUS_HOST,
                          "no operating system was found; it may lie on %s, which was not opened",
                          strbuf_text(&hidden));
    unknown = unknown_types(stack);
    if (unknown[0] != '\0')
        return err_status(err, STATUS_NO_OS,
                          "no operating system was found; h2k does not mount what is on %s: see "
                          "h2k volumes for what that takes",
                          unknown);
    return err_status(err, STATUS_NO_OS, "no operating system was found on any file system");
}
