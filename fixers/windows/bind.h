/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Binding a disk controller's driver before Windows runs, so that the kernel finds it: its service,
 * and what leads from the device to the service. Up to NT 6.1 that is CriticalDeviceDatabase
 * (Microsoft, KB 314082), from 6.2 on DriverDatabase (libguestfs' inject_virtio_win.ml; layouts as
 * in hives of Windows 8.1 to 11).
 */
#ifndef H2K_FIXERS_WINDOWS_BIND_H
#define H2K_FIXERS_WINDOWS_BIND_H

#include "fixers/windows/target.h"

#define BIND_VERSION_LEN 48U

/* The service of @driver, which starts with Windows, in every control set in use. */
void bind_service(struct plan *plan, const struct fact_windows *windows,
                  const struct inf_service *service, const char *reason);

/* From the devices of @driver to its service that starts with Windows, which it must have. 0, or
 * negative errno and *err. */
int bind_devices(struct plan *plan, const struct fact_windows *windows,
                 const struct win_driver *driver, enum win_arch arch, const char *reason,
                 struct err *err);

/* The device IDs that are bound: those of the INF, and each PCI device of them as such
 * ("PCI\VEN_1AF4&DEV_1001"). */
void bind_ids(const struct inf_driver *inf, struct strlist *ret);

/* "Version" of a driver package: class, date and version of the driver. false: the class is no
 * GUID. */
bool bind_version(const struct inf_driver *inf, uint8_t ret[BIND_VERSION_LEN]);

#endif
