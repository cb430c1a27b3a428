# shellcheck shell=sh
# Rules that have virtual functions made: pf= and vfs=.
# shellcheck disable=SC2154 # here and so on are of run.sh

golden vfs-plan plan --sysroot vfs
golden vfs-status status --sysroot vfs
golden vfs-check check --only configuration --sysroot vfs
golden vfs-explain explain 03:00.0 03:10.1 --sysroot vfs
golden vfs-list list pf=03:00.0 --sysroot vfs
# What the card cannot do is refused, and it itself is not taken.
golden vfs-add add pf=03:00.0+8086:10ca vfs=4 --dry-run --sysroot vfs-none
for words in 'pf=03:00.0 vfs=40' '03:00.0 vfs=4' 'pf=05:00.0 vfs=1' 'pf=09:00.0' 'pf=03:00.0+15b3:* vfs=4'; do
	# shellcheck disable=SC2086 # words
	golden "vfs-add-$(echo "$words" | tr -cd a-z0-9)" add $words --dry-run --sysroot vfs-none
done
golden vfs-add-card add 03:00.0 --dry-run --sysroot vfs

vfs_count() { # COMMAND COUNT: so many of the nine rules are fine
	[ "$("$EARLYBIND" "$1" --json --sysroot vfs |
		jq '[.virtual_functions[].ok] | length * 10 + (map(select(.)) | length)')" = "9$2" ]
}
check vfs-status-json vfs_count status 1
check vfs-plan-json vfs_count plan 4

# A rule takes the card itself: said once of a card, whether or not a rule has it make some.
cp -a vfs vfs-taken
printf '%s\n' 'bind 8086:10c9' 'bind pf=03:00.0 vfs=2' >vfs-taken/etc/earlybind.conf
taken_once() { # COMMAND...
	"$EARLYBIND" "$@" --sysroot vfs-taken >out.txt || [ $? -eq 1 ]
	[ "$(grep -c '10c9.* takes 0000:03:00.0 from the driver that would make them' out.txt)" -eq 1 ] &&
		! grep '^[a-z ]*: 0000:03:00.0 can have' out.txt &&
		[ "$(grep -c ': 0000:03:00.1 can have 7 .*takes it from its driver' out.txt)" -eq 1 ]
}
check vfs-taken-check taken_once check --only configuration
check vfs-taken-plan taken_once plan
# The rule is there, but binds nothing: no line says that it does.
vfs_is_refused() {
	! "$EARLYBIND" add pf=03:00.0 vfs=2 --dry-run --sysroot vfs-taken >out.txt 2>err.txt &&
		! grep . out.txt && grep -q 'has no virtual functions after the next boot' err.txt
}
check vfs-taken-add vfs_is_refused

# The first rule about a card counts: another number behind it is told, the same one is not counted twice.
cp -a vfs vfs-twice
printf '%s\n' 'bind pf=03:00.0 vfs=4' 'bind pf=03:00.0 vfs=2' 'bind pf=03:00.0+8086:10ca vfs=4' \
	>vfs-twice/etc/earlybind.conf
check vfs-twice says 'vfs=2 (/etc/earlybind.conf:2): pf=03:00.0 vfs=4 (/etc/earlybind.conf:1) stands before it' \
	plan --sysroot vfs-twice
check vfs-twice-count says '2 bound already, 4 virtual functions to be there' plan --sysroot vfs-twice
echo 'bind pf=03:00.0 vfs=4' >vfs-twice/etc/earlybind.conf
check vfs-other-number says 'vfs=4 (/etc/earlybind.conf:1:6) stands before it' add pf=03:00.0 vfs=2 --dry-run --sysroot vfs-twice
check vfs-same-number says 'nothing to change' add pf=03:00.0 vfs=4 --dry-run --sysroot vfs-twice
# A rule that only names them has none made.
echo 'bind pf=03:00.0' >vfs-twice/etc/earlybind.conf
check vfs-number-too says '+bind pf=03:00.0 vfs=4' add pf=03:00.0 vfs=4 --dry-run --sysroot vfs-twice

# explain judges the rules once, however many devices it tells of: each judgement reads files.
cp -a vfs vfs-many
awk 'BEGIN { for (i = 0; i < 60; i++) print "bind pf=03:00.0 vfs=4" }' >vfs-many/etc/earlybind.conf
judged_once() {
	one=$("$here/reads.py" "$EARLYBIND" explain 03:00.0 --sysroot vfs-many) &&
		four=$("$here/reads.py" "$EARLYBIND" explain 03:00.0 03:00.1 04:00.0 04:00.1 --sysroot vfs-many) &&
		echo "one device: $one reads, four: $four" &&
		[ "$one" -gt 150 ] && [ "$four" -lt $((one * 3 / 2)) ]
}
check vfs-explain-judges-once judged_once
