/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What h2k carries along to put it into Windows guests: its service and the scripts. */
#ifndef H2K_FIXERS_WINDOWS_EMBEDDED_H
#define H2K_FIXERS_WINDOWS_EMBEDDED_H

#include <stddef.h>

struct embedded {
    const char *name;
    const char *data, *end;
};

enum embedded_name {
    EMBEDDED_RUN, /* runs the others */
    EMBEDDED_AGENT,
    EMBEDDED_DISKS,
    EMBEDDED_DRIVERS,
    EMBEDDED_NETWORK_PS1,
    EMBEDDED_NETWORK_VBS,
    EMBEDDED_REMOVE_TOOLS,
    EMBEDDED_USER_PS1,
    EMBEDDED_USER_VBS,
    EMBEDDED_N,
};

/* The service's program for "x86" or "amd64" guests. NULL: there is none, because the architecture
 * is another one, or because h2k was built without a compiler for it. */
const struct embedded *embedded_service(const char *arch);

/* A script, with lines that end as Windows' do; free it. */
char *embedded_script(enum embedded_name name);

#endif
