/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/windows/network_text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/utf16.h"
#include "fixers/windows/embedded.h"

/* ---- texts ---- */

/* How a language writes a text. */
struct language {
    const char *begin, *end; /* of a list */
    char quote;
    const char *before, *behind; /* the number of a character */
    const char *join;
};

static const struct language powershell = { "@(", ")", '\'', "[char]", "", " + " };
static const struct language vbscript = { "Array(", ")", '"', "ChrW(", ")", " & " };

/* Each character that could mean something else is given by its number. */
static void add_text(const struct language *language, const char *text, struct strbuf *ret)
{
    CLEANUP_STRBUF struct strbuf units = { 0 };

    utf16_from_utf8(text, strlen(text), &units);
    strbuf_printf(ret, "(%c", language->quote);
    for (size_t i = 0; i + 1 < units.len; i += 2) {
        unsigned unit = (unsigned char)units.data[i] | (unsigned)(unsigned char)units.data[i + 1]
                                                           << 8;

        if (unit < 0x80 && (isalnum((int)unit) || strchr(" -_.:{}&\\#()/", (int)unit))) {
            strbuf_putc(ret, (char)unit);
            continue;
        }
        strbuf_printf(ret, "%c%s%s%u%s%s%c", language->quote, language->join, language->before,
                      unit, language->behind, language->join, language->quote);
    }
    strbuf_printf(ret, "%c)", language->quote);
}

void script_text(enum win_script_kind kind, const char *text, struct strbuf *ret)
{
    add_text(kind == WIN_SCRIPT_POWERSHELL ? &powershell : &vbscript, text, ret);
}

static void add_list(const struct language *language, const struct strlist *list,
                     struct strbuf *ret)
{
    strbuf_puts(ret, language->begin);
    for (size_t i = 0; i < list->n; i++) {
        strbuf_puts(ret, i ? ", " : "");
        add_text(language, list->items[i], ret);
    }
    strbuf_puts(ret, language->end);
}

static void add_numbers(const struct strlist *list, struct strbuf *ret)
{
    strbuf_puts(ret, vbscript.begin);
    for (size_t i = 0; i < list->n; i++)
        strbuf_printf(ret, "%s%s", i ? ", " : "", list->items[i]);
    strbuf_puts(ret, vbscript.end);
}

/* ---- PowerShell ---- */

static unsigned prefix_of(const char *mask)
{
    struct in_addr addr = { 0 };

    (void)inet_pton(AF_INET, mask, &addr);
    return (unsigned)__builtin_popcount(addr.s_addr);
}

static void add_field(const char *name, const char *text, struct strbuf *ret)
{
    strbuf_printf(ret, "    %s = ", name);
    add_text(&powershell, text, ret);
    strbuf_putc(ret, '\n');
}

static void add_list_field(const char *name, const struct strlist *list, struct strbuf *ret)
{
    strbuf_printf(ret, "    %s = ", name);
    add_list(&powershell, list, ret);
    strbuf_putc(ret, '\n');
}

static void add_flag(const char *name, bool value, struct strbuf *ret)
{
    strbuf_printf(ret, "    %s = $%s\n", name, value ? "true" : "false");
}

/* "AA-BB-CC-DD-EE-FF", as Get-NetAdapter has it. */
static char *windows_mac(const char *mac)
{
    char *text = mem_strdup(mac);

    for (char *c = text; *c; c++) {
        *c = (char)toupper((unsigned char)*c);
        if (*c == ':')
            *c = '-';
    }
    return text;
}

static void add_powershell(const struct net_record *record, struct strbuf *ret)
{
    CLEANUP_STRLIST struct strlist addresses = { 0 }, gateways = { 0 };
    CLEANUP_FREE char *mac = windows_mac(record->mac);

    for (size_t i = 0; i < record->addresses.n; i++)
        strlist_take(&addresses, mem_printf("%s/%u", record->addresses.items[i],
                                            prefix_of(record->masks.items[i])));
    for (size_t i = 0; i < record->gateways.n; i++)
        strlist_take(&gateways,
                     mem_printf("%s %s", record->gateways.items[i], record->metrics.items[i]));
    strbuf_puts(ret, "$records += @{\n");
    add_field("Name", record->name, ret);
    add_field("Guid", record->guid, ret);
    add_field("Device", record->device, ret);
    add_field("Mac", mac, ret);
    add_list_field("Addresses", &addresses, ret);
    add_list_field("Gateways", &gateways, ret);
    add_list_field("Addresses6", &record->addresses6, ret);
    add_list_field("Routes6", &record->routes6, ret);
    add_list_field("Dns", &record->dns, ret);
    add_field("Suffix", record->suffix, ret);
    add_list_field("Wins", &record->wins, ret);
    add_list_field("Leftovers", &record->leftovers, ret);
    strbuf_printf(ret, "    Metric = %u\n", record->metric);
    add_flag("Single", record->is_single, ret);
    add_flag("Dhcp", record->dhcp, ret);
    add_flag("Wanted", record->is_wanted, ret);
    strbuf_puts(ret, "}\n");
}

char *network_powershell(const struct net_records *records)
{
    CLEANUP_FREE char *script = embedded_script(EMBEDDED_NETWORK_PS1);
    struct strbuf text = { 0 };

    strbuf_puts(&text, "$records = @()\n");
    for (size_t i = 0; i < records->n; i++)
        add_powershell(&records->items[i], &text);
    strbuf_puts(&text, script);
    return strbuf_take(&text);
}

/* ---- VBScript ---- */

static void add_more(const struct strlist *list, struct strbuf *ret)
{
    strbuf_puts(ret, ", ");
    add_list(&vbscript, list, ret);
}

static void add_vbscript(const struct net_record *record, bool by_netsh, struct strbuf *ret)
{
    CLEANUP_STRLIST struct strlist dns4 = { 0 }, dns6 = { 0 };
    const char *const texts[] = { record->name, record->guid, record->mac };
    const bool flags[] = { record->is_single, record->dhcp, record->is_wanted };

    for (size_t i = 0; i < record->dns.n; i++)
        strlist_add(strchr(record->dns.items[i], ':') ? &dns6 : &dns4, record->dns.items[i]);
    strbuf_puts(ret, "    Restore ");
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        add_text(&vbscript, texts[i], ret);
        strbuf_puts(ret, ", ");
    }
    strbuf_printf(ret, "%s", by_netsh ? "True" : "False");
    add_more(&record->addresses, ret);
    add_more(&record->masks, ret);
    add_more(&record->gateways, ret);
    strbuf_puts(ret, ", ");
    add_numbers(&record->metrics, ret);
    add_more(&record->addresses6, ret);
    add_more(&record->routes6, ret);
    add_more(&dns4, ret);
    add_more(&dns6, ret);
    strbuf_puts(ret, ", ");
    add_text(&vbscript, record->suffix, ret);
    add_more(&record->wins, ret);
    add_more(&record->leftovers, ret);
    strbuf_printf(ret, ", %u", record->metric);
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        strbuf_puts(ret, flags[i] ? ", True" : ", False");
    strbuf_putc(ret, '\n');
}

char *network_vbscript(const struct net_records *records, bool by_netsh)
{
    CLEANUP_FREE char *script = embedded_script(EMBEDDED_NETWORK_VBS);
    struct strbuf text = { 0 };

    strbuf_printf(&text, "%sSub RestoreAll\n", script);
    for (size_t i = 0; i < records->n; i++)
        add_vbscript(&records->items[i], by_netsh, &text);
    strbuf_puts(&text, "End Sub\n");
    return strbuf_take(&text);
}
