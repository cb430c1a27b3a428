#!/bin/bash
# Makes what all boots of one suite share: the root tree with the lab's modules and its
# collecting service, without earlybind, and a disk of it.
#
# Usage: tests/lab/base.sh [SUITE]
#
# Prints the folder in the cache that holds:
#   tree/         the root file system, owned by root; never written to
#   disk.img      the same as an ext4 disk
#   vmlinuz       its kernel
#   version       the kernel's version
#   packages      versions of the generators, and of what they put into images
#   modules/      those of the lab, *.ko
set -eu -o pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

suite=${1:-bookworm}

# What only takes time at boot, or talks to the console.
masked="getty.target getty@tty1.service serial-getty@ttyS0.service systemd-logind.service
	apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer
	e2scrub_reap.service dev-hugepages.mount dev-mqueue.mount fstrim.timer
	modprobe@configfs.service modprobe@dm_mod.service modprobe@efi_pstore.service
	modprobe@fuse.service modprobe@loop.service sys-fs-fuse-connections.mount
	sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount
	systemd-binfmt.service systemd-random-seed.service systemd-tmpfiles-clean.timer
	systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-pstore.service logrotate.timer"

build_modules() {
	local root=$1 version=$2 to=$3
	mkdir "$to.build"
	tar -I zstd -xf "$root/kbuild.tar.zst" -C "$to.build"
	cp -r "$LAB/modules" "$to.build/modules"
	# Newer kernels' objtool reads /proc. The mount vanishes with its namespace.
	unshare --mount --pid --fork "$LAB/base.sh" --make-modules "$to.build" "$version"
	mkdir "$to"
	cp "$to.build"/modules/*.ko "$to"
	rm -rf "$to.build"
}

make_tree() {
	local root=$1 version=$2 work=$3 unit
	mkdir "$work/tree"
	tar -I zstd -xf "$root/root.tar.zst" -C "$work/tree"
	tar -C "$LAB/guest" --owner=0 --group=0 --mode=go-w -c . |
		tar -C "$work/tree" -x --no-overwrite-dir
	for unit in $masked; do
		ln -sf /dev/null "$work/tree/etc/systemd/system/$unit"
	done
	ln -s ../lab-collect.service "$work/tree/etc/systemd/system/multi-user.target.wants/"
	install -D -m 0644 -t "$work/tree/lib/modules/$version/extra" \
		"$work/modules/xclmgmt.ko" "$work/modules/xocl.ko" \
		"$work/modules/labcard_vfio_pci.ko" "$work/modules/labany_vfio_pci.ko"
	chroot "$work/tree" depmod -a "$version"
	# shellcheck disable=SC2016 # not for this shell
	chroot "$work/tree" dpkg-query -W -f '${Package} ${Version}\n' initramfs-tools \
		dracut-core systemd kmod busybox >"$work/packages"
	# Else systemd takes every boot for the first after an upgrade and rebuilds its
	# caches, on a disk that is thrown away.
	touch -r "$work/tree/usr" "$work/tree/etc/.updated" "$work/tree/var/.updated"
	# `update-initramfs -u` renews images that exist.
	: >"$work/tree/boot/initrd.img-$version"
	cp "$work/tree/boot/vmlinuz-$version" "$work/vmlinuz"
	chmod 0644 "$work/vmlinuz"
}

make_disk() {
	local work=$1 mebibytes
	mebibytes=$(du -sm --apparent-size "$work/tree" | cut -f 1)
	# No journal: every boot has a copy of its own, which is thrown away. The root is found
	# by its label: which NVMe controller becomes nvme0 depends on who is probed first.
	mke2fs -q -t ext4 -L lab -O ^has_journal -d "$work/tree" "$work/disk.img" \
		"$((mebibytes * 5 / 4 + 200))M"
}

make_all() {
	local root=$1 work=$2 version
	version=$(cat "$root/version")
	build_modules "$root" "$version" "$work/modules"
	make_tree "$root" "$version" "$work"
	make_disk "$work"
	echo "$version" >"$work/version"
	chmod 0755 "$work"
}

if [ "${1:-}" = --make-modules ]; then
	mkdir -p "$2/proc"
	mount -t proc proc "$2/proc"
	chroot "$2" make -C "/usr/src/linux-headers-$3" M=/modules modules
	exit 0
fi

# make_all as root, in a process of its own.
if [ "${1:-}" = --as-root ]; then
	make_all "$2" "$3"
	exit 0
fi

make_base() {
	local root key
	root=$("$LAB/rootfs.sh" "$suite")
	key=$(printf '%s\n' "$LAB/base.sh" "$LAB/modules" "$LAB/guest" |
		content_key "$(basename "$root")")
	cached "base-$suite" version 2 "$key" "modules, tree and disk of $suite" \
		"$LAB/base.sh" --as-root "$root"
}

locked "base-$suite" make_base
