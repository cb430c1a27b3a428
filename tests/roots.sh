# shellcheck shell=bash
# roots.sh: what the suites image and packages share, which run a script in several of the lab's
# root file systems. Sourced behind lab/lib.sh; $build and $results are the suite's.
# shellcheck disable=SC2154,SC2034 # build, results and TOP are theirs; they read status
status=0

# What a script printed, "pass NAME" and "fail NAME: not so: CONDITION", goes to the results.
tell() { # SUITE RELEASE GENERATOR
	local verdict rest name suite=$1 label=$2/$3 log=$build/$2-$3
	grep -q '^pass' "$log.output" || status=1
	while read -r verdict rest; do
		case $verdict in
		pass)
			printf 'PASS %s: %s: %s\n' "$suite" "$label" "$rest"
			printf 'pass\t%s\t%s: %s\n' "$suite" "$label" "$rest" >>"$results"
			;;
		fail)
			printf 'FAIL %s: %s: %s (%s.errors)\n' "$suite" "$label" "$rest" "${log#"$TOP"/}"
			name=${rest%%: not so:*}
			printf 'fail\t%s\t%s: %s\t%s\n' "$suite" "$label" "$name" "${rest#"$name: "}" \
				>>"$results"
			status=1
			;;
		esac
	done <"$log.output"
}

# Calls run_in of the suite, two at a time: they have a processor each.
run_in_roots() { # SUITE RELEASE/GENERATOR...
	local name suite=$1
	shift
	for name in "$@"; do
		run_in "${name%/*}" "${name#*/}" &
		[ "$(jobs -rp | wc -l)" -lt 2 ] || wait -n
	done
	wait
	for name in "$@"; do
		tell "$suite" "${name%/*}" "${name#*/}"
	done
}
