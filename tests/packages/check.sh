# shellcheck shell=bash
# check.sh: one check of the suite packages, by its exit code. Sourced; $work has its log, $RESULTS
# the results, $status becomes 1.
# shellcheck disable=SC2154,SC2034 # work is theirs; they read status
status=0

check() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >"$work/log" 2>&1; then
		printf 'pass\tpackages\t%s\n' "$name" >>"$RESULTS"
	else
		printf 'fail\tpackages\t%s\tsee %s/log\n' "$name" "${work#"$TOP"/}" >>"$RESULTS"
		echo "---- $name" >&2
		tail -n 20 "$work/log" >&2
		status=1
	fi
}
