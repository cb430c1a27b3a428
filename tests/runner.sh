#!/bin/sh
# Tests what runs the tests (unit/run.sh, results.sh, fuzz/run.sh): programs that pass, fail,
# crash, hang or do nothing must be recorded as such.
set -eu
: "${RESULTS:?}"
here=$(cd "$(dirname "$0")" && pwd)
results=$(cd "$(dirname "$RESULTS")" && pwd)/${RESULTS##*/}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failures=0

# A program of the name, with this body.
program() { # NAME BODY
	printf '#!/bin/sh\n%s\n' "$2" >"$1"
	chmod +x "$1"
}

# The recorded lines and the code of the last command against what is wanted.
check() { # NAME CODE LINES
	if [ "$code" = "$2" ] && [ "$(cat recorded)" = "$3" ]; then
		printf 'pass\trunner\t%s\n' "$1" >>"$results"
	else
		printf 'fail\trunner\t%s\tcode %s, recorded: %s\n' "$1" "$code" \
			"$(tr '\n\t' '/ ' <recorded)" >>"$results"
		failures=$((failures + 1))
	fi
}

run() { # COMMAND...
	code=0
	: >recorded
	RESULTS=$work/recorded UNIT_SECONDS=1 "$@" >output 2>&1 || code=$?
}

pass='pass	unit	x: test_failing_module'

program test_x 'echo "1..1"; echo "ok 1 - test_failing_module"'
run "$here/unit/run.sh" unit "$work/test_x"
check passes 0 "$pass"

program test_x 'echo "not ok 1 - test_a"; echo "# a: 1 is not 2"; echo "ok 2 - test_b"; exit 1'
run "$here/unit/run.sh" unit "$work/test_x"
check fails 1 "fail	unit	x: test_a	a: 1 is not 2
pass	unit	x: test_b"

program test_x 'echo "ok 1 - test_failing_module"; kill -ABRT $$'
run "$here/unit/run.sh" unit "$work/test_x"
check crashes 1 "$pass
fail	unit	x: the whole program	ended with code 134"

program test_x 'echo "ok 1 - test_failing_module"; exec sleep 100'
run "$here/unit/run.sh" unit "$work/test_x"
check hangs 1 "$pass
fail	unit	x: the whole program	did not end within 1 s"

program test_x 'exit 0'
run "$here/unit/run.sh" unit "$work/test_x"
check 'does nothing' 1 'fail	unit	x: the whole program	ran no test'

program test_x 'echo "ok 1 - test_failing_module"; exit 1'
run "$here/unit/run.sh" unit "$work/test_x"
check 'leaks, say' 1 "$pass
fail	unit	x: the whole program	ended with code 1"

program test_x 'echo "ok 1 - test_failing_module"'
program test_y 'exit 3'
run "$here/unit/run.sh" unit "$work/test_y" "$work/test_x"
check 'goes on after a crash' 1 "fail	unit	y: the whole program	ended with code 3
$pass"

run "$here/results.sh" run lab false
check 'suite that fails without a word' 0 'fail	lab	suite	ended with code 1'
run "$here/results.sh" run lab true
check 'suite that runs nothing' 0 'fail	lab	suite	ran nothing'
# shellcheck disable=SC2016 # the shell of the suite expands it
run "$here/results.sh" run lab sh -c 'printf "pass\tlab\ta\n" >>"$RESULTS"'
check 'suite that passes' 0 'pass	lab	a'
# shellcheck disable=SC2016 # the shell of the suite expands it
run "$here/results.sh" run lab sh -c 'printf "fail\tlab\ta\tb\n" >>"$RESULTS"; exit 1'
check 'suite that says what failed' 0 'fail	lab	a	b'

sums() { # LINES
	code=0
	printf '%b' "$1" >recorded
	RESULTS=$work/recorded "$here/results.sh" sum >output || code=$?
	tail -n 1 output >recorded
}
sums ''
check 'sum of nothing' 1 '0 passed, 0 failed'
sums 'pass\tunit\tfail\n'
check 'sum of a pass' 0 '1 passed, 0 failed'
sums 'pass\tunit\ta\nfail\tunit\tb\tc\n'
check 'sum with a failure' 1 '1 passed, 1 failed'

# Suites beside each other and alone. "suite-late" ends when "suite-early" is there, so that both
# must run; the lines of one are not among those of the other.
# shellcheck disable=SC2016 # the shell of the suite expands it
program fake-make 'name=${1#suite-}
result=${2#*=}
[ "$name" != programs ] || exit 3
echo "begin $name"
case $name in
early) sleep 0.3; touch early ;;
late) n=0; until [ -e early ]; do sleep 0.1; n=$((n + 1)); [ $n -lt 100 ]; done ;;
dead) exit 7 ;;
idle) exit 0 ;;
alone) [ ! -e busy ] ;;
busy) touch busy; sleep 0.5; rm busy ;;
killed) kill -9 "$PPID"; exit ;;
esac || exit 1
printf "pass\t%s\tx\n" "$name" >>"$result"
echo "end $name"'
all() { # BESIDE SUITE...
	code=0
	: >recorded
	beside=$1
	shift
	RESULTS=$work/recorded JOBS=2 BESIDE=$beside "$here/results.sh" all "$work/fake-make" "$@" \
		>output 2>&1 || code=$?
}
all 'late early' late early
sort -o recorded recorded
check 'suites run beside each other' 0 'pass	early	x
pass	late	x'
sed -n '/: what it printed$/,/ passed, .* s$/p' output >shown
grep -v '^====' shown | paste - - | sort >recorded
check 'what they print is not mixed' 0 'begin early	end early
begin late	end late'
all 'dead idle' dead early idle busy
sort -o recorded recorded
check 'failing suites stop no other' 1 'fail	dead	suite	ended with code 7
fail	idle	suite	ran nothing
pass	busy	x
pass	early	x'
all 'busy early' busy early alone
sort -o recorded recorded
check 'a suite that is not to run beside others' 0 'pass	alone	x
pass	busy	x
pass	early	x'
all 'killed early' killed early
sort -o recorded recorded
check 'a suite whose shell is killed' 1 'fail	killed	suite	its shell was killed
pass	early	x'
all '' early idle
awk '/^suite  /,0' output | grep -v '^(building)' | awk '{ if (NR > 1 && $1 != "FAILED") $2 = "N"; $1 = $1; print }' >recorded
check 'table and sum' 1 'suite seconds passed failed
early N 1 0
idle N 0 1
together N 1 1
FAILED idle: suite: ran nothing
1 N 1 failed'

mkdir -p corpus/x
cp "$here/fuzz/run.sh" fuzz-run.sh
program fuzz_x 'echo "stat::number_of_executed_units: 7" >&2'
run ./fuzz-run.sh 1 2 "$work/fuzz_x"
check 'fuzzer that finds nothing' 0 'pass	fuzz	x'
program fuzz_x 'echo "Test unit written to ./crash-1" >&2; exit 77'
run ./fuzz-run.sh 1 2 "$work/fuzz_x"
check 'fuzzer that finds something' 1 'fail	fuzz	x	code 77, input ./crash-1'
program fuzz_x 'exit 0'
run ./fuzz-run.sh 1 2 "$work/fuzz_x"
check 'fuzzer that does not run' 1 'fail	fuzz	x	code 0, input none'

# The table of the boots: of a run of make test or test-all, with its date; not of some boots.
mkdir -p lab
row='"kernel": "6.1.0-50", "packages": {"initramfs-tools": "0.142"}, "generator": "initramfs-tools", "seconds": 9'
boots() { # RUN PASSED
	printf '{"run": "%s", "date": "2026-01-02", "seconds": 180, "boots": [
		{"suite": "bookworm", "case": "01-native-wins", "passed": true, %s},
		{"suite": "trixie", "case": "01-native-wins", "passed": %s, %s}]}' \
		"$1" "$row" "$2" "$row" >lab/boots.json
	run env BUILD="$work" /usr/bin/python3 "$here/lab/matrix.py"
	grep -e '^| [bt]' -e passed -e ^matrix: output >recorded
}
boots test true
# shellcheck disable=SC2016 # backquotes of the text
check 'table of make test' 0 '| bookworm, initramfs-tools | 6.1.0 | 0.142 | yes |
| trixie, initramfs-tools | 6.1.0 | 0.142 | yes |
2 of 2 boots of `make test` passed, in 3 minutes, on 2026-01-02.'
boots all false
# shellcheck disable=SC2016 # backquotes of the text
check 'table of make test-all' 0 '| bookworm, initramfs-tools | 6.1.0 | 0.142 | yes |
| trixie, initramfs-tools | 6.1.0 | 0.142 | **no** |
1 of 2 boots of `make test-all` passed, in 3 minutes, on 2026-01-02.'
boots some true
check 'table of some boots' 1 'matrix: the last run was of some boots only: make test, or make test-all'

[ "$failures" -eq 0 ]
