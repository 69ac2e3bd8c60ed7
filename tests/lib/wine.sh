# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# For tests that run what Windows guests run, by Wine: source it behind functions.sh. $windows is
# the folder of Windows in a system of this test's own.

requires wine wineserver timeout
unset DISPLAY WAYLAND_DISPLAY
export HOME=$T WINEPREFIX=$T/wine WINEDLLOVERRIDES='mscoree,mshtml=' WINEDEBUG=-all
# shellcheck disable=SC2034 # the tests use it
windows=$WINEPREFIX/drive_c/windows

stop_wine()
{
    timeout 20 wineserver -k 2>/dev/null || :
    timeout 20 wineserver -w || :
}

on_exit stop_wine
timeout 200 wine wineboot -i >"$T/wineboot" 2>&1 || skip "wine does not start here: $(tail -n 1 "$T/wineboot")"
timeout 60 wineserver -w

# crlf FILE: from standard input, with lines as Windows ends them
crlf() { sed 's/$/\r/' >"$1"; }

# windows_path PATH: of the host, as Wine has it
windows_path() { echo "Z:${1//\//\\}"; }
