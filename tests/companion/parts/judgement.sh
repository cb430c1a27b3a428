# shellcheck shell=sh
# One judgement: what the commands say of a device is the same, and what they suggest works.
# shellcheck disable=SC2154 # here and so on are of run.sh

# With sanitizers it takes minutes, and "make consistency" has machines by lot as well.
[ "$SUITE" = companion-asan ] || check consistency "$here/consistency.py" "$here/trees"

judged() { # NAME PATTERN ARGUMENT...
	name=judged-$1
	shift
	check "$name" says "$@"
}
exits() { # CODE ARGUMENT...
	code=0
	want=$1
	shift
	"$EARLYBIND" "$@" >said.txt 2>&1 || code=$?
	[ "$code" -eq "$want" ]
}

# What stands in a suggestion, the root disk and the default route do not.
golden judged-add-beside-root add 01:00.0 --dry-run --sysroot judged-group
golden judged-add-beside-network add 03:00.0 --dry-run --sysroot judged-group
golden judged-plan-two-cards plan --sysroot judged-group --cmdline 'intel_iommu=on vfio-pci.ids=10de:2489'
# Nothing of the chipset can be moved to another slot.
golden judged-add-chipset add 00:1f.3 --dry-run --sysroot judged-chipset
# check and explain say what a rule would meet.
for what in display=00:02.0 bridge=00:06.0 denied=01:00.0 network=00:1f.6; do
	device=${what#*=} what=${what%%=*}
	golden "judged-check-$what" check --only guards "$device" --sysroot judged-chipset
	check "judged-check-fails-$what" exits 1 check "$device" --sysroot judged-chipset
	judged "explain-$what" 'a rule that binds it would be refused' \
		explain "$device" --sysroot judged-chipset
done
# An open device node is a use.
judged node-list 'used by: /dev/xclmgmt1536 (open in xbmgmt (pid 4711))' \
	list 06:00.0 --sysroot judged-group
judged node-check 'note usage: .*/dev/xclmgmt1536 on it is open in xbmgmt' \
	check 06:00.0 --sysroot judged-group
judged node-add 'warning: .*the host uses /dev/xclmgmt1536: open in xbmgmt' \
	add 06:00.0 --dry-run --sysroot judged-group
judged node-explain 'in use by the host: /dev/xclmgmt1536 is open in xbmgmt' \
	explain 06:00.0 --sysroot judged-group
# The next boot is not now.
golden judged-plan-sriov plan --sysroot judged-sriov
judged sriov-check 'note configuration: 0000:4d:00.0 can have 31 virtual functions' \
	check --sysroot judged-sriov
# What no VM can have is not handed on; a picture of one device is about that.
golden export-no-group export qemu 07:00.0 --sysroot judged-no-group
golden export-no-group-all export libvirt --sysroot judged-no-group
golden export-dot-one export dot 01:00.0 --sysroot judged-no-group
check export-dot-missing exits 1 export dot 99:00.0 --sysroot judged-no-group
# A keep rule that came after the boot: vfio-pci did not take the function by its own ids=.
judged kept-plan 'keep: a keep rule protects it; vfio-pci has it until the next boot' \
	plan --sysroot judged-kept
judged kept-check '"earlybind explain 0000:03:00.0" says what helps now' check --sysroot judged-kept
judged kept-explain 'next: "earlybind apply" and a reboot, or for now "earlybind release' \
	explain 03:00.0 --sysroot judged-kept
