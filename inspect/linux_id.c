/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which Linux it is. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "inspect/fields.h"
#include "inspect/linux.h"
#include "inspect/os_release.h"
#include "inspect/shellvars.h"

/* ---- distribution ---- */

static const struct {
    const char *path;
    void (*parse)(const char *text, size_t len, struct os_release *ret);
} release_files[] = {
    { "/etc/os-release", os_release_parse },
    { "/usr/lib/os-release", os_release_parse },
    { "/etc/oracle-release", redhat_release_parse },
    { "/etc/centos-release", redhat_release_parse },
    { "/etc/redhat-release", redhat_release_parse },
};

/* First line of the file that is neither empty nor a comment. NULL when there is none. */
static char *first_line(const struct guest_root *root, const char *path)
{
    size_t len = 0, pos = 0;
    CLEANUP_FREE char *text = linux_read(root, path, &len);
    struct span line, word;

    while (text && line_next(text, len, &pos, &line))
        if (fields_split(text, &line, &word, 1) == 1)
            return span_dup(text, word);
    return NULL;
}

/* Debian's os-release has no minor number, debian_version has: "12.7" ("trixie/sid" has none). */
static void refine_debian(const struct guest_root *root, struct facts *facts)
{
    CLEANUP_FREE char *text = first_line(root, "/etc/debian_version");
    int major, minor;

    if (!text)
        return;
    if (facts->distro[0] == '\0') {
        facts_set(&facts->distro, "debian");
        facts_set(&facts->version_text, text);
    }
    if (strcmp(facts->distro, "debian") != 0)
        return;
    version_parse(text, &major, &minor);
    if (facts->version_major == 0)
        facts->version_major = major;
    if (facts->version_major == major && facts->version_minor == 0)
        facts->version_minor = minor;
}

static void distribution(const struct guest_root *root, struct facts *facts)
{
    for (size_t i = 0; i < ARRAY_SIZE(release_files); i++) {
        struct os_release release CLEANUP_OS_RELEASE = { 0 };
        size_t len = 0;
        CLEANUP_FREE char *text = linux_read(root, release_files[i].path, &len);

        if (!text)
            continue;
        release_files[i].parse(text, len, &release);
        facts_set(&facts->distro, release.id);
        facts_set(&facts->distro_like, release.id_like);
        facts_set(&facts->product_name, release.pretty);
        facts_set(&facts->version_text, release.version);
        facts_set(&facts->codename, release.codename);
        facts->version_major = release.major;
        facts->version_minor = release.minor;
        if (facts->distro[0] != '\0')
            break;
    }
    refine_debian(root, facts);
}

/* ---- architecture ---- */

static const struct {
    uint16_t machine; /* e_machine of the ELF header */
    unsigned char class, data;
    const char *name; /* as uname -m says it, i386 for all 32-bit x86 */
} machines[] = {
    { EM_X86_64, ELFCLASS64, ELFDATA2LSB, "x86_64" },
    { EM_386, ELFCLASS32, ELFDATA2LSB, "i386" },
    { EM_AARCH64, ELFCLASS64, ELFDATA2LSB, "aarch64" },
    { EM_ARM, ELFCLASS32, ELFDATA2LSB, "arm" },
    { EM_PPC64, ELFCLASS64, ELFDATA2LSB, "ppc64le" },
    { EM_PPC64, ELFCLASS64, ELFDATA2MSB, "ppc64" },
    { EM_S390, ELFCLASS64, ELFDATA2MSB, "s390x" },
    { EM_RISCV, ELFCLASS64, ELFDATA2LSB, "riscv64" },
    { 258, ELFCLASS64, ELFDATA2LSB, "loongarch64" }, /* EM_LOONGARCH of newer headers */
};

static const char *elf_arch(const unsigned char *header)
{
    const void *at = header + offsetof(Elf64_Ehdr, e_machine);
    uint16_t machine = header[EI_DATA] == ELFDATA2MSB ? get_be16(at) : get_le16(at);

    if (memcmp(header, ELFMAG, SELFMAG) != 0)
        return "";
    for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
        if (machines[i].machine == machine && machines[i].class == header[EI_CLASS] &&
            machines[i].data == header[EI_DATA])
            return machines[i].name;
    return "";
}

static void architecture(const struct guest_root *root, struct facts *facts)
{
    static const char *const programs[] = { "/bin/sh", "/sbin/init", "/bin/bash", "/usr/bin/env" };

    for (size_t i = 0; i < ARRAY_SIZE(programs) && facts->arch[0] == '\0'; i++) {
        unsigned char header[offsetof(Elf64_Ehdr, e_version)];
        struct err err = ERR_NONE;

        if (guest_pread(root, programs[i], header, sizeof(header), 0, &err) ==
            (ssize_t)sizeof(header))
            facts_set(&facts->arch, elf_arch(header));
    }
}

/* ---- names and the like ---- */

static void hostname(const struct guest_root *root, struct facts *facts)
{
    static const char *const files[] = { "/etc/hostname", "/etc/HOSTNAME" };

    for (size_t i = 0; i < ARRAY_SIZE(files) && facts->hostname[0] == '\0'; i++) {
        CLEANUP_FREE char *name = first_line(root, files[i]);

        facts_set(&facts->hostname, name);
    }
    if (facts->hostname[0] == '\0') {
        size_t len = 0;
        CLEANUP_FREE char *text = linux_read(root, "/etc/sysconfig/network", &len);
        struct shellvars vars CLEANUP_SHELLVARS = { 0 };

        if (text)
            shellvars_parse(text, len, &vars);
        facts_set(&facts->hostname, shellvars_get(&vars, "HOSTNAME"));
    }
}

static void timezone_name(const struct guest_root *root, struct facts *facts)
{
    CLEANUP_FREE char *name = first_line(root, "/etc/timezone");
    CLEANUP_FREE char *target = NULL;
    struct err err = ERR_NONE;
    const char *zone;

    facts_set(&facts->timezone, name);
    if (name || guest_readlink(root, "/etc/localtime", &target, &err) < 0)
        return;
    zone = strstr(target, "zoneinfo/");
    if (zone)
        facts_set(&facts->timezone, zone + strlen("zoneinfo/"));
}

static const struct {
    const char *path, *name;
} inits[] = {
    { "/usr/lib/systemd/systemd", "systemd" },
    { "/lib/systemd/systemd", "systemd" },
    { "/sbin/openrc-run", "openrc" },
    { "/sbin/initctl", "upstart" },
    { "/etc/inittab", "sysvinit" },
};

/* systemd may be installed beside the init that runs: the program says it best. */
static void init_system(const struct guest_root *root, struct facts *facts)
{
    CLEANUP_FREE char *real = NULL;
    struct err err = ERR_NONE;

    if (guest_real_path(root, "/sbin/init", &real, &err) == 0 && strstr(real, "/systemd")) {
        facts_set(&facts->init_system, "systemd");
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(inits); i++) {
        if (real && strcmp(inits[i].name, "systemd") == 0)
            continue;
        if (guest_exists(root, inits[i].path)) {
            facts_set(&facts->init_system, inits[i].name);
            return;
        }
    }
}

void linux_identify(const struct guest_root *root, struct facts *facts)
{
    CLEANUP_FREE char *machine_id = first_line(root, "/etc/machine-id");

    facts->os = OS_LINUX;
    facts_set(&facts->type, "linux");
    facts_set(&facts->machine_id, machine_id);
    distribution(root, facts);
    architecture(root, facts);
    hostname(root, facts);
    timezone_name(root, facts);
    init_system(root, facts);
}
