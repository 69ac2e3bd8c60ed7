/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What this host can do: kernel drivers and programs, each with what brings it when it is missing.
 */
#ifndef H2K_ENGINE_HOST_H
#define H2K_ENGINE_HOST_H

#include <stdbool.h>
#include <stddef.h>

enum host_state {
    HOST_MISSING,
    HOST_LOADABLE, /* a module that is installed and not loaded */
    HOST_READY,
};

enum driver_kind {
    DRIVER_BLOCK,      /* loop, nbd, fuse: a control node or a module */
    DRIVER_FILESYSTEM, /* listed in /proc/filesystems */
    DRIVER_DM_TARGET,  /* listed by the device-mapper's own version list */
    DRIVER_MD,         /* listed in /proc/mdstat */
};

struct host_driver {
    const char *name; /* as the kernel lists it: "ext4", "linear" */
    enum driver_kind kind;
    const char *module; /* module that brings it */
    const char *why;    /* what it is needed for */
};

struct host_tool {
    const char *program;
    const char *package;     /* Debian's name */
    const char *version_arg; /* NULL: it has none */
    const char *why;
    bool required; /* the main job cannot run without it */
};

extern const struct host_driver host_drivers[];
extern const size_t host_n_drivers;
extern const struct host_tool host_tools[];
extern const size_t host_n_tools;

enum host_state host_driver_state(const struct host_driver *driver);

/* First line of what the program says about its version, "" when it says nothing, NULL when it is
 * not installed. Free it. */
char *host_tool_version(const struct host_tool *tool);

const char *host_state_name(enum host_state state);  /* "missing", "loadable", "ready" */
const char *driver_kind_name(enum driver_kind kind); /* "block", "filesystem" ... */

#endif
