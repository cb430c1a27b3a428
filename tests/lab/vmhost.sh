#!/bin/bash
# Makes the disk of what runs VMs, for the cases that give the card to one (VMHOST).
#
# Usage: tests/lab/vmhost.sh [SUITE]        (bookworm)
#
# Prints the folder in the cache that holds vmhost.img, an ext4 disk with the label vmhost: a root
# of its own with QEMU, libvirt and other tools, for chroot; the lab's other machines stay small.
# In its folder /vm is what the VM boots:
#   vmlinux    the kernel of the lab's machine, unpacked: that would take half of the time
#   vm.cpio    vm.c as /init, lspci and its libraries, the names of Xilinx, two modules
# The root comes from the archive that the lab's machine came from.
set -eu -o pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

suite=${1:-bookworm}

# promtool is in prometheus.
packages=qemu-system-x86,libvirt-daemon-system,libvirt-clients,libxml2-utils,driverctl,kexec-tools,pciutils,prometheus

# As in rootfs.sh; and what only browsers read, and a program that is not run.
make_root() {
	local base=$1 work=$2
	mmdebstrap --mode=root --variant=minbase --include="$packages" \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/javascript/*' \
		--dpkgopt='path-exclude=/usr/bin/prometheus' \
		--format=tar "$suite" - "$base/tree/etc/apt/sources.list" |
		zstd -q -T0 -3 -f -o "$work/root.tar.zst"
	chmod 0755 "$work"
}

# The kernel as an ELF file, which QEMU starts by its PVH note: the payload of the bzImage
# (Documentation/arch/x86/boot.rst: payload_offset, payload_length), compressed by xz.
unpack_kernel() {
	/usr/bin/python3 -c 'import lzma, struct, sys
image = open(sys.argv[1], "rb").read()
at, length = struct.unpack_from("<II", image, 0x248)
at += (image[0x1f1] + 1) * 512
sys.stdout.buffer.write(lzma.LZMADecompressor().decompress(image[at : at + length]))' "$1"
}

make_vm() {
	local base=$1 vm=$2 into=$3 version from=$4 library
	version=$(cat "$base/version")
	mkdir -p "$into/in/proc" "$into/in/sys" "$into/in/dev" "$into/in/usr/share/misc"
	unpack_kernel "$base/vmlinuz" >"$into/vmlinux"
	cp "$vm" "$into/in/init"
	cp "$base/tree/lib/modules/$version/kernel/drivers/uio/uio.ko" \
		"$base/tree/lib/modules/$version/kernel/drivers/uio/uio_pci_generic.ko" "$into/in"
	# The loader and the libraries have their places in ldd's lines.
	for library in /usr/bin/lspci $(chroot "$from" ldd /usr/bin/lspci | grep -o '/lib[^ ]*'); do
		install -D "$from$library" "$into/in$library"
	done
	# Reading all names takes an emulated machine in an emulated machine seconds.
	awk '/^10ee/ || /^C 12/ { is_wanted = 1; print; next }
		/^[^\t]/ { is_wanted = 0 }
		is_wanted' "$from/usr/share/misc/pci.ids" >"$into/in/usr/share/misc/pci.ids"
	(cd "$into/in" && find . | cpio -o -H newc --quiet -R 0:0) >"$into/vm.cpio"
	rm -r "$into/in"
}

make_disk() {
	local base=$1 root=$2 vm=$3 work=$4 mebibytes
	mkdir "$work/tree"
	tar -I zstd -xf "$root/root.tar.zst" -C "$work/tree"
	mkdir "$work/tree/vm"
	make_vm "$base" "$vm" "$work/tree/vm" "$work/tree"
	mebibytes=$(du -sm --apparent-size "$work/tree" | cut -f 1)
	mke2fs -q -t ext4 -L vmhost -O ^has_journal -d "$work/tree" "$work/vmhost.img" \
		"$((mebibytes * 5 / 4 + 100))M"
	rm -rf --one-file-system "$work/tree"
	chmod 0755 "$work"
	chmod 0644 "$work/vmhost.img"
}

case ${1:-} in
--root)
	suite=$2
	make_root "$3" "$4"
	exit 0
	;;
--disk)
	shift
	make_disk "$@"
	exit 0
	;;
esac

make_both() {
	local base root vm=$LAB_BUILD/bin/vm
	base=$("$LAB/base.sh" "$suite")
	root=$(cached "vmroot-$suite" root.tar.zst 2 \
		"$(content_key "$suite" "$packages" "$(declare -f make_root)" </dev/null)" \
		"root with QEMU and libvirt of $suite" "$LAB/vmhost.sh" --root "$suite" "$base")
	cached "vmhost-$suite" vmhost.img 2 \
		"$(printf '%s\n' "$LAB/vmhost.sh" "$vm" |
			content_key "$(basename "$root")" "$(basename "$base")")" \
		"disk with QEMU and libvirt of $suite" "$LAB/vmhost.sh" --disk "$base" "$root" "$vm"
}

locked "vmhost-$suite" make_both
