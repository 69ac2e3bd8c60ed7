/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a fuzz target over the files of its corpus, so that each input stays a regression test
 * without libFuzzer. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
    CLEANUP_DIR DIR *dir = argc > 1 ? opendir(argv[1]) : NULL;
    const struct dirent *entry;
    unsigned n = 0;

    if (!dir) {
        (void)fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
        return 2;
    }
    while ((entry = readdir(dir))) {
        CLEANUP_STRBUF struct strbuf buf = { 0 };
        CLEANUP_FD int fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_CLOEXEC);

        if (entry->d_name[0] == '.' || fd < 0 || io_read_all(fd, &buf, 64U << 20) < 0)
            continue;
        (void)LLVMFuzzerTestOneInput((const uint8_t *)strbuf_text(&buf), buf.len);
        n++;
    }
    (void)printf("%u inputs\n", n);
    return n > 0 ? 0 : 1;
}
