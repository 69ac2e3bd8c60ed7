/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A .reg file. Whatever it asks for has a key, and a value its name. */
#include <stdlib.h>

#include "engine/regfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct regfile_map maps[] = {
        { "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet", "ControlSet001" },
        { "HKEY_LOCAL_MACHINE\\SYSTEM", "" },
        { "X", "below" },
    };
    CLEANUP_REGFILE_EDITS struct regfile_edits edits = { 0 };
    struct err err = ERR_NONE;

    if (regfile_import(data, size, maps, 3, &edits, &err) < 0)
        return 0;
    for (size_t i = 0; i < edits.n; i++) {
        const struct hive_edit *edit = &edits.items[i];
        bool has_value = edit->kind == HIVE_SET || edit->kind == HIVE_UNSET;

        if (!edit->key || has_value != (edit->value.name != NULL) ||
            has_value != (edit->value.data != NULL))
            abort();
    }
    return 0;
}
