/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/uki.h"

#include <string.h>

#include "engine/base/cleanup.h"
#include "inspect/pe.h"

size_t uki_find_cmdlines(const uint8_t *head, size_t len, struct uki_section *ret, size_t max)
{
    CLEANUP_FREE struct pe *pe = mem_alloc(sizeof(*pe));
    size_t n = 0;

    if (!pe_parse(head, len, pe))
        return 0;
    for (size_t i = 0; i < pe->n_sections && n < max; i++)
        if (strcmp(pe->sections[i].name, ".cmdline") == 0)
            ret[n++] = (struct uki_section){ pe->sections[i].offset, pe->sections[i].size };
    return n;
}

/* As text: up to a zero byte. */
static int read_section(const struct guest_root *root, const char *path,
                        const struct uki_section *section, struct strlist *ret, struct err *err)
{
    size_t size = section->size < UKI_CMDLINE_MAX ? section->size : UKI_CMDLINE_MAX;
    CLEANUP_FREE char *text = mem_alloc(size + 1);
    ssize_t n = guest_pread(root, path, text, size, section->offset, err);

    if (n < 0)
        return (int)n;
    strlist_take(ret, mem_strndup(text, (size_t)n));
    return 0;
}

int uki_read_cmdlines(const struct guest_root *root, const char *path, struct strlist *ret,
                      struct err *err)
{
    CLEANUP_FREE uint8_t *head = mem_alloc(PE_HEAD_MAX);
    struct uki_section sections[UKI_CMDLINES_MAX];
    ssize_t len = guest_pread(root, path, head, PE_HEAD_MAX, 0, err);
    size_t n;

    if (len < 0)
        return (int)len;
    n = uki_find_cmdlines(head, (size_t)len, sections, ARRAY_SIZE(sections));
    for (size_t i = 0; i < n; i++)
        if (read_section(root, path, &sections[i], ret, err) < 0)
            return -err->code;
    return 0;
}

bool uki_find(const struct guest_root *root, const char *path, const char *name,
              struct uki_section *ret)
{
    CLEANUP_FREE uint8_t *head = mem_alloc(PE_HEAD_MAX);
    CLEANUP_FREE struct pe *pe = mem_alloc(sizeof(*pe));
    struct err err = ERR_NONE;
    ssize_t len = guest_pread(root, path, head, PE_HEAD_MAX, 0, &err);

    if (len < 0 || !pe_parse(head, (size_t)len, pe))
        return false;
    for (size_t i = 0; i < pe->n_sections; i++)
        if (strcmp(pe->sections[i].name, name) == 0) {
            *ret = (struct uki_section){ pe->sections[i].offset, pe->sections[i].size };
            return true;
        }
    return false;
}

char *uki_version(const struct guest_root *root, const char *path)
{
    CLEANUP_STRLIST struct strlist texts = { 0 };
    struct uki_section section;
    struct err err = ERR_NONE;
    char *version;

    if (!uki_find(root, path, ".uname", &section) ||
        read_section(root, path, &section, &texts, &err) < 0)
        return NULL;
    version = texts.items[0];
    version[strcspn(version, " \t\r\n/")] = '\0';
    return *version ? mem_strdup(version) : NULL;
}
