/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Installed packages. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/dpkg_status.h"
#include "inspect/linux.h"

#define STATUS_MAX (128U << 20) /* all of Debian would be half of it */

static const struct {
    const char *path, *format;
} databases[] = {
    { "/var/lib/dpkg/status", "deb" },  { "/var/lib/rpm", "rpm" },
    { "/usr/lib/sysimage/rpm", "rpm" }, { "/var/lib/pacman/local", "pacman" },
    { "/lib/apk/db/installed", "apk" }, { "/usr/lib/apk/db/installed", "apk" },
    { "/var/db/pkg", "ebuild" },        { "/var/db/xbps", "xbps" },
};

struct list {
    struct facts *facts;
    const char *text;
};

static void add_package(void *arg, const struct dpkg_package *package)
{
    const struct list *list = arg;
    struct fact_package *added =
        mem_add(&list->facts->packages, &list->facts->n_packages, sizeof(*added));

    added->name = span_dup(list->text, package->name);
    added->version = span_dup(list->text, package->version);
    added->arch = span_dup(list->text, package->arch);
}

static void list_dpkg(const struct guest_root *root, struct facts *facts)
{
    struct err err = ERR_NONE;
    CLEANUP_FREE char *text = NULL;
    struct list list = { .facts = facts };
    size_t len = 0;

    if (guest_read(root, "/var/lib/dpkg/status", STATUS_MAX, &text, &len, &err) < 0)
        return;
    list.text = text;
    (void)dpkg_status_parse(text, len, add_package, &list); /* the facts count them */
}

void linux_packages(const struct guest_root *root, bool with_list, struct facts *facts)
{
    for (size_t i = 0; i < ARRAY_SIZE(databases); i++) {
        if (guest_exists(root, databases[i].path)) {
            facts_set(&facts->package_format, databases[i].format);
            break;
        }
    }
    if (with_list && strcmp(facts->package_format, "deb") == 0)
        list_dpkg(root, facts);
}
