/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/dmdev.h"
#include "storage/peek.h"

const char *volume_kind_name(enum volume_kind kind)
{
    switch (kind) {
    case VOLUME_DISK:
        return "disk";
    case VOLUME_PARTITION:
        return "partition";
    case VOLUME_LOGICAL:
        return "lv";
    case VOLUME_CRYPT:
        return "crypt";
    case VOLUME_MD:
        return "md";
    case VOLUME_LDM:
        return "ldm";
    }
    return "volume";
}

int volume_fd(const struct volume *volume, uint64_t *ret_offset)
{
    *ret_offset = volume->offset;
    return volume->fd >= 0 ? volume->fd : volume->disk->fd;
}

int volume_read(const struct volume *volume, uint64_t at, void *buf, size_t len)
{
    uint64_t offset;
    int fd = volume_fd(volume, &offset);

    if (volume->inactive && !volume->peek)
        return -ENODEV;
    if (at > volume->size_bytes || len > volume->size_bytes - at)
        return -EIO;
    if (volume->peek)
        return peek_read(volume->peek, at, buf, len);
    return io_pread_full(fd, buf, len, offset + at);
}

const char *volume_not_opened(const struct volume *volume, enum err_status *ret_status)
{
    *ret_status = volume->problem_status;
    if (volume->problem[0] != '\0')
        return volume->problem;
    *ret_status = STATUS_HOST;
    if (!volume->handled &&
        (strcmp(volume->use, "raid") == 0 || strcmp(volume->use, "crypto") == 0))
        return volume->inactive ? "it lies on what cannot be opened here"
                                : "this version of h2k does not open it";
    return NULL;
}

const char *volume_layer(const struct stack *stack, const struct volume *volume)
{
    static const struct {
        const char *type, *layer;
    } layers[] = {
        { "linux_raid_member", "md" }, { "LVM2_member", "lvm" }, { "crypto_LUKS", "luks" },
        { "BitLocker", "bitlocker" },  { "ldm_member", "ldm" },
    };
    const struct volume *of = volume;
    const char *type;

    /* what lies on something inactive shares its fate */
    while (of->inactive && of->n_parents && stack->volumes[of->parents[0]].inactive)
        of = &stack->volumes[of->parents[0]];
    type = of->inactive && of->n_parents ? stack->volumes[of->parents[0]].fstype : of->fstype;
    for (size_t i = 0; i < ARRAY_SIZE(layers); i++)
        if (strcmp(layers[i].type, type) == 0)
            return layers[i].layer;
    return type[0] != '\0' ? type : "raid"; /* of firmware: libblkid is not asked for it */
}

static void set_text(char **field, enum err_status *field_status, enum err_status status,
                     const char *text)
{
    if ((*field)[0] != '\0')
        return;
    free(*field);
    *field = mem_strdup(text);
    *field_status = status;
}

void volume_set_problem(struct volume *volume, enum err_status status, const char *text)
{
    set_text(&volume->problem, &volume->problem_status, status, text);
}

void volume_set_read_only(struct volume *volume, enum err_status status, const char *text)
{
    set_text(&volume->read_only, &volume->read_only_status, status, text);
}

/* Of a block device that is open. */
static int device_number(int fd, dev_t *ret, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0 || !S_ISBLK(st.st_mode))
        return err_set(err, ENOTBLK, "look at a device");
    *ret = st.st_rdev;
    return 0;
}

/* LVM's label lies in the sectors 0 to 3, the superblock of md in 0 or 8. */
#define HIDDEN_SECTORS 16U

static struct volume *whole_disk(struct stack *stack, const struct disk *disk)
{
    struct volume *whole = stack->volumes;

    while (whole->disk != disk || whole->kind != VOLUME_DISK)
        whole++;
    return whole;
}

/* The disk from sector @skip on; the volume of the disk keeps the node. */
static int disk_number(struct stack *stack, struct disk *disk, unsigned skip, dev_t *ret,
                       struct err *err)
{
    struct volume *whole = whole_disk(stack, disk);
    const char *node = whole->inner_node;
    struct stat st;
    int r = 0;

    if (skip == 0)
        r = volume_node(stack, whole, &node, err);
    else if (!whole->inner_node)
        r = disk_map(stack->session, disk, skip * 512ULL, disk->size_bytes - skip * 512ULL,
                     &whole->inner_node, err);
    if (r < 0)
        return r;
    if (skip > 0)
        node = whole->inner_node;
    if (!node || stat(node, &st) < 0)
        return err_set(err, errno, "stat the device of %s", whole->name);
    *ret = st.st_rdev;
    return 0;
}

int volume_address(struct stack *stack, struct volume *volume, uint64_t first, dev_t *ret_device,
                   uint64_t *ret_sector, struct err *err)
{
    unsigned skip = 0;

    if (volume->inactive)
        return err_status(err, volume->problem_status, "%s: %s", volume->name, volume->problem);
    *ret_sector = volume->offset / 512 + first;
    if (volume->fd >= 0)
        return device_number(volume->fd, ret_device, err);
    /* a backend's own device shows the whole disk in any case */
    if (!volume->disk->node && *ret_sector >= HIDDEN_SECTORS)
        skip = HIDDEN_SECTORS;
    *ret_sector -= skip;
    return disk_number(stack, volume->disk, skip, ret_device, err);
}

/* A device for a part of another device of ours. */
static int map_part(struct stack *stack, struct volume *volume, struct err *err)
{
    CLEANUP_FREE char *params = NULL;
    struct dmdev_row row = { .len = volume->size_bytes / 512, .target = "linear" };
    struct dmdev_opts opts = {
        .rows = &row,
        .n_rows = 1,
        .read_only = volume->disk->read_only || volume->read_only[0] != '\0',
    };
    dev_t device = 0;
    int r = device_number(volume->fd, &device, err);

    if (r < 0)
        return r;
    params = mem_printf("%u:%u %llu", major(device), minor(device),
                        (unsigned long long)volume->offset / 512);
    row.params = params;
    return dmdev_make(stack->session, &opts, &volume->node, NULL, err);
}

int volume_node(struct stack *stack, struct volume *volume, const char **ret_node, struct err *err)
{
    uint64_t len = volume->kind == VOLUME_DISK ? 0 : volume->size_bytes;
    int r = 0;

    if (volume->inactive)
        return err_status(err, volume->problem_status, "%s: %s", volume->name, volume->problem);
    if (!volume->node && volume->fd >= 0)
        r = map_part(stack, volume, err);
    else if (!volume->node)
        r = disk_map(stack->session, volume->disk, volume->offset, len, &volume->node, err);
    if (r < 0)
        return err_wrap(err, "make a device for %s", volume->name);
    *ret_node = volume->node;
    return 0;
}

int volume_patch(struct stack *stack, struct volume *volume, const struct patch *patch,
                 struct err *err)
{
    CLEANUP_FREE char *there = mem_alloc(patch->len);
    CLEANUP_FD int fd = -1;
    const char *node = NULL;
    int r;

    if (volume->read_only[0] != '\0')
        return err_status(err, volume->read_only_status, "%s: %s", volume->name, volume->read_only);
    if (patch->at > volume->size_bytes || patch->len > volume->size_bytes - patch->at)
        return err_set(err, EIO, "write beyond the end of %s", volume->name);
    r = volume_node(stack, volume, &node, err);
    if (r < 0 || !node)
        return r;
    fd = open(node, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, errno, "open %s for writing", volume->name);
    r = io_pread_full(fd, there, patch->len, patch->at);
    if (r < 0)
        return err_set(err, -r, "read %s", volume->name);
    if (memcmp(there, patch->old, patch->len) != 0)
        return err_set(err, ESTALE, "%s has changed at byte %llu since it was looked at",
                       volume->name, (unsigned long long)patch->at);
    r = io_pwrite_full(fd, patch->bytes, patch->len, patch->at);
    if (r < 0 || fsync(fd) < 0)
        return err_set(err, r < 0 ? -r : errno, "write to %s", volume->name);
    return 0;
}
