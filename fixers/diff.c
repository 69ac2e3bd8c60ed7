/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/diff.h"

#include <stdbool.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"

struct line {
    const char *text;
    size_t len; /* with its newline, which only the last line may lack */
};

struct lines {
    struct line *items;
    size_t n;
};

/* For each line of a side: is it in the other one too? Lines that are kept pair up in order. */
struct script {
    struct lines a, b;
    bool *kept_a, *kept_b;
};

static struct lines split(const struct diff_side *side)
{
    struct lines lines = { .items = mem_alloc(sizeof(struct line)) }; /* never NULL: offsets */
    size_t at = 0;

    while (side->text && at < side->len) {
        struct line *line = mem_add(&lines.items, &lines.n, sizeof(*line));
        const char *end = memchr(side->text + at, '\n', side->len - at);

        line->text = side->text + at;
        line->len = end ? (size_t)(end - line->text) + 1 : side->len - at;
        at += line->len;
    }
    return lines;
}

static bool same(const struct line *a, const struct line *b)
{
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* What is between the common start and the common end of both sides. */
struct middle {
    const struct line *a, *b;
    int n, m;
    bool *kept_a, *kept_b;
};

/*
 * Walk back from the end and mark the diagonal steps. before[d] is the state of the forward search
 * when round d began: the furthest x on each diagonal k, with k = 0 at before[d][d].
 */
static void backtrack(const struct middle *mid, int *const *before, int d)
{
    int x = mid->n;
    int y = mid->m;

    for (; d >= 0 && (x > 0 || y > 0); d--) {
        const int *furthest = before[d] + d;
        int k = x - y;
        bool down = k == -d || (k != d && furthest[k - 1] < furthest[k + 1]);
        int from_x = d == 0 ? 0 : furthest[down ? k + 1 : k - 1];
        int from_y = d == 0 ? 0 : from_x - (down ? k + 1 : k - 1);

        while (x > from_x && y > from_y) {
            x--;
            y--;
            mid->kept_a[x] = true;
            mid->kept_b[y] = true;
        }
        x = from_x;
        y = from_y;
    }
}

/* One round of the search; true when it reached the end of both sides. */
static bool advance(const struct middle *mid, int *furthest, int d)
{
    for (int k = -d; k <= d; k += 2) {
        bool down = k == -d || (k != d && furthest[k - 1] < furthest[k + 1]);
        int x = down ? furthest[k + 1] : furthest[k - 1] + 1;

        while (x < mid->n && x - k < mid->m && x - k >= 0 && same(&mid->a[x], &mid->b[x - k]))
            x++;
        furthest[k] = x;
        if (x >= mid->n && x - k >= mid->m)
            return true;
    }
    return false;
}

/* Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), the greedy form; beyond
 * DIFF_MAX_EDITS nothing is marked as kept. */
static void find_kept(const struct middle *mid)
{
    CLEANUP_FREE int *room = mem_alloc((2 * DIFF_MAX_EDITS + 3) * sizeof(*room));
    int *furthest = room + DIFF_MAX_EDITS + 1;
    int *before[DIFF_MAX_EDITS + 1];
    int d = 0;
    bool found = false;

    while (!found && d <= DIFF_MAX_EDITS) {
        before[d] = mem_dup(furthest - d, (2 * (size_t)d + 1) * sizeof(*room));
        found = advance(mid, furthest, d);
        d++;
    }
    if (found)
        backtrack(mid, before, d - 1);
    while (d > 0)
        free(before[--d]);
}

static void script_init(struct script *script, const struct diff_side *before,
                        const struct diff_side *after)
{
    size_t start = 0;
    size_t end = 0;

    script->a = split(before);
    script->b = split(after);
    script->kept_a = mem_alloc(script->a.n * sizeof(bool));
    script->kept_b = mem_alloc(script->b.n * sizeof(bool));
    while (start < script->a.n && start < script->b.n &&
           same(&script->a.items[start], &script->b.items[start])) {
        script->kept_a[start] = script->kept_b[start] = true;
        start++;
    }
    while (end < script->a.n - start && end < script->b.n - start &&
           same(&script->a.items[script->a.n - end - 1], &script->b.items[script->b.n - end - 1])) {
        end++;
        script->kept_a[script->a.n - end] = script->kept_b[script->b.n - end] = true;
    }
    find_kept(&(struct middle){
        .a = script->a.items + start,
        .b = script->b.items + start,
        .n = (int)(script->a.n - start - end),
        .m = (int)(script->b.n - start - end),
        .kept_a = script->kept_a + start,
        .kept_b = script->kept_b + start,
    });
}

static void script_done(struct script *script)
{
    free(script->a.items);
    free(script->b.items);
    free(script->kept_a);
    free(script->kept_b);
}

/* A place in both sides. */
struct place {
    size_t a, b;
};

/* Over the lines that differ. */
static struct place skip_change(const struct script *script, struct place at)
{
    while (at.a < script->a.n && !script->kept_a[at.a])
        at.a++;
    while (at.b < script->b.n && !script->kept_b[at.b])
        at.b++;
    return at;
}

/* Over the lines that are the same. */
static struct place skip_kept(const struct script *script, struct place at)
{
    while (at.a < script->a.n && script->kept_a[at.a] && at.b < script->b.n &&
           script->kept_b[at.b]) {
        at.a++;
        at.b++;
    }
    return at;
}

static void put_line(struct strbuf *out, char mark, const struct line *line)
{
    strbuf_putc(out, mark);
    strbuf_add(out, line->text, line->len);
    if (line->text[line->len - 1] != '\n')
        strbuf_puts(out, "\n\\ No newline at end of file\n");
}

static void put_range(struct strbuf *out, char mark, size_t first, size_t n)
{
    /* an empty range names the line before it; a length of one is left out */
    strbuf_printf(out, "%c%zu", mark, n ? first + 1 : first);
    if (n != 1)
        strbuf_printf(out, ",%zu", n);
}

/* The hunk whose first change is at @change; returns where its context ends. */
static struct place put_hunk(struct strbuf *out, const struct script *script, struct place change)
{
    size_t before = change.a < DIFF_CONTEXT ? change.a : DIFF_CONTEXT;
    struct place at = { change.a - before, change.b - before };
    struct place end = change;
    struct place next = change;

    /* changes that are at most two contexts apart share a hunk */
    while (next.a - end.a <= (size_t)2 * DIFF_CONTEXT &&
           (next.a < script->a.n || next.b < script->b.n)) {
        end = skip_change(script, next);
        next = skip_kept(script, end);
    }
    for (unsigned i = 0; i < DIFF_CONTEXT && end.a < script->a.n; i++) {
        end.a++;
        end.b++;
    }
    strbuf_puts(out, "@@ ");
    put_range(out, '-', at.a, end.a - at.a);
    strbuf_putc(out, ' ');
    put_range(out, '+', at.b, end.b - at.b);
    strbuf_puts(out, " @@\n");
    while (at.a < end.a || at.b < end.b) {
        if (at.a < end.a && !script->kept_a[at.a]) {
            put_line(out, '-', &script->a.items[at.a++]);
        } else if (at.b < end.b && !script->kept_b[at.b]) {
            put_line(out, '+', &script->b.items[at.b++]);
        } else {
            put_line(out, ' ', &script->a.items[at.a++]);
            at.b++;
        }
    }
    return end;
}

char *diff_unified(const struct diff_side *before, const struct diff_side *after)
{
    struct strbuf out = { 0 };
    struct script script;
    struct place at = { 0, 0 };

    script_init(&script, before, after);
    at = skip_kept(&script, at);
    if (at.a < script.a.n || at.b < script.b.n)
        strbuf_printf(&out, "--- %s\n+++ %s\n", before->label, after->label);
    while (at.a < script.a.n || at.b < script.b.n) {
        if (out.len > DIFF_MAX_TEXT) {
            strbuf_puts(&out, "(the rest of this diff is not shown)\n");
            break;
        }
        at = skip_kept(&script, put_hunk(&out, &script, at));
    }
    script_done(&script);
    return strbuf_take(&out);
}

void diff_count(const struct diff_side *before, const struct diff_side *after, size_t *ret_removed,
                size_t *ret_added)
{
    struct script script;

    *ret_removed = *ret_added = 0;
    script_init(&script, before, after);
    for (size_t i = 0; i < script.a.n; i++)
        *ret_removed += !script.kept_a[i];
    for (size_t i = 0; i < script.b.n; i++)
        *ret_added += !script.kept_b[i];
    script_done(&script);
}
