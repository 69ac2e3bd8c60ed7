/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * "alias eth0 vmxnet" in modprobe.conf(5): EL5, SLES 10 and older load the driver of an interface
 * by it.
 */
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/network.h"

static bool is_interface(const char *word)
{
    size_t len = strcspn(word, "0123456789");

    return len > 0 && word[len] && strspn(word + len, "0123456789") == strlen(word + len);
}

static int fix_file(struct network *network, const char *path, const char *text, void *arg)
{
    const char *driver = network->driver;
    CLEANUP_EDITS struct edits edits = { 0 };
    CLEANUP_FREE char *fixed = NULL;
    size_t pos = 0, len = strlen(text);
    struct span line, words[3];

    (void)arg;
    while (line_next(text, len, &pos, &line)) {
        size_t n = fields_split(text, &line, words, ARRAY_SIZE(words));
        CLEANUP_FREE char *name = n == 3 ? span_dup(text, words[1]) : NULL;
        CLEANUP_FREE char *old = n == 3 ? span_dup(text, words[2]) : NULL;

        if (name && span_is(text, words[0], "alias") && is_interface(name) && is_old_driver(old) &&
            strcmp(old, driver) != 0)
            edits_add(&edits, words[2], driver);
    }
    if (edits.n == 0)
        return 0;
    fixed = edits_apply(&edits, text, len, NULL);
    plan_write(network->plan, path, fixed, "the card of the new machine has another driver");
    return 0;
}

int network_aliases(struct network *network, struct err *err)
{
    static const struct {
        const char *dir, *pattern;
    } places[] = {
        { "/etc", "modprobe.conf" }, { "/etc", "modprobe.conf.local" }, { "/etc", "modules.conf" },
        { "/etc", "conf.modules" },  { "/etc/modprobe.d", "*" },
    };
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(places); i++)
        r = network_each_file(network, places[i].dir, places[i].pattern, fix_file, NULL, err);
    return r < 0 ? r : 0;
}
