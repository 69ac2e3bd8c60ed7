/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * For the crypt layer only: finding the key of an encrypted volume. libcryptsetup reads a copy of
 * the volume's header, in memory, in a child process: nothing on the volume is ever repaired, no
 * device has the volume's label, and what a header made to hurt us does, it does to the child.
 */
#ifndef H2K_STORAGE_CRYPT_H
#define H2K_STORAGE_CRYPT_H

#include <stdint.h>

#include "engine/base/err.h"
#include "storage/keys.h"
#include "storage/volume.h"

#define CRYPT_SECTOR 512U
#define CRYPT_KEY_MAX 256U
#define CRYPT_ROWS_MAX 12U

/* What is asked. */
struct crypt_request {
    const struct volume *volume;
    const struct keys *keys; /* NULL: none were given */
    int header_fd;           /* detached header; -1: the volume has its own */
    uint64_t header_size;
};

/* A piece of the content; in sectors of 512 bytes. */
struct crypt_row {
    uint64_t start, len;
    bool zero;       /* nothing lies there */
    uint64_t at, iv; /* where it lies on the volume, and what number its first sector has */
};

/* What the child found out; in memory that both share. */
struct crypt_answer {
    enum err_status status; /* STATUS_OK: the key is there */
    char text[ERR_TEXT];    /* else: why not */
    char message[256];      /* the library's last one, for the log */
    bool needs_key;         /* another key would help */
    char type[16];          /* "LUKS1", "LUKS2", "BitLocker" */
    char uuid[64];
    char cipher[128]; /* as dm-crypt has it: "aes-xts-plain64" */
    uint32_t sector_size;
    bool iv_large; /* sectors of that size are numbered, not those of 512 bytes */
    struct crypt_row rows[CRYPT_ROWS_MAX];
    size_t n_rows;
    int slot;          /* that was opened; -1: it has no number */
    size_t key_number; /* of the keys that were given, from 1 */
    size_t key_len;
    unsigned char key[CRYPT_KEY_MAX];
};

/* Of the child: read the header, find a key that opens it. */
void crypt_luks_open(const struct crypt_request *request, struct crypt_answer *answer);
void crypt_bitlk_open(const struct crypt_request *request, struct crypt_answer *answer);

/*
 * Let @work answer in a child process with limits. 0 when it has answered, whatever it says;
 * negative errno and *err when it could not, or an ending signal came.
 */
int crypt_ask(void (*work)(const struct crypt_request *request, struct crypt_answer *answer),
              const struct crypt_request *request, struct crypt_answer *answer, struct err *err);

/*
 * Key derivation by argon2 takes as much memory as the header says: may it? 0, or why not; while
 * *ret_lock is open no other h2k does the same (-1: that could not be had).
 */
enum err_status crypt_memory_take(uint32_t kib, int *ret_lock, char *text, size_t size);

/* KiB that this process may use without others being hurt: of the kernel below @root ("" for the
 * real one), and of the control groups it is in. */
uint64_t crypt_memory_free(const char *root);

#endif
