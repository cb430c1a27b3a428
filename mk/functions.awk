# Functions that do not fit on a screen, of C code that clang-format laid out: the braces of a
# function, and of nothing else, stand alone at the beginning of their lines.
#
# Usage: awk -v most=60 -f mk/functions.awk FILE...
#
# A function's lines are those from "{" to "}". Prints each that has more than `most` and ends
# with code 1, also if no function was found at all.

/^[a-z].*[(]/ { name = $0; line = FNR }
/^{$/ { begin = FNR }
/^}$/ && begin {
	found++
	if (FNR - begin + 1 > most) {
		sub(/[(].*/, "", name)
		sub(/.*[ *]/, "", name)
		printf "%s:%d: %s() has %d lines, more than %d\n", FILENAME, line, name, \
			FNR - begin + 1, most
		failed = 1
	}
	begin = 0
}
FNR == 1 { begin = 0 }

END {
	if (!found)
		print "no function was found"
	exit failed || !found
}
