/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A Windows guest of a few files and registry keys; what a fixer plans for it, as text; and that it
 * plans nothing once that is done. */
#ifndef H2K_TESTS_UNIT_WIN_UTIL_H
#define H2K_TESTS_UNIT_WIN_UTIL_H

#include "fixers/apply.h"
#include "fixers/fixer.h"
#include "inspect/windows/facts.h"
#include "tests/unit/hive_util.h"
#include "tests/unit/tree.h"

#define WIN_SYSTEM "/Windows/System32/config/SYSTEM"

struct win_guest {
    struct tree tree;
    struct facts *facts;
    struct fix_opts opts;
};

/* "00,ff" */
static inline void win_hex(struct hive_value *ret, const char *name, const char *text)
{
    unsigned char bytes[256];
    size_t n = 0;

    for (char *end = NULL; *text; text = *end ? end + 1 : end) {
        assert_true(n < sizeof(bytes));
        bytes[n++] = (unsigned char)strtoul(text, &end, 16);
    }
    hive_make_data(ret, name, REG_BINARY, bytes, n);
}

/* "a,b" */
static inline void win_put_list(struct hive_value *ret, const char *name, char *text)
{
    struct strlist list = { 0 };
    char *save = NULL;

    for (char *item = strtok_r(text, ",", &save); item; item = strtok_r(NULL, ",", &save))
        strlist_add(&list, item);
    hive_make_list(ret, name, &list);
    strlist_done(&list);
}

/* "name=sz:text", "expand:", "multi:a,b", "hex:00,ff", "dword:4" (hexadecimal) */
static inline void win_value(struct hive_value *ret, char *line)
{
    char *type = strchr(line, '='), *data;

    assert_non_null(type);
    *type++ = '\0';
    data = strchr(type, ':');
    assert_non_null(data);
    *data++ = '\0';
    if (strcmp(type, "sz") == 0 || strcmp(type, "expand") == 0)
        hive_make_text(ret, line, *type == 's' ? REG_SZ : REG_EXPAND_SZ, data);
    else if (strcmp(type, "multi") == 0)
        win_put_list(ret, line, data);
    else if (strcmp(type, "hex") == 0)
        win_hex(ret, line, data);
    else if (strcmp(type, "dword") == 0)
        hive_make_u32(ret, line, (uint32_t)strtoul(data, NULL, 16));
    else
        fail_msg("a value of type %s", type);
}

/* Put a hive at @path; @text has lines "[key]" and values below them. */
static inline void win_put_hive(const struct tree *tree, const char *path, const char *text)
{
    struct strbuf empty = { 0 }, made = { 0 };
    struct hive_edit *edits = NULL;
    struct hive *hive = NULL;
    struct err err = ERR_NONE;
    char *copy = mem_strdup(text), *save = NULL;
    const char *key = "";
    char *full = tree_path(tree, path);
    size_t n = 0;

    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        struct hive_edit *edit = mem_add(&edits, &n, sizeof(*edit));

        edit->kind = line[0] == '[' ? HIVE_ADD_KEY : HIVE_SET;
        if (line[0] == '[') {
            line[strlen(line) - 1] = '\0';
            key = line + 1;
        } else {
            win_value(&edit->value, line);
        }
        edit->key = mem_strdup(key);
    }
    hive_util_empty(&empty);
    assert_int_equal(hive_from_bytes(&empty, path, &hive, &err), 0);
    if (hive_edit(hive, edits, n, &made, &err) < 0)
        fail_msg("%s cannot be made: %s", path, err.text[0]);
    assert_int_equal(io_write_file(full, made.data, made.len, 0600, &err), 0);
    for (size_t i = 0; i < n; i++)
        hive_edit_done(&edits[i]);
    free(edits);
    strbuf_done(&made);
    hive_free(hive);
    free(copy);
    free(full);
}

static inline void win_device(struct facts *facts, const char *name, const char *table,
                              const char *id, uint64_t start_bytes, uint64_t size_bytes)
{
    struct fact_device *device = facts_add_device(facts);

    facts_set(&device->name, name);
    facts_set(&device->kind, *table ? "disk" : "partition");
    facts_set(&device->table, table);
    facts_set(*table ? &device->table_id : &device->part_uuid, id);
    free(device->disk);
    device->disk = mem_strndup(name, strlen("/dev/sda"));
    device->part_number = *table ? 0 : (unsigned)strtoul(name + strlen("/dev/sda"), NULL, 10);
    device->start_bytes = start_bytes;
    device->size_bytes = size_bytes;
}

#define WIN_DISK_GUID "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
#define WIN_ESP_GUID "11111111-2222-3333-4444-555555555555"
#define WIN_ROOT_GUID "8d7c9f2a-1b3c-4d5e-8f60-718293a4b5c6"

/* Windows 10 on /dev/sda2 of a disk with a GPT; the hive SYSTEM holds @system. */
static inline void win_guest_open(struct win_guest *guest, const char *system)
{
    struct facts *facts = facts_new();
    struct fact_windows *windows = fact_windows_new();
    struct win_drive *drive = fact_windows_add_drive(windows);

    *guest = (struct win_guest){ .facts = facts };
    tree_open(&guest->tree, NULL);
    facts->os = OS_WINDOWS;
    facts->windows = windows;
    win_device(facts, "/dev/sda", "gpt", WIN_DISK_GUID, 0, 64ULL << 30);
    win_device(facts, "/dev/sda1", "", WIN_ESP_GUID, 1U << 20, 100U << 20);
    win_device(facts, "/dev/sda2", "", WIN_ROOT_GUID, 128U << 20, 60ULL << 30);
    facts_set(&facts->root, "/dev/sda2");
    facts_set(&facts->arch, "x86_64");
    facts_set(&windows->system_root, "/Windows");
    facts_set(&windows->system_hive, WIN_SYSTEM);
    facts_set(&drive->letter, "C");
    facts_set(&drive->device, "/dev/sda2");
    windows->nt_major = 10;
    windows->build = 19045;
    strlist_add(&windows->control_sets, "ControlSet001");
    win_put_hive(&guest->tree, WIN_SYSTEM, system);
}

static inline void win_guest_close(struct win_guest *guest)
{
    facts_free(guest->facts);
    tree_close(&guest->tree);
}

static inline struct plan *win_plan(const struct win_guest *guest, const struct fixer *fixer)
{
    const struct fix_context ctx = { .facts = guest->facts, .opts = &guest->opts };
    struct plan *plan = plan_new(guest->tree.root);
    struct err err = ERR_NONE;
    const char *why = NULL;

    plan->fixer = fixer->name;
    assert_int_equal(fixer->os, OS_WINDOWS);
    assert_true(fixer->applies(&ctx, &why));
    if (fixer->plan(&ctx, plan, &err) < 0)
        fail_msg("%s: %s", fixer->name, err.text[0]);
    if (plan->err.code)
        fail_msg("%s: %s", fixer->name, plan->err.text[0]);
    return plan;
}

/* Changes with their reasons, then notes. Free it. */
static inline char *win_plan_text(const struct plan *plan)
{
    struct strbuf text = { 0 };

    for (size_t i = 0; i < plan->n; i++) {
        char *diff = change_diff(&plan->changes[i], true);

        strbuf_printf(&text, "%s: %s\n%s", plan->changes[i].path, plan->changes[i].reason, diff);
        free(diff);
    }
    for (size_t i = 0; i < plan->notes.n; i++)
        strbuf_printf(&text, "note: %s\n", plan->notes.items[i]);
    return strbuf_take(&text);
}

/* Notes stay: they are no changes. */
static inline void win_expect(const struct win_guest *guest, const struct fixer *fixer,
                              const char *want)
{
    struct plan *plan = win_plan(guest, fixer);
    char *text = win_plan_text(plan);
    struct err err = ERR_NONE;

    assert_string_equal(text, want);
    if (plan_apply(plan, &err) < 0)
        fail_msg("%s", err.text[0]);
    plan_free(plan);
    free(text);
    plan = win_plan(guest, fixer);
    text = win_plan_text(plan);
    if (plan->n > 0)
        fail_msg("planned again: %s", text);
    plan_free(plan);
    free(text);
}

#endif
