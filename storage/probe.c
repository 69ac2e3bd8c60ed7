/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/probe.h"

#include <errno.h>
#include <fcntl.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"

#define AMBIVALENT (-2) /* blkid_do_safeprobe(): several results that exclude each other */

blkid_probe probe_new(const struct volume *volume, uint64_t offset, uint64_t len,
                      unsigned sector_size, struct err *err)
{
    blkid_probe probe = blkid_new_probe();
    uint64_t start;
    int fd = volume_fd(volume, &start);

    if (!probe ||
        blkid_probe_set_device(probe, fd, (blkid_loff_t)(start + offset), (blkid_loff_t)len) != 0 ||
        blkid_probe_set_sectorsize(probe, sector_size) != 0) {
        (void)err_set(err, EIO, "read %s at byte %llu", volume->name, (unsigned long long)offset);
        blkid_free_probe(probe);
        return NULL;
    }
    return probe;
}

void probe_done(blkid_probe *probe)
{
    blkid_free_probe(*probe);
}

static char *value(blkid_probe probe, const char *name)
{
    const char *data = NULL;

    if (blkid_probe_lookup_value(probe, name, &data, NULL) != 0)
        data = "";
    return mem_strdup(data);
}

static void set(char **field, char *text)
{
    free(*field);
    *field = text;
}

static void log_all(blkid_probe probe, const char *name)
{
    (void)blkid_reset_probe(probe);
    while (blkid_do_probe(probe) == 0) {
        CLEANUP_FREE char *type = value(probe, "TYPE");

        log_debug("%s: signature of %s", name, type);
    }
}

/* Host adapters' own RAID does not exist below a hypervisor; looking for it costs a dozen reads at
 * the end of each volume, and stray bytes there would hide what the volume really is. */
static void skip_adapter_raid(blkid_probe probe)
{
    static char names[][32] = {
        "adaptec_raid_member",
        "ddf_raid_member",
        "hpt37x_raid_member",
        "hpt45x_raid_member",
        "isw_raid_member",
        "jmicron_raid_member",
        "lsi_mega_raid_member",
        "nvidia_raid_member",
        "promise_fasttrack_raid_member",
        "via_raid_member",
        "silicon_medley_raid_member",
    };
    char *list[ARRAY_SIZE(names) + 1] = { NULL };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        list[i] = names[i];
    (void)blkid_probe_filter_superblocks_type(probe, BLKID_FLTR_NOTIN, list);
}

/* The kernel takes no more than its window of one read, 128 KiB by default. */
#define AHEAD (128U << 10)
#define LABELS (512U << 10)

/* Both ends of a volume are read piece by piece, whole in the end: ZFS keeps four labels there. A
 * few requests to the block server instead of thirty. */
static void read_ends_ahead(const struct volume *volume)
{
    uint64_t start, last = volume->size_bytes > LABELS ? volume->size_bytes - LABELS : 0;
    int fd = volume_fd(volume, &start);

    for (uint64_t at = 0; at < LABELS; at += AHEAD) {
        (void)posix_fadvise(fd, (off_t)(start + at), AHEAD, POSIX_FADV_WILLNEED);
        (void)posix_fadvise(fd, (off_t)(start + last + at), AHEAD, POSIX_FADV_WILLNEED);
    }
}

int probe_content(struct volume *volume, struct err *err)
{
    CLEANUP_PROBE blkid_probe probe =
        probe_new(volume, 0, volume->size_bytes, volume->disk->sector_size, err);
    int r;

    if (!probe)
        return err_wrap(err, "look at %s", volume->name);
    read_ends_ahead(volume);
    (void)blkid_probe_enable_superblocks(probe, 1);
    (void)blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_LABEL | BLKID_SUBLKS_UUID |
                                                       BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE);
    skip_adapter_raid(probe);
    errno = 0;
    r = blkid_do_safeprobe(probe);
    if (r == AMBIVALENT) {
        log_all(probe, volume->name);
        set(&volume->use, mem_strdup("other"));
        set(&volume->fstype, mem_strdup("ambivalent"));
        return 0;
    }
    if (r < 0)
        return err_set(err, errno ? errno : EIO, "look at %s", volume->name);
    if (r == 1) /* nothing that libblkid knows */
        return 0;
    set(&volume->use, value(probe, "USAGE"));
    set(&volume->fstype, value(probe, "TYPE"));
    set(&volume->uuid, value(probe, "UUID"));
    set(&volume->label, value(probe, "LABEL"));
    return 0;
}
