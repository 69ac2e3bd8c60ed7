/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loaders on the ESP and what each reads from where.
 *
 * shim starts the GRUB that lies beside it under its own name, so the signed pair stays together.
 * From the removable path it starts fbx64.efi first when that lies beside it; fbx64.efi makes boot
 * entries of the vendors' BOOTX64.CSV and starts one (shim's README.fallback). It is used where it
 * is there, and not put there: where nothing keeps boot entries it would make them at each start.
 *
 * The signed GRUBs have their vendor's folder built in as prefix and find their configuration there
 * wherever they were started from; others look beside themselves, so a stub is copied too.
 * systemd-boot looks at the root of the ESP it was started from (systemd-boot(7)), GRUB 0.97 for a
 * file with its own name and ".conf", rEFInd and ELILO beside themselves.
 */
#include <fnmatch.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/efi.h"
#include "fixers/linux/linux.h"
#include "inspect/fields.h"
#include "inspect/pe.h"

#define STUB_MAX 4096 /* a grub.cfg on the ESP that is larger is no stub */

/* Distributions whose folder is not their ID. */
static const struct {
    const char *distro, *folder;
} vendors[] = {
    { "linuxmint", "ubuntu" },
    { "ol", "redhat" },
    { "opensuse-leap", "opensuse" },
    { "opensuse-tumbleweed", "opensuse" },
    { "rhel", "redhat" },
};

/* ---- files ---- */

/* A program that this processor's firmware starts; NULL. Free it. */
static char *find_program(const struct efi_place *place, const char *dir, const char *name)
{
    char *path = find_any_case(place->plan->root, dir, name);
    uint32_t machine = 0;

    if (path && !pe_problem(place->plan->root, path, &machine) && machine == place->arch->machine)
        return path;
    free(path);
    return NULL;
}

/* The same for "@prefix" "x64.efi", else @plain (which may be NULL). */
static char *find_for_arch(const struct efi_place *place, const char *dir, const char *prefix,
                           const char *plain)
{
    CLEANUP_FREE char *name = mem_printf("%s%s.efi", prefix, place->arch->name);
    char *path = find_program(place, dir, name);

    return path || !plain ? path : find_program(place, dir, plain);
}

/* @from NULL: nothing is done. @name NULL: as it is called. */
static void copy_beside(const struct efi_place *place, const char *from, const char *name)
{
    CLEANUP_FREE char *to = NULL;

    if (!from)
        return;
    to = mem_printf("%s/%s", place->boot, name ? name : strrchr(from, '/') + 1);
    plan_copy(place->plan, from, to, place->reason);
}

/* A configuration file, as it will be. */
static int copy_text(const struct efi_place *place, const char *from, const char *name,
                     struct err *err)
{
    CLEANUP_FREE char *there = find_any_case(place->plan->root, place->boot, name);
    CLEANUP_FREE char *to = there ? NULL : mem_printf("%s/%s", place->boot, name);
    CLEANUP_FREE char *text = NULL;
    int r = there ? 0 : plan_read_text(place->plan, from, &text, err);

    if (r > 0)
        plan_write_new(place->plan, to, text, 0644, place->reason);
    return r < 0 ? r : 0;
}

static void put_loader(const struct efi_place *place, const char *from)
{
    plan_copy(place->plan, from, place->loader, place->reason);
}

/* ---- GRUB 2, with shim or without ---- */

/* The programs of one folder; NULL: not there. */
struct pair {
    char *shim, *grub, *mok;
};

static void pair_done(struct pair *pair)
{
    free(pair->shim);
    free(pair->grub);
    free(pair->mok);
}

/* SUSE names them without the architecture. GRUB 0.97 is called grub.efi too, and has a grub.conf
 * beside it. */
static void find_pair(const struct efi_place *place, const char *dir, struct pair *ret)
{
    CLEANUP_FREE char *legacy = find_any_case(place->plan->root, dir, "grub.conf");

    ret->shim = find_for_arch(place, dir, "shim", "shim.efi");
    ret->grub = find_for_arch(place, dir, "grub", legacy ? NULL : "grub.efi");
    ret->mok = find_for_arch(place, dir, "mm", "MokManager.efi");
}

/* NULL: there is none. Free it. */
static char *find_fallback(const struct efi_place *place)
{
    return find_for_arch(place, place->boot, "fb", "fallback.efi");
}

static bool has_fallback(const struct efi_place *place)
{
    CLEANUP_FREE char *fallback = find_fallback(place);

    return fallback != NULL;
}

/* What fbx64.efi reads in a vendor's folder. */
static bool has_list(const struct efi_place *place, const char *dir)
{
    CLEANUP_FREE char *name = mem_printf("BOOT%s.CSV", place->arch->boot);
    CLEANUP_FREE char *of_arch = find_any_case(place->plan->root, dir, name);
    CLEANUP_FREE char *of_all = find_any_case(place->plan->root, dir, "BOOT.CSV");

    return of_arch || of_all;
}

static int copy_stub(const struct efi_place *place, const char *dir, struct err *err)
{
    CLEANUP_FREE char *config = find_any_case(place->plan->root, dir, "grub.cfg");
    CLEANUP_FREE char *text = NULL;
    int r = config ? plan_read_text(place->plan, config, &text, err) : 0;

    if (r <= 0 || strlen(text) > STUB_MAX || strstr(text, "menuentry") ||
        !(strstr(text, "configfile") || strstr(text, "source")))
        return r < 0 ? r : 0;
    return copy_text(place, config, "grub.cfg", err);
}

/* What shim starts. */
static int copy_second_stage(const struct efi_place *place, const char *dir,
                             const struct pair *pair, struct err *err)
{
    copy_beside(place, pair->grub, NULL);
    copy_beside(place, pair->mok, NULL);
    return copy_stub(place, dir, err);
}

static void note_no_list(const struct efi_place *place)
{
    CLEANUP_FREE char *fallback = find_fallback(place);
    const char *name = strrchr(fallback, '/') + 1;

    plan_note(place->plan,
              "%s is a shim, and starts %s beside it, which finds no BOOT%s.CSV in a vendor's "
              "folder: remove %s, or make a boot entry by hand",
              place->loader, name, place->arch->boot, name);
}

static int copy_grub(const struct efi_place *place, const char *dir, struct err *err)
{
    CLEANUP(pair_done) struct pair pair = { 0 };

    find_pair(place, dir, &pair);
    if (!pair.grub)
        return 0;
    put_loader(place, pair.shim ? pair.shim : pair.grub);
    if (!pair.shim)
        return copy_stub(place, dir, err) < 0 ? -err->code : 1;
    if (has_fallback(place) && has_list(place, dir))
        return 1;
    if (has_fallback(place))
        note_no_list(place);
    return copy_second_stage(place, dir, &pair, err) < 0 ? -err->code : 1;
}

/* ---- others ---- */

static int copy_grub1(const struct efi_place *place, const char *dir, struct err *err)
{
    CLEANUP_FREE char *grub = find_program(place, dir, "grub.efi");
    CLEANUP_FREE char *config = find_any_case(place->plan->root, dir, "grub.conf");
    CLEANUP_FREE char *name = mem_printf("BOOT%s.conf", place->arch->boot);

    if (!grub || !config)
        return 0;
    put_loader(place, grub);
    plan_note(place->plan,
              "%s/%s is a copy of %s: what later changes there (a new kernel) must be copied again",
              place->boot, name, config);
    return copy_text(place, config, name, err) < 0 ? -err->code : 1;
}

static int copy_systemd_boot(const struct efi_place *place, const char *dir, struct err *err)
{
    CLEANUP_FREE char *loader = find_for_arch(place, dir, "systemd-boot", NULL);

    (void)err;
    if (loader)
        put_loader(place, loader);
    return loader != NULL;
}

/* Its drivers for file systems lie in a folder beside it. */
static int copy_refind(const struct efi_place *place, const char *dir, struct err *err)
{
    CLEANUP_FREE char *loader = find_for_arch(place, dir, "refind_", NULL);
    CLEANUP_FREE char *config = find_any_case(place->plan->root, dir, "refind.conf");
    CLEANUP_FREE char *folder = mem_printf("drivers_%s", place->arch->name);
    CLEANUP_FREE char *drivers = find_any_case(place->plan->root, dir, folder);
    CLEANUP_STRLIST struct strlist files = { 0 };
    int r = loader && drivers
                ? guest_files(place->plan->root, drivers, "*.efi", FNM_CASEFOLD, &files, err)
                : 0;

    if (!loader || r < 0)
        return r;
    put_loader(place, loader);
    for (size_t i = 0; i < files.n; i++) {
        CLEANUP_FREE char *name = mem_printf("%s%s", folder, strrchr(files.items[i], '/'));

        copy_beside(place, files.items[i], name);
    }
    return config && copy_text(place, config, "refind.conf", err) < 0 ? -err->code : 1;
}

/* Files that elilo.conf names by a path that begins at the folder of ELILO. */
static void copy_elilo_files(const struct efi_place *place, const char *dir, const char *text)
{
    struct span line;
    size_t pos = 0;

    while (line_next(text, strlen(text), &pos, &line)) {
        CLEANUP_FREE char *copy = span_dup(text, line);
        CLEANUP_FREE char *file = NULL;
        CLEANUP_FREE char *there = NULL;
        char *key = copy + strspn(copy, " \t"), *value = strchr(key, '=');

        if (!value || (strncasecmp(key, "image", 5) != 0 && strncasecmp(key, "initrd", 6) != 0))
            continue;
        value += 1 + strspn(value + 1, " \t\"");
        value[strcspn(value, " \t\"")] = '\0';
        file = strpbrk(value, "/\\:") ? NULL : find_any_case(place->plan->root, dir, value);
        there = file ? find_any_case(place->plan->root, place->boot, value) : NULL;
        if (file && !there)
            copy_beside(place, file, NULL);
    }
}

static int copy_elilo(const struct efi_place *place, const char *dir, struct err *err)
{
    CLEANUP_FREE char *loader = find_program(place, dir, "elilo.efi");
    CLEANUP_FREE char *config = find_any_case(place->plan->root, dir, "elilo.conf");
    CLEANUP_FREE char *text = NULL;
    int r = loader && config ? plan_read_text(place->plan, config, &text, err) : 0;

    if (r <= 0)
        return r;
    put_loader(place, loader);
    copy_elilo_files(place, dir, text);
    plan_note(place->plan,
              "%s and its kernels are a copy of what lies in %s: what later changes "
              "there must be copied again",
              place->loader, dir);
    return copy_text(place, config, "elilo.conf", err) < 0 ? -err->code : 1;
}

/* Unified kernel images need no loader. The newest, and none for emergencies. */
static int copy_image(const struct efi_place *place, const char *dir, struct err *err)
{
    const char *slash = strrchr(dir, '/');
    CLEANUP_STRLIST struct strlist files = { 0 };
    const char *newest = NULL;
    int r = strcasecmp(slash + 1, "Linux") == 0
                ? guest_files(place->plan->root, dir, "*.efi", FNM_CASEFOLD, &files, err)
                : 0;

    for (size_t i = 0; r >= 0 && i < files.n; i++) {
        const char *file = files.items[i];
        uint32_t machine = 0;

        if (strstr(file, "fallback") || strstr(file, "rescue") ||
            pe_problem(place->plan->root, file, &machine) || machine != place->arch->machine ||
            (newest && strverscmp(file, newest) < 0))
            continue;
        newest = file;
    }
    if (!newest)
        return r;
    put_loader(place, newest);
    plan_note(place->plan,
              "%s is a copy of the unified kernel image %s: install a boot loader in the guest "
              "(bootctl install), or copy each new image there",
              place->loader, newest);
    return 1;
}

/* ---- which one ---- */

static const struct shape {
    const char *loader; /* as facts call it */
    int (*copy)(const struct efi_place *place, const char *dir, struct err *err);
} shapes[] = {
    { "grub2", copy_grub },    { "grub-legacy", copy_grub1 }, { "systemd-boot", copy_systemd_boot },
    { "refind", copy_refind }, { "elilo", copy_elilo },       { "", copy_image },
};

static bool is_own_folder(const char *name, const char *distro)
{
    for (size_t i = 0; i < ARRAY_SIZE(vendors); i++)
        if (strcmp(vendors[i].distro, distro) == 0)
            return strcasecmp(name, vendors[i].folder) == 0;
    return strcasecmp(name, distro) == 0;
}

/* The folders of the ESP's "EFI" but BOOT, the distribution's own first. */
static int list_vendors(const struct efi_place *place, struct strlist *ret, struct err *err)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    int r = guest_list(place->plan->root, place->efi, &names, err);

    for (int own = 1; r >= 0 && own >= 0; own--)
        for (size_t i = 0; i < names.n; i++)
            if (is_own_folder(names.items[i], place->ctx->facts->distro) == own &&
                strcasecmp(names.items[i], "BOOT") != 0)
                strlist_take(ret, mem_printf("%s/%s", place->efi, names.items[i]));
    return r;
}

/* Loaders of one shape, or (@wanted false) of all others. */
static int copy_shapes(const struct efi_place *place, const struct strlist *dirs, bool wanted,
                       struct err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(shapes); i++)
        for (size_t j = 0; r == 0 && j < dirs->n; j++)
            if ((strcmp(shapes[i].loader, place->ctx->facts->boot_loader) == 0) == wanted)
                r = shapes[i].copy(place, dirs->items[j], err);
    return r;
}

int efi_copy_loader(const struct efi_place *place, struct err *err)
{
    CLEANUP_STRLIST struct strlist dirs = { 0 };
    int r = list_vendors(place, &dirs, err);

    if (r >= 0)
        r = copy_shapes(place, &dirs, true, err);
    return r == 0 ? copy_shapes(place, &dirs, false, err) : r;
}

/* ---- a shim that is there already ---- */

static bool is_same_file(const struct guest_root *root, const char *a, const char *b)
{
    CLEANUP_FREE char *one = NULL;
    CLEANUP_FREE char *other = NULL;
    struct err err = ERR_NONE;
    struct stat first, second;
    size_t len = 0, other_len = 0;

    return guest_stat(root, a, &first) >= 0 && guest_stat(root, b, &second) >= 0 &&
           first.st_size == second.st_size &&
           guest_read(root, a, GUEST_TEXT_MAX, &one, &len, &err) >= 0 &&
           guest_read(root, b, GUEST_TEXT_MAX, &other, &other_len, &err) >= 0 && len == other_len &&
           memcmp(one, other, len) == 0;
}

static bool any_has_list(const struct efi_place *place, const struct strlist *dirs)
{
    for (size_t i = 0; i < dirs->n; i++)
        if (has_list(place, dirs->items[i]))
            return true;
    return false;
}

int efi_complete_pair(const struct efi_place *place, struct err *err)
{
    CLEANUP_STRLIST struct strlist dirs = { 0 };
    int r = list_vendors(place, &dirs, err);

    for (size_t i = 0; r >= 0 && i < dirs.n; i++) {
        CLEANUP(pair_done) struct pair pair = { 0 };
        CLEANUP_FREE char *there = NULL;

        find_pair(place, dirs.items[i], &pair);
        if (!pair.shim || !pair.grub || !is_same_file(place->plan->root, pair.shim, place->loader))
            continue;
        there = find_any_case(place->plan->root, place->boot, strrchr(pair.grub, '/') + 1);
        if (has_fallback(place) && !any_has_list(place, &dirs))
            note_no_list(place);
        else if (!has_fallback(place) && !there)
            r = copy_second_stage(place, dirs.items[i], &pair, err);
        break;
    }
    return r < 0 ? r : 0;
}
