#!/bin/sh
# What happens to a machine with the package, in order. As root in a root file system.
#
# Usage: steps.sh KERNEL_VERSION GENERATOR
#
# Prints "pass STEP: NAME" or "fail STEP: NAME: REASON" per check; what the programs say goes to
# the error output.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. /package-tests/lib.sh

version=$1
generator=$2
image=/boot/initrd.img-$version

list_image() { # IMAGE
	if [ "$generator" = dracut ]; then lsinitrd "$1"; else lsinitramfs "$1"; fi
}
has_binder() { list_image "$1" | grep -q usr/lib/earlybind/binder; }
has_no_binder() { list_image "$1" >/package-tests/list && ! grep earlybind /package-tests/list; }
has_rule() { earlybind check --image "$1" --kernel "$2" | grep -q 'pass table'; }

# dpkg leaves documentation out in these root file systems.
has_checksums() { ! dpkg --verify earlybind | grep -v -e /usr/share/doc/ -e /usr/share/man/; }

# ---- the machine ---------------------------------------------------------------------------

if [ "$generator" = dracut ]; then
	# apt takes initramfs-tools away, as it does for a user who switches.
	apt-get update -q >&2
	apt-get install -y -q --no-install-recommends dracut >&2
	dpkg --purge initramfs-tools initramfs-tools-core initramfs-tools-bin >&2
	printf '%s\n' 'hostonly=no' 'add_drivers=""' 'compress=cat' >/etc/dracut.conf.d/package-tests.conf
fi
rm -f "$image"
find / -xdev -name '*earlybind*' -not -path '/proc*' -not -path '/run/*' | sort >/package-tests/files-before

# A kernel of another version (not VERSION.new: update-initramfs writes there first), with what its own package would run.
new_kernel() { # VERSION
	cp -al "/lib/modules/$version" "/lib/modules/$1"
	cp "/boot/vmlinuz-$version" "/boot/vmlinuz-$1"
	cp "/boot/config-$version" "/boot/config-$1"
	depmod "$1"
	run_kernel_hooks "$1"
}

# ---- steps ---------------------------------------------------------------------------------

run_kernel_hooks "$version"
check "install: there is an image before" test -s "$image"
run dpkg -i /package-tests/new.deb
check "install: it ends well" is "$status" 0
check "install: there are no rules" test ! -e /etc/earlybind.conf
check "install: nobody starts a unit" sh -c '! find /etc/systemd -name "*earlybind*" | grep -q .'
check "install: files have their checksums" has_checksums
run earlybind apply
check "install: there is nothing to apply" is "$status" 0

run earlybind add 10ee:5000 --force
check "add: it ends well" is "$status" 0
check "add: it makes the configuration" grep -q '^bind .*10ee:5000' /etc/earlybind.conf
run earlybind apply
check "apply: it ends well" is "$status" 0
check "apply: the image has the binder" has_binder "$image"
check "apply: the image has the rule" has_rule "$image" "$version"

new_kernel "$version+new"
check "kernel: its package ends well" is "$status" 0
check "kernel: its image has the rule" has_rule "$image+new" "$version+new"

cp /etc/earlybind.conf /package-tests/good.conf
echo 'bind 10ee:zzzz' >>/etc/earlybind.conf
new_kernel "$version+broken"
check "broken: the kernel's package ends well" is "$status" 0
check "broken: there is an image" test -s "$image+broken"
check "broken: the mistake is named" says '/etc/earlybind.conf:[0-9]*:'
cp /package-tests/good.conf /etc/earlybind.conf

mkdir -p /etc/default/grub.d
echo 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"' >/etc/default/grub
touch /etc/grub.d/42_earlybind 2>/dev/null || { mkdir -p /etc/grub.d && touch /etc/grub.d/42_earlybind; }
run earlybind cmdline --add rd.earlybind.log=debug
check "remove: there is a drop-in before" test -e /etc/default/grub.d/earlybind.cfg
run dpkg -r earlybind
check "remove: it ends well" is "$status" 0
check "remove: the rules stay" cmp /etc/earlybind.conf /package-tests/good.conf
check "remove: the drop-in of GRUB is gone" test ! -e /etc/default/grub.d/earlybind.cfg
check "remove: the menu entry is gone" test ! -e /etc/grub.d/42_earlybind
for each in "$image" "$image+new"; do
	check "remove: no binder in ${each##*/}" has_no_binder "$each"
done
run dpkg --purge earlybind
check "purge: it ends well" is "$status" 0
find / -xdev -name '*earlybind*' -not -path '/proc*' -not -path '/run/*' | sort >/package-tests/files-after
check "purge: nothing is left" diff /package-tests/files-before /package-tests/files-after

# From a package whose configuration was a conffile, with rules that somebody wrote.
run dpkg -i /package-tests/old.deb
cp /package-tests/good.conf /etc/earlybind.conf
run dpkg -i /package-tests/new.deb
check "upgrade: it ends well" is "$status" 0
check "upgrade: the rules are as they were" cmp /etc/earlybind.conf /package-tests/good.conf
run dpkg -i /package-tests/new.deb
check "upgrade: the same again" is "$status" 0
check "upgrade: the path of old still works" test "$(readlink /usr/sbin/earlybind)" = ../bin/earlybind
rm -f /usr/bin/earlybind /usr/lib/earlybind/binder
run dpkg --purge earlybind
check "purge: a damaged one as well" is "$status" 0
check "purge: nor is there the path of old" test ! -L /usr/sbin/earlybind
check "purge: the rules of old are gone" test ! -e /etc/earlybind.conf
