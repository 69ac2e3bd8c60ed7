/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arguments of kernels that name devices, in whatever file they stand. */
#ifndef H2K_FIXERS_LINUX_BOOT_ARGS_H
#define H2K_FIXERS_LINUX_BOOT_ARGS_H

#include "engine/base/strbuf.h"
#include "fixers/fixer.h"
#include "inspect/fields.h"
#include "inspect/shellvars.h"

/* A file that is looked at, and what becomes of its text. */
struct boot_file {
    const struct fix_context *ctx;
    struct plan *plan;
    const char *path, *text;
    struct edits edits;
    size_t n_consoles;     /* of the edits: additions that --serial-console asks for */
    struct strbuf changes; /* "; root=/dev/sda1 becomes root=UUID=..." for each name, for a reason:
                              diffs of such files are often hidden */
};
void boot_file_done(struct boot_file *file);
#define CLEANUP_BOOT_FILE __attribute__((cleanup(boot_file_done)))

/*
 * The lasting name for the device of an argument (@arg: "root"), NULL when its name lasts or none
 * was found; the last is a note. @flags: enum devname_flags. Free it.
 */
char *boot_device(const struct boot_file *file, const char *arg, const char *device,
                  unsigned flags);

/* The value of an argument with a lasting name in it; NULL when it stays as it is. A name that
 * changes and stays is a note. @flags: enum devname_flags. Free it. */
char *boot_arg_fixed(const struct boot_file *file, const char *arg, const char *value,
                     unsigned flags);

/* The bytes @at, the value @old of @arg, become @with. */
void boot_file_replace(struct boot_file *file, struct span at, const char *arg, const char *old,
                       const char *with);

/* Is @device, a tag or a link by UUID, certainly on none of the disks? (resume.c) */
bool resume_is_gone(const struct facts *facts, const char *device);

/* "resume=DEVICE", whose value stands at @at, becomes "noresume" when the device is gone: true.
 * (resume.c) */
bool resume_drop(struct boot_file *file, struct span at, const char *arg, const char *value);

/* Fix all arguments in the bytes @at of the text. */
void boot_args_fix(struct boot_file *file, struct span at, unsigned flags);

/* ---- consoles (consoles.c) ---- */

/* The value of "console=" for a console of Xen, which becomes the serial port; NULL when it stays.
 * Free it. */
char *console_fixed(const struct facts *facts, const char *value);

/* With --serial-console: the bytes @at are all arguments of a kernel, or its own; the consoles that
 * they lack are added. */
void consoles_add(struct boot_file *file, struct span at);

/* The same for an assignment of a shell. */
void consoles_add_to_var(struct boot_file *file, const struct shellvar *var);

/* With --serial-console: what else /etc/default/grub needs, and a menu of GRUB on the serial port
 * of a BIOS. */
void consoles_add_defaults(struct boot_file *file);
void consoles_add_menu(struct boot_file *file);

/* With --serial-console: a note where nothing of the guest's boot loader is edited. */
void consoles_note(const struct fix_context *ctx, struct plan *plan);

/* Write @text (of @file with its edits) with @reason and what has changed. */
void boot_file_write(struct boot_file *file, const char *text, const char *reason);

#endif
