/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Does it boot? A throw-away overlay over the images, qemu with the wanted hardware and no network
 * beyond itself, and a verdict from the serial console.
 */
#ifndef H2K_FIXERS_BOOT_TEST_H
#define H2K_FIXERS_BOOT_TEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/base/err.h"
#include "engine/image.h"
#include "fixers/boot_console.h"

struct boot_opts {
    struct image *const *images; /* disks in order */
    size_t n_images;
    const char *bus;              /* a name of boot_buses; NULL: "virtio" */
    const uint32_t *sector_sizes; /* of the disks, in bytes; 0: what the image says; NULL: all 0 */
    struct strlist macs;          /* one per NIC, "": any; none: one NIC */
    const char *accel;            /* "auto", "kvm", "tcg"; NULL: auto */
    bool uefi;
    bool secure_boot;       /* with uefi: firmware with the usual keys that starts what they sign */
    unsigned timeout_s;     /* for everything; 0: none but that of waiting for progress */
    const char *work_dir;   /* NULL: $TMPDIR, else /var/tmp */
    const char *console;    /* file that gets what the guest prints; NULL: none */
    const char *screenshot; /* PNG file of the screen at the end; NULL: none */
    const char *login;      /* "USER:PASSWORD": log in and run a command; NULL: no */
    const char *command;    /* NULL: "true" */
};

struct boot_result {
    bool booted;           /* login prompt reached, and the command ended with 0 */
    enum boot_stage stage; /* how far it came */
    char *reason;          /* why not, for people; "" when it booted */
    const char *accel;     /* "kvm" or "tcg": a literal */
    unsigned ms;
    char *console_tail; /* its last lines */
    int command_status; /* -1: no command was run to its end */
    char *command_output;
};

/* "virtio", "virtio-scsi", "sata" ...: NULL when @name is none of them. */
const char *boot_bus_find(const char *name);

/*
 * Boot and wait while the guest makes progress: a verdict comes with a login prompt, a known sign
 * of failure, or when nothing new is printed for long (longer without KVM and on a busy host). 0
 * and *ret (boot_result_done()) when there is a verdict; negative errno and *err when the test
 * could not be done: STATUS_HOST (qemu or firmware missing), -EINTR.
 */
int boot_test_run(const struct boot_opts *opts, struct boot_result *ret, struct err *err);

void boot_result_done(struct boot_result *result);

/* h2k.boot-test/1 without the guest's name. New reference. */
json_t *boot_result_json(const struct boot_result *result, const struct boot_opts *opts);

#endif
