/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is known of a Windows system beyond what every system has: plain data, owned by struct facts
 * (facts->windows, NULL for others). Paths are the guest's, as they are spelled there. Strings are
 * never NULL; unknown is "".
 */
#ifndef H2K_INSPECT_WINDOWS_FACTS_H
#define H2K_INSPECT_WINDOWS_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/mem.h"

/* Where the partition that the firmware starts from is seen when it is not the one of Windows: no
 * name of a file can have a colon, so nothing of the guest is called like that. */
#define WINDOWS_SYSTEM_VOLUME "/SYSTEM:"

struct win_drive {
    char *letter;      /* "C" */
    char *device;      /* guest name of the volume, "" when it is none of those given */
    bool is_ambiguous; /* several of those given may be meant */
};

/* A route of IPv6 that goes by an interface. */
struct win_route {
    char *prefix;    /* "::/0" */
    char *gateway;   /* "" on the link */
    uint32_t metric; /* 0: automatic */
};

/* An interface of TCP/IP that has addresses of its own. */
struct win_nic {
    char *guid;      /* "{...}", as below Tcpip\Parameters\Interfaces */
    char *name;      /* of the connection: "Ethernet0" */
    char *device;    /* instance of the device: "PCI\VEN_8086&..." */
    char *mac;       /* lower case with colons, when the registry tells */
    bool is_static;  /* else DHCP (of IPv4) */
    bool is_present; /* the device was there when Windows ran last, as far as can be told */
    struct strlist addresses, masks, gateways, dns, wins;
    struct strlist addresses6; /* that were set by hand: "2001:db8::5/64" */
    struct win_route *routes6;
    size_t n_routes6;
    struct strlist dns6;
    bool ip6_unknown;            /* there is more, in a form that is not known */
    char *domain;                /* DNS suffix */
    uint32_t metric;             /* 0: automatic */
    uint64_t luid;               /* how the network stack calls the interface; 0: not known */
    uint64_t installed, arrived; /* when, in 100 ns since 1601: the interface was made, the device
                                    came last; 0: not known */
};

struct fact_windows {
    char *system_root; /* "/Windows" */
    char *system_hive; /* "/Windows/System32/config/SYSTEM" */
    char *software_hive;
    struct strlist control_sets; /* those in use, the default first: "ControlSet001" */
    uint32_t nt_major, nt_minor, build;
    uint32_t ubr;          /* update build revision: what follows the build; 0: it says none */
    char *display_version; /* "22H2" */
    bool is_server;
    bool is_domain_controller;
    char *edition;      /* EditionID */
    char *install_type; /* "Client", "Server Core" ... */
    char *service_pack;
    char *domain;             /* that the machine is a member of, as far as the hives tell */
    bool has_driver_database; /* drivers are bound by it (from NT 6.2 on) */
    bool hive_dirty;          /* a hive had to be recovered from its logs */
    bool hibernated;          /* hiberfil.sys holds an image of a running system */
    bool bitlocker;           /* its partition is encrypted, and was opened with a key */
    bool rtc_is_utc;          /* RealTimeIsUniversal; else the clock has local time */
    bool group_policies;      /* of a domain: they may undo changes */
    char *antivirus;          /* product that is known to stop boots on new hardware */
    char *bcd;                /* path of the boot configuration data */
    char *boot_ini;           /* of XP and 2003 */
    char *boot_entry;         /* of those: object or line that starts this system; "" none does */
    bool is_default;          /* what the boot manager starts is this system */
    bool test_signing;        /* its boot entry lets drivers with test signatures in */

    /* Drivers that are bound to their device and start with the system, in all control sets in
     * use: what it can be started from now, before anything is changed. */
    bool boots_virtio_blk, boots_virtio_scsi;
    bool boots_ahci, boots_ide;
    bool has_virtio_net;  /* a driver of virtio network cards is installed */
    struct strlist tools; /* of hypervisors, as they were found: "vmware", "xen", "parallels",
                             "virtualbox", "hyperv" */
    struct strlist notes; /* what is odd, for people */
    struct win_drive *drives;
    size_t n_drives;
    struct win_nic *nics;
    size_t n_nics;
};

struct fact_windows *fact_windows_new(void); /* all strings "" */
void fact_windows_free(struct fact_windows *windows);
struct win_drive *fact_windows_add_drive(struct fact_windows *windows);
struct win_nic *fact_windows_add_nic(struct fact_windows *windows);
struct win_route *fact_windows_add_route(struct win_nic *nic);
void fact_windows_drop_last_nic(struct fact_windows *windows);

#endif
