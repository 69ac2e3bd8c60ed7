/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/linux.h"

#include "engine/base/cleanup.h"
#include "inspect/fields.h"

char *linux_read(const struct guest_root *root, const char *path, size_t *ret_len)
{
    struct err err = ERR_NONE;
    char *text = NULL;

    if (guest_read(root, path, GUEST_TEXT_MAX, &text, ret_len, &err) < 0)
        return NULL;
    return text;
}

char *linux_first_line(const struct guest_root *root, const char *path)
{
    size_t len = 0, pos = 0;
    CLEANUP_FREE char *text = linux_read(root, path, &len);
    struct span line, word;

    while (text && line_next(text, len, &pos, &line))
        if (fields_split(text, &line, &word, 1) == 1)
            return span_dup(text, word);
    return NULL;
}

/* A root has /etc, programs, and one of these. /bin may be a link, an absolute one too; /usr may be
 * empty when it is a file system of its own. */
static const char *const marks[] = {
    "/etc/os-release",     "/usr/lib/os-release", "/etc/fstab",
    "/etc/debian_version", "/etc/inittab",        "/etc/redhat-release",
    "/etc/SuSE-release",   "/sbin/init",          "/etc/NIXOS",
};

static bool match(const struct guest_root *root)
{
    struct stat st;

    if (!guest_is_dir(root, "/etc") ||
        (!guest_is_dir(root, "/usr") && guest_lstat(root, "/bin", &st) < 0))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
        if (guest_lstat(root, marks[i], &st) == 0)
            return true;
    return false;
}

static int collect(const struct guest_root *root, const struct inspect_opts *opts,
                   struct facts *facts, struct err *err)
{
    struct linux_scan *scan = NULL;

    (void)err; /* what cannot be read is unknown, not an error */
    linux_boot(root, facts);
    linux_kernels(root, facts);
    if (opts->with_initrds)
        scan = linux_initrds_begin(root, facts,
                                   opts->modules_only ? INITRAMFS_MODULES : INITRAMFS_ALL);
    linux_identify(root, facts);
    linux_net(root, facts);
    linux_packages(root, opts->with_packages, facts);
    if (opts->with_initrds)
        linux_initrds_end(scan, facts);
    return 0;
}

const struct os_probe os_probe_linux = {
    .name = "linux",
    .os = OS_LINUX,
    .match = match,
    .identify = linux_identify,
    .mounts = linux_mounts,
    .collect = collect,
};
