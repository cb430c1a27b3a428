# shellcheck shell=sh
# What with= brings along: shown, guarded, and known to be bound. copy() is that of edit.sh.
# Needs: edit

copy alveo along
golden add-with-group add --sysroot along --dry-run 01:00.0 with=group
golden add-with-group-allowed add --sysroot along --dry-run 01:00.0 with=group allow=console
golden add-with-functions add --sysroot along 01:00.0 with=functions
golden add-with-functions-again add --sysroot along 01:00.1
golden add-with-more add --sysroot along --dry-run 01:00.0 with=group
golden explain-along explain --sysroot along 01:00.1
golden list-rule-along list --sysroot along --by rule '01:00.*'
golden remove-along remove --sysroot along 01:00.1
select_along() {
	echo | "$EARLYBIND" select --sysroot along --plain | tr -s ' \n' ' ' |
		grep -q '\[x\] 0000:01:00.0 .* - 0000:01:00.1 .*; comes along by the rule path=0000:00:01.0/00.0'
}
check select-along select_along
# A disk that only its group brings along stays, or is guarded as one that is named.
copy with-disk along-disk
golden add-with-disk add --sysroot along-disk --dry-run 01:00.0 with=group
golden add-with-disk-allowed add --sysroot along-disk --dry-run 01:00.0 with=group allow=storage
golden plan-with-disk plan --sysroot along-disk --cmdline "intel_iommu=on rd.earlybind.bind=01:00.0;with=group"
# What only the group brings along and the host keeps is not bound: a rule that names it can be
# added, and that is what explain says.
golden explain-with-network explain --sysroot with-network 03:00.1
golden add-with-network add --sysroot with-network --dry-run 03:00.1
select_with_network() {
	echo | "$EARLYBIND" select --sysroot with-network --plain | tr -s ' \n' ' ' |
		grep -q '[0-9] \[ \] 0000:03:00.1 '
}
check select-with-network select_with_network
