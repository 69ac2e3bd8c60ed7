/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is in an initramfs: its modules, and the few files that name devices. */
#include "inspect/initramfs.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/cleanup.h"
#include "engine/base/strbuf.h"
#include "inspect/fields.h"
#include "inspect/initramfs_walker.h"
#include "inspect/modules_dep.h"

#define LINK_MAX 4096U
#define KEPT_MAX (256U << 10) /* bytes of a file whose content is kept, and how many there are */
#define KEPT_FILES_MAX 64U
#define INDEX_MAX (4U << 20)

/* Length of "usr/lib/modules/VERSION" at the start of @name when more follows it; else 0. NixOS has
 * it below "nix/store/NAME". */
static size_t modules_prefix_len(const char *name)
{
    static const char *const folders[] = { "usr/lib/modules/", "lib/modules/" };
    const char *begin = name;

    if (strncmp(name, "nix/store/", 10) == 0 && strchr(name + 10, '/'))
        begin = strchr(name + 10, '/') + 1;
    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        size_t len = strlen(folders[i]);
        const char *slash;

        if (strncmp(begin, folders[i], len) != 0)
            continue;
        slash = strchr(begin + len, '/');
        return slash && slash > begin + len && slash[1] ? (size_t)(slash - name) : 0;
    }
    return 0;
}

/* Folders of modules without one for each kernel: mkinitrd's nash archives, booster. */
static const char *const flat_folders[] = { "lib", "usr/lib/modules" };
#define TOP_FOLDER "." /* tiny-initramfs has them at the top */

/* The folder of them that @name is a module of, NULL: none. */
static const char *flat_folder(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(flat_folders); i++) {
        size_t len = strlen(flat_folders[i]);

        if (strncmp(name, flat_folders[i], len) == 0 && name[len] == '/' &&
            !strchr(name + len + 1, '/') && module_path_ok(name + len + 1))
            return flat_folders[i];
    }
    return !strchr(name, '/') && module_path_ok(name) ? TOP_FOLDER : NULL;
}

struct scan {
    struct initramfs_walker walker;
    struct initramfs found;
    struct strlist flat; /* modules in @flat_in */
    const char *flat_in; /* literal */
    enum initramfs_depth depth;
    size_t kept;   /* bytes of names */
    char *reading; /* name of the link or file whose content is being read */
    bool is_link;
    bool is_index; /* modules.dep */
    struct strbuf content;
};

static int keep(struct scan *scan, struct strlist *list, const char *name)
{
    scan->kept += strlen(name) + sizeof(char *);
    if (scan->kept > INITRAMFS_NAMES_MAX)
        return err_set(scan->walker.err, EFBIG, "the initramfs has too many names");
    strlist_add(list, name);
    return 0;
}

static int keep_name(struct scan *scan, const char *name)
{
    return scan->depth == INITRAMFS_ALL ? keep(scan, &scan->found.names, name) : 0;
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

/* The list of modules beside them, in the folder of the version that counts. */
static bool is_modules_dep(const struct scan *scan, const char *name)
{
    const char *prefix = scan->found.modules_prefix;
    size_t len = prefix ? strlen(prefix) : 0;

    return prefix && strncmp(name, prefix, len) == 0 && strcmp(name + len, "/modules.dep") == 0;
}

static int compare_path(const void *path, const void *item)
{
    return strcmp(path, *(char *const *)item);
}

/* Has every module that modules.dep names come by? */
static bool has_all_modules(struct strlist *seen, const char *text, size_t len)
{
    struct span line;
    size_t pos = 0;

    strlist_sort(seen);
    while (line_next(text, len, &pos, &line)) {
        const char *at = text + line.start;
        const char *colon = line.len > 0 ? memchr(at, ':', line.len) : NULL;
        CLEANUP_FREE char *path = mem_strndup(at, colon ? (size_t)(colon - at) : line.len);

        if (*path && !bsearch(path, seen->items, seen->n, sizeof(*seen->items), compare_path))
            return false;
    }
    return true;
}

/* Files that name interfaces, disks or drivers to load. */
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
        "etc/systemd/system/*.device.d/timeout.conf",
        "*dracut/hooks/initqueue/finished/devexists-*.sh",
        "etc/lvm/lvm.conf",
        "etc/lvm/lvmlocal.conf",
        "etc/mdadm.conf",
        "etc/mdadm/mdadm.conf",
        "init",
        "linuxrc",
        "run_all.sh",
        "config",
        "config/start.sh",
        "etc/booster.init.yaml",
        "usr/lib/modules/booster.alias",
        "etc/modules/*",
        "modules", /* tiny-initramfs */
    };

    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
        if (fnmatch(patterns[i], name, 0) == 0)
            return true;
    return false;
}

static int scan_entry(void *arg, const struct cpio_entry *entry)
{
    struct scan *scan = arg;
    const char *name = initramfs_plain_name(entry->name);
    size_t prefix_len = S_ISREG(entry->mode) ? modules_prefix_len(name) : 0;

    if (scan->walker.n_segments == 1 && !scan->walker.compression &&
        strncmp(name, "kernel/", 7) == 0)
        scan->found.has_early = true;
    scan->is_index =
        scan->depth == INITRAMFS_MODULES && entry->size <= INDEX_MAX && is_modules_dep(scan, name);
    if (prefix_len > 0 && !scan->is_index)
        return keep_module(scan, name, prefix_len);
    if (S_ISREG(entry->mode) && flat_folder(name)) {
        scan->flat_in = scan->flat_in ? scan->flat_in : flat_folder(name);
        if (strcmp(scan->flat_in, flat_folder(name)) == 0)
            return keep(scan, &scan->flat, strchr(name, '/') ? strrchr(name, '/') + 1 : name);
    }
    scan->is_link = S_ISLNK(entry->mode) && !strchr(name, '/') && entry->size <= LINK_MAX;
    if (!scan->is_link && !scan->is_index) {
        int r = keep_name(scan, name);

        if (r < 0 || scan->depth != INITRAMFS_ALL || !S_ISREG(entry->mode) || !is_kept(name) ||
            entry->size > KEPT_MAX || scan->found.n_kept >= KEPT_FILES_MAX)
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

    if (scan->is_index) {
        scan->walker.enough =
            has_all_modules(&scan->found.modules, strbuf_text(&scan->content), scan->content.len);
        return 0;
    }
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
    strlist_done(&scan->flat);
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

int initramfs_scan(int fd, uint64_t size, enum initramfs_depth depth, struct initramfs *ret,
                   struct err *err)
{
    CLEANUP(scan_done)
    struct scan scan = {
        .walker = { .fd = fd, .size = size, .err = err },
        .depth = depth,
    };
    struct cpio_sink sink = { scan_entry, scan_data, scan_end, &scan };
    int r;

    err_clear(err);
    r = initramfs_walk_segments(&scan.walker, &sink);
    if (r < 0)
        return r;
    if (!scan.found.modules_prefix && scan.flat_in) {
        scan.found.modules = scan.flat;
        scan.found.flat_folder = mem_strdup(scan.flat_in);
        scan.flat = (struct strlist){ 0 };
    }
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
    free(initramfs->flat_folder);
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

bool initramfs_is_network(const char *path)
{
    static const char *const folders[] = {
        "kernel/drivers/net/ethernet/",  "kernel/drivers/net/hyperv/",
        "kernel/drivers/net/usb/",       "kernel/drivers/net/vmxnet3/",
        "kernel/drivers/net/virtio_net", "kernel/drivers/net/wireless/",
    };

    for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
        if (strncmp(path, folders[i], strlen(folders[i])) == 0)
            return true;
    return false;
}

bool initramfs_has_network(const struct initramfs *initramfs)
{
    for (size_t i = 0; i < initramfs->modules.n; i++)
        if (initramfs_is_network(initramfs->modules.items[i]))
            return true;
    return false;
}

const struct initramfs_file *initramfs_kept(const struct initramfs *initramfs, const char *name)
{
    for (size_t i = initramfs->n_kept; i > 0; i--)
        if (strcmp(initramfs->kept[i - 1].name, name) == 0)
            return &initramfs->kept[i - 1];
    return NULL;
}
