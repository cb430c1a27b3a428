#!/bin/bash
# Boots the lab's cases and judges them.
#
# Usage: tests/lab/run.sh [CASE...]       names or their beginnings; all without any
#
# SUITE=NAME    Debian release of the machines (bookworm)
# JOBS=N        boots at the same time (2)
# RESULTS=FILE  where one line per case is added (build/results.tsv)
#
# Exit code: 0 if every case passed. A case that cannot run has failed.
set -eu -o pipefail
. "$(dirname "$0")/lib.sh"

build=$TOP/build/lab
mkdir -p "$build"
"$TOP/mk/packages.sh" build lab

musl-gcc -static -Os -Wall -Wextra -o "$build/preinit" "$LAB/preinit.c"

# What a packager's `make install` installs is what the machines get.
stage=$build/stage
rm -rf "$stage"
if ! "${MAKE:-make}" -C "$TOP" install DESTDIR="$stage" >"$build/install.log" 2>&1; then
	tail -n 20 "$build/install.log" >&2
	say "error: make install failed; the cases with earlybind will fail ($build/install.log)"
	stage=
fi

exec python3 "$LAB/run.py" --preinit "$build/preinit" --suite "${SUITE:-bookworm}" \
	--jobs "${JOBS:-2}" ${stage:+--stage "$stage"} "$@"
