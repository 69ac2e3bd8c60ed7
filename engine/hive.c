/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "engine/hive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/le.h"
#include "engine/hive_parts.h"

#define CHUNK 65536U /* what is read at a time */
#define ROOT_CELL 36 /* in the base block */
#define OLDEST_MINOR 2
#define NEWEST_MINOR 6
/* What must be read whole, to be recovered: ten times the largest hives that are seen. */
#define WHOLE_MAX ((size_t)1 << 30)
#define LOG_MAX ((size_t)512 << 20)
#define N_LOGS 3U

static void hive_cleanup(struct hive **hive)
{
    hive_free(*hive);
}

/* ---- what is in memory ---- */

int hive_load(struct hive *hive, size_t pos, size_t len, struct err *err)
{
    if (pos > hive->len || len > hive->len - pos)
        return hive_damaged(hive, err, "something lies beyond the end",
                            (uint32_t)(pos - REGF_BASE_LEN));
    if (!hive->loaded || len == 0)
        return 0;
    for (size_t chunk = pos / CHUNK; chunk <= (pos + len - 1) / CHUNK; chunk++) {
        size_t at = chunk * CHUNK, want = hive->len - at < CHUNK ? hive->len - at : CHUNK;
        int r;

        if (hive->loaded[chunk / 8] >> (chunk % 8) & 1)
            continue;
        r = io_pread_full(hive->fd, hive->data + at, want, at);
        if (r < 0)
            return err_set(err, -r, "read the hive %s", hive->name);
        hive->loaded[chunk / 8] |= (uint8_t)(1U << chunk % 8);
    }
    return 0;
}

/* The file at hive->fd is read by and by. */
static int map_lazily(struct hive *hive, struct err *err)
{
    void *data = mmap(NULL, hive->len, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (data == MAP_FAILED)
        return err_set(err, errno, "read the hive %s", hive->name);
    hive->data = data;
    hive->loaded = mem_alloc(hive->len / CHUNK / 8 + 1);
    return 0;
}

static int check_base(struct hive *hive, struct err *err)
{
    const struct regf_base *base = &hive->base;

    if (base->minor < OLDEST_MINOR || base->minor > NEWEST_MINOR)
        return err_set(err, EBADMSG, "read the hive %s: version 1.%u is not known", hive->name,
                       base->minor);
    if (base->type != REGF_PRIMARY || base->bins_size == 0 || base->bins_size > REGF_BINS_MAX)
        return err_set(err, EBADMSG, "read the hive %s: its base block is damaged", hive->name);
    return 0;
}

/* hive->base, len, and data or fd are there. */
static int find_root(struct hive *hive, struct err *err)
{
    struct hive_key root;
    int r = hive_load(hive, 0, REGF_BASE_LEN, err);

    if (r < 0)
        return r;
    hive->root = get_le32(hive->data + ROOT_CELL);
    r = hive_key_at(hive, hive->root, &root, err);
    return r < 0 ? err_wrap(err, "find the root key") : 0;
}

static int take_bytes(struct hive *hive, struct err *err)
{
    int r;

    if (!regf_base_parse(hive->bytes.data, hive->bytes.len, &hive->base))
        return err_set(err, EBADMSG, "read the hive %s: it does not begin like one", hive->name);
    r = check_base(hive, err);
    if (r < 0)
        return r;
    hive->data = (uint8_t *)hive->bytes.data;
    hive->len = REGF_BASE_LEN + (size_t)hive->base.bins_size; /* regf_recover() saw that it fits */
    return find_root(hive, err);
}

int hive_from_bytes(struct strbuf *bytes, const char *name, struct hive **ret, struct err *err)
{
    CLEANUP(hive_cleanup) struct hive *hive = mem_alloc(sizeof(*hive));
    int r;

    hive->fd = -1;
    hive->name = mem_strdup(name);
    hive->bytes = *bytes;
    *bytes = (struct strbuf){ 0 };
    r = regf_recover(&hive->bytes, NULL, 0, &hive->recovery, err);
    if (r < 0)
        return err_wrap(err, "%s", name);
    r = take_bytes(hive, err);
    if (r < 0)
        return r;
    *ret = TAKE(hive);
    return 0;
}

/* ---- with its logs ---- */

static const char *const log_endings[N_LOGS] = { ".LOG1", ".LOG2", ".LOG" };

struct logs {
    char *data[N_LOGS];
    struct regf_log items[N_LOGS];
    size_t n;
};

static void logs_done(struct logs *logs)
{
    for (size_t i = 0; i < logs->n; i++)
        free(logs->data[i]);
}

static int read_log(const struct guest_root *root, const char *path, struct logs *logs,
                    struct err *err)
{
    size_t len;
    int r = guest_read(root, path, LOG_MAX, &logs->data[logs->n], &len, err);

    if (r < 0)
        return r;
    logs->items[logs->n] = (struct regf_log){ logs->data[logs->n], len };
    logs->n++;
    return 0;
}

/* The logs beside @path, .LOG1 first, however they are spelt. */
static int read_logs(const struct guest_root *root, const char *path, struct logs *logs,
                     struct err *err)
{
    CLEANUP_STRLIST struct strlist names = { 0 };
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    CLEANUP_FREE char *folder = mem_strndup(path, (size_t)(name - path));
    size_t len = strlen(name);
    int r = guest_list(root, *folder ? folder : "/", &names, err);

    if (r < 0)
        return r;
    for (size_t kind = 0; kind < N_LOGS; kind++)
        for (size_t i = 0; i < names.n; i++) {
            CLEANUP_FREE char *log = mem_printf("%s%s", folder, names.items[i]);

            if (strncasecmp(names.items[i], name, len) != 0 ||
                strcasecmp(names.items[i] + len, log_endings[kind]) != 0 ||
                !guest_is_file(root, log))
                continue;
            r = read_log(root, log, logs, err);
            if (r < 0)
                return r;
            break; /* one of each kind, whatever else is spelt like it */
        }
    return 0;
}

static int recover(struct hive *hive, const struct guest_root *root, const char *path,
                   struct err *err)
{
    CLEANUP(logs_done) struct logs logs = { 0 };
    int r;

    if (lseek(hive->fd, 0, SEEK_SET) < 0)
        return err_set(err, errno, "read the hive %s", path);
    r = io_read_all(hive->fd, &hive->bytes, WHOLE_MAX);
    if (r < 0)
        return err_set(err, -r, "read the hive %s", path);
    (void)close(hive->fd);
    hive->fd = -1;
    r = read_logs(root, path, &logs, err);
    if (r < 0)
        return err_wrap(err, "read the logs of the hive %s", path);
    r = regf_recover(&hive->bytes, logs.items, logs.n, &hive->recovery, err);
    if (r < 0)
        return err_wrap(err, "recover %s", path);
    return take_bytes(hive, err);
}

static int open_clean(struct hive *hive, uint64_t file_len, struct err *err)
{
    int r = check_base(hive, err);

    if (r < 0)
        return r;
    hive->len = REGF_BASE_LEN + (size_t)hive->base.bins_size;
    if (file_len < hive->len)
        return err_set(err, EBADMSG, "read the hive %s: it has %llu bytes and says %zu", hive->name,
                       (unsigned long long)file_len, hive->len);
    r = map_lazily(hive, err);
    return r < 0 ? r : find_root(hive, err);
}

int hive_open(const struct guest_root *root, const char *path, struct hive **ret, struct err *err)
{
    CLEANUP(hive_cleanup) struct hive *hive = mem_alloc(sizeof(*hive));
    uint8_t base[REGF_LOG_BASE_LEN];
    struct stat st;
    int r;

    hive->name = mem_strdup(path);
    hive->fd = guest_open(root, path, err);
    if (hive->fd < 0)
        return hive->fd;
    if (fstat(hive->fd, &st) < 0)
        return err_set(err, errno, "read the hive %s", path);
    r = io_pread_full(hive->fd, base, sizeof(base), 0);
    if (r < 0 && r != -ENODATA)
        return err_set(err, -r, "read the hive %s", path);
    if (r < 0 || !regf_base_parse(base, sizeof(base), &hive->base))
        return err_set(err, EBADMSG, "read the hive %s: it does not begin like one", path);
    if (regf_is_dirty(&hive->base))
        r = recover(hive, root, path, err);
    else
        r = open_clean(hive, (uint64_t)st.st_size, err);
    if (r < 0)
        return r;
    *ret = TAKE(hive);
    return 0;
}

void hive_free(struct hive *hive)
{
    if (!hive)
        return;
    if (hive->loaded)
        (void)munmap(hive->data, hive->len);
    if (hive->fd >= 0)
        (void)close(hive->fd);
    strbuf_done(&hive->bytes);
    free(hive->loaded);
    free(hive->name);
    free(hive);
}

bool hive_is_exhausted(const struct hive *hive)
{
    return hive->steps > HIVE_STEPS_MAX;
}

const struct regf_recovery *hive_recovery(const struct hive *hive)
{
    return &hive->recovery;
}
