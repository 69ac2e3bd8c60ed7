/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory for argon2: how much there is, and one user at a time. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/state.h"
#include "storage/crypt.h"

#define LIMIT_KIB (2U << 20)
#define SPARE_KIB (32U << 10)
#define LOCK_FILE STATE_DIR "/.kdf-lock"

static char *read_text(const char *root, const char *path)
{
    CLEANUP_FREE char *whole = mem_printf("%s%s", root, path);
    char *text = NULL;
    struct err ignored = ERR_NONE;

    return io_read_file(whole, 1U << 20, &text, NULL, &ignored) < 0 ? NULL : text;
}

/* The number behind @name at the start of a line; 0: there is none. */
static uint64_t number_after(const char *text, const char *name)
{
    size_t len = strlen(name);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, name, len) == 0)
            return strtoull(line + len, NULL, 10);
    }
    return 0;
}

/* Where the two versions of control groups say it. */
static const struct version {
    const char *mark; /* in /proc/self/cgroup, before the path of the group */
    const char *base, *max, *used;
    const char *inactive, *active; /* what a group holds of files: it can be had again */
} versions[] = {
    { "0::", "", "memory.max", "memory.current", "inactive_file ", "active_file " },
    { ":memory:", "/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
      "total_inactive_file ", "total_active_file " },
};

/* KiB that one control group leaves. */
static uint64_t group_free(const char *root, const struct version *version, const char *group)
{
    CLEANUP_FREE char *base = mem_printf("/sys/fs/cgroup%s%s", version->base, group);
    CLEANUP_FREE char *max_path = mem_printf("%s/%s", base, version->max);
    CLEANUP_FREE char *used_path = mem_printf("%s/%s", base, version->used);
    CLEANUP_FREE char *stat_path = mem_printf("%s/memory.stat", base);
    CLEANUP_FREE char *max = read_text(root, max_path);
    CLEANUP_FREE char *used = read_text(root, used_path);
    CLEANUP_FREE char *stat = read_text(root, stat_path);
    uint64_t limit, current, files;

    if (!max || !used || max[0] < '0' || max[0] > '9') /* "max" */
        return UINT64_MAX;
    limit = strtoull(max, NULL, 10);
    current = strtoull(used, NULL, 10);
    files = stat ? number_after(stat, version->inactive) + number_after(stat, version->active) : 0;
    current -= files < current ? files : current;
    return limit > current ? (limit - current) / 1024 : 0;
}

/* The least that is left by the group that @text (of /proc/self/cgroup) names and by those that it
 * lies in. */
static uint64_t groups_free(const char *root, const struct version *version, const char *text)
{
    const char *mark = strstr(text, version->mark);
    CLEANUP_FREE char *group = NULL;
    uint64_t least = UINT64_MAX;

    if (!mark)
        return least;
    mark += strlen(version->mark);
    group = mem_strndup(mark, strcspn(mark, "\n"));
    for (;;) {
        uint64_t kib = group_free(root, version, group);
        char *slash = strrchr(group, '/');

        least = kib < least ? kib : least;
        if (!slash)
            return least;
        *slash = '\0';
    }
}

uint64_t crypt_memory_free(const char *root)
{
    CLEANUP_FREE char *info = read_text(root, "/proc/meminfo");
    CLEANUP_FREE char *groups = read_text(root, "/proc/self/cgroup");
    uint64_t least = info ? number_after(info, "MemAvailable:") : 0;

    if (least == 0)
        least = UINT64_MAX; /* nobody knows */
    for (size_t i = 0; groups && i < ARRAY_SIZE(versions); i++) {
        uint64_t kib = groups_free(root, &versions[i], groups);

        least = kib < least ? kib : least;
    }
    return least;
}

enum err_status crypt_memory_take(uint32_t kib, int *ret_lock, char *text, size_t size)
{
    CLEANUP_FD int fd = -1;
    uint64_t have;

    if (kib > LIMIT_KIB) {
        (void)snprintf(text, size,
                       "it asks for %u MiB of memory, and h2k gives at most %u MiB to a key slot",
                       kib >> 10, LIMIT_KIB >> 10);
        return STATUS_REFUSED;
    }
    /* without a folder for it there are no sessions either */
    fd = open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    while (fd >= 0 && flock(fd, LOCK_EX) < 0 && errno == EINTR)
        continue;
    have = crypt_memory_free("");
    if (have < (uint64_t)kib + SPARE_KIB) {
        (void)snprintf(text, size,
                       "it needs %u MiB of memory, and only %llu MiB are free on this host",
                       kib >> 10, (unsigned long long)have >> 10);
        return STATUS_TEMPORARY;
    }
    *ret_lock = TAKE_FD(fd);
    return STATUS_OK;
}
