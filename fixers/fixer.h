/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A fixer: one repair. It never writes to the guest: plan() describes changes. */
#ifndef H2K_FIXERS_FIXER_H
#define H2K_FIXERS_FIXER_H

#include "engine/session.h"
#include "fixers/injections.h"
#include "fixers/plan.h"
#include "inspect/facts.h"

enum initramfs_mode { INITRAMFS_AUTO, INITRAMFS_INJECT, INITRAMFS_REBUILD, INITRAMFS_NONE };

struct nic_option {
    char *name; /* "ens192" */
    char *mac;  /* lower case with colons */
};

/* What the user asked for, as far as fixers care. */
struct fix_opts {
    enum initramfs_mode initramfs;
    struct nic_option *nics; /* --nic NAME=MAC */
    size_t n_nics;
    struct strlist only, skip; /* names of fixers */
    struct injections inject;  /* what is put into the guest on request */
    bool no_cloud_agents;      /* guest-tools: agents of clouds are switched off, too */
    bool serial_console;       /* kernels, boot loader and a login on the serial port too */
    bool remove_tools_now;     /* of the old hypervisor, in a jail */
    bool show_secrets;
};

struct fix_context {
    const struct facts *facts;
    const struct fix_opts *opts;
    struct session *session; /* for private folders of the host (depmod) */
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
