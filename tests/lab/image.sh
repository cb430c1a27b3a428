#!/bin/bash
# Makes one initramfs image with the guest's own generator.
#
# Usage: tests/lab/image.sh SUITE GENERATOR CONFIG [STAGE]
#
# GENERATOR is initramfs-tools, dracut-systemd, dracut-plain (an image without systemd) or
# dracut-hostonly (with systemd, and only what this machine is thought to need).
# CONFIG is a folder of tests/lab/config: the files below its root/ are laid over the
# guest's root, and its script `prepare`, if there is one, runs in the root before the
# image is made. STAGE is a folder with earlybind installed in it (make install DESTDIR=);
# without it earlybind is not installed.
#
# Prints the folder in the cache that holds:
#   initrd.img      the image
#   generator.log   what the generator printed
#   files/          CONFIG's files and STAGE's, as they must lie on the disk, too
set -eu -o pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

# The command that makes the image, run in the guest's root.
generator_command() {
	local version=$1 dracut
	dracut="dracut --force --kver $version"
	case $2 in
	initramfs-tools) echo "update-initramfs -u" ;;
	dracut-systemd) echo "$dracut --no-hostonly" ;;
	dracut-plain) echo "$dracut --no-hostonly --omit systemd" ;;
	# What a machine would find out about its root file system must be told here.
	dracut-hostonly)
		echo "$dracut --hostonly --hostonly-mode strict" \
			"--add-drivers nvme --filesystems ext4"
		;;
	*) die "there is no generator $2" ;;
	esac
}

# Runs as root in its own mount and pid namespace: the mounts vanish with it.
build_in_namespace() {
	local base=$1 work=$2 generator=$3 config=$4 version root command
	version=$(cat "$base/version")
	root=$work/root
	mkdir "$root"

	# A layer over the shared tree, in memory; where overlays cannot be had, a copy.
	mount -t tmpfs -o mode=0755 lab "$work/layer"
	mkdir "$work/layer/upper" "$work/layer/work"
	mount -t overlay -o \
		"lowerdir=$base/tree,upperdir=$work/layer/upper,workdir=$work/layer/work" \
		lab "$root" || cp -a "$base/tree/." "$root"

	tar -C "$work/files" -c . | tar -C "$root" -x --no-overwrite-dir
	mount_proc "$root"
	# No /sys: hooks must not take this machine for the one that will boot the image.
	if [ -e "$config/prepare" ]; then
		cp "$config/prepare" "$root/tmp/prepare"
		chroot "$root" sh /tmp/prepare "$version"
		rm "$root/tmp/prepare"
	fi
	command=$(generator_command "$version" "$generator")
	# shellcheck disable=SC2086 # a command of several words
	chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C \
		$command >"$work/generator.log" 2>&1 || {
		cat "$work/generator.log"
		return 1
	}
	cp "$root/boot/initrd.img-$version" "$work/initrd.img"
	test -s "$work/initrd.img"
}

make_all() {
	local base=$1 generator=$2 config=$3 stage=$4 work=$5 from
	mkdir "$work/files" "$work/layer"
	# The configuration comes last, as an administrator edits what a package brought.
	for from in "$stage" "$config/root"; do
		[ -d "$from" ] || continue
		tar -C "$from" --owner=0 --group=0 --mode=go-w -c . |
			tar -C "$work/files" -x --no-overwrite-dir
	done
	unshare --mount --pid --fork "$0" --in-namespace "$base" "$work" "$generator" \
		"$config"
	rm -rf --one-file-system "$work/root" "$work/layer"
	chmod 0755 "$work"
	chmod 0644 "$work/initrd.img"
}

case ${1:-} in
--as-root)
	shift
	make_all "$@"
	exit 0
	;;
--in-namespace)
	shift
	build_in_namespace "$@"
	exit 0
	;;
esac

suite=$1
generator=$2
name=$3
stage=${4:-}
label=$suite-$generator-$name

make_image() {
	local base key config=$LAB/config/$name
	[ -d "$config" ] || die "there is no configuration $name in tests/lab/config"
	base=$("$LAB/base.sh" "$suite")
	key=$({
		echo "$LAB/image.sh"
		echo "$config"
		[ -z "$stage" ] || echo "$stage"
	} | content_key "$(basename "$base")" "$generator" "${stage:+with earlybind}")
	cached "image-$label" initrd.img 3 "$key" "image $label" \
		"$LAB/image.sh" --as-root "$base" "$generator" "$config" "$stage"
}

locked "image-$label" make_image
