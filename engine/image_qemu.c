/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The image's graph in qemu's two languages: option strings and JSON. */
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/strbuf.h"
#include "engine/image.h"

static const char *protocol(const struct image *image)
{
    return image->is_device ? "host_device" : "file";
}

/* "driver=file,filename=..." below the node that @prefix and @name lead to. */
static void put_file_opts(struct strbuf *buf, const char *prefix, const char *name,
                          const char *driver, const char *path)
{
    strbuf_printf(buf, ",%s%s.driver=%s,%s%s.filename=", prefix, name, driver, prefix, name);
    for (const char *c = path; *c; c++) {
        if (*c == ',')
            strbuf_putc(buf, ',');
        strbuf_putc(buf, *c);
    }
}

char *image_qemu_opts(const struct image *image)
{
    struct strbuf buf = { 0 };
    struct strbuf prefix = { 0 };

    for (; image; image = image->backing) {
        const char *p = strbuf_text(&prefix);

        strbuf_printf(&buf, "%s%sdriver=%s,%sread-only=on", buf.len ? "," : "", p, image->format,
                      p);
        if (image->replayed) {
            strbuf_printf(&buf, ",%sfile.driver=qcow2", p);
            put_file_opts(&buf, p, "file.file", "file", image->replayed);
            put_file_opts(&buf, p, "file.backing", protocol(image), image->path);
        } else {
            put_file_opts(&buf, p, "file", protocol(image), image->path);
        }
        strbuf_puts(&prefix, "backing.");
    }
    strbuf_done(&prefix);
    return strbuf_take(&buf);
}

static void put_json_string(struct strbuf *buf, const char *text)
{
    strbuf_putc(buf, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            strbuf_printf(buf, "\\%c", c);
        else if (c < ' ')
            strbuf_printf(buf, "\\u%04x", c);
        else
            strbuf_putc(buf, *text);
    }
    strbuf_putc(buf, '"');
}

static void put_file_json(struct strbuf *buf, const char *driver, const char *path)
{
    strbuf_printf(buf, "{\"driver\":\"%s\",\"filename\":", driver);
    put_json_string(buf, path);
    strbuf_putc(buf, '}');
}

char *image_qemu_json(const struct image *image)
{
    struct strbuf buf = { 0 };
    unsigned depth = 0;

    for (; image; image = image->backing) {
        strbuf_printf(&buf, "{\"driver\":\"%s\",\"read-only\":true,\"file\":", image->format);
        if (image->replayed) {
            strbuf_puts(&buf, "{\"driver\":\"qcow2\",\"file\":");
            put_file_json(&buf, "file", image->replayed);
            strbuf_puts(&buf, ",\"backing\":");
            put_file_json(&buf, protocol(image), image->path);
            strbuf_putc(&buf, '}');
        } else {
            put_file_json(&buf, protocol(image), image->path);
        }
        depth++;
        if (image->backing)
            strbuf_puts(&buf, ",\"backing\":");
        else if (strcmp(image->format, "qcow2") == 0 || strcmp(image->format, "vmdk") == 0)
            strbuf_puts(&buf, ",\"backing\":null");
    }
    while (depth-- > 0)
        strbuf_putc(&buf, '}');
    return strbuf_take(&buf);
}
