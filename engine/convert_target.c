/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Targets: formats, the progress that qemu-img prints, final names. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/convert.h"

/*
 * zstd compresses the same guest eight times faster than qcow2's default to the same size;
 * qemu 5.1 and later read it. A streamOptimized VMDK is a stream: its grains must come in order.
 */
const struct convert_format convert_formats[] = {
    {
        .name = "qcow2",
        .suffix = ".qcow2",
        .can_compress = true,
        .compressed_options = "compression_type=zstd",
    },
    { .name = "raw", .suffix = ".raw" },
    { .name = "vdi", .suffix = ".vdi" },
    {
        .name = "vmdk",
        .suffix = ".vmdk",
        .can_compress = true,
        .options = "subformat=monolithicSparse",
        .compressed_options = "subformat=streamOptimized",
        .in_order_when_compressed = true,
        .finish = convert_vmdk_finish,
    },
    { .name = "vhdx", .suffix = ".vhdx" },
};
const size_t convert_n_formats = ARRAY_SIZE(convert_formats);

const struct convert_format *convert_format_find(const char *name)
{
    for (size_t i = 0; i < convert_n_formats; i++)
        if (strcmp(convert_formats[i].name, name) == 0)
            return &convert_formats[i];
    return NULL;
}

int convert_check(const struct convert_opts *opts, struct err *err)
{
    if (opts->compress && !opts->format->can_compress)
        return err_status(err, STATUS_USAGE,
                          "the format %s has no compression: leave --compress out, or use -O qcow2",
                          opts->format->name);
    return 0;
}

int convert_meter_feed(struct convert_meter *meter, const char *data, size_t len)
{
    int last = -1;

    for (size_t i = 0; i < len; i++) {
        char c = data[i];

        if (c == '(') {
            meter->inside = true;
            meter->len = 0;
        } else if (meter->inside && (c == '.' || (c >= '0' && c <= '9')) &&
                   meter->len < sizeof(meter->number) - 1) {
            meter->number[meter->len++] = c;
        } else if (meter->inside) {
            char *dot = NULL;
            unsigned long whole, part;

            meter->number[meter->len] = '\0';
            meter->inside = false;
            whole = strtoul(meter->number, &dot, 10);
            part = *dot == '.' ? strtoul(dot + 1, NULL, 10) : 100;
            if (c == '/' && whole <= 100 && part < 100)
                last = (int)(whole * 100 + part);
        }
    }
    return last;
}

/* ---- final names ---- */

int convert_publish(const char *temp, const char *target, bool replace, struct err *err)
{
    struct stat st;
    int r = renameat2(AT_FDCWD, temp, AT_FDCWD, target, RENAME_NOREPLACE);

    if (r < 0 && replace && lstat(target, &st) == 0 && !S_ISREG(st.st_mode))
        return err_status(err, STATUS_REFUSED, "%s is not a regular file now", target);
    if (r < 0 && replace && (errno == EEXIST || errno == EINVAL))
        r = renameat2(AT_FDCWD, temp, AT_FDCWD, target, RENAME_EXCHANGE);
    if (r < 0 && replace && (errno == ENOENT || errno == EINVAL))
        r = rename(temp, target);
    /* a file system without that flag: a hard link does not replace either */
    if (r < 0 && errno == EINVAL && !replace) {
        r = link(temp, target);
        if (r == 0)
            (void)unlink(temp);
    }
    if (r < 0 && errno == EEXIST)
        return err_status(err, STATUS_REFUSED,
                          "%s exists: choose another name or give --force to replace it", target);
    if (r < 0)
        return err_set(err, errno, "rename %s to %s", temp, target);
    r = io_sync_folder(target, err);
    if (r < 0)
        convert_unpublish(temp, target);
    return r;
}

void convert_unpublish(const char *temp, const char *target)
{
    if (renameat2(AT_FDCWD, target, AT_FDCWD, temp, RENAME_EXCHANGE) < 0 &&
        renameat2(AT_FDCWD, target, AT_FDCWD, temp, RENAME_NOREPLACE) < 0)
        (void)rename(target, temp);
}
