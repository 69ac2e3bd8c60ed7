/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"

#define SECRET_MAX (8U << 20) /* as cryptsetup has it for key files */
#define LINES_MAX 64U         /* keys from standard input: each costs seconds */

static const char form_help[] =
    "give it as ID:key:SECRET or ID:file:PATH, where ID is a guest name "
    "(/dev/sda2), a UUID or \"all\"";

static void *secret_new(size_t len)
{
    void *secret = mem_alloc(len ? len : 1);

    (void)mlock(secret, len); /* where the limit allows that */
    return secret;
}

static void secret_free(void *secret, size_t len)
{
    if (secret)
        explicit_bzero(secret, len);
    free(secret);
}

static void add(struct keys *keys, char *id, char *path, const void *secret, size_t len)
{
    struct key *key = mem_add(&keys->items, &keys->n, sizeof(*key));

    key->id = id;
    key->path = path;
    if (!secret)
        return;
    key->secret = secret_new(len);
    key->len = len;
    memcpy(key->secret, secret, len);
}

int keys_add(struct keys *keys, const char *text, struct err *err)
{
    static const char *const forms[] = { ":key:", ":file:", ":clevis" };
    const char *first = NULL, *value;
    size_t form = 0;
    char *id;

    /* the first one counts: a secret may look like anything */
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        const char *at = strstr(text, forms[i]);

        if (at && (!first || at < first)) {
            first = at;
            form = i;
        }
    }
    if (!first || first == text)
        return err_status(err, STATUS_USAGE, "--key: %s", form_help);
    if (form == 2)
        return err_status(err, STATUS_USAGE,
                          "--key: clevis is not supported, it would ask a server of the guest's "
                          "choice: give a passphrase or a key file");
    value = first + strlen(forms[form]);
    if (form == 1 && *value == '\0')
        return err_status(err, STATUS_USAGE, "--key: %s", form_help);
    id = mem_strndup(text, (size_t)(first - text));
    if (form == 0)
        add(keys, id, NULL, value, strlen(value));
    else
        add(keys, id, mem_strdup(value), NULL, 0);
    return 0;
}

int keys_add_header(struct keys *keys, const char *text, struct err *err)
{
    const char *colon = strchr(text, ':');
    struct key_header *header;

    if (text[0] != '/' || !colon || colon[1] == '\0')
        return err_status(
            err, STATUS_USAGE,
            "--header %s: give it as NAME:FILE, where NAME is a guest name (/dev/sda2)", text);
    header = mem_add(&keys->headers, &keys->n_headers, sizeof(*header));
    header->id = mem_strndup(text, (size_t)(colon - text));
    header->path = mem_strdup(colon + 1);
    return 0;
}

/* All of a descriptor, which may be a pipe, into memory that was never moved unwiped. */
static int read_secret(int fd, void **ret, size_t *ret_len)
{
    size_t room = 4096, len = 0;
    char *data = secret_new(room);
    ssize_t n = 1;

    while (n != 0) {
        if (len == room) {
            char *more = len < SECRET_MAX ? secret_new(room *= 2) : NULL;

            if (more)
                memcpy(more, data, len);
            secret_free(data, len);
            if (!more)
                return -EFBIG;
            data = more;
        }
        n = read(fd, data + len, room - len);
        if (n < 0 && errno != EINTR) {
            n = -errno;
            secret_free(data, len);
            return (int)n;
        }
        len += n > 0 ? (size_t)n : 0;
    }
    *ret = data;
    *ret_len = len;
    return 0;
}

int keys_add_lines(struct keys *keys, int fd, struct err *err)
{
    void *data = NULL;
    size_t len = 0, n = 0;
    const char *end;
    int r = read_secret(fd, &data, &len);

    if (r < 0)
        return err_set(err, -r, "read keys from standard input");
    for (const char *line = data; line < (const char *)data + len; line = end + 1) {
        size_t left = len - (size_t)(line - (const char *)data);

        end = memchr(line, '\n', left);
        if (!end)
            end = line + left;
        if (end > line && ++n <= LINES_MAX)
            add(keys, mem_strdup("all"), NULL, line, (size_t)(end - line));
    }
    secret_free(data, len);
    if (n == 0 || n > LINES_MAX)
        return err_status(
            err, STATUS_USAGE,
            "--keys-from-stdin: %zu keys were given; 1 to %u can be, one on each line", n,
            LINES_MAX);
    return 0;
}

int keys_load(struct keys *keys, struct err *err)
{
    for (size_t i = 0; i < keys->n; i++) {
        struct key *key = &keys->items[i];
        CLEANUP_FD int fd = -1;
        int r;

        if (key->secret)
            continue;
        fd = open(key->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
            return err_set(err, errno, "open the key file %s", key->path);
        r = read_secret(fd, &key->secret, &key->len);
        if (r < 0)
            return err_set(err, -r, "read the key file %s", key->path);
    }
    return 0;
}

bool key_is_for(const struct key *key, const char *name, const char *uuid)
{
    return strcmp(key->id, "all") == 0 || strcmp(key->id, name) == 0 ||
           (uuid[0] && strcasecmp(key->id, uuid) == 0);
}

const char *keys_header(const struct keys *keys, const char *name)
{
    for (size_t i = 0; i < keys->n_headers; i++)
        if (strcmp(keys->headers[i].id, name) == 0)
            return keys->headers[i].path;
    return NULL;
}

void keys_done(struct keys *keys)
{
    for (size_t i = 0; i < keys->n; i++) {
        free(keys->items[i].id);
        free(keys->items[i].path);
        secret_free(keys->items[i].secret, keys->items[i].len);
    }
    for (size_t i = 0; i < keys->n_headers; i++) {
        free(keys->headers[i].id);
        free(keys->headers[i].path);
    }
    free(keys->items);
    free(keys->headers);
    *keys = (struct keys){ 0 };
}
