# shellcheck shell=sh
# Intel's VMD: what is behind it goes with its controller.
# shellcheck disable=SC2154 # here and so on are of run.sh
# Needs: causes

VMD='it is behind the VMD controller 0000:00:0e.0 and goes with it'

# cause() is of causes.sh.
cause companion-vmd "$VMD.* nothing is written" add --sysroot vmd --dry-run 10000:e1:00.0
check vmd-both says "refuse: $VMD" plan --sysroot vmd --cmdline \
	'rd.earlybind.bind=0000:00:0e.0,10000:e1:00.0'
check vmd-controller says 'group 3: viable' plan --sysroot vmd --cmdline \
	'rd.earlybind.bind=0000:00:0e.0'
check vmd-add says 'will be bound to vfio-pci at boot.* group 3: viable' \
	add --sysroot vmd --dry-run 0000:00:0e.0
check vmd-check says 'nothing of the host is in it' check --sysroot vmd --only groups 0000:00:0e.0
# One in a wide domain, and no controller of VMD in its group.
vmd_other() {
	! says 'VMD' plan --sysroot no-iommu --cmdline rd.earlybind.bind=10000:01:00.0
}
check vmd-other vmd_other
