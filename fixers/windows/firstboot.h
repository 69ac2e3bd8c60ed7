/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What Windows does once, at its first start: scripts that any fixer for Windows may add. The fixer
 * win-firstboot, the last one, adds what runs them: a service (service/h2ksvc.c, or cmd.exe) that
 * starts scripts/run.cmd. They run as SYSTEM in order of their numbers; what their exit codes mean
 * is said in run.cmd. All lies below the folder of Windows, whose path has no blanks and depends on
 * no language; when no script is left it goes away, only h2k/firstboot.log stays.
 */
#ifndef H2K_FIXERS_WINDOWS_FIRSTBOOT_H
#define H2K_FIXERS_WINDOWS_FIRSTBOOT_H

#include "fixers/fixer.h"

#define WIN_FIRSTBOOT "h2k/firstboot" /* below the folder of Windows */
#define WIN_FIRSTBOOT_SERVICE "h2k-firstboot"
#define WIN_FIRSTBOOT_REASON "what runs the scripts of the first start"

/* The number of a script: its place. */
enum win_script_order {
    WIN_SCRIPT_DRIVERS = 1000,
    WIN_SCRIPT_NETWORK = 2000,
    WIN_SCRIPT_AGENT = 3000,
    WIN_SCRIPT_DISKS = 4000,
    WIN_SCRIPT_TOOLS = 5000,
    WIN_SCRIPT_SETTINGS = 6000,
    WIN_SCRIPT_USER = 8000, /* 8...: not run again when it was interrupted */
    WIN_SCRIPT_LAST = 9000,
};

enum win_script_kind {
    WIN_SCRIPT_BATCH,
    WIN_SCRIPT_POWERSHELL, /* from NT 6.1 on */
    WIN_SCRIPT_VBSCRIPT,
};

struct win_script {
    unsigned order;
    const char *name; /* letters, digits and "-" */
    enum win_script_kind kind;
    const char
        *text; /* ASCII, or it says its code page; its lines are ended as Windows wants them */
    const void *data; /* instead of a text: bytes as they are */
    size_t len;
    bool secret; /* it holds secrets: its diff is not shown */
};

/* Add a script to the plan. One with the same number, name and kind is replaced. */
void win_script_add(struct plan *plan, const struct facts *facts, const struct win_script *script,
                    const char *reason);

/* A file that scripts need. */
void win_firstboot_file(struct plan *plan, const struct facts *facts, const char *name,
                        const void *data, size_t len, const char *reason);

/* Where that is for scripts: "%SystemRoot%\h2k\firstboot\NAME". Free it. */
char *win_firstboot_path(const char *name);

/* Are there scripts, planned or in the guest from before? 1, 0, or negative errno and *err. */
int win_scripts_waiting(struct plan *plan, const struct facts *facts, struct err *err);

extern const struct fixer fixer_win_firstboot;
extern const struct fixer fixer_win_inject;  /* inject.c */
extern const struct fixer fixer_win_network; /* network.c */

#endif
