/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kudzu (EL5 and older) looks for changed hardware at each boot: it asks on the console, and takes
 * the configuration of a card that is gone out of use (ifcfg-eth0 becomes ifcfg-eth0.bak).
 */
#include <fnmatch.h>
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/network.h"

#define REASON "kudzu would take the configuration of the old network card out of use"

/* What `chkconfig kudzu off` does in one run level. */
static int stop_in(struct network *network, const char *folder, struct err *err)
{
    CLEANUP_STRLIST struct strlist names = { 0 };

    if (!guest_is_dir(network->plan->root, folder))
        return 0;
    if (guest_list(network->plan->root, folder, &names, err) < 0)
        return -err->code;
    for (size_t i = 0; i < names.n; i++) {
        CLEANUP_FREE char *path = mem_printf("%s/%s", folder, names.items[i]);
        CLEANUP_FREE char *target = NULL, *stop = NULL;

        if (fnmatch("S[0-9][0-9]kudzu", names.items[i], 0) != 0)
            continue;
        target = plan_readlink(network->plan, path);
        if (!target)
            continue;
        stop = mem_printf("%s/K95kudzu", folder);
        plan_remove(network->plan, path, REASON);
        plan_link(network->plan, target, stop, REASON);
    }
    return 0;
}

int network_kudzu(struct network *network, struct err *err)
{
    int r = 0;

    for (int level = 2; r == 0 && level <= 5; level++) {
        CLEANUP_FREE char *folder = mem_printf("/etc/rc.d/rc%d.d", level);

        r = stop_in(network, folder, err);
    }
    return r;
}
