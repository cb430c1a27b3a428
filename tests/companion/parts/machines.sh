# shellcheck shell=sh
# Machines of many kinds: what list and plan say of each.

for tree in alveo-acs hpe sriov domains arm optimus four-gpus four-gpus-bound amd-apu gaudi; do
	golden "list-$tree" list --sysroot "$tree"
	golden "plan-$tree" plan --sysroot "$tree"
	golden "check-$tree" check --sysroot "$tree"
done
for tree in sriov domains optimus four-gpus-bound; do
	golden "list-verbose-$tree" list -v --sysroot "$tree"
done
# IDs that all four have.
golden plan-four-gpus-by-id plan --sysroot four-gpus --cmdline 'vfio-pci.ids=10de:2204,10de:1aef'
golden plan-amd-apu-display plan --sysroot amd-apu --cmdline 'rd.earlybind.bind=class=0300'
