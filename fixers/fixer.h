/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A fixer: one repair. It never writes to the guest: plan() describes changes. */
#ifndef H2K_FIXERS_FIXER_H
#define H2K_FIXERS_FIXER_H

#include "engine/session.h"
#include "fixers/injections.h"
#include "fixers/plan.h"
#include "inspect/facts.h"

enum initramfs_mode { INITRAMFS_AUTO, INITRAMFS_INJECT, INITRAMFS_REBUILD, INITRAMFS_NONE };

/* What starts the scripts of Windows' first start: h2k's own program, or cmd.exe. */
enum firstboot_service {
    FIRSTBOOT_SERVICE_AUTO, /* the program where there is one */
    FIRSTBOOT_SERVICE_WRAPPER,
    FIRSTBOOT_SERVICE_REGISTRY,
};

struct nic_option {
    char *name; /* "ens192" */
    char *mac;  /* lower case with colons */
};

/* Secure Boot of the new machine. What the old one had is in its NVRAM, not on its disks, and a
 * machine without it starts all that one with it does. */
enum secure_boot { SECURE_BOOT_AUTO /* off */, SECURE_BOOT_ON, SECURE_BOOT_OFF };

/* What the user asked for, as far as fixers care. */
struct fix_opts {
    enum initramfs_mode initramfs;
    struct nic_option *nics; /* --nic NAME=MAC */
    size_t n_nics;
    struct strlist only, skip; /* names of fixers */
    struct injections inject;  /* what is put into the guest on request */
    enum firstboot_service firstboot_service;
    bool no_cloud_agents; /* guest-tools: agents of clouds are switched off, too */
    bool serial_console;  /* kernels, boot loader and a login on the serial port too */
    enum secure_boot secure_boot;
    bool remove_tools_now; /* of the old hypervisor, in a jail */
    bool show_secrets;
    bool discard_hibernation; /* of Windows: what sleeping systems keep in memory is given up */
    const char *virtio_win;   /* drivers for Windows; NULL: $VIRTIO_WIN, or those of the host */
};

struct drivers;

struct fix_context {
    const struct facts *facts;
    const struct fix_opts *opts;
    struct stack *stack;     /* volumes of the guest; NULL: they cannot be looked at */
    struct session *session; /* for private folders of the host (depmod) */
    struct drivers *drivers; /* for Windows; NULL: none */
};

struct fixer {
    const char *name;    /* stable; used in --skip=NAME and in the report */
    const char *summary; /* one line for `h2k fixers` */
    unsigned os;         /* OR of enum os_family: guests it may see */

    /* Should it run? Always sets *ret_why, a literal, for the report. */
    bool (*applies)(const struct fix_context *ctx, const char **ret_why);

    /* Add changes to @plan; none when the guest is right already. 0, or negative errno and *err. */
    int (*plan)(const struct fix_context *ctx, struct plan *plan, struct err *err);
};

/* In the order they run; the order is part of their meaning (see registry.c). */
extern const struct fixer *const fixers[];
extern const size_t n_fixers;

const struct fixer *fixer_find(const char *name); /* NULL: no such fixer */

/* Let all chosen fixers plan. *ret is released with plan_free(). */
int fixers_plan(const struct fix_context *ctx, const struct guest_root *root, struct plan **ret,
                struct err *err);

#endif
