/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixers/linux/network_match.h"

#include <ctype.h>
#include <fnmatch.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "engine/base/mem.h"
#include "inspect/fields.h"
#include "inspect/keyfile.h"

bool is_old_driver(const char *word)
{
    static const char *const drivers[] = { "vmxnet3", "vmxnet2",      "vmxnet",       "e1000",
                                           "e1000e",  "pcnet32",      "vlance",       "hv_netvsc",
                                           "netvsc",  "xen_netfront", "xen-netfront", "xennet",
                                           "xen-vnif" };

    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
        if (strcmp(word, drivers[i]) == 0)
            return true;
    return false;
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

void swap_drivers(const char *text, struct span range, const char *driver, struct edits *edits)
{
    size_t at = range.start, end = range.start + range.len;

    while (at < end) {
        struct span word = { at, 0 };
        CLEANUP_FREE char *name = NULL;

        while (at < end && is_word(text[at]))
            at++;
        word.len = at - word.start;
        name = span_dup(text, word);
        if (is_old_driver(name) && strcmp(name, driver) != 0 && text[word.start - 1] != '!')
            edits_add(edits, word, driver);
        at += word.len == 0;
    }
}

enum match_result match_finish(const struct edits *edits, const char *text, bool unsure,
                               char **ret_text)
{
    if (edits->n > 0)
        *ret_text = edits_apply(edits, text, strlen(text), NULL);
    if (unsure)
        return MATCH_UNSURE;
    return edits->n > 0 ? MATCH_FIXED : MATCH_SAME;
}

/* ---- files of sections ---- */

/* How one kind of file calls things. */
struct dialect {
    const char *section, *driver, *path;
    const char *name_section, *name; /* what binds the file to an interface name */
    const char *mac_section, *mac, *permanent_mac;
};

static const struct dialect networkd = {
    "Match", "Driver", "Path", "Match", "Name", "Match", "MACAddress", "PermanentMACAddress",
};
static const struct dialect link_file = {
    /* a .link file's own match has no name that lasts: OriginalName is the kernel's */
    "Match", "Driver", "Path", "", "", "Match", "MACAddress", "PermanentMACAddress",
};
static const struct dialect networkmanager = {
    "match",          "driver",   "path",        "connection",
    "interface-name", "ethernet", "mac-address", "mac-address",
};

static bool has_value(const struct keyfile *keyfile, const char *section, const char *key)
{
    const char *value = keyfile_get(keyfile, section, key);

    return value && *value;
}

/* Bytes of the entry from its key on, with the end of its line when @whole_line. */
static struct span entry_span(const char *text, const struct keyfile_entry *entry, bool whole_line)
{
    size_t start = entry->value_at.start, end = start + entry->value_at.len;

    while (start > 0 && text[start - 1] != '\n')
        start--;
    if (whole_line) {
        while (text[end] && text[end] != '\n')
            end++;
        end += text[end] == '\n';
    }
    return (struct span){ start, end - start };
}

/* systemd.network(5): what systemd-detect-virt says. "!vmware" stays. */
static void fix_virtualization(const struct keyfile_entry *entry, struct edits *edits)
{
    static const char *const others[] = { "vmware", "microsoft", "xen", "oracle", "parallels" };

    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (strcmp(entry->value, others[i]) == 0)
            edits_add(edits, entry->value_at, "kvm");
}

/* Of a udev device: "ID_NET_DRIVER=vmxnet3 ID_PATH=pci-0000:0b:00.0". false when a slot is named.
 */
static bool fix_property(const char *text, const struct keyfile_entry *entry, const char *driver,
                         struct edits *edits)
{
    static const char *const places[] = { "ID_PATH", "ID_NET_NAME_SLOT", "ID_NET_NAME_PATH",
                                          "ID_VENDOR_ID", "ID_MODEL_ID" };

    if (strstr(entry->value, "ID_NET_DRIVER"))
        swap_drivers(text, entry->value_at, driver, edits);
    for (size_t i = 0; i < ARRAY_SIZE(places); i++)
        if (strstr(entry->value, places[i]))
            return false;
    return true;
}

/* A match by slot: it goes when something else still says which interface is meant. */
static bool fix_path(const char *text, const struct keyfile *keyfile,
                     const struct keyfile_entry *entry, const struct dialect *dialect,
                     const struct match_target *target, struct edits *edits)
{
    CLEANUP_FREE char *line = NULL;
    bool is_link = dialect == &link_file;

    if (fnmatch(entry->value, SOME_SLOT, 0) == 0 || !*entry->value)
        return true;
    if (has_value(keyfile, dialect->name_section, dialect->name) ||
        has_value(keyfile, dialect->mac_section, dialect->mac) ||
        has_value(keyfile, dialect->mac_section, dialect->permanent_mac) ||
        (is_link && !target->mac && target->name &&
         has_value(keyfile, dialect->section, dialect->driver))) {
        edits_add(edits, entry_span(text, entry, true), "");
        return true;
    }
    if (is_link && target->mac)
        line = mem_printf("%s=%s", dialect->mac, target->mac);
    else if (is_link && target->name)
        line = mem_printf("%s=%s", dialect->driver, target->driver);
    else if (!is_link && target->name && dialect == &networkd)
        line = mem_printf("%s=%s", dialect->name, target->name);
    else if (!is_link && target->name)
        line = mem_printf("interface-name=%s;", target->name);
    if (!line)
        return false;
    edits_add(edits, entry_span(text, entry, false), line);
    return true;
}

static enum match_result fix_sections(const char *text, const struct dialect *dialect,
                                      const struct match_target *target, char **ret_text)
{
    CLEANUP_EDITS struct edits edits = { 0 };
    CLEANUP_KEYFILE struct keyfile keyfile = { 0 };
    bool sure = true;

    keyfile_parse(text, strlen(text), &keyfile);
    for (size_t i = 0; i < keyfile.n; i++) {
        const struct keyfile_entry *entry = &keyfile.entries[i];

        if (strcmp(entry->section, dialect->section) != 0)
            continue;
        if (strcmp(entry->key, dialect->driver) == 0)
            swap_drivers(text, entry->value_at, target->driver, &edits);
        else if (strcmp(entry->key, dialect->path) == 0)
            sure &= fix_path(text, &keyfile, entry, dialect, target, &edits);
        else if (strcmp(entry->key, "Virtualization") == 0)
            fix_virtualization(entry, &edits);
        else if (strcmp(entry->key, "Property") == 0)
            sure &= fix_property(text, entry, target->driver, &edits);
    }
    return match_finish(&edits, text, !sure, ret_text);
}

enum match_result match_fix_unit(const char *text, bool is_link, const struct match_target *target,
                                 char **ret_text)
{
    return fix_sections(text, is_link ? &link_file : &networkd, target, ret_text);
}

enum match_result match_fix_keyfile(const char *text, const struct match_target *target,
                                    char **ret_text)
{
    return fix_sections(text, &networkmanager, target, ret_text);
}

enum match_result match_fix_conf(const char *text, const char *driver, char **ret_text)
{
    static const char *const keys[] = { "match-device", "unmanaged-devices", "no-auto-default",
                                        "ignore-carrier" };
    CLEANUP_EDITS struct edits edits = { 0 };
    CLEANUP_KEYFILE struct keyfile keyfile = { 0 };

    keyfile_parse(text, strlen(text), &keyfile);
    for (size_t i = 0; i < keyfile.n; i++)
        for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
            if (strcmp(keyfile.entries[i].key, keys[k]) == 0 &&
                strstr(keyfile.entries[i].value, "driver:"))
                swap_drivers(text, keyfile.entries[i].value_at, driver, &edits);
    return match_finish(&edits, text, false, ret_text);
}

/* ---- lines ---- */

/* Where the value behind `driver:` on the line is, up to a comment; false when there is none. */
static bool find_yaml_driver(const char *text, const struct span *line, struct span *ret)
{
    static const char key[] = "driver";
    size_t end = line->start + line->len;

    for (size_t at = line->start; at + sizeof(key) <= end && text[at] != '#'; at++) {
        size_t after = at + sizeof(key) - 1;

        if (strncmp(text + at, key, sizeof(key) - 1) != 0 ||
            (at > line->start && is_word(text[at - 1])))
            continue;
        after += after < end && (text[after] == '"' || text[after] == '\'');
        while (after < end && text[after] == ' ')
            after++;
        if (after >= end || text[after] != ':')
            continue;
        *ret = (struct span){ after + 1, 0 };
        while (after < end && text[after] != '#' && text[after] != '}')
            after++;
        ret->len = after - ret->start;
        return true;
    }
    return false;
}

enum match_result match_fix_netplan(const char *text, const char *driver, char **ret_text)
{
    CLEANUP_EDITS struct edits edits = { 0 };
    size_t pos = 0, len = strlen(text);
    struct span line, value;

    while (line_next(text, len, &pos, &line))
        if (find_yaml_driver(text, &line, &value))
            swap_drivers(text, value, driver, &edits);
    return match_finish(&edits, text, false, ret_text);
}
