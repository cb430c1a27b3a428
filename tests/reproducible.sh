#!/bin/sh
# Same sources, same bytes: builds both programs a second time, in a copy of the sources in
# a folder of another length, and compares.
#
# Usage: tests/reproducible.sh      after "make"; results go to $RESULTS
set -eu

BUILD=${BUILD:-build}
RESULTS=$(realpath "${RESULTS:-$BUILD/results.tsv}")
copy=$BUILD/reproducible/a-folder-with-a-longer-name
rm -rf "$BUILD/reproducible"
mkdir -p "$copy"
git ls-files -z -- ':!tests' | xargs -0 cp --parents -t "$copy"
mkdir -p "$copy/tests"
env -u BUILD -u MAKEFLAGS make -C "$copy" -j"$(nproc)" BUILD=build PACKAGES=check \
	build/binder build/earlybind >"$BUILD/reproducible/log" 2>&1 || {
	tail -n 20 "$BUILD/reproducible/log" >&2
	exit 1
}
status=0
for program in binder earlybind; do
	if cmp "$BUILD/$program" "$copy/build/$program"; then
		printf 'pass\treproducible\t%s\n' "$program" >>"$RESULTS"
	else
		printf 'fail\treproducible\t%s\tanother folder gives other bytes\n' "$program" \
			>>"$RESULTS"
		status=1
	fi
done
rm -rf "$BUILD/reproducible"
exit $status
