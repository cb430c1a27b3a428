#!/bin/sh
# A machine with systemd-boot, by the release's own kernel-install and ukify: entries of the Boot
# Loader Specification first, unified kernel images then. As root in a root file system.
#
# Usage: systemd-boot.sh KERNEL_VERSION
#
# Prints as steps.sh does.
# shellcheck disable=SC2317 # functions are called through check
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. /package-tests/lib.sh

version=$1
image=/boot/initrd.img-$version
token=earlybind-tests

differs() { ! cmp "$1" "$2"; }

# ---- the machine ---------------------------------------------------------------------------

apt-get update -q >&2
# The folder of an EFI system partition; nothing is mounted in a root file system.
mkdir -p /boot/efi/loader/entries /boot/efi/EFI/Linux /etc/kernel
printf '%s\n' 'layout=bls' 'BOOT_ROOT=/boot/efi' >/etc/kernel/install.conf
echo "$token" >/etc/kernel/entry-token
echo 'root=/dev/vda quiet' >/etc/kernel/cmdline
echo 0123456789abcdef0123456789abcdef >/etc/machine-id
apt-get install -y -q --no-install-recommends systemd-boot systemd-boot-efi systemd-ukify >&2
run dpkg -i /package-tests/new.deb
run update-initramfs -c -k "$version"
check "machine: there is an image" test -s "$image"

install_kernel() {
	run kernel-install --verbose add "$version" "/boot/vmlinuz-$version" "$image"
}

# ---- entries, with copies of the image -------------------------------------------------------

install_kernel
entry=$(find /boot/efi/loader/entries -name "*$version*.conf" | head -n 1)
check "entries: kernel-install made one" test -n "$entry"
copy=$(find "/boot/efi/$token" -name 'initrd*' | head -n 1)
check "entries: it names a copy of the image" grep -q "^initrd.*/${copy##*/}\$" "$entry"

run earlybind add 10ee:5000 --force
check "entries: add ends well" is "$status" 0
run earlybind apply
check "entries: apply ends well" is "$status" 0
run earlybind check --image "$copy" --kernel "$version"
check "entries: the copy that boots has the rule" says 'pass table'
run_check
check "entries: check passes" is "$status" 0

cp "$copy" /package-tests/old-copy
run earlybind add 10ee:5001 --force
run earlybind apply
check_old_image entries "$copy" /package-tests/old-copy

# ---- unified kernel images -------------------------------------------------------------------

kernel-install remove "$version" >&2
rm -rf /boot/efi/loader/entries/* "/boot/efi/$token"
printf '%s\n' 'layout=uki' 'uki_generator=ukify' 'BOOT_ROOT=/boot/efi' >/etc/kernel/install.conf
install_kernel
uki=$(find /boot/efi/EFI/Linux -name '*.efi' | head -n 1)
check "uki: ukify made one" test -s "$uki"
run earlybind check --image "$uki"
check "uki: check opens it" says 'pass table'
run_check
check "uki: check passes" is "$status" 0

cp "$uki" /package-tests/old.efi
run earlybind add 10ee:5002 --force
run earlybind apply
check "uki: apply ends well" is "$status" 0
run earlybind check --image "$uki"
check "uki: it has the new rule" says 'pass table'
check "uki: it is another one than before" differs "$uki" /package-tests/old.efi
check_old_image uki "$uki" /package-tests/old.efi
run earlybind cmdline --add rd.earlybind.log=debug
check "uki: the command line is set in /etc/kernel/cmdline" grep -q rd.earlybind.log=debug /etc/kernel/cmdline
exit 0
