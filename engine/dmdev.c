/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/dmdev.h"

#include <errno.h>
#include <libdevmapper.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/exec.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/state.h"

#define PREFIX STATE_LOOP_NAME
#define DRIVER "/sys/class/misc/device-mapper"

/* No rule of udev's may look into the device or make links to it; the library makes none either. */
#define UDEV_FLAGS                                                                                 \
    (DM_UDEV_DISABLE_DM_RULES_FLAG | DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG |                        \
     DM_UDEV_DISABLE_DISK_RULES_FLAG | DM_UDEV_DISABLE_OTHER_RULES_FLAG |                          \
     DM_UDEV_DISABLE_LIBRARY_FALLBACK)

/* Of the library's messages: syslog's levels below some flags. */
#define LEVEL_MASK 7
#define LEVEL_ERR 3

static char last_message[256]; /* the library's, about the task that failed */

__attribute__((format(printf, 5, 6))) static void
keep_message(int level, const char *file, int line, int code, const char *fmt, ...)
{
    va_list args;

    (void)file;
    (void)line;
    (void)code;
    if ((level & LEVEL_MASK) > LEVEL_ERR)
        return;
    va_start(args, fmt);
    (void)vsnprintf(last_message, sizeof(last_message), fmt, args);
    va_end(args);
}

static void set_up(void)
{
    static bool done;

    if (done)
        return;
    done = true;
    dm_log_with_errno_init(keep_message);
    (void)dm_udev_set_sync_support(0);
}

static void task_cleanup(struct dm_task **task)
{
    if (*task)
        dm_task_destroy(*task);
}
#define CLEANUP_TASK CLEANUP(task_cleanup)

static struct dm_task *task_new(int type, const char *name)
{
    struct dm_task *task;

    set_up();
    last_message[0] = '\0';
    task = dm_task_create(type);
    if (task && name && !dm_task_set_name(task, name)) {
        dm_task_destroy(task);
        return NULL;
    }
    return task;
}

static int run(struct dm_task *task, struct err *err, const char *what, const char *name)
{
    int code;

    if (task && dm_task_run(task))
        return 0;
    code = task ? dm_task_get_errno(task) : ENOMEM;
    return err_set(err, code > 0 ? code : EIO, "%s device-mapper device %s (%s)", what, name,
                   last_message);
}

static void load_module(const char *name)
{
    const char *const argv[] = { "modprobe", "-q", name, NULL };
    struct exec_opts opts = { .argv = argv, .timeout_ms = 30000 };
    CLEANUP_FREE char *loaded = mem_printf("/sys/module/%s", name);
    struct err ignored = ERR_NONE;

    for (char *c = loaded; *c; c++) /* sysfs has dm_mod for dm-mod */
        if (*c == '-')
            *c = '_';
    if (access(loaded, F_OK) < 0)
        (void)exec_run(&opts, NULL, &ignored);
}

static bool has_driver(void)
{
    char version[64];

    set_up();
    return access(DRIVER, F_OK) == 0 && dm_driver_version(version, sizeof(version)) != 0;
}

int dmdev_probe(struct err *err)
{
    static bool tried;

    if (has_driver())
        return 0;
    if (!tried) {
        tried = true;
        load_module("dm-mod");
        if (has_driver())
            return 0;
    }
    return err_status(err, STATUS_HOST,
                      "the kernel has no device mapper (modprobe dm-mod; a container needs the "
                      "devices 10:236 and those of the major number that /proc/devices names)");
}

void dmdev_after_fork(void)
{
    dm_lib_release();
}

/* ---- making ---- */

/* The health of the copies in the status of a target: "raid1 2 AA ...", "2 7:0 7:1 8/8 1 AA ...",
 * a letter for each. NULL: it has none. */
static const char *health_of(const char *target, const char *status)
{
    unsigned skip = 0;

    if (strcmp(target, "raid") == 0)
        skip = 2;
    else if (strcmp(target, "mirror") == 0)
        skip = (unsigned)strtoul(status, NULL, 10) + 3;
    else
        return NULL;
    while (skip-- > 0) {
        status += strcspn(status, " ");
        status += strspn(status, " ");
    }
    return status;
}

bool dmdev_lost_copy(const char *target, const char *status)
{
    const char *health = health_of(target, status);

    /* a: being filled (it was when we began), -: not there; D and others: it has failed */
    return health && strspn(health, "Aa-") < strcspn(health, " ");
}

/* dm goes on when a copy cannot be written; the guest would not know which one is old. */
static int check_copies(const char *name, struct err *err)
{
    CLEANUP_TASK struct dm_task *task = task_new(DM_DEVICE_STATUS, name);
    char *target = NULL, *status = NULL;
    uint64_t start, len;
    void *next = NULL;
    int r = run(task, err, "ask the state of", name);

    while (r == 0) {
        next = dm_get_next_target(task, next, &start, &len, &target, &status);
        if (target && status && dmdev_lost_copy(target, status))
            return err_set(err, EIO, "write all copies of what lies on an array (%s)", status);
        if (!next)
            break;
    }
    return r;
}

struct made {
    char *name;
    bool has_copies; /* that were written */
};

static int release(void *arg, struct err *err)
{
    struct made *made = arg;
    struct err other = ERR_NONE;
    int r = made->has_copies ? check_copies(made->name, err) : 0;
    int removed = dmdev_remove(made->name, r < 0 ? &other : err);

    free(made->name);
    free(made);
    if (r == 0)
        r = removed;
    return r < 0 ? r : 0;
}

static struct made *made_new(const char *name, const struct dmdev_opts *opts)
{
    struct made *made = mem_alloc(sizeof(*made));

    made->name = mem_strdup(name);
    for (size_t i = 0; i < opts->n_rows && !opts->read_only; i++)
        made->has_copies |= health_of(opts->rows[i].target, "") != NULL;
    return made;
}

static int create(const struct dmdev_opts *opts, const char *name, struct err *err)
{
    CLEANUP_TASK struct dm_task *task = task_new(DM_DEVICE_CREATE, name);
    uint32_t cookie = 0;

    if (!task || !dm_task_set_uuid(task, name) || !dm_task_set_cookie(task, &cookie, UDEV_FLAGS) ||
        (opts->read_only && !dm_task_set_ro(task)) || (opts->secret && !dm_task_secure_data(task)))
        return err_set(err, ENOMEM, "make device-mapper device %s", name);
    for (size_t i = 0; i < opts->n_rows; i++) {
        const struct dmdev_row *row = &opts->rows[i];

        log_debug("%s: %llu %llu %s %s", name, (unsigned long long)row->start,
                  (unsigned long long)row->len, row->target,
                  opts->secret ? "(secret)" : row->params);
        if (!dm_task_add_target(task, row->start, row->len, row->target, row->params))
            return err_set(err, ENOMEM, "make device-mapper device %s", name);
    }
    return run(task, err, "make", name);
}

/* Modules that a target needs besides its own, or that are not called dm-TARGET; the kernel loads
 * them itself only where its helper works. */
static const struct {
    const char *target, *params; /* how the parameters begin */
    const char *module;
} more_modules[] = {
    { "cache", "", "dm-cache-smq" }, { "raid", "raid1 ", "raid1" },
    { "raid", "raid10 ", "raid10" }, { "raid", "raid4", "raid456" },
    { "raid", "raid5", "raid456" },  { "raid", "raid6", "raid456" },
    { "thin", "", "dm-thin-pool" },
};

static void load_more(const struct dmdev_row *row)
{
    for (size_t i = 0; i < ARRAY_SIZE(more_modules); i++)
        if (strcmp(more_modules[i].target, row->target) == 0 &&
            strncmp(more_modules[i].params, row->params, strlen(more_modules[i].params)) == 0)
            load_module(more_modules[i].module);
}

/* Has the kernel this target? Loads it where that can be had. */
static bool has_target(const char *name)
{
    CLEANUP_FREE char *module = mem_printf("dm-%s", name);

    for (int attempt = 0; attempt < 2; attempt++) {
        CLEANUP_TASK struct dm_task *task = task_new(DM_DEVICE_LIST_VERSIONS, NULL);
        struct dm_versions *versions;

        if (!task || !dm_task_run(task))
            return true; /* nobody knows */
        for (versions = dm_task_get_versions(task); versions;
             versions = versions->next ? (struct dm_versions *)((char *)versions + versions->next)
                                       : NULL)
            if (strcmp(versions->name, name) == 0)
                return true;
        if (attempt == 0)
            load_module(module);
    }
    return false;
}

static int check_targets(const struct dmdev_opts *opts, struct err *err)
{
    for (size_t i = 0; i < opts->n_rows; i++) {
        if (i > 0 && strcmp(opts->rows[i].target, opts->rows[i - 1].target) == 0)
            continue;
        load_more(&opts->rows[i]);
        if (!has_target(opts->rows[i].target))
            return err_status(err, STATUS_HOST,
                              "the kernel's device mapper has no target \"%s\" (modprobe dm-%s)",
                              opts->rows[i].target, opts->rows[i].target);
    }
    return 0;
}

static int number_of(const char *name, dev_t *ret, struct err *err)
{
    CLEANUP_TASK struct dm_task *task = task_new(DM_DEVICE_INFO, name);
    struct dm_info info;
    int r = run(task, err, "look at", name);

    if (r < 0)
        return r;
    if (!dm_task_get_info(task, &info) || !info.exists)
        return err_set(err, ENODEV, "look at device-mapper device %s", name);
    *ret = makedev((unsigned)info.major, info.minor);
    return 0;
}

int dmdev_make(struct session *session, const struct dmdev_opts *opts, char **ret_node,
               dev_t *ret_number, struct err *err)
{
    static unsigned counter;
    CLEANUP_FREE char *name = mem_printf(PREFIX "%s-%u", session_id(session), ++counter);
    CLEANUP_FREE char *node_name = NULL;
    dev_t number = 0;
    int r = dmdev_probe(err);

    if (r == 0)
        r = check_targets(opts, err);
    if (r == 0)
        r = session_record(session, "dm", name, err);
    if (r == 0)
        r = create(opts, name, err);
    if (r < 0)
        return r;
    undo_push(session_undo(session), name, release, made_new(name, opts));
    r = number_of(name, &number, err);
    if (r < 0)
        return r;
    if (ret_number)
        *ret_number = number;
    node_name = mem_printf("dm-%u", minor(number));
    return ret_node ? session_dev_node(session, node_name, S_IFBLK, number, ret_node, err) : 0;
}

/* ---- removing ---- */

int dmdev_remove(const char *name, struct err *err)
{
    uint32_t cookie = 0;
    CLEANUP_TASK struct dm_task *task = NULL;
    struct err one = ERR_NONE;
    int r;

    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || access(DRIVER, F_OK) < 0)
        return 0;
    task = task_new(DM_DEVICE_REMOVE, name);
    if (!task || !dm_task_set_cookie(task, &cookie, UDEV_FLAGS) || !dm_task_retry_remove(task))
        return err_set(err, ENOMEM, "remove device-mapper device %s", name);
    r = run(task, &one, "remove", name);
    if (r < 0 && dm_task_get_errno(task) == ENXIO)
        return 0; /* there is none */
    if (r < 0)
        *err = one;
    return r < 0 ? r : 1;
}

static int newest_first(const void *a, const void *b)
{
    const char *one = *(const char *const *)a, *other = *(const char *const *)b;
    size_t len = strlen(one), other_len = strlen(other);

    return len != other_len ? (len < other_len ? 1 : -1) : -strcmp(one, other);
}

int dmdev_find(void (*found)(void *arg, const char *name), void *arg, struct err *err)
{
    CLEANUP_TASK struct dm_task *task = NULL;
    CLEANUP_STRLIST struct strlist list = { 0 };
    struct dm_names *names;

    if (!has_driver())
        return 0;
    task = task_new(DM_DEVICE_LIST, NULL);
    if (run(task, err, "list", PREFIX "*") < 0)
        return -err->code;
    for (names = dm_task_get_names(task); names && names->dev;
         names = names->next ? (struct dm_names *)((char *)names + names->next) : NULL)
        if (strncmp(names->name, PREFIX, strlen(PREFIX)) == 0)
            strlist_add(&list, names->name);
    if (list.n > 1)
        qsort(list.items, list.n, sizeof(*list.items), newest_first);
    for (size_t i = 0; i < list.n; i++)
        found(arg, list.items[i]);
    return 0;
}
