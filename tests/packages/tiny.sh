#!/bin/sh
# tiny-initramfs has no hooks: `earlybind image --append` puts the binder behind its image, where it
# runs before the image's own /init. As root in a root file system.
#
# Usage: tiny.sh KERNEL_VERSION
#
# Prints as steps.sh does.
# shellcheck disable=SC2317 # functions are called through check
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. /package-tests/lib.sh

version=$1
image=/boot/initrd.img-$version

apt-get update -q >&2
rm -f "$image"
echo '/dev/vda1 / ext4 defaults 0 1' >/etc/fstab
run apt-get install -y -q --no-install-recommends tiny-initramfs
check "machine: apt puts it in the place of initramfs-tools" is "$status" 0
run dpkg -i /package-tests/new.deb
check "install: it ends well" is "$status" 0
run_kernel_hooks "$version"
check "machine: there is an image" test -s "$image"
run earlybind add 10ee:5000 --force
cp "$image" /package-tests/image
run earlybind apply
check "apply: it does not replace what another program made" cmp "$image" /package-tests/image
check "apply: it says what to do" says 'image --append'
check "apply: it says that none can be made" is "$status" 3
run earlybind image --append "$image" --output /boot/with-earlybind.img --kernel "$version"
check "append: it ends well" is "$status" 0
run earlybind check --image /boot/with-earlybind.img --kernel "$version"
check "append: the image has the rule" says 'pass table'
exit 0
