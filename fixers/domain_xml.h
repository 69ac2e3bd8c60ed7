/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt domain XML: written for a target, and read back for what a boot test needs of it. */
#ifndef H2K_FIXERS_DOMAIN_XML_H
#define H2K_FIXERS_DOMAIN_XML_H

#include <stdbool.h>

#include "engine/base/err.h"
#include "fixers/hardware.h"
#include "fixers/job.h"

#define DOMAIN_MARK " written by h2k " /* the comment that a domain begins with */

struct domain_disk {
    char *path;
    char *format;         /* qemu's name; NULL: detect */
    uint32_t sector_size; /* bytes; 0: 512 */
};

/* What a domain is made of, as far as we write and read it. Zero-initialise; domain_done(). */
struct domain {
    char *name;
    const struct machine *machine;   /* a literal; NULL: a PC */
    const struct hardware *hardware; /* a literal; NULL: virtio */
    bool uefi, secure_boot;          /* the second only with the first */
    bool clock_is_local;             /* the guest keeps local time in the hardware clock */
    bool is_windows;
    bool has_hyperv; /* it uses what Hyper-V would offer it: Windows from NT 6.0 on */
    const char *bus; /* of the first disk, as boot_bus_find() names it: a literal; NULL: unknown */
    struct domain_disk *disks;
    size_t n_disks;
    struct strlist macs; /* one per NIC; "" when libvirt shall choose */
    char *os_id;         /* libosinfo id, "http://debian.org/debian/12"; NULL: unknown */
    unsigned memory_mib, n_cpus;
};

void domain_done(struct domain *domain);

/* Write @domain to @path (mode @mode, atomically). */
int domain_write(const struct domain *domain, const char *path, mode_t mode, struct err *err);

/* The domain for the targets of a finished job, from its facts and --nic. */
int domain_xml_write(const struct job *job, const char *path, struct err *err);

/* Read a libvirt domain. STATUS_FAILED when it is none, is no PC or has no disk that is a file. */
int domain_read(const char *path, struct domain *ret, struct err *err);

#endif
