# shellcheck shell=sh
# Each format on a machine with two bound cards of two functions, and on one where a bound
# card's group is not viable; with names that would break out of their places.

for format in libvirt qemu kubevirt proxmox prometheus json dot; do
	golden "export-$format" export "$format" --sysroot four-gpus-bound
done
golden export-changed export libvirt --sysroot changed
golden export-bound export qemu --sysroot bound
golden export-one export proxmox 81:00.0 --sysroot four-gpus-bound
golden export-unbound export qemu 01:00.0 --sysroot four-gpus-bound
golden export-missing export qemu 99:00.0 --sysroot four-gpus-bound
golden export-none export libvirt --sysroot alveo
golden export-none-json export json --sysroot alveo
golden export-none-prometheus export prometheus --sysroot alveo
golden export-failed-prometheus export prometheus --sysroot failed
golden export-typo export libvrt --sysroot alveo
golden export-no-format export
golden export-bad-device export qemu 01:00 --sysroot alveo
golden help-export export --help

cp -a four-gpus-bound export-hostile
printf '10de  A --> "B" \\ -- C\n\t2204  <x/>"\\n {y="z"}: [Q]\n' \
	>export-hostile/usr/share/misc/pci.ids
sed -i 's/"verdict": "bound"/"verdict": "a\\"} 1\\nb\\\\"/' \
	export-hostile/run/earlybind/report.json
for format in libvirt kubevirt prometheus dot; do
	golden "export-hostile-$format" export "$format" --sysroot export-hostile
done
xml_is_whole() {
	{
		echo '<domain>'
		"$EARLYBIND" export libvirt --sysroot "$1"
		echo '</domain>'
	} >out.xml
	/usr/bin/python3 -c 'import sys, xml.dom.minidom
print(len(xml.dom.minidom.parse("out.xml").getElementsByTagName("hostdev")))' | grep -qx 4
}
picture() {
	"$EARLYBIND" export dot --sysroot "$1" >out.dot && dot -Tsvg out.dot >out.svg &&
		grep -q 'IOMMU group 23' out.svg
}
for tree in four-gpus-bound export-hostile; do
	check "export-$tree-is-xml" xml_is_whole "$tree"
	check "export-$tree-is-dot" picture "$tree"
done
export_json() {
	"$EARLYBIND" export json --sysroot four-gpus-bound |
		jq -e '.schema == 1 and ([.devices[].viable] | all) and (.devices | length) == 4'
}
check export-json-fields export_json

# By what KubeVirt and Proxmox VE publish of their configuration.
exports_are_valid() {
	# shellcheck disable=SC2154,SC2086 # all_trees is of run.sh, a word each
	"$here/exports.py" trees $all_trees
}
check exports-published exports_are_valid
check exports-published-damaged "$here/exports.py" damaged four-gpus-bound
