/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files guest*.c that write share: a folder that was opened confined, and a name in it.
 * From there on only names without a slash are used, never followed, so that nothing renamed
 * meanwhile leads elsewhere. */
#ifndef H2K_ENGINE_GUEST_PLACE_H
#define H2K_ENGINE_GUEST_PLACE_H

#include <limits.h>
#include <sys/stat.h>

#include "engine/guest.h"

/* A folder and a name in it. */
struct place {
    int dir;      /* O_PATH */
    char *folder; /* its path in the guest */
    char name[NAME_MAX + 1];
};

#define PLACE_NONE                                                                                 \
    {                                                                                              \
        .dir = -1                                                                                  \
    }
#define CLEANUP_PLACE __attribute__((cleanup(place_done)))

void place_done(const struct place *place);

/* Where @path is, or would be; of a root that ignores case as it is spelled there. */
int place_find(const struct guest_root *root, const char *path, struct place *ret, struct err *err);

/* As place_find(), and a link found there is followed, inside the guest. */
int place_find_file(const struct guest_root *root, const char *path, struct place *ret,
                    struct err *err);

/* The regular file at @place, open for reading; *ret_fd stays as it is when there is none. @path
 * is for messages here and below. */
int place_open_old(const struct place *place, const char *path, int *ret_fd, struct stat *ret_st,
                   struct err *err);

/* A name nobody uses: the kernel's O_EXCL and our 64 random bits see to it. */
void place_temp_name(char name[NAME_MAX + 1]);

/* The SELinux label of what is made there; @name is what it is called for now. */
int place_label(const struct guest_root *root, const struct place *place, const char *name,
                const char *path, struct err *err);

int place_sync(const struct place *place, const char *path, struct err *err);

/* "@what @path". A full file system of the guest is not the host's lack of space: trying again will
 * not help. */
int guest_write_error(struct err *err, int code, const char *what, const char *path);

#endif
