/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Is there a Windows, and which: the order in which its parts are read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/windows/windows.h"
#include "storage/hibernation.h"

#define FOLDERS_MAX 512U /* of the root; further ones are not looked into */

/* ---- finding it ---- */

char *windows_spelling(const struct guest_root *root, const char *path)
{
    struct err err = ERR_NONE;
    char *real = NULL;

    return guest_real_path(root, path, &real, &err) == 0 ? real : mem_strdup(path);
}

/* A file that the system has compressed (CompactOS) cannot even be looked at through drivers that
 * do not know that, or seems to be a link that leads nowhere. */
bool windows_has_file(const struct guest_root *root, const char *path)
{
    struct stat st;
    int r = guest_lstat(root, path, &st);

    return r == 0 ? !S_ISDIR(st.st_mode) : r == -EIO || r == -EOPNOTSUPP;
}

static bool is_file_below(const struct guest_root *root, const char *folder, const char *file)
{
    CLEANUP_FREE char *path = mem_printf("%s/%s", folder, file);

    return guest_is_file(root, path);
}

/* What setup and recovery start has a registry too, but it is made anew each time. */
static bool is_windows(const struct guest_root *root, const char *folder)
{
    return is_file_below(root, folder, "System32/config/SYSTEM") &&
           is_file_below(root, folder, "System32/config/SOFTWARE") &&
           !is_file_below(root, folder, "System32/wpeinit.exe");
}

/* What an upgrade left behind, or was about to install. */
static bool is_left_over(const char *name)
{
    static const char *const starts[] = { "Windows.old", "$" };

    for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
        if (strncasecmp(name, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

char *windows_folder(const struct guest_root *root)
{
    static const char *const usual[] = { "/Windows", "/WINNT" };
    CLEANUP_STRLIST struct strlist names = { 0 };
    struct err err = ERR_NONE;

    for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
        if (is_windows(root, usual[i]))
            return windows_spelling(root, usual[i]);
    if (guest_list(root, "/", &names, &err) < 0)
        return NULL;
    for (size_t i = 0; i < names.n && i < FOLDERS_MAX; i++) {
        CLEANUP_FREE char *path = mem_printf("/%s", names.items[i]);

        if (!is_left_over(names.items[i]) && guest_is_dir(root, path) && is_windows(root, path))
            return TAKE(path);
    }
    return NULL;
}

static bool match(const struct guest_root *root)
{
    CLEANUP_FREE char *folder = windows_folder(root);

    return folder != NULL;
}

/* ---- reading it ---- */

/* NULL, and a note, when it cannot be read. */
static struct hive *open_hive(const struct win_reader *reader, const char *name, char **ret_path)
{
    CLEANUP_FREE char *path =
        mem_printf("%s/System32/config/%s", reader->windows->system_root, name);
    struct hive *hive = NULL;
    struct err err = ERR_NONE;
    char text[2 * ERR_TEXT];

    free(*ret_path);
    *ret_path = windows_spelling(reader->root, path);
    if (hive_open(reader->root, *ret_path, &hive, &err) < 0) {
        strlist_take(&reader->windows->notes, mem_printf("%s cannot be read: %s", *ret_path,
                                                         err_text(&err, text, sizeof(text))));
        return NULL;
    }
    reader->windows->hive_dirty |= hive_recovery(hive)->state != REGF_CLEAN;
    return hive;
}

static void reader_open(const struct guest_root *root, struct facts *facts, struct win_reader *ret)
{
    struct fact_windows *windows = fact_windows_new();

    fact_windows_free(facts->windows);
    facts->windows = windows;
    *ret = (struct win_reader){ .root = root, .facts = facts, .windows = windows };
    free(windows->system_root);
    windows->system_root = windows_folder(root);
    if (!windows->system_root)
        windows->system_root = mem_strdup("/Windows"); /* it has gone since it was found */
    ret->system = open_hive(ret, "SYSTEM", &windows->system_hive);
    ret->software = open_hive(ret, "SOFTWARE", &windows->software_hive);
    windows_control_sets(ret);
    windows_version(ret);
}

static void close_hive(const struct win_reader *reader, struct hive *hive, const char *path)
{
    if (hive && hive_is_exhausted(hive))
        strlist_take(
            &reader->windows->notes,
            mem_printf("%s has so many keys and values that not all of it was read", path));
    hive_free(hive);
}

static void reader_close(const struct win_reader *reader)
{
    close_hive(reader, reader->system, reader->windows->system_hive);
    close_hive(reader, reader->software, reader->windows->software_hive);
}

static void identify(const struct guest_root *root, struct facts *facts)
{
    struct win_reader reader;

    facts->os = OS_WINDOWS;
    facts_set(&facts->type, "windows");
    facts_set(&facts->distro, "windows");
    reader_open(root, facts, &reader);
    reader_close(&reader);
}

/* Windows mounts everything itself; what counts is where it is and what starts it. */
static void mounts(const struct guest_root *root, struct facts *facts)
{
    const struct fact_device *device = facts_root_device(facts);
    struct fact_mount *mount = facts_add_mount(facts);

    (void)root;
    mount->device = device;
    mount->at_boot = true;
    facts_set(&mount->source, device ? device->name : "");
    facts_set(&mount->target, "/");
    facts_set(&mount->type, device ? device->fstype : "");
}

static bool is_hibernated(const struct guest_root *root)
{
    struct err err = ERR_NONE;
    uint8_t head[4];

    return guest_pread(root, "/hiberfil.sys", head, sizeof(head), 0, &err) == sizeof(head) &&
           hibernation_is_image(head);
}

static bool is_bitlocker(const struct facts *facts)
{
    const struct fact_device *root = facts_root_device(facts);

    for (size_t i = 0; root && *root->decrypts && i < facts->n_devices; i++)
        if (strcmp(facts->devices[i].name, root->decrypts) == 0)
            return strcasecmp(facts->devices[i].fstype, "BitLocker") == 0;
    return false;
}

static int collect(const struct guest_root *root, const struct inspect_opts *opts,
                   struct facts *facts, struct err *err)
{
    struct win_reader reader;

    (void)err; /* what cannot be read is unknown, not an error */
    reader_open(root, facts, &reader);
    windows_boot(root, facts);
    windows_drives(&reader);
    windows_nics(&reader);
    windows_drivers(&reader);
    windows_software(&reader);
    if (opts->with_packages)
        windows_packages(&reader);
    facts->windows->hibernated = is_hibernated(root);
    facts->windows->bitlocker = is_bitlocker(facts);
    reader_close(&reader);
    return 0;
}

const struct os_probe os_probe_windows = {
    .name = "windows",
    .os = OS_WINDOWS,
    .match = match,
    .identify = identify,
    .mounts = mounts,
    .mount_rest = windows_mount_system,
    .collect = collect,
};
