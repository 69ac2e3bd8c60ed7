/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole reads and writes, bounded files, numbers: small things on the host's side. */
#ifndef H2K_ENGINE_BASE_IO_H
#define H2K_ENGINE_BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/base/err.h"
#include "engine/base/strbuf.h"

/* Read/write exactly @len bytes, going on after EINTR and short transfers.
 * 0, or negative errno; -ENODATA when the file ends early. */
int io_read_full(int fd, void *buf, size_t len);
int io_pread_full(int fd, void *buf, size_t len, uint64_t offset);
int io_write_full(int fd, const void *buf, size_t len);
int io_pwrite_full(int fd, const void *buf, size_t len, uint64_t offset);

/* Append all of @fd from its position to @buf; -EFBIG beyond @max bytes. */
int io_read_all(int fd, struct strbuf *buf, size_t max);

/* A whole file of the host (never of a guest: guest_read() is for that). */
int io_read_file(const char *path, size_t max, char **ret_text, size_t *ret_len, struct err *err);

/* Replace a file of the host: temporary beside it, fsync, rename. @mode of the new file. */
int io_write_file(const char *path, const void *data, size_t len, mode_t mode, struct err *err);

/* JSON, which qemu and the reports speak, has no way to write another name. */
bool io_name_is_utf8(const char *name);

/* Make the names in the folder of @path durable. */
int io_sync_folder(const char *path, struct err *err);

/* Decimal number that fills @text completely and lies in 0..@max. 0 or -EINVAL / -ERANGE. */
int io_parse_u64(const char *text, uint64_t max, uint64_t *ret);

/* Milliseconds of the monotonic clock. */
uint64_t io_now_ms(void);

#endif
