/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The qemu that boots a guest: its hardware, its serial console and its monitor. */
#ifndef H2K_FIXERS_BOOT_MACHINE_H
#define H2K_FIXERS_BOOT_MACHINE_H

#include "engine/base/exec.h"
#include "fixers/boot_test.h"

struct boot_machine {
    struct process process;
    int serial_fd;
    int monitor_fd;
    int firmware_fd;       /* SeaBIOS's debug messages; -1 with UEFI, which uses the serial port */
    char firmware[256];    /* the last of them */
    struct strbuf monitor; /* what came from it, up to the first incomplete line */
    unsigned n_resets;     /* RESET events of the guest so far */
};

/*
 * Make the overlays in @dir and start qemu; @dir is empty again when this returns: qemu holds what
 * it needs. @accel: "kvm" or "tcg". boot_machine_stop() in any case.
 */
int boot_machine_start(const struct boot_opts *opts, const char *accel, const char *dir,
                       struct boot_machine *ret, struct err *err);

/* Read what the monitor says; counts resets. */
void boot_machine_listen(struct boot_machine *machine);

/* Read the firmware's messages; true when it has found nothing to boot. */
bool boot_machine_found_nothing(struct boot_machine *machine);

/* Write a PNG of the screen. */
int boot_machine_screenshot(struct boot_machine *machine, const char *path, struct err *err);

void boot_machine_stop(struct boot_machine *machine);

/* Is there a KVM that runs stock kernels? */
bool boot_machine_has_kvm(void);

#endif
