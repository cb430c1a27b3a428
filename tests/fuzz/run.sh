#!/bin/sh
# Runs fuzzers and records each in $RESULTS. What they find new stays in the build folder;
# an input that breaks something is kept beside it and named in the result.
#
# Usage: tests/fuzz/run.sh SECONDS JOBS PROGRAM...
#
# The seeds are in tests/fuzz/corpus/NAME, words of rules in words.dict. Code 1 if any fuzzer failed.
set -eu
: "${RESULTS:?}"
seconds=$1
jobs=$2
shift 2
seeds=$(dirname "$0")/corpus

run_one() { # PROGRAM
	program=$1
	name=${program##*/fuzz_}
	work=${program%/*}/found/$name
	log=$work.log
	mkdir -p "$work"
	code=0
	# Beyond its own limit it hangs in one input: -timeout= ends that.
	timeout -k 5 $((seconds + 60)) "$program" -max_total_time="$seconds" -timeout=20 \
		-rss_limit_mb=2048 -dict="${seeds%/*}/words.dict" -artifact_prefix="$work-" -print_final_stats=1 \
		"$work" "$seeds/$name" >"$log" 2>&1 || code=$?
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	if [ "$code" -eq 0 ] && [ "${runs:-0}" -gt 0 ]; then
		printf 'pass\tfuzz\t%s\n' "$name" >>"$RESULTS"
		echo "fuzz_$name: $runs inputs"
	else
		input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
		printf 'fail\tfuzz\t%s\tcode %s, input %s\n' "$name" "$code" "${input:-none}" \
			>>"$RESULTS"
		echo "---- fuzz_$name (code $code)"
		tail -n 60 "$log"
		return 1
	fi
}

# So many at a time; a shell of POSIX can only wait for all of them.
failures=0
while [ $# -gt 0 ]; do
	running=
	i=0
	while [ $# -gt 0 ] && [ "$i" -lt "$jobs" ]; do
		run_one "$1" &
		running="$running $!"
		shift
		i=$((i + 1))
	done
	for pid in $running; do
		wait "$pid" || failures=$((failures + 1))
	done
done
[ "$failures" -eq 0 ]
