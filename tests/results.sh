#!/bin/sh
# Results of test suites: lines "pass<TAB>suite<TAB>name" and
# "fail<TAB>suite<TAB>name<TAB>reason" in the file $RESULTS.
#
# Usage: tests/results.sh run SUITE COMMAND...   runs a suite; always ends with code 0
#        tests/results.sh sum                    prints "N passed, N failed"; code 1 if any
#                                                failed or none ran
#
# A suite whose command fails without a failed check, or that records nothing, is recorded
# as failed itself.
set -eu
: "${RESULTS:?}"

count() { # PATTERN
	grep -c "$1" "$RESULTS" || true
}

case ${1-} in
run)
	suite=$2
	shift 2
	touch "$RESULTS"
	before=$(count '')
	failed=$(count '^fail')
	code=0
	"$@" || code=$?
	if [ "$code" -ne 0 ] && [ "$(count '^fail')" -eq "$failed" ]; then
		printf 'fail\t%s\tsuite\tended with code %s\n' "$suite" "$code" >>"$RESULTS"
	elif [ "$(count '')" -eq "$before" ]; then
		printf 'fail\t%s\tsuite\tran nothing\n' "$suite" >>"$RESULTS"
	fi
	;;
sum)
	touch "$RESULTS"
	awk -F '\t' '$1 == "fail" { printf "FAILED %s: %s: %s\n", $2, $3, $4 }' "$RESULTS"
	passed=$(count '^pass')
	failed=$(count '^fail')
	echo "$passed passed, $failed failed"
	[ "$passed" -gt 0 ] && [ "$failed" -eq 0 ]
	;;
*)
	echo "usage: $0 run SUITE COMMAND... | sum" >&2
	exit 2
	;;
esac
