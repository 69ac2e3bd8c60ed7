/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdarg.h>

#include "engine/base/cleanup.h"
#include "engine/base/log.h"
#include "inspect/windows/windows.h"

bool win_data(struct hive *hive, const char *key, const char *name, struct hive_value *ret)
{
    struct err err = ERR_NONE;
    char text[2 * ERR_TEXT];
    int r = hive ? hive_get(hive, key, name, ret, &err) : 0;

    if (r < 0)
        log_debug("%s, %s: %s", key, name, err_text(&err, text, sizeof(text)));
    return r > 0;
}

char *win_text(struct hive *hive, const char *key, const char *name)
{
    struct hive_value value = { 0 };
    char *text;

    if (!win_data(hive, key, name, &value))
        return NULL;
    text = hive_value_text(&value);
    hive_value_done(&value);
    return text;
}

bool win_u32(struct hive *hive, const char *key, const char *name, uint32_t *ret)
{
    struct hive_value value = { 0 };
    bool found;

    if (!win_data(hive, key, name, &value))
        return false;
    found = hive_value_u32(&value, ret);
    hive_value_done(&value);
    return found;
}

void win_list(struct hive *hive, const char *key, const char *name, struct strlist *ret)
{
    struct hive_value value = { 0 };

    if (!win_data(hive, key, name, &value))
        return;
    (void)hive_value_list(&value, ret);
    hive_value_done(&value);
}

void win_keys(struct hive *hive, const char *key, struct strlist *ret)
{
    struct err err = ERR_NONE;
    char text[2 * ERR_TEXT];

    if (hive && hive_keys(hive, key, ret, &err) < 0)
        log_debug("%s: %s", key, err_text(&err, text, sizeof(text)));
}

void win_values(struct hive *hive, const char *key, struct hive_values *ret)
{
    struct err err = ERR_NONE;
    char text[2 * ERR_TEXT];

    if (hive && hive_get_all(hive, key, ret, &err) < 0)
        log_debug("%s: %s", key, err_text(&err, text, sizeof(text)));
}

bool win_has_key(struct hive *hive, const char *key)
{
    struct err err = ERR_NONE;

    return hive && hive_has_key(hive, key, &err) > 0;
}

char *win_key(const struct win_reader *reader, const char *fmt, ...)
{
    const struct strlist *sets = &reader->windows->control_sets;
    CLEANUP_FREE char *below = NULL;
    va_list args;

    va_start(args, fmt);
    below = mem_vprintf(fmt, args);
    va_end(args);
    return mem_printf("%s\\%s", sets->n > 0 ? sets->items[0] : "ControlSet001", below);
}
