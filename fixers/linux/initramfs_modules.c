/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Modules of a kernel on their way into its initramfs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/initramfs_kinds.h"
#include "fixers/linux/module_file.h"

/* ---- what the kernel has ---- */

int work_read_index(struct initramfs_work *work, const char *name, char **ret_text, size_t *ret_len,
                    struct err *err)
{
    CLEANUP_FREE char *path = mem_printf("%s/%s", work->kernel->modules_dir, name);
    int r = guest_read(work->plan->root, path, GUEST_TEXT_MAX, ret_text, ret_len, err);

    if (r != -ENOENT)
        return r < 0 ? r : 1;
    err_clear(err);
    return 0;
}

int work_read_modules(struct initramfs_work *work, struct err *err)
{
    struct kernel_modules *modules = &work->modules;
    CLEANUP_FREE char *dep = NULL, *builtin = NULL;
    size_t dep_len = 0, builtin_len = 0;
    int r = work_read_index(work, "modules.dep", &dep, &dep_len, err);

    if (r > 0) {
        r = modules_dep_parse(dep, dep_len, &modules->dep);
        if (r < 0)
            return err_set(err, -r, "read modules.dep of %s", work->kernel->version);
    } else if (r < 0) {
        return r;
    }
    r = work_read_index(work, "modules.builtin", &builtin, &builtin_len, err);
    if (r < 0)
        return r;
    if (r > 0 && modules_builtin_parse(builtin, builtin_len, &modules->builtin) < 0)
        return err_set(err, EFBIG, "read modules.builtin of %s", work->kernel->version);
    if (!dep && !builtin) {
        plan_note(work->plan,
                  "kernel %s has no index of its modules (modules.dep), so its initramfs stays as "
                  "it is: run depmod %s in the guest",
                  work->kernel->version, work->kernel->version);
        return 0;
    }
    r = work_read_index(work, "modules.softdep", &modules->softdep, &modules->softdep_len, err);
    return r < 0 ? r : 1;
}

/* ---- modules and indexes ---- */

/* Modules go in as the others are there: what made the archive knows which compressions the tools
 * inside can read. */
static bool archive_is_packed(const struct initramfs_work *work)
{
    for (size_t i = 0; i < work->found->modules.n; i++)
        if (module_file_is_packed(work->found->modules.items[i]))
            return true;
    return false;
}

char *work_name_inside(const struct initramfs_work *work, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (work->kind->underscores) {
        CLEANUP_FREE char *name = module_path_name(path);

        return mem_printf("%s.ko", name);
    }
    if (!work->kind->folder)
        return archive_is_packed(work) ? mem_strdup(path) : module_file_plain(path);
    return module_file_plain(slash ? slash + 1 : path);
}

static int add_new_modules(struct initramfs_work *work, struct err *err)
{
    for (size_t i = 0; i < work->missing.n; i++) {
        const char *path = work->missing.items[i];
        CLEANUP_FREE char *from = mem_printf("%s/%s", work->kernel->modules_dir, path);
        CLEANUP_FREE char *inside = work_name_inside(work, path);
        CLEANUP_FREE char *to = strcmp(work->prefix, ".") == 0
                                    ? mem_strdup(inside)
                                    : mem_printf("%s/%s", work->prefix, inside);
        CLEANUP_FREE char *data = NULL;
        size_t len = 0;

        if (guest_read(work->plan->root, from, MODULE_FILE_MAX, &data, &len, err) < 0)
            return -err->code;
        if (module_file_is_packed(path) && !module_file_is_packed(inside) &&
            module_file_unpack(path, &data, &len, err) < 0)
            return -err->code;
        if (!work->kind->folder && depmod_tree_add(&work->tree, inside, data, len, err) < 0)
            return -err->code;
        segment_add(&work->segment, to, TAKE(data), len);
    }
    return 0;
}

/* Path below the modules folder of an archive's entry, whichever way it is reached; or NULL. */
static const char *path_in_modules(const struct initramfs_work *work, const char *name)
{
    size_t version_len = strlen(work->kernel->version);

    if (strncmp(name, "usr/", 4) == 0)
        name += 4;
    if (strncmp(name, "lib/modules/", 12) != 0 ||
        strncmp(name + 12, work->kernel->version, version_len) != 0 ||
        name[12 + version_len] != '/' || !module_path_ok(name + 12 + version_len + 1))
        return NULL;
    return name + 12 + version_len + 1;
}

static bool want_module(void *arg, const char *name, uint32_t mode)
{
    return S_ISREG(mode) && path_in_modules(arg, name);
}

static int take_module(void *arg, const char *name, uint32_t mode, const void *data, size_t len)
{
    struct initramfs_work *work = arg;
    struct err err = ERR_NONE;

    (void)mode;
    return depmod_tree_add(&work->tree, path_in_modules(work, name), data, len, &err);
}

static int add_indexes(struct initramfs_work *work, struct err *err)
{
    static const char *const inputs[] = { "modules.order", "modules.builtin",
                                          "modules.builtin.modinfo" };
    CLEANUP_STRLIST struct strlist names = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
        CLEANUP_FREE char *text = NULL;
        size_t len = 0;
        int r = work_read_index(work, inputs[i], &text, &len, err);

        if (r < 0 || (r > 0 && depmod_tree_add(&work->tree, inputs[i], text, len, err) < 0))
            return -err->code;
    }
    if (depmod_tree_run(&work->tree, &names, err) < 0)
        return -err->code;
    for (size_t i = 0; i < names.n; i++) {
        CLEANUP_FREE char *to = mem_printf("%s/%s", work->prefix, names.items[i]);
        char *data = NULL;
        size_t len = 0;

        if (depmod_tree_read(&work->tree, names.items[i], &data, &len, err) < 0)
            return -err->code;
        segment_add(&work->segment, to, data, len);
    }
    return 0;
}

/* A private folder of the host; in memory when there is one, as many small files are made. */
static const char *work_dir(const struct fix_context *ctx)
{
    const char *temporary = getenv("TMPDIR");

    if (ctx->session)
        return session_scratch_dir(ctx->session);
    return temporary && *temporary ? temporary : "/var/tmp";
}

int work_add_modules(struct initramfs_work *work, struct err *err)
{
    if (work->kind->folder)
        return add_new_modules(work, err);
    if (depmod_tree_init(&work->tree, work_dir(work->ctx), work->kernel->version, err) < 0 ||
        initramfs_walk(work->fd, work->size, want_module, take_module, work, err) < 0 ||
        add_new_modules(work, err) < 0 || add_indexes(work, err) < 0)
        return -err->code;
    return 0;
}
