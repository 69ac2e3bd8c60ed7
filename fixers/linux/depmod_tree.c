/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/linux/depmod_tree.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/exec.h"
#include "engine/base/io.h"
#include "fixers/linux/module_elf.h"
#include "inspect/modules_dep.h"

#define DEPMOD_TIMEOUT_MS 60000U
#define DEPMOD_MEMORY (2ULL << 30)
#define INDEX_MAX (64U << 20)

static int make_dir(struct depmod_tree *tree, const char *path, struct err *err)
{
    if (mkdir(path, 0700) == 0) {
        strlist_add(&tree->paths, path);
        return 0;
    }
    return errno == EEXIST ? 0 : err_set(err, errno, "make %s", path);
}

/* The folders between the tree's base and @path. */
static int make_parents(struct depmod_tree *tree, const char *path, struct err *err)
{
    CLEANUP_FREE char *folder = mem_strdup(path);

    for (char *slash = strchr(folder + strlen(tree->base) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (make_dir(tree, folder, err) < 0)
            return -err->code;
        *slash = '/';
    }
    return 0;
}

int depmod_tree_init(struct depmod_tree *ret, const char *work_dir, const char *version,
                     struct err *err)
{
    CLEANUP_FREE char *base = mem_printf("%s/h2k-modules.XXXXXX", work_dir);

    *ret = (struct depmod_tree){ 0 };
    if (!isdigit((unsigned char)version[0]) || strchr(version, '/'))
        return err_set(err, EINVAL, "%s is no kernel version", version);
    if (!mkdtemp(base))
        return err_set(err, errno, "make %s", base);
    strlist_add(&ret->paths, base);
    ret->modules = mem_printf("%s/lib/modules/%s", base, version);
    ret->version = mem_strdup(version);
    ret->base = TAKE(base);
    return 0;
}

static void remove_indexes(const struct depmod_tree *tree)
{
    CLEANUP_DIR DIR *dir = opendir(tree->modules);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir)))
        if (strncmp(entry->d_name, "modules.", 8) == 0)
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
}

void depmod_tree_done(struct depmod_tree *tree)
{
    if (tree->modules)
        remove_indexes(tree);
    for (size_t i = tree->paths.n; i > 0; i--)
        (void)remove(tree->paths.items[i - 1]);
    strlist_done(&tree->paths);
    strlist_done(&tree->modules_in);
    free(tree->base);
    free(tree->modules);
    free(tree->version);
    *tree = (struct depmod_tree){ 0 };
}

int depmod_tree_add(struct depmod_tree *tree, const char *path, const void *data, size_t len,
                    struct err *err)
{
    CLEANUP_FREE char *full = mem_printf("%s/%s", tree->modules, path);
    CLEANUP_FD int fd = -1;
    int r = make_parents(tree, full, err);

    if (r < 0)
        return r;
    fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, errno, "write %s", full);
    strlist_add(&tree->paths, full);
    if (module_path_ok(path) && !strlist_has(&tree->modules_in, path))
        strlist_add(&tree->modules_in, path);
    r = module_path_ok(path) ? module_elf_write(fd, data, len) : io_write_full(fd, data, len);
    return r < 0 ? err_set(err, -r, "write %s", full) : 0;
}

/* depmod leaves out what it cannot read without a word. */
static int check_complete(const struct depmod_tree *tree, struct err *err)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP(modules_dep_done) struct modules_dep dep = { 0 };
    size_t len = 0;
    int r = depmod_tree_read(tree, "modules.dep", &text, &len, err);

    if (r < 0)
        return r;
    r = modules_dep_parse(text, len, &dep);
    if (r < 0)
        return err_set(err, -r, "read depmod's index");
    for (size_t i = 0; i < tree->modules_in.n; i++)
        if (!modules_dep_find_path(&dep, tree->modules_in.items[i]))
            return err_status(err, STATUS_HOST,
                              "the depmod of this host cannot read %s; a kmod package that knows "
                              "its compression is needed",
                              tree->modules_in.items[i]);
    return 0;
}

static int list_indexes(const struct depmod_tree *tree, struct strlist *ret, struct err *err)
{
    CLEANUP_DIR DIR *dir = opendir(tree->modules);
    const struct dirent *entry;

    if (!dir)
        return err_set(err, errno, "read %s", tree->modules);
    while ((entry = readdir(dir))) {
        CLEANUP_FREE char *full = mem_printf("%s/%s", tree->modules, entry->d_name);

        if (strncmp(entry->d_name, "modules.", 8) == 0 && !strlist_has(&tree->paths, full))
            strlist_add(ret, entry->d_name);
    }
    strlist_sort(ret);
    return 0;
}

int depmod_tree_run(struct depmod_tree *tree, struct strlist *ret_names, struct err *err)
{
    /* an empty configuration: the host's search order says nothing about the guest's modules */
    CLEANUP_FREE char *config = mem_printf("%s/depmod.d", tree->base);
    const char *const argv[] = { "depmod", "-b", tree->base, "-C", config, tree->version, NULL };
    struct exec_opts opts = {
        .argv = argv,
        .package = "kmod",
        .timeout_ms = DEPMOD_TIMEOUT_MS,
        .limit_as = DEPMOD_MEMORY,
    };
    int r = make_dir(tree, config, err);

    if (r < 0)
        return r;
    r = exec_check(&opts, NULL, err);
    if (r < 0)
        return err_wrap(err, "index the modules of %s", tree->version);
    r = check_complete(tree, err);
    return r < 0 ? r : list_indexes(tree, ret_names, err);
}

int depmod_tree_read(const struct depmod_tree *tree, const char *name, char **ret, size_t *ret_len,
                     struct err *err)
{
    CLEANUP_FREE char *full = mem_printf("%s/%s", tree->modules, name);

    return io_read_file(full, INDEX_MAX, ret, ret_len, err);
}
