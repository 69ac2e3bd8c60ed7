/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/boot_login.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/io.h"
#include "engine/base/mem.h"
#include "engine/base/text.h"

/* Printed by the shell in the guest. The quotes in what is typed keep its echo from matching. */
#define READY "H2K-READY"
#define TYPE_READY " stty -echo; PS1=; PS2=; echo H2K'-'READY"
#define STATUS "H2K-STATUS="
#define TYPE_STATUS "; echo H2K'-'STATUS=$?"

enum { AT_LOGIN, AT_PASSWORD, AT_PROMPT, AT_READY, AT_COMMAND };

/* Type a line. What was on the screen before is not looked at again. */
static int type(struct boot_console *console, int fd, const char *text, struct err *err)
{
    CLEANUP_FREE char *line = mem_printf("%s\r", text);
    int r = io_write_full(fd, line, strlen(line));

    if (r < 0)
        return err_set(err, -r, "type on the serial console");
    console->text.len = 0;
    console->line = 0;
    if (console->text.data)
        console->text.data[0] = '\0';
    return LOGIN_GOING_ON;
}

static bool is_shell_prompt(const char *line)
{
    return text_ends_with(line, "# ") || text_ends_with(line, "$ ") || text_ends_with(line, "% ");
}

/* The status line after the command's output, once it is complete. */
static int take_result(struct boot_login *login, const struct boot_console *console)
{
    const char *text = strbuf_text(&console->text);
    const char *status = strstr(text, STATUS);
    uint64_t number = 0;

    if (!status || !strchr(status, '\n'))
        return LOGIN_GOING_ON;
    for (const char *c = status + strlen(STATUS); *c >= '0' && *c <= '9' && number < 1000; c++)
        number = number * 10 + (uint64_t)(*c - '0');
    login->status = (int)number;
    login->output = mem_strndup(text, (size_t)(status - text));
    return LOGIN_DONE;
}

int boot_login_step(struct boot_login *login, struct boot_console *console, int fd, struct err *err)
{
    const char *line = boot_console_last_line(console);
    const char *colon = strchr(login->user_password, ':');
    CLEANUP_FREE char *text = NULL;

    console->watching = false;
    if (login->state < AT_READY && strstr(strbuf_text(&console->text), "Login incorrect"))
        return LOGIN_REFUSED;
    switch (login->state) {
    case AT_LOGIN:
        login->state = AT_PASSWORD;
        text = mem_strndup(login->user_password, (size_t)(colon - login->user_password));
        return type(console, fd, text, err);
    case AT_PASSWORD:
        if (text_ends_with(line, "assword: ")) {
            login->state = AT_PROMPT;
            return type(console, fd, colon + 1, err);
        }
        __attribute__((fallthrough)); /* an account without password */
    case AT_PROMPT:
        if (!is_shell_prompt(line))
            return LOGIN_GOING_ON;
        login->state = AT_READY;
        return type(console, fd, TYPE_READY, err);
    case AT_READY:
        if (!strstr(strbuf_text(&console->text), READY "\n"))
            return LOGIN_GOING_ON;
        login->state = AT_COMMAND;
        text = mem_printf("{ %s\n}%s", login->command, TYPE_STATUS);
        return type(console, fd, text, err);
    default:
        return take_result(login, console);
    }
}

void boot_login_done(struct boot_login *login)
{
    free(login->output);
    login->output = NULL;
}
