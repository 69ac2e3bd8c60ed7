/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names that cards have, and how they get them. */
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/naming_files.h"
#include "fixers/linux/network.h"
#include "inspect/shellvars.h"

#define IFCFG_DIR "/etc/sysconfig/network-scripts"
#define TABLE_PATH "/etc/mactab"

/* what a name is given for: "ens192 is configured, and ..." */
#define OTHER_NAME "the virtio card would get another name"
#define LEFT_OVER "; its card is the one that is left, all others are known"
#define NOT_THAT_ONE "its card must not be taken for the one that is not known"

/* ---- does it have one? ---- */

typedef bool (*names_fn)(const char *text, const char *name, const char *mac, const char *driver);

struct question {
    const struct kept *kept;
    names_fn fn;
};

static int ask(struct network *network, const char *path, const char *text, void *arg)
{
    const struct question *question = arg;

    (void)path;
    return question->fn(text, question->kept->name, question->kept->mac, network->driver);
}

int network_is_named(struct network *network, const struct kept *kept, bool by_link,
                     struct err *err)
{
    static const struct {
        const char *dir, *pattern;
        names_fn fn;
    } places[] = {
        { NAMING_LINKS, "*.link", link_names },
        { "/etc/udev/rules.d", "*.rules", rules_name },
        { "/etc/netplan", "*.yaml", netplan_names },
        { IFCFG_DIR, "ifcfg-*", ifcfg_names }, /* where rename_device reads them */
        { "/etc", "mactab", table_names },
    };
    size_t n = by_link ? 1 : ARRAY_SIZE(places);
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++) {
        struct question question = { kept, places[i].fn };

        if ((places[i].fn == ifcfg_names && !has_rename_device(network->plan->root)) ||
            (places[i].fn == table_names && network->way != NAMING_TABLE))
            continue;
        r = network_each_file(network, places[i].dir, places[i].pattern, ask, &question, err);
    }
    return r;
}

/* ---- it gets one ---- */

/* A VLAN has the address of its card and would be given the card's name: networkd then waits for it
 * for ever. It has no path (ID_PATH), every card has one; systemd of any age takes the pattern. */
static int write_link(struct network *network, const struct kept *kept, const char *reason,
                      struct err *err)
{
    CLEANUP_FREE char *path =
        mem_printf(NAMING_LINKS "/%s-h2k-%s.link", kept->order ? kept->order : "10", kept->name);
    CLEANUP_FREE char *match = *kept->mac ? mem_printf("MACAddress=%s\nPath=*", kept->mac)
                                          : mem_printf("Driver=%s", network->driver);
    CLEANUP_FREE char *text = mem_printf("# the name that the network configuration uses (h2k)\n"
                                         "[Match]\n%s\n\n[Link]\nName=%s\n",
                                         match, kept->name);

    (void)err;
    plan_write_new(network->plan, path, text, 0644, reason);
    return 0;
}

static char *with_line(const char *old, const char *line)
{
    size_t len = old ? strlen(old) : 0;

    return mem_printf("%s%s%s\n", old ? old : "", len > 0 && old[len - 1] != '\n' ? "\n" : "",
                      line);
}

/* Add a line to a file that may be missing. */
static int add_line(struct network *network, const char *path, const char *line, const char *reason,
                    struct err *err)
{
    CLEANUP_FREE char *old = NULL, *text = NULL;
    int r = plan_read_text(network->plan, path, &old, err);

    if (r < 0)
        return r;
    text = with_line(old, line);
    plan_write_new(network->plan, path, text, 0644, reason);
    return 0;
}

static int write_rule(struct network *network, const struct kept *kept, const char *reason,
                      struct err *err)
{
    CLEANUP_FREE char *match = *kept->mac
                                   ? mem_printf("DRIVERS==\"?*\", ATTR{address}==\"%s\"", kept->mac)
                                   : mem_printf("DRIVERS==\"%s\"", network->driver);
    CLEANUP_FREE char *line = mem_printf("SUBSYSTEM==\"net\", ACTION==\"add\", %s, "
                                         "ATTR{type}==\"1\", KERNEL==\"eth*\", NAME=\"%s\"",
                                         match, kept->name);

    return add_line(network, NAMING_RULES, line, reason, err);
}

static int write_table(struct network *network, const struct kept *kept, const char *reason,
                       struct err *err)
{
    CLEANUP_FREE char *line = mem_printf("%s %s", kept->name, kept->mac);

    return *kept->mac ? add_line(network, TABLE_PATH, line, reason, err) : 1;
}

struct target {
    const struct kept *kept;
    const char *reason;
};

static int set_hwaddr(struct network *network, const char *path, const char *text, void *arg)
{
    const struct target *target = arg;
    CLEANUP_SHELLVARS struct shellvars vars = { 0 };
    CLEANUP_FREE char *fixed = NULL;
    const char *device;

    shellvars_parse(text, strlen(text), &vars);
    device = shellvars_get(&vars, "DEVICE");
    if (!device || strcmp(device, target->kept->name) != 0)
        return 0;
    if (shellvars_find(&vars, "HWADDR")) {
        fixed = shellvars_set(text, strlen(text), "HWADDR", target->kept->mac, NULL);
    } else {
        CLEANUP_FREE char *line = mem_printf("HWADDR=%s", target->kept->mac);

        fixed = with_line(text, line);
    }
    plan_write(network->plan, path, fixed, target->reason);
    return 1;
}

static int write_hwaddr(struct network *network, const struct kept *kept, const char *reason,
                        struct err *err)
{
    struct target target = { kept, reason };
    int r;

    if (!*kept->mac)
        return 1;
    r = network_each_file(network, IFCFG_DIR, "ifcfg-*", set_hwaddr, &target, err);
    return r < 0 ? r : 0;
}

static int write_nothing(struct network *network, const struct kept *kept, const char *reason,
                         struct err *err)
{
    (void)reason, (void)err;
    plan_note(
        network->plan,
        "%s is configured, and nothing in this guest gives a card that name: the kernel calls "
        "cards eth0, eth1 and so on",
        kept->name);
    return 0;
}

int network_give_name(struct network *network, const struct kept *kept, struct err *err)
{
    static int (*const ways[])(struct network *, const struct kept *, const char *,
                               struct err *) = {
        [NAMING_LINK] = write_link,   [NAMING_RULE] = write_rule,    [NAMING_HWADDR] = write_hwaddr,
        [NAMING_TABLE] = write_table, [NAMING_NONE] = write_nothing,
    };
    CLEANUP_FREE char *reason =
        mem_printf("%s is configured, and %s", kept->name,
                   !kept->order                                 ? OTHER_NAME
                   : strcmp(kept->order, NAMING_LEFT_OVER) == 0 ? OTHER_NAME LEFT_OVER
                                                                : NOT_THAT_ONE);

    return ways[network->way](network, kept, reason, err);
}
