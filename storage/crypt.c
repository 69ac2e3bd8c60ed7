/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Encrypted volumes: with the key that storage/crypt_*.c find, the volume becomes a device of the
 * device mapper that addresses the disk itself.
 */
#include "storage/crypt.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"
#include "engine/dmdev.h"
#include "storage/layers.h"

#define PARAMS_MAX 2048U

/* ---- names ---- */

/* Words of a hostile header become part of a table or of a name: nothing that ends a word. */
static bool is_plain(const char *text, const char *others)
{
    for (const char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr(others, *c))
            return false;
    return text[0] != '\0';
}

/* What systemd calls it when nobody has named it. */
static char *volume_name(const struct stack *stack, const struct crypt_answer *answer)
{
    const char *uuid = is_plain(answer->uuid, "-") ? answer->uuid : "unknown";
    const char *kind = strncmp(answer->type, "LUKS", strlen("LUKS")) == 0 ? "luks" : "bitlk";
    char *name = mem_printf("/dev/mapper/%s-%s", kind, uuid);

    for (size_t n = 2; stack_find(stack, name); n++) {
        free(name);
        name = mem_printf("/dev/mapper/%s-%s-%zu", kind, uuid, n);
    }
    return name;
}

/* ---- the device ---- */

/* What the child says is not believed unseen: rows follow each other and lie on the volume. */
static int check(const struct volume *volume, const struct crypt_answer *answer, struct err *err)
{
    uint64_t all = volume->size_bytes / CRYPT_SECTOR, next = 0;
    uint32_t unit = answer->sector_size / CRYPT_SECTOR;

    if (!is_plain(answer->cipher, "-_:()") || answer->key_len == 0 ||
        answer->key_len > sizeof(answer->key) || unit == 0 || unit > 8 ||
        (unit & (unit - 1)) != 0 || answer->n_rows == 0 || answer->n_rows > CRYPT_ROWS_MAX)
        return err_status(err, STATUS_FAILED, "its header is damaged: cipher, key or sector size");
    for (size_t i = 0; i < answer->n_rows; i++) {
        const struct crypt_row *row = &answer->rows[i];

        if (!row->zero && (row->at >= all || row->len == 0 || row->len > all - row->at))
            return err_status(err, STATUS_FAILED,
                              "the image is truncated: encrypted data begins at byte %llu and has "
                              "%llu bytes, but there are only %llu bytes",
                              (unsigned long long)row->at * CRYPT_SECTOR,
                              (unsigned long long)row->len * CRYPT_SECTOR,
                              (unsigned long long)volume->size_bytes);
        if (row->start != next || row->len == 0 || row->len > all ||
            (row->start | row->len | row->iv) % unit != 0)
            return err_status(err, STATUS_FAILED, "its header is damaged: places of the data");
        next += row->len;
    }
    return 0;
}

static uint64_t n_sectors(const struct crypt_answer *answer)
{
    const struct crypt_row *last = &answer->rows[answer->n_rows - 1];

    return last->start + last->len;
}

/* Parameters of dm-crypt (Documentation/admin-guide/device-mapper/dm-crypt.rst). */
static void write_params(char params[PARAMS_MAX], const struct crypt_answer *answer,
                         const struct crypt_row *row, dev_t device, uint64_t sector)
{
    size_t len = (size_t)snprintf(params, PARAMS_MAX, "%s ", answer->cipher);

    for (size_t i = 0; i < answer->key_len; i++)
        len += (size_t)snprintf(params + len, PARAMS_MAX - len, "%02x", answer->key[i]);
    len += (size_t)snprintf(params + len, PARAMS_MAX - len, " %llu %u:%u %llu",
                            (unsigned long long)row->iv, major(device), minor(device),
                            (unsigned long long)sector + (unsigned long long)row->at);
    if (answer->sector_size > CRYPT_SECTOR)
        (void)snprintf(params + len, PARAMS_MAX - len, " %d allow_discards sector_size:%u%s",
                       answer->iv_large ? 3 : 2, answer->sector_size,
                       answer->iv_large ? " iv_large_sectors" : "");
    else
        (void)snprintf(params + len, PARAMS_MAX - len, " 1 allow_discards");
}

static int make_node(struct stack *stack, struct volume *volume, const struct crypt_answer *answer,
                     char **ret_node, struct err *err)
{
    char params[CRYPT_ROWS_MAX][PARAMS_MAX];
    struct dmdev_row rows[CRYPT_ROWS_MAX];
    const struct dmdev_opts opts = {
        .rows = rows,
        .n_rows = answer->n_rows,
        .read_only = volume->disk->read_only || volume->read_only[0] != '\0',
        .secret = true,
    };
    dev_t device = 0;
    uint64_t sector = 0;
    int r = dmdev_probe(err);

    if (r == 0)
        r = volume_address(stack, volume, 0, &device, &sector, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < answer->n_rows; i++) {
        const struct crypt_row *row = &answer->rows[i];

        write_params(params[i], answer, row, device, sector);
        rows[i] = (struct dmdev_row){ row->start, row->len, row->zero ? "zero" : "crypt",
                                      row->zero ? "" : params[i] };
    }
    r = dmdev_make(stack->session, &opts, ret_node, NULL, err);
    explicit_bzero(params, sizeof(params));
    return r;
}

/* ---- volumes ---- */

static struct volume *add_volume(struct stack *stack, size_t parent,
                                 const struct crypt_answer *answer)
{
    struct volume *volume = stack_add(stack, VOLUME_CRYPT, volume_name(stack, answer));
    const struct volume *member = &stack->volumes[parent];

    volume->disk = member->disk;
    volume->size_bytes = n_sectors(answer) * CRYPT_SECTOR;
    volume->parents = mem_dup(&parent, sizeof(parent));
    volume->n_parents = 1;
    if (member->read_only[0] != '\0')
        volume_set_read_only(volume, member->read_only_status, member->read_only);
    return volume;
}

static int add_device(struct stack *stack, size_t parent, const struct crypt_answer *answer,
                      struct err *err)
{
    CLEANUP_FREE char *node = NULL;
    struct volume *volume;
    char text[ERR_TEXT];
    int fd, r = check(&stack->volumes[parent], answer, err);

    if (r < 0)
        return r;
    r = make_node(stack, &stack->volumes[parent], answer, &node, err);
    if (r < 0 && err->status == STATUS_HOST) {
        CLEANUP_FREE char *why =
            mem_printf("its key is right, but this host cannot decrypt it: %s; it needs dm-crypt "
                       "(modprobe dm-crypt)",
                       err_text(err, text, sizeof(text)));

        volume = add_volume(stack, parent, answer);
        volume->inactive = true;
        volume_set_problem(volume, STATUS_HOST, why);
        err_clear(err);
        return 0;
    }
    if (r < 0)
        return r;
    fd = open(node, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, errno, "open %s", node);
    volume = add_volume(stack, parent, answer);
    volume->fd = fd;
    volume->owns_fd = true;
    volume->node = TAKE(node);
    return 0;
}

/* ---- opening ---- */

/* The header is read with the rights of the caller, as any other file that is named. */
static int open_header(const char *path, struct crypt_request *request, struct err *err)
{
    struct stat st;
    off_t end;

    request->header_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (request->header_fd < 0 || fstat(request->header_fd, &st) < 0)
        return err_set(err, errno, "open the header %s", path);
    end = S_ISREG(st.st_mode) || S_ISBLK(st.st_mode) ? lseek(request->header_fd, 0, SEEK_END) : -1;
    if (end <= 0)
        return err_status(err, STATUS_FAILED, "the header %s is no file with content", path);
    request->header_size = (uint64_t)end;
    return 0;
}

static bool is_bitlocker(const struct volume *volume)
{
    return strcmp(volume->fstype, "BitLocker") == 0;
}

static int ask(const struct stack *stack, const struct volume *volume, struct crypt_answer *answer,
               struct err *err)
{
    const char *header = stack->keys ? keys_header(stack->keys, volume->name) : NULL;
    struct crypt_request request = { .volume = volume, .keys = stack->keys, .header_fd = -1 };
    int r = header ? open_header(header, &request, err) : 0;

    if (r == 0)
        r = crypt_ask(is_bitlocker(volume) && !header ? crypt_bitlk_open : crypt_luks_open,
                      &request, answer, err);
    if (request.header_fd >= 0)
        (void)close(request.header_fd);
    if (r < 0)
        return r;
    if (answer->message[0] != '\0')
        log_debug("%s: libcryptsetup: %s", volume->name, answer->message);
    if (answer->status != STATUS_OK)
        return err_status(err, answer->status, "%s", answer->text);
    if (answer->key_number == 0)
        log_debug("%s: %s, its key lies beside it", volume->name, answer->type);
    else
        log_debug("%s: %s, key slot %d is opened by key number %zu", volume->name, answer->type,
                  answer->slot, answer->key_number);
    return 0;
}

static void report(struct volume *volume, const struct crypt_answer *answer, const struct err *err)
{
    char why[ERR_TEXT];
    const char *uuid = is_plain(answer->uuid, "-") ? answer->uuid : "";
    CLEANUP_FREE char *what =
        answer->type[0] ? mem_printf(" (%s%s%s)", answer->type, uuid[0] ? ", UUID " : "", uuid)
                        : mem_strdup("");
    CLEANUP_FREE char *help =
        answer->needs_key
            ? mem_printf("; give %s with --key %s:file:PATH or --keys-from-stdin",
                         is_bitlocker(volume) ? "its password, its recovery key or its .bek file"
                                              : "it",
                         volume->name)
            : mem_strdup("");
    CLEANUP_FREE char *text = mem_printf("the encrypted volume%s cannot be opened: %s%s", what,
                                         err_text(err, why, sizeof(why)), help);

    log_debug("%s: %s", volume->name, text);
    volume_set_problem(volume, err->status, text);
}

static int open_one(struct stack *stack, size_t index, struct err *err)
{
    struct crypt_answer answer = { .slot = -1 };
    struct err one = ERR_NONE;
    int r = ask(stack, &stack->volumes[index], &answer, &one);

    if (r == 0)
        r = add_device(stack, index, &answer, &one);
    explicit_bzero(answer.key, sizeof(answer.key));
    if (r == -EINTR) {
        *err = one;
        return r;
    }
    if (r < 0)
        report(&stack->volumes[index], &answer, &one);
    return 0;
}

static bool is_ours(const struct stack *stack, const struct volume *volume)
{
    if (volume->handled || volume->inactive || (volume->table && volume->table[0] != '\0'))
        return false;
    return strcmp(volume->fstype, "crypto_LUKS") == 0 || is_bitlocker(volume) ||
           (stack->keys && keys_header(stack->keys, volume->name));
}

static int activate(struct stack *stack, struct err *err)
{
    int r = 0;

    for (size_t i = 0; i < stack->n_volumes && r == 0; i++) {
        if (!is_ours(stack, &stack->volumes[i]))
            continue;
        stack->volumes[i].handled = true;
        r = open_one(stack, i, err);
    }
    return r;
}

const struct layer layer_crypt = {
    .name = "crypt",
    .activate = activate,
};
