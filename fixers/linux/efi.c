/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The loader at the removable path, \EFI\BOOT\BOOTX64.EFI (UEFI 2.10, 3.5.1.1): the boot entries of
 * the old machine's NVRAM do not come along, so a fresh machine finds only this one.
 *
 * shim starts the GRUB that lies beside it under its own name, so they are copied together. fbx64
 * is left out on purpose: with it shim would write boot entries and reset at each start. The signed
 * GRUB of Debian has the prefix /EFI/debian built in and finds its configuration there wherever it
 * was started from; others look beside themselves, so a stub configuration is copied too.
 */
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/linux.h"

#define REASON "boot entries stay in the old machine's NVRAM; the removable path works without one"
#define STUB_MAX 4096 /* a grub.cfg on the ESP that is larger is no stub */

/* UEFI's names of architectures (UEFI 2.10, table 3-1), and what loaders are called for them. */
static const struct arch {
    const char *arch, *boot, *shim, *grub, *mok;
} archs[] = {
    { "x86_64", "BOOTX64.EFI", "shimx64.efi", "grubx64.efi", "mmx64.efi" },
    { "i386", "BOOTIA32.EFI", "shimia32.efi", "grubia32.efi", "mmia32.efi" },
    { "i686", "BOOTIA32.EFI", "shimia32.efi", "grubia32.efi", "mmia32.efi" },
    { "aarch64", "BOOTAA64.EFI", "shimaa64.efi", "grubaa64.efi", "mmaa64.efi" },
};

/* Distributions whose folder is not their ID. */
static const struct {
    const char *distro, *folder;
} vendors[] = {
    { "rhel", "redhat" },
    { "ol", "redhat" },
    { "opensuse-leap", "opensuse" },
    { "opensuse-tumbleweed", "opensuse" },
};

char *find_any_case(const struct guest_root *root, const char *dir, const char *name)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    struct err err = ERR_NONE;

    if (!guest_is_dir(root, dir) || guest_list(root, dir, &names, &err) < 0)
        return NULL;
    for (size_t i = 0; i < names.n; i++)
        if (strcasecmp(names.items[i], name) == 0)
            return mem_printf("%s/%s", dir, names.items[i]);
    return NULL;
}

char *efi_folder(const struct guest_root *root)
{
    static const char *const mounts[] = { "/boot/efi", "/efi", "/boot" };

    for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
        char *folder = find_any_case(root, mounts[i], "EFI");

        /* /boot/efi is itself a match below /boot when the ESP is not mounted */
        if (folder && strcmp(folder, "/boot/efi") != 0)
            return folder;
        free(folder);
    }
    return NULL;
}

/* The loaders of one vendor's folder. */
struct loader {
    char *shim, *grub, *mok, *config; /* paths; NULL: not there */
};

static void loader_done(struct loader *loader)
{
    /* clang 14's analyzer loses track of the struct assignments in find_loader() */
    /* NOLINTBEGIN(clang-analyzer-unix.Malloc) */
    free(loader->shim);
    free(loader->grub);
    free(loader->mok);
    free(loader->config);
    /* NOLINTEND(clang-analyzer-unix.Malloc) */
    *loader = (struct loader){ 0 };
}

static void look_at_vendor(const struct guest_root *root, const char *dir, const struct arch *arch,
                           struct loader *ret)
{
    ret->shim = find_any_case(root, dir, arch->shim);
    ret->grub = find_any_case(root, dir, arch->grub);
    ret->mok = find_any_case(root, dir, arch->mok);
    ret->config = find_any_case(root, dir, "grub.cfg");
    /* SUSE names them without the architecture */
    if (!ret->shim)
        ret->shim = find_any_case(root, dir, "shim.efi");
    if (!ret->grub)
        ret->grub = find_any_case(root, dir, "grub.efi");
    if (!ret->mok)
        ret->mok = find_any_case(root, dir, "MokManager.efi");
}

static bool is_own_folder(const char *name, const char *distro)
{
    for (size_t i = 0; i < ARRAY_SIZE(vendors); i++)
        if (strcmp(vendors[i].distro, distro) == 0)
            return strcasecmp(name, vendors[i].folder) == 0;
    return strcasecmp(name, distro) == 0;
}

/* The distribution's own folder, else the first one with a GRUB. */
static int find_loader(const struct guest_root *root, const char *efi, const char *distro,
                       const struct arch *arch, struct loader *ret, struct err *err)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    int r = guest_list(root, efi, &names, err);

    for (size_t i = 0; r >= 0 && i < names.n; i++) {
        CLEANUP_FREE char *dir = mem_printf("%s/%s", efi, names.items[i]);
        struct loader found = { 0 };
        bool own = is_own_folder(names.items[i], distro);

        if (strcasecmp(names.items[i], "BOOT") == 0)
            continue;
        look_at_vendor(root, dir, arch, &found);
        if (!found.grub || (ret->grub && !own)) {
            loader_done(&found);
            continue;
        }
        loader_done(ret);
        *ret = found;
    }
    return r;
}

static void copy_beside(struct plan *plan, const char *from, const char *dir, const char *name)
{
    CLEANUP_FREE char *to = NULL;

    if (!from)
        return;
    to = mem_printf("%s/%s", dir, name ? name : strrchr(from, '/') + 1);
    plan_copy(plan, from, to, REASON);
}

static void copy_stub(struct plan *plan, const char *config, const char *dir)
{
    CLEANUP_FREE char *to = mem_printf("%s/grub.cfg", dir);
    CLEANUP_FREE char *there = find_any_case(plan->root, dir, "grub.cfg");
    CLEANUP_FREE char *text = NULL;
    struct err err = ERR_NONE;
    size_t len = 0;

    /* a stub that cannot be read is no reason to give up the loader */
    if (!there && config && plan_read(plan, config, &text, &len, &err) == 0 && len <= STUB_MAX &&
        strstr(text, "configfile"))
        plan_write_new(plan, to, text, 0644, REASON);
}

static void plan_copies(struct plan *plan, const char *efi, const struct arch *arch,
                        const struct loader *loader)
{
    CLEANUP_FREE char *found = find_any_case(plan->root, efi, "BOOT");
    CLEANUP_FREE char *dir = found ? TAKE(found) : mem_printf("%s/BOOT", efi);

    copy_beside(plan, loader->shim ? loader->shim : loader->grub, dir, arch->boot);
    if (loader->shim) {
        copy_beside(plan, loader->grub, dir, NULL);
        copy_beside(plan, loader->mok, dir, NULL);
    }
    copy_stub(plan, loader->config, dir);
}

static bool has_removable(const struct guest_root *root, const char *efi, const struct arch *arch)
{
    CLEANUP_FREE char *boot = find_any_case(root, efi, "BOOT");
    CLEANUP_FREE char *there = boot ? find_any_case(root, boot, arch->boot) : NULL;

    return there != NULL;
}

int plan_removable_loader(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    CLEANUP_FREE char *efi = efi_folder(plan->root);
    const struct arch *arch = NULL;
    struct loader loader = { 0 };
    int r;

    for (size_t i = 0; i < ARRAY_SIZE(archs); i++)
        if (strcmp(archs[i].arch, ctx->facts->arch) == 0)
            arch = &archs[i];
    if (!efi || !arch) {
        plan_note(plan, "the guest starts by UEFI, but no EFI system partition was found at "
                        "/boot/efi, /efi or /boot; it may need a boot entry made by hand");
        return 0;
    }
    if (has_removable(plan->root, efi, arch))
        return 0;
    r = find_loader(plan->root, efi, ctx->facts->distro, arch, &loader, err);
    if (r >= 0 && loader.grub)
        plan_copies(plan, efi, arch, &loader);
    else if (r >= 0)
        plan_note(plan,
                  "%s holds neither BOOT/%s nor a GRUB to put there; the guest may need a "
                  "boot entry made by hand",
                  efi, arch->boot);
    loader_done(&loader);
    return r;
}
