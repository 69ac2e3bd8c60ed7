/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Logging in on a serial console and running one command there. */
#ifndef H2K_FIXERS_BOOT_LOGIN_H
#define H2K_FIXERS_BOOT_LOGIN_H

#include "engine/base/err.h"
#include "fixers/boot_console.h"

struct boot_login {
    const char *user_password; /* "USER:PASSWORD"; the colon must be there */
    const char *command;
    int state;
    int status; /* exit status of the command, once it is done */
    char *output;
};

enum boot_login_progress { LOGIN_GOING_ON, LOGIN_DONE, LOGIN_REFUSED };

/*
 * Look at the console, which has reached BOOT_LOGIN, and type what is due into @fd.
 * Call it whenever something was printed. Negative errno and *err when @fd cannot be written.
 */
int boot_login_step(struct boot_login *login, struct boot_console *console, int fd,
                    struct err *err);

void boot_login_done(struct boot_login *login);

#endif
