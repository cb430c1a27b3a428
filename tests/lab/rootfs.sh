#!/bin/bash
# Makes the root file system of the lab's machines, from Debian's archive.
#
# Usage: tests/lab/rootfs.sh [SUITE]        (bookworm)
#
# Prints the folder in the cache that holds:
#   root.tar.zst     the guest: a kernel, initramfs-tools, dracut, udev, systemd, pciutils
#   kbuild.tar.zst   compiler and headers for exactly that kernel; nothing in it was
#                    configured, which takes a third of the time of a full root
#   version          the kernel's version
# Both come from one run, so that they agree whatever the archive does later.
#
# The mirror is the one that this machine's apt uses for Debian; EARLYBIND_MIRROR=URI
# names another.
set -eu -o pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

suite=${1:-bookworm}

# dracut-core is dracut without the package that makes it the system's own generator: both
# generators are there.
guest=linux-image-amd64,initramfs-tools,dracut-core,util-linux-extra,udev,systemd-sysv,kmod,pciutils,busybox,lz4,zstd
builder=linux-headers-amd64,gcc,make

pack() {
	zstd -q -T0 -3 -f -o "$1"
}

make_guest() {
	# Check-Valid-Until: a mirror that stands still for some weeks is good enough here.
	# INITRD=No: the kernel's package would build an image here that nobody boots. What
	# no program reads is left out, and dpkg need not survive a power cut.
	INITRD=No mmdebstrap --mode=root --variant=minbase --include="$guest" \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--format=tar "$suite" - "$mirror" | pack "$1/root.tar.zst"
}

make_builder() {
	# Unpacked only, so the links that maintainer scripts make must be made here: those
	# of the merged /usr, and awk.
	# shellcheck disable=SC2016 # $1 is mmdebstrap's
	mmdebstrap --mode=root --variant=extract --include='?essential' --include="$builder" \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--setup-hook='for d in bin sbin lib lib64; do
			mkdir -p "$1/usr/$d"; ln -s "usr/$d" "$1/$d"; done
			ln -s mawk "$1/usr/bin/awk"' \
		--format=tar "$suite" - "$mirror" | pack "$1/kbuild.tar.zst"
}

make_both() {
	local work=$1 builder_pid
	export TMPDIR=$work
	make_builder "$work" >"$work/kbuild.log" 2>&1 &
	builder_pid=$!
	make_guest "$work" || return 1
	wait "$builder_pid" || { cat "$work/kbuild.log"; return 1; }
	tar -I zstd -tf "$work/root.tar.zst" |
		sed -n 's,^\./boot/vmlinuz-,,p' >"$work/version"
	# The two mmdebstrap runs saw the same archive unless it changed between them.
	# grep reads to the end (no -q): tar must not die of a closed pipe.
	tar -I zstd -tf "$work/kbuild.tar.zst" |
		grep -F "/usr/src/linux-headers-$(cat "$work/version")/Makefile" >/dev/null
}

make_root() {
	local key dir work
	key=$(content_key "$suite" "$(dpkg --print-architecture)" <<<"$LAB/rootfs.sh")
	dir=$CACHE/root-$suite-$key
	if [ ! -e "$dir/version" ]; then
		[ "$(dpkg --print-architecture)" = amd64 ] || die "the lab's machines are amd64"
		mirror=$(mirror)
		work=$(mktemp -d "$CACHE/tmp/root.XXXXXX")
		# mmdebstrap looks into the folder as another user.
		chmod 0755 "$work"
		# shellcheck disable=SC2016
		slowly "root file system of $suite" "$CACHE/root-$suite.log" \
			as_root_bash 'make_both "$1"' "$work"
		mv "$work" "$dir"
		prune "root-$suite" 2
	fi
	touch "$dir"
	echo "$dir"
}

# Runs shell text with this script's functions and variables as root.
as_root_bash() {
	local text=$1
	shift
	as_root bash -c "set -eu -o pipefail
$(declare -f make_both make_guest make_builder pack)
$(declare -p suite mirror guest builder)
$text" lab "$@"
}

locked "root-$suite" make_root
