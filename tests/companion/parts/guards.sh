# shellcheck shell=sh
# What the host lives on: routes of all tables and next hops, displays without a connector, heads
# of NVMe namespaces.
# shellcheck disable=SC2154 # here and so on are of run.sh

guard() { # NAME PATTERN ARGUMENT...
	name=guard-$1
	shift
	check "$name" says "$@"
}
guards_not() { # PATTERN ARGUMENT...
	! says "$@"
}
REFUSED='(eno2: up, default route) and would be out of reach without it.* nothing is written'

# ---- routes ----

guard route-nexthop "$REFUSED" add --sysroot routes --dry-run 03:00.1
guard route-table '(enp3s16: up, default route) and would be out of reach.* nothing is written' \
	add --sysroot routes --dry-run 03:10.0
guard route-bridge 'used by: eno1 (up, part of br0, default route)' list -v --sysroot routes
# The recorded file has the last word; without it /proc/net/route.
check guard-route-none guards_not 'default route' list -v --sysroot routes-none
guard route-old 'used by: eno1 (up, part of br0, default route)' list -v --sysroot busy

# ---- displays ----

check guard-display guards_not 'the only display' list -v --sysroot displays
guard display-vfio 'the only display' list -v --sysroot displays-vfio
check guard-display-firmware guards_not 'the only display' list -v --sysroot displays-compute
guard display-3d 'the only display' list -v --sysroot displays-3d

# ---- NVMe ----

guard nvme-head 'nvme1n10 (mounted on /)' list -v --sysroot nvme-head
check guard-nvme-other guards_not 'nvme1n1 (mounted' list -v --sysroot nvme-head
