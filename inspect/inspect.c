/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Finding systems: each file system that may be a root is mounted alone and looked at. */
#include "inspect/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "engine/guest_path.h"
#include "inspect/candidates.h"
#include "inspect/foreign.h"
#include "inspect/linux.h"
#include "inspect/none_found.h"
#include "inspect/ostree.h"
#include "inspect/windows/windows.h"
#include "storage/btrfs.h"

#define MAX_SYSTEMS 64

static const struct os_probe *const probes[] = { &os_probe_linux, &os_probe_windows };

/* What is collected while the file systems are gone through. */
struct search {
    struct stack *stack;
    const struct inspect_opts *opts;
    bool only_one; /* there is one candidate: mount it as it is wanted in the end */
    struct system *systems;
    size_t n;
    struct strlist boot_roots; /* root= of the boot loaders' default kernels */
    struct strlist ostree_args;
    struct err host; /* why a candidate could not be mounted: the host lacks something */
    struct err io;   /* ... it could not be read */
};

static const struct os_probe *find_probe(const struct guest_root *root)
{
    for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
        if (probes[i]->match(root))
            return probes[i];
    return NULL;
}

/* ---- facts that every system has ---- */

static void add_devices(const struct stack *stack, struct facts *facts)
{
    for (size_t i = 0; i < stack->n_volumes; i++) {
        const struct volume *volume = &stack->volumes[i];
        struct fact_device *device = facts_add_device(facts);

        facts_set(&device->name, volume->name);
        facts_set(&device->kind, volume_kind_name(volume->kind));
        facts_set(&device->fstype, volume->fstype);
        facts_set(&device->uuid, volume->uuid);
        facts_set(&device->label, volume->label);
        facts_set(&device->part_uuid, volume->part_uuid);
        facts_set(&device->part_label, volume->part_label);
        facts_set(&device->part_type, volume->part_type);
        facts_set(&device->dynamic_id, volume->dynamic_id);
        facts_set(&device->snapshot_of, volume->snapshot_of);
        facts_set(&device->table, volume->table);
        facts_set(&device->table_id, volume->table_uuid);
        device->size_bytes = volume->size_bytes;
        if (volume->kind == VOLUME_PARTITION && volume->fd < 0) {
            device->part_number = volume->part_number;
            device->start_bytes = volume->offset;
        }
        for (size_t d = 0; d < stack->n_volumes; d++)
            if (stack->volumes[d].kind == VOLUME_DISK && stack->volumes[d].disk == volume->disk)
                facts_set(&device->disk, stack->volumes[d].name);
        if (btrfs_lead(stack, volume) != volume)
            facts_set(&device->lead, btrfs_lead(stack, volume)->name);
        if (volume->kind == VOLUME_CRYPT)
            facts_set(&device->decrypts, stack->volumes[volume->parents[0]].name);
        if (volume->kind == VOLUME_MD) { /* libblkid says it of the members */
            facts_set(&device->array_uuid, stack->volumes[volume->parents[0]].uuid);
            facts_set(&device->array_name, stack->volumes[volume->parents[0]].label);
        }
    }
}

static struct system *new_system(struct search *search, struct volume *volume, const char *subvol,
                                 const struct os_probe *probe)
{
    struct system *system;

    if (search->n >= MAX_SYSTEMS)
        return NULL;
    system = mem_add(&search->systems, &search->n, sizeof(*system));
    system->facts = facts_new();
    system->volume = volume;
    system->subvol = mem_strdup(subvol);
    system->probe = probe;
    free(system->facts->root);
    system->facts->root =
        subvol ? mem_printf("btrfsvol:%s/%s", volume->name, subvol) : mem_strdup(volume->name);
    add_devices(search->stack, system->facts);
    return system;
}

static struct system *add_system(struct search *search, struct volume *volume, const char *subvol,
                                 const struct guest_root *root, const struct os_probe *probe)
{
    struct system *system = new_system(search, volume, subvol, probe);

    if (system)
        probe->identify(root, system->facts);
    return system;
}

/* Where everything could be looked at, and no system was found that way. */
static void look_for_foreign(struct search *search)
{
    struct volume *volume = NULL;
    const struct foreign *foreign = foreign_find(search->stack, &volume);
    struct system *system = foreign ? new_system(search, volume, NULL, &os_probe_foreign) : NULL;

    if (system)
        foreign_identify(foreign, search->stack, system->facts);
}

/* A root of its own in a folder of the tree; NULL when there is no such folder. */
static struct guest_root *open_below(const struct guest_root *root, const char *path)
{
    struct guest_root *below = NULL;
    struct err err = ERR_NONE;
    CLEANUP_FD int fd = guest_path_open(root, path, O_PATH | O_DIRECTORY);

    if (fd < 0 || guest_root_new(fd, &below, &err) < 0)
        return NULL;
    return below;
}

/* What is found in it, if it is the root of a system, or holds deployments of one. */
static struct system *look_at_root(struct search *search, struct volume *volume, const char *subvol,
                                   const struct guest_root *root)
{
    CLEANUP_STRLIST struct strlist deployments = { 0 };
    const struct os_probe *probe;
    struct system *system = NULL;

    ostree_deployments(root, &deployments);
    if (deployments.n > 0) {
        struct guest_root *below = open_below(root, deployments.items[0]);

        probe = below ? find_probe(below) : NULL;
        if (probe)
            system = add_system(search, volume, subvol, below, probe);
        if (system)
            system->is_ostree = true;
        guest_root_free(below);
    }
    if (system)
        return system;
    probe = find_probe(root);
    return probe ? add_system(search, volume, subvol, root, probe) : NULL;
}

/* ---- btrfs ---- */

/* Tools keep snapshots of a root below these folders; they boot, but are not systems. No more are
 * the roots of containers. */
static bool is_kept(const struct subvolume *subvolume)
{
    static const char *const parts[] = {
        ".snapshots/",    "@snapshots/",  "timeshift",     "docker/btrfs/",
        "storage/btrfs/", "lib/machines", "lib/portables", "storage-pools/",
    };

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (strstr(subvolume->path, parts[i]))
            return true;
    return false;
}

static void look_at_subvolume(struct search *search, struct volume *volume,
                              const struct guest_root *top, const struct subvolume *subvolume)
{
    struct guest_root *root = open_below(top, subvolume->path);
    CLEANUP_FREE char *boot_root = root ? linux_default_root(root, "/boot") : NULL;

    if (root)
        (void)look_at_root(search, volume, subvolume->path, root);
    if (boot_root && *boot_root && !strlist_has(&search->boot_roots, boot_root))
        strlist_add(&search->boot_roots, boot_root);
    guest_root_free(root);
}

/* The default subvolume wins; else every named one that is not a snapshot; else snapshots that can
 * be written, as left by a roll-back. */
static bool is_in_round(const struct subvolume *subvolume, unsigned round)
{
    if (subvolume->path[0] == '\0')
        return false; /* the top level is looked at by itself */
    if (round == 0)
        return subvolume->is_default;
    if (round == 1)
        return !subvolume->is_snapshot && !is_kept(subvolume);
    return subvolume->is_snapshot && !subvolume->read_only && !is_kept(subvolume);
}

static int look_at_rounds(struct search *search, struct volume *volume, const struct mtree *tree,
                          unsigned first, unsigned last, struct err *err)
{
    struct subvolume *subvolumes = NULL;
    size_t n = 0, before = search->n;
    int r = mtree_subvolumes(tree, "/", &subvolumes, &n, err);

    if (r < 0)
        return err_wrap(err, "list the subvolumes of %s", volume->name);
    for (unsigned round = first; round <= last && search->n == before; round++)
        for (size_t i = 0; i < n; i++)
            if (is_in_round(&subvolumes[i], round))
                look_at_subvolume(search, volume, mtree_root(tree), &subvolumes[i]);
    subvolumes_free(subvolumes, n);
    return 0;
}

/* ---- one file system ---- */

static void look_at_boot(struct search *search, const struct guest_root *root)
{
    static const char *const folders[] = { "/boot", "" };

    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        CLEANUP_FREE char *boot_root = linux_default_root(root, folders[i]);

        if (*boot_root && !strlist_has(&search->boot_roots, boot_root))
            strlist_add(&search->boot_roots, boot_root);
        ostree_boot_args(root, folders[i], &search->ostree_args);
    }
}

static int look_at_tree(struct search *search, struct volume *volume, struct mtree *tree,
                        bool *ret_keep, struct err *err)
{
    const struct guest_root *root = mtree_root(tree);
    bool is_btrfs = strcmp(volume->fstype, "btrfs") == 0;
    struct system *system;
    size_t before = search->n;
    int r;

    if (candidate_ignores_case(volume))
        guest_root_ignore_case(mtree_root(tree));
    else if (!search->only_one)
        look_at_boot(search, root);
    /* a roll-back leaves the old system at the top level */
    r = is_btrfs ? look_at_rounds(search, volume, tree, 0, 0, err) : 0;
    if (r < 0 || search->n > before)
        return r;
    system = look_at_root(search, volume, NULL, root);
    if (system) {
        /* the usual guest has one root, which need not be mounted again */
        *ret_keep = search->only_one || search->opts->read_only;
        if (*ret_keep)
            system->tree = tree;
        return 0;
    }
    return is_btrfs ? look_at_rounds(search, volume, tree, 1, 2, err) : 0;
}

static int look_at_volume(struct search *search, struct volume *volume, struct err *err)
{
    struct mount_opts opts = {
        .read_only = search->only_one ? search->opts->read_only : true,
        .subvol = strcmp(volume->fstype, "btrfs") == 0 ? "/" : NULL,
    };
    struct mtree *tree = NULL;
    struct err other = ERR_NONE;
    bool keep = false;
    int r = mtree_new(search->stack, &tree, err);

    if (r < 0)
        return r;
    r = mtree_mount(tree, volume, "/", &opts, err);
    if (r == 0)
        r = look_at_tree(search, volume, tree, &keep, err);
    if (keep)
        return r;
    if (mtree_release(tree, r < 0 ? &other : err) < 0 && r == 0)
        r = -err->code;
    return r;
}

/* ---- all of them ---- */

static bool is_in_list(const struct facts *facts, const struct strlist *specs, size_t i)
{
    const struct fact_device *device = facts_resolve(facts, specs->items[i]);

    return device && device == facts_root_device(facts);
}

static void mark_boot_default(struct search *search)
{
    for (size_t s = 0; s < search->n; s++) {
        struct system *system = &search->systems[s];

        system->is_boot_default = search->boot_roots.n > 0;
        for (size_t i = 0; i < search->boot_roots.n; i++)
            system->is_boot_default &= is_in_list(system->facts, &search->boot_roots, i);
    }
}

/* Why there is no system: something that could not be opened may hold it. */
static int none_found(const struct search *search, struct err *err)
{
    if (search->host.code != 0) {
        *err = search->host;
        return err_wrap(err, "no operating system was found in what this host can mount");
    }
    if (search->io.code != 0) {
        *err = search->io;
        return err_wrap(err, "no operating system was found in what could be read");
    }
    return inspect_say_none(search->stack, err);
}

/* Why one file system could not be looked at, which matters if no system is found elsewhere. */
static int pass_over(struct search *search, const struct volume *volume, const struct err *one,
                     struct err *err)
{
    char text[2 * ERR_TEXT];

    if (one->code == EINTR || (search->only_one && one->status != STATUS_HOST)) {
        *err = *one;
        return -one->code;
    }
    log_debug("%s is passed over: %s", volume->name, err_text(one, text, sizeof(text)));
    if (one->status == STATUS_HOST)
        search->host = *one;
    else if (one->code == EIO)
        search->io = *one;
    return 0;
}

static int look_at_all(struct search *search, enum candidate kind, struct err *err)
{
    struct stack *stack = search->stack;
    size_t before = search->n;

    for (size_t i = 0; i < stack->n_volumes; i++) {
        struct volume *volume = &stack->volumes[i];
        struct err one = ERR_NONE;

        if (candidate_kind(stack, volume) != kind)
            continue;
        if (kind == CANDIDATE_SNAPSHOT && before > 0 &&
            !candidate_is_wanted(volume, search->opts->root, &search->boot_roots,
                                 search->systems[0].facts))
            continue;
        if (look_at_volume(search, volume, &one) < 0 && pass_over(search, volume, &one, err) < 0)
            return -err->code;
    }
    return 0;
}

static int search_all(struct search *search, struct err *err)
{
    int r = 0;

    for (enum candidate kind = CANDIDATE_FIRST; kind < CANDIDATE_NONE && r == 0; kind++)
        r = look_at_all(search, kind, err);
    if (r < 0)
        return r;
    if (search->n == 0 && search->host.code == 0 && search->io.code == 0)
        look_for_foreign(search);
    if (search->n == 0)
        return none_found(search, err);
    for (size_t s = 0; s < search->n; s++)
        for (size_t i = 0; i < search->ostree_args.n; i++)
            strlist_add(&search->systems[s].ostree_args, search->ostree_args.items[i]);
    mark_boot_default(search);
    if (search->boot_roots.n == 0)
        windows_mark_default(search->stack, search->systems, search->n);
    return 0;
}

int inspect_find(struct stack *stack, const struct inspect_opts *opts, struct system **ret,
                 size_t *ret_n, struct err *err)
{
    struct search search = { .stack = stack, .opts = opts, .host = ERR_NONE, .io = ERR_NONE };
    size_t n_candidates = 0;
    int r;

    for (size_t i = 0; i < stack->n_volumes; i++)
        n_candidates += candidate_kind(stack, &stack->volumes[i]) != CANDIDATE_NONE;
    search.only_one = n_candidates == 1;
    r = search_all(&search, err);
    strlist_done(&search.boot_roots);
    strlist_done(&search.ostree_args);
    if (r < 0) {
        systems_free(search.systems, search.n);
        return r;
    }
    *ret = search.systems;
    *ret_n = search.n;
    return 0;
}

void systems_free(struct system *systems, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct err err = ERR_NONE;

        (void)mtree_release(systems[i].tree, &err); /* the session's undo stack has it too */
        facts_free(systems[i].facts);
        free(systems[i].subvol);
        strlist_done(&systems[i].ostree_args);
    }
    free(systems);
}
