/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of the network that hold more than one interface's addresses, written anew
 * (inject_network_files.c). */
#ifndef H2K_FIXERS_LINUX_INJECT_NETWORK_H
#define H2K_FIXERS_LINUX_INJECT_NETWORK_H

#include "engine/base/strbuf.h"
#include "fixers/injections.h"

/* @text: what @old becomes; what is not about the interface's addresses stays. */
int inject_write_ifcfg(const struct inject_nic *nic, const char *old, struct strbuf *text,
                       struct err *err);
int inject_write_ifupdown(const struct inject_nic *nic, const char *old, struct strbuf *text,
                          struct err *err);

/* @before, the elements with @between, @after; nothing when the list is empty. */
void inject_put_joined(struct strbuf *text, const char *before, const struct strlist *list,
                       const char *between, const char *after);

#endif
