/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Release files from before os-release. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/fields.h"
#include "inspect/os_release.h"
#include "inspect/shellvars.h"

#define RHEL_LIKE "rhel fedora"

/* How a product's name begins, and what os-release of later versions says (where there is none:
 * what it would say); the longer of two that fit comes first. */
static const struct product {
    const char *begin, *id, *like;
} products[] = {
    { "CentOS", "centos", RHEL_LIKE },
    { "Fedora", "fedora", "" },
    { "Red Hat Enterprise Linux", "rhel", "fedora" },
    { "Red Hat Linux Advanced Server", "rhel", "fedora" },
    { "Red Hat Linux", "rhl", "" },
    { "Oracle Linux", "ol", RHEL_LIKE },
    { "Enterprise Linux Enterprise Linux", "ol", RHEL_LIKE },
    { "Scientific Linux", "scientific", RHEL_LIKE },
    { "Rocky Linux", "rocky", RHEL_LIKE },
    { "AlmaLinux", "almalinux", RHEL_LIKE },
    { "Circle Linux", "circle", RHEL_LIKE },
    { "Anolis OS", "anolis", RHEL_LIKE },
    { "Amazon Linux", "amzn", RHEL_LIKE },
    { "CloudLinux", "cloudlinux", RHEL_LIKE },
    { "EuroLinux", "eurolinux", RHEL_LIKE },
    { "MIRACLE LINUX", "miraclelinux", RHEL_LIKE },
    { "OpenCloudOS", "opencloudos", RHEL_LIKE },
    { "Springdale", "springdale", RHEL_LIKE },
    { "TencentOS", "tencentos", RHEL_LIKE },
    { "Virtuozzo", "virtuozzo", RHEL_LIKE },
    { "XCP-ng", "xcp-ng", RHEL_LIKE },
    { "XenServer", "xenenterprise", RHEL_LIKE },
    { "Kylin Linux", "kylin", "" },
    { "NeoKylin", "neokylin", "" },
    { "openEuler", "openeuler", "" },
    { "Mageia", "mageia", "mandriva" },
    { "Mandriva", "mandriva", "" },
    { "Mandrake", "mandrake", "" },
    { "OpenMandriva", "openmandriva", "mandriva" },
    { "ALT ", "altlinux", "" },
    { "VMware Photon", "photon", "" },
    { "Slackware", "slackware", "" },
    { "Gentoo", "gentoo", "" },
    { "Alpine", "alpine", "" },
    { "Arch", "arch", "" },
    { "SUSE Linux Enterprise Server", "sles", "suse" },
    { "SUSE Linux Enterprise Desktop", "sled", "suse" },
    { "Novell Open Enterprise Server", "oes", "suse" },
    { "openSUSE", "opensuse", "suse" },
    { "SUSE", "suse", "" },
};

/* DISTRIB_ID in lower case without blanks, where that is not the id. */
static const struct product lsb_names[] = {
    { "archlinux", "arch", "" },
    { "kali", "kali", "debian" },
    { "linuxmint", "linuxmint", "ubuntu debian" },
    { "manjarolinux", "manjaro", "arch" },
    { "ubuntu", "ubuntu", "debian" },
    { "devuan", "devuan", "debian" },
    { "elementaryos", "elementary", "ubuntu debian" },
    { "elementary", "elementary", "ubuntu debian" },
    { "zorin", "zorin", "ubuntu debian" },
    { "zorinos", "zorin", "ubuntu debian" },
    { "pop", "pop", "ubuntu debian" },
    { "raspbian", "raspbian", "debian" },
};

static const struct product *find_product(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(products); i++)
        if (strncasecmp(name, products[i].begin, strlen(products[i].begin)) == 0)
            return &products[i];
    return NULL;
}

static void set_product(struct os_release *release, const struct product *product)
{
    release->id = mem_strdup(product ? product->id : "");
    release->id_like = mem_strdup(product ? product->like : "");
}

/* The first line with something in it, without blanks around. */
static char *first_text(const char *text, size_t len)
{
    struct span line = { 0 };
    size_t pos = 0;

    while (line_next(text, len, &pos, &line)) {
        while (line.len > 0 && isspace((unsigned char)text[line.start + line.len - 1]))
            line.len--;
        while (line.len > 0 && isspace((unsigned char)text[line.start])) {
            line.start++;
            line.len--;
        }
        if (line.len > 0)
            return span_dup(text, line);
    }
    return mem_strdup("");
}

/* Before version 5, minor versions were updates: "release 4 (Nahant Update 8)". */
static void add_update(struct os_release *release)
{
    const char *update = strstr(release->pretty, "Update ");
    int minor, unused;

    if (!update || release->minor != 0)
        return;
    version_parse(update, &minor, &unused);
    release->minor = minor;
}

void release_line_parse(const char *text, size_t len, struct os_release *ret)
{
    const char *version;

    ret->pretty = first_text(text, len);
    set_product(ret, find_product(ret->pretty));
    version = ret->pretty + strcspn(ret->pretty, "0123456789");
    ret->version = mem_strndup(version, strspn(version, "0123456789."));
    ret->codename = mem_strdup("");
    ret->variant = mem_strdup("");
    version_parse(ret->version, &ret->major, &ret->minor);
    add_update(ret);
}

static char *lower_word(const char *text)
{
    char *copy = mem_strdup(text), *to = copy;

    for (const char *c = text; *c; c++)
        if (!isspace((unsigned char)*c))
            *to++ = (char)tolower((unsigned char)*c);
    *to = '\0';
    return copy;
}

void lsb_release_parse(const char *text, size_t len, struct os_release *ret)
{
    CLEANUP_SHELLVARS struct shellvars vars = { 0 };
    CLEANUP_FREE char *name = NULL;
    const char *id, *version, *codename, *pretty;
    const struct product *product = NULL;

    shellvars_parse(text, len, &vars);
    id = shellvars_get(&vars, "DISTRIB_ID");
    version = shellvars_get(&vars, "DISTRIB_RELEASE");
    codename = shellvars_get(&vars, "DISTRIB_CODENAME");
    pretty = shellvars_get(&vars, "DISTRIB_DESCRIPTION");

    name = lower_word(id ? id : "");
    for (size_t i = 0; i < ARRAY_SIZE(lsb_names) && !product; i++)
        if (strcmp(lsb_names[i].begin, name) == 0)
            product = &lsb_names[i];
    if (product) {
        set_product(ret, product);
    } else {
        ret->id = mem_strdup(name);
        ret->id_like = mem_strdup("");
    }
    ret->pretty =
        pretty ? mem_strdup(pretty)
               : mem_printf("%s%s%s", id ? id : "", version ? " " : "", version ? version : "");
    ret->version = mem_strdup(version ? version : "");
    ret->codename = mem_strdup(codename ? codename : "");
    ret->variant = mem_strdup("");
    version_parse(ret->version, &ret->major, &ret->minor);
}

/* The value of "KEY = value", NULL when there is none. Free it. */
static char *suse_value(const char *text, size_t len, const char *key)
{
    struct span line, field[3];
    size_t pos = 0;

    while (line_next(text, len, &pos, &line))
        if (fields_split(text, &line, field, 3) == 3 && span_is(text, field[0], key) &&
            span_is(text, field[1], "="))
            return span_dup(text, field[2]);
    return NULL;
}

void suse_release_parse(const char *text, size_t len, struct os_release *ret)
{
    CLEANUP_FREE char *version = suse_value(text, len, "VERSION");
    CLEANUP_FREE char *patch = suse_value(text, len, "PATCHLEVEL");
    char *codename = suse_value(text, len, "CODENAME");

    ret->pretty = first_text(text, len);
    set_product(ret, find_product(ret->pretty));
    if (version && patch && strcmp(patch, "0") != 0 && !strchr(version, '.'))
        ret->version = mem_printf("%s.%s", version, patch);
    else
        ret->version = mem_strdup(version ? version : "");
    ret->codename = codename ? codename : mem_strdup("");
    ret->variant = mem_strdup("");
    version_parse(ret->version, &ret->major, &ret->minor);
}
