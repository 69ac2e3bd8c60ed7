#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# BIOS, btrfs subvolumes, ifupdown, no MAC known.
. "${H2K_SRC:?}/tests/lib/functions.sh"
. "$H2K_SRC/tests/lib/boot.sh"

before_and_after bios-btrfs ide
