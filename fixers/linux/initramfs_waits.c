/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Devices that dracut's host-only archives wait for (dracut-dev-lib.sh, wait_for_dev()): a file
 * among the initqueue's conditions for each, and a timeout of its unit that never comes. What is
 * there for a device that is gone, or has a name of the old hardware, is replaced: the root's own
 * device is not among them (root= says it), and what mounts the others waits for them itself.
 */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/boot_args.h"
#include "fixers/linux/devnames.h"
#include "fixers/linux/initramfs_kinds.h"

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c) : NULL;

    return at ? (int)(at - digits) : -1;
}

/* The byte that "\xHH" stands for; 0: it is no such escape. */
static int escaped_byte(const char *text, size_t len)
{
    if (len < 4 || text[0] != '\\' || text[1] != 'x' || hex_digit(text[2]) < 0 ||
        hex_digit(text[3]) < 0)
        return 0;
    return hex_digit(text[2]) * 16 + hex_digit(text[3]);
}

/* "\x2fdev\x2fsda1" -> "/dev/sda1"; of units '-' is '/' as well. Free it. */
static char *unescape(const char *text, size_t len, bool is_unit)
{
    struct strbuf out = { 0 };

    if (is_unit)
        strbuf_putc(&out, '/');
    for (size_t i = 0; i < len; i++) {
        int byte = escaped_byte(text + i, len - i);

        if (byte) {
            strbuf_printf(&out, "%c", byte);
            i += 3;
        } else if (is_unit && text[i] == '-') {
            strbuf_putc(&out, '/');
        } else {
            strbuf_putc(&out, text[i]);
        }
    }
    return strbuf_take(&out);
}

static const struct {
    const char *pattern;
    const char *before, *after; /* of the device's name in the file's */
    bool is_unit;
    const char *text; /* that does not wait */
} waits[] = {
    { "*dracut/hooks/initqueue/finished/devexists-*.sh", "/devexists-", ".sh", false, ":\n" },
    { "etc/systemd/system/*.device.d/timeout.conf", "/system/", ".device.d/timeout.conf", true,
      "[Unit]\nJobTimeoutSec=1\nJobRunningTimeoutSec=1\n" },
};

/* The device that the file waits for; NULL: it is none of waits[i]. Free it. */
static char *device_of(const char *name, size_t i)
{
    const char *start = strstr(name, waits[i].before);
    size_t end = strlen(name) - strlen(waits[i].after);

    if (fnmatch(waits[i].pattern, name, 0) != 0 || !start)
        return NULL;
    start += strlen(waits[i].before);
    return start < name + end ? unescape(start, (size_t)(name + end - start), waits[i].is_unit)
                              : NULL;
}

void work_end_waits(struct initramfs_work *work)
{
    for (size_t f = 0; f < work->found->n_kept; f++) {
        const struct initramfs_file *file = &work->found->kept[f];

        for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
            CLEANUP_FREE char *device = device_of(file->name, i);

            if (!device || initramfs_kept(work->found, file->name) != file ||
                strcmp(file->data, waits[i].text) == 0 ||
                (!devname_changes(device) && !resume_is_gone(work->ctx->facts, device)))
                continue;
            segment_add(&work->segment, file->name, mem_strdup(waits[i].text),
                        strlen(waits[i].text));
            if (!strlist_has(&work->gone, device))
                strlist_take(&work->gone, TAKE(device));
        }
    }
}
