/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest's root, the volumes that are seen below it, and opening what lies there. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/guest_labels.h"
#include "engine/guest_path.h"
#include "engine/upcase.h"

#define RACE_TRIES 10000 /* renames elsewhere on the host make openat2 say EAGAIN */

int guest_root_new(int dir_fd, struct guest_root **ret, struct err *err)
{
    struct guest_root *root;
    struct statfs fs;
    int fd;

    fd = openat(dir_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, errno, "open the guest's root directory");
    root = mem_alloc(sizeof(*root));
    root->fd = fd;
    root->driver_ignores_case = fstatfs(fd, &fs) < 0 || fs.f_type == MSDOS_SUPER_MAGIC;
    *ret = root;
    return 0;
}

/* A volume has none of its own. */
static void volume_done(const struct guest_volume *volume)
{
    (void)close(volume->root->fd);
    free(volume->root);
    free(volume->name);
}

void guest_root_free(struct guest_root *root)
{
    if (!root)
        return;
    guest_labels_free(root->labels);
    for (size_t i = 0; i < root->n_volumes; i++)
        volume_done(&root->volumes[i]);
    free(root->volumes);
    free(root->links_from);
    (void)close(root->fd);
    free(root);
}

void guest_root_ignore_case(struct guest_root *root)
{
    root->ignore_case = true;
    for (size_t i = 0; i < root->n_volumes; i++)
        root->volumes[i].root->ignore_case = true;
}

void guest_root_links_from(struct guest_root *root, const char *path)
{
    free(root->links_from);
    root->links_from = mem_strdup(path);
}

bool guest_root_ignores_case(const struct guest_root *root)
{
    return root->ignore_case;
}

int guest_root_add_volume(struct guest_root *root, const char *name, int dir_fd, struct err *err)
{
    struct guest_root *volume = NULL;
    int r;

    if (name[0] != '/' || !strchr(name, ':') || strchr(name + 1, '/'))
        return err_set(err, EINVAL, "show a volume at %s", name);
    r = guest_root_new(dir_fd, &volume, err);
    if (r < 0 || !volume)
        return r;
    guest_root_drop_volume(root, name);
    volume->ignore_case = root->ignore_case;
    *(struct guest_volume *)mem_add(&root->volumes, &root->n_volumes, sizeof(*root->volumes)) =
        (struct guest_volume){ .name = mem_strdup(name), .root = volume };
    return 0;
}

void guest_root_drop_volume(struct guest_root *root, const char *name)
{
    for (size_t i = 0; i < root->n_volumes; i++) {
        struct guest_volume gone = root->volumes[i];

        if (strcmp(gone.name, name) != 0)
            continue;
        root->volumes[i] = root->volumes[--root->n_volumes];
        volume_done(&gone);
        return;
    }
}

int guest_root_fd(const struct guest_root *root)
{
    return root->fd;
}

int guest_path_open_exact(const struct guest_root *root, const char *path, int flags)
{
    struct open_how how = {
        .flags = (unsigned)(flags | O_CLOEXEC),
        .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
    };

    if (!(flags & O_PATH)) /* O_PATH allows no flag that says how to do I/O */
        how.flags |= O_NOCTTY | O_NONBLOCK;
    for (int tries = 0;; tries++) {
        long fd = syscall(SYS_openat2, root->fd, path, &how, sizeof(how));

        if (fd >= 0)
            return (int)fd;
        if ((errno != EAGAIN && errno != EINTR) || tries == RACE_TRIES)
            return -errno;
        (void)sched_yield();
    }
}

const struct guest_root *guest_path_volume(const struct guest_root *root, const char **path,
                                           const char **ret_name)
{
    const char *start = *path + strspn(*path, "/");
    size_t len = strcspn(start, "/");

    if (ret_name)
        *ret_name = "";
    for (size_t i = 0; i < root->n_volumes && start > *path; i++) {
        const char *name = root->volumes[i].name + 1;

        if (!root->ignore_case ? strlen(name) != len || strncmp(name, start, len) != 0
                               : !upcase_equal_n(name, strlen(name), start, len))
            continue;
        *path = start[len] ? start + len : "/";
        if (ret_name)
            *ret_name = root->volumes[i].name;
        return root->volumes[i].root;
    }
    return root;
}

int guest_path_open(const struct guest_root *root, const char *path, int flags)
{
    const struct guest_root *in = guest_path_volume(root, &path, NULL);
    CLEANUP_FREE char *spelled = NULL;
    int fd = guest_path_open_exact(in, path, flags), r;

    if (fd != -ENOENT || (!in->ignore_case && !in->links_from))
        return fd;
    r = guest_case_resolve(in, path, !(flags & O_NOFOLLOW), &spelled);
    return r < 0 ? r : guest_path_open_exact(in, spelled, flags);
}

const char *guest_fd_path(int fd, char buf[GUEST_FD_PATH_MAX])
{
    (void)snprintf(buf, GUEST_FD_PATH_MAX, "/proc/self/fd/%d", fd);
    return buf;
}

int guest_path_readlink(const struct guest_root *root, int dir, const char *name,
                        char ret[PATH_MAX])
{
    static const char unknown[] = "unsupported reparse"; /* ntfs-3g's words */
    size_t base = root->links_from ? strlen(root->links_from) : 0;
    ssize_t n = readlinkat(dir, name, ret, PATH_MAX);

    if (n < 0)
        return -errno;
    if (n == PATH_MAX)
        return -ENAMETOOLONG;
    ret[n] = '\0';
    if (!base)
        return 0;
    if (strncmp(ret, unknown, strlen(unknown)) == 0)
        return -EOPNOTSUPP;
    if (strncmp(ret, root->links_from, base) == 0 && ret[base] == '/')
        memmove(ret, ret + base, (size_t)n - base + 1);
    return 0;
}
