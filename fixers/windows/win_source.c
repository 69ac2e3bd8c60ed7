/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/win_source.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/windows/inf.h"
#include "fixers/windows/virtio_win.h"

#define BLOCK_SIZE (1U << 16)
#define PATH_LEN_MAX 1024U
#define DEPTH_MAX 12U /* of folders */

/* ---- names ---- */

/* The path without what says "here"; NULL: it leads elsewhere, or nowhere. */
static const char *clean_path(const char *path)
{
    const char *part = path;

    while (strncmp(path, "./", 2) == 0 || *path == '/')
        path += *path == '/' ? 1 : 2;
    if (!*path || strlen(path) > PATH_LEN_MAX)
        return NULL;
    for (part = path; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "../", 3) == 0 || strcmp(part, "..") == 0 || strchr(part, '\\'))
            return NULL;
    }
    for (part = path; *part; part++)
        if ((unsigned char)*part < ' ')
            return NULL;
    return path;
}

const char *win_source_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

bool win_source_is_inf(const char *path)
{
    size_t len = strlen(path);

    return len > 4 && strcasecmp(path + len - 4, ".inf") == 0;
}

static int compare_entries(const void *a, const void *b)
{
    const struct win_entry *left = a, *right = b;
    int order = strcasecmp(left->path, right->path);

    return order != 0 ? order : strcmp(left->path, right->path);
}

struct win_entry *win_source_find(const struct win_source *source, const char *path)
{
    size_t low = 0, high = source->n_entries;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcasecmp(source->entries[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < source->n_entries && strcasecmp(source->entries[low].path, path) == 0
               ? &source->entries[low]
               : NULL;
}

static int add_entry(struct win_source *source, const char *path, size_t number, struct err *err)
{
    struct win_entry *entry;

    if (source->n_entries == VIRTIO_WIN_ENTRIES_MAX)
        return err_set(err, E2BIG, "%s has more than %u files", source->path,
                       VIRTIO_WIN_ENTRIES_MAX);
    entry = mem_add(&source->entries, &source->n_entries, sizeof(*source->entries));
    entry->path = mem_strdup(path);
    entry->number = number;
    entry->wanted = win_source_is_inf(path);
    return 0;
}

static size_t limit_of(const struct win_source *source, const struct win_entry *entry)
{
    uint64_t left = VIRTIO_WIN_LOADED_MAX - source->loaded;
    size_t most = win_source_is_inf(entry->path) ? INF_MAX : VIRTIO_WIN_FILE_MAX;

    return left < most ? (size_t)left : most;
}

static void keep(struct win_source *source, struct win_entry *entry, char *data, size_t len)
{
    entry->data = data;
    entry->len = len;
    entry->wanted = false;
    source->loaded += len;
}

/* ---- a folder ---- */

static size_t depth_of(const char *path)
{
    size_t depth = 0;

    for (; *path; path++)
        depth += *path == '/';
    return depth;
}

/* Files of one folder become entries, folders in it go to @todo. */
static int list_folder(struct win_source *source, const char *folder, struct strlist *todo,
                       struct err *err)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    int n = guest_list(source->root, folder, &names, err);

    for (size_t i = 0; n == 0 && i < names.n; i++) {
        CLEANUP_FREE char *path =
            mem_printf("%s%s%s", folder, folder[1] ? "/" : "", names.items[i]);
        const char *clean = clean_path(path);
        struct stat st;

        if (!clean || guest_lstat(source->root, path, &st) < 0)
            continue;
        if (S_ISREG(st.st_mode))
            n = add_entry(source, clean, 0, err);
        else if (S_ISDIR(st.st_mode) && depth_of(path) < DEPTH_MAX)
            strlist_add(todo, path);
        if (todo->n > VIRTIO_WIN_ENTRIES_MAX)
            n = err_set(err, E2BIG, "%s has too many folders", source->path);
    }
    return n;
}

static int list_folders(struct win_source *source, struct err *err)
{
    CLEANUP_STRLIST struct strlist todo = { 0 };
    int n = 0;

    strlist_add(&todo, "/");
    for (size_t i = 0; n == 0 && i < todo.n; i++) {
        CLEANUP_FREE char *folder = mem_strdup(todo.items[i]); /* the list moves */

        n = list_folder(source, folder, &todo, err);
    }
    return n;
}

static int load_folder(struct win_source *source, struct err *err)
{
    for (size_t i = 0; i < source->n_entries; i++) {
        struct win_entry *entry = &source->entries[i];
        CLEANUP_FREE char *path = mem_printf("/%s", entry->path);
        char *data = NULL;
        size_t len = 0;
        int n;

        if (!entry->wanted || entry->data)
            continue;
        n = guest_read(source->root, path, limit_of(source, entry), &data, &len, err);
        if (n < 0)
            return err_wrap(err, "read %s of %s", entry->path, source->path);
        keep(source, entry, data, len);
    }
    return 0;
}

/* ---- an archive ---- */

static void archive_done(struct archive **archive)
{
    if (*archive)
        (void)archive_read_free(*archive);
}
#define CLEANUP_ARCHIVE CLEANUP(archive_done)

static int archive_failed(struct archive *archive, const struct win_source *source, struct err *err)
{
    const char *text = archive_error_string(archive);

    return err_set(err, EBADMSG, "%s as an ISO image, zip or tar: %s", source->path,
                   text ? text : "it cannot be read");
}

static int start(const struct win_source *source, struct archive **ret, struct err *err)
{
    *ret = archive_read_new();
    if (!*ret)
        return err_set(err, ENOMEM, "read %s", source->path);
    (void)archive_read_support_format_iso9660(*ret);
    (void)archive_read_support_format_tar(*ret);
    (void)archive_read_support_format_zip(*ret);
    (void)archive_read_support_filter_gzip(*ret);
    (void)archive_read_support_filter_xz(*ret);
    (void)archive_read_support_filter_zstd(*ret);
    if (archive_read_open_filename(*ret, source->path, BLOCK_SIZE) < ARCHIVE_WARN)
        return archive_failed(*ret, source, err);
    return 0;
}

/* The content of the entry that the archive is at. */
static int read_entry(struct archive *archive, struct win_source *source, struct win_entry *entry,
                      struct err *err)
{
    CLEANUP_STRBUF struct strbuf data = { 0 };
    CLEANUP_FREE char *block = mem_alloc(BLOCK_SIZE);
    size_t limit = limit_of(source, entry), len;
    la_ssize_t n;

    while ((n = archive_read_data(archive, block, BLOCK_SIZE)) > 0) {
        if ((size_t)n > limit - data.len)
            return err_set(err, EFBIG, "%s of %s has more than %zu bytes", entry->path,
                           source->path, limit);
        strbuf_add(&data, block, (size_t)n);
    }
    if (n < 0)
        return archive_failed(archive, source, err);
    len = data.len;
    keep(source, entry, strbuf_take(&data), len);
    return 0;
}

/* Files that are stored once under several names are "hard links" to the first one. */
static int list_entry(struct win_source *source, struct archive_entry *entry, size_t number,
                      struct err *err)
{
    const char *name = archive_entry_pathname_utf8(entry);
    const char *link = archive_entry_hardlink_utf8(entry);
    const char *path = name ? clean_path(name) : NULL;

    if (!path || (!link && archive_entry_filetype(entry) != AE_IFREG))
        return 0;
    link = link ? clean_path(link) : NULL;
    for (size_t i = source->n_entries; link && i-- > 0;)
        if (strcmp(source->entries[i].path, link) == 0)
            return add_entry(source, path, source->entries[i].number, err);
    return archive_entry_hardlink_utf8(entry) ? 0 : add_entry(source, path, number, err);
}

static int list_archive(struct win_source *source, struct err *err)
{
    CLEANUP_ARCHIVE struct archive *archive = NULL;
    struct archive_entry *entry;
    int n = start(source, &archive, err), status = ARCHIVE_EOF;

    for (size_t number = 0; n == 0; number++) {
        status = archive_read_next_header(archive, &entry);
        if (status == ARCHIVE_EOF)
            break;
        if (status < ARCHIVE_WARN)
            return archive_failed(archive, source, err);
        n = number < VIRTIO_WIN_ENTRIES_MAX ? list_entry(source, entry, number, err)
                                            : err_set(err, E2BIG, "%s has more than %u entries",
                                                      source->path, VIRTIO_WIN_ENTRIES_MAX);
    }
    return n;
}

/* For each entry of the archive how many of ours want its content. Returns how many do in all. */
static size_t count_wanted(const struct win_source *source, unsigned *ret)
{
    size_t n = 0;

    for (size_t i = 0; i < source->n_entries; i++) {
        const struct win_entry *entry = &source->entries[i];

        if (entry->wanted && !entry->data) {
            ret[entry->number]++;
            n++;
        }
    }
    return n;
}

/* Read it once, further names of it get copies. */
static int read_wanted(struct archive *archive, struct win_source *source, size_t number,
                       struct err *err)
{
    const struct win_entry *first = NULL;
    int n = 0;

    for (size_t i = 0; n == 0 && i < source->n_entries; i++) {
        struct win_entry *entry = &source->entries[i];

        if (!entry->wanted || entry->data || entry->number != number)
            continue;
        if (!first)
            n = read_entry(archive, source, entry, err);
        else if (first->len > limit_of(source, entry))
            n = err_set(err, EFBIG, "%s: files are too large", source->path);
        else
            keep(source, entry, mem_dup(first->data, first->len + 1), first->len);
        first = first ? first : entry;
    }
    return n;
}

static int load_archive(struct win_source *source, struct err *err)
{
    CLEANUP_ARCHIVE struct archive *archive = NULL;
    CLEANUP_FREE unsigned *wanted = mem_alloc(VIRTIO_WIN_ENTRIES_MAX * sizeof(*wanted));
    size_t left = count_wanted(source, wanted);
    struct archive_entry *head;
    int n = left > 0 ? start(source, &archive, err) : 0;

    for (size_t number = 0; n == 0 && left > 0; number++) {
        if (number == VIRTIO_WIN_ENTRIES_MAX ||
            archive_read_next_header(archive, &head) != ARCHIVE_OK)
            return archive_failed(archive, source, err);
        if (wanted[number] == 0)
            continue;
        n = read_wanted(archive, source, number, err);
        left -= wanted[number];
    }
    return n;
}

/* ---- either ---- */

int win_source_load(struct win_source *source, struct err *err)
{
    return source->root ? load_folder(source, err) : load_archive(source, err);
}

static int open_folder(struct win_source *source, int fd, struct err *err)
{
    int n = guest_root_new(fd, &source->root, err);

    return n < 0 ? n : list_folders(source, err);
}

int win_source_open(const char *path, struct win_source *ret, struct err *err)
{
    CLEANUP_FD int fd = openat(AT_FDCWD, path, O_PATH | O_CLOEXEC);
    struct stat st;
    int n;

    *ret = (struct win_source){ .path = NULL };
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set(err, errno, "drivers for Windows: open %s", path);
    if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
        return err_set(err, EINVAL, "%s is neither a folder nor a file", path);
    ret->path = mem_strdup(path);
    n = S_ISDIR(st.st_mode) ? open_folder(ret, fd, err) : list_archive(ret, err);
    if (n < 0)
        return n;
    if (ret->n_entries > 0)
        qsort(ret->entries, ret->n_entries, sizeof(*ret->entries), compare_entries);
    return win_source_load(ret, err);
}

void win_source_done(struct win_source *source)
{
    for (size_t i = 0; i < source->n_entries; i++) {
        free(source->entries[i].path);
        free(source->entries[i].data);
    }
    free(source->entries);
    guest_root_free(source->root);
    free(source->path);
    *source = (struct win_source){ .path = NULL };
}
