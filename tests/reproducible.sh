#!/bin/sh
# Same sources, same bytes: builds both programs a second time, in a copy of the sources in
# a folder of another length, and compares.
#
# Then: another flag compiles anew, the same flags compile nothing.
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
make_copy() { # ARGUMENT...
	env -u BUILD -u MAKEFLAGS make -C "$copy" -j"$(nproc)" BUILD=build PACKAGES=check "$@" \
		>"$BUILD/reproducible/log" 2>&1 || {
		tail -n 20 "$BUILD/reproducible/log" >&2
		exit 1
	}
}
make_copy build/binder build/earlybind
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

# compiles COUNT NAME ARGUMENT...: make compiles so many files with these arguments
compiles() {
	wanted=$1
	name=$2
	shift 2
	make_copy build/release/binder/base/text.o "$@"
	count=$(grep -c '^  CC ' "$BUILD/reproducible/log" || true)
	if [ "$count" = "$wanted" ]; then
		printf 'pass\treproducible\t%s\n' "$name" >>"$RESULTS"
	else
		printf 'fail\treproducible\t%s\tcompiled %s files\n' "$name" "$count" >>"$RESULTS"
		status=1
	fi
}
compiles 0 'the same flags compile nothing'
compiles 1 'another flag compiles anew' CPPFLAGS=-DANOTHER
compiles 0 'and only once' CPPFLAGS=-DANOTHER
compiles 1 'another WERROR as well' CPPFLAGS=-DANOTHER WERROR="$([ "${WERROR-}" ] || echo 1)"
rm -rf "$BUILD/reproducible"
exit $status
