/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of the inject fixer: each plans one kind of what fix_opts.inject asks for. */
#ifndef H2K_FIXERS_LINUX_INJECT_H
#define H2K_FIXERS_LINUX_INJECT_H

#include "fixers/fixer.h"

#define INJECT_REASON "the user asks for it"

/* Host name and time zone, wherever the guest keeps them (inject_identity.c). */
int inject_hostname(const struct fix_context *ctx, struct plan *plan, struct err *err);
int inject_timezone(const struct fix_context *ctx, struct plan *plan, struct err *err);

/* Accounts: made, in groups, with passwords and keys (inject_users.c). */
int inject_users(const struct fix_context *ctx, struct plan *plan, struct err *err);

/* The password of one that is there (inject_password.c). */
int inject_password(struct plan *plan, const struct inject_user *user, struct err *err);

/* Keys of SSH that may log in (inject_keys.c). */
int inject_keys(struct plan *plan, const struct inject_user *user, struct err *err);

/* Addresses of interfaces (inject_network.c). */
int inject_network(const struct fix_context *ctx, struct plan *plan, struct err *err);

/* Services that start or do not (services.c). */
int inject_services(const struct fix_context *ctx, struct plan *plan, struct err *err);

/* What the guest does at its first start (inject_firstboot.c, inject_tools.c). */
int inject_firstboot(const struct fix_context *ctx, struct plan *plan, struct err *err);
int inject_remove_tools(const struct fix_context *ctx, struct plan *plan, struct err *err);
int inject_agent(const struct fix_context *ctx, struct plan *plan, struct err *err);

/* Shell text that installs packages from the guest's repositories: append their names. NULL: its
 * package manager is not known. */
const char *inject_install_command(const struct facts *facts);

/* A seed for cloud-init, what it asks, or that it does nothing (inject_cloud.c). */
int inject_cloud(const struct fix_context *ctx, struct plan *plan, struct err *err);

/* Files, folders, links, modes, removals, in their order (inject_files.c). */
int inject_files(const struct fix_context *ctx, struct plan *plan, struct err *err);

/* Plan the folders above @path that are missing, one by one: root's, for everybody to read. */
void inject_parents(struct plan *plan, const char *path);

#endif
