/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of an initramfs with what is in them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/base/strbuf.h"
#include "inspect/initramfs.h"
#include "inspect/initramfs_walker.h"

#define CONTENT_MAX (64U << 20)

/* A name of a file whose content comes with a later name of the same file. */
struct hard_link {
    char *name;
    uint32_t mode, ino, major, minor;
    uint64_t archive;
};

struct contents {
    struct initramfs_walker walker;
    initramfs_want_fn want;
    initramfs_entry_fn fn;
    void *arg;
    struct hard_link current; /* the entry that is being read */
    struct strbuf data;
    struct hard_link *waiting;
    size_t n_waiting, kept;
};

static void contents_done(struct contents *contents)
{
    for (size_t i = 0; i < contents->n_waiting; i++)
        free(contents->waiting[i].name);
    free(contents->waiting);
    free(contents->current.name);
    strbuf_done(&contents->data);
}

static int contents_entry(void *arg, const struct cpio_entry *entry)
{
    struct contents *contents = arg;
    const char *name = initramfs_plain_name(entry->name);

    if (!contents->want(contents->arg, name, entry->mode))
        return 0;
    if (entry->size > CONTENT_MAX)
        return err_set(contents->walker.err, EFBIG, "%s in the initramfs", name);
    free(contents->current.name);
    contents->current = (struct hard_link){
        .name = mem_strdup(name),
        .mode = entry->mode,
        .ino = entry->ino,
        .major = entry->major,
        .minor = entry->minor,
        .archive = contents->walker.cpio.n_archives,
    };
    contents->data.len = 0;
    if (!S_ISREG(entry->mode) || entry->nlink < 2 || entry->size > 0)
        return 1;
    contents->kept += strlen(name) + sizeof(struct hard_link);
    if (contents->kept > INITRAMFS_NAMES_MAX)
        return err_set(contents->walker.err, EFBIG, "the initramfs has too many hard links");
    *(struct hard_link *)mem_add(&contents->waiting, &contents->n_waiting,
                                 sizeof(struct hard_link)) = contents->current;
    contents->current.name = NULL;
    return 0;
}

static int contents_data(void *arg, const uint8_t *data, size_t len)
{
    struct contents *contents = arg;

    strbuf_add(&contents->data, data, len);
    return 0;
}

static int hand_on(struct contents *contents, const char *name)
{
    int r = contents->fn(contents->arg, name, contents->current.mode, strbuf_text(&contents->data),
                         contents->data.len);

    if (r < 0 && contents->walker.err->code == 0)
        return err_set(contents->walker.err, -r, "%s in the initramfs", name);
    return r < 0 ? r : 0;
}

static int contents_end(void *arg)
{
    struct contents *contents = arg;
    const struct hard_link *file = &contents->current;
    int r = 0;

    for (size_t i = 0; r >= 0 && i < contents->n_waiting && S_ISREG(file->mode); i++) {
        const struct hard_link *link = &contents->waiting[i];

        if (link->ino == file->ino && link->major == file->major && link->minor == file->minor &&
            link->archive == file->archive)
            r = hand_on(contents, link->name);
    }
    return r < 0 ? r : hand_on(contents, file->name);
}

int initramfs_walk(int fd, uint64_t size, initramfs_want_fn want, initramfs_entry_fn fn, void *arg,
                   struct err *err)
{
    CLEANUP(contents_done)
    struct contents contents = {
        .walker = { .fd = fd, .size = size, .err = err },
        .want = want,
        .fn = fn,
        .arg = arg,
    };
    struct cpio_sink sink = { contents_entry, contents_data, contents_end, &contents };

    err_clear(err);
    return initramfs_walk_segments(&contents.walker, &sink);
}
