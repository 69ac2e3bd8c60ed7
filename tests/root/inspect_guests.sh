#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# h2k inspect on real guests: what it says is what other tools read from the same images, and the
# images stay as they are.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root python3 debugfs

cat >"$T/check.py" <<'EOP'
import json, sys
from jsonschema import Draft202012Validator

schema, document, want = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
document = json.load(open(document))
Draft202012Validator(json.load(open(schema))).validate(document)
(system,) = document["systems"]
kernel = system["kernels"][0]
have = {
    "root": system["root"], "firmware": system["firmware"], "distro": system["distro"],
    "major": system["version"]["major"], "arch": system["arch"],
    "hostname": system["hostname"], "initrd_tool": system["initrd_tool"],
    "loader": system["boot_loader"], "stack": system["network_stack"],
    "mounts": {m["target"]: m["device"] for m in system["mounts"] if m["mounted"]},
    "nics": [[i["name"], i["mac"], i["static"]] for i in system["interfaces"]],
    "virtio": [kernel["default"], kernel["has_virtio"], kernel["initrd_has_virtio"]],
}
for key, value in want.items():
    assert have[key] == value, f"{key}: {have[key]} instead of {value}"
for package in system["packages"]:
    print(package["name"], package["version"], package["arch"])
EOP

# guest NAME ROOT-OFFSET-IN-MIB JSON: with an offset, the packages are compared, too.
guest()
{
    local image before
    image=$(need_guest "$1")
    before=$(stat -c '%Y %b' "$image")
    expect 0 "$H2K" inspect --json "$image"
    cp "$T/out" "$T/document"
    python3 "$T/check.py" "$H2K_SRC/docs/schema/h2k.inspect-1.json" "$T/document" "$3" |
        sort >"$T/packages" || fail "$1 is not as it should be"
    [ -s "$T/packages" ] || fail "$1: no packages"
    if [ -n "$2" ]; then
        debugfs -R 'cat /var/lib/dpkg/status' "$image?offset=$(($2 << 20))" 2>/dev/null >"$T/status"
        awk -v RS= -F '\n' '/\nStatus: install ok installed\n/ {
            for (i = 1; i <= NF; i++) { split($i, f, ": "); v[f[1]] = f[2] }
            print v["Package"], v["Version"], v["Architecture"] }' "$T/status" | sort >"$T/wanted"
        diff "$T/wanted" "$T/packages" || fail "$1: the list of packages is wrong"
    fi
    [ "$before" = "$(stat -c '%Y %b' "$image")" ] || fail "$1 was written to"
    say "$1: $(wc -l <"$T/packages") packages"
}

common='"distro": "debian", "major": 12, "arch": "x86_64", "loader": "grub2",
        "virtio": [true, true, false]'
guest bios-ext4 1 "{ $common, \"root\": \"/dev/sda1\", \"firmware\": \"bios\",
    \"hostname\": \"bios-ext4\", \"initrd_tool\": \"initramfs-tools\", \"stack\": [\"ifupdown\"],
    \"mounts\": { \"/\": \"/dev/sda1\" }, \"nics\": [[\"ens192\", \"00:50:56:aa:bb:cc\", true]] }"
guest uefi-ext4 65 "{ $common, \"root\": \"/dev/sda2\", \"firmware\": \"uefi\",
    \"mounts\": { \"/\": \"/dev/sda2\", \"/boot/efi\": \"/dev/sda1\" }, \"stack\": [\"networkd\"],
    \"nics\": [[\"ens192\", null, true]] }"
guest bios-btrfs "" "{ $common, \"root\": \"btrfsvol:/dev/sda1/@\",
    \"mounts\": { \"/\": \"/dev/sda1\", \"/home\": \"/dev/sda1\" } }"
guest dracut-ext4 1 "{ $common, \"initrd_tool\": \"dracut\", \"firmware\": \"bios\" }"
