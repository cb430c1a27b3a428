# shellcheck shell=sh
# The next boot is not now: what commands say of a machine that will be another one.
# shellcheck disable=SC2154 # here and so on are of run.sh

exits_with() { # CODE ARGUMENT...
	code=0
	want=$1
	shift
	"$EARLYBIND" "$@" >said.txt 2>&1 || code=$?
	[ "$code" -eq "$want" ]
}

# An ID that takes the physical function takes all virtual functions of it away.
golden next-sriov-plan plan --sysroot next-sriov
for command in 'add 4d:00.1 --dry-run' 'explain 4d:00.1' 'check 4d:00.1'; do
	# shellcheck disable=SC2086 # words
	golden "next-sriov-$(echo "$command" | tr -cd a-z0-9)" $command --sysroot next-sriov
done
# The command that is proposed helps: then they are bound when they appear.
check next-sriov-keep exits_with 0 keep 4d:00.0 --sysroot next-sriov --dry-run
golden next-sriov-kept plan --sysroot next-sriov-kept
golden next-sriov-import import --sysroot next-sriov
golden next-sriov-kept-import import --sysroot next-sriov-kept
check next-sriov-kept-check exits_with 0 check --only guards 4d:00.1 --sysroot next-sriov-kept

# An ID of vfio-pci.ids= can carry no option: none is proposed for it.
golden judged-ids-disk-plan plan --sysroot judged-ids-disk
golden judged-ids-disk-explain explain 05:00.0 --sysroot judged-ids-disk
# Each part of a list has its own accel=.
golden judged-accel-list-plan plan --sysroot judged-accel-list
golden judged-accel-list-add add accel=alveo-mgmt,alveo-user --sysroot alveo --dry-run

# Each line of docs/reports.md names a test that there is.
is_table_true() {
	# shellcheck disable=SC2016 # the quotes of Markdown
	sed -n 's/.*| `\([a-z0-9-]*\)` |$/\1/p' "$here/../../docs/reports.md" >reports.txt
	[ "$(wc -l <reports.txt)" -ge 19 ] || return 1
	while read -r report; do
		[ -e "$here/golden/$report.txt" ] || return 1
	done <reports.txt
}
check reports-table is_table_true
