/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which distribution it is, and which version of it. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/linux.h"
#include "inspect/os_release.h"

/* In the order in which they are asked: what says most comes first, and a derived distribution's
 * file before the one that it keeps for the sake of its parent's programs. */
static const struct release_file {
    const char *path;
    void (*parse)(const char *text, size_t len, struct os_release *ret);
    const char *id, *name; /* for a file that does not say itself whose it is */
} release_files[] = {
    { "/etc/os-release", os_release_parse, "", "" },
    { "/usr/lib/os-release", os_release_parse, "", "" },
    { "/etc/openEuler-release", release_line_parse, "openeuler", "openEuler" },
    { "/etc/anolis-release", release_line_parse, "anolis", "Anolis OS" },
    { "/etc/circle-release", release_line_parse, "circle", "Circle Linux" },
    { "/etc/rocky-release", release_line_parse, "rocky", "Rocky Linux" },
    { "/etc/almalinux-release", release_line_parse, "almalinux", "AlmaLinux" },
    { "/etc/oracle-release", release_line_parse, "ol", "Oracle Linux" },
    { "/etc/enterprise-release", release_line_parse, "ol", "Oracle Linux" },
    { "/etc/centos-release", release_line_parse, "centos", "CentOS" },
    { "/etc/fedora-release", release_line_parse, "fedora", "Fedora" },
    { "/etc/altlinux-release", release_line_parse, "altlinux", "ALT Linux" },
    { "/etc/mageia-release", release_line_parse, "mageia", "Mageia" },
    { "/etc/mandriva-release", release_line_parse, "mandriva", "Mandriva Linux" },
    { "/etc/photon-release", release_line_parse, "photon", "VMware Photon OS" },
    { "/etc/redhat-release", release_line_parse, "", "" },
    { "/etc/system-release", release_line_parse, "", "" },
    { "/etc/SuSE-release", suse_release_parse, "", "" },
    { "/etc/slackware-version", release_line_parse, "slackware", "Slackware" },
    { "/etc/gentoo-release", release_line_parse, "gentoo", "Gentoo" },
    { "/etc/alpine-release", release_line_parse, "alpine", "Alpine Linux" },
    { "/etc/lsb-release", lsb_release_parse, "", "" },
    { "/etc/arch-release", release_line_parse, "arch", "Arch Linux" },
    { "/etc/NIXOS", release_line_parse, "nixos", "NixOS" },
};

/* The text of the file, read as what it is; false when it is not there. */
static bool read_release(const struct guest_root *root, const struct release_file *file,
                         struct os_release *ret)
{
    size_t len = 0;
    CLEANUP_FREE char *text = linux_read(root, file->path, &len);
    char *pretty;

    if (!text)
        return false;
    file->parse(text, len, ret);
    if (ret->id[0] != '\0' || file->id[0] == '\0')
        return true;
    facts_set(&ret->id, file->id);
    if (ret->pretty[0] != '\0' && !isdigit((unsigned char)ret->pretty[0]))
        return true;
    pretty = mem_printf("%s%s%s", file->name, ret->pretty[0] ? " " : "", ret->pretty);
    free(ret->pretty);
    ret->pretty = pretty;
    return true;
}

static void take(struct facts *facts, const struct os_release *release)
{
    facts_set(&facts->distro, release->id);
    facts_set(&facts->distro_like, release->id_like);
    facts_set(&facts->product_name, release->pretty);
    facts_set(&facts->version_text, release->version);
    facts_set(&facts->codename, release->codename);
    facts_set(&facts->variant, release->variant);
    facts->version_major = release->major;
    facts->version_minor = release->minor;
}

/* Is @word one of those in @list, which blanks separate? */
static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *at = list; *at; at += strcspn(at, " "), at += strspn(at, " "))
        if (strcspn(at, " ") == len && strncmp(at, word, len) == 0)
            return true;
    return false;
}

/* Some that are made of another keep its os-release and say who they are in lsb-release only. */
static void refine_derived(const struct guest_root *root, struct facts *facts)
{
    static const struct release_file lsb = { "/etc/lsb-release", lsb_release_parse, "", "" };
    struct os_release release CLEANUP_OS_RELEASE = { 0 };

    if (facts->distro[0] != '\0' && read_release(root, &lsb, &release) &&
        has_word(release.id_like, facts->distro))
        take(facts, &release);
}

/* os-release of some has the major version only, the older file beside it has both. */
static void refine_minor(const struct guest_root *root, struct facts *facts)
{
    for (size_t i = 0; i < ARRAY_SIZE(release_files); i++) {
        struct os_release release CLEANUP_OS_RELEASE = { 0 };

        if (facts->version_major == 0 || facts->version_minor != 0)
            return;
        if (release_files[i].parse == release_line_parse &&
            read_release(root, &release_files[i], &release) &&
            strcmp(release.id, facts->distro) == 0 && release.major == facts->version_major)
            facts->version_minor = release.minor;
    }
}

/* debian_version has "12.7", or "trixie/sid". Others that are made of Debian have one, too. */
static void refine_debian(const struct guest_root *root, struct facts *facts)
{
    CLEANUP_FREE char *text = linux_first_line(root, "/etc/debian_version");
    int major, minor;

    if (!text)
        return;
    if (facts->distro[0] == '\0') {
        facts_set(&facts->distro, "debian");
        facts_set(&facts->version_text, text);
        if (facts->product_name[0] == '\0') {
            CLEANUP_FREE char *name = mem_printf("Debian GNU/Linux %s", text);

            facts_set(&facts->product_name, name);
        }
    }
    if (strcmp(facts->distro, "debian") != 0)
        return;
    version_parse(text, &major, &minor);
    if (facts->version_major == 0)
        facts->version_major = major;
    if (facts->version_major == major && facts->version_minor == 0)
        facts->version_minor = minor;
}

void linux_distro(const struct guest_root *root, struct facts *facts)
{
    for (size_t i = 0; i < ARRAY_SIZE(release_files) && facts->distro[0] == '\0'; i++) {
        struct os_release release CLEANUP_OS_RELEASE = { 0 };

        /* a name alone is better than nothing, but a later file may say more */
        if (read_release(root, &release_files[i], &release) &&
            (release.id[0] != '\0' || facts->product_name[0] == '\0'))
            take(facts, &release);
    }
    refine_derived(root, facts);
    refine_minor(root, facts);
    refine_debian(root, facts);
}
