# shellcheck shell=sh
# shellcheck disable=SC2154 # here comes from run.sh
# Manual pages can be read on a terminal of 80 columns and without UTF-8; list has one set of marks.

manual_width() { # PAGE
	scdoc <"$here/../../docs/$1.scd" >manual.page &&
		env -u MANPAGER -u PAGER MANWIDTH=80 LANG=C LC_ALL=C man -l manual.page >manual.txt 2>manual.err &&
		[ "$(wc -l <manual.txt)" -gt 20 ] && awk 'length > 80 { print FILENAME ": " $0; wide = 1 }
			END { exit wide }' manual.txt
}
manual_ascii() { # PAGE
	! LC_ALL=C grep -n '[^ -~	]' "$here/../../docs/$1.scd"
}
for page in binder.8 earlybind.8 earlybind.conf.5 earlybind-cmdline.7; do
	check "manual-width-$page" manual_width "$page"
	check "manual-ascii-$page" manual_ascii "$page"
done
# The help has them from the table of the code, the manual and docs/cards.md by hand.
manual_marks() {
	"$EARLYBIND" list --help | sed -n '/^marks:/,/^$/s/^  \(.\)  .*/\1/p' >marks.txt
	[ "$(wc -l <marks.txt)" -ge 10 ] || return
	while read -r mark; do
		grep -qF "*$mark* " "$here/../../docs/earlybind.8.scd" || {
			echo "the manual has no mark $mark"
			return 1
		}
	done <marks.txt
}
check manual-marks manual_marks
