/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kinds of initramfs, told apart by what is in them. Most load drivers by the aliases of the
 * hardware (udev, nlplug-findfs) and need nothing but modules and indexes; others load what a list
 * or a script inside names.
 */
#ifndef H2K_FIXERS_LINUX_INITRAMFS_KINDS_H
#define H2K_FIXERS_LINUX_INITRAMFS_KINDS_H

#include "fixers/linux/initramfs_work.h"

struct initrd_kind {
    const char *name; /* of the tool that makes them; for people */
    const char
        *folder;      /* of all modules, "." is the top; NULL: lib/modules/VERSION, with indexes */
    bool underscores; /* files are named as the kernel names modules: without '-' */
    bool (*is)(const struct initramfs *found);

    /* Make it load work->load: add changed files to work->segment and their names to work->listed,
     * or a note to the plan. 0 or negative errno; NULL: nothing to do. */
    int (*adapt)(struct initramfs_work *work, struct err *err);
};

/* Never NULL: the last kind is for what is not known. */
const struct initrd_kind *initrd_kind_of(const struct initramfs *found);

extern const struct initrd_kind initrd_kind_booster; /* initramfs_booster.c */
extern const struct initrd_kind initrd_kind_nash;    /* initramfs_nash.c */
extern const struct initrd_kind initrd_kind_suse;    /* initramfs_lists.c */
extern const struct initrd_kind initrd_kind_mkinitcpio;
extern const struct initrd_kind initrd_kind_genkernel;
extern const struct initrd_kind initrd_kind_tiny;

/* Add the changed text of the archive's file @name; takes ownership of @text. */
void work_replace_file(struct initramfs_work *work, const char *name, char *text, uint32_t mode);

/* Do not wait for devices that are gone (initramfs_waits.c). */
void work_end_waits(struct initramfs_work *work);

/* ---- texts: pure, for the kinds and their tests ---- */

/*
 * An init script of nash (mkinitrd of EL 4 and 5) that loads the modules of @load (file names
 * below /lib, in order) before it looks for the root. 1 and *ret (free it), 0 when it does so
 * already, -ENOENT when the script has no place for them.
 */
int nash_with_modules(const char *text, const struct strlist *load, char **ret);

/* The list of tiny-initramfs with the files of @load, in order. Same values. */
int tiny_with_modules(const char *text, const struct strlist *load, char **ret);

/* SUSE's run_all.sh or config/start.sh with @drivers behind RESOLVED_INITRD_MODULES. Same values.
 */
int suse_with_drivers(const char *text, const struct strlist *drivers, char **ret);

/* A list of words, one or more on a line, with those of @drivers that it lacks. 1 or 0. */
int words_with_drivers(const char *text, const struct strlist *drivers, char **ret);

/* booster.init.yaml with the modules (names) that @modules need. Same values as above. */
struct booster_module {
    const char *name;
    struct strlist needs; /* names */
};
int booster_with_modules(const char *text, const struct booster_module *modules, size_t n,
                         char **ret);

#endif
