#!/bin/bash
# The real binder, not a dry run, below roots that mean harm: parts that are missing, full or
# read-only, files that block, lie or are too long, limits of the process. Each case is a
# chroot on a tmpfs, which the binder takes for an initramfs. The namespaces belong to a user
# who is nobody outside, so nothing of this machine can be touched.
#
# Usage: tests/hostile/run.sh [CASE...]
#
# Uses $BUILD/binder and $BUILD/earlybind. Results go to $RESULTS.
set -eu
here=$(dirname "$(realpath "$0")")
BUILD=$(realpath "${BUILD:-build}")
RESULTS=$(realpath "${RESULTS:-$BUILD/results.tsv}")
export BUILD RESULTS
mkdir -p "$(dirname "$RESULTS")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
timeout -k 5 1800 unshare --user --map-root-user --net --pid --fork --kill-child --mount \
	--mount-proc /usr/bin/python3 -B "$here/cases.py" "$work" "$@"
