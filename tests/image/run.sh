#!/bin/bash
# Image tests: what the hooks put into an image and what they refuse, with the real
# update-initramfs and dracut of real root file systems (the lab's, see tests/lab/README.md).
#
# Usage: tests/image/run.sh [SUITE/GENERATOR...]
#
# GENERATOR is the name of a script beside this one. Without arguments the two generators of
# bookworm, and mkinitcpio's hooks with an old and a newer kernel; with "all"
# all of every release.
#
# RESULTS=FILE  where one line per check is added (build/results.tsv)
set -eu -o pipefail
. "$(dirname "$0")/../lab/lib.sh"
. "$TOP/tests/roots.sh"

here=$TOP/tests/image
build=$TOP/build/image
results=${RESULTS:-$TOP/build/results.tsv}

# As root, in a mount namespace of its own: the mounts vanish with it.
if [ "${1:-}" = --in-namespace ]; then
	base=$2 work=$3 generator=$4
	mkdir -p "$work/root" "$work/layer"
	mount -t tmpfs -o mode=0755 image "$work/layer"
	mkdir "$work/layer/upper" "$work/layer/work"
	mount -t overlay -o \
		"lowerdir=$base/tree,upperdir=$work/layer/upper,workdir=$work/layer/work" \
		image "$work/root" || cp -a "$base/tree/." "$work/root"
	tar -C "$work/stage" --owner=0 --group=0 --mode=go-w -c . |
		tar -C "$work/root" -x --no-overwrite-dir
	mount_proc "$work/root"
	mkdir "$work/root/image-tests"
	cp "$here/lib.sh" "$here/$generator.sh" "$work/root/image-tests"
	chroot "$work/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C \
		sh "/image-tests/$generator.sh" "$(cat "$base/version")"
	exit 0
fi

# run_in SUITE GENERATOR: what the tests print goes to files in $build.
run_in() {
	local base work log=$build/$1-$2
	base=$("$LAB/base.sh" "$1")
	work=$(as_root mktemp -d "$CACHE/tmp/tests.XXXXXX")
	as_root cp -a "$build/stage" "$work/stage"
	as_root unshare --mount --pid --fork "$0" --in-namespace "$base" "$work" "$2" \
		>"$log.output" 2>"$log.errors" || {
		tail -n 30 "$log.errors" >&2
		echo "fail the tests: did not finish" >>"$log.output"
	}
	as_root rm -rf --one-file-system "$work"
}

[ $# -gt 0 ] || set -- bookworm/{dracut,initramfs-tools,mkinitcpio} trixie/mkinitcpio
[ "$1" != all ] || set -- {bookworm,trixie,forky}/{initramfs-tools,dracut,mkinitcpio}

# The lab's own copy of earlybind: the images below are those that its boots need, and the cache
# knows them by what they are made from.
prepare_lab
[ -n "$STAGE" ] || die "there is nothing to test"
rm -rf "$build"
mkdir -p "$build"
cp -a "$STAGE" "$build/stage"

run_in_roots image "$@"

# What `earlybind check` says of nine real images and of copies that are broken on purpose.
folders=()
for suite in bookworm trixie forky; do
	for generator in initramfs-tools dracut-systemd dracut-plain; do
		folders+=("$build/$suite-$generator.folder")
		config=table
		[ "$suite/$generator" != bookworm/initramfs-tools ] || config=release
		"$LAB/image.sh" "$suite" "$generator" "$config" "$build/stage" \
			>"$build/$suite-$generator.folder" &
		[ "$(jobs -rp | wc -l)" -lt 2 ] || wait -n || true
	done
done
wait
mapfile -t folders < <(cat "${folders[@]}")
[ "${#folders[@]}" -eq 9 ] || die "not all images could be made"
RESULTS=$results /usr/bin/python3 "$here/check_images.py" "${folders[@]}" || status=1
exit $status
