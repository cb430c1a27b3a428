# shellcheck shell=sh
# Kernels with iommufd and without groups' nodes: what is missing there is no failure.
# shellcheck disable=SC2154 # here and so on are of run.sh

golden iommufd-nodes check --sysroot iommufd-alone --only nodes 03:10.0 01:00.1
golden export-iommufd export qemu --sysroot iommufd-alone
check iommufd-holder says 'qemu-system-x86 (pid 900)' explain --sysroot iommufd-alone 03:10.0
check iommufd-holder-other says 'no use of it was found' explain --sysroot iommufd-alone 01:00.1
# A node is missing: the device's own is named.
cp -r iommufd-alone iommufd-lacks
rm iommufd-lacks/dev/vfio/devices/vfio0
check iommufd-missing says '/dev/vfio/devices/vfio[01] is not there though' \
	check --sysroot iommufd-lacks --only nodes 03:10.0 01:00.1
