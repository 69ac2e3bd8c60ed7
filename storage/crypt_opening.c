/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "storage/crypt_opening.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"

#define PIECE (64U << 10)

static void keep_message(int level, const char *message, void *arg)
{
    struct crypt_answer *answer = arg;

    if (level == CRYPT_LOG_ERROR)
        (void)snprintf(answer->message, sizeof(answer->message), "%.*s",
                       (int)strcspn(message, "\n"), message);
}

int opening_refuse(struct opening *opening, enum err_status status, const char *fmt, ...)
{
    struct crypt_answer *answer = opening->answer;
    va_list args;

    answer->status = status;
    va_start(args, fmt);
    (void)vsnprintf(answer->text, sizeof(answer->text), fmt, args);
    va_end(args);
    return -EPERM;
}

uint64_t opening_source_size(const struct crypt_request *request)
{
    return request->header_fd >= 0 ? request->header_size : request->volume->size_bytes;
}

int opening_copy(struct opening *opening, uint64_t at, uint64_t len)
{
    static unsigned char piece[PIECE], zeros[PIECE];
    const struct crypt_request *request = opening->request;
    uint64_t size = opening_source_size(request), end;

    if (at > size)
        return opening_refuse(opening, STATUS_FAILED, "its header reaches beyond its end");
    end = len < size - at ? at + len : size;
    while (at < end) {
        size_t n = end - at < PIECE ? (size_t)(end - at) : PIECE;
        int r = request->header_fd >= 0 ? io_pread_full(request->header_fd, piece, n, at)
                                        : volume_read(request->volume, at, piece, n);

        if (r == 0 && memcmp(piece, zeros, n) != 0)
            r = io_pwrite_full(opening->copy, piece, n, at);
        if (r < 0)
            return opening_refuse(opening, STATUS_FAILED, "its header cannot be read: %s",
                                  strerror(-r));
        at += n;
    }
    return 0;
}

int opening_load(struct opening *opening, const char *type)
{
    CLEANUP_FREE char *path = mem_printf("/proc/self/fd/%d", opening->copy);
    struct crypt_answer *answer = opening->answer;
    const char *uuid, *cipher, *mode;

    crypt_set_log_callback(NULL, keep_message, answer);
    (void)crypt_metadata_locking(NULL, 0); /* nobody else has the copy */
    if (crypt_init(&opening->cd, path) < 0)
        return opening_refuse(opening, STATUS_FAILED, "its header cannot be read");
    crypt_set_log_callback(opening->cd, keep_message, answer);
    if (crypt_load(opening->cd, type, NULL) < 0)
        return opening_refuse(opening, STATUS_FAILED,
                              "its header is damaged or of a kind that this "
                              "libcryptsetup does not know");
    uuid = crypt_get_uuid(opening->cd);
    cipher = crypt_get_cipher(opening->cd);
    mode = crypt_get_cipher_mode(opening->cd);
    if (!cipher || !mode)
        return opening_refuse(opening, STATUS_FAILED, "its header is damaged: cipher");
    (void)snprintf(answer->type, sizeof(answer->type), "%s",
                   strcmp(crypt_get_type(opening->cd), CRYPT_BITLK) == 0
                       ? "BitLocker"
                       : crypt_get_type(opening->cd));
    (void)snprintf(answer->uuid, sizeof(answer->uuid), "%s", uuid ? uuid : "");
    (void)snprintf(answer->cipher, sizeof(answer->cipher), "%s-%s", cipher, mode);
    answer->sector_size = (uint32_t)crypt_get_sector_size(opening->cd);
    return 0;
}

int opening_try_keys(struct opening *opening,
                     int (*try)(struct opening *opening, const struct key *key))
{
    const struct crypt_request *request = opening->request;
    struct crypt_answer *answer = opening->answer;
    size_t n_keys = 0;
    int r = 0;

    for (size_t i = 0; request->keys && i < request->keys->n && r == 0; i++) {
        const struct key *key = &request->keys->items[i];

        if (!key_is_for(key, request->volume->name, answer->uuid))
            continue;
        n_keys++;
        r = try(opening, key);
        answer->key_number = i + 1;
    }
    if (r != 0)
        return r;
    answer->needs_key = answer->text[0] == '\0';
    if (n_keys == 0)
        return opening_refuse(opening, STATUS_REFUSED, "no key was given for it");
    if (answer->text[0] != '\0')
        return -EPERM;
    return n_keys == 1
               ? opening_refuse(opening, STATUS_REFUSED, "the key that was given for it is wrong")
               : opening_refuse(opening, STATUS_REFUSED,
                                "none of the %zu keys that were given for it is right", n_keys);
}
