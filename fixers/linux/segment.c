/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/linux/segment.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/cpio_write.h"

#define SEGMENT_MAX (256U << 20)

void segment_done(struct segment *segment)
{
    for (size_t i = 0; i < segment->n; i++) {
        free(segment->files[i].name);
        free(segment->files[i].data);
    }
    free(segment->files);
    *segment = (struct segment){ 0 };
}

void segment_add_mode(struct segment *segment, const char *name, char *data, size_t len,
                      uint32_t mode)
{
    struct segment_file *file = mem_add(&segment->files, &segment->n, sizeof(*file));

    *file =
        (struct segment_file){ .name = mem_strdup(name), .data = data, .len = len, .mode = mode };
}

void segment_add(struct segment *segment, const char *name, char *data, size_t len)
{
    segment_add_mode(segment, name, data, len, 0644);
}

static int compare_names(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;

    return strcmp(*left, *right);
}

/* Does the archive hold @name, as a folder or as a link that must stay? */
static bool is_in_archive(const struct initramfs *found, const char *name)
{
    size_t len = strlen(name);

    if (found->names.n > 0 && bsearch(&name, found->names.items, found->names.n,
                                      sizeof(*found->names.items), compare_names))
        return true;
    for (size_t i = 0; i < found->links.n; i++)
        if (strncmp(found->links.items[i], name, len) == 0 &&
            strncmp(found->links.items[i] + len, " -> ", 4) == 0)
            return true;
    return false;
}

static void write_parents(struct cpio_writer *writer, const struct initramfs *found,
                          const char *name, struct strlist *made)
{
    CLEANUP_FREE char *folder = mem_strdup(name);

    for (char *slash = strchr(folder, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (!is_in_archive(found, folder) && !strlist_has(made, folder)) {
            strlist_add(made, folder);
            cpio_write_dir(writer, folder);
        }
        *slash = '/';
    }
}

static int by_name(const void *a, const void *b)
{
    const struct segment_file *left = a, *right = b;

    return strcmp(left->name, right->name);
}

int segment_build(struct segment *segment, const struct initramfs *found, uint64_t size,
                  struct strbuf *ret)
{
    CLEANUP_CPIO_WRITER struct cpio_writer writer;
    CLEANUP_STRLIST struct strlist made = { 0 };
    size_t total = 0;

    cpio_write_init(&writer);
    for (size_t i = 0; i < segment->n; i++) {
        total += segment->files[i].len;
        if (total > SEGMENT_MAX)
            return -EFBIG;
    }
    if (segment->n > 0)
        qsort(segment->files, segment->n, sizeof(*segment->files), by_name);
    /* the archive's own alignment counts from its first byte: the padding ends at a multiple */
    for (size_t i = 0; i < segment->n; i++) {
        const struct segment_file *file = &segment->files[i];

        write_parents(&writer, found, file->name, &made);
        cpio_write_file(&writer, file->name, file->mode, file->data, (uint32_t)file->len);
    }
    cpio_write_end(&writer);
    strbuf_reserve(ret, segment_padding(size) + writer.out.len);
    for (unsigned n = segment_padding(size); n > 0; n--)
        strbuf_putc(ret, '\0');
    strbuf_add(ret, writer.out.data, writer.out.len);
    return 0;
}

char *segment_modules_prefix(const struct initramfs *found, const char *version)
{
    const char *slash;

    if (!found->modules_prefix)
        return mem_printf("%slib/modules/%s",
                          is_in_archive(found, "usr/lib") && is_in_archive(found, "lib") &&
                                  !strlist_has(&found->names, "lib")
                              ? "usr/"
                              : "",
                          version);
    slash = strrchr(found->modules_prefix, '/');
    return mem_printf("%.*s/%s", (int)(slash - found->modules_prefix), found->modules_prefix,
                      version);
}
