/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * btrfs subvolumes, by BTRFS_IOC_TREE_SEARCH over the root tree (linux/btrfs_tree.h has the items:
 * ROOT_ITEM, ROOT_BACKREF, and the directory entry "default").
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/le.h"
#include "engine/base/mem.h"
#include "storage/mtree.h"

#define SUBVOLUMES_MAX 65536U
#define DEPTH_MAX 64

/* A subvolume before its path is put together. */
struct node {
    uint64_t id, parent; /* parent 0: has none */
    char *name;          /* path inside the parent: "dir/name" */
    bool read_only, is_snapshot;
};

struct nodes {
    struct node *items;
    size_t n;
    uint64_t default_id;
};

static void nodes_done(struct nodes *nodes)
{
    for (size_t i = 0; i < nodes->n; i++)
        free(nodes->items[i].name);
    free(nodes->items);
}

static bool is_subvolume(uint64_t id)
{
    return id == BTRFS_FS_TREE_OBJECTID ||
           (id >= BTRFS_FIRST_FREE_OBJECTID && id <= BTRFS_LAST_FREE_OBJECTID);
}

/* Items come in the order of their ids. */
static struct node *find(const struct nodes *nodes, uint64_t id)
{
    size_t low = 0, high = nodes->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (nodes->items[middle].id == id)
            return &nodes->items[middle];
        if (nodes->items[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static void on_root_item(struct nodes *nodes, const struct btrfs_ioctl_search_header *header,
                         const uint8_t *data)
{
    static const uint8_t none[BTRFS_UUID_SIZE];
    struct btrfs_root_item item;
    struct node *node;

    if (!is_subvolume(header->objectid) || find(nodes, header->objectid))
        return;
    memset(&item, 0, sizeof(item)); /* old file systems have a shorter item */
    memcpy(&item, data, header->len < sizeof(item) ? header->len : sizeof(item));
    node = mem_add(&nodes->items, &nodes->n, sizeof(*node));
    node->id = header->objectid;
    node->read_only = get_le64(&item.flags) & BTRFS_ROOT_SUBVOL_RDONLY;
    node->is_snapshot = memcmp(item.parent_uuid, none, sizeof(none)) != 0;
}

/* Path of the folder @dir of subvolume @tree: "" or "a/b/". */
static int folder_path(int fd, uint64_t tree, uint64_t dir, char **ret)
{
    struct btrfs_ioctl_ino_lookup_args args = { .treeid = tree, .objectid = dir };

    if (ioctl(fd, BTRFS_IOC_INO_LOOKUP, &args) < 0)
        return -errno;
    *ret = mem_strndup(args.name, sizeof(args.name) - 1);
    return 0;
}

static int on_backref(int fd, struct nodes *nodes, const struct btrfs_ioctl_search_header *header,
                      const uint8_t *data)
{
    const size_t fixed = sizeof(struct btrfs_root_ref);
    struct node *node = find(nodes, header->objectid);
    CLEANUP_FREE char *folder = NULL;
    struct btrfs_root_ref ref;
    size_t len;
    int r;

    if (!node || header->len < fixed)
        return 0;
    memcpy(&ref, data, fixed);
    len = get_le16(&ref.name_len);
    if (len > header->len - fixed)
        return 0;
    r = folder_path(fd, header->offset, get_le64(&ref.dirid), &folder);
    if (r < 0)
        return r;
    free(node->name);
    node->name = mem_printf("%s%.*s", folder, (int)len, (const char *)data + fixed);
    node->parent = header->offset;
    return 0;
}

/* The entry "default" of the root tree's directory points at the default subvolume. */
static void on_dir_item(struct nodes *nodes, const struct btrfs_ioctl_search_header *header,
                        const uint8_t *data)
{
    static const char name[] = "default";
    const size_t fixed = sizeof(struct btrfs_dir_item);
    struct btrfs_dir_item item;

    if (header->len < fixed + strlen(name))
        return;
    memcpy(&item, data, fixed);
    if (get_le16(&item.name_len) == strlen(name) && memcmp(data + fixed, name, strlen(name)) == 0)
        nodes->default_id = get_le64(&item.location.objectid);
}

static int on_item(int fd, struct nodes *nodes, const struct btrfs_ioctl_search_header *header,
                   const uint8_t *data)
{
    if (nodes->n > SUBVOLUMES_MAX)
        return -E2BIG;
    if (header->type == BTRFS_ROOT_ITEM_KEY)
        on_root_item(nodes, header, data);
    if (header->type == BTRFS_DIR_ITEM_KEY)
        on_dir_item(nodes, header, data);
    return header->type == BTRFS_ROOT_BACKREF_KEY ? on_backref(fd, nodes, header, data) : 0;
}

/* All items of one call; *ret_last is the key of the last one. */
static int walk_buffer(int fd, struct nodes *nodes, const struct btrfs_ioctl_search_args *args,
                       struct btrfs_ioctl_search_header *ret_last)
{
    size_t at = 0;

    for (uint32_t i = 0; i < args->key.nr_items; i++) {
        int r;

        if (at + sizeof(*ret_last) > sizeof(args->buf))
            return -EPROTO;
        memcpy(ret_last, args->buf + at, sizeof(*ret_last));
        at += sizeof(*ret_last);
        if (ret_last->len > sizeof(args->buf) - at)
            return -EPROTO;
        r = on_item(fd, nodes, ret_last, (const uint8_t *)args->buf + at);
        if (r < 0)
            return r;
        at += ret_last->len;
    }
    return 0;
}

static int search(int fd, uint64_t min_id, uint64_t max_id, uint32_t type, struct nodes *nodes)
{
    struct btrfs_ioctl_search_args args = { 0 };
    struct btrfs_ioctl_search_header last = { 0 };

    args.key.tree_id = BTRFS_ROOT_TREE_OBJECTID;
    args.key.min_objectid = min_id;
    args.key.max_objectid = max_id;
    args.key.min_type = type;
    args.key.max_type = type;
    args.key.max_offset = UINT64_MAX;
    args.key.max_transid = UINT64_MAX;
    for (;;) {
        int r;

        args.key.nr_items = 4096;
        if (ioctl(fd, BTRFS_IOC_TREE_SEARCH, &args) < 0)
            return -errno;
        if (args.key.nr_items == 0)
            return 0;
        r = walk_buffer(fd, nodes, &args, &last);
        if (r < 0)
            return r;
        /* keys are compared as a whole (id, type, offset), so other types come along: go on right
         * behind the last one */
        args.key.min_objectid = last.objectid;
        args.key.min_type = last.type;
        args.key.min_offset = last.offset + 1;
        if (last.offset == UINT64_MAX)
            args.key.min_type++;
        if (args.key.min_type > UINT8_MAX) {
            args.key.min_objectid++;
            args.key.min_type = 0;
        }
        if (args.key.min_objectid > max_id)
            return 0;
    }
}

/* NULL: it hangs nowhere (being deleted), or in a loop. */
static char *full_path(const struct nodes *nodes, const struct node *node)
{
    CLEANUP_FREE char *path = mem_strdup("");

    for (int depth = 0; depth < DEPTH_MAX; depth++) {
        char *longer;

        if (node->id == BTRFS_FS_TREE_OBJECTID)
            return TAKE(path);
        if (!node->name)
            return NULL;
        longer = *path ? mem_printf("%s/%s", node->name, path) : mem_strdup(node->name);
        free(path);
        path = longer;
        node = find(nodes, node->parent);
        if (!node)
            return NULL;
    }
    return NULL;
}

int mtree_subvolumes(const struct mtree *tree, const char *target, struct subvolume **ret,
                     size_t *ret_n, struct err *err)
{
    const struct branch *branch = mtree_branch(tree, target);
    CLEANUP(nodes_done) struct nodes nodes = { .default_id = BTRFS_FS_TREE_OBJECTID };
    struct subvolume *list = NULL;
    CLEANUP_FD int fd = -1;
    size_t n = 0;
    int r;

    if (!branch || strcmp(branch->fstype->name, "btrfs") != 0)
        return err_set(err, EINVAL, "list the subvolumes of %s: no btrfs is mounted there", target);
    fd = openat(branch->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, errno, "open %s", target);
    r = search(fd, BTRFS_FS_TREE_OBJECTID, BTRFS_LAST_FREE_OBJECTID, BTRFS_ROOT_ITEM_KEY, &nodes);
    if (r == 0)
        r = search(fd, BTRFS_FIRST_FREE_OBJECTID, BTRFS_LAST_FREE_OBJECTID, BTRFS_ROOT_BACKREF_KEY,
                   &nodes);
    if (r == 0)
        r = search(fd, BTRFS_ROOT_TREE_DIR_OBJECTID, BTRFS_ROOT_TREE_DIR_OBJECTID,
                   BTRFS_DIR_ITEM_KEY, &nodes);
    if (r < 0)
        return err_set(err, -r, "list the subvolumes of %s", target);
    for (size_t i = 0; i < nodes.n; i++) {
        char *path = full_path(&nodes, &nodes.items[i]);
        struct subvolume *subvolume;

        if (!path)
            continue;
        subvolume = mem_add(&list, &n, sizeof(*subvolume));
        subvolume->id = nodes.items[i].id;
        subvolume->path = path;
        subvolume->is_default = nodes.items[i].id == nodes.default_id;
        subvolume->read_only = nodes.items[i].read_only;
        subvolume->is_snapshot = nodes.items[i].is_snapshot;
    }
    *ret = list;
    *ret_n = n;
    return 0;
}

void subvolumes_free(struct subvolume *subvolumes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(subvolumes[i].path);
    free(subvolumes);
}
