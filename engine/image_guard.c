/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/image_guard.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/le.h"
#include "engine/image_vmdk.h"

#define SIBLINGS_MAX 65536U /* names looked at in one folder */
#define SIBLING_TEXT 65536U /* bytes of a sibling's descriptor */

static const char *const state_suffixes[] = { ".lck", ".vswp", ".vmss" };

static bool ends_with(const char *name, size_t len, const char *suffix)
{
    size_t n = strlen(suffix);

    return len >= n && strncasecmp(name + len - n, suffix, n) == 0;
}

/* "-1a2b3c4d" is what ESX adds to the machine's name, and "-1" to that of the process's own swap
 * file, vmx-NAME-1a2b3c4d-1.vswp. */
static bool is_hex_suffix(const char *text, size_t len, bool of_process)
{
    if (of_process && len > 10 && text[9] == '-') {
        for (size_t i = 10; i < len; i++)
            if (!isdigit((unsigned char)text[i]))
                return false;
        len = 9;
    }
    if (len != 9 || text[0] != '-')
        return false;
    for (size_t i = 1; i < len; i++)
        if (!isxdigit((unsigned char)text[i]))
            return false;
    return true;
}

/* Is @name a state file of the machine whose files start with the first @stem bytes of @image? */
static bool is_state_of(const char *name, const char *image, size_t stem)
{
    bool of_process = strncmp(name, "vmx-", 4) == 0 && ends_with(name, strlen(name), ".vswp");
    size_t len, middle;

    if (of_process)
        name += 4;
    len = strlen(name);
    if (len <= stem || strncmp(name, image, stem) != 0)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(state_suffixes); i++) {
        if (!ends_with(name, len, state_suffixes[i]) || len < stem + strlen(state_suffixes[i]))
            continue;
        middle = len - stem - strlen(state_suffixes[i]);
        /* NAME.lck, NAME.vmdk.lck, NAME-1a2b3c4d.vswp; not OTHERNAME.vswp */
        if (middle == 0 || is_hex_suffix(name + stem, middle, of_process) ||
            (name[stem] == '.' && strcasecmp(state_suffixes[i], ".lck") == 0))
            return true;
    }
    return false;
}

/* Lengths of the names that the machine of @image may have: "vm_1-flat.vmdk" is of vm_1-flat, of
 * vm_1 and of vm. */
static size_t stems(const char *image, size_t *ret, size_t max)
{
    const char *dot = strrchr(image, '.');
    size_t len = dot && dot != image ? (size_t)(dot - image) : strlen(image);
    size_t n = 0, digits = 0;

    ret[n++] = len;
    if (n < max && len > 5 && strncmp(image + len - 5, "-flat", 5) == 0) {
        len -= 5;
        ret[n++] = len;
    }
    while (digits < len && isdigit((unsigned char)image[len - 1 - digits]))
        digits++;
    if (n < max && digits > 0 && len > digits + 1 && strchr("_-", image[len - 1 - digits]))
        ret[n++] = len - 1 - digits;
    return n;
}

/* The text of a sibling's descriptor: the file itself, or what follows a sparse header. */
static bool sibling_names(int dir_fd, const char *sibling, const char *image)
{
    CLEANUP_FD int fd =
        openat(dir_fd, sibling, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    CLEANUP_FREE char *text = NULL;
    const char *base;
    char parent[256];
    struct stat st;
    ssize_t n;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    text = mem_alloc(SIBLING_TEXT);
    n = pread(fd, text, 512, 0);
    if (n < 4)
        return false;
    if (memcmp(text, "KDMV", 4) == 0)
        n = pread(fd, text, SIBLING_TEXT, 512);
    else if (text[0] == '#')
        n = pread(fd, text, SIBLING_TEXT, 0);
    else
        return false;
    if (n <= 0 || !vmdk_names_parent(text, (size_t)n, parent, sizeof(parent)))
        return false;
    base = strrchr(parent, '/');
    base = base ? base + 1 : parent;
    if (strrchr(base, '\\'))
        base = strrchr(base, '\\') + 1;
    return strcmp(base, image) == 0;
}

/* The name under which a parent is written down: the descriptor's, also for its flat extent. */
static char *parent_name(const char *image)
{
    size_t len = strlen(image);

    if (len > 10 && strcmp(image + len - 10, "-flat.vmdk") == 0)
        return mem_printf("%.*s.vmdk", (int)(len - 10), image);
    return mem_strdup(image);
}

static int check_sibling(int dir_fd, const char *name, const char *image, const char *as_parent,
                         struct err *err)
{
    size_t lengths[3];
    size_t n = stems(image, lengths, ARRAY_SIZE(lengths));

    for (size_t i = 0; i < n; i++)
        if (is_state_of(name, image, lengths[i]))
            return err_status(
                err, STATUS_REFUSED,
                "%s lies beside it: the machine runs or is suspended; shut it down, or "
                "use --allow-stale if that file is a leftover",
                name);
    if (strcmp(name, image) != 0 && ends_with(name, strlen(name), ".vmdk") &&
        sibling_names(dir_fd, name, as_parent))
        return err_status(err, STATUS_REFUSED,
                          "%s is a snapshot of it, so it is not the newest state; consolidate the "
                          "snapshots, or use --allow-stale to take the old state",
                          name);
    return 0;
}

int image_guard_folder(const char *path, const struct image_opts *opts, struct err *err)
{
    const char *slash = strrchr(path, '/');
    CLEANUP_FREE char *folder = mem_strndup(path, slash == path ? 1 : (size_t)(slash - path));
    CLEANUP_FREE char *marker = mem_printf("%s.h2k-commit", path);
    CLEANUP_FREE char *as_parent = parent_name(slash + 1);
    CLEANUP_DIR DIR *dir = NULL;
    const struct dirent *entry;
    struct stat st;

    if (!opts->allow_commit_pending && lstat(marker, &st) == 0)
        return err_status(
            err, STATUS_REFUSED,
            "a commit into it was interrupted (%s): run h2k offline-fix --in-place on "
            "it again to finish it",
            marker);
    if (opts->allow_stale)
        return 0;
    dir = opendir(folder);
    /* a folder that may be entered but not listed: nothing to be seen there */
    if (!dir)
        return errno == EACCES ? 0 : err_set(err, errno, "list %s", folder);
    for (unsigned n = 0; n < SIBLINGS_MAX; n++) {
        entry = readdir(dir);
        if (!entry)
            break;
        if (check_sibling(dirfd(dir), entry->d_name, slash + 1, as_parent, err) < 0)
            return -err->code;
    }
    return 0;
}

int image_guard_locks(int fd, const char *path, struct err *err)
{
    /* len 0: to the end of the file and beyond */
    static const struct {
        short type;
        off_t start, len;
    } probes[] = {
        { F_RDLCK, 0, 0 },   /* anybody's exclusive lock */
        { F_WRLCK, 101, 1 }, /* qemu writes to it */
        { F_WRLCK, 103, 1 }, /* qemu resizes it */
        { F_WRLCK, 200, 1 }, /* qemu lets nobody read */
    };

    for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
        struct flock lock = { .l_type = probes[i].type,
                              .l_whence = SEEK_SET,
                              .l_start = probes[i].start,
                              .l_len = probes[i].len };

        /* a file system without locks has no lock to be found */
        if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
            return 0;
        if (lock.l_type != F_UNLCK)
            return err_status(err, STATUS_TEMPORARY,
                              "%s is in use by another process (it is locked): shut the machine "
                              "down and try again",
                              path);
    }
    return 0;
}
