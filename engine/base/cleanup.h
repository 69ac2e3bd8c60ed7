/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Function-long lifetimes: variables that release themselves at the end of their scope.
 *
 *     CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
 *     CLEANUP_FREE char *text = NULL;
 *
 * What outlives the function is handed on with TAKE() or TAKE_FD(); kernel objects belong on the
 * session's undo stack instead (engine/base/undo.h).
 */
#ifndef H2K_ENGINE_BASE_CLEANUP_H
#define H2K_ENGINE_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define CLEANUP(fn) __attribute__((cleanup(fn)))
#define CLEANUP_FREE CLEANUP(cleanup_free)
#define CLEANUP_FD CLEANUP(cleanup_fd)
#define CLEANUP_FILE CLEANUP(cleanup_file)
#define CLEANUP_DIR CLEANUP(cleanup_dir)

/* Move ownership out of a CLEANUP variable: yields the pointer and leaves NULL behind. */
#define TAKE(ptr)                                                                                  \
    __extension__({                                                                                \
        __typeof__(ptr) taken_ = (ptr);                                                            \
        (ptr) = NULL;                                                                              \
        taken_;                                                                                    \
    })

/* The same for a file descriptor; leaves -1 behind. */
#define TAKE_FD(fd)                                                                                \
    __extension__({                                                                                \
        int taken_ = (fd);                                                                         \
        (fd) = -1;                                                                                 \
        taken_;                                                                                    \
    })

static inline void cleanup_free(void *ptr)
{
    free(*(void **)ptr);
}

static inline void cleanup_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static inline void cleanup_file(FILE **file)
{
    if (*file)
        (void)fclose(*file);
}

static inline void cleanup_dir(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

#endif
