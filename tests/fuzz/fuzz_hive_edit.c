/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two bytes that say how long a .reg file is, it, then a hive (see hive_input.h): the file's edits
 * are made in the hive. What comes of that is sound, and a second time there is nothing to do. */
#include "engine/regfile.h"
#include "tests/fuzz/hive_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void edit(struct hive *hive, const struct regfile_edits *edits)
{
    CLEANUP_STRBUF struct strbuf made = { 0 }, again = { 0 };
    struct strbuf copy = { 0 };
    struct err err = ERR_NONE;
    struct hive *result = NULL;

    if (hive_edit(hive, edits->items, edits->n, &made, &err) < 0)
        return;
    strbuf_add(&copy, made.data, made.len);
    if (hive_from_bytes(&copy, "edited", &result, &err) < 0 || hive_check(result, &err) < 0)
        abort();
    (void)hive_edit(result, edits->items, edits->n, &again, &err);
    hive_free(result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct regfile_map map = { "X", "" };
    CLEANUP_REGFILE_EDITS struct regfile_edits edits = { 0 };
    struct err err = ERR_NONE;
    struct hive *hive;
    size_t len;

    if (size < 2)
        return 0;
    len = get_le16(data);
    if (len > size - 2 || regfile_import(data + 2, len, &map, 1, &edits, &err) < 0)
        return 0;
    hive = hive_input(data + 2 + len, size - 2 - len);
    if (hive)
        edit(hive, &edits);
    hive_free(hive);
    return 0;
}
