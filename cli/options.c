/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/option_rows.h"
#include "engine/base/cleanup.h"
#include "engine/base/mem.h"

static const struct option_row *find_row(const char *name, size_t len)
{
    for (size_t i = 0; i < n_option_rows; i++)
        if (strlen(option_rows[i].name) == len && strncmp(option_rows[i].name, name, len) == 0)
            return &option_rows[i];
    return NULL;
}

static const struct option_row *find_letter(char letter)
{
    for (size_t i = 0; i < n_option_rows; i++)
        if (option_rows[i].letter && option_rows[i].letter == letter)
            return &option_rows[i];
    return NULL;
}

static int use_row(struct parser *parser, const struct option_row *row, const char *value,
                   struct err *err)
{
    for (unsigned bit = 0; bit < ARRAY_SIZE(parser->last_of_group); bit++)
        if (row->group == 1U << bit)
            parser->last_of_group[bit] = row->name;
    parser->used |= row->group;
    parser->row = row;
    return row->set(parser, value, err);
}

/* "--name", "--name=value" or "--name value"; advances *@at past a separate value. */
static int parse_long(struct parser *parser, char **argv, int argc, int *at, struct err *err)
{
    const char *name = argv[*at] + 2;
    const char *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    const struct option_row *row = find_row(name, len);

    if (!row) /* what follows may be a secret */
        return err_status(err, STATUS_USAGE, "unknown option --%.*s; see h2k --help", (int)len,
                          name);
    if (!row->arg && equals)
        return err_status(err, STATUS_USAGE, "--%s takes no value", row->name);
    if (!row->arg || equals)
        return use_row(parser, row, equals ? equals + 1 : NULL, err);
    if (*at + 1 >= argc)
        return err_status(err, STATUS_USAGE, "--%s needs a value: %s", row->name, row->arg);
    return use_row(parser, row, argv[++*at], err);
}

/* "-qv", "-oFILE" or "-o FILE". */
static int parse_short(struct parser *parser, char **argv, int argc, int *at, struct err *err)
{
    for (const char *c = argv[*at] + 1; *c; c++) {
        const struct option_row *row = find_letter(*c);
        int r;

        if (!row)
            return err_status(err, STATUS_USAGE, "unknown option -%c; see h2k --help", *c);
        if (row->arg && c[1])
            return use_row(parser, row, c + 1, err);
        if (row->arg && *at + 1 >= argc)
            return err_status(err, STATUS_USAGE, "-%c needs a value: %s", *c, row->arg);
        if (row->arg)
            return use_row(parser, row, argv[++*at], err);
        r = use_row(parser, row, NULL, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int parse_word(struct parser *parser, const char *word, struct err *err)
{
    struct options *options = parser->options;
    struct job_source *arg;

    if (!options->command && !options->help && strcmp(word, "help") == 0) {
        options->help = true;
        return 0;
    }
    if (!options->command) {
        options->command = command_find(word);
        if (!options->command)
            return err_status(err, STATUS_USAGE, "there is no command %s; see h2k --help", word);
        return 0;
    }
    arg = mem_add(&options->args, &options->n_args, sizeof(*arg));
    arg->path = mem_strdup(word);
    arg->format = mem_strdup(parser->format);
    return 0;
}

static void add_source(struct job_opts *job, const struct job_source *from)
{
    struct job_source *source = mem_add(&job->sources, &job->n_sources, sizeof(*source));

    source->path = mem_strdup(from->path);
    source->format = mem_strdup(from->format);
}

/* What fits together can be said only when the whole line is known. */
static int check(struct parser *parser, struct err *err)
{
    struct options *options = parser->options;
    const struct command *command = options->command;
    unsigned foreign;
    size_t n_guests = options->n_args + (options->n_args == 0 && parser->n_added > 0);

    if (options->help || options->version)
        return 0;
    if (!command)
        return err_status(err, STATUS_USAGE, "no command given; see h2k --help");
    foreign = parser->used & ~(command->options | OPT_COMMON);
    for (unsigned bit = 0; bit < ARRAY_SIZE(parser->last_of_group); bit++)
        if (foreign & (1U << bit))
            return err_status(err, STATUS_USAGE, "%s does not take --%s", command->name,
                              parser->last_of_group[bit]);
    if (n_guests < command->min_args || n_guests > command->max_args)
        return err_status(err, STATUS_USAGE, "usage: h2k %s [OPTIONS] %s", command->name,
                          command->args);
    if (parser->n_added && options->n_args > 1)
        return err_status(err, STATUS_USAGE,
                          "-a adds a disk to one guest, but %zu guests are named", options->n_args);
    if (options->job.output && options->job.output_dir)
        return err_status(err, STATUS_USAGE, "give either -o or --output-dir");
    if (options->n_args > 0)
        add_source(&options->job, &options->args[0]);
    for (size_t i = 0; i < parser->n_added; i++)
        add_source(&options->job, &parser->added[i]);
    return 0;
}

static void sources_done(struct job_source *sources, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(sources[i].path);
        free(sources[i].format);
    }
    free(sources);
}

int options_parse(int argc, char **argv, struct options *ret, struct err *err)
{
    struct parser parser = { .options = ret };
    bool only_words = false;
    int r = 0;

    *ret = (struct options){ .progress_fd = -1 };
    for (int i = 1; i < argc && r == 0; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0)
            only_words = true;
        else if (!only_words && strncmp(argv[i], "--", 2) == 0)
            r = parse_long(&parser, argv, argc, &i, err);
        else if (!only_words && argv[i][0] == '-' && argv[i][1])
            r = parse_short(&parser, argv, argc, &i, err);
        else
            r = parse_word(&parser, argv[i], err);
        if (parser.has_secret) /* ps(1) shows it no longer */
            explicit_bzero(argv[i], strlen(argv[i]));
        parser.has_secret = false;
    }
    if (r == 0)
        r = check(&parser, err);
    sources_done(parser.added, parser.n_added);
    return r;
}

void options_done(struct options *options)
{
    struct job_opts *job = &options->job;

    sources_done(options->args, options->n_args);
    sources_done(job->sources, job->n_sources);
    keys_done(&job->keys);
    strlist_done(&job->image.allow_dirs);
    strlist_done(&job->fix.only);
    strlist_done(&job->fix.skip);
    for (size_t i = 0; i < job->fix.n_nics; i++) {
        free(job->fix.nics[i].name);
        free(job->fix.nics[i].mac);
    }
    free(job->fix.nics);
    injections_done(&job->fix.inject);
    for (size_t i = 0; i < options->inject_values.n; i++) /* a password may be among them */
        explicit_bzero(options->inject_values.items[i], strlen(options->inject_values.items[i]));
    strlist_done(&options->inject_names);
    strlist_done(&options->inject_values);
    *options = (struct options){ .progress_fd = -1 };
}

int options_read_keys(struct options *options, struct err *err)
{
    int r = keys_load(&options->job.keys, err);

    if (r == 0 && options->keys_from_stdin)
        r = keys_add_lines(&options->job.keys, STDIN_FILENO, err);
    if (options->job.keys.n > 0) /* what a core would hold */
        (void)prctl(PR_SET_DUMPABLE, 0);
    return r;
}

/* The file first: options win over it, or add to it. */
int options_read_injections(struct options *options, struct err *err)
{
    struct injections *inject = &options->job.fix.inject;
    int r = options->config ? injections_config(inject, options->config, err) : 0;

    for (size_t i = 0; r == 0 && i < options->inject_names.n; i++)
        r = injections_option(inject, options->inject_names.items[i],
                              options->inject_values.items[i], err);
    if (injections_have_passwords(inject))
        (void)prctl(PR_SET_DUMPABLE, 0);
    return r;
}

static void print_row(FILE *out, const struct option_row *row)
{
    char left[64];

    (void)snprintf(left, sizeof(left), "%s%c%s--%s%s%s", row->letter ? "-" : "",
                   row->letter ? row->letter : ' ', row->letter ? ", " : "   ", row->name,
                   row->arg ? " " : "", row->arg ? row->arg : "");
    (void)fprintf(out, "  %-28s %s\n", left, row->help);
}

void options_print_help(FILE *out, const struct command *command)
{
    unsigned groups = OPT_COMMON | (command ? command->options : 0);

    if (command) {
        (void)fprintf(out, "Usage: h2k %s [OPTIONS] %s\n\n%s\n", command->name, command->args,
                      command->summary);
        if (command->help)
            (void)fprintf(out, "\n%s\n", command->help);
    } else {
        (void)fprintf(out, "Usage: h2k [OPTIONS] COMMAND [OPTIONS] [GUEST...]\n\n"
                           "Move virtual machines to KVM: inspect, repair and convert disk "
                           "images.\n\nCommands:\n");
        for (size_t i = 0; i < n_commands; i++)
            (void)fprintf(out, "  %-14s %s\n", commands[i]->name, commands[i]->summary);
    }
    (void)fprintf(out, "\nOptions:\n");
    for (size_t i = 0; i < n_option_rows; i++)
        if (option_rows[i].group & groups)
            print_row(out, &option_rows[i]);
    if (!command)
        (void)fprintf(out, "\n`h2k COMMAND --help` tells the options of a command; h2k(8) all.\n");
}
