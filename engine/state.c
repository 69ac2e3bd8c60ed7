/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/strbuf.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Undo the %XX of state_line(); NULL when it is malformed. */
static char *unescape(const char *text, size_t len)
{
    CLEANUP_STRBUF struct strbuf buf = { 0 };

    for (size_t i = 0; i < len; i++) {
        int high, low;

        if (text[i] != '%') {
            strbuf_putc(&buf, text[i]);
            continue;
        }
        if (len - i < 3)
            return NULL;
        high = hex_digit(text[i + 1]);
        low = hex_digit(text[i + 2]);
        if (high < 0 || low < 0 || (high == 0 && low == 0))
            return NULL;
        strbuf_putc(&buf, (char)(high * 16 + low));
        i += 2;
    }
    return strbuf_take(&buf);
}

static void drop_record(struct state *state, size_t i)
{
    free(state->records[i].kind);
    free(state->records[i].value);
    state->n_records--;
    memmove(&state->records[i], &state->records[i + 1],
            (state->n_records - i) * sizeof(state->records[0]));
}

static void take_back(struct state *state, const char *kind, const char *value)
{
    for (size_t i = state->n_records; i > 0; i--) {
        const struct state_record *record = &state->records[i - 1];

        if (strcmp(record->kind, kind) == 0 && strcmp(record->value, value) == 0) {
            drop_record(state, i - 1);
            return;
        }
    }
}

static void parse_line(const char *line, size_t len, struct state *state)
{
    const char *space = memchr(line, ' ', len);
    CLEANUP_FREE char *kind = NULL;
    CLEANUP_FREE char *value = NULL;
    struct state_record *record;

    if (!space || space == line)
        return;
    kind = mem_strndup(line, (size_t)(space - line));
    value = unescape(space + 1, len - (size_t)(space - line) - 1);
    if (!value)
        return;
    if (kind[0] == '-') {
        take_back(state, kind + 1, value);
        return;
    }
    record = mem_add(&state->records, &state->n_records, sizeof(*record));
    record->kind = TAKE(kind);
    record->value = TAKE(value);
}

void state_parse(const char *text, struct state *ret)
{
    const char *end;

    *ret = (struct state){ 0 };
    /* what has no newline was torn by the end of the writer: the object was not made yet */
    for (; (end = strchr(text, '\n')); text = end + 1)
        parse_line(text, (size_t)(end - text), ret);
}

void state_done(struct state *state)
{
    while (state->n_records > 0)
        drop_record(state, state->n_records - 1);
    free(state->records);
    state->records = NULL;
}

const char *state_get(const struct state *state, const char *kind)
{
    for (size_t i = 0; i < state->n_records; i++)
        if (strcmp(state->records[i].kind, kind) == 0)
            return state->records[i].value;
    return NULL;
}

int state_numbers(const char *value, uint64_t *ret, size_t n)
{
    CLEANUP_FREE char *copy = mem_strdup(value);
    char *next = copy;

    for (size_t i = 0; i < n; i++) {
        char *number = next;

        if (!number)
            return -EINVAL;
        next = strchr(number, ' ');
        if (next)
            *next++ = '\0';
        if (io_parse_u64(number, UINT64_MAX, &ret[i]) < 0)
            return -EINVAL;
    }
    return next ? -EINVAL : 0;
}

char *state_line(const char *kind, const char *value)
{
    struct strbuf buf = { 0 };

    strbuf_printf(&buf, "%s ", kind);
    for (const char *p = value; *p; p++) {
        if ((unsigned char)*p < ' ' || *p == '%')
            strbuf_printf(&buf, "%%%02X", (unsigned)(unsigned char)*p);
        else
            strbuf_putc(&buf, *p);
    }
    strbuf_putc(&buf, '\n');
    return strbuf_take(&buf);
}

bool state_is_id(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len <= 32 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") == len;
}

unsigned long long state_start_time(pid_t pid)
{
    CLEANUP_FREE char *path = mem_printf("/proc/%d/stat", (int)pid);
    CLEANUP_FREE char *text = NULL;
    struct err ignored = ERR_NONE;
    size_t len = 0;
    char *field;

    if (io_read_file(path, 4096, &text, &len, &ignored) < 0)
        return 0;
    /* proc(5): the name may hold spaces and brackets; starttime is the 20th field after it */
    field = strrchr(text, ')');
    for (int i = 0; field && i < 20; i++) {
        field = strchr(field + 1, ' ');
    }
    return field ? strtoull(field, NULL, 10) : 0;
}

char *state_boot_id(void)
{
    char *text = NULL;
    struct err ignored = ERR_NONE;
    size_t len = 0;

    if (io_read_file("/proc/sys/kernel/random/boot_id", 128, &text, &len, &ignored) < 0)
        return mem_strdup("");
    text[strcspn(text, "\n")] = '\0';
    return text;
}
