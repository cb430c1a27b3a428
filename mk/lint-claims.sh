#!/bin/sh
# What the documentation and the rules of the project claim, checked against the programs.
#
# Usage: mk/lint-claims.sh BUILD
set -eu

build=$1
status=0

fail() {
	echo "lint: $*" >&2
	status=1
}

# found WHAT TEXT: a claim that is compared with nothing always holds.
found() {
	[ -n "$2" ] || fail "no $1 found: what this lint reads has changed its form"
}

# Both programs are static, and the binder is small: 320 KiB, with its table of 64 KiB.
for program in binder earlybind; do
	found "program $build/$program" "$(readelf -hW "$build/$program" | grep 'Type: .* EXEC')"
	if readelf -lW "$build/$program" | grep -q INTERP; then
		fail "$build/$program names an interpreter"
	fi
	if readelf -dW "$build/$program" | grep -q NEEDED; then
		fail "$build/$program needs a shared library"
	fi
done
size=$(wc -c <"$build/binder")
[ "$size" -le $((320 * 1024)) ] || fail "$build/binder has $size bytes, more than 320 KiB"

# Absolute paths of the machine stand in machine/: world.c, jobs.c and modload.c, with modprobe.d's
# places. pid1.c has those of its mounts and of what it becomes, hotplug.c the binder's for udev.
paths=$(grep -rnE --include='*.[ch]' '"/(sys|proc|dev|run|etc|lib|usr)' binder || true)
found 'absolute path in binder/' "$paths"
paths=$(printf '%s\n' "$paths" |
	grep -vE '^binder/(machine/(world|jobs|modload)|pid1|run/hotplug)\.c:' || true)
[ -z "$paths" ] || fail "absolute paths outside world.c:
$paths"

# Every reason is in the manual, and the manual names no other.
words=$(sed -n 's/^REASON([A-Z_]*, "\([a-z-]*\)".*/\1/p' binder/plan/reason.def | grep . | sort)
manual=$(sed -n '/^# REASONS/,/^# EXIT CODE/s/^|  \*\([a-z-]*\)\*$/\1/p' docs/binder.8.scd | sort)
found 'reason' "$words"
[ "$words" = "$manual" ] || fail "reasons of binder/plan/reason.def and docs/binder.8.scd differ:
$(printf '%s\n%s\n' "$words" "$manual" | sort | uniq -u)"

# The accelerator table is sound (mk/accel.awk), and the manual has its groups, each with what is
# in it.
awk -f mk/accel.awk data/accel-groups.csv data/accelerators.csv >"$build/accel.lint" ||
	fail "data: see above"
groups=$(sed -n 's/^ACCEL_GROUP("\([^"]*\)", [^"]*, "\(.*\)")$/\1: \2/p' "$build/accel.lint")
manual=$(sed -n '/^# GROUPS OF ACCELERATORS/,/^# OPTIONS OF THE RUN/p' docs/earlybind.conf.5.scd |
	sed -n '/^|  \*/{N;s/^|  \*\([a-z0-9-]*\)\*\n:  /\1: /p}')
found 'group of accelerators' "$groups"
[ "$groups" = "$manual" ] || fail "groups of data/accel-groups.csv and docs/earlybind.conf.5.scd differ:
$(printf '%s\n%s\n' "$groups" "$manual" | sort | uniq -u)"

# Every cause names tests that exist and a word that is a reason, and no test of a cause is left out.
causes=$(grep -rhoE '(^cause |"cause-)[a-z0-9-]+' tests/unit tests/companion/parts |
	sed 's/^"cause-//; s/^cause //' | sort -u)
shown=$(grep -oE '[`]cause-[a-z0-9-]+' docs/causes.md | sed 's/^.cause-//' | sort -u)
found 'cause' "$causes"
[ "$causes" = "$shown" ] || fail "causes of the tests and of docs/causes.md differ:
$(printf '%s\n%s\n' "$causes" "$shown" | sort | uniq -u)"
tests=$(grep -oE '[`]test_[a-z0-9_]+' docs/causes.md | tr -d '\140' | sort -u)
found 'test in docs/causes.md' "$tests"
for test in $tests; do
	grep -rqF "cmocka_unit_test($test)" tests/unit || fail "docs/causes.md: there is no $test"
done
# shellcheck disable=SC2016 # backquotes of the text
named=$(sed -n 's/^|[^|]*| [`]\([a-z-]*\)[`] |.*/\1/p' docs/causes.md | sort -u)
found 'word in docs/causes.md' "$named"
for word in $named; do
	echo "$words" | grep -qx "$word" || fail "docs/causes.md: $word is no reason"
done
numbers=$(sed -n 's/^|.*| \([0-9][0-9 ]*\) |$/\1/p' docs/causes.md | tr ' ' '\n' | sort -u)
found 'case of the lab in docs/causes.md' "$numbers"
for number in $numbers; do
	[ -n "$(find tests/lab/cases -name "$number-*.py")" ] ||
		fail "docs/causes.md: there is no case $number"
done

# What shows a feature exists: cases of the lab, files of unit tests, tests of the companion.
shown=$(sed -n 's/^| [0-9][^|]*|[^|]*|[^|]*| \(.*\) |$/\1/p' docs/features.md | tr -d ',\140' |
	tr ' ' '\n' | sort -u)
for kind in '^[0-9]' '^test_' '^[*].*[*]$'; do
	found "proof ($kind) in docs/features.md" "$(printf '%s\n' "$shown" | grep "$kind")"
done
printf '%s\n' "$shown" | while read -r word; do
	case $word in
	[0-9]*) [ -n "$(find tests/lab/cases -name "$word-*.py")" ] || echo "there is no case $word" ;;
	test_*) [ -e "tests/unit/$word" ] || echo "there is no $word" ;;
	\**\*)
		name=${word#\*}
		name=${name%\*}
		grep -rqE "(golden|check|contract|pain) ($name|${name#pain-}) " tests/companion/parts tests/companion/run.sh ||
			echo "there is no $name"
		;;
	esac
done >"$build/features.lint"
[ ! -s "$build/features.lint" ] || fail "docs/features.md: $(cat "$build/features.lint")"

# Every verdict and every parameter of the command line is in the manual.
verdicts=$(sed -n '/^const char \*verdict_name/,/^}/p' binder/run/report.c |
	grep -o '\] = "[a-z][a-z]*"' | tr -d ']=" ')
found 'verdict' "$verdicts"
for verdict in $verdicts; do
	grep -q "_${verdict}_" docs/binder.8.scd || fail "docs/binder.8.scd: verdict $verdict is missing"
done
keys() { # FUNCTION FILE: the words that it compares "name" with
	sed -n "/^[a-z].*$1(/,/^}/p" "$2" | grep -oE 'text_is(_param)?\(name, "[a-z-]+"' |
		grep -o '"[a-z-]*' | tr -d '"' | tr - _
}
own=$(keys add_own_key binder/rules/policy.c)
shared=$(keys policy_set_option binder/rules/policy.c)
found 'parameter of the command line' "$own"
found 'option of the rules' "$shared"
for key in $own $shared; do
	grep -q "rd\.earlybind\.$key=" docs/earlybind-cmdline.7.scd ||
		fail "docs/earlybind-cmdline.7.scd: rd.earlybind.$key is missing"
done

# Options and commands of --help are in the manual pages.
options=$("$build/binder" --help | grep -o -- '--[a-z-]*' | sort -u)
found 'option in binder --help' "$options"
for option in $options; do
	grep -q -e "\*$option\*" docs/binder.8.scd || fail "docs/binder.8.scd: $option is missing"
done
# help and version have no options.
commands=$("$build/earlybind" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' | grep -vx -e help -e version)
found 'command in earlybind --help' "$commands"
for command in $commands; do
	grep -q "^\*$command\*" docs/earlybind.8.scd || fail "docs/earlybind.8.scd: $command is missing"
	options=$("$build/earlybind" "$command" --help | sed -n 's/^  \(--[a-z-]*\).*/\1/p')
	found "option in earlybind $command --help" "$options"
	for option in $options; do
		grep -q -e "\*$option\*" docs/earlybind.8.scd ||
			fail "docs/earlybind.8.scd: $command $option is missing"
	done
done

# Manual pages can be made.
for page in docs/*.scd; do
	scdoc <"$page" >/dev/null || fail "$page: scdoc does not take it"
done

# Text files end in a line end, without trailing blanks.
blanks=$(git grep -nIE '[ 	]+$' -- ':!tests/fuzz/corpus' ':!*.patch' ':!tests/golden' \
	':!tests/companion/golden' || true)
[ -z "$blanks" ] || fail "trailing blanks:
$blanks"

exit $status
