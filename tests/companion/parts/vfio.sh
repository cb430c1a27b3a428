# shellcheck shell=sh
# What tools of VMs are told beyond the addresses: functions that stay together, NUMA nodes.
# shellcheck disable=SC2154 # here and so on are of run.sh

golden export-nodes export libvirt --sysroot nodes
golden export-iommufd-libvirt export libvirt --sysroot iommufd-alone
numa_nodes() {
	"$EARLYBIND" export json --sysroot nodes |
		jq -e '[.devices[].numa_node] == [0, null, 1, 1]'
}
check export-nodes-json numa_nodes
# What is no number is no node, and a FIFO holds nobody up.
for text in '' x 99999999999999999999 '1 2'; do
	rm -rf nodes-bad
	cp -a nodes nodes-bad
	echo "$text" >nodes-bad/sys/bus/pci/devices/0000:81:00.0/numa_node
	check "export-node-bad-$text" says 'RTX 3090\] \[10de:2204\], IOMMU group 12 -->' \
		export libvirt 81:00.0 --sysroot nodes-bad
done
rm nodes-bad/sys/bus/pci/devices/0000:81:00.0/numa_node
mkfifo nodes-bad/sys/bus/pci/devices/0000:81:00.0/numa_node
node_is_pipe() {
	timeout 10 "$EARLYBIND" export libvirt 81:00.0 --sysroot nodes-bad | grep -q 'group 12 -->'
}
check export-node-pipe node_is_pipe
