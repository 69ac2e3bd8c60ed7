/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/guest_path.h"
#include "storage/mtree.h"

/* A step of the undo stack: release the branches from this one on. Loop devices of later branches
 * lie above it on the stack, so each branch needs a step of its own. */
struct step {
    struct mtree *tree;
    size_t index;
};

int mtree_new(struct stack *stack, struct mtree **ret, struct err *err)
{
    static unsigned counter;
    struct mtree *tree = mem_alloc(sizeof(*tree));

    tree->refs = 1;
    tree->stack = stack;
    tree->dir = mem_printf("%s/root%u", session_run_dir(stack->session), ++counter);
    if (mkdir(tree->dir, 0700) < 0) {
        (void)err_set(err, errno, "make the folder %s", tree->dir);
        free(tree->dir);
        free(tree);
        return -err->code;
    }
    *ret = tree;
    return 0;
}

static void tree_unref(struct mtree *tree)
{
    if (--tree->refs > 0)
        return;
    free(tree->branches);
    free(tree->dir);
    free(tree);
}

/* Deepest first. The first failure is reported, the rest is released all the same. */
static int release_from(struct mtree *tree, size_t index, struct err *err)
{
    int r = 0;

    if (tree->whole && index <= tree->n_whole) {
        guest_root_free(tree->root);
        tree->root = TAKE(tree->whole);
    }
    if (index == 0) {
        guest_root_free(tree->root);
        tree->root = NULL;
    }
    while (tree->n_branches > index) {
        struct branch *branch = &tree->branches[--tree->n_branches];
        CLEANUP_FREE char *beside = TAKE(branch->beside);
        struct err other = ERR_NONE;
        int r2;

        if (beside && tree->root)
            guest_root_drop_volume(tree->root, branch->target);
        r2 = branch_release(branch, r < 0 ? &other : err);
        if (beside)
            (void)rmdir(beside); /* as the tree's own */
        if (r == 0)
            r = r2;
    }
    if (index == 0)
        (void)rmdir(tree->dir); /* the run directory goes with the session anyway */
    return r;
}

static int undo_step(void *arg, struct err *err)
{
    struct step *step = arg;
    int r = release_from(step->tree, step->index, err);

    tree_unref(step->tree);
    free(step);
    return r;
}

int mtree_release(struct mtree *tree, struct err *err)
{
    int r;

    if (!tree)
        return 0;
    r = release_from(tree, 0, err);
    tree_unref(tree);
    return r;
}

struct branch *mtree_branch(const struct mtree *tree, const char *target)
{
    for (size_t i = tree->n_branches; i > 0; i--)
        if (strcmp(tree->branches[i - 1].target, target) == 0)
            return &tree->branches[i - 1];
    return NULL;
}

static int open_folder(const char *path, struct err *err)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    return fd < 0 ? err_set(err, errno, "open %s", path) : fd;
}

/* The folder to mount on: resolved inside the tree built so far. */
static int open_target(const struct mtree *tree, const char *target, struct err *err)
{
    int fd;

    if (tree->root) {
        fd = guest_path_open(tree->root, target, O_PATH | O_DIRECTORY);
        return fd < 0 ? err_set(err, -fd, "open the mount point %s", target) : fd;
    }
    if (strcmp(target, "/") != 0)
        return err_set(err, EINVAL, "mount %s before the root", target);
    return open_folder(tree->dir, err);
}

static char *path_of(int fd)
{
    char name[GUEST_FD_PATH_MAX], path[4096];
    ssize_t n = readlink(guest_fd_path(fd, name), path, sizeof(path));

    return n > 0 && (size_t)n < sizeof(path) ? mem_strndup(path, (size_t)n) : NULL;
}

/* From here on the undo stack releases the branch. */
static int attach_branch(struct mtree *tree, struct branch *branch, int target_fd, struct err *err)
{
    struct step step = { .tree = tree, .index = tree->n_branches };
    int r = fsmount_attach(branch->fd, target_fd, err);

    if (r < 0)
        return r;
    branch->path = path_of(branch->fd);
    *(struct branch *)mem_add(&tree->branches, &tree->n_branches, sizeof(*branch)) = *branch;
    tree->refs++;
    undo_push(session_undo(tree->stack->session), branch->target, undo_step,
              mem_dup(&step, sizeof(step)));
    if (tree->root)
        return 0;
    r = guest_root_new(branch->fd, &tree->root, err);
    if (r == 0 && branch->server.dir)
        guest_root_links_from(tree->root, branch->server.dir);
    return r;
}

/* Takes @beside: the folder to mount on, when that is none of the tree. */
static int mount_at(struct mtree *tree, struct volume *volume, const char *target, char *beside,
                    const struct mount_opts *opts, struct err *err)
{
    struct branch branch = BRANCH_NONE;
    CLEANUP_FREE char *folder = beside;
    CLEANUP_FD int target_fd = -1;
    struct err other = ERR_NONE;
    int r;

    branch.read_only = opts->read_only;
    branch.fstype = fstype_find(volume->fstype);
    if (!branch.fstype)
        return err_status(err, STATUS_FAILED, "%s: file systems of type \"%s\" are not mounted",
                          volume->name, volume->fstype);
    if (!opts->read_only && volume->read_only[0] != '\0' && branch.fstype->may_be_read_only)
        branch_stay_read_only(&branch, volume->read_only);
    else if (!opts->read_only && volume->read_only[0] != '\0')
        return err_status(err, volume->read_only_status, "%s cannot be written: %s", volume->name,
                          volume->read_only);
    target_fd = folder ? open_folder(folder, err) : open_target(tree, target, err);
    if (target_fd < 0)
        return target_fd;
    branch.target = mem_strdup(target);
    branch.beside = TAKE(folder);
    branch.was_dirty = branch.fstype->is_dirty && branch.fstype->is_dirty(volume);
    r = branch_mount(tree, &branch, volume, opts, err);
    if (r == 0)
        r = attach_branch(tree, &branch, target_fd, err);
    if (r < 0 && !branch.path) {
        free(branch.beside);
        (void)branch_release(&branch, &other); /* the first failure is what counts */
    }
    if (r < 0)
        return err_wrap(err, "mount %s at %s", volume->name, target);
    log_debug("%s (%s) is mounted at %s%s", volume->name, volume->fstype, target,
              branch.staging ? ", staged" : "");
    return 0;
}

int mtree_mount(struct mtree *tree, struct volume *volume, const char *target,
                const struct mount_opts *opts, struct err *err)
{
    return mount_at(tree, volume, target, NULL, opts, err);
}

int mtree_mount_beside(struct mtree *tree, struct volume *volume, const char *name,
                       const struct mount_opts *opts, struct err *err)
{
    static unsigned counter;
    char *folder;
    int r;

    if (!tree->root)
        return err_set(err, EINVAL, "mount %s before the root", name);
    folder = mem_printf("%s-beside%u", tree->dir, ++counter);
    if (mkdir(folder, 0700) < 0) {
        r = err_set(err, errno, "make the folder %s", folder);
        free(folder);
        return r;
    }
    r = mount_at(tree, volume, name, folder, opts, err);
    if (r < 0)
        return r;
    return guest_root_add_volume(tree->root, name, mtree_branch(tree, name)->fd, err);
}

/* The mount that a path lies on. */
static const struct branch *branch_of(const struct mtree *tree, const char *path)
{
    const struct branch *found = NULL;

    for (size_t i = 0; i < tree->n_branches; i++) {
        const struct branch *branch = &tree->branches[i];
        size_t len = strcmp(branch->target, "/") == 0 ? 0 : strlen(branch->target);

        if (strncmp(path, branch->target, len) == 0 && (path[len] == '/' || path[len] == '\0') &&
            (!found || len >= strlen(found->target)))
            found = branch;
    }
    return found;
}

/* A folder of the tree @root, which lies on the branch @branch. */
struct folder {
    const struct guest_root *root;
    const struct branch *branch;
    const char *path;
};

static int bind_from(struct mtree *tree, const struct folder *from, const char *target,
                     bool recursive, struct err *err)
{
    CLEANUP_FD int source_fd = -1, target_fd = -1;
    struct branch branch = BRANCH_NONE;
    struct err other = ERR_NONE;
    int r;

    branch.read_only = from->branch->read_only;
    branch.was_dirty = from->branch->was_dirty;
    branch.fstype = from->branch->fstype;
    branch.node = mem_strdup(from->branch->node);
    branch.target = mem_strdup(target);
    source_fd = guest_path_open(from->root, from->path, O_PATH | O_DIRECTORY);
    r = source_fd < 0 ? err_set(err, -source_fd, "open %s", from->path) : 0;
    if (r == 0) {
        target_fd = open_target(tree, target, err);
        r = target_fd < 0 ? target_fd : fsmount_copy(source_fd, recursive, &branch.fd, err);
    }
    if (r == 0)
        r = attach_branch(tree, &branch, target_fd, err);
    if (r < 0 && !branch.path)
        (void)branch_release(&branch, &other); /* the first failure is what counts */
    return r < 0 ? err_wrap(err, "show %s at %s", from->path, target) : 0;
}

int mtree_bind(struct mtree *tree, const char *source, const char *target, bool recursive,
               struct err *err)
{
    const struct branch *of = branch_of(tree, source);

    if (!of)
        return err_set(err, EINVAL, "bind %s before the root", source);
    return bind_from(tree, &(struct folder){ tree->root, of, source }, target, recursive, err);
}

int mtree_enter(struct mtree *tree, const char *folder, const char *var, struct err *err)
{
    struct guest_root *whole = tree->root;
    const struct {
        const char *source, *target;
    } parts[] = { { "/", "/sysroot" }, { var, "/var" } };
    struct folder from = { .root = whole, .path = folder };
    int r;

    if (!whole || tree->n_branches != 1)
        return err_set(err, EINVAL, "enter %s: something else is mounted", folder);
    from.branch = &tree->branches[0];
    tree->root = NULL; /* the new root lies on top of the old one, which has the same path */
    r = bind_from(tree, &from, "/", false, err);
    if (r < 0) {
        guest_root_free(tree->root);
        tree->root = whole;
        return r;
    }
    tree->whole = whole;
    tree->n_whole = 1;
    for (size_t i = 0; i < ARRAY_SIZE(parts) && r == 0; i++) {
        from = (struct folder){ whole, &tree->branches[0], parts[i].source };
        if (guest_is_dir(whole, parts[i].source) && guest_is_dir(tree->root, parts[i].target))
            r = bind_from(tree, &from, parts[i].target, false, err);
    }
    return r;
}

struct guest_root *mtree_root(const struct mtree *tree)
{
    return tree->root;
}

const char *mtree_why_read_only(const struct mtree *tree, const char *target)
{
    const struct branch *branch = mtree_branch(tree, target);

    return branch ? branch->why_read_only : NULL;
}

bool mtree_was_dirty(const struct mtree *tree, const char *target)
{
    const struct branch *branch = mtree_branch(tree, target);

    return branch && branch->was_dirty;
}
