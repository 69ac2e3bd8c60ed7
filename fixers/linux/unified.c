/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Unified kernel images: their arguments are covered by a signature, so they are looked at and not
 * edited. They lie in EFI/Linux, their add-ons beside them in IMAGE.extra.d or, for all images, in
 * loader/addons (systemd-stub(7)).
 */
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/text.h"
#include "fixers/linux/devnames.h"
#include "fixers/linux/linux.h"
#include "inspect/bootmenu.h"
#include "inspect/uki.h"

#define IMAGES_MAX 64U /* in one folder; more are not looked at */

/* The first argument that names a disk, or NULL. Free it. */
static char *disk_name_in(const char *args)
{
    struct span at = { 0, strlen(args) };
    struct kernel_arg arg;
    size_t pos = 0;

    while (kernel_arg_next(args, &at, &pos, &arg)) {
        CLEANUP_FREE char *value = span_dup(args, arg.value);
        const char *name = strstr(value, "/dev/");

        if (name && devname_changes(name))
            return mem_printf("%.*s=%s", (int)arg.name.len, args + arg.name.start, value);
    }
    return NULL;
}

static int look_at_image(const struct fix_context *ctx, struct plan *plan, const char *path,
                         struct err *err)
{
    CLEANUP_STRLIST struct strlist lines = { 0 };
    bool has_serial = false;
    int r = uki_read_cmdlines(plan->root, path, &lines, err);

    for (size_t i = 0; r >= 0 && i < lines.n; i++) {
        CLEANUP_FREE char *arg = disk_name_in(lines.items[i]);

        has_serial |= strstr(lines.items[i], "console=ttyS0") != NULL;
        if (arg)
            plan_note(plan,
                      "%s: %s is part of this unified kernel image, which is not edited; write a "
                      "lasting name into /etc/kernel/cmdline and build the image again before the "
                      "move, or give the guest a disk with the same name",
                      path, arg);
    }
    if (r >= 0 && lines.n > 0 && !has_serial && ctx->opts->serial_console)
        plan_note(plan,
                  "%s: its arguments are part of this unified kernel image, which is not edited; "
                  "build it again for a console on the serial port",
                  path);
    return r;
}

/* Images in @dir; the folders of their add-ons go to @ret_extra when it is not NULL. */
static int look_at_folder(const struct fix_context *ctx, struct plan *plan, const char *dir,
                          struct strlist *ret_extra, struct err *err)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    int r = guest_list(plan->root, dir, &names, err);
    unsigned n = 0;

    for (size_t i = 0; r >= 0 && i < names.n && n < IMAGES_MAX; i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", dir, names.items[i]);

        if (ret_extra && text_ends_with_nocase(names.items[i], ".efi.extra.d") &&
            guest_is_dir(plan->root, path))
            strlist_add(ret_extra, path);
        if (!text_ends_with_nocase(names.items[i], ".efi") || !guest_is_file(plan->root, path))
            continue;
        n++;
        r = look_at_image(ctx, plan, path, err);
    }
    return r;
}

/* What the inspection saw in the initramfs inside. */
static void note_drivers(const struct fix_context *ctx, struct plan *plan)
{
    for (size_t i = 0; i < ctx->facts->n_kernels; i++) {
        const struct fact_kernel *kernel = &ctx->facts->kernels[i];

        if (*kernel->unified && *kernel->initrd_compression && !kernel->initrd_has_virtio)
            plan_note(plan,
                      "%s: the initramfs in this unified kernel image has no virtio drivers, and "
                      "the image is not edited: it cannot start from a virtio disk; build it again "
                      "with virtio_blk and virtio_pci before the move, or give the guest a disk "
                      "as before",
                      kernel->unified);
    }
}

int note_unified_images(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    static const struct {
        const char *folder, *inside; /* below where the ESP is mounted */
    } places[] = { { "EFI", "Linux" }, { "loader", "addons" } };
    static const char *const mounts[] = { "/boot/efi", "/efi", "/boot" };
    int r = 0;

    note_drivers(ctx, plan);
    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(mounts) * ARRAY_SIZE(places); i++) {
        CLEANUP_STRLIST struct strlist extra = { 0 };
        const char *mount = mounts[i / ARRAY_SIZE(places)];
        CLEANUP_FREE char *above =
            find_any_case(plan->root, mount, places[i % ARRAY_SIZE(places)].folder);
        CLEANUP_FREE char *dir =
            above ? find_any_case(plan->root, above, places[i % ARRAY_SIZE(places)].inside) : NULL;

        if (!dir || !guest_is_dir(plan->root, dir))
            continue;
        r = look_at_folder(ctx, plan, dir, &extra, err);
        for (size_t e = 0; r >= 0 && e < extra.n && e < IMAGES_MAX; e++)
            r = look_at_folder(ctx, plan, extra.items[e], NULL, err);
    }
    return r;
}
