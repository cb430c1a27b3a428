#!/bin/sh
# Prints the line coverage of the unit tests and checks the pure modules.
#
# Usage: tests/coverage.sh FOLDER MINIMUM MODULE...
#
# FOLDER has the objects and what their runs left; each MODULE (binder/MODULE.c) must have
# MINIMUM per cent of its lines covered.
set -eu
folder=$1
minimum=$2
shift 2

gcovr -r . --object-directory "$folder" --filter 'binder/' --exclude-throw-branches \
	--json-summary "$folder/summary.json" "$folder" >"$folder/gcovr.log" 2>&1 || {
	cat "$folder/gcovr.log" >&2
	exit 1
}
jq -r '.files[] | [.filename, .line_covered, .line_total, .line_percent] | @tsv' \
	"$folder/summary.json" | awk -F '\t' -v modules="$*" -v minimum="$minimum" '
	BEGIN { n = split(modules, names, " ") }
	{
		printf "%-22s %5d of %5d lines  %5.1f %%\n", $1, $2, $3, $4
		percent[$1] = $4
	}
	END {
		for (i = 1; i <= n; i++) {
			file = "binder/" names[i] ".c"
			if (!(file in percent) || percent[file] < minimum) {
				printf "%s: less than %s %% of its lines\n", file, minimum
				failed = 1
			}
		}
		exit failed
	}'
