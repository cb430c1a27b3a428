#!/bin/sh
# Runs fuzzers and records each in $RESULTS. What they find new stays in the build folder;
# an input that breaks something is kept beside it and named in the result.
#
# Usage: tests/fuzz/run.sh SECONDS JOBS PROGRAM...
#
# The seeds are in tests/fuzz/corpus/NAME, words of rules in words.dict. Their chance is drawn from
# the sources: a commit has the same inputs wherever it is tested, another code has others.
# FUZZ_SEED=0 is a new one for each run. Code 1 if any fuzzer failed.
set -eu
: "${RESULTS:?}"
seconds=$1
jobs=$2
shift 2
seeds=$(dirname "$0")/corpus
sources=$(git -C "${seeds%/corpus}/../.." ls-tree HEAD binder/ companion/ tests/fuzz/ tests/fake/ 2>/dev/null | git hash-object --stdin 2>/dev/null | cut -c1-7) || sources=
seed=${FUZZ_SEED:-$((0x${sources:-1}))}

run_one() { # PROGRAM
	program=$1
	name=${program##*/fuzz_}
	work=${program%/*}/found/$name
	log=$work.log
	mkdir -p "$work"
	code=0
	# Beyond its own limit it hangs in one input: -timeout= ends that.
	timeout -k 5 $((seconds + 60)) "$program" -seed="$seed" -max_total_time="$seconds" -timeout=20 \
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
		echo "fuzz_$name: FAILED, code $code"
		return 1
	fi
}

# So many at a time; a shell of POSIX can only wait for all of them.
failed=
while [ $# -gt 0 ]; do
	running=
	i=0
	while [ $# -gt 0 ] && [ "$i" -lt "$jobs" ]; do
		run_one "$1" &
		running="$running $!:$1"
		shift
		i=$((i + 1))
	done
	for one in $running; do
		wait "${one%%:*}" || failed="$failed ${one#*:}"
	done
done

# Last, where whoever reads the end of the output sees it.
for program in $failed; do
	log=${program%/*}/found/${program##*/fuzz_}.log
	echo "---- ${program##*/}"
	grep -v '^<4>still waiting' "$log" | grep -v '^ *#[0-9]* 0x.* in fuzzer::' | tail -n 40
done
[ -z "$failed" ]
