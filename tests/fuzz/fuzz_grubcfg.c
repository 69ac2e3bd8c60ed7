/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whatever the text is: plain values stand where the parser says, and a changed one is read back.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/grubcfg.h"
#include "inspect/grubenv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_linux(const char *text, const struct grubcfg_linux *linux_, struct edits *edits)
{
    for (size_t i = 0; i < linux_->n_args; i++) {
        const struct grubcfg_arg *arg = &linux_->args[i];

        if (!arg->plain)
            continue;
        if (!span_is(text, arg->value_at, arg->value))
            abort();
        edits_add(edits, arg->value_at, "UUID=1");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct edits edits = { 0 };
    struct grubcfg cfg, again;
    char *out;
    size_t len;

    grubcfg_parse(text, size, &cfg);
    (void)grubcfg_default(&cfg, "1>2");
    for (size_t i = 0; i < cfg.n_linuxes; i++)
        check_linux(text, &cfg.linuxes[i], &edits);
    out = edits_apply(&edits, text, size, &len);
    grubcfg_parse(out, len, &again);
    if (again.n_linuxes != cfg.n_linuxes || again.n_entries != cfg.n_entries)
        abort();
    for (size_t i = 0; i < cfg.n_linuxes; i++)
        for (size_t a = 0; a < cfg.linuxes[i].n_args; a++)
            if (cfg.linuxes[i].args[a].plain &&
                strcmp(again.linuxes[i].args[a].value, "UUID=1") != 0)
                abort();
    free(out);
    free(grubenv_get(text, size, "saved_entry"));
    edits_done(&edits);
    grubcfg_done(&cfg);
    grubcfg_done(&again);
    return 0;
}
