/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a boot loader offers and which of it is started when nobody touches a key: GRUB 2 (with
 * entries in grub.cfg or in files of the Boot Loader Specification), GRUB 0.9x, systemd-boot,
 * extlinux and syslinux.
 */
#ifndef H2K_INSPECT_BOOT_ENTRIES_H
#define H2K_INSPECT_BOOT_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/guest.h"

struct boot_entry {
    char *id;     /* how the default may name it: "0", "submenu>entry", "arch.conf", a label */
    char *image;  /* as the loader spells it: "/vmlinuz-6.1.0"; "" when it starts no kernel */
    char *initrd; /* the last of several; "" */
    char *path;   /* of @image in the guest (boot_entries_path()); NULL: not there */
};

enum boot_entries_kind {
    BOOT_ENTRIES_UNKNOWN,
    BOOT_ENTRIES_GRUB2,
    BOOT_ENTRIES_GRUB2_BLS,
    BOOT_ENTRIES_GRUB1,
    BOOT_ENTRIES_SYSTEMD,
    BOOT_ENTRIES_SYSLINUX,
};

#define BOOT_ENTRIES_NONE ((size_t)-1)

struct boot_entries {
    enum boot_entries_kind kind;
    char *config; /* the file that says what is the default: grub.cfg, menu.lst, loader.conf ... */
    bool saved;   /* GRUB: grubenv beside it comes first */
    struct boot_entry *entries; /* in the order of the menu */
    size_t n;
    size_t chosen; /* BOOT_ENTRIES_NONE: not known */
};

/* @loader and @config as the facts have them. What is missing or makes no sense gives a menu
 * without entries. */
void boot_entries_read(const struct guest_root *root, const char *loader, const char *config,
                       struct boot_entries *ret);
void boot_entries_done(struct boot_entries *menu);
#define CLEANUP_BOOT_ENTRIES __attribute__((cleanup(boot_entries_done)))

/* The guest's path of a file as a loader spells it, which may begin at another file system than /
 * and lead over links; NULL when it is not there. Free it. */
char *boot_entries_path(const struct guest_root *root, const char *spelled);

/* What is at @spelled ("/EFI/Linux") below @place, where an ESP may be, whatever its case (FAT has
 * none, but a copy of it has); NULL when nothing is. Free it. */
char *boot_entries_any_case(const struct guest_root *root, const char *place, const char *spelled);

/* The entry that starts the kernel @image (a path of the guest), the chosen one if it does;
 * BOOT_ENTRIES_NONE. */
size_t boot_entries_find(const struct guest_root *root, const struct boot_entries *menu,
                         const char *image);

/* ---- pure parsers (boot_entries_text.c); they add to menu->entries ---- */

/* menu.lst, grub.conf of GRUB 0.9x. @saved: the number in the file "default", or NULL. */
void boot_entries_parse_grub1(const char *text, size_t len, const char *saved,
                              struct boot_entries *menu);

/* syslinux.cfg, extlinux.conf. */
void boot_entries_parse_syslinux(const char *text, size_t len, struct boot_entries *menu);

/* One file of the Boot Loader Specification (type 1), named @id. false: it starts no kernel. */
struct bls_entry {
    char *id, *title, *version, *sort_key, *image, *initrd;
};
bool bls_parse(const char *text, size_t len, const char *id, struct bls_entry *ret);
void bls_entry_done(struct bls_entry *entry);

/* Orders of menus, for qsort(): GRUB's (names of files, newest first) and systemd-boot's. */
int bls_compare_grub(const void *a, const void *b);
int bls_compare_systemd(const void *a, const void *b);

/* The value of "default" in loader.conf; NULL when there is none. Free it. */
char *loader_conf_default(const char *text, size_t len);

#endif
