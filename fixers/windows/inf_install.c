/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/inf_install.h"

#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"

#define PROBLEMS_MAX 16U
#define SERVICE_ASSOCIATED 0x2U /* SPSVCINST_ASSOCSERVICE */

void inf_complain(struct inf_reading *reading, const char *fmt, ...)
{
    va_list args;

    if (reading->driver->problems.n == PROBLEMS_MAX)
        return;
    va_start(args, fmt);
    strlist_take(&reading->driver->problems, mem_vprintf(fmt, args));
    va_end(args);
}

bool inf_room(struct inf_reading *reading)
{
    if (reading->n_items < INF_ITEMS_MAX) {
        reading->n_items++;
        return true;
    }
    inf_complain(reading, "it has more files, services and values than are looked at");
    return false;
}

/* "NAME.NTamd64.SUFFIX", else "NAME.NT.SUFFIX", else "NAME.SUFFIX": the first that is there. */
static const struct inf_section *choose(const struct inf_reading *reading, const char *name,
                                        const char *suffix)
{
    CLEANUP_FREE char *for_arch = mem_printf(".NT%s", win_arch_name(reading->target->arch));
    const char *const decorations[] = { for_arch, ".NT", "" };

    for (size_t i = 0; i < ARRAY_SIZE(decorations); i++) {
        CLEANUP_FREE char *full = mem_printf("%s%s%s", name, decorations[i], suffix);
        const struct inf_section *section = inf_section(reading->inf, full);

        if (section)
            return section;
    }
    return NULL;
}

/* ---- services ---- */

/* "%12%\viostor.sys" as the registry names it: relative to the folder of Windows. */
static char *image_path(const char *binary)
{
    char *end = NULL;
    unsigned long dirid = binary[0] == '%' ? strtoul(binary + 1, &end, 10) : 0;
    const char *folder = NULL;
    char *path;

    if (end && end > binary + 1 && *end == '%' && dirid <= UINT32_MAX)
        folder = inf_folder((uint32_t)dirid);
    if (!folder)
        return mem_strdup(binary);
    end += strspn(end + 1, "\\") + 1;
    path = mem_printf("%s%s%s", folder, *folder ? "\\" : "", end);
    for (char *c = path; *c; c++)
        if (*c == '/')
            *c = '\\';
    if (strncmp(path, "System32", strlen("System32")) == 0)
        path[0] = 's'; /* as Windows itself writes it */
    return path;
}

static uint32_t number_of(struct inf_reading *reading, const struct inf_section *section,
                          const char *key)
{
    const char *text = inf_value(section, key);
    uint32_t number = INF_NOT_SAID;

    if (*text && inf_number(text, &number) < 0)
        inf_complain(reading, "[%s] %s is no number: %s", section->name, key, text);
    return number;
}

static void read_service(struct inf_reading *reading, const struct inf_line *line,
                         struct inf_service *ret)
{
    const struct inf_section *section = inf_section(reading->inf, inf_field(line, 2));
    const char *name, *binary = inf_value(section, "ServiceBinary");
    const struct inf_line *needs;
    uint32_t flags = 0;
    size_t at = 0;

    if (*inf_field(line, 1) && inf_number(inf_field(line, 1), &flags) < 0)
        inf_complain(reading, "AddService: flags are no number: %s", inf_field(line, 1));
    ret->name = mem_strdup(inf_field(line, 0));
    ret->is_associated = (flags & SERVICE_ASSOCIATED) != 0;
    ret->display_name = mem_strdup(inf_value(section, "DisplayName"));
    ret->type = number_of(reading, section, "ServiceType");
    ret->start = number_of(reading, section, "StartType");
    ret->error_control = number_of(reading, section, "ErrorControl");
    ret->group = mem_strdup(inf_value(section, "LoadOrderGroup"));
    ret->image = image_path(binary);
    name = strrchr(binary, '\\');
    name = name ? name + 1 : binary;
    ret->binary = mem_strdup(inf_is_plain_name(name) ? name : "");
    needs = inf_next(section, "Dependencies", &at);
    for (size_t i = 0; needs && i < needs->fields.n && inf_room(reading); i++)
        strlist_add(&ret->dependencies, inf_field(needs, i));
    inf_regs_read(reading, section, &ret->regs);
}

static void read_services(struct inf_reading *reading, const struct inf_section *section,
                          struct inf_install *ret)
{
    const struct inf_line *line;

    for (size_t at = 0; (line = inf_next(section, "AddService", &at)) != NULL;) {
        if (!inf_room(reading))
            return;
        read_service(reading, line,
                     mem_add(&ret->services, &ret->n_services, sizeof(*ret->services)));
    }
}

/* ---- all of it ---- */

static void read_includes(struct inf_reading *reading, const struct inf_section *section,
                          struct inf_install *ret)
{
    const struct inf_line *line;

    for (size_t at = 0; (line = inf_next(section, "Include", &at)) != NULL;)
        for (size_t i = 0; i < line->fields.n && inf_room(reading); i++)
            strlist_add(&ret->includes, inf_field(line, i));
}

void inf_install_read(struct inf_reading *reading, const char *name, struct inf_install *ret)
{
    const struct inf_section *section = choose(reading, name, "");

    ret->name = mem_strdup(name);
    ret->section = mem_strdup(section ? section->name : "");
    read_includes(reading, section, ret);
    inf_files_read(reading, section, ret);
    inf_files_read(reading, choose(reading, name, ".CoInstallers"), ret);
    inf_regs_read(reading, section, &ret->regs);
    inf_regs_read(reading, choose(reading, name, ".HW"), &ret->hw_regs);
    read_services(reading, choose(reading, name, ".Services"), ret);
}

static void service_done(struct inf_service *service)
{
    free(service->name);
    free(service->display_name);
    free(service->group);
    free(service->image);
    free(service->binary);
    strlist_done(&service->dependencies);
    inf_regs_done(&service->regs);
}

static void file_done(struct inf_file *file)
{
    free(file->name);
    free(file->source);
    free(file->subdir);
    free(file->dest_subdir);
}

void inf_install_done(struct inf_install *install)
{
    for (size_t i = 0; i < install->n_services; i++)
        service_done(&install->services[i]);
    for (size_t i = 0; i < install->n_files; i++)
        file_done(&install->files[i]);
    free(install->services);
    free(install->files);
    free(install->name);
    free(install->section);
    strlist_done(&install->includes);
    inf_regs_done(&install->regs);
    inf_regs_done(&install->hw_regs);
}
