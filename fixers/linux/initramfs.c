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
#include "fixers/hardware.h"
#include "fixers/linux/archived_conf.h"
#include "fixers/linux/initramfs_conf.h"
#include "fixers/linux/initramfs_kinds.h"
#include "fixers/linux/linux.h"

/* What a root on virtio-blk or virtio-scsi needs; udev loads them by their aliases. */
static const char *const disk_modules[] = { "virtio_pci", "virtio_blk", "virtio_scsi", "sd_mod" };
static const char *const net_modules[] = { "virtio_net" };

/* Of a kernel without virtio drivers: see hardware_for(). */
static const char *const emulated_modules[] = { "ata_piix", "piix", "ide_disk", "ahci", "sd_mod" };

struct driver_set {
    const char *const *names;
    size_t n;
};
static const struct driver_set virtio_set = { disk_modules, ARRAY_SIZE(disk_modules) };
static const struct driver_set emulated_set = { emulated_modules, ARRAY_SIZE(emulated_modules) };

static void work_done(struct initramfs_work *work)
{
    kernel_modules_done(&work->modules);
    if (work->fd >= 0)
        (void)close(work->fd);
    initramfs_done(&work->scanned);
    free(work->prefix);
    strlist_done(&work->missing);
    strlist_done(&work->drivers);
    strlist_done(&work->load);
    strlist_done(&work->renamed);
    strlist_done(&work->listed);
    strlist_done(&work->gone);
    segment_done(&work->segment);
    depmod_tree_done(&work->tree);
}

/* ---- what the kernel has ---- */

static bool has_virtio_disk(const struct kernel_modules *modules)
{
    return module_kind(modules, "virtio_pci") != MODULE_ABSENT &&
           (module_kind(modules, "virtio_blk") != MODULE_ABSENT ||
            module_kind(modules, "virtio_scsi") != MODULE_ABSENT);
}

static bool needs_loading(const struct kernel_modules *modules, const struct driver_set *set)
{
    for (size_t i = 0; i < set->n; i++)
        if (module_kind(modules, set->names[i]) == MODULE_LOADABLE)
            return true;
    return false;
}

/* ---- what the archive has ---- */

/* 1, 0 (with a note) when it cannot be used, or negative errno. */
static int unusable(struct initramfs_work *work, struct err *err)
{
    char text[ERR_TEXT];

    if (work->kernel->is_default)
        return err_wrap(err, "%s (--skip=initramfs goes on without it)", work->kernel->initrd);
    plan_note(work->plan, "%s stays as it is: %s", work->kernel->initrd,
              err_text(err, text, sizeof(text)));
    err_clear(err);
    return 0;
}

static int scan_archive(struct initramfs_work *work, struct err *err)
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
        if (initramfs_scan(work->fd, work->size, INITRAMFS_ALL, &work->scanned, err) < 0)
            return unusable(work, err);
        work->found = &work->scanned;
    }
    inside = work->found->modules_prefix ? strrchr(work->found->modules_prefix, '/') + 1 : version;
    if (strcmp(inside, version) != 0) {
        plan_note(work->plan, "%s holds modules of %s, not of %s; it stays as it is",
                  work->kernel->initrd, inside, version);
        return 0;
    }
    work->kind = initrd_kind_of(work->found);
    if (!work->kind->folder)
        work->prefix = segment_modules_prefix(work->found, version);
    else
        work->prefix =
            mem_strdup(work->found->flat_folder ? work->found->flat_folder : work->kind->folder);
    return 1;
}

/* mkinitcpio and others put all modules into one folder: the kernel's own says what they are. */
static bool has_network(const struct initramfs_work *work)
{
    for (size_t i = 0; i < work->found->modules.n; i++) {
        CLEANUP_FREE char *name = module_path_name(work->found->modules.items[i]);
        const struct module_dep *module = modules_dep_find(&work->modules.dep, name);

        if (module && initramfs_is_network(module->path))
            return true;
    }
    return initramfs_has_network(work->found);
}

static void find_missing(struct initramfs_work *work, const struct driver_set *set)
{
    const char *wanted[ARRAY_SIZE(emulated_modules) + ARRAY_SIZE(net_modules)];
    size_t n = 0;

    for (size_t i = 0; i < set->n; i++) {
        wanted[n++] = set->names[i];
        if (module_kind(&work->modules, set->names[i]) == MODULE_LOADABLE)
            strlist_add(&work->drivers, set->names[i]);
    }
    module_load_order(&work->modules, wanted, n, &work->load);
    for (size_t i = 0; i < ARRAY_SIZE(net_modules) && has_network(work); i++)
        wanted[n++] = net_modules[i];
    for (size_t i = 0; i < n; i++)
        if (module_kind(&work->modules, wanted[i]) == MODULE_LOADABLE &&
            !strlist_has(work->config, wanted[i]))
            strlist_add(work->config, wanted[i]);
    module_closure(&work->modules, wanted, n, &work->found->modules, &work->missing);
}

/* ---- the change ---- */

/* "virtio_blk, virtio_pci ... for kernel 6.1" */
static char *describe(const struct initramfs_work *work, size_t n_naming)
{
    CLEANUP_STRBUF struct strbuf text = { 0 };

    for (size_t i = 0; i < work->missing.n; i++) {
        CLEANUP_FREE char *name = module_path_name(work->missing.items[i]);

        strbuf_printf(&text, "%s%s", i ? ", " : "", name);
    }
    if (work->missing.n > 0 && !work->kind->folder)
        strbuf_puts(&text, " and module indexes");
    for (size_t i = 0; i < work->listed.n; i++)
        strbuf_printf(&text, "%s%s that knows them", text.len ? "; " : "", work->listed.items[i]);
    if (n_naming > 0)
        strbuf_printf(&text, "%s%zu interface naming file%s", work->missing.n ? "; " : "", n_naming,
                      n_naming == 1 ? "" : "s");
    for (size_t i = 0; i < work->renamed.n; i++)
        strbuf_printf(&text, "%s%s by UUID", text.len ? "; " : "", work->renamed.items[i]);
    for (size_t i = 0; i < work->gone.n; i++)
        strbuf_printf(&text, "%sno wait for %s", text.len ? "; " : "", work->gone.items[i]);
    return strbuf_take(&text);
}

static const char *append_reason(const struct initramfs_work *work)
{
    if (work->missing.n > 0)
        return "the root disk is on a new controller, and its drivers are not inside";
    if (work->listed.n > 0)
        return "the root disk is on a new controller, and it loads drivers from a list";
    if (work->gone.n > 0)
        return "it waits for devices that are on none of the disks, or not under these names";
    if (work->renamed.n > 0)
        return "it names disks, and their names change with the disk controller";
    return "interfaces are named before the root file system is there";
}

/* LILO's map lists the sectors that the file had when lilo was run (lilo(8)). */
static void note_map(struct initramfs_work *work)
{
    if (strcmp(work->ctx->facts->boot_loader, "lilo") == 0)
        plan_note(work->plan,
                  "LILO loads %s by a map of its sectors, without what is added: run lilo in the "
                  "guest, from an IDE or SATA disk, before it starts from a virtio disk",
                  work->kernel->initrd);
}

static int plan_segment(struct initramfs_work *work, struct err *err)
{
    CLEANUP_STRBUF struct strbuf bytes = { 0 };
    CLEANUP_FREE char *note = NULL;
    size_t n_naming = 0;
    bool names_nics =
        has_network(work) || (module_kind(&work->modules, "virtio_net") == MODULE_BUILTIN &&
                              naming_archive_has_udev(work->found));

    if (names_nics)
        n_naming = naming_add_missing(work->naming, work->found, &work->segment);
    archived_conf_add_fixed(work->ctx, work->found, &work->segment, &work->renamed);
    work_end_waits(work);
    if (work->kind->adapt && work->load.n > 0 && work->kind->adapt(work, err) < 0)
        return -err->code;
    if (work->segment.n == 0 && work->missing.n == 0)
        return 0;
    if (work->ctx->opts->initramfs == INITRAMFS_REBUILD)
        return initramfs_plan_rebuild(work, append_reason(work), err);
    if (work->missing.n > 0 && work_add_modules(work, err) < 0)
        return -err->code;
    if (segment_build(&work->segment, work->found, work->size, &bytes) < 0)
        return err_set(err, EFBIG, "the modules for %s", work->kernel->initrd);
    note = describe(work, n_naming);
    plan_append(work->plan, work->kernel->initrd, bytes.data, bytes.len, note, append_reason(work));
    note_map(work);
    return work->missing.n > 0;
}

static bool is_planned(const struct initramfs_work *work)
{
    for (size_t i = 0; i < work->plan->n; i++)
        if ((work->plan->changes[i].action == CHANGE_APPEND || work->plan->changes[i].run) &&
            strcmp(work->plan->changes[i].path, work->kernel->initrd) == 0)
            return true;
    return false;
}

/* Only what is started then, on a machine that has nothing of virtio, gets other drivers. */
static bool is_emulated(const struct initramfs_work *work)
{
    const struct facts *facts = work->ctx->facts;

    return kernel_started(facts) == work->kernel && kernel_fit(work->kernel) == KERNEL_NO_VIRTIO &&
           !kernel_instead(facts);
}

/* > 0: drivers are added. */
static int plan_kernel(struct initramfs_work *work, struct err *err)
{
    const struct fact_kernel *kernel = work->kernel;
    const struct driver_set *set = &virtio_set;
    int r;

    if (!*kernel->modules_dir || kernel_fit(kernel) == KERNEL_NO_KVM || is_planned(work))
        return 0;
    r = work_read_modules(work, err);
    if (r <= 0)
        return r;
    if (!has_virtio_disk(&work->modules) && !kernel->has_virtio) {
        plan_note(work->plan,
                  "kernel %s has no virtio drivers: to start it, give the machine an IDE or SATA "
                  "disk and an e1000 network card",
                  kernel->version);
        set = &emulated_set;
        if (!is_emulated(work) || !*kernel->initrd)
            return 0;
    }
    if (!*kernel->initrd) {
        if (!kernel->virtio_builtin && !*kernel->unified &&
            (module_kind(&work->modules, "virtio_pci") != MODULE_BUILTIN ||
             module_kind(&work->modules, "virtio_blk") != MODULE_BUILTIN))
            plan_note(work->plan,
                      "kernel %s has no initramfs and no built-in virtio drivers: to start it, "
                      "give the machine an IDE or SATA disk",
                      kernel->version);
        return 0;
    }
    if (!needs_loading(&work->modules, set) && work->naming->n == 0 && !kernel->archive)
        return 0;
    r = scan_archive(work, err);
    if (r <= 0)
        return r;
    find_missing(work, set);
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

    if (naming_files_read(plan, &naming, err) < 0)
        return -err->code;
    for (size_t i = 0; i < ctx->facts->n_kernels; i++) {
        CLEANUP(work_done)
        struct initramfs_work work = {
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
