# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by tests that run h2k in a container.

# container_root: the root file system that scripts/make-container has made is at $root from now on.
# Kept for the next time, for it takes longer than all the rest; mount the h2k of today over its own.
container_root()
{
    local suite='' cache=${H2K_TEST_CACHE:-/var/cache/h2k-tests}
    ! grep -qx ID=debian /etc/os-release || suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    [ -n "$suite" ] || skip "needs Debian, for the program under test runs in one"
    root=$cache/container-$suite-$(cat "$H2K_SRC"/scripts/{make-container,setup} | sha256sum | head -c 12)
    mkdir -p "$cache"
    (
        flock 3
        [ ! -e "$root" ] || exit 0
        rm -rf "$cache/container-$suite"-*
        "$H2K_SRC/scripts/make-container" --suite "$suite" --h2k "$H2K" "$T/root"
        mkdir "$T/root/t"
        mv "$T/root" "$root"
    ) 3>"$cache/make-container.lock"
    say "root file system: $SECONDS s"
}
