/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What an INF file says to one Windows: devices, files, services, registry values. */
#ifndef H2K_FIXERS_WINDOWS_INF_DRIVER_H
#define H2K_FIXERS_WINDOWS_INF_DRIVER_H

#include <stdbool.h>

#include "fixers/windows/inf.h"

enum win_arch { WIN_X86, WIN_AMD64, WIN_ARM64 };

const char *win_arch_name(enum win_arch arch); /* "x86", "amd64", "arm64" */

/* The Windows that a driver is for. */
struct win_target {
    uint32_t major, minor, build; /* of NT: 10, 0, 19045 */
    enum win_arch arch;
    bool is_server;
    uint32_t suite; /* mask; 0: not known */
    bool has_sha2;  /* before Windows 8: the update for SHA-2 signatures is installed */
};

/* A value of AddReg. */
struct inf_reg {
    char *root;     /* "HKR": of the service or device, "HKLM" ... */
    char *key;      /* below that; "" */
    char *name;     /* "" is the default value */
    uint32_t flags; /* as written; the next ones are read from it: */
    uint32_t type;  /* REG_*, see engine/hive.h */
    bool no_clobber, is_delete, is_append, key_only;
    void *data; /* as the registry stores it */
    size_t len;
};

struct inf_regs {
    struct inf_reg *items;
    size_t n;
};

struct inf_service {
    char *name;         /* "" with is_associated: the device needs none */
    bool is_associated; /* it is the device's own */
    char *display_name;
    uint32_t type, start, error_control; /* as in its key of the registry; 0xffffffff: not said */
    char *group;                         /* LoadOrderGroup; "" */
    char *image;                         /* ImagePath: "system32\drivers\viostor.sys" */
    char *binary;                        /* name of that file: "viostor.sys" */
    struct strlist dependencies;
    struct inf_regs regs; /* of its key: HKR is the key of the service */
};
#define INF_NOT_SAID 0xffffffffU

/* A file of CopyFiles. Names are plain: without folders, "..", colons. */
struct inf_file {
    char *name;        /* where it goes to */
    char *source;      /* in the package */
    char *subdir;      /* of the package where it lies, with "/"; "" */
    uint32_t dirid;    /* of the folder it goes to: 12 is system32\drivers */
    char *dest_subdir; /* below that, with "/"; "" */
};

/* An install section ("DDInstall") with all that belongs to it. */
struct inf_install {
    char *name;    /* as devices name it: "scsi_inst" */
    char *section; /* the one that was chosen: "scsi_inst.NTamd64"; "" when there is none */
    struct inf_service *services;
    size_t n_services;
    struct inf_file *files; /* of its .CoInstallers too */
    size_t n_files;
    struct inf_regs regs, hw_regs; /* of itself and of .HW */
    struct strlist includes;       /* INF files of Windows that it builds on */
};

struct inf_device {
    char *description;
    size_t install;     /* index of its install section */
    struct strlist ids; /* the hardware ID, then compatible ones: "PCI\VEN_1AF4&DEV_1001" */
};

struct inf_driver {
    char *class_name; /* "SCSIAdapter" */
    char *class_guid; /* "{4D36E97B-E325-11CE-BFC1-08002BE10318}", upper case; "" when it is none */
    char *provider;
    char *catalog;       /* name of its signature: "viostor.cat"; "" */
    uint64_t date;       /* of DriverVer, as FILETIME; 0: none */
    uint16_t version[4]; /* 10, 0, 19041, 1266 */
    struct inf_install *installs;
    size_t n_installs;
    struct inf_device *devices; /* for this Windows; none: it is for another one */
    size_t n_devices;
    struct strlist problems; /* what was left out, for people */
};

/* @inf may go away afterwards. Always gives a driver, maybe one without devices. */
struct inf_driver *inf_driver_new(const struct inf *inf, const struct win_target *target);
void inf_driver_free(struct inf_driver *driver);

/* Of a controller of disks, with a service that starts with Windows: that service, else NULL. */
const struct inf_service *inf_driver_boot_service(const struct inf_driver *driver);

/* Folder of a DIRID below that of Windows, with "/": "System32/drivers"; NULL: another place. 13,
 * the driver store, counts as 12: what starts with Windows is looked for there. */
const char *inf_folder(uint32_t dirid);

/* "10.0.19041.1266" into @buf. */
const char *inf_version_text(const uint16_t version[4], char buf[24]);

/* All files to hand over: of CopyFiles, the catalog and @inf_name; each once, without case. */
void inf_driver_files(const struct inf_driver *driver, const char *inf_name, struct strlist *ret);

#endif
