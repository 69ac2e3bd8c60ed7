/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/inf_driver.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "fixers/windows/inf_install.h"

#define DEVICES_MAX 4096U
#define INSTALLS_MAX 256U

#define GUID_SCSI_ADAPTER "{4D36E97B-E325-11CE-BFC1-08002BE10318}"
#define GUID_HDC "{4D36E96A-E325-11CE-BFC1-08002BE10318}"

static const char *const arch_names[] = {
    [WIN_X86] = "x86",
    [WIN_AMD64] = "amd64",
    [WIN_ARM64] = "arm64",
};

const char *win_arch_name(enum win_arch arch)
{
    return arch_names[arch];
}

/* ---- TargetOS: "NT[arch][.major[.minor[.product[.suite[.build]]]]]" ---- */

enum decoration_part { D_MAJOR, D_MINOR, D_PRODUCT, D_SUITE, D_BUILD, D_PARTS };

#define PRODUCT_WORKSTATION 1U /* 2: domain controller, 3: server */

struct decoration {
    uint32_t parts[D_PARTS]; /* 0: any */
    bool has_arch;
};

/* false: it is none, or is for another processor. */
static bool read_decoration(const char *text, enum win_arch arch, struct decoration *ret)
{
    CLEANUP_FREE char *copy = mem_strdup(text);
    char *rest = copy, *name;

    *ret = (struct decoration){ .has_arch = false };
    name = strsep(&rest, ".");
    if (strncasecmp(name, "NT", 2) != 0)
        return false;
    ret->has_arch = name[2] != '\0';
    if (strcasecmp(ret->has_arch ? name + 2 : arch_names[WIN_X86], arch_names[arch]) != 0)
        return false;
    for (size_t i = 0; rest && i < D_PARTS; i++) {
        const char *part = strsep(&rest, ".");

        if (*part && inf_number(part, &ret->parts[i]) < 0)
            return false;
    }
    return !rest;
}

/* Most significant first: how two decorations compare. */
static int compare_decorations(const struct decoration *a, const struct decoration *b)
{
    static const enum decoration_part order[] = { D_MAJOR, D_MINOR, D_BUILD, D_PRODUCT, D_SUITE };

    for (size_t i = 0; i < ARRAY_SIZE(order); i++)
        if (a->parts[order[i]] != b->parts[order[i]])
            return a->parts[order[i]] < b->parts[order[i]] ? -1 : 1;
    return (int)a->has_arch - (int)b->has_arch;
}

static bool fits(const struct decoration *decoration, const struct win_target *target)
{
    const struct decoration mine = {
        .parts = { [D_MAJOR] = target->major, [D_MINOR] = target->minor, [D_BUILD] = target->build }
    };
    struct decoration version = { .parts = { [D_MAJOR] = decoration->parts[D_MAJOR],
                                             [D_MINOR] = decoration->parts[D_MINOR],
                                             [D_BUILD] = decoration->parts[D_BUILD] } };
    uint32_t product = decoration->parts[D_PRODUCT], suite = decoration->parts[D_SUITE];

    if (product != 0 && (product == PRODUCT_WORKSTATION) == target->is_server)
        return false;
    return compare_decorations(&version, &mine) <= 0 && (target->suite & suite) == suite;
}

/* The section of models that a line of [Manufacturer] gives for @target. A plain name is for 32
 * bits, where no decoration fits. */
static const struct inf_section *find_models(const struct inf *inf, const struct inf_line *line,
                                             const struct win_target *target)
{
    const char *models = inf_field(line, 0), *best_text = NULL;
    struct decoration best = { .has_arch = false };
    CLEANUP_FREE char *name = NULL;

    for (size_t i = 1; i < line->fields.n; i++) {
        const char *text = inf_field(line, i);
        struct decoration decoration;

        if (!read_decoration(text, target->arch, &decoration) || !fits(&decoration, target))
            continue;
        if (best_text && compare_decorations(&decoration, &best) <= 0)
            continue;
        best = decoration;
        best_text = text;
    }
    if (!best_text && target->arch != WIN_X86)
        return NULL;
    name = best_text ? mem_printf("%s.%s", models, best_text) : mem_strdup(models);
    return inf_section(inf, name);
}

/* ---- [Version] ---- */

/* "{8-4-4-4-12}", or nothing. */
static char *read_guid(const char *text)
{
    static const char form[] = "{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}";
    char *guid = mem_strdup(text);

    if (strlen(guid) != strlen(form))
        guid[0] = '\0';
    for (size_t i = 0; guid[0] && form[i]; i++) {
        guid[i] = (char)toupper((unsigned char)guid[i]);
        if (form[i] == 'x' ? !isxdigit((unsigned char)guid[i]) : guid[i] != form[i])
            guid[0] = '\0';
    }
    return guid;
}

/* "mm/dd/yyyy" at midnight, in units of 100 ns from 1601 on. 0: it is none. */
static uint64_t read_date(const char *text)
{
    static const unsigned before_month[] = {
        0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334
    };
    CLEANUP_FREE char *copy = mem_strdup(text);
    uint64_t parts[3] = { 0 }, days, years;
    char *rest = copy;

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (!rest || io_parse_u64(strsep(&rest, "/-"), 9999, &parts[i]) < 0)
            return 0;
    if (rest || parts[0] < 1 || parts[0] > 12 || parts[1] < 1 || parts[1] > 31 || parts[2] < 1601)
        return 0;
    years = parts[2] - 1601;
    days = years * 365 + years / 4 - years / 100 + years / 400 + before_month[parts[0] - 1] +
           parts[1] - 1;
    if (parts[0] > 2 && parts[2] % 4 == 0 && (parts[2] % 100 != 0 || parts[2] % 400 == 0))
        days++;
    return days * 86400 * 10000000;
}

static void read_version_number(const char *text, uint16_t ret[4])
{
    CLEANUP_FREE char *copy = mem_strdup(text);
    char *rest = copy;

    for (size_t i = 0; rest && i < 4; i++) {
        uint64_t part = 0;

        if (io_parse_u64(strsep(&rest, "."), UINT16_MAX, &part) < 0)
            return;
        ret[i] = (uint16_t)part;
    }
}

static char *read_catalog(const struct inf_section *version, enum win_arch arch)
{
    CLEANUP_FREE char *with_arch = mem_printf("CatalogFile.NT%s", arch_names[arch]);
    const char *const keys[] = { with_arch, "CatalogFile.NT", "CatalogFile" };

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        const char *name = inf_value(version, keys[i]);

        if (inf_is_plain_name(name))
            return mem_strdup(name);
    }
    return mem_strdup("");
}

static void read_version(const struct inf *inf, enum win_arch arch, struct inf_driver *driver)
{
    const struct inf_section *version = inf_section(inf, "Version");
    size_t at = 0;
    const struct inf_line *stamp = inf_next(version, "DriverVer", &at);

    driver->class_name = mem_strdup(inf_value(version, "Class"));
    driver->class_guid = read_guid(inf_value(version, "ClassGuid"));
    driver->provider = mem_strdup(inf_value(version, "Provider"));
    driver->catalog = read_catalog(version, arch);
    driver->date = read_date(inf_field(stamp, 0));
    read_version_number(inf_field(stamp, 1), driver->version);
}

/* ---- devices ---- */

/* Index of the install section of that name, which is read when it is new. false: too many. */
static bool find_install(struct inf_reading *reading, const char *name, size_t *ret)
{
    struct inf_driver *driver = reading->driver;

    for (*ret = 0; *ret < driver->n_installs; (*ret)++)
        if (strcasecmp(driver->installs[*ret].name, name) == 0)
            return true;
    if (driver->n_installs == INSTALLS_MAX)
        return false;
    inf_install_read(reading, name,
                     mem_add(&driver->installs, &driver->n_installs, sizeof(*driver->installs)));
    return true;
}

static void read_models(struct inf_reading *reading, const struct inf_section *models)
{
    struct inf_driver *driver = reading->driver;

    for (size_t i = 0; models && i < models->n_lines; i++) {
        const struct inf_line *line = &models->lines[i];
        struct inf_device *device;
        size_t install;

        if (line->fields.n < 2)
            continue;
        if (driver->n_devices == DEVICES_MAX ||
            !find_install(reading, inf_field(line, 0), &install)) {
            strlist_add(&driver->problems, "it has more devices than are looked at");
            return;
        }
        device = mem_add(&driver->devices, &driver->n_devices, sizeof(*driver->devices));
        device->description = mem_strdup(line->key);
        device->install = install;
        for (size_t k = 1; k < line->fields.n; k++)
            if (*inf_field(line, k))
                strlist_add(&device->ids, inf_field(line, k));
    }
}

struct inf_driver *inf_driver_new(const struct inf *inf, const struct win_target *target)
{
    const struct inf_section *makers = inf_section(inf, "Manufacturer");
    struct inf_driver *driver = mem_alloc(sizeof(*driver));
    struct inf_reading reading = { .inf = inf, .target = target, .driver = driver };

    read_version(inf, target->arch, driver);
    for (size_t i = 0; makers && i < makers->n_lines; i++)
        read_models(&reading, find_models(inf, &makers->lines[i], target));
    return driver;
}

static void device_done(struct inf_device *device)
{
    free(device->description);
    strlist_done(&device->ids);
}

void inf_driver_free(struct inf_driver *driver)
{
    if (!driver)
        return;
    for (size_t i = 0; i < driver->n_installs; i++)
        inf_install_done(&driver->installs[i]);
    for (size_t i = 0; i < driver->n_devices; i++)
        device_done(&driver->devices[i]);
    free(driver->installs);
    free(driver->devices);
    free(driver->class_name);
    free(driver->class_guid);
    free(driver->provider);
    free(driver->catalog);
    strlist_done(&driver->problems);
    free(driver);
}

/* ---- questions ---- */

static bool is_storage(const struct inf_driver *driver)
{
    static const struct {
        const char *name, *guid;
    } classes[] = { { "SCSIAdapter", GUID_SCSI_ADAPTER }, { "HDC", GUID_HDC } };

    for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
        if (strcasecmp(driver->class_name, classes[i].name) == 0 ||
            strcmp(driver->class_guid, classes[i].guid) == 0)
            return true;
    return false;
}

const struct inf_service *inf_driver_boot_service(const struct inf_driver *driver)
{
    for (size_t i = 0; is_storage(driver) && i < driver->n_devices; i++) {
        const struct inf_install *install = &driver->installs[driver->devices[i].install];

        for (size_t k = 0; k < install->n_services; k++)
            if (install->services[k].is_associated && install->services[k].start == 0)
                return &install->services[k];
    }
    return NULL;
}

const char *inf_version_text(const uint16_t version[4], char buf[24])
{
    (void)snprintf(buf, 24, "%u.%u.%u.%u", version[0], version[1], version[2], version[3]);
    return buf;
}

static void add_once(struct strlist *list, const char *folder, const char *name)
{
    CLEANUP_FREE char *path = mem_printf("%s%s%s", folder, *folder ? "/" : "", name);

    if (*name && !strlist_has_nocase(list, path))
        strlist_add(list, path);
}

void inf_driver_files(const struct inf_driver *driver, const char *inf_name, struct strlist *ret)
{
    add_once(ret, "", inf_name);
    add_once(ret, "", driver->catalog);
    for (size_t i = 0; i < driver->n_installs; i++)
        for (size_t k = 0; k < driver->installs[i].n_files; k++)
            add_once(ret, driver->installs[i].files[k].subdir, driver->installs[i].files[k].source);
}
