/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cloud-init wrote static addresses that VMware gave it. Without VMware it may find another source
 * of data, or none, take the guest for a new instance and write DHCP over them.
 */
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/network.h"

#define CONF_DIR "/etc/cloud/cloud.cfg.d"
#define OUR_FILE CONF_DIR "/99-h2k-network.cfg"
#define HEAD_BYTES 1024 /* where cloud-init says that a file is its own */

/* Did cloud-init write the file? 0, 1 or negative errno. */
static int is_its_file(struct network *network, const char *path, struct err *err)
{
    CLEANUP_FREE char *text = NULL, *head = NULL;
    int r;

    if (!guest_is_file(network->plan->root, path))
        return 0;
    r = plan_read_text(network->plan, path, &text, err);
    if (r <= 0)
        return r;
    head = mem_strndup(text, HEAD_BYTES);
    return strstr(head, "cloud-init") != NULL || strstr(path, "cloud-init") != NULL;
}

static int is_disabled(struct network *network, const char *path, const char *text, void *arg)
{
    size_t pos = 0, len = strlen(text);
    struct span line;

    (void)network, (void)path, (void)arg;
    while (line_next(text, len, &pos, &line)) {
        CLEANUP_FREE char *copy = span_dup(text, line);
        const char *key = strstr(copy, "config:");

        if (copy[strspn(copy, " ")] != '#' && key &&
            strncmp(key + 7 + strspn(key + 7, " \"'"), "disabled", 8) == 0)
            return 1;
    }
    return 0;
}

int network_cloud(struct network *network, struct err *err)
{
    const struct facts *facts = network->ctx->facts;
    int r = 0;

    if (!guest_is_file(network->plan->root, "/etc/cloud/cloud.cfg") ||
        guest_exists(network->plan->root, "/etc/cloud/cloud-init.disabled"))
        return 0;
    for (size_t i = 0; r == 0 && i < facts->n_nics; i++)
        if (facts->nics[i].is_static)
            r = is_its_file(network, facts->nics[i].source, err);
    if (r <= 0)
        return r;
    r = network_each_file(network, "/etc/cloud", "cloud.cfg", is_disabled, NULL, err);
    if (r == 0)
        r = network_each_file(network, CONF_DIR, "*.cfg", is_disabled, NULL, err);
    if (r != 0)
        return r < 0 ? r : 0;
    plan_write_new(network->plan, OUR_FILE,
                   "# the static addresses stay as they are (h2k)\nnetwork: {config: disabled}\n",
                   0644,
                   "cloud-init wrote static addresses, and without VMware it may write others over "
                   "them");
    return 0;
}
