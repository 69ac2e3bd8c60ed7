/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/linux/accounts.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"

static size_t split(const char *text, struct span line, struct span fields[ACCOUNT_FIELDS])
{
    size_t n = 0;

    for (size_t i = line.start; n < ACCOUNT_FIELDS;) {
        size_t end = line.start + line.len;
        const char *colon = memchr(text + i, ':', end - i);
        size_t stop = colon ? (size_t)(colon - text) : end;

        fields[n++] = (struct span){ i, stop - i };
        if (!colon)
            break;
        i = stop + 1;
    }
    return n;
}

size_t account_next(const char *text, size_t *pos, struct span fields[ACCOUNT_FIELDS])
{
    struct span line;

    while (line_next(text, strlen(text), pos, &line))
        if (line.len > 0 && !strchr("#+-", text[line.start]))
            return split(text, line, fields);
    return 0;
}

bool account_find(const char *text, const char *name, size_t min_fields,
                  struct span fields[ACCOUNT_FIELDS])
{
    size_t pos = 0, n;

    while ((n = account_next(text, &pos, fields)) > 0)
        if (span_is(text, fields[0], name))
            return n >= min_fields;
    return false;
}

char *account_add(const char *text, const char *line)
{
    CLEANUP_EDITS struct edits edits = { 0 };
    size_t len = strlen(text), pos = 0, at = len;
    CLEANUP_FREE char *added = NULL;
    struct span old;

    while (at == len && line_next(text, len, &pos, &old))
        if (old.len > 0 && text[old.start] == '+')
            at = old.start;
    added = mem_printf("%s%s\n", at == len && len > 0 && text[len - 1] != '\n' ? "\n" : "", line);
    edits_add(&edits, (struct span){ at, 0 }, added);
    return edits_apply(&edits, text, len, NULL);
}

uint64_t account_number(const char *text, struct span field, uint64_t other)
{
    CLEANUP_FREE char *word = span_dup(text, field);
    uint64_t number = 0;

    return io_parse_u64(word, UINT32_MAX, &number) < 0 ? other : number;
}

int account_get(struct plan *plan, const char *name, struct account *ret, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    struct span fields[ACCOUNT_FIELDS];
    int r = plan_read_text(plan, PASSWD, &text, err);

    if (r <= 0)
        return r;
    if (!account_find(text, name, 6, fields))
        return 0;
    *ret = (struct account){ .uid = account_number(text, fields[2], UINT32_MAX),
                             .gid = account_number(text, fields[3], UINT32_MAX) };
    if (ret->uid == UINT32_MAX || ret->gid == UINT32_MAX)
        return err_status(err, STATUS_FAILED, "%s: the line of %s has no numbers", PASSWD, name);
    ret->home = span_dup(text, fields[5]);
    if (ret->home[0] == '/')
        return 1;
    free(ret->home);
    ret->home = mem_strdup("/");
    return 1;
}
