#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# BIOS, ext4, /dev/sda1 in fstab and grub, ifupdown, the MAC in a udev rule.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/boot.sh"

before_and_after bios-ext4 pvscsi
