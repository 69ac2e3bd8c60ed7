/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Installed packages. A database that is missing or damaged costs the list and nothing else. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "inspect/linux.h"
#include "inspect/package_texts.h"
#include "inspect/rpm_header.h"
#include "inspect/rpmdb.h"

#define TEXT_MAX (128U << 20) /* all of Debian would be half of it */
#define DESC_MAX (1U << 20)

/* ---- deb, apk, pacman ---- */

static void add_spans(struct facts *facts, const char *text, const struct package_spans *package)
{
    struct fact_package *added =
        mem_add(&facts->packages, &facts->n_packages, sizeof(*facts->packages));

    added->name = span_dup(text, package->name);
    added->version = span_dup(text, package->version);
    added->arch = span_dup(text, package->arch);
}

struct list {
    struct facts *facts;
    const char *text;
};

static void add_to_list(void *arg, const struct package_spans *package)
{
    const struct list *list = arg;

    add_spans(list->facts, list->text, package);
}

static int list_text(const struct guest_root *root, const char *path,
                     void (*parse)(const char *text, size_t len, package_fn fn, void *arg),
                     struct facts *facts, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    struct list list = { .facts = facts };
    size_t len = 0;
    int r = guest_read(root, path, TEXT_MAX, &text, &len, err);

    if (r < 0)
        return r;
    list.text = text;
    parse(text, len, add_to_list, &list);
    return 0;
}

static int list_dpkg(const struct guest_root *root, const char *path, struct facts *facts,
                     struct err *err)
{
    return list_text(root, path, dpkg_status_parse, facts, err);
}

static int list_apk(const struct guest_root *root, const char *path, struct facts *facts,
                    struct err *err)
{
    return list_text(root, path, apk_installed_parse, facts, err);
}

static int list_pacman(const struct guest_root *root, const char *path, struct facts *facts,
                       struct err *err)
{
    CLEANUP_STRLIST struct strlist folders = { 0 };
    int r = guest_list(root, path, &folders, err);

    for (size_t i = 0; i < folders.n && r == 0; i++) {
        CLEANUP_FREE char *desc = mem_printf("%s/%s/desc", path, folders.items[i]);
        CLEANUP_FREE char *text = NULL;
        struct package_spans package;
        struct err missing = ERR_NONE;
        size_t len = 0;

        /* ALPM_DB_VERSION lies beside the packages' folders */
        if (guest_read(root, desc, DESC_MAX, &text, &len, &missing) == 0 &&
            pacman_desc_parse(text, len, &package))
            add_spans(facts, text, &package);
    }
    return r;
}

/* ---- rpm ---- */

static void add_rpm(void *arg, const uint8_t *header, size_t len)
{
    struct facts *facts = arg;
    struct fact_package *added;
    struct rpm_package package;

    if (!rpm_header_parse(header, len, &package))
        return;
    added = mem_add(&facts->packages, &facts->n_packages, sizeof(*added));
    added->name = mem_strdup(package.name);
    added->version = package.epoch
                         ? mem_printf("%u:%s-%s", package.epoch, package.version, package.release)
                         : mem_printf("%s-%s", package.version, package.release);
    added->arch = mem_strdup(package.arch);
}

static int read_fd(void *ctx, uint64_t offset, void *buf, size_t len)
{
    return io_pread_full(*(const int *)ctx, buf, len, offset);
}

static int walk_file(int fd, rpmdb_walk_fn walk, struct facts *facts, struct err *err)
{
    struct rpmdb_io io = { .read = read_fd, .ctx = &fd };
    struct stat st;

    if (fstat(fd, &st) < 0)
        return err_set(err, errno, "stat the package database");
    io.size = (uint64_t)st.st_size;
    return walk(&io, add_rpm, facts, err);
}

static int compare_packages(const void *a, const void *b)
{
    const struct fact_package *x = a, *y = b;
    int r = strcmp(x->name, y->name);

    return r ? r : strcmp(x->version, y->version);
}

static int list_rpm(const struct guest_root *root, const char *path, struct facts *facts,
                    struct err *err)
{
    static const struct {
        const char *file;
        rpmdb_walk_fn walk; /* NULL: SQLite, which wants a file */
    } kinds[] = {
        { "rpmdb.sqlite", NULL },
        { "Packages.db", rpmdb_walk_ndb },
        { "Packages", rpmdb_walk_bdb },
    };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        CLEANUP_FREE char *file = mem_printf("%s/%s", path, kinds[i].file);
        CLEANUP_FD int fd = -1;
        int r;

        if (!guest_is_file(root, file))
            continue;
        fd = guest_open(root, file, err);
        if (fd < 0)
            return fd;
        r = kinds[i].walk ? walk_file(fd, kinds[i].walk, facts, err)
                          : rpmdb_walk_sqlite(fd, add_rpm, facts, err);
        if (facts->n_packages > 0)
            qsort(facts->packages, facts->n_packages, sizeof(*facts->packages), compare_packages);
        return r;
    }
    return err_status(err, STATUS_FAILED, "no package database in %s", path);
}

/* ---- which one it is ---- */

/* The first that has something in it: tools of other distributions may be installed, and bring
 * their own, empty. */
static const struct database {
    const char *path, *format;
    int (*list)(const struct guest_root *root, const char *path, struct facts *facts,
                struct err *err); /* NULL: not known how */
} databases[] = {
    { "/var/lib/dpkg/status", "deb", list_dpkg },
    { "/var/lib/pacman/local", "pacman", list_pacman },
    { "/lib/apk/db/installed", "apk", list_apk },
    { "/usr/lib/apk/db/installed", "apk", list_apk },
    { "/usr/share/rpm", "rpm", list_rpm }, /* of an ostree deployment */
    { "/usr/lib/sysimage/rpm", "rpm", list_rpm },
    { "/var/lib/rpm", "rpm", list_rpm },
    { "/var/db/pkg", "ebuild", NULL },
    { "/var/db/xbps", "xbps", NULL },
    { "/nix/var/nix/db", "nix", NULL },
    { "/var/lib/pkgtools/packages", "slackware", NULL },
    { "/var/log/packages", "slackware", NULL }, /* before Slackware 15 */
};

/* What people manage the packages with: the first whose program is there, and whose @beside when it
 * has one. */
static const struct {
    const char *format, *program, *beside, *name;
} managers[] = {
    { "deb", "/usr/bin/apt-get", NULL, "apt" },
    { "deb", "/usr/bin/apt", NULL, "apt" },
    { "rpm", "/usr/bin/rpm-ostree", NULL, "rpm-ostree" },
    { "rpm", "/usr/bin/zypper", "/etc/products.d", "zypper" },
    { "rpm", "/usr/bin/tdnf", NULL, "tdnf" },
    { "rpm", "/usr/sbin/urpmi", NULL, "urpmi" },
    { "rpm", "/usr/bin/urpmi", NULL, "urpmi" },
    { "rpm", "/usr/bin/dnf", NULL, "dnf" },
    { "rpm", "/usr/bin/dnf5", NULL, "dnf" },
    { "rpm", "/usr/bin/yum", NULL, "yum" },
    { "rpm", "/usr/bin/microdnf", NULL, "microdnf" },
    { "rpm", "/usr/bin/zypper", NULL, "zypper" },
    { "rpm", "/usr/bin/apt-get", NULL, "apt" }, /* ALT */
    { "rpm", "/usr/sbin/up2date", NULL, "up2date" },
    { "pacman", "/usr/bin/pacman", NULL, "pacman" },
    { "apk", "/sbin/apk", NULL, "apk" },
    { "apk", "/usr/bin/apk", NULL, "apk" },
    { "ebuild", "/usr/bin/emerge", NULL, "portage" },
    { "xbps", "/usr/bin/xbps-install", NULL, "xbps" },
    { "nix", "/nix/var/nix/profiles/system", NULL, "nix" },
    { "slackware", "/usr/sbin/slackpkg", NULL, "slackpkg" },
    { "slackware", "/sbin/installpkg", NULL, "pkgtools" },
};

static bool is_filled(const struct guest_root *root, const char *path)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    struct err err = ERR_NONE;
    struct stat st;

    if (guest_stat(root, path, &st) < 0)
        return false;
    if (!S_ISDIR(st.st_mode))
        return st.st_size > 0;
    return guest_list(root, path, &names, &err) == -E2BIG || names.n > 0;
}

static const struct database *find_database(const struct guest_root *root)
{
    for (size_t i = 0; i < ARRAY_SIZE(databases); i++)
        if (is_filled(root, databases[i].path))
            return &databases[i];
    for (size_t i = 0; i < ARRAY_SIZE(databases); i++)
        if (guest_exists(root, databases[i].path))
            return &databases[i];
    return NULL;
}

static void find_manager(const struct guest_root *root, struct facts *facts)
{
    for (size_t i = 0; i < ARRAY_SIZE(managers); i++) {
        if (strcmp(managers[i].format, facts->package_format) != 0 ||
            !guest_exists(root, managers[i].program) ||
            (managers[i].beside && !guest_exists(root, managers[i].beside)))
            continue;
        facts_set(&facts->package_manager, managers[i].name);
        return;
    }
}

void linux_packages(const struct guest_root *root, bool with_list, struct facts *facts)
{
    const struct database *database = find_database(root);
    struct err err = ERR_NONE;
    char text[ERR_TEXT];

    if (!database)
        return;
    facts_set(&facts->package_format, database->format);
    find_manager(root, facts);
    if (with_list && database->list && database->list(root, database->path, facts, &err) < 0)
        facts_set(&facts->packages_problem, err_text(&err, text, sizeof(text)));
}
