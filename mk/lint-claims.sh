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

# Both programs are static, and the binder is small: 320 KiB, with its table of 64 KiB.
for program in binder earlybind; do
	if readelf -lW "$build/$program" | grep -q INTERP; then
		fail "$build/$program names an interpreter"
	fi
	if readelf -dW "$build/$program" | grep -q NEEDED; then
		fail "$build/$program needs a shared library"
	fi
done
size=$(wc -c <"$build/binder")
[ "$size" -le $((320 * 1024)) ] || fail "$build/binder has $size bytes, more than 320 KiB"

# Absolute paths of the machine stand in world.c, kmsg.c and jobs.c; modload.c has modprobe.d's places,
# pid1.c those of its mounts and of what it becomes, udev_rules.c writes one for udev.
found=$(grep -nE '"/(sys|proc|dev|run|etc|lib|usr)' binder/*.c binder/*.h |
	grep -vE '^binder/(world|jobs|kmsg|modload|pid1|udev_rules)\.c:' || true)
[ -z "$found" ] || fail "absolute paths outside world.c:
$found"

# Every reason is in the manual, and the manual names no other.
words=$(sed -n 's/^REASON([A-Z_]*, "\([a-z-]*\)".*/\1/p' binder/reason.def | grep . | sort)
manual=$(sed -n '/^# REASONS/,/^# EXIT CODE/s/^|  \*\([a-z-]*\)\*$/\1/p' docs/binder.8.scd | sort)
[ "$words" = "$manual" ] || fail "reasons of binder/reason.def and docs/binder.8.scd differ:
$(printf '%s\n%s\n' "$words" "$manual" | sort | uniq -u)"

# The accelerator table is sound (mk/accel.awk), and the manual has its groups, each with what is
# in it.
awk -f mk/accel.awk data/accel-groups.csv data/accelerators.csv >"$build/accel.lint" ||
	fail "data: see above"
groups=$(sed -n 's/^ACCEL_GROUP("\([^"]*\)", [^"]*, "\(.*\)")$/\1: \2/p' "$build/accel.lint")
manual=$(sed -n '/^# GROUPS OF ACCELERATORS/,/^# OPTIONS OF THE RUN/p' docs/earlybind.conf.5.scd |
	sed -n '/^|  \*/{N;s/^|  \*\([a-z0-9-]*\)\*\n:  /\1: /p}')
[ "$groups" = "$manual" ] || fail "groups of data/accel-groups.csv and docs/earlybind.conf.5.scd differ:
$(printf '%s\n%s\n' "$groups" "$manual" | sort | uniq -u)"

# Every cause names tests that exist and a word that is a reason, and no test of a cause is left out.
causes=$(grep -rhoE '(^cause |"cause-)[a-z0-9-]+' tests/unit tests/companion/parts |
	sed 's/^"cause-//; s/^cause //' | sort -u)
shown=$(grep -oE '[`]cause-[a-z0-9-]+' docs/causes.md | sed 's/^.cause-//' | sort -u)
[ "$causes" = "$shown" ] || fail "causes of the tests and of docs/causes.md differ:
$(printf '%s\n%s\n' "$causes" "$shown" | sort | uniq -u)"
grep -oE '[`]test_[a-z0-9_]+' docs/causes.md | tr -d '\140' | sort -u | while read -r test; do
	grep -rqF "cmocka_unit_test($test)" tests/unit || echo "there is no $test"
done >"$build/causes.lint"
# shellcheck disable=SC2016 # backquotes of the text
sed -n 's/^|[^|]*| [`]\([a-z-]*\)[`] |.*/\1/p' docs/causes.md | sort -u | while read -r word; do
	echo "$words" | grep -qx "$word" || echo "$word is no reason"
done >>"$build/causes.lint"
sed -n 's/^|.*| \([0-9][0-9 ]*\) |$/\1/p' docs/causes.md | tr ' ' '\n' | while read -r number; do
	[ -n "$(find tests/lab/cases -name "$number-*.py")" ] || echo "there is no case $number"
done >>"$build/causes.lint"
[ ! -s "$build/causes.lint" ] || fail "docs/causes.md: $(cat "$build/causes.lint")"

# What shows a feature exists: cases of the lab, files of unit tests, tests of the companion.
sed -n 's/^| [0-9][^|]*|[^|]*|[^|]*| \(.*\) |$/\1/p' docs/features.md | tr -d ',\140' | tr ' ' '\n' |
	sort -u | while read -r word; do
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
verdicts=$(sed -n '/^const char \*verdict_name/,/^}/s/.*return "\([a-z]*\)";/\1/p' binder/report.c)
for verdict in $verdicts; do
	grep -q "_${verdict}_" docs/binder.8.scd || fail "docs/binder.8.scd: verdict $verdict is missing"
done
for key in bind table profile on_failure timeout recovery_timeout dry_run log; do
	grep -q "rd\.earlybind\.$key=" docs/earlybind-cmdline.7.scd ||
		fail "docs/earlybind-cmdline.7.scd: rd.earlybind.$key is missing"
done

# Options and commands of --help are in the manual pages.
for option in $("$build/binder" --help | grep -o -- '--[a-z-]*' | sort -u); do
	grep -q -e "\*$option\*" docs/binder.8.scd || fail "docs/binder.8.scd: $option is missing"
done
for command in $("$build/earlybind" --help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
	grep -q "^\*$command\*" docs/earlybind.8.scd || fail "docs/earlybind.8.scd: $command is missing"
	for option in $("$build/earlybind" "$command" --help | sed -n 's/^  \(--[a-z-]*\).*/\1/p'); do
		grep -q -e "\*$option\*" docs/earlybind.8.scd ||
			fail "docs/earlybind.8.scd: $command $option is missing"
	done
done

# Manual pages can be made.
for page in docs/*.scd; do
	scdoc <"$page" >/dev/null || fail "$page: scdoc does not take it"
done

# One stage, one module: no file of ours is long.
for file in $(git ls-files 'binder/*.c' 'companion/*.c' 'tests/fake/*.c'); do
	lines=$(wc -l <"$file")
	[ "$lines" -le 420 ] || fail "$file has $lines lines: split it"
done

# Text files end in a line end, without trailing blanks.
found=$(git grep -nIE '[ 	]+$' -- ':!tests/fuzz/corpus' ':!*.patch' ':!tests/golden' \
	':!tests/companion/golden' || true)
[ -z "$found" ] || fail "trailing blanks:
$found"

exit $status
