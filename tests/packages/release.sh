#!/bin/sh
# A machine with rules is taken from one release to the next by apt, with a new kernel: its image has
# the rules, made by the new release's generator. As root in a root file system.
#
# Usage: release.sh KERNEL_VERSION
#
# Prints as steps.sh does.
# shellcheck disable=SC2317 # functions are called through check
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. /package-tests/lib.sh

version=$1
. /etc/os-release
case $VERSION_CODENAME in
bookworm) next=trixie ;;
*)
	echo "fail release: which one follows $VERSION_CODENAME is not known"
	exit 1
	;;
esac

kernel_of_next() { find /boot -name 'vmlinuz-*' ! -name "*-$version" | sort | tail -n 1; }

# ---- the machine ---------------------------------------------------------------------------

run dpkg -i /package-tests/new.deb
run update-initramfs -c -k "$version"
run earlybind add 10ee:5000 --force
run earlybind apply
check "before: apply ends well" is "$status" 0
cp /etc/earlybind.conf /package-tests/rules

# ---- the upgrade -------------------------------------------------------------------------------

find /etc/apt \( -name '*.list' -o -name '*.sources' \) -exec sed -i "s/$VERSION_CODENAME/$next/g" {} +
run apt-get update -q
check "upgrade: the archive of $next is there" is "$status" 0
run apt-get -y -q --no-install-recommends -o Dpkg::Options::=--force-confold full-upgrade
check "upgrade: apt ends well" is "$status" 0
kernel=$(kernel_of_next)
new=${kernel#/boot/vmlinuz-}
check "upgrade: there is a new kernel" test -n "$new"
check "upgrade: the rules are as they were" cmp /etc/earlybind.conf /package-tests/rules
for each in "$new" "$version"; do
	run earlybind check --image "/boot/initrd.img-$each" --kernel "$each"
	check "upgrade: the image of $each has the rules" says 'pass table'
done
run_check
check "upgrade: check passes" is "$status" 0
run dpkg --audit
check "upgrade: no package is left half done" test ! -s "$log"

# ---- afterwards --------------------------------------------------------------------------------

run earlybind add 10ee:5001 --force
run earlybind apply
check "after: apply ends well" is "$status" 0
run_check
check "after: check passes" is "$status" 0
run dpkg --purge earlybind
check "after: purge ends well" is "$status" 0
check "after: nothing is in the image" sh -c "! lsinitramfs /boot/initrd.img-$new | grep earlybind"
exit 0
