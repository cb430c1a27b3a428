# Calls (and other uses of symbols) from a folder into one that is behind it.
#
# Usage: nm -A OBJECT... | awk -v rooms='FOLDER...' -v root=BUILD/release/ -f mk/layers.awk
#
# The folders stand in their order. Each use that goes up is printed, and the code is then 1. As
# the order is one line, a circle of folders has such a use in it. The code is 1 as well if
# an object is in none of the folders, or if no use of another folder was found at all.

function room(file) {
	sub(/\/[^\/]*$/, "", file)
	if (!(file in rank)) {
		print file ": not one of the folders " rooms
		failed = 1
	}
	return rank[file]
}

BEGIN {
	n = split(rooms, names, " ")
	for (i = 1; i <= n; i++)
		rank[names[i]] = i
}

# "FILE:VALUE TYPE SYMBOL"; what is undefined has blanks for its value.
{
	file = $0
	sub(/:.*/, "", file)
	file = substr(file, length(root) + 1)
	type = $(NF - 1)
	if (type == "U")
		uses[file, $NF]
	else if (type ~ /[A-Z]/ && $NF != "main")
		home[$NF] = file
}

END {
	for (use in uses) {
		split(use, part, SUBSEP)
		if (!(part[2] in home))
			continue
		from = room(part[1])
		to = room(home[part[2]])
		if (from != to)
			found++
		if (to > from) {
			printf "%s uses %s() of %s, which is behind it\n", part[1], part[2], home[part[2]]
			failed = 1
		}
	}
	if (!found)
		print "no use of another folder was found"
	exit failed || !found
}
