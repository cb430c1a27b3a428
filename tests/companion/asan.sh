#!/bin/sh
# The companion's suite with the programs of "make DEBUG=1": ASan, UBSan, and a red zone behind
# each allocation of an arena. What a sanitizer finds goes into a folder, which must be empty at
# the end: no test can take it for a failure that it expects.
#
# Usage: tests/companion/asan.sh
#
# What goes into images is the release binder, which has to be static. Starting these programs takes
# eight times as long: kills at each system call are left to the other suite, and of the damaged
# files there is a quarter. "make damaged" and the fuzzers try millions.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
BUILD=${BUILD:-build}
RESULTS=${RESULTS:-$BUILD/results.tsv}
export BUILD RESULTS SUITE=companion-asan MUTATE_SHARE=4
export EARLYBIND="$BUILD/debug/earlybind" BINDER_RUN="$BUILD/debug/binder"

found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
# A root without /proc, in which apply runs, hides them: a report is then among what golden/ has not.
export ASAN_OPTIONS="exitcode=77:log_path=$found/log"
export UBSAN_OPTIONS="print_stacktrace=1:exitcode=77:log_path=$found/log"

# A program without sanitizers, or a report that gets lost, would look like no finding.
code=0
ASAN_OPTIONS=$ASAN_OPTIONS:mmap_limit_mb=1 "$EARLYBIND" --version >/dev/null || code=$?
if [ "$code" -ne 77 ] || [ -z "$(ls -A "$found")" ]; then
	printf 'fail\t%s\treports\tnone of one that must fail\n' "$SUITE" >>"$RESULTS"
	exit 1
fi
rm -f "$found"/*
code=0
"$here/run.sh" || code=$?
if [ -z "$(ls -A "$found")" ]; then
	printf 'pass\t%s\tno-findings\n' "$SUITE" >>"$RESULTS"
else
	for report in "$found"/*; do
		head -n 40 "$report"
		printf 'fail\t%s\tfinding\t%s\n' "$SUITE" "$(grep -m 1 -E 'ERROR: |runtime error: ' \
			"$report" | tr '\t' ' ')" >>"$RESULTS"
	done
	code=1
fi
exit "$code"
