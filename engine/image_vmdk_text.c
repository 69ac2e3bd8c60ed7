/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * VMDK descriptors. Facts: VMware's "Virtual Disk Format 5.0"; what qemu makes of each line:
 * QEMU's block/vmdk.c. qemu leaves out extents whose line it does not like without a word, and
 * takes any mention of parentFileNameHint for a parent, so both are refused here.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/image_vmdk.h"

#define LINES_MAX 20000U
#define PARENT_KEY "parentFileNameHint"

static const struct {
    const char *name;
    bool is_text;
    const char *refused; /* NULL: fine */
} types[] = {
    { "monolithicSparse", false, NULL },
    { "streamOptimized", false, NULL },
    { "monolithicFlat", true, NULL },
    { "twoGbMaxExtentSparse", true, NULL },
    { "twoGbMaxExtentFlat", true, NULL },
    { "vmfs", true, NULL },
    { "vmfsSparse", true, NULL },
    { "seSparse", true, NULL },
    { "vmfsThin", true, "is not read by qemu: clone it with vmkfstools" },
    { "custom", true, "is not read by qemu: convert it with vmware-vdiskmanager" },
    { "fullDevice", true, "is a physical disk of the host" },
    { "partitionedDevice", true, "is a physical disk of the host" },
    { "vmfsRaw", true, "is a physical disk of the host" },
    { "vmfsRDM", true, "is a physical disk of the host" },
    { "vmfsRDMP", true, "is a physical disk of the host" },
    { "vmfsRawDeviceMap", true, "is a physical disk of the host" },
    { "vmfsPassthroughRawDeviceMap", true, "is a physical disk of the host" },
};

static const struct {
    const char *name;
    enum image_extent_kind kind;
    bool needs_offset;
} extent_types[] = {
    { "FLAT", EXTENT_FLAT, true },           { "VMFS", EXTENT_FLAT, false },
    { "SPARSE", EXTENT_SPARSE, false },      { "VMFSSPARSE", EXTENT_COWD, false },
    { "SESPARSE", EXTENT_SE_SPARSE, false },
};

/* One line, trimmed. */
struct line {
    const char *text;
    size_t len;
};

static bool is_space(char c)
{
    return isspace((unsigned char)c) != 0;
}

static struct line trim(const char *text, size_t len)
{
    while (len > 0 && is_space(text[0])) {
        text++;
        len--;
    }
    while (len > 0 && is_space(text[len - 1]))
        len--;
    return (struct line){ text, len };
}

/* The next word of @line, which is shortened by it; empty at the end. */
static struct line word(struct line *line)
{
    struct line rest = trim(line->text, line->len);
    size_t n = 0;

    while (n < rest.len && !is_space(rest.text[n]))
        n++;
    *line = trim(rest.text + n, rest.len - n);
    return (struct line){ rest.text, n };
}

static bool is(struct line line, const char *text)
{
    return line.len == strlen(text) && memcmp(line.text, text, line.len) == 0;
}

static int number(struct line line, uint64_t max, uint64_t *ret)
{
    char text[24];

    if (line.len == 0 || line.len >= sizeof(text))
        return -EINVAL;
    memcpy(text, line.text, line.len);
    text[line.len] = '\0';
    return io_parse_u64(text, max, ret);
}

static int bad_line(struct line line, const char *why, struct err *err)
{
    char shown[80];

    image_printable(shown, sizeof(shown), line.text, line.len);
    return err_status(err, STATUS_FAILED, "%s in the VMDK descriptor: %s", why, shown);
}

/* "name" in quotes at the start of @line, which is shortened by it. */
static int quoted(struct line *line, struct line *ret)
{
    const char *end =
        line->len > 0 && line->text[0] == '"' ? memchr(line->text + 1, '"', line->len - 1) : NULL;

    if (!end || end == line->text + 1)
        return -EINVAL;
    *ret = (struct line){ line->text + 1, (size_t)(end - line->text) - 1 };
    for (size_t i = 0; i < ret->len; i++)
        if ((unsigned char)ret->text[i] < ' ' || ret->text[i] == 0x7f)
            return -EINVAL;
    *line = trim(end + 1, line->len - ret->len - 2);
    return 0;
}

/* RW 4192256 FLAT "name.vmdk" 0: access, sectors, type, file, first sector in the file. */
static int parse_extent(struct line line, struct image_scan *scan, struct err *err)
{
    struct line whole = line, access = word(&line), sectors = word(&line), type = word(&line);
    struct line name = { 0 };
    struct image_extent *extent;
    uint64_t n = 0, offset = 0;
    size_t row = 0;

    if (!is(access, "RW"))
        return bad_line(whole, "extent that qemu would leave out", err);
    while (row < ARRAY_SIZE(extent_types) && !is(type, extent_types[row].name))
        row++;
    if (row == ARRAY_SIZE(extent_types))
        return bad_line(whole, "extent of a kind that qemu would leave out", err);
    if (number(sectors, IMAGE_SIZE_MAX / 512, &n) < 0 || n == 0 || quoted(&line, &name) < 0)
        return bad_line(whole, "damaged extent", err);
    if (line.len > 0 || extent_types[row].needs_offset) {
        if (number(word(&line), IMAGE_SIZE_MAX / 512, &offset) < 0 || line.len > 0)
            return bad_line(whole, "damaged extent", err);
    }
    if (!scan)
        return 0;
    if (scan->n_extents >= IMAGE_EXTENTS_MAX)
        return err_status(err, STATUS_FAILED, "more than %u extents", IMAGE_EXTENTS_MAX);
    extent = mem_add(&scan->extents, &scan->n_extents, sizeof(*extent));
    *extent = (struct image_extent){ .kind = extent_types[row].kind,
                                     .name = mem_strndup(name.text, name.len),
                                     .size_bytes = n * 512,
                                     .offset_bytes = offset * 512 };
    scan->size_bytes += n * 512;
    if (scan->size_bytes > IMAGE_SIZE_MAX)
        return err_status(err, STATUS_FAILED, "damaged: disk of %" PRIu64 " bytes",
                          scan->size_bytes);
    return 0;
}

static int parse_type(struct line value, struct vmdk_descriptor *ret, struct err *err)
{
    struct line name;

    if (quoted(&value, &name) < 0)
        return bad_line(value, "damaged createType", err);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (!is(name, types[i].name))
            continue;
        if (types[i].refused)
            return err_status(err, STATUS_REFUSED, "VMDK of type %s: it %s", types[i].name,
                              types[i].refused);
        ret->type = types[i].name;
        ret->is_text = types[i].is_text;
        return 0;
    }
    return bad_line(name, "createType that is not known", err);
}

static int parse_key(struct line line, struct vmdk_descriptor *ret, struct err *err)
{
    const char *equals = memchr(line.text, '=', line.len);
    struct line key, value;

    if (!equals)
        return bad_line(line, "unknown line", err);
    key = trim(line.text, (size_t)(equals - line.text));
    value = trim(equals + 1, line.len - (size_t)(equals - line.text) - 1);
    if (is(key, "createType"))
        return parse_type(value, ret, err);
    if (is(key, "parentCID")) {
        if (value.len == 8 && strncasecmp(value.text, "ffffffff", 8) == 0)
            return 0;
        return err_status(
            err, STATUS_REFUSED,
            "is a snapshot child (parentCID is set): consolidate the snapshots on the "
            "host or clone the disk first");
    }
    /* what else is told (ddb.*, CID, encoding ...) means nothing to qemu */
    for (size_t i = 0; i < key.len; i++)
        if (!isalnum((unsigned char)key.text[i]) && !strchr("._-", key.text[i]))
            return bad_line(line, "unknown line", err);
    return key.len > 0 ? 0 : bad_line(line, "unknown line", err);
}

bool vmdk_names_parent(const char *text, size_t len, char *name, size_t room)
{
    const char *key = memmem(text, len, PARENT_KEY, strlen(PARENT_KEY));
    const char *start, *end;
    size_t left;

    if (!key)
        return false;
    left = len - (size_t)(key - text);
    end = memchr(key, '\n', left);
    if (end)
        left = (size_t)(end - key);
    start = memchr(key, '"', left);
    end = start ? memchr(start + 1, '"', left - (size_t)(start - key) - 1) : NULL;
    image_printable(name, room, end ? start + 1 : "?", end ? (size_t)(end - start) - 1 : 1);
    return true;
}

static bool is_extent(struct line line)
{
    struct line first = word(&line);

    return is(first, "RW") || is(first, "RDONLY") || is(first, "NOACCESS");
}

int vmdk_parse(const char *text, size_t len, struct image_scan *scan, struct vmdk_descriptor *ret,
               struct err *err)
{
    char parent[128];
    unsigned n_lines = 0;

    len = strnlen(text, len);
    if (vmdk_names_parent(text, len, parent, sizeof(parent)))
        return err_status(
            err, STATUS_REFUSED,
            "is a snapshot child of %s: consolidate the snapshots on the host or clone "
            "the disk first",
            parent);
    *ret = (struct vmdk_descriptor){ 0 };
    for (size_t at = 0; at < len; n_lines++) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t n = end ? (size_t)(end - (text + at)) : len - at;
        struct line line = trim(text + at, n);

        at += n + 1;
        if (n_lines >= LINES_MAX)
            return err_status(err, STATUS_FAILED, "VMDK descriptor of more than %u lines",
                              LINES_MAX);
        if (line.len == 0 || line.text[0] == '#')
            continue;
        if ((is_extent(line) ? parse_extent(line, scan, err) : parse_key(line, ret, err)) < 0)
            return -err->code;
    }
    if (!ret->type)
        return err_status(err, STATUS_FAILED, "damaged: no createType in the VMDK descriptor");
    return 0;
}
