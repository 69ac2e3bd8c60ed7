/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/boot_console.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "engine/base/mem.h"

#define MAX_TEXT (1U << 20)
#define MAX_LINE 1024U

enum mark_kind {
    MARK_REACHED, /* the guest came to this stage */
    MARK_FAILED,  /* it will not leave this stage */
    MARK_HINT,    /* trouble that may explain a failure which follows */
};

#define WAITED_FOR "(dev-|/dev/|[Dd]racut[- ](initqueue|mount|pre)).*" /* in the name of a job */

/* What a line means; the first row that matches wins. Extended regular expressions. */
static const struct mark {
    enum mark_kind kind;
    enum boot_stage stage;
    const char *pattern;
    const char *reason;
    bool is_prompt; /* no line end follows it; other rows are held against whole lines only */
} marks[] = {
    { MARK_FAILED, BOOT_FIRMWARE,
      "No bootable device|not a bootable disk|No bootable option or device|UEFI Interactive Shell",
      "the firmware finds nothing to boot", false },
    { MARK_FAILED, BOOT_LOADER, "grub rescue>", "the boot loader does not find its files", true },
    { MARK_FAILED, BOOT_LOADER, "^grub> *$", "the boot loader has no configuration", true },
    { MARK_FAILED, BOOT_KERNEL, "Kernel panic - not syncing", "kernel panic", false },
    { MARK_FAILED, BOOT_INITRAMFS,
      "^\\(initramfs\\)|^dracut:/#|^Generating \"/run/initramfs/rdsosreport|"
      "Entering emergency mode\\. Exit the shell",
      "the initramfs ended in a shell", true },
    /* dracut waits for its root without limit; some services have none either */
    { MARK_FAILED, BOOT_INITRAMFS,
      "(start job is running for .*" WAITED_FOR "|" WAITED_FOR ".*/start running) .*"
      "\\(([1-9]|[1-9][0-9])min.* / no limit\\)",
      "the initramfs waits for a device that does not come", false },
    { MARK_FAILED, BOOT_SYSTEM,
      "You are in emergency mode|Give root password for maintenance|"
      "Press Enter for maintenance|root account is locked",
      "emergency mode", false },
    { MARK_HINT, BOOT_LOADER, "^error: .*(not found|no such|unknown|not a )", NULL, false },
    { MARK_HINT, BOOT_KERNEL, "VFS: (Unable to mount|Cannot open) root", NULL, false },
    { MARK_HINT, BOOT_INITRAMFS,
      "ALERT! .* does not exist|dracut.*(does not exist|could not boot)|Gave up waiting for", NULL,
      false },
    { MARK_HINT, BOOT_SYSTEM,
      "Timed out waiting for device|Failed to mount|Dependency failed for .*[Ff]ile [Ss]ystem",
      NULL, false },
    { MARK_REACHED, BOOT_LOGIN, "^[[:alnum:]._-]+ login: ", NULL, true },
    { MARK_REACHED, BOOT_LOADER,
      "GNU GRUB|Welcome to GRUB|GRUB loading|Loading Linux|Loading initial ramdisk|Booting `", NULL,
      false },
    { MARK_REACHED, BOOT_INITRAMFS,
      "Welcome to .*([Ii]nitramfs|dracut|initrd)|^Loading, please wait|^Begin: |"
      "Run /init as init|dracut-(cmdline|initqueue)",
      NULL, false },
    { MARK_REACHED, BOOT_SYSTEM, "Welcome to |INIT: version", NULL, false },
    { MARK_REACHED, BOOT_KERNEL,
      "Linux version |Probing EDD|Decompressing Linux|EFI stub:|^\\[ +[0-9]+\\.[0-9]{6}\\]", NULL,
      false },
    { MARK_REACHED, BOOT_FIRMWARE, "SeaBIOS|BdsDxe|Booting from|TianoCore", NULL, false },
};

struct boot_matcher {
    regex_t compiled[ARRAY_SIZE(marks)];
};

const char *boot_stage_name(enum boot_stage stage)
{
    static const char *const names[] = {
        [BOOT_NOTHING] = "nothing", [BOOT_FIRMWARE] = "firmware",   [BOOT_LOADER] = "boot loader",
        [BOOT_KERNEL] = "kernel",   [BOOT_INITRAMFS] = "initramfs", [BOOT_SYSTEM] = "system",
        [BOOT_LOGIN] = "login",
    };

    return names[stage];
}

void boot_console_init(struct boot_console *console)
{
    *console = (struct boot_console){ .watching = true };
    console->matcher = mem_alloc(sizeof(*console->matcher));
    for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
        if (regcomp(&console->matcher->compiled[i], marks[i].pattern, REG_EXTENDED | REG_NOSUB))
            log_debug("bad pattern %s", marks[i].pattern); /* a unit test compiles them all */
}

void boot_console_done(struct boot_console *console)
{
    if (console->matcher)
        for (size_t i = 0; i < ARRAY_SIZE(marks); i++)
            regfree(&console->matcher->compiled[i]);
    free(console->matcher);
    strbuf_done(&console->text);
    *console = (struct boot_console){ .watching = false };
}

const char *boot_console_last_line(const struct boot_console *console)
{
    return strbuf_text(&console->text) + console->line;
}

/* "[  *** ] " and "[    1.234567] " in front of a message tell nothing. */
static const char *message_of(const char *line)
{
    const char *end;

    line += strspn(line, " \t");
    end = *line == '[' ? strchr(line, ']') : NULL;
    if (end && end - line < 20)
        line = end + 1 + strspn(end + 1, " ");
    return line;
}

static void apply_mark(struct boot_console *console, const struct mark *mark, const char *line)
{
    switch (mark->kind) {
    case MARK_REACHED:
        if (mark->stage > console->stage)
            console->stage = mark->stage;
        break;
    case MARK_HINT:
        (void)snprintf(console->hint, sizeof(console->hint), "%.150s", message_of(line));
        break;
    case MARK_FAILED:
        console->failed = true;
        if (mark->stage > console->stage)
            console->stage = mark->stage;
        (void)snprintf(console->reason, sizeof(console->reason), "%s: %.150s", mark->reason,
                       *console->hint ? console->hint : message_of(line));
        break;
    }
}

/* Look at the last line as it is now. */
static void judge_line(struct boot_console *console, bool is_whole)
{
    const char *line = boot_console_last_line(console);

    if (*line == '\0' || !console->watching || console->failed || console->stage == BOOT_LOGIN)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
        if ((is_whole || marks[i].is_prompt) &&
            regexec(&console->matcher->compiled[i], line, 0, NULL, 0) == 0) {
            apply_mark(console, &marks[i], line);
            return;
        }
    }
}

static void end_line(struct boot_console *console)
{
    if (console->line == console->text.len)
        return; /* empty lines are not kept */
    judge_line(console, true);
    strbuf_putc(&console->text, '\n');
    if (console->text.len > MAX_TEXT) {
        size_t drop = MAX_TEXT / 2;

        memmove(console->text.data, console->text.data + drop, console->text.len - drop + 1);
        console->text.len -= drop;
    }
    console->line = console->text.len;
}

enum escape { TEXT, ESC, CSI, STRING };

/*
 * Terminal control of ECMA-48: ESC alone, ESC [ ... final byte 0x40-0x7e, and ESC ] ... BEL.
 * Returns true when @c was part of it. Moving the cursor begins a new line.
 */
static bool eat_escape(struct boot_console *console, char c)
{
    switch (console->escape) {
    case TEXT:
        console->escape = c == '\033' ? ESC : TEXT;
        return c == '\033';
    case ESC:
        console->escape = c == '[' ? CSI : c == ']' ? STRING : c == '(' ? ESC : TEXT;
        return true;
    case CSI:
        if (c >= 0x40 && c <= 0x7e) {
            console->escape = TEXT;
            if (c == 'H' || c == 'f' || c == 'J')
                end_line(console);
        }
        return true;
    default:
        console->escape = c == '\a' || c == '\033' ? TEXT : STRING;
        return true;
    }
}

static void take_byte(struct boot_console *console, char c)
{
    if (c == '\n' || console->carriage)
        end_line(console);
    console->carriage = c == '\r';
    if (eat_escape(console, c))
        return;
    if (c == '\b' && console->text.len > console->line)
        console->text.data[--console->text.len] = '\0';
    else if (c == '\t' || (unsigned char)c >= ' ')
        strbuf_putc(&console->text, c);
    if (console->text.len - console->line >= MAX_LINE)
        end_line(console);
}

void boot_console_feed(struct boot_console *console, const char *data, size_t len)
{
    if (len > 0 && console->stage == BOOT_NOTHING)
        console->stage = BOOT_FIRMWARE;
    for (size_t i = 0; i < len; i++)
        take_byte(console, data[i]);
    judge_line(console, false);
}

char *boot_console_tail(const struct boot_console *console, unsigned n_lines)
{
    const char *text = strbuf_text(&console->text);
    size_t start = console->text.len;

    while (start > 0 && n_lines > 0) {
        start--;
        while (start > 0 && text[start - 1] != '\n')
            start--;
        n_lines--;
    }
    return mem_strdup(text + start);
}
