/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which Windows it is, and what its machine is called. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "inspect/pe.h"
#include "inspect/windows/windows.h"

#define VERSION_KEY "Microsoft\\Windows NT\\CurrentVersion"
#define CONTROL_SET_MAX 999U

/* Take the text of a value for a string of facts, unless it is not there. */
static void take(char **field, char *text)
{
    if (!text)
        return;
    free(*field);
    *field = text;
}

/* ---- control sets ---- */

static void add_set(struct win_reader *reader, const char *which)
{
    struct fact_windows *windows = reader->windows;
    CLEANUP_FREE char *name = NULL;
    uint32_t number;

    if (!win_u32(reader->system, "Select", which, &number))
        return;
    name = mem_printf("ControlSet%03u", number);
    if (number < 1 || number > CONTROL_SET_MAX || !win_has_key(reader->system, name))
        strlist_take(&windows->notes, mem_printf("Select\\%s names control set %u, which is "
                                                 "not there",
                                                 which, number));
    else if (!strlist_has(&windows->control_sets, name))
        strlist_add(&windows->control_sets, name);
}

/* The boot loader takes Default; the one that was used last is Current. */
void windows_control_sets(struct win_reader *reader)
{
    struct fact_windows *windows = reader->windows;
    CLEANUP_STRLIST struct strlist names = { 0 };
    uint32_t failed;

    add_set(reader, "Default");
    add_set(reader, "Current");
    if (win_u32(reader->system, "Select", "Failed", &failed) && failed != 0)
        strlist_take(&windows->notes,
                     mem_printf("Windows did not start with control set %u", failed));
    if (windows->control_sets.n > 0)
        return;
    win_keys(reader->system, "", &names);
    for (size_t i = 0; i < names.n && windows->control_sets.n == 0; i++)
        if (strncasecmp(names.items[i], "ControlSet0", 11) == 0)
            strlist_add(&windows->control_sets, names.items[i]);
}

/* ---- version ---- */

/* "6.1" */
static void parse_nt(const char *text, struct fact_windows *windows)
{
    const char *dot = strchr(text, '.');
    CLEANUP_FREE char *first = dot ? mem_strndup(text, (size_t)(dot - text)) : NULL;
    uint64_t major, minor;

    if (!dot || io_parse_u64(first, UINT8_MAX, &major) < 0 ||
        io_parse_u64(dot + 1, UINT8_MAX, &minor) < 0)
        return;
    windows->nt_major = (uint32_t)major;
    windows->nt_minor = (uint32_t)minor;
}

/* CurrentVersion stays "6.3" in all that came after Windows 8.1. */
static void read_nt(struct win_reader *reader)
{
    struct fact_windows *windows = reader->windows;
    CLEANUP_FREE char *version = win_text(reader->software, VERSION_KEY, "CurrentVersion");
    CLEANUP_FREE char *build = win_text(reader->software, VERSION_KEY, "CurrentBuildNumber");
    uint32_t major, minor;
    uint64_t number;

    if (version)
        parse_nt(version, windows);
    if (win_u32(reader->software, VERSION_KEY, "CurrentMajorVersionNumber", &major) &&
        win_u32(reader->software, VERSION_KEY, "CurrentMinorVersionNumber", &minor)) {
        windows->nt_major = major;
        windows->nt_minor = minor;
    }
    if (build && io_parse_u64(build, UINT32_MAX, &number) == 0)
        windows->build = (uint32_t)number;
    (void)win_u32(reader->software, VERSION_KEY, "UBR", &windows->ubr);
}

/* Windows 11 calls itself 10 in this value. */
static void read_product(struct win_reader *reader)
{
    struct facts *facts = reader->facts;
    CLEANUP_FREE char *name = win_text(reader->software, VERSION_KEY, "ProductName");
    char *ten = name ? strstr(name, "Windows 10") : NULL;

    if (ten && reader->windows->build >= 22000 && !reader->windows->is_server)
        ten[9] = '1';
    facts_set(&facts->product_name, name && *name ? name : "Windows");
}

static void read_texts(struct win_reader *reader)
{
    struct fact_windows *windows = reader->windows;
    const struct {
        char **field;
        const char *name;
    } texts[] = {
        { &windows->edition, "EditionID" },
        { &windows->install_type, "InstallationType" },
        { &windows->service_pack, "CSDVersion" },
        { &windows->display_version, "ReleaseId" },
        { &windows->display_version, "DisplayVersion" }, /* from 20H2 on the other one is stuck */
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        take(texts[i].field, win_text(reader->software, VERSION_KEY, texts[i].name));
}

static void read_kind(struct win_reader *reader)
{
    struct fact_windows *windows = reader->windows;
    CLEANUP_FREE char *key = win_key(reader, "Control\\ProductOptions");
    CLEANUP_FREE char *type = win_text(reader->system, key, "ProductType");

    windows->is_server = type ? strcasecmp(type, "WinNT") != 0
                              : strncasecmp(windows->install_type, "Server", strlen("Server")) == 0;
    windows->is_domain_controller = type && strcasecmp(type, "LanmanNT") == 0;
}

static void set_version(struct win_reader *reader)
{
    const struct fact_windows *windows = reader->windows;
    struct facts *facts = reader->facts;

    facts->version_major = (int)windows->nt_major;
    facts->version_minor = (int)windows->nt_minor;
    free(facts->version_text);
    facts->version_text =
        windows->nt_major == 0 ? mem_strdup("")
        : windows->ubr > 0
            ? mem_printf("%u.%u.%u.%u", windows->nt_major, windows->nt_minor, windows->build,
                         windows->ubr)
            : mem_printf("%u.%u.%u", windows->nt_major, windows->nt_minor, windows->build);
}

/* ---- processor ---- */

static const struct {
    const char *name; /* PROCESSOR_ARCHITECTURE */
    uint32_t machine; /* of programs; 0: pe.h has none */
    const char *arch;
} archs[] = {
    { "x86", PE_I386, "i386" },
    { "AMD64", PE_X86_64, "x86_64" },
    { "ARM64", PE_AARCH64, "aarch64" },
    { "IA64", 0x200, "ia64" },
};

static const char *arch_of_kernel(const struct win_reader *reader)
{
    CLEANUP_FREE char *path = mem_printf("%s/System32/ntoskrnl.exe", reader->windows->system_root);
    CLEANUP_FREE uint8_t *head = mem_alloc(PE_HEAD_MAX);
    struct err err = ERR_NONE;
    struct pe pe;
    ssize_t len = guest_pread(reader->root, path, head, PE_HEAD_MAX, 0, &err);

    if (len <= 0 || !pe_parse(head, (size_t)len, &pe))
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(archs); i++)
        if (archs[i].machine == pe.machine)
            return archs[i].arch;
    return NULL;
}

/* What the kernel is for is what counts; it may be compressed in a way that cannot be read here. */
static void read_arch(struct win_reader *reader)
{
    CLEANUP_FREE char *key = win_key(reader, "Control\\Session Manager\\Environment");
    CLEANUP_FREE char *name = win_text(reader->system, key, "PROCESSOR_ARCHITECTURE");
    const char *arch = arch_of_kernel(reader);

    for (size_t i = 0; !arch && name && i < ARRAY_SIZE(archs); i++)
        if (strcasecmp(name, archs[i].name) == 0)
            arch = archs[i].arch;
    facts_set(&reader->facts->arch, arch);
}

/* ---- the machine ---- */

static void read_names(struct win_reader *reader)
{
    CLEANUP_FREE char *name_key = win_key(reader, "Control\\ComputerName\\ComputerName");
    CLEANUP_FREE char *tcpip_key = win_key(reader, "Services\\Tcpip\\Parameters");
    CLEANUP_FREE char *zone_key = win_key(reader, "Control\\TimeZoneInformation");
    struct facts *facts = reader->facts;
    uint32_t utc;

    take(&facts->hostname, win_text(reader->system, tcpip_key, "Hostname"));
    take(&facts->hostname, win_text(reader->system, name_key, "ComputerName"));
    take(&facts->timezone, win_text(reader->system, zone_key, "StandardName"));
    take(&facts->timezone, win_text(reader->system, zone_key, "TimeZoneKeyName"));
    take(&reader->windows->domain, win_text(reader->system, tcpip_key, "NV Domain"));
    reader->windows->rtc_is_utc =
        win_u32(reader->system, zone_key, "RealTimeIsUniversal", &utc) && utc != 0;
}

void windows_version(struct win_reader *reader)
{
    read_nt(reader);
    read_texts(reader);
    read_kind(reader);
    read_product(reader);
    set_version(reader);
    read_arch(reader);
    read_names(reader);
    reader->windows->has_driver_database = win_has_key(reader->system, "DriverDatabase");
}
