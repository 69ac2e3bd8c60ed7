/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The copy is made into a tmpfs that is not mounted anywhere yet: whatever names the FAT directory
 * has, ".." of its root is itself. mtools turns a slash in a name into a backslash.
 */
#include "storage/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/exec.h"
#include "engine/base/mem.h"
#include "engine/guest.h"
#include "storage/fsmount.h"

#define FILES_MAX 65536U
#define TIMEOUT_MS 120000U
#define ARGS_MAX 8

/* One file or folder of the copy, as it was when it was last equal to the FAT file system. */
struct entry {
    char *path; /* "/EFI/BOOT" */
    struct stat st;
};

struct manifest {
    struct entry *entries; /* a folder comes before what is in it */
    size_t n;
};

struct staging {
    char *node;
    int fd; /* the tmpfs */
    struct guest_root *root;
    struct manifest manifest;
};

static void manifest_done(struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->n; i++)
        free(manifest->entries[i].path);
    free(manifest->entries);
    *manifest = (struct manifest){ 0 };
}

void staging_free(struct staging *staging)
{
    if (!staging)
        return;
    guest_root_free(staging->root);
    cleanup_fd(&staging->fd);
    manifest_done(&staging->manifest);
    free(staging->node);
    free(staging);
}

static void staging_cleanup(struct staging **staging)
{
    staging_free(*staging);
}

/* Run one of the mtools on the device. Names in the copy reach it below /proc/self/fd. @result may
 * be NULL. */
static int mtool_output(const struct staging *staging, const char *const *args, size_t n_args,
                        struct exec_result *result, struct err *err)
{
    /* no confirmation is ever possible; file names are Unicode whatever the caller's locale */
    const char *argv[4 + ARGS_MAX + 3] = { "env", "MTOOLS_SKIP_CHECK=1", "MTOOLSRC=/dev/null",
                                           "LC_ALL=C.UTF-8" };
    struct exec_opts opts = {
        .argv = argv,
        .package = "mtools",
        .timeout_ms = TIMEOUT_MS,
        .keep_fds = &staging->fd,
        .n_keep_fds = 1,
    };
    size_t n = 4;

    argv[n++] = args[0];
    argv[n++] = "-i";
    argv[n++] = staging->node;
    for (size_t i = 1; i < n_args; i++)
        argv[n++] = args[i];
    argv[n] = NULL;
    return exec_check(&opts, result, err);
}

static int mtool(const struct staging *staging, const char *const *args, size_t n_args,
                 struct err *err)
{
    return mtool_output(staging, args, n_args, NULL, err);
}

static int add_folder(const struct guest_root *root, const char *folder, struct manifest *manifest,
                      struct err *err)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    int r = guest_list(root, folder, &names, err);

    for (size_t i = 0; r == 0 && i < names.n; i++) {
        struct entry entry = { 0 };

        if (manifest->n == FILES_MAX)
            return err_set(err, E2BIG, "%s: more than %u files", folder, FILES_MAX);
        entry.path = mem_printf("%s/%s", strcmp(folder, "/") == 0 ? "" : folder, names.items[i]);
        r = guest_lstat(root, entry.path, &entry.st);
        if (r == 0 && !S_ISREG(entry.st.st_mode) && !S_ISDIR(entry.st.st_mode))
            r = -EINVAL;
        if (r < 0) {
            (void)err_set(err, -r, "%s cannot be kept in a FAT file system", entry.path);
            free(entry.path);
            return r;
        }
        *(struct entry *)mem_add(&manifest->entries, &manifest->n, sizeof(entry)) = entry;
    }
    return r;
}

/* Folder by folder: the list is its own queue. */
static int list_all(const struct guest_root *root, struct manifest *ret, struct err *err)
{
    int r = add_folder(root, "/", ret, err);

    for (size_t i = 0; r == 0 && i < ret->n; i++)
        if (S_ISDIR(ret->entries[i].st.st_mode))
            r = add_folder(root, ret->entries[i].path, ret, err);
    return r;
}

static const struct entry *find(const struct manifest *manifest, const char *path)
{
    for (size_t i = 0; i < manifest->n; i++)
        if (strcmp(manifest->entries[i].path, path) == 0)
            return &manifest->entries[i];
    return NULL;
}

static int new_tmpfs(uint64_t size_bytes, int *ret_fd, struct err *err)
{
    char size[32], inodes[32];
    const struct fsmount_option options[] = {
        { "size", size },
        { "nr_inodes", inodes },
        { "mode", "0700" },
    };
    const struct fsmount_opts opts = {
        .type = "tmpfs",
        .options = options,
        .n_options = ARRAY_SIZE(options),
    };

    (void)snprintf(size, sizeof(size), "%llu",
                   (unsigned long long)(size_bytes < STAGING_MAX ? size_bytes : STAGING_MAX));
    (void)snprintf(inodes, sizeof(inodes), "%u", FILES_MAX);
    return fsmount_new(&opts, ret_fd, err);
}

/* Is that why not all could be copied? */
static bool is_full(int fd)
{
    struct statvfs fs;

    return fstatvfs(fd, &fs) == 0 && (fs.f_bavail == 0 || fs.f_favail == 0);
}

int staging_load(const char *node, uint64_t size_bytes, int *ret_fd, struct staging **ret,
                 struct err *err)
{
    CLEANUP(staging_cleanup) struct staging *staging = mem_alloc(sizeof(*staging));
    CLEANUP_FREE char *to = NULL;
    CLEANUP_FD int fd = -1;
    int r;

    staging->fd = -1;
    staging->node = mem_strdup(node);
    r = new_tmpfs(size_bytes, &staging->fd, err);
    if (r < 0)
        return err_wrap(err, "make room for a copy");
    to = mem_printf("/proc/self/fd/%d/", staging->fd);
    const char *const args[] = { "mcopy", "-s", "-n", "-Q", "-m", "::/", to };

    r = mtool(staging, args, ARRAY_SIZE(args), err);
    if (r < 0 && is_full(staging->fd))
        return err_status(
            err, STATUS_HOST,
            "without the kernel's driver for vfat (module vfat) only FAT file systems "
            "that hold less than %llu MiB in %u files are served: load or install it",
            STAGING_MAX >> 20, FILES_MAX);
    if (r == 0)
        r = guest_root_new(staging->fd, &staging->root, err);
    if (r == 0)
        r = list_all(staging->root, &staging->manifest, err);
    if (r < 0)
        return err_wrap(err, "copy the FAT file system");
    fd = fcntl(staging->fd, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return err_set(err, errno, "copy a descriptor");
    *ret_fd = TAKE_FD(fd);
    *ret = TAKE(staging);
    return 0;
}

/* Gone, or of another kind than it was. Deepest first. */
static int remove_old(const struct staging *staging, const struct manifest *now, struct err *err)
{
    const struct manifest *old = &staging->manifest;

    for (size_t i = old->n; i > 0; i--) {
        const struct entry *entry = &old->entries[i - 1];
        const struct entry *same = find(now, entry->path);
        CLEANUP_FREE char *name = NULL;
        int r;

        if (same && S_ISDIR(same->st.st_mode) == S_ISDIR(entry->st.st_mode))
            continue;
        if (strpbrk(entry->path, "*?[]\\")) /* mtools would take it for a pattern */
            return err_set(err, EINVAL, "remove %s", entry->path);
        name = mem_printf("::%s", entry->path);
        const char *const args[] = { S_ISDIR(entry->st.st_mode) ? "mrd" : "mdel", name };

        r = mtool(staging, args, ARRAY_SIZE(args), err);
        if (r < 0)
            return err_wrap(err, "remove %s", entry->path);
    }
    return 0;
}

static bool is_same(const struct entry *old, const struct entry *now)
{
    return old && old->st.st_ino == now->st.st_ino && old->st.st_mode == now->st.st_mode &&
           old->st.st_size == now->st.st_size && old->st.st_mtim.tv_sec == now->st.st_mtim.tv_sec &&
           old->st.st_mtim.tv_nsec == now->st.st_mtim.tv_nsec;
}

/* "  A  SHR     ::/boot.ini": those of system, hidden and read-only files as mattrib takes them. */
static size_t attributes_of(const char *line, const char *ret[])
{
    static const struct {
        char letter;
        const char *option;
    } kinds[] = { { 'S', "+s" }, { 'H', "+h" }, { 'R', "+r" } };
    size_t n = 0, before = strcspn(line, ":");

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (memchr(line, kinds[i].letter, before))
            ret[n++] = kinds[i].option;
    return n;
}

/* mcopy puts a new file in the place of the old one; what Windows knows that by is kept. */
static int write_over(const struct staging *staging, const char *from, const char *name,
                      struct err *err)
{
    CLEANUP_EXEC struct exec_result result = { 0 };
    const char *const show[] = { "mattrib", name };
    const char *const copy[] = { "mcopy", "-D", "o", "-Q", "-m", from, name };
    const char *set[ARGS_MAX] = { "mattrib" };
    size_t n = 1;
    int r = mtool_output(staging, show, ARRAY_SIZE(show), &result, err);

    if (r == 0)
        r = mtool(staging, copy, ARRAY_SIZE(copy), err);
    if (r < 0)
        return r;
    n += attributes_of(strbuf_text(&result.out), set + 1);
    set[n++] = name;
    return n > 2 ? mtool(staging, set, n, err) : 0;
}

/* -D: names that differ in case only are one name on FAT; "s" keeps a folder, "o" overwrites. */
static int write_new(const struct staging *staging, const struct manifest *now, struct err *err)
{
    for (size_t i = 0; i < now->n; i++) {
        const struct entry *entry = &now->entries[i];
        const struct entry *old = find(&staging->manifest, entry->path);
        CLEANUP_FREE char *from = mem_printf("/proc/self/fd/%d%s", staging->fd, entry->path);
        CLEANUP_FREE char *name = mem_printf("::%s", entry->path);
        const char *const folder[] = { "mmd", "-D", "s", name };
        const char *const file[] = { "mcopy", "-D", "o", "-Q", "-m", from, name };
        bool was_file = old && S_ISREG(old->st.st_mode);
        int r = 0;

        if (S_ISDIR(entry->st.st_mode) && (!old || !S_ISDIR(old->st.st_mode)))
            r = mtool(staging, folder, ARRAY_SIZE(folder), err);
        else if (S_ISREG(entry->st.st_mode) && !is_same(old, entry))
            r = was_file && !strpbrk(entry->path, "*?[]")
                    ? write_over(staging, from, name, err)
                    : mtool(staging, file, ARRAY_SIZE(file), err);
        if (r < 0)
            return err_wrap(err, "write %s", entry->path);
    }
    return 0;
}

static int sync_node(const char *node, struct err *err)
{
    CLEANUP_FD int fd = open(node, O_RDWR | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0)
        return err_set(err, errno, "sync %s", node);
    return 0;
}

int staging_save(struct staging *staging, struct err *err)
{
    struct manifest now = { 0 };
    int r = list_all(staging->root, &now, err);

    if (r == 0)
        r = remove_old(staging, &now, err);
    if (r == 0)
        r = write_new(staging, &now, err);
    if (r == 0)
        r = sync_node(staging->node, err);
    if (r < 0) {
        manifest_done(&now);
        return err_wrap(err, "write the FAT file system back");
    }
    manifest_done(&staging->manifest);
    staging->manifest = now;
    return 0;
}
