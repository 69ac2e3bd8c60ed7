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
#define STRANGERS_MAX 200U  /* siblings whose headers are read though their names say nothing */
#define SIBLING_TEXT 65536U /* bytes of a sibling's descriptor */

/* qcow2: docs/interop/qcow2.txt */
#define QCOW2_HEADER 20U /* up to backing_file_size */
#define BACKING_MAX 1023U

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

/* The image that is looked at, and what its folder may still cost. */
struct guarded {
    int dir_fd;
    const char *name;      /* of the image, without folder */
    const char *as_parent; /* under which a VMDK snapshot knows it */
    size_t stems[3], n_stems;
    unsigned strangers;
    struct stat st;
};

static int open_sibling(const struct guarded *guarded, const char *sibling)
{
    CLEANUP_FD int fd =
        openat(guarded->dir_fd, sibling, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return -1;
    return TAKE_FD(fd);
}

/* The text of a sibling's descriptor: the file itself, or what follows a sparse header. */
static bool vmdk_is_child(const struct guarded *guarded, const char *sibling)
{
    CLEANUP_FD int fd = open_sibling(guarded, sibling);
    CLEANUP_FREE char *text = NULL;
    const char *base;
    char parent[256];
    ssize_t n;

    if (fd < 0)
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
    return strcmp(base, guarded->as_parent) == 0;
}

static bool qcow2_is_child(const struct guarded *guarded, const char *sibling)
{
    CLEANUP_FD int fd = open_sibling(guarded, sibling);
    unsigned char raw[QCOW2_HEADER];
    char backing[BACKING_MAX + 1] = "";
    const char *base;
    uint32_t len;
    struct stat st;

    if (fd < 0 || pread(fd, raw, sizeof(raw), 0) != (ssize_t)sizeof(raw) ||
        memcmp(raw, "QFI\xfb", 4) != 0)
        return false;
    len = get_be32(raw + 16);
    if (get_be64(raw + 8) == 0 || get_be64(raw + 8) > INT64_MAX || len == 0 || len > BACKING_MAX ||
        pread(fd, backing, len, (off_t)get_be64(raw + 8)) != (ssize_t)len)
        return false;
    if (fstatat(guarded->dir_fd, backing, &st, 0) == 0)
        return st.st_dev == guarded->st.st_dev && st.st_ino == guarded->st.st_ino;
    /* the folder was moved or copied as a whole: the old path leads nowhere */
    base = strrchr(backing, '/');
    return base && strcmp(base + 1, guarded->name) == 0;
}

/* Hyper-V calls a checkpoint of NAME.vhdx NAME_<GUID>.avhdx, and removes it when it is merged. */
static bool is_checkpoint(const struct guarded *guarded, const char *sibling)
{
    return sibling[guarded->stems[0]] == '_' &&
           strncmp(sibling, guarded->name, guarded->stems[0]) == 0;
}

/* libvirt calls a snapshot of NAME.qcow2 NAME.<snapshot>, whatever its format. */
static const struct {
    const char *suffix; /* "": any, but the name must start as the image's does */
    bool (*is_child)(const struct guarded *guarded, const char *sibling);
    bool reads;
} child_kinds[] = {
    { ".vmdk", vmdk_is_child, true },  { ".qcow2", qcow2_is_child, true },
    { ".avhd", is_checkpoint, false }, { ".avhdx", is_checkpoint, false },
    { "", qcow2_is_child, true },
};

/* The name under which a parent is written down: the descriptor's, also for its flat extent. */
static char *parent_name(const char *image)
{
    size_t len = strlen(image);

    if (len > 10 && strcmp(image + len - 10, "-flat.vmdk") == 0)
        return mem_printf("%.*s.vmdk", (int)(len - 10), image);
    return mem_strdup(image);
}

/* Is @name a disk whose parent the image is? Every overlay in a large folder asks that of every
 * other, so of files whose names have nothing to do with the image only some are opened. */
static bool is_child(struct guarded *guarded, const char *name)
{
    const char *dot = strrchr(guarded->as_parent, '.');
    size_t stem = dot ? (size_t)(dot - guarded->as_parent) : strlen(guarded->as_parent);
    bool akin = strncmp(name, guarded->as_parent, stem) == 0;
    size_t len = strlen(name);

    /* our own, over the image that is being worked on */
    if (strcmp(name, guarded->name) == 0 || ends_with(name, len, ".h2k-overlay"))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(child_kinds); i++) {
        const char *suffix = child_kinds[i].suffix;

        if (!ends_with(name, len, suffix) || (!*suffix && !akin))
            continue;
        if (child_kinds[i].reads && !akin && guarded->strangers++ >= STRANGERS_MAX)
            return false;
        return child_kinds[i].is_child(guarded, name);
    }
    return false;
}

static int check_sibling(struct guarded *guarded, const char *name, struct err *err)
{
    for (size_t i = 0; i < guarded->n_stems; i++)
        if (is_state_of(name, guarded->name, guarded->stems[i]))
            return err_status(
                err, STATUS_REFUSED,
                "%s lies beside it: the machine runs or is suspended; shut it down, or "
                "use --allow-stale if that file is a leftover",
                name);
    if (is_child(guarded, name))
        return err_status(err, STATUS_REFUSED,
                          "%s is a snapshot of it, so it is not the newest state; consolidate the "
                          "snapshots, or use --allow-stale to take the old state",
                          name);
    return 0;
}

int image_guard_commit(const char *path, const struct image_opts *opts, struct err *err)
{
    CLEANUP_FREE char *marker = mem_printf("%s.h2k-commit", path);
    struct stat st;

    if (opts->allow_commit_pending || lstat(marker, &st) < 0)
        return 0;
    return err_status(err, STATUS_REFUSED,
                      "a commit into it was interrupted (%s): run h2k offline-fix --in-place on "
                      "it again to finish it",
                      marker);
}

int image_guard_folder(const char *path, const struct image_opts *opts, struct err *err)
{
    const char *slash = strrchr(path, '/');
    CLEANUP_FREE char *folder = mem_strndup(path, slash == path ? 1 : (size_t)(slash - path));
    CLEANUP_FREE char *as_parent = parent_name(slash + 1);
    CLEANUP_DIR DIR *dir = NULL;
    const struct dirent *entry;
    struct guarded guarded = { .name = slash + 1, .as_parent = as_parent };

    if (opts->allow_stale)
        return 0;
    dir = opendir(folder);
    /* a folder that may be entered but not listed: nothing to be seen there */
    if (!dir)
        return errno == EACCES ? 0 : err_set(err, errno, "list %s", folder);
    guarded.dir_fd = dirfd(dir);
    guarded.n_stems = stems(guarded.name, guarded.stems, ARRAY_SIZE(guarded.stems));
    if (stat(path, &guarded.st) < 0)
        return err_set(err, errno, "look at %s", path);
    for (unsigned n = 0; n < SIBLINGS_MAX; n++) {
        entry = readdir(dir);
        if (!entry)
            break;
        if (check_sibling(&guarded, entry->d_name, err) < 0)
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
