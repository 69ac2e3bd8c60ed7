/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names of disks in mdadm.conf(5): DEVICE says where members of arrays may be, devices= of an ARRAY
 * line which ones they are. A name that is not there any more hides the array.
 */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/devnames.h"
#include "fixers/linux/linux.h"

#define WORDS_MAX 64U   /* of one line */
#define WORDS_ALL 4096U /* of all lines that matter */

enum section { NOTHING, DEVICES, ARRAY };

/* A word of a DEVICE or ARRAY line or of one that continues it. */
struct word {
    struct span at;
    enum section section;
    size_t group; /* the same for all words of one such line */
};

struct words {
    struct word *items;
    size_t n;
};

/* Keywords may be cut down to three letters. */
static enum section section_of(const char *text, struct span word)
{
    static const struct {
        const char *keyword;
        enum section section;
    } sections[] = { { "device", DEVICES }, { "array", ARRAY } };

    for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
        if (word.len >= 3 && word.len <= strlen(sections[i].keyword) &&
            strncasecmp(text + word.start, sections[i].keyword, word.len) == 0)
            return sections[i].section;
    return NOTHING;
}

static void read_words(const char *text, struct words *ret)
{
    enum section section = NOTHING;
    size_t pos = 0, group = 0;
    struct span line;

    while (ret->n < WORDS_ALL && line_next(text, strlen(text), &pos, &line)) {
        struct span words[WORDS_MAX];
        size_t n = fields_split(text, &line, words, ARRAY_SIZE(words));
        bool goes_on = line.len > 0 && isblank((unsigned char)text[line.start]);
        size_t first = 0;

        if (n == 0)
            continue;
        if (!goes_on) {
            section = section_of(text, words[0]);
            group++;
            first = 1;
        }
        for (size_t i = first; section != NOTHING && i < n; i++)
            *(struct word *)mem_add(&ret->items, &ret->n, sizeof(*ret->items)) =
                (struct word){ words[i], section, group };
    }
}

/* The word with the blanks before it, or its line when it is alone there. */
static void remove_word(struct edits *edits, const char *text, struct span at)
{
    while (at.start > 0 && isblank((unsigned char)text[at.start - 1])) {
        at.start--;
        at.len++;
    }
    if ((at.start == 0 || text[at.start - 1] == '\n') && text[at.start + at.len] == '\n')
        at.len++;
    edits_add(edits, at, "");
}

static bool group_has(const char *text, const struct words *words, size_t group, const char *start)
{
    size_t len = strlen(start);

    for (size_t i = 0; i < words->n; i++)
        if (words->items[i].group == group && words->items[i].at.len >= len &&
            strncasecmp(text + words->items[i].at.start, start, len) == 0)
            return true;
    return false;
}

/* What is looked at, and what becomes of it. */
struct conf {
    const struct fix_context *ctx;
    struct plan *plan;
    const char *path, *text;
    struct words words;
    struct edits edits;
    size_t done; /* the last DEVICE line that was changed */
};

/* "partitions" stands for all that the kernel knows. */
static void fix_device(struct conf *conf, const struct word *word)
{
    CLEANUP_FREE char *name = span_dup(conf->text, word->at);

    if (!devname_pattern_changes(name) ||
        group_has(conf->text, &conf->words, word->group, "partitions"))
        return;
    if (conf->done == word->group)
        remove_word(&conf->edits, conf->text, word->at);
    else
        edits_add(&conf->edits, word->at, "partitions");
    conf->done = word->group;
}

static bool any_changes(const char *list)
{
    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (devname_pattern_changes(at))
            return true;
    }
    return false;
}

/* The array's device, the word of its line that is a path; NULL: not known. */
static const struct fact_device *find_array(const struct conf *conf, size_t group)
{
    for (size_t i = 0; i < conf->words.n; i++) {
        const struct word *word = &conf->words.items[i];
        CLEANUP_FREE char *name = NULL;

        if (word->group != group || conf->text[word->at.start] != '/')
            continue;
        name = span_dup(conf->text, word->at);
        return facts_resolve(conf->ctx->facts, name);
    }
    return NULL;
}

/* The array's UUID says the same without names. */
static void fix_members(struct conf *conf, const struct word *word)
{
    CLEANUP_FREE char *value = span_dup(conf->text, word->at);
    CLEANUP_FREE char *with = NULL;
    const struct fact_device *device;

    if (strncasecmp(value, "devices=", 8) != 0 || !any_changes(value + 8))
        return;
    if (group_has(conf->text, &conf->words, word->group, "uuid=")) {
        remove_word(&conf->edits, conf->text, word->at);
        return;
    }
    device = find_array(conf, word->group);
    if (!device || device->array_uuid[0] == '\0') {
        plan_note(conf->plan,
                  "%s: %s names disks whose names change, and the array is not known; it stays as "
                  "it is: write UUID= there by hand",
                  conf->path, value);
        return;
    }
    with = mem_printf("UUID=%s", device->array_uuid);
    edits_add(&conf->edits, word->at, with);
}

char *mdadm_conf_by_uuid(const struct fix_context *ctx, struct plan *plan, const char *path,
                         const char *text)
{
    struct conf conf = { .ctx = ctx, .plan = plan, .path = path, .text = text };
    char *fixed;

    read_words(text, &conf.words);
    for (size_t i = 0; i < conf.words.n; i++)
        if (conf.words.items[i].section == DEVICES)
            fix_device(&conf, &conf.words.items[i]);
        else
            fix_members(&conf, &conf.words.items[i]);
    fixed = edits_apply(&conf.edits, text, strlen(text), NULL);
    free(conf.words.items);
    edits_done(&conf.edits);
    return fixed;
}
