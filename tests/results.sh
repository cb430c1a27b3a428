#!/bin/bash
# Runs test suites and sums up their results: lines "pass<TAB>suite<TAB>name" and
# "fail<TAB>suite<TAB>name<TAB>reason" in the file $RESULTS.
#
# Usage: tests/results.sh run SUITE COMMAND...      runs a suite; always ends with code 0
#        tests/results.sh all "COMMAND" SUITE...    runs all of them, each by
#                                                   COMMAND suite-SUITE RESULTS=FILE, then "sum"
#        tests/results.sh sum                       prints what each suite took, then "N passed,
#                                                   N failed"; code 1 if any failed or none ran
#
# A suite whose command fails without a failed check, or that records nothing, is recorded
# as failed itself.
#
# The suites named in $BESIDE run beside each other, as many as there are processors (JOBS=N),
# if they follow one another in the list. Each has its output in a file until it ends. Any
# other suite has the machine for itself, and its output comes as it is written. Before the
# first one COMMAND suite-programs builds what they all need: two of them must not build in
# the same folder at the same time.
#
# suites/SUITE.tsv, SUITE.log and SUITE.seconds beside $RESULTS are those of one suite.
set -eu
: "${RESULTS:?}"
own=$(dirname "$RESULTS")/suites
running=()

count() { # PATTERN [FILE]
	grep -c "$1" "${2:-$RESULTS}" || true
}

run() { # SUITE COMMAND...
	local suite=$1 before failed code=0
	shift
	touch "$RESULTS"
	before=$(count '')
	failed=$(count '^fail')
	"$@" || code=$?
	if [ "$code" -ne 0 ] && [ "$(count '^fail')" -eq "$failed" ]; then
		printf 'fail\t%s\tsuite\tended with code %s\n' "$suite" "$code" >>"$RESULTS"
	elif [ "$(count '')" -eq "$before" ]; then
		printf 'fail\t%s\tsuite\tran nothing\n' "$suite" >>"$RESULTS"
	fi
}

# A suite with results of its own, and the seconds that it took.
run_own() { # SUITE
	local begin=$SECONDS RESULTS=$own/$1.tsv
	# shellcheck disable=SC2086 # a command of several words
	run "$1" $command "suite-$1" RESULTS="$RESULTS"
	echo "$((SECONDS - begin))" >"$own/$1.seconds"
}

say() {
	printf '==== %s\n' "$*"
}

# Its results join those of the others, whoever is writing there.
tell_end() { # SUITE
	local file=$own/$1.tsv
	if [ ! -e "$own/$1.seconds" ]; then
		printf 'fail\t%s\tsuite\tits shell was killed\n' "$1" >>"$file"
		echo 0 >"$own/$1.seconds"
	fi
	cat "$file" >>"$RESULTS"
	say "$1: $(count '^pass' "$file") passed, $(count '^fail' "$file") failed," \
		"$(cat "$own/$1.seconds") s"
}

# A command that ends when this shell is told to, or with Ctrl-C, which nothing hears that a
# shell has started in the background.
endable() { # COMMAND...
	env --default-signal=INT "$@" &
	# shellcheck disable=SC2064 # $! as it is now
	trap "kill $! 2>/dev/null || true" TERM
	wait $!
}

# A suite beside others.
start() { # SUITE
	say "$1: started; what it prints follows when it has ended"
	(
		command="endable $command"
		run_own "$1"
	) >"$own/$1.log" 2>&1 </dev/null &
	running+=("$!:$1")
}

# Waits until at most so many suites run, and shows those that have ended.
wait_until() { # NUMBER
	local entry left ticks=0
	while :; do
		left=()
		for entry in ${running[@]+"${running[@]}"}; do
			if kill -0 "${entry%%:*}" 2>/dev/null; then
				left+=("$entry")
				continue
			fi
			say "${entry#*:}: what it printed"
			cat "$own/${entry#*:}.log"
			tell_end "${entry#*:}"
		done
		running=(${left[@]+"${left[@]}"})
		[ "${#running[@]}" -gt "$1" ] || return 0
		ticks=$((ticks + 1))
		[ $((ticks % 150)) -ne 0 ] || say "still running: ${running[*]#*:}"
		sleep 0.2
	done
}

stop() {
	local entry
	trap - INT TERM
	for entry in ${running[@]+"${running[@]}"}; do
		kill "${entry%%:*}" 2>/dev/null || true
	done
	exit 130
}

run_all() { # COMMAND SUITE...
	local suite begin=$SECONDS
	command=$1
	shift
	: >"$RESULTS"
	rm -rf "$own"
	mkdir -p "$own"
	trap stop INT TERM
	if [ $# -gt 1 ]; then
		# A suite whose programs cannot be built says so itself.
		# shellcheck disable=SC2086 # a command of several words
		$command suite-programs SUITES="$*" || true
		echo "$((SECONDS - begin))" >"$own/programs"
	fi
	for suite in "$@"; do
		case " ${BESIDE-} " in
		*" $suite "*)
			wait_until "$((${JOBS:-$(nproc)} - 1))"
			start "$suite"
			;;
		*)
			wait_until 0
			say "$suite: started"
			run_own "$suite"
			tell_end "$suite"
			;;
		esac
	done
	wait_until 0
	printf '%s\n' "$@" >"$own/order"
	echo "$((SECONDS - begin))" >"$own/seconds"
}

row() { # SUITE SECONDS PASSED FAILED
	printf '%-14s %7s %7s %7s\n' "$@"
}

# What each suite took: its own time, that it may have shared with others.
table() {
	local suite
	[ -e "$own/order" ] || return 0
	row suite seconds passed failed
	[ ! -e "$own/programs" ] || row '(building)' "$(cat "$own/programs")" - -
	while read -r suite; do
		row "$suite" "$(cat "$own/$suite.seconds")" "$(count '^pass' "$own/$suite.tsv")" \
			"$(count '^fail' "$own/$suite.tsv")"
	done <"$own/order"
	row together "$(cat "$own/seconds")" "$(count '^pass')" "$(count '^fail')"
}

sum() {
	local passed failed
	touch "$RESULTS"
	table
	awk -F '\t' '$1 == "fail" { printf "FAILED %s: %s: %s\n", $2, $3, $4 }' "$RESULTS"
	passed=$(count '^pass')
	failed=$(count '^fail')
	echo "$passed passed, $failed failed"
	[ "$passed" -gt 0 ] && [ "$failed" -eq 0 ]
}

case ${1-} in
run)
	shift
	run "$@"
	;;
all)
	shift
	run_all "$@"
	sum
	;;
sum)
	sum
	;;
*)
	echo "usage: $0 run SUITE COMMAND... | all COMMAND SUITE... | sum" >&2
	exit 2
	;;
esac
