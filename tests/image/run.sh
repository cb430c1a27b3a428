#!/bin/bash
# Image tests: what the hook puts into an image and what it refuses, with the real
# update-initramfs of a real root file system (the lab's, see tests/lab/README.md).
#
# Usage: tests/image/run.sh
#
# SUITE=NAME    Debian release (bookworm)
# RESULTS=FILE  where one line per check is added (build/results.tsv)
set -eu -o pipefail
. "$(dirname "$0")/../lab/lib.sh"

here=$TOP/tests/image
build=$TOP/build/image
results=${RESULTS:-$TOP/build/results.tsv}

# As root, in a mount namespace of its own: the mounts vanish with it.
if [ "${1:-}" = --in-namespace ]; then
	base=$2 work=$3
	mkdir -p "$work/root" "$work/layer"
	mount -t tmpfs -o mode=0755 image "$work/layer"
	mkdir "$work/layer/upper" "$work/layer/work"
	mount -t overlay -o \
		"lowerdir=$base/tree,upperdir=$work/layer/upper,workdir=$work/layer/work" \
		image "$work/root" || cp -a "$base/tree/." "$work/root"
	tar -C "$work/stage" --owner=0 --group=0 --mode=go-w -c . |
		tar -C "$work/root" -x --no-overwrite-dir
	mount -t proc proc "$work/root/proc"
	mkdir "$work/root/image-tests"
	cp "$here/cases.sh" "$work/root/image-tests"
	chroot "$work/root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C \
		sh /image-tests/cases.sh "$(cat "$base/version")"
	exit 0
fi

"$TOP/mk/packages.sh" build lab
rm -rf "$build/stage"
mkdir -p "$build"
"${MAKE:-make}" -C "$TOP" install DESTDIR="$build/stage" >"$build/install.log" 2>&1 || {
	tail -n 20 "$build/install.log" >&2
	die "make install failed"
}
base=$("$LAB/base.sh" "${SUITE:-bookworm}")
work=$(as_root mktemp -d "$CACHE/tmp/tests.XXXXXX")
# shellcheck disable=SC2064 # $work as it is now
trap "as_root rm -rf --one-file-system '$work'" EXIT
as_root cp -a "$build/stage" "$work/stage"
as_root unshare --mount --pid --fork "$0" --in-namespace "$base" "$work" \
	>"$build/output" 2>"$build/errors" || {
	tail -n 30 "$build/errors" >&2
	printf 'FAIL image: the tests did not finish (build/image/errors)\n'
	printf 'fail\timage\trun\tdid not finish\n' >>"$results"
}

# The cases print "pass NAME" and "fail NAME: REASON".
status=0
while read -r verdict rest; do
	case $verdict in
	pass)
		printf 'PASS image: %s\n' "$rest"
		printf 'pass\timage\t%s\n' "$rest" >>"$results"
		;;
	fail)
		printf 'FAIL image: %s (build/image/errors)\n' "$rest"
		printf 'fail\timage\t%s\t%s\n' "${rest%%:*}" "${rest#*: }" >>"$results"
		status=1
		;;
	esac
done <"$build/output"
grep -q '^pass' "$build/output" || status=1
exit $status
