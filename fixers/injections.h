/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the user wants to be put into the guest beyond what moving it needs: from options and from
 * the file of --config, with everything that they name on the host read already. Strings are NULL
 * when they are not given.
 */
#ifndef H2K_FIXERS_INJECTIONS_H
#define H2K_FIXERS_INJECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "engine/base/err.h"
#include "engine/base/mem.h"

#define INJECT_FILE_MAX (256U << 20) /* bytes of a file that is put into the guest */

/* Something at a path of the guest. At most one of text ... remove is given; none: the mode only.
 */
struct inject_file {
    char *path;
    char *text; /* its content */
    char *from; /* file of the host with its content */
    char *link; /* target of a link */
    bool folder, remove;
    char *mode; /* as it was given: octal */

    /* made of these */
    char *data; /* content; NULL: none */
    size_t len;
    mode_t bits; /* of the mode, or what is usual */
};

/* An account. At most one of password ... disable is given. */
struct inject_user {
    char *name;
    bool create;                        /* when it is not there */
    char *password;                     /* as it is typed */
    char *password_file;                /* file of the host: its first line is the password */
    char *password_hash;                /* crypt(5) */
    bool lock;                          /* no password is accepted until it is unlocked again */
    bool disable;                       /* it has none */
    struct strlist ssh_keys;            /* lines of authorized_keys */
    struct strlist ssh_key_files;       /* files of the host with such lines */
    struct strlist groups;              /* further ones */
    char *uid, *home, *shell, *comment; /* of a new account */
};

/* Names of services; one stands in one of the lists only. */
struct inject_services {
    struct strlist enable, disable, mask;
};

/* Something that the guest does once, at its first start. Exactly one of these is given. */
struct inject_script {
    char *script;           /* file of the host */
    char *command;          /* for its shell */
    struct strlist install; /* packages, by its package manager */

    /* made of the first two */
    char *name; /* for people */
    char *data; /* with its "#!" line; NULL: packages */
    size_t len;
};

/* For cloud-init: a seed that needs no network, sources that it asks, or nothing at all. */
struct inject_cloud {
    char *user_data, *meta_data, *network_config;
    char *user_data_file, *meta_data_file, *network_config_file; /* files of the host with these */
    struct strlist datasources; /* "NoCloud" ... in the order in which they are asked */
    bool disable;
};

/* A .reg file for the registry of a Windows. */
struct inject_registry {
    char *path; /* on the host */
    char *data;
    size_t len;
};

/* QEMU's guest agent: from the guest's repositories, or a package. */
struct inject_agent {
    bool from_repository;
    char *file; /* name of the package; NULL: none */
    char *data;
    size_t len;
};

/* Addresses of an interface: by DHCP, or these. */
struct inject_nic {
    char *name; /* in the guest */
    bool dhcp;
    struct strlist addresses; /* with their prefix lengths: "192.0.2.1/24" */
    struct strlist gateways;  /* one of a kind at most */
    struct strlist dns, search;
};

struct injections {
    char *hostname, *timezone;
    struct inject_nic *nics;
    size_t n_nics;
    struct inject_services services;
    struct inject_script *firstboot; /* in order */
    size_t n_firstboot;
    struct inject_cloud cloud;
    struct inject_agent agent;
    char *agent_from;                 /* of the file: "repository", or a file of the host */
    struct inject_registry *registry; /* in order */
    size_t n_registry;
    struct strlist registry_files; /* of the file of --config: paths of the host */
    bool remove_tools;             /* of the old hypervisor, at the first start */
    bool rdp;         /* Windows: Remote Desktop is switched on; by the fixer win-settings */
    bool never_sleep; /* Windows: high performance, no standby, no hibernation; the same */
    struct inject_user *users;
    size_t n_users;
    struct inject_file *files; /* in order */
    size_t n_files;
};

void injections_done(struct injections *inject);

/* Is anything asked for that the fixers inject or win-inject make? */
bool injections_any(const struct injections *inject);

/* Take one option of the command line: "hostname", "write" ... 0, or negative errno and *err
 * (STATUS_USAGE, or why a file of the host cannot be read). */
int injections_option(struct injections *inject, const char *option, const char *value,
                      struct err *err);

/* Take a file as --config has it. */
int injections_config(struct injections *inject, const char *path, struct err *err);

/* The same from memory, for tests. */
int injections_parse(struct injections *inject, const char *text, size_t len, const char *name,
                     struct err *err);

/* ---- parts: each checks one element and reads what it names; @folder: where relative names
 * lie ---- */

int inject_file_check(void *item, const char *folder, struct err *err);
int inject_user_check(void *item, const char *folder, struct err *err);
int inject_nic_check(void *item, const char *folder, struct err *err);
int inject_services_check(void *item, const char *folder, struct err *err);
int inject_script_check(void *item, const char *folder, struct err *err);
int inject_cloud_check(void *item, const char *folder, struct err *err);
int inject_agent_load(struct injections *inject, const char *folder, struct err *err);
int inject_hostname_check(const char *name, struct err *err);
int inject_timezone_check(const char *name, struct err *err);

/* Is it one for Windows, by its name? Others begin with "#!". */
bool inject_is_windows_script(const char *name);

/* Is it of IPv6? (an address, with a prefix or without) */
bool inject_is_ip6(const char *address);

/* The user @name, added when it is new. */
struct inject_user *inject_user_get(struct injections *inject, const char *name);

/* Forget what was said about its password. */
void inject_user_forget(struct inject_user *user);

/* Is any password known here as it is typed? */
bool injections_have_passwords(const struct injections *inject);

/* The newest public key of SSH of the user who runs h2k. 0 and *ret_path (free it), or
 * STATUS_USAGE.
 */
int inject_own_key(char **ret_path, struct err *err);

/* A file of the host. */
int inject_load(const char *folder, const char *path, size_t max, char **ret, size_t *ret_len,
                struct err *err);

/* Is it a path of the guest that something can be put at: absolute, without ".."? */
bool inject_path_ok(const char *path);

#endif
