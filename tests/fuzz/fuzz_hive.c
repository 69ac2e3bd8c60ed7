/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A hive (see hive_input.h) is checked, walked and exported; what was exported can be read. */
#include "engine/hive_parts.h"
#include "engine/regfile.h"
#include "tests/fuzz/hive_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk_all(struct hive *hive)
{
    CLEANUP_HIVE_WALK struct hive_walk walk = { 0 };
    struct hive_key key;
    struct err err = ERR_NONE;

    if (hive_key_at(hive, hive->root, &key, &err) < 0 ||
        hive_walk_start(&walk, hive, &key, &err) < 0)
        return;
    while (hive_walk_next(&walk, &key, &err) > 0) {
        CLEANUP_STRLIST struct strlist keys = { 0 };
        struct hive_values values = { 0 };
        struct err unread = ERR_NONE;

        (void)hive_keys(hive, strbuf_text(&walk.path), &keys, &unread);
        (void)hive_key_values(hive, &key, &values, &unread);
        for (size_t i = 0; i < values.n; i++) {
            CLEANUP_STRLIST struct strlist list = { 0 };

            (void)hive_value_list(&values.items[i], &list);
        }
        hive_values_done(&values);
    }
}

static void export_all(struct hive *hive)
{
    static const struct regfile_map map = { "X", "" };
    CLEANUP_REGFILE_EDITS struct regfile_edits edits = { 0 };
    CLEANUP_STRBUF struct strbuf file = { 0 };
    struct err err = ERR_NONE;

    if (regfile_export(hive, "", "X", &file, &err) > 0 &&
        (regfile_import(file.data, file.len, &map, 1, &edits, &err) < 0 || edits.n == 0 ||
         edits.n_elsewhere > 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hive *hive = hive_input(data, size);
    struct err err = ERR_NONE;

    if (!hive)
        return 0;
    (void)hive_check(hive, &err);
    walk_all(hive);
    export_all(hive);
    hive_free(hive);
    return 0;
}
