# Words of the sentences in C sources: of string literals that have a blank, outside of comments.
# Prints them as a list of C strings: "an", "hexadecimal", ... In a report that "earlybind capture"
# records these are our own words, and stay; all others get aliases.
#
# Usage: awk -f mk/sentences.awk FILE...

function take(text,    words, n, i, word) {
	# What stands for something, and line ends.
	gsub(/%[-0-9.*]*(ll|z)?[a-z]/, " ", text)
	gsub(/\\n/, " ", text)
	gsub(/\\"/, " ", text)
	n = split(text, words, /[^A-Za-z0-9._\/'-]+/)
	for (i = 1; i <= n; i++) {
		word = words[i]
		gsub(/^[.'\/-]+|[.'\/-]+$/, "", word)
		if (word ~ /^[A-Za-z]/ && !(word in seen)) {
			seen[word] = 1
			printf "\"%s\",\n", word
		}
	}
}

{
	line = $0
	sub(/\/\*.*\*\//, "", line)
	if (line ~ /^[ \t]*\/?\*/ || line ~ /^[ \t]*#[ \t]*include/)
		next
	while (match(line, /"([^"\\]|\\.)*"/)) {
		literal = substr(line, RSTART + 1, RLENGTH - 2)
		line = substr(line, RSTART + RLENGTH)
		if (literal ~ / /)
			take(literal)
	}
}
