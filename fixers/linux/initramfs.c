/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Virtio drivers for every kernel's initramfs, as an appended archive: what is in the file stays
 * byte for byte, no code of the guest runs, and the module indexes describe exactly what is inside.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "fixers/fixer.h"
#include "fixers/linux/archived_conf.h"
#include "fixers/linux/depmod_tree.h"
#include "fixers/linux/initramfs_conf.h"
#include "fixers/linux/linux.h"
#include "fixers/linux/module_closure.h"
#include "fixers/linux/naming_files.h"
#include "fixers/linux/segment.h"

#define MODULE_MAX (64U << 20)

/* What a root on virtio-blk or virtio-scsi needs; udev loads them by their aliases. */
static const char *const disk_modules[] = { "virtio_pci", "virtio_blk", "virtio_scsi", "sd_mod" };
static const char *const net_modules[] = { "virtio_net" };

/* One kernel's initramfs while it is planned. */
struct work {
    const struct fix_context *ctx;
    struct plan *plan;
    const struct fact_kernel *kernel;
    const struct naming_files *naming;
    struct strlist *config; /* loadable drivers of all kernels, for the guest's own tool */
    struct kernel_modules modules;
    int fd;
    uint64_t size;
    const struct initramfs *found; /* the kernel's, or scanned */
    struct initramfs scanned;
    char *prefix; /* of modules in the archive */
    struct strlist missing;
    struct strlist renamed; /* configuration inside that gets UUIDs */
    struct segment segment;
    struct depmod_tree tree;
};

static void work_done(struct work *work)
{
    kernel_modules_done(&work->modules);
    if (work->fd >= 0)
        (void)close(work->fd);
    initramfs_done(&work->scanned);
    free(work->prefix);
    strlist_done(&work->missing);
    strlist_done(&work->renamed);
    segment_done(&work->segment);
    depmod_tree_done(&work->tree);
}

/* ---- what the kernel has ---- */

/* A file of the kernel's modules folder: 1 and *ret_text, 0 when it is missing, or negative errno.
 */
static int read_index(struct work *work, const char *name, char **ret_text, size_t *ret_len,
                      struct err *err)
{
    CLEANUP_FREE char *path = mem_printf("%s/%s", work->kernel->modules_dir, name);
    int r = guest_read(work->plan->root, path, GUEST_TEXT_MAX, ret_text, ret_len, err);

    if (r != -ENOENT)
        return r < 0 ? r : 1;
    err_clear(err);
    return 0;
}

/* 1, 0 (with a note) when the kernel has no index of its modules, or negative errno. */
static int read_modules(struct work *work, struct err *err)
{
    struct kernel_modules *modules = &work->modules;
    CLEANUP_FREE char *dep = NULL, *builtin = NULL;
    size_t dep_len = 0, builtin_len = 0;
    int r = read_index(work, "modules.dep", &dep, &dep_len, err);

    if (r > 0) {
        r = modules_dep_parse(dep, dep_len, &modules->dep);
        if (r < 0)
            return err_set(err, -r, "read modules.dep of %s", work->kernel->version);
    } else if (r < 0) {
        return r;
    }
    r = read_index(work, "modules.builtin", &builtin, &builtin_len, err);
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
    r = read_index(work, "modules.softdep", &modules->softdep, &modules->softdep_len, err);
    return r < 0 ? r : 1;
}

static bool has_virtio_disk(const struct kernel_modules *modules)
{
    return module_kind(modules, "virtio_pci") != MODULE_ABSENT &&
           (module_kind(modules, "virtio_blk") != MODULE_ABSENT ||
            module_kind(modules, "virtio_scsi") != MODULE_ABSENT);
}

static bool needs_loading(const struct kernel_modules *modules)
{
    for (size_t i = 0; i < ARRAY_SIZE(disk_modules); i++)
        if (module_kind(modules, disk_modules[i]) == MODULE_LOADABLE)
            return true;
    return false;
}

/* ---- what the archive has ---- */

/* 1, 0 (with a note) when it cannot be used, or negative errno. */
static int unusable(struct work *work, struct err *err)
{
    char text[ERR_TEXT];

    if (work->kernel->is_default)
        return err_wrap(err, "%s (--skip=initramfs goes on without it)", work->kernel->initrd);
    plan_note(work->plan, "%s stays as it is: %s", work->kernel->initrd,
              err_text(err, text, sizeof(text)));
    err_clear(err);
    return 0;
}

static int scan_archive(struct work *work, struct err *err)
{
    const char *version = work->kernel->version;
    const char *inside;
    struct stat st;

    work->fd = guest_open(work->plan->root, work->kernel->initrd, err);
    if (work->fd < 0)
        return unusable(work, err);
    if (fstat(work->fd, &st) < 0)
        return err_set(err, errno, "stat %s", work->kernel->initrd);
    work->size = (uint64_t)st.st_size;
    work->found = work->kernel->archive;
    if (!work->found || work->found->image_bytes != work->size) {
        if (initramfs_scan(work->fd, work->size, true, &work->scanned, err) < 0)
            return unusable(work, err);
        work->found = &work->scanned;
    }
    inside = work->found->modules_prefix ? strrchr(work->found->modules_prefix, '/') + 1 : version;
    if (strcmp(inside, version) != 0) {
        plan_note(work->plan, "%s holds modules of %s, not of %s; it stays as it is",
                  work->kernel->initrd, inside, version);
        return 0;
    }
    work->prefix = segment_modules_prefix(work->found, version);
    return 1;
}

static void find_missing(struct work *work)
{
    const char *wanted[ARRAY_SIZE(disk_modules) + ARRAY_SIZE(net_modules)];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(disk_modules); i++)
        wanted[n++] = disk_modules[i];
    for (size_t i = 0; i < ARRAY_SIZE(net_modules) && initramfs_has_network(work->found); i++)
        wanted[n++] = net_modules[i];
    for (size_t i = 0; i < n; i++)
        if (module_kind(&work->modules, wanted[i]) == MODULE_LOADABLE &&
            !strlist_has(work->config, wanted[i]))
            strlist_add(work->config, wanted[i]);
    module_closure(&work->modules, wanted, n, &work->found->modules, &work->missing);
}

/* ---- modules and indexes ---- */

static int add_new_modules(struct work *work, struct err *err)
{
    for (size_t i = 0; i < work->missing.n; i++) {
        const char *path = work->missing.items[i];
        CLEANUP_FREE char *from = mem_printf("%s/%s", work->kernel->modules_dir, path);
        CLEANUP_FREE char *to = mem_printf("%s/%s", work->prefix, path);
        char *data = NULL;
        size_t len = 0;

        if (guest_read(work->plan->root, from, MODULE_MAX, &data, &len, err) < 0)
            return -err->code;
        segment_add(&work->segment, to, data, len);
        if (depmod_tree_add(&work->tree, path, data, len, err) < 0)
            return -err->code;
    }
    return 0;
}

/* Path below the modules folder of an archive's entry, whichever way it is reached; or NULL. */
static const char *path_in_modules(const struct work *work, const char *name)
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
    struct work *work = arg;
    struct err err = ERR_NONE;

    (void)mode;
    return depmod_tree_add(&work->tree, path_in_modules(work, name), data, len, &err);
}

static int add_indexes(struct work *work, struct err *err)
{
    static const char *const inputs[] = { "modules.order", "modules.builtin",
                                          "modules.builtin.modinfo" };
    CLEANUP_STRLIST struct strlist names = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(inputs); i++) {
        CLEANUP_FREE char *text = NULL;
        size_t len = 0;
        int r = read_index(work, inputs[i], &text, &len, err);

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

static int add_modules(struct work *work, struct err *err)
{
    if (depmod_tree_init(&work->tree, work_dir(work->ctx), work->kernel->version, err) < 0 ||
        initramfs_walk(work->fd, work->size, want_module, take_module, work, err) < 0 ||
        add_new_modules(work, err) < 0 || add_indexes(work, err) < 0)
        return -err->code;
    return 0;
}

/* ---- the change ---- */

/* "virtio_blk, virtio_pci ... for kernel 6.1" */
static char *describe(const struct work *work, size_t n_naming)
{
    CLEANUP_STRBUF struct strbuf text = { 0 };

    for (size_t i = 0; i < work->missing.n; i++) {
        CLEANUP_FREE char *name = module_path_name(work->missing.items[i]);

        strbuf_printf(&text, "%s%s", i ? ", " : "", name);
    }
    if (work->missing.n > 0)
        strbuf_puts(&text, " and module indexes");
    if (n_naming > 0)
        strbuf_printf(&text, "%s%zu interface naming file%s", work->missing.n ? "; " : "", n_naming,
                      n_naming == 1 ? "" : "s");
    for (size_t i = 0; i < work->renamed.n; i++)
        strbuf_printf(&text, "%s%s by UUID", text.len ? "; " : "", work->renamed.items[i]);
    return strbuf_take(&text);
}

static const char *append_reason(const struct work *work)
{
    if (work->missing.n > 0)
        return "the root disk is on virtio, and its drivers are not inside";
    if (work->renamed.n > 0)
        return "it names disks, and their names change with the disk controller";
    return "interfaces are named before the root file system is there";
}

static int plan_segment(struct work *work, struct err *err)
{
    CLEANUP_STRBUF struct strbuf bytes = { 0 };
    CLEANUP_FREE char *note = NULL;
    size_t n_naming = 0;
    bool names_nics = initramfs_has_network(work->found) ||
                      (module_kind(&work->modules, "virtio_net") == MODULE_BUILTIN &&
                       naming_archive_has_udev(work->found));

    if (names_nics)
        n_naming = naming_add_missing(work->naming, work->found, &work->segment);
    archived_conf_add_fixed(work->ctx, work->found, &work->segment, &work->renamed);
    if (work->segment.n == 0 && work->missing.n == 0)
        return 0;
    if (work->missing.n > 0 && add_modules(work, err) < 0)
        return -err->code;
    if (segment_build(&work->segment, work->found, work->size, &bytes) < 0)
        return err_set(err, EFBIG, "the modules for %s", work->kernel->initrd);
    note = describe(work, n_naming);
    plan_append(work->plan, work->kernel->initrd, bytes.data, bytes.len, note, append_reason(work));
    return work->missing.n > 0;
}

static bool is_planned(const struct work *work)
{
    for (size_t i = 0; i < work->plan->n; i++)
        if (work->plan->changes[i].action == CHANGE_APPEND &&
            strcmp(work->plan->changes[i].path, work->kernel->initrd) == 0)
            return true;
    return false;
}

/* > 0: drivers are added. */
static int plan_kernel(struct work *work, struct err *err)
{
    const struct fact_kernel *kernel = work->kernel;
    int r;

    if (!*kernel->modules_dir || is_planned(work))
        return 0;
    r = read_modules(work, err);
    if (r <= 0)
        return r;
    if (!has_virtio_disk(&work->modules)) {
        plan_note(work->plan,
                  "kernel %s has no virtio drivers: to start it, give the machine an IDE or SATA "
                  "disk and an e1000 network card",
                  kernel->version);
        return 0;
    }
    if (!*kernel->initrd) {
        if (module_kind(&work->modules, "virtio_pci") != MODULE_BUILTIN ||
            module_kind(&work->modules, "virtio_blk") != MODULE_BUILTIN)
            plan_note(work->plan,
                      "kernel %s has no initramfs and no built-in virtio drivers: to start it, "
                      "give the machine an IDE or SATA disk",
                      kernel->version);
        return 0;
    }
    if (!needs_loading(&work->modules) && work->naming->n == 0 && !kernel->archive)
        return 0;
    r = scan_archive(work, err);
    if (r <= 0)
        return r;
    find_missing(work);
    return plan_segment(work, err);
}

static bool applies(const struct fix_context *ctx, const char **ret_why)
{
    if (ctx->opts->initramfs == INITRAMFS_NONE) {
        *ret_why = "--initramfs=none";
        return false;
    }
    *ret_why = ctx->facts->n_kernels ? "kernels are installed" : "no kernel is installed";
    return ctx->facts->n_kernels > 0;
}

static int plan(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    CLEANUP(naming_files_done) struct naming_files naming = { 0 };
    CLEANUP_STRLIST struct strlist config = { 0 };
    bool injected = false;

    if (ctx->opts->initramfs == INITRAMFS_REBUILD)
        return err_status(err, STATUS_USAGE,
                          "--initramfs=rebuild is not available in this version: use "
                          "--initramfs=inject");
    if (naming_files_read(plan, &naming, err) < 0)
        return -err->code;
    for (size_t i = 0; i < ctx->facts->n_kernels; i++) {
        CLEANUP(work_done)
        struct work work = {
            .ctx = ctx,
            .plan = plan,
            .kernel = &ctx->facts->kernels[i],
            .naming = &naming,
            .config = &config,
            .fd = -1,
        };
        int r = plan_kernel(&work, err);

        if (r < 0)
            return err_wrap(err, "initramfs of kernel %s", work.kernel->version);
        injected |= r > 0;
    }
    return initramfs_conf_plan(ctx, plan, &config, injected, err);
}

const struct fixer fixer_initramfs = {
    .name = "initramfs",
    .summary = "virtio drivers in every kernel's initramfs",
    .os = OS_LINUX,
    .applies = applies,
    .plan = plan,
};
