# shellcheck shell=sh
# One judgement: the next boot is not now.
# shellcheck disable=SC2154 # here and so on are of run.sh

ends() { # CODE ARGUMENT...
	code=0
	want=$1
	shift
	"$EARLYBIND" "$@" >said.txt 2>&1 || code=$?
	[ "$code" -eq "$want" ]
}

# A device that is on vfio-pci now is no other one at the next boot: the guards ask of it, too.
golden judge-plan-console plan --sysroot judge-console
check judge-console-check says 'FAIL guards: 0000:01:00.0 .*it drives the console' \
	check --sysroot judge-console
check judge-console-explain says 'the next boot will not bind it.*it drives the console' \
	explain 01:00.0 --sysroot judge-console
check judge-console-add says 'it drives the console' add 01:00.0 --dry-run --sysroot judge-console
check judge-console-list says \
	'group 1: viable now; not viable after the next boot: the host has 1 of 3 functions' \
	list -v --sysroot judge-console
check judge-console-group says \
	'FAIL groups: .*0000:01:00.0 (vfio-pci until the next boot) belongs to the host' \
	check 01:00.1 --sysroot judge-console
check judge-console-part says \
	'after the next boot no VM can use it while 0000:01:00.0 belongs to the host' \
	explain 01:00.1 --sysroot judge-console
check judge-console-later says 'next: nothing now, .*for later boots: 01:00.0 must stay' \
	explain 01:00.1 --sysroot judge-console
# The binder bound them; a rule of today keeps one.
check judge-status-then says \
	'group 1: viable group 1, after the next boot: not viable: .*01:00.1 (vfio-pci until' \
	status --sysroot judge-then
# What another tool has bound comes back to the host at the next boot.
check judge-back-add ends 0 add 04:00.0 --dry-run --sysroot judge-back
check judge-back-both ends 1 add 01:00.0 04:00.0 --dry-run --sysroot judge-back
check judge-back-explain says \
	'next: nothing now, a VM can have it; for later boots: "earlybind add 04:00.0"' \
	explain 04:00.0 --sysroot judge-back

# What a VM can have only with others of its group is proposed with them.
check judge-next-together says 'next: to give it to a VM: "earlybind add 0c:00.0 0c:00.1 0c:00.2 0c:00.3"' \
	explain 0c:00.0 --sysroot judge-board
check judge-next-chipset says 'next: to give it to a VM: "earlybind add 08:00.1 08:00.3"' \
	explain 08:00.3 --sysroot judge-board
check judge-next-twin says 'this rule does not name 0000:0b:00.0, with the same ID' \
	add 0c:00.0 --dry-run --sysroot judge-board
check judge-next-disk says '0000:01:00.0 .* refuse: the machine needs a disk on it (nvme0n1: mounted on /)' \
	plan --cmdline vfio-pci.ids=144d:a808 --sysroot judge-board
# What the next boot would refuse is not called bound.
check judge-add-hopeless says 'Hailo-8: the next boot does not bind it: the IOMMU is off (now: hailo)' \
	add 0001:01:00.0 --dry-run --sysroot judge-pi5

# A card that came after the boot, though a rule of that boot names it: one story.
golden judge-status-late status --sysroot judge-late
check judge-late-status-device says 'it was not there when earlybind ran; nvidia has it now' \
	status 03:00.0 --sysroot judge-late
check judge-late-status-code ends 1 status --sysroot judge-late
check judge-late-explain says \
	'it was not there when earlybind ran, so that its rule 10de:2489 .* next: a reboot' \
	explain 03:00.0 --sysroot judge-late
check judge-late-check says 'FAIL devices: 0000:03:00.0 .*it was not there when earlybind ran' \
	check --sysroot judge-late
check judge-kept-check says 'though a keep rule (/etc/earlybind.conf:1) protects it' \
	check 03:00.0 --sysroot judged-kept
# An ID on the command line and in modprobe.d: both places are named at once.
check judge-places-give-back says 'remove by hand 10de:2489 (command line), 10de:2489 (modprobe.d), then' \
	explain 03:00.0 --sysroot judge-places
check judge-places-status says 'remove by hand 10de:2489 (command line), 10de:2489 (modprobe.d), then' \
	status --sysroot judge-places
check judge-places-remove says 'from "options vfio-pci ids=" in a file of modprobe.d' \
	remove 03:00.0 --dry-run --sysroot judge-places
# A group of which a part must stay: the next command shows what it is made of.
check judge-stay-explain says \
	'next: 02:00.0 must stay: it drives the console; "earlybind list 02:00.0 --why" says why' \
	explain 01:00.0 --sysroot judge-stay
check judge-stay-status says '"earlybind list 02:00.0 --why" says why' status --sysroot judge-stay

# More kinds of machines from public reports.
golden judge-network-plan plan --sysroot judge-network
check judge-network-hba says '0000:5e:00.0 .*the machine needs a disk on it (sda: mounted on /)' \
	add 5e:00.0 --dry-run --sysroot judge-network
golden judge-apu-add add 01:00.0 --dry-run --sysroot judge-apu
check judge-apu-console says 'it drives the console' add 0c:00.0 --dry-run --sysroot judge-apu
golden judge-egpu-add add 22:00.0 --dry-run --sysroot judge-egpu
golden judge-arc-plan plan --sysroot judge-arc
golden judge-board-add add 0c:00.0 --dry-run --sysroot judge-board
golden judge-board-disks plan --cmdline vfio-pci.ids=144d:a808 --sysroot judge-board
golden judge-pi5-add add 0001:01:00.0 --dry-run --sysroot judge-pi5
