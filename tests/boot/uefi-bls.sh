#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# In the shape of an rpm distribution: UEFI, systemd-boot with Boot Loader Specification entries that
# name /dev/sda2, dracut, rpm, SELinux, NetworkManager. What is new or changed has a label.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/boot.sh"

boot_as_it_is uefi-bls sata --uefi
expect 0 "$H2K" offline-fix --output-dir "$target" "${sources[@]}"
# shellcheck disable=SC2016 # expanded in the guest
labels='test "$(getenforce)" = Permissive &&
matchpathcon -V /etc/fstab /etc/kernel/cmdline /etc/dracut.conf.d/90-h2k-virtio.conf'
boot 0 "$target"/*.xml --login root:guest --command "$(network_check any any) && $labels"
check_clean
