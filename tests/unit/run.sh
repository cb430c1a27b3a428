#!/bin/sh
# Runs unit test programs, each with a time limit, and records every test in $RESULTS.
#
# Usage: tests/unit/run.sh SUITE PROGRAM...
#
# UNIT_UNDER: a command that runs the program, valgrind with its options, say.
#
# A program that crashes, hangs or runs no test counts as failed. Code 1 if any test failed.
set -eu
: "${RESULTS:?}"
limit=${UNIT_SECONDS:-600} # ten times what the longest takes on a machine that is not busy
suite=$1
shift

output=$(mktemp)
trap 'rm -f "$output"' EXIT
failures=0

has_failed() {
	printf '%s\n' "$lines" | grep -q '^fail'
}

add_line() {
	lines="${lines:+$lines
}$1"
}

for program in "$@"; do
	module=${program##*/test_}
	code=0
	# shellcheck disable=SC2086 # words
	CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 5 "$limit" ${UNIT_UNDER-} "$program" >"$output" 2>&1 || code=$?
	# "ok 1 - name", "not ok 1 - name" and behind that "# reason"
	lines=$(awk -v suite="$suite" -v module="$module" '
		function flush() {
			if (failed != "")
				printf "fail\t%s\t%s: %s\t%s\n", suite, module, failed, reason
			failed = ""; reason = ""
		}
		/^(not )?ok [0-9]+ - / {
			flush()
			name = $0; sub(/^(not )?ok [0-9]+ - /, "", name)
			if ($1 == "ok")
				printf "pass\t%s\t%s: %s\n", suite, module, name
			else
				failed = name
			next
		}
		failed != "" && reason == "" && /[^#[:space:]]/ {
			reason = $0; gsub(/\t/, " ", reason); sub(/^#[[:space:]]*/, "", reason)
		}
		END { flush() }' "$output")
	case $code in
	0) ;;
	124 | 137) add_line "fail	$suite	$module: the whole program	did not end within $limit s" ;;
	*) has_failed || add_line "fail	$suite	$module: the whole program	ended with code $code" ;;
	esac
	[ -n "$lines" ] || add_line "fail	$suite	$module: the whole program	ran no test"
	printf '%s\n' "$lines" >>"$RESULTS"
	if has_failed; then
		failures=$((failures + 1))
		echo "---- $program (code $code)"
		tail -n 60 "$output"
	fi
done
[ "$failures" -eq 0 ]
