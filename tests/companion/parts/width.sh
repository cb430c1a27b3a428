# shellcheck shell=sh
# The width of a terminal is used and not passed; a pipe gets each sentence in one line.

width_on() { # COLUMNS WORD...: what a terminal of that width gets, errors too
	columns=$1
	shift
	script -qec "stty cols $columns; exec env -u COLUMNS NO_COLOR=1 LC_ALL=C.UTF-8 $EARLYBIND $*" \
		/dev/null </dev/null | tr -d '\r'
}
width_fits() { # WORD...
	for columns in 60 80 200; do
		width_on "$columns" "$@" >screen.txt
		if grep -E ".{$columns}" screen.txt; then
			echo "more than $columns columns"
			return 1
		fi
	done
}
# A terminal that is wide enough shows what a pipe gets.
width_pipe() { # WORD...
	width_on 1000 "$@" >screen.txt
	"$EARLYBIND" "$@" >pipe.txt 2>&1 || true
	diff screen.txt pipe.txt
}
while read -r what words; do
	# shellcheck disable=SC2086
	check "width-$what" width_fits $words
	# shellcheck disable=SC2086
	[ "$what" = list ] || check "width-pipe-$what" width_pipe $words
done <<'END'
list list --sysroot alveo
list-groups list --by group --why --sysroot groups
plan plan --sysroot alveo
check check --sysroot doctor-drift
status status --sysroot changed
status-nothing status --sysroot alveo
explain explain 01:00.0 --sysroot bound
import import --sysroot alveo
cmdline cmdline --sysroot doctor-drift
add add 02:00.1 --dry-run --sysroot alveo
add-refused add 02:00.0 --dry-run --sysroot alveo
remove remove 01:00.0 --dry-run --sysroot alveo
keep keep 02:00.0 --dry-run --sysroot alveo
move plan --move 01:00=00:1b.0 --sysroot alveo
END
width_help() { # COMMAND: at most 79 columns in a pager
	"$EARLYBIND" "$1" --help >help.txt && ! grep -E '.{80}' help.txt &&
		width_on 60 "$1" --help | grep -v -e '^usage: ' -e '^example: ' >screen.txt &&
		! grep -E '.{60}' screen.txt
}
check width-help width_help --help
for command in list plan add remove keep select import check apply cmdline status explain bind \
	release capture export embed image; do
	check "width-help-$command" width_help "$command"
done
