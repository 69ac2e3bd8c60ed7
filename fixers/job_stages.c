/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From an image to a repaired overlay, and back to nothing attached. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/exec.h"
#include "engine/base/invoker.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/guest_labels.h"
#include "fixers/apply.h"
#include "fixers/job_stage.h"
#include "fixers/windows/drivers.h"
#include "inspect/fields.h"
#include "inspect/initramfs.h"
#include "storage/hibernation.h"

/* Is nothing written, not even to an overlay? */
static bool is_read_only(const struct job *job)
{
    return job->goal < JOB_PLAN || job->borrowed;
}

int stage_open(struct job *job, struct err *err)
{
    const struct job_opts *opts = job->opts;

    job->look = opts->inspect;
    job->look.read_only = is_read_only(job);
    job->look.with_packages =
        job->goal == JOB_INSPECT || opts->fix.remove_tools_now || opts->fix.inject.remove_tools;
    job->look.with_initrds = job->goal != JOB_OPEN;
    job->look.modules_only = job->goal == JOB_INSPECT;
    if (job->goal == JOB_FIX || job->goal == JOB_CONVERT) {
        int r = target_check_options(opts, err);

        if (r == 0 && opts->in_place)
            r = in_place_resume(job, err);
        if (r != 0)
            return r < 0 ? r : 0;
    }
    for (size_t i = 0; i < opts->n_sources; i++) {
        struct image_opts image = opts->image; /* the list stays the caller's */
        int r;

        image.format = opts->sources[i].format;
        image.allow_log = !opts->in_place;
        r = image_open(opts->sources[i].path, &image, &job->images[i], err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Versions of h2k and of qemu: a log that travels says what made it. */
static void log_versions(void)
{
    static const char *const argv[] = { "qemu-img", "--version", NULL };
    struct exec_opts opts = { .argv = argv, .timeout_ms = 10000 };
    CLEANUP_EXEC struct exec_result result = { 0 };
    struct err err = ERR_NONE;

    log_debug("h2k %s", H2K_VERSION);
    if (exec_run(&opts, &result, &err) == 0)
        log_debug("%.*s", (int)strcspn(strbuf_text(&result.out), "\n"), strbuf_text(&result.out));
}

static int open_log(struct job *job, struct err *err)
{
    CLEANUP_FD int fd = open(
        job->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    struct stat st;
    int r;

    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set(err, errno, "open the log %s", job->log_path);
    /* the folder may be another user's: a hard link there must not lead us elsewhere */
    if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
        return err_status(err, STATUS_REFUSED, "the log %s is not a plain file of its own",
                          job->log_path);
    r = invoker_own(fd, job->log_path, err);
    if (r < 0)
        return r;
    job->log_fd = TAKE_FD(fd);
    log_set_job_file(job->log_fd);
    log_versions();
    return 0;
}

int stage_check(struct job *job, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < job->opts->n_sources; i++)
        if (job->opts->in_place && !job->images[i]->can_rewrite)
            return err_status(err, STATUS_REFUSED,
                              "%s: a %s %s cannot be rewritten in place: leave --in-place out",
                              job->images[i]->path, job->images[i]->subformat,
                              job->images[i]->format);
    r = target_name_all(job, err);
    if (r == 0)
        r = target_check_names(job, err);
    if (r == 0)
        r = space_check(job, err);
    return r || job->goal == JOB_CONVERT ? r : open_log(job, err);
}

/* Where the overlay of a disk is to be; NULL: in the work folder. Free it. */
static char *overlay_path(const struct job *job, size_t disk)
{
    if (!job->opts->in_place || job->goal != JOB_FIX)
        return NULL;
    return mem_printf("%s.%s.h2k-overlay", job->images[disk]->path, session_id(job->session));
}

static int attach_one(struct job *job, size_t i, struct err *err)
{
    CLEANUP_FREE char *path = NULL;
    struct disk_opts opts = { .backend = job->opts->backend };
    int r = 0;

    if (job->needs_overlay || !is_read_only(job)) {
        opts.mode = DISK_OVERLAY;
        path = overlay_path(job, i);
        opts.overlay = path;
    }
    if (path) {
        strlist_add(&job->overlays, path); /* before it is made, so that it goes in any case */
        r = in_place_record(job, path, err);
    }
    if (r == 0)
        r = disk_attach(job->session, job->images[i], &opts, &job->disks[i], err);
    if (r < 0)
        return r;
    if (!path && job->disks[i]->overlay)
        strlist_add(&job->overlays, job->disks[i]->overlay);
    return 0;
}

static int need_session(struct job *job, struct err *err)
{
    struct session_opts opts = { .work_dir = job->opts->work_dir };

    return job->session ? 0 : session_open(&opts, &job->session, err);
}

int stage_replay(struct job *job, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < job->opts->n_sources && r == 0; i++) {
        if (!job->images[i]->has_log)
            continue;
        r = need_session(job, err);
        if (r == 0)
            r = convert_replay_log(job->session, job->images[i], err);
    }
    return r;
}

int stage_attach(struct job *job, struct err *err)
{
    int r = need_session(job, err);

    if (r < 0)
        return r;
    job->mark = undo_mark(session_undo(job->session));
    for (size_t i = 0; i < job->opts->n_sources && r == 0; i++)
        r = attach_one(job, i, err);
    return r;
}

/* Some caches cannot even be read without being written: look again, over overlays. */
static int rebuild(struct job *job, struct err *err)
{
    int r = job_release(job, err);

    job->needs_overlay = true;
    if (r == 0)
        r = stage_attach(job, err);
    return r < 0 ? r
                 : stack_build(job->session, job->disks, job->opts->n_sources, &job->stack, err);
}

int stage_stack(struct job *job, struct err *err)
{
    int r = stack_build_with_keys(job->session, job->disks, job->opts->n_sources, &job->opts->keys,
                                  &job->stack, err);

    if (r == 0 && job->stack->wants_overlay && !job->disks[0]->overlay)
        r = rebuild(job, err);
    if (r == 0 && job->opts->fix.discard_hibernation && !job->look.read_only)
        r = hibernation_discard(job->stack, &job->discarded, err);
    for (size_t i = 0; r == 0 && i < job->opts->n_sources; i++) {
        const struct volume *disk = &job->stack->volumes[i];

        /* most formats do not tell the size of sectors, but the partition table does */
        if (disk->table_sector_size)
            job->images[i]->sector_size = disk->table_sector_size;
        if (disk->table_is_backup)
            strlist_add(&job->images[i]->notes,
                        "gpt: the first copy of the partition table is damaged, the one at the end "
                        "is used: repair it (gdisk, sgdisk), Linux does not start from it");
    }
    return r;
}

int stage_inspect(struct job *job, struct err *err)
{
    int r = inspect_find(job->stack, &job->look, &job->systems, &job->n_systems, err);

    if (r < 0)
        return r;
    if (job->goal != JOB_INSPECT) {
        r = inspect_choose(job->systems, job->n_systems, &job->look, &job->chosen, err);
        return r < 0 ? r : inspect_open(job->stack, job->chosen, &job->look, err);
    }
    for (size_t i = 0; i < job->n_systems; i++) {
        r = inspect_open(job->stack, &job->systems[i], &job->look, err);
        /* the facts stay */
        if (r == 0)
            r = mtree_release(TAKE(job->systems[i].tree), err);
        if (r < 0)
            return err_wrap(err, "look at %s", job->systems[i].facts->root);
    }
    return 0;
}

static json_t *notes_json(const struct plan *plan)
{
    json_t *notes = json_array();

    for (size_t i = 0; i < plan->notes.n; i++)
        (void)json_array_append_new(notes, json_string(plan->notes.items[i]));
    return notes;
}

/* What would keep these changes from being made belongs to the plan. */
static void note_lack_of_space(struct plan *plan)
{
    struct err err = ERR_NONE;
    char text[ERR_TEXT];

    if (plan_check_space(plan, &err) < 0)
        plan_note(plan, "offline-fix will change nothing: %s", err_text(&err, text, sizeof(text)));
}

/* What is odd about the disks. */
static void note_disks(const struct job *job)
{
    for (size_t i = 0; i < job->opts->n_sources; i++)
        for (size_t n = 0; n < job->images[i]->notes.n; n++)
            plan_note(job->plan, "%s: %s", job->images[i]->path, job->images[i]->notes.items[n]);
}

/* What was lost before the plan. */
static void note_discarded(const struct job *job)
{
    for (size_t i = 0; i < job->discarded.n; i++)
        plan_note(job->plan, "%s: what Windows kept in memory for it is given up",
                  job->discarded.items[i]);
}

/* What the guest would miss when it starts, and what is not clear. */
static void note_mounts(const struct facts *facts, struct plan *plan)
{
    for (size_t i = 0; i < facts->n_mounts; i++) {
        size_t n = facts_count(facts, facts->mounts[i].source);

        if (n > 1 && facts->mounts[i].mounted)
            plan_note(plan, "%s: %zu volumes are called %s (for %s): %s is taken",
                      facts->mounts[i].file, n, facts->mounts[i].source, facts->mounts[i].target,
                      facts->mounts[i].device->name);
        if (facts->mounts[i].problem[0] != '\0')
            plan_note(plan, "%s: %s (for %s) is %s: %s", facts->mounts[i].file,
                      facts->mounts[i].source, facts->mounts[i].target,
                      facts->mounts[i].mounted ? "not written" : "missing",
                      facts->mounts[i].problem);
    }
}

/* A system whose root is not written may keep changes of /etc in an overlay, which the initramfs
 * mounts; what lies below it is what was looked at and is changed. */
static void note_overlay(const struct facts *facts, struct plan *plan)
{
    const struct fact_mount *etc = facts_mount(facts, "/etc");
    CLEANUP_FREE char *upper = etc ? list_value(etc->options, "upperdir") : NULL;

    if (upper && etc->at_boot && strcmp(etc->type, "overlay") == 0)
        plan_note(plan, "%s: /etc is an overlay: a file in %s hides the one that is changed",
                  etc->file, upper);
}

/* What is made in the guest gets the labels of its policy. The selinux fixer deals with a failure.
 */
static void use_labels(const struct facts *facts, struct guest_root *root)
{
    struct err err = ERR_NONE;
    char text[2 * ERR_TEXT];

    if (facts->selinux_policy[0] != '\0' && strcmp(facts->selinux, "disabled") != 0 &&
        guest_labels_use(root, facts->selinux_policy, &err) < 0)
        log_debug("no labels: %s", err_text(&err, text, sizeof(text)));
}

/* What is told of a system that nothing is changed in. */
static void note_foreign(const struct facts *facts, struct plan *plan)
{
    static const struct {
        const char *type, *names;
    } changes[] = {
        { "freebsd", "da0 of VMware is ada0 then, vmx0 is em0 (/etc/fstab, /etc/rc.conf)" },
        { "netbsd", "sd0 of VMware is wd0 then, vmx0 is wm0 (/etc/fstab, /etc/ifconfig.*)" },
        { "openbsd", "vmx0 of VMware is em0 then (/etc/hostname.*)" },
    };
    const char *names = "names of disks and network cards may change";

    if (facts->os != OS_OTHER)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
        if (strcmp(changes[i].type, facts->type) == 0)
            names = changes[i].names;
    plan_note(plan,
              "%s is converted as it is: give it SATA disks and e1000 network cards, as the domain "
              "has them; %s",
              facts->product_name, names);
}

int stage_plan(struct job *job, struct err *err)
{
    const struct fix_context ctx = {
        .facts = job->chosen->facts,
        .opts = &job->opts->fix,
        .stack = job->stack,
        .session = job->session,
        .drivers = drivers_new(job->opts->fix.virtio_win),
    };
    struct guest_root *root = job->chosen->tree ? mtree_root(job->chosen->tree) : NULL;
    int r;

    if (ctx.opts->secure_boot == SECURE_BOOT_ON && ctx.facts->firmware != FIRMWARE_UEFI)
        return err_status(err, STATUS_USAGE,
                          "--secure-boot=on: the guest starts by BIOS, which has no Secure Boot");
    if (root)
        use_labels(ctx.facts, root);
    r = fixers_plan(&ctx, root, &job->plan, err);
    drivers_free(ctx.drivers);
    if (r < 0)
        return r;
    job->plan->fixer = "guest"; /* these notes are no fixer's */
    note_disks(job);
    note_discarded(job);
    note_mounts(job->chosen->facts, job->plan);
    note_overlay(job->chosen->facts, job->plan);
    note_foreign(job->chosen->facts, job->plan);
    job_plan_hardware(job);
    if (job->goal == JOB_PLAN)
        note_lack_of_space(job->plan);
    for (size_t i = 0; i < job->plan->n; i++)
        job->default_changes |= strcmp(job->plan->changes[i].fixer, "kernels") == 0;
    job->changes = plan_to_json(job->plan, job->opts->fix.show_secrets);
    job->notes = notes_json(job->plan);
    job->found = job_inspect_json(job);
    return 0;
}

/* What a program of the guest has made of an initramfs may lack things that no setting of it asks
 * for (rules that name interfaces): they are added as they are to any other initramfs. */
static int complete_initramfs(struct job *job, struct err *err)
{
    static const char name[] = "initramfs";
    const struct fix_opts *chosen = &job->opts->fix;
    struct facts *facts = job->chosen->facts;
    struct fix_opts opts = { .initramfs = INITRAMFS_INJECT };
    const struct fix_context ctx = { .facts = facts, .opts = &opts, .session = job->session };
    struct plan *rest = NULL;
    int r;

    if (chosen->initramfs == INITRAMFS_NONE || strlist_has(&chosen->skip, name) ||
        (chosen->only.n > 0 && !strlist_has(&chosen->only, name)))
        return 0;
    for (size_t i = 0; i < facts->n_kernels; i++)
        if (facts->kernels[i].archive) /* to be looked into again */
            facts->kernels[i].archive->image_bytes = 0;
    strlist_add(&opts.only, name);
    r = fixers_plan(&ctx, job->plan->root, &rest, err);
    strlist_done(&opts.only);
    if (r == 0)
        r = plan_check_space(rest, err);
    if (r == 0)
        r = plan_apply(rest, err);
    if (r == 0) {
        json_t *changes = plan_to_json(rest, job->opts->fix.show_secrets);

        (void)json_array_extend(job->changes, changes);
        json_decref(changes);
    }
    plan_free(rest);
    return r < 0 ? err_wrap(err, "complete the initramfs") : 0;
}

int stage_apply(struct job *job, struct err *err)
{
    int r = plan_check_space(job->plan, err);

    if (r == 0)
        r = plan_apply(job->plan, err);
    return r == 0 && plan_runs(job->plan) ? complete_initramfs(job, err) : r;
}

int stage_trim(struct job *job, struct err *err)
{
    int r = job->chosen->tree ? mtree_sync(job->chosen->tree, err) : 0;

    if (r == 0 && job->chosen->tree)
        r = mtree_trim(job->chosen->tree, &job->trimmed_bytes, err);
    return r;
}

int stage_release(struct job *job, struct err *err)
{
    int r = job_unmount(job, err);

    for (size_t i = 0; i < job->opts->n_sources && r == 0; i++)
        r = disk_sync(job->disks[i], err);
    if (r == 0)
        r = job_release(job, err);
    for (size_t i = 0; i < job->opts->n_sources && r == 0; i++)
        r = image_check_unchanged(job->images[i], err);
    return r;
}
