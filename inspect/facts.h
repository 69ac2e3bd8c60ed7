/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What was found out about a guest: plain data, owned by struct facts, read-only after inspection.
 * Strings are never NULL unless it says so; unknown is "".
 */
#ifndef H2K_INSPECT_FACTS_H
#define H2K_INSPECT_FACTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum os_family { OS_UNKNOWN = 0, OS_LINUX = 1 << 0, OS_WINDOWS = 1 << 1, OS_OTHER = 1 << 2 };

enum firmware { FIRMWARE_BIOS, FIRMWARE_UEFI };

enum initrd_tool {
    INITRD_UNKNOWN,
    INITRD_INITRAMFS_TOOLS,
    INITRD_DRACUT,
    INITRD_MKINITCPIO,
    INITRD_BOOSTER,
    INITRD_MAKE_INITRD,
    INITRD_MKINITFS,
    INITRD_MKINITRD, /* of SUSE, or of EL 5 and before */
    INITRD_GENKERNEL,
    INITRD_TINY, /* tiny-initramfs */
};

/* A volume of the guest as far as device names need it. */
struct fact_device {
    char *name; /* guest name: "/dev/sda1", "btrfsvol:/dev/sda2/@" is not one */
    char *kind; /* "disk", "partition" ... */
    char *fstype, *uuid, *label, *part_uuid, *part_label, *part_type;
    char *dynamic_id;              /* of a volume of dynamic disks, see struct volume */
    char *array_uuid, *array_name; /* of an md array, as its superblocks have them */
    char *decrypts;                /* name of the encrypted volume that it is the content of */
    char *disk;        /* name of the disk that it lies on, or of one of them; "": not known */
    char *lead;        /* of a btrfs over several: the device that stands for it; "": this one */
    char *snapshot_of; /* of LVM: name of the volume that it is a snapshot of; "": of none */
    char *table, *table_id; /* of a disk: "gpt", "dos" or "", and the id that is written there */
    unsigned part_number;   /* in that table; 0: it is no partition of a disk */
    uint64_t start_bytes;   /* of such a partition: where on the disk it begins */
    uint64_t size_bytes;
};

/* A further name of a device, from the guest's configuration (mdadm.conf, crypttab), or a link that
 * is understood. */
struct fact_alias {
    char *name;   /* "/dev/md0" */
    char *device; /* a device's name */
};

struct fact_mount {
    char *source;                     /* first field of fstab, unquoted; What= of a unit */
    const struct fact_device *device; /* NULL: could not be resolved, or not a device */
    char *target, *type, *options;
    char *file;    /* that says so: "/etc/fstab", a unit; "": nothing does */
    bool at_boot;  /* the guest mounts it when it starts, or as soon as somebody looks */
    bool mounted;  /* part of the tree that is looked at now */
    bool dirty;    /* journal needs recovery */
    char *problem; /* why it could not be mounted though the guest would, or not for writing; "" */
};

struct fact_windows;
struct initramfs;

struct fact_kernel {
    char *version;       /* name of its folder below lib/modules */
    char *image;         /* "/boot/vmlinuz-..." */
    char *initrd;        /* "/boot/initrd.img-..."; "" when there is none */
    char *unified;       /* unified image that holds it and its initramfs, when @initrd is ""; "" */
    char *modules_dir;   /* "/lib/modules/VERSION", "" when it is missing */
    bool is_default;     /* what the boot loader starts, as far as that is known */
    bool virtio_builtin; /* block and PCI drivers are built into the kernel */
    bool virtio_known;   /* its indexes or its configuration say what drivers it has */
    bool has_ide, has_ahci;  /* drivers for emulated disks, as has_virtio; only without that */
    bool has_virtio;         /* built in or as modules in modules_dir */
    bool initrd_has_virtio;  /* built in, or the initramfs has what a virtio-blk root needs */
    bool initrd_has_network; /* some network driver is in the initramfs */
    char *kind; /* "" ordinary, "debug", "kdump", "rescue", "xen": starts on Xen only */
    char *initrd_compression; /* "gzip", "zstd" ... of the last segment; "" unknown */
    struct initramfs
        *archive; /* what is in it, names included; NULL: not looked into, or damaged */
};

/* One interface that the guest's configuration relies on. */
struct fact_nic {
    char *name;   /* "ens192"; "" when it is found by its MAC address alone */
    char *mac;    /* lower case with colons; "" when it is not known */
    char *source; /* where the name was found: "/etc/network/interfaces" */
    bool is_static;
    bool is_started; /* at boot, as far as its configuration says */
};

struct fact_package {
    char *name, *version, *arch;
};

struct facts {
    enum os_family os;
    char *root;        /* guest name of the root: "/dev/sda1", "btrfsvol:/dev/sda1/@" */
    char *deployment;  /* folder of its file system that is "/", of an ostree deployment; "" */
    char *kernels_at;  /* where the kernels of that lie: "/boot/ostree/NAME-CHECKSUM"; "" */
    char *type;        /* "linux" */
    char *distro;      /* lower-case os-release ID */
    char *distro_like; /* ID_LIKE */
    char *variant;     /* VARIANT_ID: "server", "coreos" */
    char *product_name, *version_text, *codename, *arch, *hostname, *machine_id, *timezone;
    int version_major, version_minor;
    enum firmware firmware;
    char *package_format;  /* "deb", "rpm" ...; "" */
    char *package_manager; /* that people use: "apt", "dnf" ...; "" */
    char *boot_loader;     /* "grub2", "systemd-boot" ...; "" */
    char *boot_config;     /* "/boot/grub/grub.cfg"; "" */
    enum initrd_tool initrd_tool;
    char *init_system;    /* "systemd", "sysvinit" ...; "" */
    char *selinux;        /* "enforcing", "permissive", "disabled"; "": it has none */
    char *selinux_policy; /* "targeted": a folder of /etc/selinux; "" */
    char *idle_nics; /* configured, not in use, and of cards that are not known: "ens33 ens34" */
    char *network_stack; /* "ifupdown", "networkd", "netplan", "networkmanager"; comma list; "" */

    struct fact_device *devices;
    size_t n_devices;
    struct fact_alias *aliases;
    size_t n_aliases;
    /* from fstab, in its order, then of systemd units; "/" is always there; last boot partitions
     * that nothing names, when they could be mounted */
    struct fact_mount *mounts;
    size_t n_mounts;
    struct fact_kernel *kernels; /* newest first */
    size_t n_kernels;
    struct fact_nic *nics;
    size_t n_nics;
    struct fact_package *packages; /* installed ones; only when asked for */
    size_t n_packages;
    char *packages_problem; /* why the list is not complete; "": it is, or was not asked for */
    struct fact_windows *windows; /* inspect/windows/facts.h; NULL: it is another system */
};

/* All strings "", no elements. */
struct facts *facts_new(void);
void facts_free(struct facts *facts);

/* A new last element with all strings "". Adding one may move the others: fill devices completely
 * before anything points at them. */
struct fact_device *facts_add_device(struct facts *facts);
struct fact_alias *facts_add_alias(struct facts *facts);
struct fact_mount *facts_add_mount(struct facts *facts);
struct fact_kernel *facts_add_kernel(struct facts *facts);
struct fact_nic *facts_add_nic(struct facts *facts);
struct fact_package *facts_add_package(struct facts *facts);

/* Give a string of the facts a new value; NULL means "". */
void facts_set(char **field, const char *value);

/* The device that the root file system lies on ("btrfsvol:/dev/sda1/@" -> /dev/sda1); NULL when it
 * is not among the devices. */
const struct fact_device *facts_root_device(const struct facts *facts);

/*
 * The device that a name of the guest means: UUID=, LABEL=, PARTUUID=, PARTLABEL= (quoted or not),
 * /dev/sdXN, /dev/vdXN, /dev/hdXN, /dev/nvmeXn1pN (by position), links below /dev/disk,
 * /dev/mapper names, /dev/mdN, /dev/md/NAME and their partitions; and what facts->aliases has.
 * by-path and by-id links that name hardware, and names of multipath-tools, are known on guests
 * with one disk, else (links) where an alias says so. Of a btrfs over several devices each name
 * means the one that stands for it. NULL when it is not known.
 */
const struct fact_device *facts_resolve(const struct facts *facts, const char *spec);

/* How many devices have the tag that @spec names, snapshots of others aside: with more than one,
 * facts_resolve() takes the one on the root's disk, else the first. 0: none, or it is no tag. */
size_t facts_count(const struct facts *facts, const char *spec);

/* Does the source of a mount name a block device (a tag, or a path below /dev)? */
bool facts_names_device(const char *source);

/* The mount entry for @target, NULL when there is none. */
const struct fact_mount *facts_mount(const struct facts *facts, const char *target);

bool facts_has_package(const struct facts *facts, const char *name);

/* Is it an EFI system partition, by its type in the partition table? */
bool fact_device_is_esp(const struct fact_device *device);

/* One element of "systems" of h2k.inspect/1. New reference. */
json_t *facts_to_json(const struct facts *facts);

const char *initrd_tool_name(enum initrd_tool tool);
const char *firmware_name(enum firmware firmware); /* "bios", "uefi" */

#endif
