/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Settings that were made for VMware's cards and that virtio refuses. */
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/network.h"
#include "inspect/shellvars.h"

/* ---- ifcfg ---- */

/* virtio_net has rings and no coalescing of its own to set, no pause frames, no negotiation. */
static bool is_refused(const char *word)
{
    static const char *const words[] = { "-G",
                                         "--set-ring",
                                         "-C",
                                         "--coalesce",
                                         "-A",
                                         "--pause",
                                         "-s",
                                         "--change",
                                         "speed",
                                         "duplex",
                                         "autoneg",
                                         "lro",
                                         "large-receive-offload" };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return is_old_driver(word);
}

static bool has_refused(const char *text)
{
    static const char between[] = " \t;'\"";
    bool found = false;

    while (!found && *(text += strspn(text, between))) {
        size_t len = strcspn(text, between);
        CLEANUP_FREE char *word = mem_strndup(text, len);

        found = is_refused(word);
        text += len;
    }
    return found;
}

/* ETHTOOL_OPTS of Red Hat, ETHTOOL_OPTIONS of SUSE, with or without a suffix. */
static int fix_ifcfg(struct network *network, const char *path, const char *text, void *arg)
{
    CLEANUP_SHELLVARS struct shellvars vars = { 0 };
    CLEANUP_EDITS struct edits edits = { 0 };
    CLEANUP_FREE char *fixed = NULL;

    (void)arg;
    shellvars_parse(text, strlen(text), &vars);
    for (size_t i = 0; i < vars.n; i++) {
        const struct shellvar *var = &vars.vars[i];
        size_t start = var->at.start;

        if (strncmp(var->name, "ETHTOOL_OPT", 11) != 0 || !has_refused(var->value) ||
            memchr(text + start, '\n', var->at.len))
            continue;
        while (start > 0 && text[start - 1] != '\n')
            start--;
        edits_add(&edits, (struct span){ start, 0 }, "#");
    }
    if (edits.n == 0)
        return 0;
    fixed = edits_apply(&edits, text, strlen(text), NULL);
    plan_write(network->plan, path, fixed,
               "these settings were for the old network card, a virtio card refuses them");
    return 0;
}

/* ---- ifupdown ---- */

/* "pre-up /sbin/ethtool -G ens192 rx 4096": when it fails, the interface stays down. */
static bool may_fail(const char *text, const struct span *line)
{
    static const char *const phases[] = {
        "pre-up", "up", "post-up", "pre-down", "down", "post-down"
    };
    CLEANUP_FREE char *copy = span_dup(text, *line);
    CLEANUP_FREE char *command = NULL;
    struct span words[3];
    const char *slash;
    bool is_phase = false;

    if (fields_split(text, line, words, ARRAY_SIZE(words)) < 2 || strpbrk(copy, "|&;\\#"))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
        is_phase |= span_is(text, words[0], phases[i]);
    command = span_dup(text, words[1]);
    slash = strrchr(command, '/');
    return is_phase && strcmp(slash ? slash + 1 : command, "ethtool") == 0;
}

static int fix_interfaces(struct network *network, const char *path, const char *text, void *arg)
{
    CLEANUP_EDITS struct edits edits = { 0 };
    CLEANUP_FREE char *fixed = NULL;
    size_t pos = 0, len = strlen(text);
    struct span line;

    (void)arg;
    while (line_next(text, len, &pos, &line))
        if (may_fail(text, &line))
            edits_add(&edits, (struct span){ line.start + line.len, 0 }, " || true");
    if (edits.n == 0)
        return 0;
    fixed = edits_apply(&edits, text, len, NULL);
    plan_write(network->plan, path, fixed,
               "a virtio card may refuse what ethtool set on the old one, and the interface would "
               "stay down");
    return 0;
}

int network_ethtool(struct network *network, struct err *err)
{
    static const struct {
        const char *dir, *pattern;
        network_file_fn fn;
    } places[] = {
        { "/etc/sysconfig/network-scripts", "ifcfg-*", fix_ifcfg },
        { "/etc/sysconfig/network", "ifcfg-*", fix_ifcfg },
        { "/etc/network", "interfaces", fix_interfaces },
        { "/etc/network/interfaces.d", "*", fix_interfaces },
    };
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(places); i++)
        r = network_each_file(network, places[i].dir, places[i].pattern, places[i].fn, NULL, err);
    return r < 0 ? r : 0;
}
