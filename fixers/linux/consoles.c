/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Consoles of kernels and of GRUB. Those of Xen (hvc0, xvc0) are not there any more: the serial
 * port takes their place. Others are added only when asked for: the screen stays one, and the last
 * one named, the serial port, is where /dev/console leads.
 */
#include <ctype.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/boot_args.h"
#include "fixers/machine.h"
#include "inspect/bootmenu.h"

#define SPEED "115200"
#define SERIAL_COMMAND "serial --unit=0 --speed=" SPEED

/* ---- arguments of kernels ---- */

static const char *serial_of(const struct facts *facts)
{
    return machine_for(facts->arch)->serial;
}

char *console_fixed(const struct facts *facts, const char *value)
{
    const char *serial = serial_of(facts);

    if ((strncmp(value, "hvc", 3) != 0 && strncmp(value, "xvc", 3) != 0) ||
        !isdigit((unsigned char)value[3]) || strncmp(serial, "hvc", 3) == 0)
        return NULL;
    return mem_strdup(serial);
}

/* Does the kernel get a console there, on the serial port or (@any) on whatever? */
static bool has_console(const struct boot_file *file, struct span at, bool any)
{
    const char *serial = serial_of(file->ctx->facts);
    struct kernel_arg arg;
    size_t pos = at.start;

    while (kernel_arg_next(file->text, &at, &pos, &arg)) {
        CLEANUP_FREE char *value = span_dup(file->text, arg.value);
        CLEANUP_FREE char *fixed = console_fixed(file->ctx->facts, value);
        const char *end = fixed ? fixed : value;
        size_t len = strcspn(end, ",");

        if (span_is(file->text, arg.name, "console") &&
            (any || (len == strlen(serial) && strncmp(end, serial, len) == 0)))
            return true;
    }
    return false;
}

/* Without blanks at its ends, and without the quotes that enclose it. */
static struct span trim(const char *text, struct span at)
{
    while (at.len > 0 && strchr(" \t\r", text[at.start + at.len - 1]))
        at.len--;
    while (at.len > 0 && strchr(" \t", text[at.start])) {
        at.start++;
        at.len--;
    }
    if (at.len >= 2 && strchr("\"'", text[at.start]) &&
        text[at.start + at.len - 1] == text[at.start])
        return (struct span){ at.start + 1, at.len - 2 };
    return at;
}

/* Arguments that come with a variable get theirs there; those of the hypervisor Xen are others. */
static bool is_other(const char *text, struct span at)
{
    CLEANUP_FREE char *args = span_dup(text, at);
    size_t word = strcspn(args, " \t");
    const char *variable = strstr(args, "$kernelopts");
    const char *name = memrchr(args, '/', word);

    return variable || (name && strncmp(name, "/xen", 4) == 0);
}

/* What is added to @at; NULL: nothing. Free it. */
static char *missing_consoles(const struct boot_file *file, struct span at)
{
    if (!file->ctx->opts->serial_console || has_console(file, at, false))
        return NULL;
    return mem_printf("%sconsole=%s," SPEED, has_console(file, at, true) ? "" : "console=tty0 ",
                      serial_of(file->ctx->facts));
}

static void add(struct boot_file *file, struct span at, const char *with)
{
    edits_add(&file->edits, at, with);
    file->n_consoles++;
}

void consoles_add(struct boot_file *file, struct span at)
{
    CLEANUP_FREE char *consoles = missing_consoles(file, at);
    CLEANUP_FREE char *text = NULL;

    if (!consoles || is_other(file->text, at))
        return;
    at = trim(file->text, at);
    text = mem_printf("%s%s", at.len > 0 ? " " : "", consoles);
    add(file, (struct span){ at.start + at.len, 0 }, text);
}

/* ---- shell assignments ---- */

/* Does another part of GRUB's command line bring it? */
static bool has_in_others(const struct boot_file *file, const struct shellvar *var)
{
    CLEANUP_SHELLVARS struct shellvars vars = { 0 };

    if (strncmp(var->name, "GRUB_CMDLINE_", 13) != 0)
        return false;
    shellvars_parse(file->text, strlen(file->text), &vars);
    for (size_t i = 0; i < vars.n; i++)
        if (strncmp(vars.vars[i].name, "GRUB_CMDLINE_", 13) == 0 &&
            has_console(file, vars.vars[i].raw, false))
            return true;
    return false;
}

void consoles_add_to_var(struct boot_file *file, const struct shellvar *var)
{
    CLEANUP_FREE char *consoles = missing_consoles(file, var->raw);
    CLEANUP_FREE char *text = NULL;

    if (!consoles || var->appends || has_in_others(file, var))
        return;
    if (!var->quote && !span_is(file->text, var->raw, var->value)) {
        plan_note(file->plan, "%s: %s is quoted in a way that is not understood; add %s there",
                  file->path, var->name, consoles);
        return;
    }
    text = mem_printf("%s%s%s%s", !var->quote && var->raw.len == 0 ? "\"" : "",
                      var->raw.len > 0 ? " " : "", consoles, var->quote ? "" : "\"");
    if (!var->quote && var->raw.len > 0)
        add(file, (struct span){ var->raw.start, 0 }, "\"");
    add(file, (struct span){ var->raw.start + var->raw.len, 0 }, text);
}

/* ---- GRUB ---- */

/* "gfxterm" -> "gfxterm serial"; a line is added when nothing sets it. */
static void add_terminal(struct boot_file *file, const struct shellvars *vars, const char *name,
                         const char *usual, struct strbuf *lines)
{
    const struct shellvar *var = shellvars_find(vars, name);
    CLEANUP_FREE char *value = mem_printf("\"%s serial\"", var && *var->value ? var->value : usual);

    if (!var)
        strbuf_printf(lines, "%s=%s\n", name, value);
    else if (var->literal && !strstr(var->value, "serial"))
        add(file, var->at, value);
}

void consoles_add_defaults(struct boot_file *file)
{
    CLEANUP_SHELLVARS struct shellvars vars = { 0 };
    CLEANUP_STRBUF struct strbuf lines = { 0 };
    size_t len = strlen(file->text);
    const char *output;

    if (!file->ctx->opts->serial_console)
        return;
    shellvars_parse(file->text, len, &vars);
    if (!shellvars_find(&vars, "GRUB_CMDLINE_LINUX"))
        strbuf_printf(&lines, "GRUB_CMDLINE_LINUX=\"console=tty0 console=%s," SPEED "\"\n",
                      serial_of(file->ctx->facts));
    output = shellvars_get(&vars, "GRUB_TERMINAL_OUTPUT");
    if (file->ctx->facts->firmware == FIRMWARE_BIOS) {
        if (shellvars_get(&vars, "GRUB_TERMINAL") || !output) {
            add_terminal(file, &vars, "GRUB_TERMINAL", "console", &lines);
        } else {
            add_terminal(file, &vars, "GRUB_TERMINAL_INPUT", "console", &lines);
            add_terminal(file, &vars, "GRUB_TERMINAL_OUTPUT", "console", &lines);
        }
        if (!shellvars_get(&vars, "GRUB_SERIAL_COMMAND"))
            strbuf_puts(&lines, "GRUB_SERIAL_COMMAND=\"" SERIAL_COMMAND "\"\n");
    }
    if (lines.len > 0) {
        CLEANUP_FREE char *text =
            mem_printf("%s%s", len > 0 && file->text[len - 1] != '\n' ? "\n" : "", lines.data);

        add(file, (struct span){ len, 0 }, text);
    }
}

void consoles_add_menu(struct boot_file *file)
{
    static const char *const entries[] = { "blscfg", "menuentry", "submenu" };
    static const char block[] = "if " SERIAL_COMMAND "; then\n"
                                "  terminal_input --append serial\n"
                                "  terminal_output --append serial\n"
                                "fi\n";
    struct span line, word;
    size_t pos = 0;

    /* UEFI firmware shows what is on the screen on the serial port as well */
    if (!file->ctx->opts->serial_console || file->ctx->facts->firmware != FIRMWARE_BIOS ||
        strstr(file->text, "serial --"))
        return;
    while (line_next(file->text, strlen(file->text), &pos, &line)) {
        if (fields_split(file->text, &line, &word, 1) == 0)
            continue;
        if (span_is(file->text, word, "serial")) /* GRUB_TERMINAL names it */
            return;
        for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
            if (!span_is(file->text, word, entries[i]))
                continue;
            add(file, (struct span){ line.start, 0 }, block);
            return;
        }
    }
}

/* ---- loaders ---- */

void consoles_note(const struct fix_context *ctx, struct plan *plan)
{
    static const char *const edited[] = { "elilo",  "extlinux", "grub-legacy", "grub2",
                                          "limine", "refind",   "syslinux",    "systemd-boot" };

    for (size_t i = 0; i < ARRAY_SIZE(edited); i++)
        if (strcmp(ctx->facts->boot_loader, edited[i]) == 0)
            return;
    if (ctx->opts->serial_console)
        plan_note(plan,
                  "the arguments of kernels are not edited for this boot loader (%s); add "
                  "console=tty0 console=%s," SPEED " by hand",
                  *ctx->facts->boot_loader ? ctx->facts->boot_loader : "not known",
                  serial_of(ctx->facts));
}
