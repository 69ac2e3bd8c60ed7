/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inspect/windows/facts.h"

#include "inspect/fact_strings.h"

static const size_t windows_strings[] = {
    FACT_STRING(fact_windows, system_root),   FACT_STRING(fact_windows, system_hive),
    FACT_STRING(fact_windows, software_hive), FACT_STRING(fact_windows, display_version),
    FACT_STRING(fact_windows, edition),       FACT_STRING(fact_windows, install_type),
    FACT_STRING(fact_windows, service_pack),  FACT_STRING(fact_windows, domain),
    FACT_STRING(fact_windows, antivirus),     FACT_STRING(fact_windows, bcd),
    FACT_STRING(fact_windows, boot_ini),      FACT_STRING(fact_windows, boot_entry),
};
static const size_t drive_strings[] = {
    FACT_STRING(win_drive, letter),
    FACT_STRING(win_drive, device),
};
static const size_t nic_strings[] = {
    FACT_STRING(win_nic, guid), FACT_STRING(win_nic, name),   FACT_STRING(win_nic, device),
    FACT_STRING(win_nic, mac),  FACT_STRING(win_nic, domain),
};

static const size_t route_strings[] = {
    FACT_STRING(win_route, prefix),
    FACT_STRING(win_route, gateway),
};

/* All but its strings. */
static void nic_done(struct win_nic *nic)
{
    struct strlist *lists[] = { &nic->addresses, &nic->masks,      &nic->gateways, &nic->dns,
                                &nic->wins,      &nic->addresses6, &nic->dns6 };

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        strlist_done(lists[i]);
    FACT_FREE(nic->routes6, nic->n_routes6, route_strings);
}

struct fact_windows *fact_windows_new(void)
{
    struct fact_windows *windows = mem_alloc(sizeof(*windows));

    fact_strings_init(windows, windows_strings, ARRAY_SIZE(windows_strings));
    return windows;
}

void fact_windows_free(struct fact_windows *windows)
{
    if (!windows)
        return;
    for (size_t i = 0; i < windows->n_nics; i++)
        nic_done(&windows->nics[i]);
    FACT_FREE(windows->nics, windows->n_nics, nic_strings);
    FACT_FREE(windows->drives, windows->n_drives, drive_strings);
    strlist_done(&windows->control_sets);
    strlist_done(&windows->tools);
    strlist_done(&windows->notes);
    FACT_FREE(windows, 1, windows_strings);
}

struct win_drive *fact_windows_add_drive(struct fact_windows *windows)
{
    return FACT_ADD(windows->drives, windows->n_drives, drive_strings);
}

struct win_nic *fact_windows_add_nic(struct fact_windows *windows)
{
    return FACT_ADD(windows->nics, windows->n_nics, nic_strings);
}

struct win_route *fact_windows_add_route(struct win_nic *nic)
{
    return FACT_ADD(nic->routes6, nic->n_routes6, route_strings);
}

void fact_windows_drop_last_nic(struct fact_windows *windows)
{
    struct win_nic *nic = &windows->nics[--windows->n_nics];

    nic_done(nic);
    fact_strings_done(nic, 1, sizeof(*nic), nic_strings, ARRAY_SIZE(nic_strings));
}
