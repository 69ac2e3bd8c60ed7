/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Walks an image as the kernel's unpack_to_rootfs() (init/initramfs.c) does: zero bytes between
 * segments are skipped, '0' at a multiple of 4 starts a plain cpio archive, anything else must be a
 * compressed stream, which must end between two archives. */
#include "inspect/initramfs.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "inspect/cpio.h"
#include "inspect/decoder.h"
#include "inspect/modules_dep.h"

#define IN_CHUNK (256U << 10)
#define OUT_CHUNK (128U << 10)
#define IMAGE_MAX (1ULL << 30) /* bytes of the file: a sparse one has any size for nothing */
#define UNPACKED_MAX (2ULL << 30)
#define ENTRIES_MAX 500000U
#define NAMES_MAX (32U << 20) /* bytes of all names that are kept */
#define CONTENT_MAX (64U << 20)
#define LINK_MAX 4096U
#define KEPT_MAX (64U << 10) /* bytes of a file whose content is kept, and how many there are */
#define KEPT_FILES_MAX 64U

/* Documentation/admin-guide/bootconfig.rst: the last bytes of an initrd with a boot configuration
 */
#define BOOTCONFIG_MAGIC "#BOOTCONFIG\n"

/* ---- segments ---- */

struct walker {
    int fd;
    uint64_t size, pos; /* of the file; pos: of the next byte that nobody has taken */
    uint8_t *in;        /* IN_CHUNK bytes: a window of the file */
    uint64_t in_pos;    /* where it starts */
    size_t in_len;
    uint8_t *out; /* OUT_CHUNK bytes */
    struct cpio cpio;
    uint64_t unpacked;
    const char *compression; /* of the last compressed segment */
    unsigned n_segments;
    struct err *err;
};

/* Make *@ret the bytes at walker->pos: at least one while the file has any, IN_CHUNK at most. */
static int window(struct walker *walker, const uint8_t **ret, size_t *ret_len)
{
    uint64_t end = walker->in_pos + walker->in_len;

    if (walker->pos < walker->in_pos || walker->pos >= end) {
        uint64_t left = walker->size - walker->pos;
        size_t want = left < IN_CHUNK ? (size_t)left : IN_CHUNK;
        int r = io_pread_full(walker->fd, walker->in, want, walker->pos);

        if (r < 0)
            return err_set(walker->err, -r, "read the initramfs");
        walker->in_pos = walker->pos;
        walker->in_len = want;
        end = walker->pos + want;
    }
    *ret = walker->in + (walker->pos - walker->in_pos);
    *ret_len = (size_t)(end - walker->pos);
    return 0;
}

static int damaged(const struct walker *walker, const char *what)
{
    return err_set(walker->err, EBADMSG, "initramfs, near byte %llu: %s",
                   (unsigned long long)walker->pos, what);
}

static int count_unpacked(struct walker *walker, uint64_t len)
{
    walker->unpacked += len;
    if (walker->unpacked > UNPACKED_MAX || walker->cpio.n_entries > ENTRIES_MAX)
        return err_set(walker->err, EFBIG, "the initramfs unpacks to more than 2 GiB or %u files",
                       ENTRIES_MAX);
    return 0;
}

static int feed(struct walker *walker, const uint8_t *data, size_t len, size_t *ret_used)
{
    int r = cpio_feed(&walker->cpio, data, len, ret_used);

    if (r == -EBADMSG && walker->err->code == 0)
        return damaged(walker, "no cpio archive, or a damaged one");
    if (r < 0)
        return walker->err->code ? r : err_set(walker->err, -r, "read the initramfs");
    return 0;
}

/* An archive that lies in the file as it is; contents nobody wants are not read. */
static int walk_plain(struct walker *walker)
{
    if (walker->pos & 3)
        return damaged(walker, "an archive that is not at a multiple of 4");
    do {
        const uint8_t *data = NULL;
        size_t len = 0, used = 0;
        uint64_t skip;
        int r = window(walker, &data, &len);

        if (r < 0)
            return r;
        r = feed(walker, data, len, &used);
        if (r < 0)
            return r;
        walker->pos += used;
        skip = cpio_skippable(&walker->cpio);
        if (skip > walker->size - walker->pos)
            break;
        cpio_skip(&walker->cpio, skip);
        walker->pos += skip;
        r = count_unpacked(walker, used + skip);
        if (r < 0)
            return r;
    } while (walker->cpio.state != CPIO_BETWEEN && walker->pos < walker->size);
    if (walker->cpio.state != CPIO_BETWEEN)
        return damaged(walker, "the file ends inside an archive");
    return 0;
}

/* Unpacked bytes: archives with zero bytes between them. */
static int feed_archives(struct walker *walker, const uint8_t *data, size_t len)
{
    while (len > 0) {
        size_t used = 0;

        if (walker->cpio.state == CPIO_BETWEEN)
            while (used < len && data[used] == 0)
                used++;
        if (used == 0) {
            int r = feed(walker, data, len, &used);

            if (r < 0)
                return r;
        }
        data += used;
        len -= used;
    }
    return 0;
}

static void free_decoder(struct decoder **decoder)
{
    decoder_free(*decoder);
}

static int walk_compressed(struct walker *walker, const char *name)
{
    CLEANUP(free_decoder) struct decoder *decoder = decoder_new(name);
    int done = 0;

    if (!decoder)
        return err_set(walker->err, ENOMEM, "unpack the initramfs (%s)", name);
    walker->compression = name;
    while (!done) {
        struct decoder_io io = { .out = walker->out, .out_room = OUT_CHUNK };
        const uint8_t *start = walker->in;
        int r = 0;

        if (walker->pos < walker->size)
            r = window(walker, &start, &io.in_len);
        if (r < 0)
            return r;
        io.in = start;
        io.in_end = walker->pos + io.in_len == walker->size;
        done = decoder_step(decoder, &io);
        if (done == -EBADMSG)
            return damaged(walker, "compressed data that is damaged or cut off");
        if (done < 0)
            return err_set(walker->err, -done, "unpack the initramfs (%s)", name);
        walker->pos += (uint64_t)(io.in - start);
        r = count_unpacked(walker, OUT_CHUNK - io.out_room);
        if (r < 0)
            return r;
        r = feed_archives(walker, walker->out, OUT_CHUNK - io.out_room);
        if (r < 0)
            return r;
    }
    if (walker->cpio.state != CPIO_BETWEEN)
        return damaged(walker, "the compressed stream ends inside an archive");
    return 0;
}

static int walk_segment(struct walker *walker, uint8_t first)
{
    uint8_t magic[6] = { 0 };
    const char *name;
    size_t n = walker->size - walker->pos < sizeof(magic) ? (size_t)(walker->size - walker->pos)
                                                          : sizeof(magic);

    walker->n_segments++;
    if (first == '0')
        return walk_plain(walker);
    if (io_pread_full(walker->fd, magic, n, walker->pos) < 0)
        return damaged(walker, "the file cannot be read");
    name = decoder_detect(magic, n);
    if (!name)
        return err_set(walker->err, ENOTSUP,
                       "initramfs, near byte %llu: no compression that is known",
                       (unsigned long long)walker->pos);
    return walk_compressed(walker, name);
}

static int refuse_bootconfig(const struct walker *walker)
{
    char tail[sizeof(BOOTCONFIG_MAGIC) - 1];

    if (walker->size < sizeof(tail) ||
        io_pread_full(walker->fd, tail, sizeof(tail), walker->size - sizeof(tail)) < 0 ||
        memcmp(tail, BOOTCONFIG_MAGIC, sizeof(tail)) != 0)
        return 0;
    return err_set(walker->err, ENOTSUP, "the initramfs ends with a boot configuration");
}

/* All segments; what @sink returns below 0 ends the walk. */
static int walk(struct walker *walker, const struct cpio_sink *sink)
{
    CLEANUP_FREE uint8_t *in = mem_alloc(IN_CHUNK);
    CLEANUP_FREE uint8_t *out = mem_alloc(OUT_CHUNK);
    int r;

    if (walker->size > IMAGE_MAX)
        return err_set(walker->err, EFBIG, "the initramfs has %llu bytes",
                       (unsigned long long)walker->size);
    r = refuse_bootconfig(walker);
    walker->in = in;
    walker->out = out;
    cpio_init(&walker->cpio, sink);
    while (r >= 0 && walker->pos < walker->size) {
        const uint8_t *data = NULL;
        size_t len = 0, zeros = 0;

        r = window(walker, &data, &len);
        if (r < 0)
            break;
        while (zeros < len && data[zeros] == 0)
            zeros++;
        walker->pos += zeros;
        if (zeros < len)
            r = walk_segment(walker, data[zeros]);
    }
    if (r < 0)
        return r;
    return walker->n_segments ? 0 : damaged(walker, "nothing but zero bytes");
}

/* ---- names ---- */

/* "./usr/lib", "/usr/lib" -> "usr/lib" */
static const char *plain_name(const char *name)
{
    for (;;) {
        if (name[0] == '/')
            name++;
        else if (name[0] == '.' && name[1] == '/')
            name += 2;
        else
            return name;
    }
}

/* Length of "usr/lib/modules/VERSION" at the start of @name when more follows it; else 0. */
static size_t modules_prefix_len(const char *name)
{
    static const char *const folders[] = { "usr/lib/modules/", "lib/modules/" };

    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        size_t len = strlen(folders[i]);
        const char *slash;

        if (strncmp(name, folders[i], len) != 0)
            continue;
        slash = strchr(name + len, '/');
        return slash && slash > name + len && slash[1] ? (size_t)(slash - name) : 0;
    }
    return 0;
}

struct scan {
    struct walker walker;
    struct initramfs found;
    bool want_names;
    size_t kept;   /* bytes of names */
    char *reading; /* name of the link or file whose content is being read */
    bool is_link;
    struct strbuf content;
};

static int keep(struct scan *scan, struct strlist *list, const char *name)
{
    scan->kept += strlen(name) + sizeof(char *);
    if (scan->kept > NAMES_MAX)
        return err_set(scan->walker.err, EFBIG, "the initramfs has too many names");
    strlist_add(list, name);
    return 0;
}

static int keep_name(struct scan *scan, const char *name)
{
    return scan->want_names ? keep(scan, &scan->found.names, name) : 0;
}

/* A file below the modules folder. One kernel's modules are expected: the first version counts. */
static int keep_module(struct scan *scan, const char *name, size_t prefix_len)
{
    struct initramfs *found = &scan->found;
    const char *version;

    if (!module_path_ok(name))
        return keep_name(scan, name);
    if (!found->modules_prefix)
        found->modules_prefix = mem_strndup(name, prefix_len);
    version = strrchr(found->modules_prefix, '/');
    if (prefix_len < strlen(version) ||
        strncmp(name + prefix_len - strlen(version), version, strlen(version)) != 0)
        return 0;
    return keep(scan, &found->modules, name + prefix_len + 1);
}

/* Files that name interfaces or disks. */
static bool is_kept(const char *name)
{
    static const char *const patterns[] = {
        "*systemd/network/*.link",
        "*udev/rules.d/*-persistent-net.rules",
        "conf/conf.d/*",
        "conf/initramfs.conf",
        "conf/param.conf",
        "cryptroot/crypttab",
        "etc/crypttab",
        "etc/cmdline.d/*.conf",
    };

    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
        if (fnmatch(patterns[i], name, 0) == 0)
            return true;
    return false;
}

static int scan_entry(void *arg, const struct cpio_entry *entry)
{
    struct scan *scan = arg;
    const char *name = plain_name(entry->name);
    size_t prefix_len = S_ISREG(entry->mode) ? modules_prefix_len(name) : 0;

    if (scan->walker.n_segments == 1 && !scan->walker.compression &&
        strncmp(name, "kernel/", 7) == 0)
        scan->found.has_early = true;
    if (prefix_len > 0)
        return keep_module(scan, name, prefix_len);
    scan->is_link = S_ISLNK(entry->mode) && !strchr(name, '/') && entry->size <= LINK_MAX;
    if (!scan->is_link) {
        int r = keep_name(scan, name);

        if (r < 0 || !S_ISREG(entry->mode) || !is_kept(name) || entry->size > KEPT_MAX ||
            scan->found.n_kept >= KEPT_FILES_MAX)
            return r;
    }
    free(scan->reading);
    scan->reading = mem_strdup(name);
    scan->content.len = 0;
    return 1;
}

static int scan_data(void *arg, const uint8_t *data, size_t len)
{
    struct scan *scan = arg;

    strbuf_add(&scan->content, data, len);
    return 0;
}

static int scan_end(void *arg)
{
    struct scan *scan = arg;
    CLEANUP_FREE char *link = NULL;
    struct initramfs_file *file;

    if (!scan->is_link) {
        file = mem_add(&scan->found.kept, &scan->found.n_kept, sizeof(*file));
        file->name = TAKE(scan->reading);
        file->len = scan->content.len;
        file->data = strbuf_take(&scan->content);
        return 0;
    }
    link = mem_printf("%s -> %s", scan->reading, strbuf_text(&scan->content));
    return keep(scan, &scan->found.links, link);
}

/* Sorted, and each once: an archive may hold a file again. */
static void make_unique(struct strlist *list)
{
    size_t n = 0;

    strlist_sort(list);
    for (size_t i = 0; i < list->n; i++) {
        if (n > 0 && strcmp(list->items[n - 1], list->items[i]) == 0)
            free(list->items[i]);
        else
            list->items[n++] = list->items[i];
    }
    list->n = n;
}

static void scan_done(struct scan *scan)
{
    initramfs_done(&scan->found);
    free(scan->reading);
    strbuf_done(&scan->content);
}

/* "lib/modules/V" is a path through a link when "lib" leads to "usr/lib". */
static void resolve_prefix(struct initramfs *found)
{
    static const char *const targets[] = { "lib -> usr/lib", "lib -> /usr/lib",
                                           "lib -> ./usr/lib" };
    char *old = found->modules_prefix;

    if (!old || strncmp(old, "lib/", 4) != 0)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
        if (strlist_has(&found->links, targets[i])) {
            found->modules_prefix = mem_printf("usr/%s", old);
            free(old);
            return;
        }
}

int initramfs_scan(int fd, uint64_t size, bool want_names, struct initramfs *ret, struct err *err)
{
    CLEANUP(scan_done)
    struct scan scan = {
        .walker = { .fd = fd, .size = size, .err = err },
        .want_names = want_names,
    };
    struct cpio_sink sink = { scan_entry, scan_data, scan_end, &scan };
    int r;

    err_clear(err);
    r = walk(&scan.walker, &sink);
    if (r < 0)
        return r;
    make_unique(&scan.found.modules);
    make_unique(&scan.found.links);
    make_unique(&scan.found.names);
    resolve_prefix(&scan.found);
    scan.found.compression = scan.walker.compression ? scan.walker.compression : "none";
    scan.found.unpacked_bytes = scan.walker.unpacked;
    scan.found.image_bytes = size;
    *ret = scan.found;
    scan.found = (struct initramfs){ 0 };
    return 0;
}

void initramfs_done(struct initramfs *initramfs)
{
    free(initramfs->modules_prefix);
    strlist_done(&initramfs->modules);
    strlist_done(&initramfs->links);
    strlist_done(&initramfs->names);
    for (size_t i = 0; i < initramfs->n_kept; i++) {
        free(initramfs->kept[i].name);
        free(initramfs->kept[i].data);
    }
    free(initramfs->kept);
}

bool initramfs_has_module(const struct initramfs *initramfs, const char *name)
{
    for (size_t i = 0; i < initramfs->modules.n; i++)
        if (module_path_is(initramfs->modules.items[i], name))
            return true;
    return false;
}

bool initramfs_has_network(const struct initramfs *initramfs)
{
    static const char *const folders[] = {
        "kernel/drivers/net/ethernet/",  "kernel/drivers/net/hyperv/",
        "kernel/drivers/net/usb/",       "kernel/drivers/net/vmxnet3/",
        "kernel/drivers/net/virtio_net", "kernel/drivers/net/wireless/",
    };

    for (size_t i = 0; i < initramfs->modules.n; i++)
        for (size_t j = 0; j < ARRAY_SIZE(folders); j++)
            if (strncmp(initramfs->modules.items[i], folders[j], strlen(folders[j])) == 0)
                return true;
    return false;
}

/* ---- contents ---- */

/* A name of a file whose content comes with a later name of the same file. */
struct hard_link {
    char *name;
    uint32_t mode, ino, major, minor;
    uint64_t archive;
};

struct contents {
    struct walker walker;
    initramfs_want_fn want;
    initramfs_entry_fn fn;
    void *arg;
    struct hard_link current; /* the entry that is being read */
    struct strbuf data;
    struct hard_link *waiting;
    size_t n_waiting, kept;
};

static void contents_done(struct contents *contents)
{
    for (size_t i = 0; i < contents->n_waiting; i++)
        free(contents->waiting[i].name);
    free(contents->waiting);
    free(contents->current.name);
    strbuf_done(&contents->data);
}

static int contents_entry(void *arg, const struct cpio_entry *entry)
{
    struct contents *contents = arg;
    const char *name = plain_name(entry->name);

    if (!contents->want(contents->arg, name, entry->mode))
        return 0;
    if (entry->size > CONTENT_MAX)
        return err_set(contents->walker.err, EFBIG, "%s in the initramfs", name);
    free(contents->current.name);
    contents->current = (struct hard_link){
        .name = mem_strdup(name),
        .mode = entry->mode,
        .ino = entry->ino,
        .major = entry->major,
        .minor = entry->minor,
        .archive = contents->walker.cpio.n_archives,
    };
    contents->data.len = 0;
    if (!S_ISREG(entry->mode) || entry->nlink < 2 || entry->size > 0)
        return 1;
    contents->kept += strlen(name) + sizeof(struct hard_link);
    if (contents->kept > NAMES_MAX)
        return err_set(contents->walker.err, EFBIG, "the initramfs has too many hard links");
    *(struct hard_link *)mem_add(&contents->waiting, &contents->n_waiting,
                                 sizeof(struct hard_link)) = contents->current;
    contents->current.name = NULL;
    return 0;
}

static int contents_data(void *arg, const uint8_t *data, size_t len)
{
    struct contents *contents = arg;

    strbuf_add(&contents->data, data, len);
    return 0;
}

static int hand_on(struct contents *contents, const char *name)
{
    int r = contents->fn(contents->arg, name, contents->current.mode, strbuf_text(&contents->data),
                         contents->data.len);

    if (r < 0 && contents->walker.err->code == 0)
        return err_set(contents->walker.err, -r, "%s in the initramfs", name);
    return r < 0 ? r : 0;
}

static int contents_end(void *arg)
{
    struct contents *contents = arg;
    const struct hard_link *file = &contents->current;
    int r = 0;

    for (size_t i = 0; r >= 0 && i < contents->n_waiting && S_ISREG(file->mode); i++) {
        const struct hard_link *link = &contents->waiting[i];

        if (link->ino == file->ino && link->major == file->major && link->minor == file->minor &&
            link->archive == file->archive)
            r = hand_on(contents, link->name);
    }
    return r < 0 ? r : hand_on(contents, file->name);
}

int initramfs_walk(int fd, uint64_t size, initramfs_want_fn want, initramfs_entry_fn fn, void *arg,
                   struct err *err)
{
    CLEANUP(contents_done)
    struct contents contents = {
        .walker = { .fd = fd, .size = size, .err = err },
        .want = want,
        .fn = fn,
        .arg = arg,
    };
    struct cpio_sink sink = { contents_entry, contents_data, contents_end, &contents };

    err_clear(err);
    return walk(&contents.walker, &sink);
}
