#!/bin/sh
# A machine with GRUB, by the release's own update-grub: the menu names the images, and what `cmdline`
# sets is in it. As root in a root file system.
#
# Usage: grub.sh KERNEL_VERSION
#
# Prints as steps.sh does. Only grub-probe is a stand-in: it asks devices, and there is none.
# shellcheck disable=SC2317 # functions are called through check
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. /package-tests/lib.sh

version=$1
image=/boot/initrd.img-$version
menu=/boot/grub/grub.cfg

has_line() { grep -q -e "$1" "$menu"; }
has_no_line() { ! grep -e "$1" "$menu"; }
# The first entry is the one that boots.
first_entry() { awk '/^menuentry / { on = 1 } on; on && /^}/ { exit }' "$menu"; }
first_entry_has() { first_entry | grep -q -e "$1"; }
first_entry_has_no() { ! first_entry | grep -e "$1"; }

# ---- the machine ---------------------------------------------------------------------------

apt-get update -q >&2
apt-get install -y -q --no-install-recommends grub-common grub2-common >&2
dpkg-divert --quiet --rename --add /usr/sbin/grub-probe
cat >/usr/sbin/grub-probe <<'END'
#!/bin/sh
for word in "$@"; do
	case $word in
	--target=*) target=${word#--target=} ;;
	esac
done
case $target in
device) echo /dev/vda1 ;;
fs) echo ext2 ;;
fs_uuid) echo 6d7cbdfa-0000-4000-8000-1234567890ab ;;
partuuid) echo 6d7cbdfa-01 ;;
compatibility_hint) echo hd0,msdos1 ;;
esac
END
chmod 755 /usr/sbin/grub-probe
# The hook of kernels asks it, and does nothing in a container, which this machine may be.
if [ -e /usr/bin/systemd-detect-virt ]; then
	dpkg-divert --quiet --rename --add /usr/bin/systemd-detect-virt
	printf '%s\n' '#!/bin/sh' 'exit 1' >/usr/bin/systemd-detect-virt
	chmod 755 /usr/bin/systemd-detect-virt
fi
mkdir -p /boot/grub
cp /usr/share/grub/default/grub /etc/default/grub
echo '/dev/vda1 / ext4 defaults 0 1' >/etc/fstab
run dpkg -i /package-tests/new.deb
run update-initramfs -c -k "$version"
run update-grub
check "machine: update-grub made a menu" is "$status" 0
check "machine: its first entry has the image" first_entry_has "initrd.*$image"

# ---- rules, and the images of the menu -------------------------------------------------------

run earlybind add 10ee:5000 --force
run earlybind apply
check "menu: apply ends well" is "$status" 0
run_check
check "menu: check passes" is "$status" 0
cp "$image" /package-tests/old-image
run earlybind add 10ee:5001 --force
run earlybind apply
check_old_image menu "$image" /package-tests/old-image

mv "$image" /package-tests/image
run_check
check "menu: an image that is missing is seen" is "$status" 1
check "menu: it is named" says "${image##*/}"
mv /package-tests/image "$image"

# ---- parameters ------------------------------------------------------------------------------

run earlybind cmdline --add rd.earlybind.log=debug --menu-entry
check "cmdline: it ends well" is "$status" 0
check "cmdline: the parameter is in the menu" first_entry_has '^[[:space:]]*linux.* rd.earlybind.log=debug'
check "cmdline: there is an entry without earlybind" has_line '^[[:space:]]*linux.* rd.earlybind=0'
check "cmdline: that one does not come first" first_entry_has_no rd.earlybind=0
run grub-script-check "$menu"
check "cmdline: GRUB understands the menu" is "$status" 0

# A kernel's own package runs update-grub, with a mistake in the configuration too.
cp /etc/earlybind.conf /package-tests/good.conf
echo 'bind 10ee:zzzz' >>/etc/earlybind.conf
# Its version, which the file of the kernel says too, is as long as that of the other.
new=${version%4}5
cp -al "/lib/modules/$version" "/lib/modules/$new"
sed "s/$version /$new /" "/boot/vmlinuz-$version" >"/boot/vmlinuz-$new"
cp "/boot/config-$version" "/boot/config-$new"
depmod "$new"
run_kernel_hooks "$new"
check "kernel: with a mistake in the rules its package ends well" is "$status" 0
check "kernel: the mistake is named" says '/etc/earlybind.conf:[0-9]*:'
check "kernel: it comes first, with its image" first_entry_has "initrd.*/boot/initrd.img-$new"
run earlybind check --image "/boot/initrd.img-$new" --kernel "$new"
check "kernel: the image has the last good rules" says 'with the rules of'
run_check
check "kernel: check sees that" is "$status" 1
cp /package-tests/good.conf /etc/earlybind.conf
run earlybind apply
check "kernel: apply mends it" is "$status" 0
run_check
check "kernel: then check passes" is "$status" 0
check "kernel: its entry has the parameter" first_entry_has '^[[:space:]]*linux.* rd.earlybind.log=debug'

# ---- back ------------------------------------------------------------------------------------

run earlybind cmdline --remove
check "back: it ends well" is "$status" 0
check "back: the parameter has left the menu" has_no_line rd.earlybind.log
check "back: the entry has left the menu" has_no_line rd.earlybind=0
run earlybind cmdline --add rd.earlybind.log=debug --menu-entry
run dpkg -r earlybind
check "removal: it ends well" is "$status" 0
check "removal: nothing of it is in the menu" has_no_line earlybind
check "removal: the image still comes first" first_entry_has "initrd.*/boot/initrd.img-$new"
exit 0
