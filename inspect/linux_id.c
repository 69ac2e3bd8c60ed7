/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What it is called, what it runs on, and what starts it. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "inspect/linux.h"
#include "inspect/shellvars.h"

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
    static const char *const programs[] = {
        "/bin/sh",      "/sbin/init",   "/bin/bash",
        "/usr/bin/env", "/bin/busybox", "/nix/var/nix/profiles/system/sw/bin/bash",
    };

    for (size_t i = 0; i < ARRAY_SIZE(programs) && facts->arch[0] == '\0'; i++) {
        unsigned char header[offsetof(Elf64_Ehdr, e_version)];
        struct err err = ERR_NONE;

        if (guest_pread(root, programs[i], header, sizeof(header), 0, &err) ==
            (ssize_t)sizeof(header))
            facts_set(&facts->arch, elf_arch(header));
    }
}

/* ---- names and the like ---- */

/* A variable of a file of assignments; NULL when it is not there, or empty. Free it. */
static char *variable(const struct guest_root *root, const char *path, const char *name)
{
    size_t len = 0;
    CLEANUP_FREE char *text = linux_read(root, path, &len);
    struct shellvars vars CLEANUP_SHELLVARS = { 0 };
    const char *value;

    if (!text)
        return NULL;
    shellvars_parse(text, len, &vars);
    value = shellvars_get(&vars, name);
    return value && *value ? mem_strdup(value) : NULL;
}

/* Where a value may be kept, in the order in which the guest's scripts ask. */
struct place {
    const char *path;
    const char *name; /* of a variable; NULL: the first line */
    bool not_systemd; /* what systemd starts does not look there first */
};

static void find_value(const struct guest_root *root, const struct place *places, size_t n,
                       const char *init, char **field)
{
    for (size_t i = 0; i < n && (*field)[0] == '\0'; i++) {
        CLEANUP_FREE char *value = NULL;

        if (places[i].not_systemd && strcmp(init, "systemd") == 0)
            continue;
        value = places[i].name ? variable(root, places[i].path, places[i].name)
                               : linux_first_line(root, places[i].path);
        facts_set(field, value);
    }
}

static void hostname(const struct guest_root *root, struct facts *facts)
{
    static const struct place places[] = {
        { "/etc/sysconfig/network", "HOSTNAME", true }, /* Red Hat's rc.sysinit, ALT */
        { "/etc/hostname", NULL, false },
        { "/etc/HOSTNAME", NULL, false },             /* SUSE, Slackware */
        { "/etc/conf.d/hostname", "hostname", true }, /* OpenRC */
        { "/etc/conf.d/hostname", "HOSTNAME", true }, /* ... and what came before it */
        { "/etc/rc.conf", "HOSTNAME", true },         /* runit of Void, old Arch */
        { "/etc/sysconfig/network", "HOSTNAME", false },
    };

    find_value(root, places, ARRAY_SIZE(places), facts->init_system, &facts->hostname);
}

static void timezone_name(const struct guest_root *root, struct facts *facts)
{
    static const struct place places[] = {
        { "/etc/sysconfig/clock", "ZONE", false },     /* Red Hat's, ALT */
        { "/etc/sysconfig/clock", "TIMEZONE", false }, /* SUSE */
        { "/etc/conf.d/clock", "TIMEZONE", false },
        { "/etc/rc.conf", "TIMEZONE", false },
    };
    CLEANUP_FREE char *name = linux_first_line(root, "/etc/timezone");
    CLEANUP_FREE char *target = NULL;
    struct err err = ERR_NONE;
    const char *zone;

    facts_set(&facts->timezone, name);
    if (!name && guest_readlink(root, "/etc/localtime", &target, &err) == 0) {
        zone = strstr(target, "zoneinfo/");
        facts_set(&facts->timezone, zone ? zone + strlen("zoneinfo/") : "");
    }
    find_value(root, places, ARRAY_SIZE(places), facts->init_system, &facts->timezone);
}

/* ---- init ---- */

/* What /sbin/init leads to says it best: others may be installed beside it. */
static const struct {
    const char *part, *name;
} init_programs[] = {
    { "/systemd", "systemd" }, { "runit", "runit" }, { "openrc-init", "openrc" },
    { "s6-linux-init", "s6" }, { "/s6-", "s6" },     { "dinit", "dinit" },
    { "/upstart", "upstart" },
};

static const struct {
    const char *path, *name;
} init_marks[] = {
    { "/usr/lib/systemd/systemd", "systemd" },
    { "/lib/systemd/systemd", "systemd" },
    { "/nix/var/nix/profiles/system/systemd", "systemd" },
    { "/sbin/openrc-run", "openrc" },
    { "/usr/bin/openrc-run", "openrc" },
    { "/etc/runit/1", "runit" },
    { "/etc/s6-linux-init", "s6" },
    { "/sbin/initctl", "upstart" },
    { "/etc/inittab", "sysvinit" },
};

static void init_system(const struct guest_root *root, struct facts *facts)
{
    CLEANUP_FREE char *real = NULL;
    struct err err = ERR_NONE;

    if (guest_real_path(root, "/sbin/init", &real, &err) < 0)
        real = NULL;
    for (size_t i = 0; real && i < ARRAY_SIZE(init_programs); i++) {
        if (strstr(real, init_programs[i].part)) {
            facts_set(&facts->init_system, init_programs[i].name);
            return;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(init_marks); i++) {
        if (real && strcmp(init_marks[i].name, "systemd") == 0)
            continue;
        if (guest_exists(root, init_marks[i].path)) {
            facts_set(&facts->init_system, init_marks[i].name);
            return;
        }
    }
}

/* selinux(8): what the configuration says; the kernel's command line may say otherwise. Words that
 * libselinux does not know leave it permissive. */
static void selinux(const struct guest_root *root, struct facts *facts)
{
    static const char *const modes[] = { "enforcing", "permissive", "disabled" };
    struct shellvars vars CLEANUP_SHELLVARS = { 0 };
    size_t len = 0;
    CLEANUP_FREE char *text = linux_read(root, "/etc/selinux/config", &len);
    const char *mode, *policy;

    if (!text)
        return;
    shellvars_parse(text, len, &vars);
    mode = shellvars_get(&vars, "SELINUX");
    policy = shellvars_get(&vars, "SELINUXTYPE");
    facts_set(&facts->selinux, "permissive");
    for (size_t i = 0; mode && i < ARRAY_SIZE(modes); i++)
        if (strcasecmp(mode, modes[i]) == 0)
            facts_set(&facts->selinux, modes[i]);
    facts_set(&facts->selinux_policy, policy ? policy : "targeted");
}

void linux_identify(const struct guest_root *root, struct facts *facts)
{
    CLEANUP_FREE char *machine_id = linux_first_line(root, "/etc/machine-id");
    char **const found[] = { &facts->distro,   &facts->product_name, &facts->version_text,
                             &facts->arch,     &facts->init_system,  &facts->hostname,
                             &facts->timezone, &facts->distro_like,  &facts->codename,
                             &facts->variant };

    /* the first look may have been at the root without its other file systems */
    for (size_t i = 0; i < ARRAY_SIZE(found); i++)
        facts_set(found[i], "");
    facts->version_major = 0;
    facts->version_minor = 0;
    facts->os = OS_LINUX;
    facts_set(&facts->type, "linux");
    facts_set(&facts->machine_id, machine_id);
    linux_distro(root, facts);
    architecture(root, facts);
    init_system(root, facts);
    hostname(root, facts);
    timezone_name(root, facts);
    selinux(root, facts);
}
