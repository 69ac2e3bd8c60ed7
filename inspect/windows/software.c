/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is installed: tools of hypervisors, virus scanners, programs; and policies of a domain. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/windows/windows.h"

#define DISABLED 4U /* Start */
#define CURRENT "Microsoft\\Windows\\CurrentVersion"

/* ---- services ---- */

/* By one of them a thing is known; what Windows brings itself is none. */
static const struct mark {
    const char *service, *name;
} tools[] = {
    { "VMTools", "vmware" },      { "vmmemctl", "vmware" },     { "vm3dmp", "vmware" },
    { "vmci", "vmware" },         { "xenbus", "xen" },          { "xenfilt", "xen" },
    { "xenvbd", "xen" },          { "rhelscsi", "xen" },        { "prl_strg", "parallels" },
    { "prl_boot", "parallels" },  { "prl_tg", "parallels" },    { "VBoxGuest", "virtualbox" },
    { "VBoxService", "virtualbox" },
}, scanners[] = {
    { "mfehidk", "McAfee" },          { "SymEFASI", "Symantec" },
    { "SepMasterService", "Symantec" }, { "klif", "Kaspersky" },
    { "aswSP", "Avast" },             { "avgSP", "AVG" },
    { "trufos", "Bitdefender" },      { "gzflt", "Bitdefender" },
    { "CSAgent", "CrowdStrike" },     { "SentinelMonitor", "SentinelOne" },
    { "eamonm", "ESET" },             { "SophosED", "Sophos" },
    { "savonaccess", "Sophos" },      { "TmPreFilter", "Trend Micro" },
    { "tmcomm", "Trend Micro" },      { "cyvrmtgn", "Cortex XDR" },
    { "PSINProt", "Panda" },          { "WRkrn", "Webroot" },
};

/* Is it there, and does something start it? */
static bool has_service(struct win_reader *reader, const char *service)
{
    CLEANUP_FREE char *key = win_key(reader, "Services\\%s", service);
    uint32_t start = DISABLED;

    return win_u32(reader->system, key, "Start", &start) && start != DISABLED;
}

static void find_marks(struct win_reader *reader, const struct mark *marks, size_t n,
                       struct strlist *ret)
{
    for (size_t i = 0; i < n; i++)
        if (!strlist_has(ret, marks[i].name) && has_service(reader, marks[i].service))
            strlist_add(ret, marks[i].name);
}

/* ---- Hyper-V: its drivers are in every Windows ---- */

/* What the machine called itself when Windows ran last (from Vista on). */
static void find_hyperv(struct win_reader *reader)
{
    CLEANUP_FREE char *key = win_key(reader, "Control\\SystemInformation");
    CLEANUP_FREE char *maker = win_text(reader->system, key, "SystemManufacturer");
    CLEANUP_FREE char *model = win_text(reader->system, key, "SystemProductName");

    if (maker && model && strcasecmp(maker, "Microsoft Corporation") == 0 &&
        strcasecmp(model, "Virtual Machine") == 0)
        strlist_add(&reader->windows->tools, "hyperv");
}

/* ---- policies ---- */

/* History of the policies that were applied: by extension, then by number; local ones have a name
 * of their own. */
static bool has_policy_of_domain(struct win_reader *reader, const char *key)
{
    CLEANUP_STRLIST struct strlist numbers = { 0 };

    win_keys(reader->software, key, &numbers);
    for (size_t i = 0; i < numbers.n; i++) {
        CLEANUP_FREE char *one = mem_printf("%s\\%s", key, numbers.items[i]);
        CLEANUP_FREE char *name = win_text(reader->software, one, "GPOName");

        if (name && strcasecmp(name, "Local Group Policy") != 0)
            return true;
    }
    return false;
}

static void find_policies(struct win_reader *reader)
{
    static const char history[] = CURRENT "\\Group Policy\\History";
    CLEANUP_FREE char *domain = win_text(reader->software, history, "MachineDomain");
    CLEANUP_STRLIST struct strlist extensions = { 0 };

    if (domain && *domain)
        facts_set(&reader->windows->domain, domain);
    win_keys(reader->software, history, &extensions);
    for (size_t i = 0; i < extensions.n && !reader->windows->group_policies; i++) {
        CLEANUP_FREE char *key = mem_printf("%s\\%s", history, extensions.items[i]);

        reader->windows->group_policies = has_policy_of_domain(reader, key);
    }
}

void windows_software(struct win_reader *reader)
{
    CLEANUP_STRLIST struct strlist found = { 0 };

    find_marks(reader, tools, ARRAY_SIZE(tools), &reader->windows->tools);
    find_hyperv(reader);
    find_marks(reader, scanners, ARRAY_SIZE(scanners), &found);
    if (found.n > 0)
        facts_set(&reader->windows->antivirus, found.items[0]);
    find_policies(reader);
}

/* ---- programs ---- */

static void add_package(struct win_reader *reader, const char *key, const char *arch)
{
    CLEANUP_FREE char *name = win_text(reader->software, key, "DisplayName");
    CLEANUP_FREE char *version = win_text(reader->software, key, "DisplayVersion");
    struct fact_package *package;

    if (!name || !*name)
        return; /* an update, or a part of another one */
    package = facts_add_package(reader->facts);
    facts_set(&package->name, name);
    facts_set(&package->version, version);
    facts_set(&package->arch, arch);
}

/* Both views: the second one is that of programs for 32 bits on a system for 64. */
void windows_packages(struct win_reader *reader)
{
    const struct {
        const char *key, *arch;
    } views[] = {
        { CURRENT "\\Uninstall", reader->facts->arch },
        { "WOW6432Node\\" CURRENT "\\Uninstall", "i386" },
    };

    for (size_t v = 0; v < ARRAY_SIZE(views); v++) {
        CLEANUP_STRLIST struct strlist names = { 0 };

        win_keys(reader->software, views[v].key, &names);
        for (size_t i = 0; i < names.n; i++) {
            CLEANUP_FREE char *key = mem_printf("%s\\%s", views[v].key, names.items[i]);

            add_package(reader, key, views[v].arch);
        }
    }
}
