/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Services switched on and off by the links and files that systemctl, rc-update, chkconfig and
 * update-rc.d would make, without running them. What the guest's init system is decides.
 */
#ifndef H2K_FIXERS_LINUX_SERVICES_H
#define H2K_FIXERS_LINUX_SERVICES_H

#include "fixers/fixer.h"

enum service_change { SERVICE_ENABLE, SERVICE_DISABLE, SERVICE_MASK };

/*
 * 0, or negative errno and *err: STATUS_USAGE when the guest has no such service (similar names are
 * told), or its init system has no such thing.
 */
int service_change(const struct fix_context *ctx, struct plan *plan, const char *name,
                   enum service_change change, const char *reason, struct err *err);

/* ---- one for each kind of init system; "sshd" and "sshd.service" are the same ----
 *
 * 1: done, 0: there is no such service, or negative errno and *err.
 */

int unit_change(struct plan *plan, const char *name, enum service_change change, const char *reason,
                struct err *err);
int openrc_change(struct plan *plan, const char *name, enum service_change change,
                  const char *reason, struct err *err);

/* A job of upstart is started no more by an event. 1: done, 0: there is no such job, or negative
 * errno and *err. */
int job_stop(struct plan *plan, const char *name, const char *reason, struct err *err);

/* Scripts in /etc/init.d with links in rc?.d, and jobs of upstart. */
int script_change(struct plan *plan, const char *name, enum service_change change,
                  const char *reason, struct err *err);

#endif
