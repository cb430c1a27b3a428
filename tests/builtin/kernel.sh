#!/bin/bash
# Makes a small kernel that has vfio-pci and e1000e built in, from Debian's source package.
#
# Usage: tests/builtin/kernel.sh      prints the folder in the cache that holds bzImage
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR
. "$here/../lab/lib.sh"

packages=linux-source-6.1,gcc,libc6-dev,make,flex,bison,bc,perl,libelf-dev,xz-utils

# Nothing in the root is configured: the links that maintainer scripts make are made here.
make_kernel() { # MIRROR WORK
	local root=$2/root
	chmod 0755 "$2"
	# shellcheck disable=SC2016 # $1 is mmdebstrap's
	TMPDIR=$2 mmdebstrap --mode=root --variant=extract --include='?essential' \
		--include="$packages" --aptopt='Acquire::Check-Valid-Until "false"' \
		--setup-hook='for d in bin sbin lib lib64; do
			mkdir -p "$1/usr/$d"; ln -s "usr/$d" "$1/$d"; done
			ln -s mawk "$1/usr/bin/awk"' \
		bookworm "$root" "$1"
	[ -e "$root/dev/null" ] || mknod -m 0666 "$root/dev/null" c 1 3
	tar -C "$root/tmp" -xf "$root"/usr/src/linux-source-6.1.tar.xz
	cp "$here/config" "$root/tmp/config"
	# The time and the machine are no part of it.
	# shellcheck disable=SC2016 # $word is that of the other shell
	nice -n 19 chroot "$root" env KBUILD_BUILD_TIMESTAMP=2026-01-01 KBUILD_BUILD_USER=lab \
		KBUILD_BUILD_HOST=lab sh -eu -c 'cd /tmp/linux-source-*
		make -s tinyconfig
		cat /tmp/config >>.config
		make -s olddefconfig
		for word in VFIO_PCI VFIO_IOMMU_TYPE1 E1000E INTEL_IOMMU IP_PNP; do
			grep -qx "CONFIG_$word=y" .config
		done
		make -s -j"$(nproc)" bzImage'
	mv "$root"/tmp/linux-source-*/arch/x86/boot/bzImage "$2/bzImage"
	rm -rf --one-file-system "$root"
}

if [ "${1:-}" = --make ]; then
	make_kernel "$2" "$3"
	exit 0
fi

make_cached() {
	local key
	# shellcheck disable=SC2119 # no text beside the files
	key=$(printf '%s\n' "$here/config" "$here/kernel.sh" | content_key)
	cached builtin-kernel bzImage 1 "$key" "kernel with vfio-pci built in" \
		"$here/kernel.sh" --make "$(mirror)"
}

locked builtin-kernel make_cached
