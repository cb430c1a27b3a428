#!/bin/sh
# A machine that changes from initramfs-tools to dracut, by the release's apt, and back: whichever is
# in use, `apply` takes it, and the image has the rules. As root in a root file system.
#
# Usage: switch.sh KERNEL_VERSION
#
# Prints as steps.sh does.
# shellcheck disable=SC2317 # functions are called through check
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. /package-tests/lib.sh

version=$1
image=/boot/initrd.img-$version

get() { # PACKAGE...
	run apt-get install -y -q --no-install-recommends "$@"
}
dracut_made() { lsinitrd "$image" | grep -q 'lib/dracut/'; }
is_whole() { earlybind check --image "$image" --kernel "$version"; }

# ---- the machine ---------------------------------------------------------------------------

apt-get update -q >&2
run dpkg -i /package-tests/new.deb
run update-initramfs -c -k "$version"
run earlybind add 10ee:5000 --force
run earlybind apply
check "before: apply ends well" is "$status" 0
check "before: the image has the rule" is_whole
rm -rf /etc/dracut.conf.d/lab.conf

# ---- to dracut -------------------------------------------------------------------------------

get dracut
check "dracut: apt takes initramfs-tools away" is "$status" 0
check "dracut: earlybind stays" test -x /usr/bin/earlybind
printf '%s\n' 'hostonly=no' 'compress=cat' 'drivers="ext4"' >/etc/dracut.conf.d/package-tests.conf
run earlybind add 10ee:5001 --force
run earlybind apply
check "dracut: apply ends well" is "$status" 0
check "dracut: it took dracut" says dracut
check "dracut: dracut made the image" dracut_made
check "dracut: the image has the rules" is_whole
run_check
check "dracut: check passes" is "$status" 0

# ---- and back --------------------------------------------------------------------------------

get initramfs-tools
check "back: apt takes dracut away" is "$status" 0
run earlybind add 10ee:5002 --force
run earlybind apply
check "back: apply ends well" is "$status" 0
check "back: it took update-initramfs" says update-initramfs
check "back: the image has the rules" is_whole
run_check
check "back: check passes" is "$status" 0
run dpkg --purge earlybind
check "back: purge ends well" is "$status" 0
check "back: nothing is in the image" sh -c "! lsinitramfs $image | grep earlybind"
exit 0
