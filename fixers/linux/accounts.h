/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of accounts: lines of fields with colons between them. Sources: passwd(5), shadow(5),
 * group(5), gshadow(5).
 */
#ifndef H2K_FIXERS_LINUX_ACCOUNTS_H
#define H2K_FIXERS_LINUX_ACCOUNTS_H

#include "fixers/plan.h"
#include "inspect/fields.h"

#define PASSWD "/etc/passwd"
#define SHADOW "/etc/shadow"
#define GROUP "/etc/group"
#define GSHADOW "/etc/gshadow"

#define ACCOUNT_FIELDS 9 /* shadow(5) has the most */

/* The fields of the line of @name. false: there is none, or it has less than @min_fields. */
bool account_find(const char *text, const char *name, size_t min_fields,
                  struct span fields[ACCOUNT_FIELDS]);

/* The next line of accounts (not of comments and of NIS) from *@pos on, as line_next(). Returns how
 * many fields it has, 0 at the end. */
size_t account_next(const char *text, size_t *pos, struct span fields[ACCOUNT_FIELDS]);

/* @text with a further line at its end, but before what asks NIS for more. Free it. */
char *account_add(const char *text, const char *line);

/* A field as a number; @other when it is none. */
uint64_t account_number(const char *text, struct span field, uint64_t other);

/* The account as the guest has it in PASSWD. */
struct account {
    uint64_t uid, gid;
    char *home; /* absolute */
};

/* 1 and *ret (free ret->home), 0: there is no such account, or negative errno and *err. */
int account_get(struct plan *plan, const char *name, struct account *ret, struct err *err);

#endif
