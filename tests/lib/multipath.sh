# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# multipathd in a virtual machine. Installed on the host, it would run there; so it is unpacked only.

# multipath_fetch: outside; the folder with it, "/" when it is installed, nothing without apt
multipath_fetch()
{
    local cache=${H2K_TEST_CACHE:-/var/cache/h2k-tests} work
    if command -v multipathd >/dev/null; then
        echo /
        return 0
    fi
    command -v apt-get >/dev/null || return 0
    mkdir -p "$cache"
    (
        flock 9
        [ ! -e "$cache/multipath" ] || exit 0
        work=$(mktemp -d -p "$cache")
        cd "$work"
        apt-get -q download multipath-tools || { apt-get -q update && apt-get -q download multipath-tools; }
        dpkg-deb -x ./multipath-tools_*.deb tree
        mv tree "$cache/multipath"
        cd /
        rm -rf "$work"
    ) 9>"$cache/multipath.lock" >&2 </dev/null || fail "cannot fetch multipath-tools"
    echo "$cache/multipath"
}

# multipath_start FOLDER: inside; it takes every disk that has a name of its own, and has taken one
multipath_start()
{
    modprobe -a dm-mod dm-multipath
    [ "$1" = / ] || tar -C "$1" -cf - . | tar -C / --keep-directory-symlink --no-overwrite-dir -xf -
    cat >/etc/multipath.conf <<-EOF
	defaults {
	    find_multipaths greedy
	    user_friendly_names yes
	}
	blacklist_exceptions {
	    devnode ".*"
	    property ".*"
	}
	EOF
    ldconfig
    # as in settle
    for _ in $(seq 50); do ! udevadm control --reload 2>"$T/reload" || break; sleep 0.2; done
    multipathd >"$T/multipathd" 2>&1 || fail "multipathd: $(cat "$T/multipathd")"
    for _ in $(seq 300); do ! dmsetup ls --target multipath | grep -q ^mpath || break; sleep 0.1; done
    dmsetup ls --target multipath | grep -q ^mpath || fail "multipathd takes no disk: nothing to be safe from"
    settle
}

# settle: as udevadm does it. udevd knows one connection only: another program's takes it away.
settle()
{
    local try
    for try in $(seq 20); do
        ! udevadm settle 2>"$T/settle" || return 0
        sleep 0.2
    done
    fail "udevadm settle, $try times: $(cat "$T/settle")"
}
