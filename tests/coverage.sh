#!/bin/sh
# Prints the line coverage of the unit tests and checks the pure modules.
#
# Usage: tests/coverage.sh FOLDER MINIMUM PURE...
#
# FOLDER has the objects and what their runs left; each file of the folders PURE must have MINIMUM
# per cent of its lines covered.
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
	"$folder/summary.json" | awk -F '\t' -v pure="$*" -v minimum="$minimum" '
	BEGIN {
		n = split(pure, names, " ")
		for (i = 1; i <= n; i++)
			seen[names[i]] = 0
	}
	{
		printf "%-34s %5d of %5d lines  %5.1f %%\n", $1, $2, $3, $4
		dir = $1
		sub(/\/[^\/]*$/, "", dir)
		if (!(dir in seen))
			next
		seen[dir] = 1
		if ($4 < minimum)
			few = few $1 ": less than " minimum " % of its lines\n"
	}
	END {
		for (dir in seen)
			if (!seen[dir])
				few = few dir ": no file of it was seen\n"
		printf "%s", few
		exit few != ""
	}'
