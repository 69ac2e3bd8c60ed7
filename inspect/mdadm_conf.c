/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/mdadm_conf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/mem.h"
#include "engine/base/strbuf.h"

#define WORDS_MAX 64U /* of one line */
#define UUID_DIGITS 32U

char *mdadm_uuid_digits(const char *uuid)
{
    struct strbuf out = { 0 };

    for (const char *c = uuid; *c && out.len < UUID_DIGITS; c++)
        if (isxdigit((unsigned char)*c))
            strbuf_putc(&out, (char)tolower((unsigned char)*c));
    return strbuf_take(&out);
}

/* "md0" and "/dev/md0"; "root" and "/dev/md/root". */
static char *device_path(const char *word)
{
    const char *digits;

    if (word[0] == '/')
        return mem_strdup(word);
    digits = strncmp(word, "md", 2) == 0 ? word + 2 : "";
    if (*digits && digits[strspn(digits, "0123456789")] == '\0')
        return mem_printf("/dev/%s", word);
    return mem_printf("/dev/md/%s", word);
}

static void set(char **field, char *value)
{
    free(*field);
    *field = value;
}

/* A word of an ARRAY line: the device is the one without "=". */
static void add_word(struct mdadm_array *array, const char *word)
{
    const char *value = strchr(word, '=');

    if (!value && word[0] != '<' && array->device[0] == '\0')
        set(&array->device, device_path(word));
    else if (strncasecmp(word, "uuid=", 5) == 0)
        set(&array->uuid, mdadm_uuid_digits(word + 5));
    else if (strncasecmp(word, "name=", 5) == 0)
        set(&array->name, mem_strdup(word + 5));
}

/* Words may be quoted, wholly or in part (name="my array"). */
static char *word_text(const char *text, struct span span)
{
    struct strbuf out = { 0 };

    for (size_t i = 0; i < span.len; i++)
        if (text[span.start + i] != '"' && text[span.start + i] != '\'')
            strbuf_putc(&out, text[span.start + i]);
    return strbuf_take(&out);
}

static bool is_array_keyword(const char *word)
{
    size_t len = strlen(word); /* keywords may be cut down to three letters */

    return len >= 3 && len <= 5 && strncasecmp(word, "array", len) == 0;
}

static void add_line(const char *text, const struct span *line, struct mdadm_conf *conf,
                     struct mdadm_array **current)
{
    struct span words[WORDS_MAX];
    size_t n = fields_split(text, line, words, WORDS_MAX);
    bool goes_on = line->len > 0 && isblank((unsigned char)text[line->start]);

    if (!goes_on && n > 0)
        *current = NULL;
    for (size_t i = 0; i < n; i++) {
        char *word = word_text(text, words[i]);

        if (i == 0 && !goes_on && is_array_keyword(word)) {
            *current = mem_add(&conf->arrays, &conf->n, sizeof(**current));
            (*current)->device = mem_strdup("");
            (*current)->uuid = mem_strdup("");
            (*current)->name = mem_strdup("");
        } else if (*current) {
            add_word(*current, word);
        }
        free(word);
    }
}

void mdadm_conf_parse(const char *text, size_t len, struct mdadm_conf *ret)
{
    struct mdadm_array *current = NULL;
    struct span line;
    size_t pos = 0;

    *ret = (struct mdadm_conf){ 0 };
    while (ret->n < FIELDS_MAX_LINES && line_next(text, len, &pos, &line))
        add_line(text, &line, ret, &current);
}

void mdadm_conf_done(struct mdadm_conf *conf)
{
    for (size_t i = 0; i < conf->n; i++) {
        free(conf->arrays[i].device);
        free(conf->arrays[i].uuid);
        free(conf->arrays[i].name);
    }
    free(conf->arrays);
    *conf = (struct mdadm_conf){ 0 };
}
