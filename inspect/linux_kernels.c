/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Installed kernels and the tool that makes their initramfs. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/fields.h"
#include "inspect/linux.h"

#define MAX_KERNELS 128 /* more are not looked at */

static const char *const image_prefixes[] = { "vmlinuz-", "vmlinux-", "kernel-" };

/* Names that tools give the initramfs of kernel %s, most usual first. */
static const struct {
    const char *before, *after;
} initrd_names[] = {
    { "initrd.img-", "" },    /* initramfs-tools, dracut of Debian */
    { "initramfs-", ".img" }, /* dracut elsewhere */
    { "initrd-", "" },        /* SUSE */
    { "initrd-", ".img" },    /* mkinitrd of EL5 */
    { "initramfs-", "" },     /* Gentoo, Alpine */
};

/* ---- drivers ---- */

/* What a root on virtio-blk needs of the kernel. */
static const struct {
    const char *module; /* without ".ko" */
    const char *folder; /* usual place below kernel/ */
} virtio_modules[] = {
    { "virtio_blk", "drivers/block" },
    { "virtio_pci", "drivers/virtio" },
};

/* Is there a line of @text whose path (up to ':' in modules.dep) is that of @module? Files may be
 * compressed: ".ko", ".ko.xz" ... */
static bool index_has(const char *text, size_t len, const char *module)
{
    CLEANUP_FREE char *name = mem_printf("/%s.ko", module);
    struct span line;
    size_t pos = 0;

    while (line_next(text, len, &pos, &line)) {
        const char *at = text + line.start;
        const char *colon = line.len > 0 ? memchr(at, ':', line.len) : NULL;
        const char *end = colon ? colon : at + line.len;

        if (memmem(at, (size_t)(end - at), name, strlen(name)))
            return true;
    }
    return false;
}

static bool module_is_there(const struct guest_root *root, const char *modules_dir,
                            const char *folder, const char *module)
{
    static const char *const suffixes[] = { ".ko", ".ko.xz", ".ko.zst", ".ko.gz" };

    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        CLEANUP_FREE char *path =
            mem_printf("%s/kernel/%s/%s%s", modules_dir, folder, module, suffixes[i]);

        if (guest_is_file(root, path))
            return true;
    }
    return false;
}

static bool index_file_has(const struct guest_root *root, const char *modules_dir,
                           const char *index, const char *module)
{
    CLEANUP_FREE char *path = mem_printf("%s/%s", modules_dir, index);
    size_t len = 0;
    CLEANUP_FREE char *text = linux_read(root, path, &len);

    return text && index_has(text, len, module);
}

static void find_virtio(const struct guest_root *root, struct fact_kernel *kernel)
{
    if (kernel->modules_dir[0] == '\0')
        return;
    kernel->virtio_builtin = true;
    kernel->has_virtio = true;
    for (size_t i = 0; i < ARRAY_SIZE(virtio_modules); i++) {
        const char *module = virtio_modules[i].module;

        if (index_file_has(root, kernel->modules_dir, "modules.builtin", module))
            continue;
        kernel->virtio_builtin = false;
        /* the usual place first: modules.dep is large */
        if (!module_is_there(root, kernel->modules_dir, virtio_modules[i].folder, module) &&
            !index_file_has(root, kernel->modules_dir, "modules.dep", module))
            kernel->has_virtio = false;
    }
}

/* ---- files of a kernel ---- */

static void find_initrd(const struct guest_root *root, struct fact_kernel *kernel)
{
    for (size_t i = 0; i < ARRAY_SIZE(initrd_names); i++) {
        CLEANUP_FREE char *path = mem_printf("/boot/%s%s%s", initrd_names[i].before,
                                             kernel->version, initrd_names[i].after);

        if (guest_is_file(root, path)) {
            facts_set(&kernel->initrd, path);
            return;
        }
    }
}

static const struct fact_kernel *find_kernel(const struct facts *facts, const char *version)
{
    for (size_t i = 0; i < facts->n_kernels; i++)
        if (strcmp(facts->kernels[i].version, version) == 0)
            return &facts->kernels[i];
    return NULL;
}

static void add_kernel(const struct guest_root *root, struct facts *facts, const char *version,
                       const char *image)
{
    CLEANUP_FREE char *modules_dir = mem_printf("/lib/modules/%s", version);
    struct fact_kernel *kernel;

    if (*version == '\0' || facts->n_kernels >= MAX_KERNELS || find_kernel(facts, version) ||
        !guest_is_file(root, image))
        return;
    kernel = facts_add_kernel(facts);
    facts_set(&kernel->version, version);
    facts_set(&kernel->image, image);
    if (guest_is_dir(root, modules_dir))
        facts_set(&kernel->modules_dir, modules_dir);
    find_initrd(root, kernel);
    find_virtio(root, kernel);
}

/* Kernels in /boot, then those that lie with their modules only. */
static void find_kernels(const struct guest_root *root, struct facts *facts)
{
    struct strlist boot CLEANUP_STRLIST = { 0 };
    struct strlist modules CLEANUP_STRLIST = { 0 };
    struct err err = ERR_NONE;

    if (guest_list(root, "/boot", &boot, &err) < 0)
        err_clear(&err);
    for (size_t i = 0; i < boot.n; i++) {
        for (size_t p = 0; p < ARRAY_SIZE(image_prefixes); p++) {
            size_t prefix = strlen(image_prefixes[p]);

            if (strncmp(boot.items[i], image_prefixes[p], prefix) == 0) {
                CLEANUP_FREE char *image = mem_printf("/boot/%s", boot.items[i]);

                add_kernel(root, facts, boot.items[i] + prefix, image);
            }
        }
    }
    if (guest_list(root, "/lib/modules", &modules, &err) < 0)
        err_clear(&err);
    for (size_t i = 0; i < modules.n; i++) {
        CLEANUP_FREE char *image = mem_printf("/lib/modules/%s/vmlinuz", modules.items[i]);

        add_kernel(root, facts, modules.items[i], image);
    }
}

static int newest_first(const void *a, const void *b)
{
    const struct fact_kernel *x = a, *y = b;

    return strverscmp(y->version, x->version);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* GRUB's path begins at the file system that holds it, so only the name is compared; it may be the
 * link /vmlinuz. */
static void mark_default(const struct guest_root *root, struct facts *facts)
{
    CLEANUP_FREE char *path = linux_default_kernel(root);
    CLEANUP_FREE char *real = NULL;
    struct err err = ERR_NONE;

    if (*path == '\0')
        return;
    if (guest_real_path(root, path, &real, &err) < 0)
        real = mem_strdup(path);
    for (size_t i = 0; i < facts->n_kernels; i++) {
        if (strcmp(base_name(facts->kernels[i].image), base_name(real)) == 0) {
            facts->kernels[i].is_default = true;
            return;
        }
    }
}

/* Both may be installed: the hook that runs when a kernel is installed decides. */
static const struct {
    const char *path;
    enum initrd_tool tool;
} initrd_marks[] = {
    { "/etc/kernel/postinst.d/dracut", INITRD_DRACUT },
    { "/usr/sbin/mkinitramfs", INITRD_INITRAMFS_TOOLS },
    { "/usr/share/libalpm/hooks/90-mkinitcpio-install.hook", INITRD_MKINITCPIO },
    { "/usr/share/libalpm/hooks/90-booster-install.hook", INITRD_BOOSTER },
    { "/usr/bin/dracut", INITRD_DRACUT },
    { "/sbin/dracut", INITRD_DRACUT },
    { "/usr/sbin/update-initramfs", INITRD_INITRAMFS_TOOLS },
    { "/usr/bin/mkinitcpio", INITRD_MKINITCPIO },
    { "/sbin/mkinitcpio", INITRD_MKINITCPIO },
    { "/usr/bin/booster", INITRD_BOOSTER },
    { "/usr/sbin/make-initrd", INITRD_MAKE_INITRD },
    { "/usr/sbin/mkinitfs", INITRD_MKINITFS },
    { "/sbin/mkinitfs", INITRD_MKINITFS },
    { "/usr/bin/genkernel", INITRD_GENKERNEL },
    { "/sbin/mkinitrd", INITRD_MKINITRD },
};

void linux_kernels(const struct guest_root *root, struct facts *facts)
{
    find_kernels(root, facts);
    if (facts->n_kernels > 1)
        qsort(facts->kernels, facts->n_kernels, sizeof(facts->kernels[0]), newest_first);
    mark_default(root, facts);
    for (size_t i = 0; i < ARRAY_SIZE(initrd_marks); i++) {
        if (guest_is_file(root, initrd_marks[i].path)) {
            facts->initrd_tool = initrd_marks[i].tool;
            return;
        }
    }
}
