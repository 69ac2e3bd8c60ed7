/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CopyFiles: which files of a package go where. */
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/windows/inf_install.h"

#define NAME_LEN_MAX 255U

/* Microsoft, "Using Dirids". */
static const struct {
    uint32_t dirid;
    const char *folder;
} folders[] = {
    { 10, "" },
    { 11, "System32" },
    { 12, "System32/drivers" },
    { 13, "System32/drivers" },
    { 17, "INF" },
    { 18, "Help" },
    { 20, "Fonts" },
    { 50, "system" },
    { 16425, "SysWOW64" },
};

const char *inf_folder(uint32_t dirid)
{
    for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
        if (folders[i].dirid == dirid)
            return folders[i].folder;
    return NULL;
}

bool inf_is_plain_name(const char *name)
{
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strlen(name) > NAME_LEN_MAX)
        return false;
    for (const char *c = name; *c; c++)
        if ((unsigned char)*c < ' ' || strchr("\\/:*?\"<>|", *c))
            return false;
    return true;
}

/* Add the folder @text ("\a\b\") to @path with slashes. false: it is none, or leads upwards. */
static bool add_folder(char **path, const char *text)
{
    CLEANUP_FREE char *copy = mem_strdup(text);
    char *rest = copy;

    while (rest) {
        const char *part = strsep(&rest, "\\/");
        char *longer;

        if (!*part || strcmp(part, ".") == 0)
            continue;
        if (!inf_is_plain_name(part))
            return false;
        longer = mem_printf("%s%s%s", *path, **path ? "/" : "", part);
        free(*path);
        *path = longer;
    }
    return true;
}

/* The line of [SECTION.arch], else of [SECTION]. */
static const struct inf_line *find_line(const struct inf_reading *reading, const char *section,
                                        const char *key)
{
    const char *arch = win_arch_name(reading->target->arch);
    CLEANUP_FREE char *for_arch = mem_printf("%s.%s", section, arch);
    size_t at = 0;
    const struct inf_line *line = inf_next(inf_section(reading->inf, for_arch), key, &at);

    at = 0;
    return line ? line : inf_next(inf_section(reading->inf, section), key, &at);
}

/* Where a file lies in the package: the folder of its disk, and its own below that. */
static bool find_source(const struct inf_reading *reading, const char *source, char **ret)
{
    const struct inf_line *file = find_line(reading, "SourceDisksFiles", source);
    const struct inf_line *disk = NULL;

    *ret = mem_strdup("");
    if (*inf_field(file, 0))
        disk = find_line(reading, "SourceDisksNames", inf_field(file, 0));
    return add_folder(ret, inf_field(disk, 3)) && add_folder(ret, inf_field(file, 1));
}

/* Where files of the section @list (NULL: of none) go. */
static bool find_destination(const struct inf_reading *reading, const char *list, uint32_t *ret,
                             char **ret_subdir)
{
    const struct inf_section *section = inf_section(reading->inf, "DestinationDirs");
    const struct inf_line *line = NULL;
    size_t at = 0;

    if (list)
        line = inf_next(section, list, &at);
    at = 0;
    if (!line)
        line = inf_next(section, "DefaultDestDir", &at);
    *ret = INF_NOT_SAID;
    (void)inf_number(inf_field(line, 0), ret);
    *ret_subdir = mem_strdup("");
    return add_folder(ret_subdir, inf_field(line, 1));
}

/* @list: the section that names it; NULL when none does. */
static void add_file(struct inf_reading *reading, const char *list, const char *name,
                     const char *source, struct inf_install *install)
{
    CLEANUP_FREE char *subdir = NULL, *dest_subdir = NULL;
    struct inf_file *file;
    uint32_t dirid;
    bool fine = inf_is_plain_name(name) && inf_is_plain_name(source);

    if (!inf_room(reading))
        return;
    fine = fine && find_source(reading, source, &subdir);
    fine = fine && find_destination(reading, list, &dirid, &dest_subdir);
    if (!fine) {
        inf_complain(reading, "a file is left out, its name or folder is odd: %.64s", name);
        return;
    }
    file = mem_add(&install->files, &install->n_files, sizeof(*install->files));
    file->name = mem_strdup(name);
    file->source = mem_strdup(source);
    file->subdir = TAKE(subdir);
    file->dirid = dirid;
    file->dest_subdir = TAKE(dest_subdir);
}

/* A file list: lines "name[,source[,temporary[,flags]]]". */
static void read_list(struct inf_reading *reading, const char *name, struct inf_install *install)
{
    const struct inf_section *list = inf_section(reading->inf, name);

    if (!list)
        inf_complain(reading, "there is no section [%.64s] of files", name);
    for (size_t i = 0; list && i < list->n_lines; i++) {
        const char *target = inf_field(&list->lines[i], 0), *source = inf_field(&list->lines[i], 1);

        add_file(reading, list->name, target, *source ? source : target, install);
    }
}

void inf_files_read(struct inf_reading *reading, const struct inf_section *section,
                    struct inf_install *ret)
{
    const struct inf_line *line;

    for (size_t at = 0; (line = inf_next(section, "CopyFiles", &at)) != NULL;)
        for (size_t i = 0; i < line->fields.n && inf_room(reading); i++) {
            const char *what = inf_field(line, i);

            if (*what == '@')
                add_file(reading, NULL, what + 1, what + 1, ret);
            else if (*what)
                read_list(reading, what, ret);
        }
}
