/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Free space of the folders that a job writes to, looked at before it starts. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "fixers/job_stage.h"

/* What repairs write: initramfs segments, configuration, metadata of overlays. */
#define OVERLAY_BYTES (UINT64_C(192) << 20)

#define MIB(bytes) (((bytes) + (1U << 20) - 1) >> 20)

struct need {
    const char *what, *option;
    char *folder;
    uint64_t bytes;
    dev_t dev;
};

static int look(struct need *need, uint64_t *ret_free, struct err *err)
{
    struct statvfs vfs;
    struct stat st;

    if (statvfs(need->folder, &vfs) < 0 || stat(need->folder, &st) < 0)
        return err_set(err, errno, "look at the %s folder %s", need->what, need->folder);
    need->dev = st.st_dev;
    *ret_free = (uint64_t)vfs.f_bavail * vfs.f_frsize;
    return 0;
}

static int check_needs(struct need *needs, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t has = 0, wants = needs[i].bytes;
        int r = look(&needs[i], &has, err);

        if (r < 0)
            return r;
        for (size_t j = 0; j < i; j++)
            if (needs[j].dev == needs[i].dev)
                wants += needs[j].bytes;
        if (has < wants)
            return err_status(err, STATUS_TEMPORARY,
                              "the %s folder %s has %" PRIu64 " MiB free, but up to %" PRIu64
                              " MiB are needed: free some or choose another with %s",
                              needs[i].what, needs[i].folder, MIB(has), MIB(wants),
                              needs[i].option);
    }
    return 0;
}

int space_check(const struct job *job, struct err *err)
{
    const char *tmp = getenv("TMPDIR");
    const char *work = job->opts->work_dir ? job->opts->work_dir : tmp && *tmp ? tmp : "/var/tmp";
    const char *target = job->targets.items[0];
    CLEANUP_FREE char *work_folder = mem_strdup(work);
    CLEANUP_FREE char *folder = mem_strndup(target, (size_t)(strrchr(target, '/') - target) + 1);
    struct need needs[2] = {
        { .what = "work", .option = "--work-dir", .folder = work_folder },
        { .what = "output", .option = "--output-dir", .folder = folder },
    };

    for (size_t i = 0; i < job->opts->n_sources; i++) {
        /* in place: the overlay lies beside the source, which may grow by as much */
        if (job->goal == JOB_FIX)
            needs[job->opts->in_place ? 1 : 0].bytes += OVERLAY_BYTES;
        if (job->opts->in_place)
            needs[1].bytes += OVERLAY_BYTES;
        else /* how well it compresses is not known, but most likely as well as it did */
            needs[1].bytes += job->opts->compress ? image_allocated_bytes(job->images[i])
                                                  : image_data_bytes(job->images[i]);
    }
    return check_needs(needs, ARRAY_SIZE(needs), err);
}
