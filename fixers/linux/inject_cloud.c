/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cloud-init: a seed in the guest itself, which source of data it asks, or a file that keeps it
 * from doing anything. Sources: cloud-init's documentation of NoCloud and of disabling it.
 */
#include <string.h>

#include "engine/base/cleanup.h"
#include "fixers/linux/inject.h"

#define SEED "/var/lib/cloud/seed/nocloud"
#define CLOUD_REASON "the user wants cloud-init to do this"

/* A new instance for each seed: cloud-init does most things once for an instance. */
static uint64_t hash(uint64_t start, const char *text)
{
    for (const char *c = text; c && *c; c++)
        start = (start ^ (unsigned char)*c) * 1099511628211U; /* FNV-1a */
    return start;
}

/* NoCloud wants user data and meta data, even without content. */
static void write_seed(struct plan *plan, const struct inject_cloud *cloud)
{
    uint64_t id = hash(hash(14695981039346656037U, cloud->user_data), cloud->network_config);
    CLEANUP_FREE char *meta = mem_printf("instance-id: h2k-%016llx\n", (unsigned long long)id);
    const struct {
        const char *path, *text, *other;
    } files[] = {
        { SEED "/user-data", cloud->user_data, "#cloud-config\n{}\n" },
        { SEED "/meta-data", cloud->meta_data, meta },
        { SEED "/network-config", cloud->network_config, NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        const char *text = files[i].text ? files[i].text : files[i].other;

        if (!text)
            continue;
        inject_parents(plan, files[i].path);
        plan_write_new(plan, files[i].path, text, 0600, CLOUD_REASON);
    }
}

/* Read after all that the distribution and the user have there. */
static void write_sources(struct plan *plan, const struct strlist *sources)
{
    CLEANUP_STRBUF struct strbuf text = { 0 };

    strbuf_puts(&text, "datasource_list: [ ");
    for (size_t i = 0; i < sources->n; i++)
        strbuf_printf(&text, "%s%s", i ? ", " : "", sources->items[i]);
    if (sources->n == 0)
        strbuf_puts(&text, "NoCloud, None");
    strbuf_puts(&text, " ]\n");
    plan_write_new(plan, "/etc/cloud/cloud.cfg.d/zz-h2k.cfg", strbuf_text(&text), 0644,
                   CLOUD_REASON);
}

int inject_cloud(const struct fix_context *ctx, struct plan *plan, struct err *err)
{
    const struct inject_cloud *cloud = &ctx->opts->inject.cloud;
    bool has_seed = cloud->user_data || cloud->meta_data || cloud->network_config;
    bool is_there = plan_exists(plan, "/etc/cloud/cloud.cfg");

    if (!has_seed && cloud->datasources.n == 0 && !cloud->disable)
        return 0;
    if (!is_there && cloud->disable) /* it cannot do anything */
        return 0;
    if (!is_there)
        return err_status(err, STATUS_USAGE,
                          "the guest has no cloud-init (/etc/cloud/cloud.cfg is missing)");
    if (has_seed)
        write_seed(plan, cloud);
    if (has_seed || cloud->datasources.n > 0)
        write_sources(plan, &cloud->datasources);
    if (cloud->disable)
        plan_write_new(plan, "/etc/cloud/cloud-init.disabled", "", 0644,
                       "the user does not want cloud-init to do anything");
    return 0;
}
