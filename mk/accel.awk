# The accelerator table as C: data/accel-groups.csv and data/accelerators.csv, checked.
#
# Usage: awk -f mk/accel.awk data/accel-groups.csv data/accelerators.csv
#
# Prints lists for the preprocessor: ACCEL_GROUP, ACCEL_LEAF (a family in a role: what groups are
# made of), ACCEL_SUB (subsystems), ACCEL_VENDOR and ACCEL_ENTRY, as binder/accel.c keeps them. A
# mistake is named with file and line, and ends it.

# The fields of a line into f[1...]; a field in double quotes may have commas.
function cut(line, n, c, is_quoted, i) {
	n = 1
	split("", f)
	f[1] = ""
	for (i = 1; i <= length(line); i++) {
		c = substr(line, i, 1)
		if (c == "\"" && is_quoted && substr(line, i + 1, 1) == "\"")
			f[n] = f[n] substr(line, ++i, 1)
		else if (c == "\"")
			is_quoted = !is_quoted
		else if (c == "," && !is_quoted)
			f[++n] = ""
		else
			f[n] = f[n] c
	}
	if (is_quoted)
		wrong("a quote that does not end")
	return n
}

function wrong(message) {
	print FILENAME ":" FNR ": " message >"/dev/stderr"
	status = 1
}

function quote(text) {
	gsub(/[\\"]/, "\\\\&", text)
	return "\"" text "\""
}

# 4 digits as a number of C, or any.
function number(field, what) {
	if (field == "*")
		return "ACCEL_ANY"
	if (field !~ /^[0-9a-f][0-9a-f][0-9a-f][0-9a-f]$/ || field == "ffff")
		wrong(what " \"" field "\" is not 4 hexadecimal digits in lower case, or *")
	return "0x" field
}

BEGIN {
	heads[1] = "group,families,roles,description"
	heads[2] = "vendor,device,subvendor,subdevice,class,family,role,native_driver,name,source"
	# enum accel_role has them all.
	role_count = split("user npu gpu vpu fpga crypto switch mgmt golden vf deny gpu-class", roles, " ")
	for (i = 1; i <= role_count; i++) {
		role_symbol[roles[i]] = "ACCEL_" toupper(roles[i])
		sub(/-/, "_", role_symbol[roles[i]])
		is_explicit[roles[i]] = roles[i] ~ /^(mgmt|golden|vf|deny|gpu-class)$/
	}
	print "/* Made by mk/accel.awk from data/: do not edit. */"
}

FNR == 1 {
	file++
	if ($0 != heads[file])
		wrong("the first line is to be " heads[file])
	next
}

/[^ -~]/ { wrong("a character that is no printable ASCII") }

file == 1 {
	if (cut($0) != 4)
		wrong("not 4 fields")
	if (f[1] !~ /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/ || length(f[1]) > 20)
		wrong("a group is lower-case words with dashes, 20 characters at most")
	if (group_count && f[1] <= groups[group_count])
		wrong("the groups are to be in order, each once")
	if (f[4] == "")
		wrong("no description")
	groups[++group_count] = f[1]
	description[f[1]] = f[4]
	n = split(f[3], r, " ")
	for (i = 1; i <= n; i++) {
		if (!(r[i] in role_symbol))
			wrong("there is no role " r[i])
		# What must be named on purpose is in a group that says so, or that has nothing else.
		if (is_explicit[r[i]] && n > 1)
			wrong(r[i] " is to be alone")
		if (is_explicit[r[i]] && r[i] != "gpu-class" && f[1] !~ ("-" r[i] "$"))
			wrong("a group of the role " r[i] " ends in -" r[i])
	}
	group_roles[f[1]] = " " f[3] " "
	group_families[f[1]] = " " f[2] " "
	next
}

{
	if (cut($0) != 10)
		wrong("not 10 fields")
	number(f[1], "vendor")
	device = number(f[2], "device")
	subsystem = number(f[3], "subvendor") ", " number(f[4], "subdevice")
	if (f[1] == "*")
		wrong("a vendor is to be named")
	order = f[1] f[2] f[3] f[4]
	gsub(/\*/, "g", order)
	if (order <= last)
		wrong("the lines are to be in order, each once, * last")
	last = order
	if (f[5] !~ /^[0-9a-f]*$/ || (f[5] != "" && length(f[5]) != 6))
		wrong("a class is 6 hexadecimal digits in lower case, or nothing")
	if (f[2] == "*" && f[5] == "")
		wrong("any device of a vendor, of any class")
	if (!(f[7] in role_symbol))
		wrong("there is no role " f[7])
	if (f[8] !~ /^([a-z0-9_-]+( [a-z0-9_-]+)*)?$/)
		wrong("drivers are words with blanks between")
	if (f[9] == "" || length(f[9]) > 42)
		wrong("a name has 1 to 42 characters")
	if (f[10] == "")
		wrong("no source")
	# The class of a card is what it was seen with; it counts where no device is named.
	class = f[2] == "*" ? "0x" substr(f[5], 1, 4) : "0"
	leaf = f[6] SUBSEP f[7]
	if (!(leaf in leaf_number)) {
		leaf_number[leaf] = leaf_count++
		leaf_family[leaf_count] = f[6]
		leaf_role[leaf_count] = f[7]
		leaf_class[leaf_count] = class
	} else if (leaf_class[leaf_number[leaf] + 1] != class) {
		wrong("any device of a vendor is to be a family of its own, of one class")
	}
	if (!(subsystem in sub_number)) {
		sub_number[subsystem] = sub_count++
		subs[sub_count] = subsystem
	}
	if (f[1] != last_vendor)
		vendors[++vendor_count] = "ACCEL_VENDOR(0x" f[1] ", " entry_count + 0 ")"
	last_vendor = f[1]
	entries[++entry_count] = sprintf("ACCEL_ENTRY(%s, %d, %d, %s)", device,
		sub_number[subsystem], leaf_number[leaf], quote(f[9]))
}

END {
	if (leaf_count > 64 || sub_count > 256)
		wrong("more than 64 families in roles, or 256 subsystems")
	for (i = 1; i <= group_count; i++) {
		members = ""
		for (j = 1; j <= leaf_count; j++)
			if (index(group_families[groups[i]], " " leaf_family[j] " ") &&
			    index(group_roles[groups[i]], " " leaf_role[j] " ")) {
				members = members " | ACCEL_BIT(" (j - 1) ")"
				is_named[j] = 1
			}
		if (members == "")
			wrong("no card is in the group " groups[i])
		printf "ACCEL_GROUP(%s, 0%s, %s)\n", quote(groups[i]), members,
			quote(description[groups[i]])
	}
	for (j = 1; j <= leaf_count; j++) {
		if (!is_named[j])
			wrong("no group has the family " leaf_family[j] " in the role " leaf_role[j])
		printf "ACCEL_LEAF(%s, %s, %s)\n", quote(leaf_family[j]),
			role_symbol[leaf_role[j]], leaf_class[j]
	}
	for (i = 1; i <= sub_count; i++)
		print "ACCEL_SUB(" subs[i] ")"
	for (i = 1; i <= vendor_count; i++)
		print vendors[i]
	for (i = 1; i <= entry_count; i++)
		print entries[i]
	exit status
}
