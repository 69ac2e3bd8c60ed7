#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# h2k fixers lists every fixer once, in the order they run, and needs no root.
set -eu

want="fstab crypttab storage bootloader kernels network initramfs guest-tools target-tools inject selinux
win-storage win-devices win-registry win-tools win-boot win-settings win-inject win-network win-firstboot"
got=$("$H2K" fixers | awk '{ print $1 }' | xargs)
test "$got" = "${want//$'\n'/ }" || { echo "order is: $got"; exit 1; }
"$H2K" fixers --json | grep -q '"schema": *"h2k.fixers/1"'
"$H2K" fixers | awk 'NF < 3 { exit 1 }' # each has a line of its own that says something
status=0
"$H2K" fixers surplus 2>/dev/null || status=$?
test "$status" = 2
