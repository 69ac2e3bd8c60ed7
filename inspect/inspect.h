/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From volumes to facts: find the systems, mount one, look at it. */
#ifndef H2K_INSPECT_INSPECT_H
#define H2K_INSPECT_INSPECT_H

#include "inspect/facts.h"
#include "storage/mount.h"
#include "storage/volume.h"

struct inspect_opts {
    const char *root;   /* --root: "auto", "first", "single" or a guest name; NULL: auto */
    bool read_only;     /* true: no journal is replayed */
    bool with_packages; /* fill facts->packages */
    bool with_initrds;  /* look into every initramfs */
    bool modules_only;  /* for its drivers; kernels[].archive stays NULL */
};

struct system;

/* A kind of operating system that may be found on a file system. */
struct os_probe {
    const char *name; /* "linux" */
    enum os_family os;
    bool (*match)(const struct guest_root *root);
    /* What tells it from others; facts->root and facts->devices are there. */
    void (*identify)(const struct guest_root *root, struct facts *facts);
    /* Fill facts->mounts. */
    void (*mounts)(const struct guest_root *root, struct facts *facts);
    /* Mount what is beside "/"; NULL: what facts->mounts says, as Linux does. */
    int (*mount_rest)(struct stack *stack, struct system *system, const struct inspect_opts *opts,
                      struct err *err);
    /* Everything else, with all file systems mounted. */
    int (*collect)(const struct guest_root *root, const struct inspect_opts *opts,
                   struct facts *facts, struct err *err);
};

/* A system that was found. */
struct system {
    struct facts *facts;
    struct mtree *tree;    /* all its file systems after inspect_open(); before, NULL or the root.
                              NULL always of a system that h2k does not mount (OS_OTHER) */
    struct volume *volume; /* of the root */
    char *subvol;          /* btrfs: path of the root's subvolume; NULL: none */
    bool is_ostree;        /* the root is one of the deployments in it */
    struct strlist ostree_args; /* ostree= of the boot loaders' entries, default first */
    const struct os_probe *probe;
    bool is_boot_default; /* every boot loader configuration that was found starts this one */
};

/*
 * Find the systems in @stack. Each element of *ret has facts that tell it from the others (root,
 * type, distro, product_name, devices). STATUS_NO_OS when there is none; STATUS_HOST when a file
 * system or layer that this host cannot open may hide it. Free with systems_free().
 */
int inspect_find(struct stack *stack, const struct inspect_opts *opts, struct system **ret,
                 size_t *ret_n, struct err *err);

/* Choose one of them as --root says: STATUS_REFUSED and the list when it is not clear. */
int inspect_choose(struct system *systems, size_t n, const struct inspect_opts *opts,
                   struct system **ret, struct err *err);

/*
 * Mount the system's file systems as its fstab and its systemd units say, parents first, and
 * collect all facts. What the guest would miss has the reason in fact_mount.problem. Where
 * something is to be written, it is an error that a mount fails (unless it has nofail), and that
 * /boot, an EFI system partition or /usr is missing.
 */
int inspect_open(struct stack *stack, struct system *system, const struct inspect_opts *opts,
                 struct err *err);

/* The trees are released too; the session does it when that fails. */
void systems_free(struct system *systems, size_t n);

#endif
