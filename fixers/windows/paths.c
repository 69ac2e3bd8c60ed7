/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/paths.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/windows/facts.h"

/* What stands behind @prefix in @text, without case; NULL: something else does. */
static const char *behind(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);

    return strncasecmp(text, prefix, len) == 0 ? text + len : NULL;
}

static char *join(const char *folder, const char *rest)
{
    char *path = mem_printf("%s/%s", folder, rest);

    for (char *at = path; *at; at++)
        if (*at == '\\')
            *at = '/';
    return path;
}

/* Is it the letter of the volume that Windows lies on? */
static bool is_own_drive(const struct facts *facts, char letter)
{
    const struct fact_windows *windows = facts->windows;

    for (size_t i = 0; i < windows->n_drives; i++)
        if (toupper((unsigned char)windows->drives[i].letter[0]) == toupper((unsigned char)letter))
            return strcmp(windows->drives[i].device, facts->root) == 0;
    return false;
}

char *win_image_path(const struct facts *facts, const char *image, const char *name)
{
    static const char *const of_windows[] = { "\\SystemRoot\\", "%SystemRoot%\\" };
    CLEANUP_FREE char *usual = mem_printf("System32\\drivers\\%s.sys", name);
    const char *rest = image && *image ? image : usual;

    for (size_t i = 0; i < ARRAY_SIZE(of_windows); i++)
        if (behind(rest, of_windows[i]))
            return join(facts->windows->system_root, behind(rest, of_windows[i]));
    if (behind(rest, "\\??\\"))
        rest = behind(rest, "\\??\\");
    if (isalpha((unsigned char)rest[0]) && rest[1] == ':' && rest[2] == '\\')
        return is_own_drive(facts, rest[0]) ? join("", rest + 3) : NULL;
    if (strchr(rest, '%') || strchr(rest, ':') || rest[0] == '\\')
        return NULL;
    return join(facts->windows->system_root, rest);
}
