/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Objects that bear our name but that no state file knows (the other half of leftovers.h). */
#include "engine/leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "engine/dmdev.h"
#include "engine/loopdev.h"
#include "engine/nbddev.h"
#include "engine/state.h"

/* Has the session a state file, dead or alive? */
static bool is_known(const char *id)
{
    CLEANUP_FREE char *path = mem_printf("%s/%s", STATE_DIR, id);

    return access(path, F_OK) == 0;
}

/* The id in "h2k-ID"; NULL when the name is not one of ours. */
static const char *id_of(const char *name)
{
    size_t len = strlen(STATE_LOOP_NAME);

    if (strncmp(name, STATE_LOOP_NAME, len) != 0 || strlen(name + len) != 8 ||
        !state_is_id(name + len))
        return NULL;
    return name + len;
}

/* ---- loop devices ---- */

struct loops {
    struct strlist names; /* lo_file_name of each orphan */
    struct strlist *found;
};

static void note_loop(void *arg, const char *node, const char *name)
{
    struct loops *loops = arg;
    const char *id = id_of(name);

    if (!id || is_known(id))
        return;
    strlist_add(&loops->names, name);
    strlist_take(loops->found, mem_printf("loop device %s", node));
}

static void ignore_loop(void *arg, const char *node, const char *name)
{
    (void)arg;
    (void)node;
    (void)name;
}

static int orphan_loops(bool remove, struct strlist *found, struct err *err)
{
    struct loops loops = { .found = found };
    struct loop_match match = { .found = note_loop, .arg = &loops };
    int r = loop_find(&match, false, err);

    match.found = ignore_loop;
    for (size_t i = 0; remove && r == 0 && i < loops.names.n; i++) {
        match.name = loops.names.items[i];
        r = loop_find(&match, true, err);
    }
    strlist_done(&loops.names);
    return r;
}

/* ---- device-mapper devices ---- */

static void note_dm(void *arg, const char *name)
{
    struct strlist *names = arg;
    CLEANUP_FREE char *own = mem_strdup(name);
    char *end = strrchr(own, '-');
    const char *id;

    *end = '\0'; /* "h2k-ID-N" */
    id = id_of(own);
    if (id && !is_known(id))
        strlist_add(names, name);
}

static int orphan_dm(bool remove, struct strlist *found, struct err *err)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    int r = dmdev_find(note_dm, &names, err);

    for (size_t i = 0; r >= 0 && i < names.n; i++) {
        strlist_take(found, mem_printf("device-mapper device %s", names.items[i]));
        r = remove ? dmdev_remove(names.items[i], err) : 0;
    }
    return r < 0 ? r : 0;
}

/* ---- nbd devices ---- */

static int orphan_nbd(bool remove, struct strlist *found, struct err *err)
{
    CLEANUP_DIR DIR *dir = opendir("/sys/block");
    const struct dirent *entry;
    int r = 0;

    while (r >= 0 && dir && (entry = readdir(dir))) {
        CLEANUP_FREE char *identifier = nbd_identifier(entry->d_name);
        const char *id = identifier ? id_of(identifier) : NULL;

        if (!id || is_known(id))
            continue;
        strlist_take(found, mem_printf("nbd device /dev/%s", entry->d_name));
        if (remove)
            r = nbd_release_recorded(id, "?", err);
    }
    return r < 0 ? r : 0;
}

/* ---- folders ---- */

static int orphan_folder(const char *path, bool remove, struct strlist *found, struct err *err)
{
    struct stat st;

    if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != 0)
        return 0;
    strlist_take(found, mem_printf("folder %s", path));
    return remove ? leftovers_remove_tree(path, err) : 0;
}

static int orphan_work_dirs(const char *base, bool remove, struct strlist *found, struct err *err)
{
    CLEANUP_DIR DIR *dir = opendir(base);
    const struct dirent *entry;
    int r = 0;

    while (r == 0 && dir && (entry = readdir(dir))) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", base, entry->d_name);
        const char *id = id_of(entry->d_name);

        if (id && !is_known(id))
            r = orphan_folder(path, remove, found, err);
    }
    return r;
}

static int orphan_run_dirs(bool remove, struct strlist *found, struct err *err)
{
    CLEANUP_DIR DIR *dir = opendir(STATE_DIR);
    const struct dirent *entry;
    int r = 0;

    while (r == 0 && dir && (entry = readdir(dir))) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", STATE_DIR, entry->d_name);
        CLEANUP_FREE char *id = mem_strdup(entry->d_name);
        size_t len = strlen(id);

        if (len < 3 || strcmp(id + len - 2, ".d") != 0)
            continue;
        id[len - 2] = '\0';
        if (state_is_id(id) && !is_known(id))
            r = orphan_folder(path, remove, found, err);
    }
    return r;
}

int leftovers_orphans(bool remove, struct strlist *ret_found, struct err *err)
{
    const char *temp = getenv("TMPDIR");
    int r = orphan_dm(remove, ret_found, err);

    if (r == 0)
        r = orphan_loops(remove, ret_found, err);

    if (r == 0)
        r = orphan_nbd(remove, ret_found, err);
    if (r == 0)
        r = orphan_run_dirs(remove, ret_found, err);
    if (r == 0)
        r = orphan_work_dirs("/var/tmp", remove, ret_found, err);
    if (r == 0 && temp && *temp && strcmp(temp, "/var/tmp") != 0)
        r = orphan_work_dirs(temp, remove, ret_found, err);
    return r;
}
