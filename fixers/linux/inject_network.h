/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Addresses of an interface for each way to configure it: inject_network.c knows them all. */
#ifndef H2K_FIXERS_LINUX_INJECT_NETWORK_H
#define H2K_FIXERS_LINUX_INJECT_NETWORK_H

#include "engine/base/strbuf.h"
#include "fixers/fixer.h"

/* One interface that is asked for, and where it is configured. */
struct inject_place {
    const struct fix_context *ctx;
    struct plan *plan;
    const struct inject_nic *nic;
    const char *path;   /* of the file for it */
    const char *source; /* of the file that has it; "" */
};

/*
 * @text: what the file becomes. What in @old is not about the interface's addresses stays.
 * 0, or negative errno and *err: STATUS_USAGE when the file has no place for what is asked for.
 */
int inject_write_ifcfg(const struct inject_nic *nic, const char *old, struct strbuf *text,
                       struct err *err);
int inject_write_ifupdown(const struct inject_nic *nic, const char *old, struct strbuf *text,
                          struct err *err);
int inject_write_suse(const struct inject_nic *nic, const char *old, struct strbuf *text,
                      struct err *err);

int inject_write_netctl(const struct inject_nic *nic, const char *old, struct strbuf *text,
                        struct err *err);
int inject_write_netifrc(const struct inject_nic *nic, const char *old, struct strbuf *text,
                         struct err *err);
int inject_write_etcnet(const struct inject_nic *nic, const char *old, struct strbuf *text,
                        struct err *err);
int inject_write_connman(const struct inject_nic *nic, const char *old, struct strbuf *text,
                         struct err *err);
int inject_write_dhcpcd(const struct inject_nic *nic, const char *old, struct strbuf *text,
                        struct err *err);
int inject_write_rcinet1(const struct inject_nic *nic, const char *old, struct strbuf *text,
                         struct err *err);

/* Plan what is in other files: routes, name servers, that it starts. */
int inject_also_netctl(const struct inject_place *place, struct err *err);
int inject_also_netifrc(const struct inject_place *place, struct err *err);
int inject_also_etcnet(const struct inject_place *place, struct err *err);
int inject_also_ifupdown(const struct inject_place *place, struct err *err);
int inject_also_suse(const struct inject_place *place, struct err *err);

/* Plan all of it: netplan's files are read together. */
int inject_plan_netplan(const struct inject_place *place, struct err *err);

/* Plan a file that comes before all others of "networkd" or "networkmanager". */
int inject_network_first(const struct inject_place *place, const char *stack, struct err *err);

/* Name servers and domains of all interfaces together, each once. */
struct strlist inject_all_servers(const struct fix_context *ctx);
struct strlist inject_all_domains(const struct fix_context *ctx);

/* Plan these in /etc/resolv.conf, where nothing else writes it. */
int inject_resolv_conf(const struct inject_place *place, struct err *err);

/* @before, the elements with @between, @after; nothing when the list is empty. */
void inject_put_joined(struct strbuf *text, const char *before, const struct strlist *list,
                       const char *between, const char *after);

/* The lines of @old but those of variables that one of @patterns, fnmatch(3), is for. Values over
 * several lines in quotes or parentheses go with their variable. */
void inject_keep_others(const char *old, const char *const *patterns, size_t n,
                        struct strbuf *text);

/* The only address of a kind, NULL: none. STATUS_USAGE when there are more, for which @what (a
 * file) has no place. */
int inject_one_address(const struct inject_nic *nic, bool is_ip6, const char *what,
                       const char **ret, struct err *err);

/* "10.0.0.1/8" -> "255.0.0.0". Free it. */
char *inject_netmask(const char *address);

/* The gateway of a kind; NULL: none. */
const char *inject_gateway(const struct inject_nic *nic, bool is_ip6);

#endif
