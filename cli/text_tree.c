/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Volumes as a tree: below each one what is made of it. What has several parents stands in full
 * below the first. */
#include <string.h>

#include "cli/print.h"
#include "cli/text.h"
#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"

#define NAME_WIDTH 30

/* One line to come. */
struct branch {
    size_t volume;
    size_t parent; /* SIZE_MAX: none */
    char *indent;  /* what stands before its name's own branch sign */
    bool last;     /* of its parent's */
};

struct tree {
    FILE *out;
    const struct stack *stack;
    struct branch *todo; /* the next one is the last element */
    size_t n_todo;
};

static bool has_parent(const struct volume *volume, size_t parent)
{
    for (size_t i = 0; i < volume->n_parents; i++)
        if (volume->parents[i] == parent)
            return true;
    return false;
}

static void tag(FILE *out, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    (void)fprintf(out, "  %s=", name);
    text_safe(out, value, false);
}

static void parents(FILE *out, const struct stack *stack, const struct volume *volume)
{
    if (volume->n_parents < 2)
        return;
    for (size_t i = 0; i < volume->n_parents; i++)
        (void)fprintf(out, "%s%s", i ? "," : "  on=", stack->volumes[volume->parents[i]].name);
}

static void facts(FILE *out, const struct stack *stack, const struct volume *volume)
{
    const char *type = volume->fstype[0]                   ? volume->fstype
                       : volume->table && volume->table[0] ? volume->table
                                                           : "-";
    char size[32];

    (void)fprintf(out, " %-10s %-18s %10s", volume_kind_name(volume->kind), type,
                  volume->size_bytes ? cli_size(volume->size_bytes, size, sizeof(size)) : "?");
    tag(out, "UUID", volume->uuid);
    tag(out, "LABEL", volume->label);
    tag(out, "PARTLABEL", volume->part_label);
    parents(out, stack, volume);
    (void)fputs(volume->inactive               ? "  not opened"
                : volume->read_only[0] != '\0' ? "  read-only"
                                               : "",
                out);
}

/* The first child is to be the next line, so the last one is pushed first. */
static void push_children(struct tree *tree, const struct branch *above)
{
    CLEANUP_FREE char *indent = above->parent == SIZE_MAX
                                    ? mem_strdup("")
                                    : mem_printf("%s%s", above->indent, above->last ? "  " : "| ");
    bool last = true;

    for (size_t i = tree->stack->n_volumes; i-- > above->volume + 1;) {
        struct branch *child;

        if (!has_parent(&tree->stack->volumes[i], above->volume))
            continue;
        child = mem_add(&tree->todo, &tree->n_todo, sizeof(*child));
        *child = (struct branch){ i, above->volume, mem_strdup(indent), last };
        last = false;
    }
}

static void print_one(struct tree *tree, const struct branch *branch)
{
    const struct volume *volume = &tree->stack->volumes[branch->volume];
    bool root = branch->parent == SIZE_MAX;
    CLEANUP_FREE char *left = mem_printf("%s%s", branch->indent,
                                         root           ? ""
                                         : branch->last ? "`-"
                                                        : "|-");
    int width = NAME_WIDTH - (int)strlen(left);

    (void)fprintf(tree->out, "%s%-*s", left, width > 0 ? width : 0, volume->name);
    if (!root && volume->parents[0] != branch->parent) {
        (void)fprintf(tree->out, " %-10s (above)\n", volume_kind_name(volume->kind));
        return;
    }
    facts(tree->out, tree->stack, volume);
    (void)fputc('\n', tree->out);
    push_children(tree, branch);
}

void text_tree(FILE *out, const struct stack *stack)
{
    struct tree tree = { .out = out, .stack = stack };

    for (size_t i = stack->n_volumes; i-- > 0;) {
        struct branch *branch;

        if (stack->volumes[i].n_parents > 0)
            continue;
        branch = mem_add(&tree.todo, &tree.n_todo, sizeof(*branch));
        *branch = (struct branch){ i, SIZE_MAX, mem_strdup(""), true };
    }
    while (tree.n_todo > 0) {
        struct branch next = tree.todo[--tree.n_todo];

        print_one(&tree, &next);
        free(next.indent);
    }
    free(tree.todo);
}
