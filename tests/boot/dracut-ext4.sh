#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# BIOS, ext4, an initramfs made by dracut for VMware only, systemd-networkd.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/boot.sh"

before_and_after dracut-ext4 pvscsi
