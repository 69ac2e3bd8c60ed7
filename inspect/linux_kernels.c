/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Installed kernels and the tool that makes their initramfs. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/boot_entries.h"
#include "inspect/fields.h"
#include "inspect/kernel_image.h"
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
    { "booster-", ".img" },
};

/* ---- drivers ---- */

/* A driver that the kernel must have. */
struct needed {
    const char *module; /* without ".ko" */
    const char *folder; /* usual place below kernel/ */
    const char *option; /* of its configuration */
};

/* What a root on virtio-blk needs; one of those for IDE is enough. */
static const struct needed virtio_modules[] = {
    { "virtio_blk", "drivers/block", "CONFIG_VIRTIO_BLK" },
    { "virtio_pci", "drivers/virtio", "CONFIG_VIRTIO_PCI" },
};
static const struct needed ide_modules[] = {
    { "ata_piix", "drivers/ata", "CONFIG_ATA_PIIX" },
    { "piix", "drivers/ide/pci", "CONFIG_BLK_DEV_PIIX" },
};
static const struct needed ahci_module = { "ahci", "drivers/ata", "CONFIG_SATA_AHCI" };

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

enum driver { DRIVER_NONE, DRIVER_MODULE, DRIVER_BUILTIN };

/* @config: the kernel's configuration, NULL when it is not there. */
static enum driver find_driver(const struct guest_root *root, const struct fact_kernel *kernel,
                               const char *config, size_t config_len, const struct needed *needed)
{
    const char *folder = kernel->modules_dir;

    if (config && kernel_config_get(config, config_len, needed->option) == 'y')
        return DRIVER_BUILTIN;
    if (!*folder)
        return DRIVER_NONE;
    if (index_file_has(root, folder, "modules.builtin", needed->module))
        return DRIVER_BUILTIN;
    /* the usual place first: modules.dep is large */
    return module_is_there(root, folder, needed->folder, needed->module) ||
                   index_file_has(root, folder, "modules.dep", needed->module)
               ? DRIVER_MODULE
               : DRIVER_NONE;
}

static bool has_index(const struct guest_root *root, const struct fact_kernel *kernel)
{
    CLEANUP_FREE char *dep = mem_printf("%s/modules.dep", kernel->modules_dir);
    CLEANUP_FREE char *builtin = mem_printf("%s/modules.builtin", kernel->modules_dir);

    return *kernel->modules_dir && (guest_is_file(root, dep) || guest_is_file(root, builtin));
}

static void find_drivers(const struct guest_root *root, const char *config, size_t config_len,
                         struct fact_kernel *kernel)
{
    if (!*kernel->modules_dir && !config)
        return;
    kernel->virtio_known = config || has_index(root, kernel);
    kernel->virtio_builtin = true;
    kernel->has_virtio = true;
    for (size_t i = 0; i < ARRAY_SIZE(virtio_modules); i++) {
        enum driver driver = find_driver(root, kernel, config, config_len, &virtio_modules[i]);

        kernel->virtio_builtin &= driver == DRIVER_BUILTIN;
        kernel->has_virtio &= driver != DRIVER_NONE;
    }
    for (size_t i = 0; i < ARRAY_SIZE(ide_modules) && !kernel->has_virtio; i++)
        kernel->has_ide |=
            find_driver(root, kernel, config, config_len, &ide_modules[i]) != DRIVER_NONE;
    kernel->has_ahci = !kernel->has_virtio &&
                       find_driver(root, kernel, config, config_len, &ahci_module) != DRIVER_NONE;
}

/* ---- files of a kernel ---- */

/* Beside the kernel where that lies below /boot, else in /boot. */
static void find_initrd(const struct guest_root *root, const char *name, struct fact_kernel *kernel)
{
    const char *slash = strrchr(kernel->image, '/');
    bool is_below = strncmp(kernel->image, "/boot/", strlen("/boot/")) == 0;
    CLEANUP_FREE char *folder = is_below
                                    ? mem_strndup(kernel->image, (size_t)(slash - kernel->image))
                                    : mem_strdup("/boot");

    for (size_t i = 0; i < ARRAY_SIZE(initrd_names) && !*kernel->initrd; i++) {
        CLEANUP_FREE char *path =
            mem_printf("%s/%s%s%s", folder, initrd_names[i].before, name, initrd_names[i].after);

        if (guest_is_file(root, path))
            facts_set(&kernel->initrd, path);
    }
}

/* Its configuration, NULL when it is not there. Free it. */
static char *read_config(const struct guest_root *root, const struct fact_kernel *kernel,
                         const char *name, size_t *ret_len)
{
    char *paths[] = { mem_printf("/boot/config-%s", kernel->version),
                      mem_printf("/boot/config-%s", name),
                      mem_printf("%s/config", kernel->modules_dir) };
    char *text = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        if (!text)
            text = linux_read(root, paths[i], ret_len);
        free(paths[i]);
    }
    return text;
}

static const struct fact_kernel *find_kernel(const struct facts *facts, const char *version)
{
    for (size_t i = 0; i < facts->n_kernels; i++)
        if (strcmp(facts->kernels[i].version, version) == 0)
            return &facts->kernels[i];
    return NULL;
}

#define NIX_PROFILES "/nix/var/nix/profiles"

/* NixOS has the modules of each generation in its store, which links lead to. */
static char *find_nix_modules(const struct guest_root *root, const char *version)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    struct err err = ERR_NONE;
    char *real = NULL;

    if (!guest_is_dir(root, NIX_PROFILES) || guest_list(root, NIX_PROFILES, &names, &err) < 0)
        return NULL;
    for (size_t i = 0; i < names.n; i++) {
        CLEANUP_FREE char *path =
            mem_printf(NIX_PROFILES "/%s/kernel-modules/lib/modules/%s", names.items[i], version);

        if (strncmp(names.items[i], "system", 6) == 0 && guest_is_dir(root, path) &&
            guest_real_path(root, path, &real, &err) >= 0)
            return real;
    }
    return NULL;
}

/* The folder with a kernel's modules, NULL when there is none. Free it. */
static char *find_modules(const struct guest_root *root, const char *version)
{
    char *path = mem_printf("/lib/modules/%s", version);

    if (*version && guest_is_dir(root, path))
        return path;
    free(path);
    return *version ? find_nix_modules(root, version) : NULL;
}

static bool is_kernel_folder(const struct guest_root *root, const char *version)
{
    CLEANUP_FREE char *path = find_modules(root, version);

    return path != NULL;
}

/* The version that a file says it has; "" when it does not. Free it. */
static char *version_inside(const struct guest_root *root, const char *image)
{
    CLEANUP_FREE char *head = mem_alloc(KERNEL_IMAGE_HEAD);
    struct err err = ERR_NONE;
    ssize_t n = guest_pread(root, image, head, KERNEL_IMAGE_HEAD, 0, &err);
    char *version = n > 0 ? kernel_image_version(head, (size_t)n) : NULL;

    return version ? version : mem_strdup("");
}

struct fact_kernel *linux_add_kernel(const struct guest_root *root, struct facts *facts,
                                     const char *version, const char *name, const char *image)
{
    CLEANUP_FREE char *config = NULL, *modules = NULL;
    struct fact_kernel *kernel;
    size_t config_len = 0;

    if (*version == '\0' || facts->n_kernels >= MAX_KERNELS || find_kernel(facts, version) ||
        !guest_is_file(root, image))
        return NULL;
    kernel = facts_add_kernel(facts);
    facts_set(&kernel->version, version);
    facts_set(&kernel->image, image);
    modules = find_modules(root, version);
    facts_set(&kernel->modules_dir, modules);
    find_initrd(root, version, kernel);
    find_initrd(root, name, kernel);
    config = read_config(root, kernel, name, &config_len);
    facts_set(&kernel->kind, kernel_kind(name, config, config_len));
    find_drivers(root, config, config_len, kernel);
    return kernel;
}

/* A file whose name holds no version ("vmlinuz-linux", "vmlinuz-lts") says it itself; that of a
 * copy ("vmlinuz-0-rescue-...") is taken already, so it keeps the name. */
static void add_named(const struct guest_root *root, struct facts *facts, const char *name,
                      const char *image)
{
    CLEANUP_FREE char *inside = version_inside(root, image);
    bool is_known = *inside && is_kernel_folder(root, inside) && !find_kernel(facts, inside);

    (void)linux_add_kernel(root, facts, is_known ? inside : name, name, image);
}

/* Files of a folder with the names of kernels: those named after a folder of modules, or the
 * others. */
static void add_files(const struct guest_root *root, const char *folder, bool by_name,
                      struct facts *facts)
{
    CLEANUP_STRLIST struct strlist files = { 0 };
    struct err err = ERR_NONE;

    if (guest_list(root, folder, &files, &err) < 0)
        return;
    for (size_t i = 0; i < files.n; i++) {
        for (size_t p = 0; p < ARRAY_SIZE(image_prefixes); p++) {
            const char *name = files.items[i] + strlen(image_prefixes[p]);
            CLEANUP_FREE char *image = NULL;

            if (strncmp(files.items[i], image_prefixes[p], strlen(image_prefixes[p])) != 0 ||
                is_kernel_folder(root, name) != by_name)
                continue;
            image = mem_printf("%s/%s", folder, files.items[i]);
            if (by_name)
                (void)linux_add_kernel(root, facts, name, name, image);
            else
                add_named(root, facts, name, image);
        }
    }
}

/* Kernels that lie with their modules only. */
static void add_from_modules(const struct guest_root *root, struct facts *facts)
{
    struct strlist modules CLEANUP_STRLIST = { 0 };
    struct err err = ERR_NONE;

    if (guest_list(root, "/lib/modules", &modules, &err) < 0)
        err_clear(&err);
    for (size_t i = 0; i < modules.n; i++) {
        CLEANUP_FREE char *image = mem_printf("/lib/modules/%s/vmlinuz", modules.items[i]);

        (void)linux_add_kernel(root, facts, modules.items[i], modules.items[i], image);
    }
}

/* ---- what the boot loader says ---- */

static bool is_image(const struct facts *facts, const char *path)
{
    for (size_t i = 0; i < facts->n_kernels; i++)
        if (strcmp(facts->kernels[i].image, path) == 0)
            return true;
    return false;
}

/* Kernels that only the menu names: on an ESP, in folders of the Boot Loader Specification. */
static void add_from_menu(const struct guest_root *root, const struct boot_entries *menu,
                          struct facts *facts)
{
    for (size_t i = 0; i < menu->n; i++) {
        const char *path = menu->entries[i].path;
        CLEANUP_FREE char *inside = NULL;

        if (!path || is_image(facts, path))
            continue;
        inside = version_inside(root, path);
        if (*inside)
            (void)linux_add_kernel(root, facts, inside, inside, path);
    }
}

/* Its initramfs is the one that is loaded with it. */
static void apply_menu(const struct guest_root *root, const struct boot_entries *menu,
                       struct facts *facts)
{
    for (size_t i = 0; i < facts->n_kernels; i++) {
        struct fact_kernel *kernel = &facts->kernels[i];
        size_t entry = boot_entries_find(root, menu, kernel->image);
        CLEANUP_FREE char *initrd = NULL;

        if (entry == BOOT_ENTRIES_NONE)
            continue;
        kernel->is_default = entry == menu->chosen;
        initrd = boot_entries_path(root, menu->entries[entry].initrd);
        if (initrd)
            facts_set(&kernel->initrd, initrd);
    }
}

static int newest_first(const void *a, const void *b)
{
    const struct fact_kernel *x = a, *y = b;

    return strverscmp(y->version, x->version);
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
    { "/usr/sbin/update-tirfs", INITRD_TINY },
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
    CLEANUP_BOOT_ENTRIES struct boot_entries menu;

    boot_entries_read(root, facts->boot_loader, facts->boot_config, &menu);
    add_files(root, "/boot", true, facts);
    add_files(root, "/boot", false, facts);
    if (facts->kernels_at[0] != '\0') /* of an ostree deployment */
        add_files(root, facts->kernels_at, true, facts);
    add_from_menu(root, &menu, facts); /* what is started, not the package's copy of it */
    add_from_modules(root, facts);
    linux_unified(root, facts);
    if (facts->n_kernels > 1)
        qsort(facts->kernels, facts->n_kernels, sizeof(facts->kernels[0]), newest_first);
    apply_menu(root, &menu, facts);
    for (size_t i = 0; i < ARRAY_SIZE(initrd_marks); i++) {
        if (guest_is_file(root, initrd_marks[i].path)) {
            facts->initrd_tool = initrd_marks[i].tool;
            return;
        }
    }
}
