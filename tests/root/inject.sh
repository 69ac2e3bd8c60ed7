#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is asked for is in a real Debian guest afterwards, as its own programs see it; secrets are
# nowhere else; scripts of the first start run once; and nothing of it is planned again.
. "${H2K_SRC:?}/tests/lib/functions.sh"
requires root qemu-img losetup jq
image=$(need_guest bios-ext4)
may_mount
cd "$T"
mkdir mnt

echo Sesame77 >admin.password
printf '#!/bin/sh\necho here is; cat /etc/hostname; echo x >>/root/times\n' >hello
cat >web.yaml <<'END'
hostname: web1.example.com
timezone: Europe/Berlin
network: [{name: ens192, addresses: [192.168.20.7/24, "fd00::7/64"], gateways: 192.168.20.1}]
users:
  - {name: root, password: Sesame88}
  - name: admin
    create: true
    password-file: admin.password
    groups: [sudo, adm]
    ssh-keys: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAzSlyPzNOYfLvYMfoWmCC3CBMkYqCzuFJQNw0e5cTFd a@b
files:
  - {path: /etc/motd, text: "moved\n"}
  - {path: /usr/local/sbin/hello, from: hello, mode: 0755}
  - {path: /etc/skel/.bash_logout, remove: true}
services: {disable: systemd-pstore, mask: fstrim.timer, enable: serial-getty@ttyS1}
firstboot:
  - script: hello
  - command: exit 3
  - command: echo third
END
option=(--config web.yaml --write /etc/issue:Sesam --firstboot-command 'echo fourth')

expect 0 "$H2K" plan --json "${option[@]}" "$image"
schema_ok h2k.plan-1 out
expect 0 "$H2K" offline-fix -O raw -o fixed.raw "${option[@]}" "$image"
! grep -l 'Sesame[78]' out err fixed.log fixed.report.json fixed.xml || fail "a password is shown"
jq -r '.changes[] | select(.path == "/etc/shadow") | .diff' fixed.report.json >found
grep -q 'not world-readable' found || fail "the diff of /etc/shadow: $(cat found)"

mount -o loop,offset=1048576 fixed.raw mnt
inside() { chroot mnt "$@" </dev/null; }
is() { [ "$1" = "$2" ] || fail "$3: $1, not $2"; }
accepts() # USER PASSWORD: does the hash belong to it?
{
    # shellcheck disable=SC2016 # perl expands it
    inside perl -e '@e = getpwnam($ARGV[0]); exit(crypt($ARGV[1], $e[1]) ne $e[1])' "$1" "$2" ||
        fail "$1 has another password"
}
accepts root Sesame88
accepts admin Sesame77
is "$(inside passwd -S admin | cut -d' ' -f2)" P "admin's password"
is "$(inside id -nG admin)" "admin adm sudo" "admin's groups"
inside pwck -rq || fail "pwck"
inside grpck -r || fail "grpck"
is "$(stat -c '%a %u:%g' mnt/home/admin mnt/home/admin/.ssh/authorized_keys | xargs)" \
    "700 1000:1000 600 1000:1000" "modes"
is "$(cat mnt/etc/hostname mnt/etc/motd mnt/etc/issue | xargs)" "web1.example.com moved Sesam" "files"
grep -Eq '^127.0.1.1\s+web1.example.com web1$' mnt/etc/hosts || fail "hosts: $(cat mnt/etc/hosts)"
is "$(inside env -u TZ date -d @0 +%z)" +0100 "time zone"
is "$(inside /usr/local/sbin/hello | xargs)" "here is web1.example.com" "the uploaded script"
rm mnt/root/times
is "$(inside ifquery ens192 | grep -E '^(address|gateway|netmask)' | sort | xargs)" \
    "address: 192.168.20.7 address: fd00::7 gateway: 192.168.20.1 netmask: 255.255.255.0 netmask: 64" \
    "addresses"
[ ! -e mnt/etc/skel/.bash_logout ] || fail "a file is still there"
for want in systemd-pstore:disabled fstrim.timer:masked serial-getty@ttyS1:enabled h2k-firstboot:enabled; do
    is "$(inside systemctl is-enabled "${want%:*}" || :)" "${want#*:}" "${want%:*}"
done
inside systemd-analyze verify --man=no h2k-firstboot.service >found 2>&1 || fail "$(cat found)"
[ ! -s found ] || fail "systemd says: $(cat found)"

# twice: as it is after a restart
for _ in 1 2; do inside /bin/sh /var/lib/h2k/firstboot/run || fail "the runner"; done
at=mnt/var/lib/h2k/firstboot
is "$(cd $at && find scripts running failed "done" -type f | sort | xargs)" \
    "done/0001-hello-1 done/0003-command-3 done/0004-command-4 failed/0002-command-2" "scripts"
is "$(cat mnt/root/times)" x "the script ran"
is "$(sed 's/^20[-0-9]* [:0-9]* //' mnt/var/log/h2k-firstboot.log | tr '\n' '|')" \
    "0001-hello-1 starts|here is|web1.example.com|0001-hello-1 ended with 0|0002-command-2 starts|0002-command-2 ended with 3|0003-command-3 starts|third|0003-command-3 ended with 0|0004-command-4 starts|fourth|0004-command-4 ended with 0|" \
    "the log"
umount mnt
expect 0 "$H2K" plan --exit-code "${option[@]}" fixed.raw

# refused before anything is written
rm fixed.*
expect 2 "$H2K" offline-fix -o fixed.qcow2 --disable-service fstrym "$image"
expect_text 'there is no service fstrym in the guest'
expect 2 "$H2K" offline-fix -o fixed.qcow2 --password nobody-here:disabled "$image"
expect_text 'there is no user nobody-here'
sed -i 's/mask:/masc:/' web.yaml
expect 2 "$H2K" offline-fix -o fixed.qcow2 --config web.yaml "$image"
expect_text 'web.yaml:15:37: services: "masc" is not known; known are enable, disable, mask'
[ ! -e fixed.qcow2 ] || fail "something was made"
check_clean
