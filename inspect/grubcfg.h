/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * grub.cfg of GRUB 2 (the manual's chapters "Shell-like scripting" and "default"): menu entries,
 * the kernels they start with their arguments, and where each argument stands in the text. Nothing
 * is evaluated; all branches of conditions are looked at.
 */
#ifndef H2K_INSPECT_GRUBCFG_H
#define H2K_INSPECT_GRUBCFG_H

#include "inspect/fields.h"

/* One argument of a kernel, or one variable that is set. */
struct grubcfg_arg {
    char *name;           /* "root", "ro" */
    char *value;          /* behind '=', without quotes; NULL when there is no '=' */
    struct span value_at; /* the value without quotes around it; for edits_add() */
    bool plain;           /* value_at holds no quotes or escapes: may be replaced as it is */
};

/* A linux, linux16 or linuxefi command. */
struct grubcfg_linux {
    size_t entry;   /* index into entries; GRUBCFG_NONE: outside of any */
    char *path;     /* as GRUB sees it: "/boot/vmlinuz-..." or "/vmlinuz-..."; quotes removed */
    char *initrd;   /* last word of the initrd command that belongs to it; "" */
    struct span at; /* from the path to the last argument, as they are written */
    struct grubcfg_arg *args;
    size_t n_args;
};

#define GRUBCFG_NONE ((size_t)-1)

struct grubcfg_entry {
    char *title;
    char *id;      /* --id; "" when there is none */
    char *number;  /* as `set default=` may name it: "0", "1>2" */
    size_t parent; /* the submenu that holds it; GRUBCFG_NONE at the top */
    bool is_submenu;
    size_t n_children; /* of a submenu, so far */
};

struct grubcfg {
    struct grubcfg_entry *entries; /* menu entries and submenus in the file's order */
    size_t n_entries;
    struct grubcfg_linux *linuxes;
    size_t n_linuxes;
    struct grubcfg_arg *vars; /* of all "set" commands, in the file's order */
    size_t n_vars;
    char *default_text; /* last literal `set default=`; "0" when there is none */
    bool default_saved; /* the file asks for ${saved_entry} (of grubenv) first */
};

void grubcfg_parse(const char *text, size_t len, struct grubcfg *ret);
void grubcfg_done(struct grubcfg *cfg);
#define CLEANUP_GRUBCFG __attribute__((cleanup(grubcfg_done)))

/*
 * The kernel that is started when nobody touches a key, as far as the text tells: @saved is
 * saved_entry of grubenv, NULL when there is none. An unknown default means the first entry, as for
 * GRUB. Index into linuxes, GRUBCFG_NONE when there is no kernel.
 */
size_t grubcfg_default(const struct grubcfg *cfg, const char *saved);

#endif
