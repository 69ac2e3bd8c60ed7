/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of boot loaders and of the tools around them that are made of lines "KEYWORD VALUE": where
 * the arguments of kernels stand in them. grub.cfg, which is a script, has a parser of its own.
 */
#ifndef H2K_INSPECT_BOOTMENU_H
#define H2K_INSPECT_BOOTMENU_H

#include "inspect/fields.h"

enum bootmenu_kind {
    BOOTMENU_BLS,      /* entries of the Boot Loader Specification (type 1), of systemd-boot too */
    BOOTMENU_DRACUT,   /* dracut.conf(5) */
    BOOTMENU_ELILO,    /* elilo.conf, lilo.conf(5) */
    BOOTMENU_GRUB1,    /* menu.lst, grub.conf; "# kopt=" of Debian's update-grub as well */
    BOOTMENU_LIMINE,   /* limine.conf, limine.cfg */
    BOOTMENU_LINES,    /* nothing but arguments: /etc/kernel/cmdline; rEFInd's quoted ones */
    BOOTMENU_REFIND,   /* refind.conf */
    BOOTMENU_SYSLINUX, /* syslinux, extlinux; what U-Boot reads too */
    BOOTMENU_UKI,      /* uki.conf of ukify(1) */
    BOOTMENU_ZIPL,     /* zipl.conf(5) */
};

/* A line with arguments of a kernel. */
struct bootmenu_line {
    struct span at;  /* what stands behind the keyword, quotes included */
    bool is_device;  /* it is the name of the root's device alone; at: without quotes */
    bool extends;    /* all arguments of a kernel, or its own: more can be added */
    bool has_initrd; /* false: a kernel is started with it that gets no initramfs */
};

struct bootmenu {
    struct bootmenu_line *lines; /* in the file's order */
    size_t n;
};

void bootmenu_parse(enum bootmenu_kind kind, const char *text, size_t len, struct bootmenu *ret);
void bootmenu_done(struct bootmenu *menu);
#define CLEANUP_BOOTMENU __attribute__((cleanup(bootmenu_done)))

/* An argument "name=value". */
struct kernel_arg {
    struct span name, value; /* the value without quotes around it */
};

/* The next one in the bytes @at from *@pos on, which starts as at->start; words are separated by
 * blanks, ends of lines and quotes, those without "=" are passed over. false when there is none. */
bool kernel_arg_next(const char *text, const struct span *at, size_t *pos, struct kernel_arg *ret);

#endif
