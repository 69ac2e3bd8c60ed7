/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Units wait for a device's or a swap's unit (After=, Requires=, BindsTo= ...), which never comes
 * under its old name. */
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/strbuf.h"
#include "engine/base/text.h"
#include "fixers/linux/devnames.h"
#include "fixers/linux/linux.h"
#include "inspect/mount_units.h"

/* The path that the name of a device's unit stands for: "dev-disk-by\x2dpath-x.device". */
static char *path_of_unit(const char *name, size_t len)
{
    struct strbuf out = { 0 };

    strbuf_putc(&out, '/');
    for (size_t i = 0; i < len; i++) {
        if (len - i >= 4 && strncmp(name + i, "\\x2d", 4) == 0) {
            strbuf_putc(&out, '-');
            i += 3;
        } else if (name[i] == '-') {
            strbuf_putc(&out, '/');
        } else {
            strbuf_putc(&out, name[i]);
        }
    }
    return strbuf_take(&out);
}

/* ".device" or ".swap" when the word is such a unit's name; NULL. */
static const char *suffix_of(const char *word)
{
    static const char *const suffixes[] = { ".device", ".swap" };

    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
        if (strlen(word) > strlen(suffixes[i]) && text_has_suffix(word, suffixes[i]))
            return suffixes[i];
    return NULL;
}

static void fix_word(const struct fix_context *ctx, struct plan *plan, const char *path,
                     const char *word, struct span at, struct edits *edits)
{
    const char *suffix = suffix_of(word), *why = "";
    CLEANUP_FREE char *device = suffix ? path_of_unit(word, strlen(word) - strlen(suffix)) : NULL;
    CLEANUP_FREE char *stable = NULL;
    CLEANUP_FREE char *stable_path = NULL;
    CLEANUP_FREE char *unit = NULL;

    if (!device || !devname_changes(device))
        return;
    stable = devname_stable(ctx->facts, device, "", 0, &why);
    if (!stable) {
        plan_note(plan,
                  "%s: it waits for %s, which %s; it stays as it is: write the unit of a "
                  "lasting name there by hand",
                  path, device, why);
        return;
    }
    stable_path = devname_as_path(stable);
    unit = unit_name_of_path(stable_path, suffix);
    edits_add(edits, at, unit);
}

char *unit_waits_by_uuid(const struct fix_context *ctx, struct plan *plan, const char *path,
                         const char *text)
{
    CLEANUP_EDITS struct edits edits = { 0 };
    struct span line, word;
    size_t pos = 0;

    while (line_next(text, strlen(text), &pos, &line)) {
        size_t at = line.start + (line.len > 0 ? strcspn(text + line.start, "=\n") + 1 : 0);

        if (line.len == 0 || text[line.start] == '#' || text[line.start] == ';')
            continue;
        while (field_next(text, &line, &at, &word)) {
            CLEANUP_FREE char *name = span_dup(text, word);

            fix_word(ctx, plan, path, name, word, &edits);
        }
    }
    return edits.n ? edits_apply(&edits, text, strlen(text), NULL) : NULL;
}
