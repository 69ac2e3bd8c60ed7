/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/target.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/plan_hive.h"

#define PACKAGES "Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages"
#define FIRST_ROLLUP 24494U /* of NT 6.1 whose loader knows SHA-2: build 7601.24494 */

/* Is it a package that brings SHA-2 to the loader? (KB4474419, before it KB3033929; each rollup
 * since has it) */
static bool brings_sha2(const char *package)
{
    static const char *const updates[] = { "Package_for_KB4474419", "Package_for_KB3033929" };
    static const char rollup[] = "Package_for_RollupFix~", build[] = "~7601.";
    const char *version = strrchr(package, '~');

    for (size_t i = 0; i < ARRAY_SIZE(updates); i++)
        if (strncasecmp(package, updates[i], strlen(updates[i])) == 0)
            return true;
    return strncasecmp(package, rollup, strlen(rollup)) == 0 && version &&
           strncmp(version, build, strlen(build)) == 0 &&
           strtoul(version + strlen(build), NULL, 10) >= FIRST_ROLLUP;
}

static bool has_sha2(struct plan *plan, const struct fact_windows *windows)
{
    struct strlist packages = { 0 };
    struct err err = ERR_NONE;
    bool found = false;

    if (windows_is_at_least(windows, 6, 2))
        return true;
    if (plan_hive_keys(plan, windows->software_hive, PACKAGES, &packages, &err) < 0)
        err_clear(&err); /* then it is not known to be there */
    for (size_t i = 0; i < packages.n && !found; i++)
        found = brings_sha2(packages.items[i]);
    strlist_done(&packages);
    return found;
}

bool windows_target(struct plan *plan, const struct facts *facts, struct win_target *ret)
{
    static const struct {
        const char *name;
        enum win_arch arch;
    } archs[] = {
        { "i386", WIN_X86 },     { "i686", WIN_X86 },    { "x86", WIN_X86 },
        { "x86_64", WIN_AMD64 }, { "amd64", WIN_AMD64 }, { "aarch64", WIN_ARM64 },
        { "arm64", WIN_ARM64 },
    };
    const struct fact_windows *windows = facts->windows;

    for (size_t i = 0; i < ARRAY_SIZE(archs); i++) {
        if (strcmp(facts->arch, archs[i].name) != 0)
            continue;
        *ret = (struct win_target){ .major = windows->nt_major,
                                    .minor = windows->nt_minor,
                                    .build = windows->build,
                                    .arch = archs[i].arch,
                                    .is_server = windows->is_server,
                                    .has_sha2 = has_sha2(plan, windows) };
        return true;
    }
    return false;
}

bool windows_is_at_least(const struct fact_windows *windows, uint32_t major, uint32_t minor)
{
    return windows->nt_major > major || (windows->nt_major == major && windows->nt_minor >= minor);
}

char *windows_service_key(const char *control_set, const char *service)
{
    return mem_printf("%s\\Services\\%s", control_set, service);
}

char *windows_path(const struct fact_windows *windows, const char *below)
{
    return mem_printf("%s/%s", windows->system_root, below);
}
