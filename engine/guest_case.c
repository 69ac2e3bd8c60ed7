/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding files whatever the case of their names. The walk goes name by name along a path without
 * links, opening each folder confined to the root, so that it may be wrong about what is where when
 * something changes meanwhile, but never leads out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/guest_path.h"
#include "engine/upcase.h"

#define ENTRIES_MAX 65536U /* of one folder that are looked at */
#define NAMES_MAX 512      /* of one path, its links' targets included */
#define DOS_NAME_MAX 12    /* "PROGRA~1.TXT" */
#define LINKS_MAX 40       /* as the kernel has it */
#define AS_IT_IS "."       /* the folder itself */

/* ---- one name ---- */

/* What a folder has that may be meant by a name. */
struct meant {
    const char *name;
    ino_t inode; /* of what the driver finds under the name; 0: nothing */
    bool found;  /* as it is spelled: nothing else is meant */
    char other_case[NAME_MAX + 1], same_file[NAME_MAX + 1];
};

/* Of several that differ in case (Windows can be told to allow that) the first counts, as there. */
static void look_at_entry(struct meant *meant, const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    if (len > NAME_MAX)
        return;
    if (strcmp(entry->d_name, meant->name) == 0)
        meant->found = true;
    else if (upcase_equal(entry->d_name, meant->name) &&
             (!meant->other_case[0] || strcmp(entry->d_name, meant->other_case) < 0))
        memcpy(meant->other_case, entry->d_name, len + 1);
    else if (meant->inode && entry->d_ino == meant->inode && strcmp(entry->d_name, ".") != 0)
        memcpy(meant->same_file, entry->d_name, len + 1);
}

static int look_through(int dir, struct meant *meant)
{
    CLEANUP_DIR DIR *entries = NULL;
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    entries = fdopendir(fd);
    if (!entries) {
        (void)close(fd);
        return -ENOMEM;
    }
    for (unsigned n = 0; !meant->found && n < ENTRIES_MAX; n++) {
        const struct dirent *entry;

        errno = 0;
        entry = readdir(entries);
        if (!entry)
            return -errno;
        look_at_entry(meant, entry);
    }
    return 0;
}

/* NTFS finds a file by its short name, too, which is always in upper case. */
static int stat_name(int dir, const char *name, struct stat *ret)
{
    char short_name[DOS_NAME_MAX + 1] = "";
    size_t len = strlen(name);

    if (fstatat(dir, name, ret, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    if (errno != ENOENT || len > DOS_NAME_MAX || !strchr(name, '~'))
        return -errno;
    memcpy(short_name, name, len);
    for (size_t i = 0; i < len; i++)
        if (name[i] >= 'a' && name[i] <= 'z')
            short_name[i] = (char)(name[i] - 'a' + 'A');
    return fstatat(dir, short_name, ret, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/* What the driver finds, is it spelled like that? No listing shows the short names of NTFS. */
static bool is_name_of_its_own(const struct guest_root *root, const char *name)
{
    return !strchr(name, '~') && !root->driver_ignores_case;
}

int guest_case_name(const struct guest_root *root, int dir, const char *name,
                    char ret[NAME_MAX + 1])
{
    struct meant meant = { .name = name };
    const char *found = name;
    struct stat st;
    bool is_there;
    int r;

    if (strlen(name) > NAME_MAX)
        return -ENAMETOOLONG;
    r = stat_name(dir, name, &st);
    if (r < 0 && r != -ENOENT)
        return r;
    is_there = r == 0;
    if (!is_there || !is_name_of_its_own(root, name)) {
        meant.inode = is_there ? st.st_ino : 0;
        r = look_through(dir, &meant);
        if (r < 0)
            return r;
        if (!meant.found && meant.other_case[0])
            found = meant.other_case;
        else if (!meant.found && meant.same_file[0])
            found = meant.same_file;
        else if (!meant.found && !is_there)
            return -ENOENT;
    }
    memmove(ret, found, strlen(found) + 1);
    return 0;
}

/* ---- a path ---- */

struct walk {
    const struct guest_root *root;
    struct strbuf at; /* where it is: without links, "" for the root */
    char *rest;       /* where it still has to go */
    unsigned n_links, n_names;
};

static void walk_up(struct strbuf *at)
{
    const char *slash = at->data ? strrchr(at->data, '/') : NULL;

    at->len = slash ? (size_t)(slash - at->data) : 0;
    if (at->data)
        at->data[at->len] = '\0';
}

/* A link at the end of walk->at: go where it leads. */
static int follow_link(struct walk *walk, int link, const char *rest)
{
    char target[PATH_MAX];
    char *next;
    int r = guest_path_readlink(walk->root, link, "", target);

    if (r < 0)
        return r;
    if (++walk->n_links > LINKS_MAX)
        return -ELOOP;
    if (target[0] == '/')
        walk->at.len = 0;
    else
        walk_up(&walk->at);
    next = mem_printf("%s/%s", target, rest);
    free(walk->rest);
    walk->rest = next;
    return strlen(next) < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Into the entry @name of where it is; @rest comes after that. 1: go on with that; 0: with
 * walk->rest, which is another one now. */
static int walk_into(struct walk *walk, const char *name, const char *rest, bool follow)
{
    char spelled[NAME_MAX + 1];
    CLEANUP_FD int dir =
        guest_path_open_exact(walk->root, walk->at.len ? walk->at.data : "/", O_PATH | O_DIRECTORY);
    CLEANUP_FD int fd = -1;
    struct stat st;
    int r;

    if (dir < 0)
        return dir;
    r = walk->root->ignore_case ? guest_case_name(walk->root, dir, name, spelled) : 0;
    if (r < 0)
        return r;
    if (!walk->root->ignore_case)
        (void)snprintf(spelled, sizeof(spelled), "%s", name);
    fd = openat(dir, spelled, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    strbuf_putc(&walk->at, '/');
    strbuf_puts(&walk->at, spelled);
    if (!S_ISLNK(st.st_mode) || !follow)
        return 1;
    return follow_link(walk, fd, rest);
}

/* One name of walk->rest. */
static int step(struct walk *walk, const char **at, bool follow)
{
    CLEANUP_FREE char *name = NULL;
    const char *rest;
    size_t len = strcspn(*at, "/");
    int r;

    if (++walk->n_names > NAMES_MAX)
        return -ENAMETOOLONG;
    name = mem_strndup(*at, len);
    rest = *at + len;
    rest += strspn(rest, "/");
    *at = rest;
    if (strcmp(name, ".") == 0)
        return 0;
    if (strcmp(name, "..") == 0) {
        walk_up(&walk->at);
        return 0;
    }
    r = walk_into(walk, name, rest, *rest != '\0' || follow);
    if (r == 0)
        *at = walk->rest + strspn(walk->rest, "/");
    return r < 0 ? r : 0;
}

int guest_case_resolve(const struct guest_root *root, const char *path, bool follow, char **ret)
{
    struct walk walk = { .root = root, .rest = mem_strdup(path) };
    const char *at = walk.rest + strspn(walk.rest, "/");
    int r = 0;

    strbuf_puts(&walk.at, "");
    while (r == 0 && *at)
        r = step(&walk, &at, follow);
    if (r == 0 && walk.at.len == 0)
        strbuf_putc(&walk.at, '/');
    if (r == 0 && walk.at.len >= PATH_MAX)
        r = -ENAMETOOLONG;
    if (r == 0)
        *ret = strbuf_take(&walk.at);
    strbuf_done(&walk.at);
    free(walk.rest);
    return r;
}

int guest_case_real_path(const struct guest_root *root, const char *path, char **ret,
                         struct err *err)
{
    const char *below = path, *volume;
    const struct guest_root *in = guest_path_volume(root, &below, &volume);
    CLEANUP_FREE char *real = NULL;
    int r = guest_case_resolve(in, below, true, &real);

    if (r < 0 || !real)
        return err_set(err, r < 0 ? -r : ENOMEM, "open %s", path);
    *ret = mem_printf("%s%s", volume, *volume && strcmp(real, "/") == 0 ? "" : real);
    return 0;
}

char *guest_spelling(const struct guest_root *root, const char *path)
{
    const char *below = path, *volume, *slash;
    const struct guest_root *in = guest_path_volume(root, &below, &volume);
    CLEANUP_FREE char *folder = NULL;
    char name[NAME_MAX + 1];
    CLEANUP_FD int dir = -1;
    struct stat st;

    if (strcmp(below, "/") == 0)
        return mem_strdup(*volume ? volume : "/");
    if (!in->ignore_case)
        return guest_lstat(in, below, &st) == 0 ? mem_strdup(path) : NULL;
    slash = strrchr(below, '/');
    if (!slash)
        return NULL;
    folder = slash == below ? mem_strdup("/") : mem_strndup(below, (size_t)(slash - below));
    dir = guest_path_open(in, folder, O_PATH | O_DIRECTORY);
    if (dir < 0 || guest_case_name(in, dir, slash + 1, name) < 0)
        return NULL;
    return mem_printf("%s%.*s/%s", volume, (int)(slash - below), below, name);
}
