/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a serial console tells about a boot: the text without terminal control, how far the guest
 * came, and whether it gave up. The bytes are the guest's: nothing of them is trusted.
 */
#ifndef H2K_FIXERS_BOOT_CONSOLE_H
#define H2K_FIXERS_BOOT_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/strbuf.h"

enum boot_stage {
    BOOT_NOTHING, /* not a byte so far */
    BOOT_FIRMWARE,
    BOOT_LOADER,
    BOOT_KERNEL,
    BOOT_INITRAMFS,
    BOOT_SYSTEM, /* the init of the real root */
    BOOT_LOGIN,  /* a login prompt: it has booted */
};

struct boot_console {
    struct strbuf text; /* lines end with \n; at most 1 MiB, older text is dropped */
    size_t line;        /* start of the last line, which may be incomplete */
    enum boot_stage stage;
    bool watching;    /* cleared once somebody is logged in: output means nothing any more */
    bool failed;      /* it will not come further */
    char reason[256]; /* why it failed, for people */
    char hint[160];   /* the last line that told of trouble */
    unsigned escape;  /* state of the terminal control parser */
    bool carriage;    /* the last byte was \r */
    struct boot_matcher *matcher;
};

void boot_console_init(struct boot_console *console);
void boot_console_done(struct boot_console *console);

/* Take what the guest printed. */
void boot_console_feed(struct boot_console *console, const char *data, size_t len);

/* The last line, complete or not. */
const char *boot_console_last_line(const struct boot_console *console);

/* The last @n_lines lines; free it. */
char *boot_console_tail(const struct boot_console *console, unsigned n_lines);

const char *boot_stage_name(enum boot_stage stage); /* "boot loader", "kernel" ... */

#endif
