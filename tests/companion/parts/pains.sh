# shellcheck shell=sh
# The 25 pains of docs/pains.md: for each, a machine that has it, and where it is explained.
# shellcheck disable=SC2154 # here comes from run.sh
# Needs: check

pain() { # NAME PATTERN ARGUMENT...
	name=pain-$1
	shift
	check "$name" says "$@"
}

cp -a doctor-drift pains
mkdir -p pains/etc/dracut.conf.d pains/etc/modprobe.d
echo 'add_drivers+="vfio_pci"' >pains/etc/dracut.conf.d/vfio.conf
echo 'options vfio-pci ids=10ee:5000' >pains/etc/modprobe.d/vfio.conf
sed -e 's/^module vfio_pci .*/builtin vfio_pci vfio_pci:v*/' "$here/trees/doctor.tree" >builtin.tree
"$here/mktree.py" builtin.tree builtin
sed -e 's/"verdict": "bound"/"verdict": "stuck"/' \
	-e 's/"reason": null,/"reason": "stuck", "message": "the kernel did not come back from unbinding it",/' \
	-e 's/^|      "message": null,/|     /' "$here/trees/doctor.tree" >stuck.tree
sed -i 's/ "message": null, "before"/ "before"/; s/driver=vfio-pci override=vfio-pci/driver=xclmgmt/' stuck.tree
"$here/mktree.py" stuck.tree stuck
printf 'bind 02:00.0\n' >disk.conf
printf 'bind 10de:2204\n' >gpus.conf

pain 01-native-driver-wins 'FAIL devices: 0000:01:00.0 .*: xclmgmt has it' check --sysroot alveo
pain 02-two-identical-cards '10de:2204 .* is that of 4 cards: .*keep it: "earlybind keep ' \
	check --sysroot four-gpus --config gpus.conf
pain 03-address-moved 'another device sits in this place: 10ee:5001 is there now' \
	check --sysroot refused
pain 04-vfio-is-built-in 'built in: options in modprobe.d do nothing there' check --sysroot builtin
pain 05-driver-is-built-in 'recover: vfio-pci takes over from xhci_hcd' plan --sysroot configured
cp -a doctor-devices framebuffer
sed -i 's/bc03sc00/bc03sc02/' framebuffer/sys/bus/pci/devices/0000:02:00.0/modalias
pain 06-firmware-framebuffer \
	'FAIL framebuffer: .* framebuffer (simple-framebuffer) lies in its memory, which vfio-pci cannot have' \
	check --sysroot framebuffer
pain 06-firmware-framebuffer-refused '02:00.0 .* refuse: it drives the console' \
	plan --sysroot framebuffer --cmdline rd.earlybind.bind=02:00.0
sed -i 's/BOOTFB/efifb/' framebuffer/proc/iomem
# What else is wrong with this machine would come first.
rm framebuffer/sys/kernel/iommu_groups/5/reserved_regions
sed -i 's/ intremap=off//' framebuffer/proc/cmdline
echo 'bind 02:00.0 allow=console' >framebuffer/etc/earlybind.conf
for what in \
	"plan|framebuffer (efi-framebuffer) is in its memory: the screen goes dark" \
	"explain 02:00.0|framebuffer (efi-framebuffer) is in its memory, so the screen goes dark then" \
	"check|note framebuffer: .*(efi-framebuffer) lies in its memory: it is released"; do
	# shellcheck disable=SC2086 # a command and its argument
	pain "06-firmware-framebuffer-${what%%[ |]*}" "${what#*|}" ${what%%|*} --sysroot framebuffer
done
pain 07-unbind-hangs 'xclmgmt has it; it was not bound at boot: the kernel did not come back' \
	check --sysroot stuck
pain 08-no-iommu 'the firmware offers none .* enable VT-d' check --sysroot doctor-firmware
pain 09-group-not-viable 'group 1, .* is not viable: 0000:02:00.0 (nvidia)' check --sysroot alveo
pain 10-success-without-a-binding 'not bound at boot (restored): the module vfio-pci is not in' \
	status --sysroot failed
pain 11-only-some-functions '0000:02:00.1 .* is on a card that rules bind, but no rule names it' \
	check --sysroot doctor-drift
pain 12-stale-vfio-virqfd 'there is no module vfio_virqfd since Linux 6.2' check --sysroot doctor-drift
pain 13-console-is-taken 'refused: it drives the console: add allow=console' check --sysroot refused
pain 14-image-not-rebuilt 'initrd.img-6.1.0-17-amd64: table: it is older than' check --sysroot doctor-drift
pain 15-other-boot-entry 'not on the command line of this boot: another entry was booted' \
	check --sysroot doctor-drift
pain 16-dracut-syntax '/etc/dracut.conf.d/vfio: its name does not end in .conf.*/etc/dracut.conf.d/vfio.conf:1: .* needs a blank' \
	check --sysroot pains --only recipes
pain 17-id-list-syntax '"10e": not an ID: vfio-pci skips it' check --sysroot refused
# It is never written: what other devices have the ID stays with its driver.
never_new_id() { ! grep -q new_id "$BINDER"; }
check pain-18-new-id never_new_id
pain 19-locked-out 'FAIL guards: 0000:02:00.0 .*nvme0n1' \
	check --sysroot busy --config disk.conf
pain 20-immutable-system 'bind: vfio-pci takes it\|recover: vfio-pci takes over' \
	plan --sysroot alveo --cmdline 'intel_iommu=on rd.earlybind.bind=01:00.*'
pain 21-d3cold 'is switched off while nobody uses it (D3cold)' check --sysroot doctor-devices
pain 22-reserved-memory 'FAIL reserved: 0000:02:00.0 .*RMRR' check --sysroot doctor-devices
pain 23-later-tool-rebinds 'earlybind bound it to vfio-pci, and xocl has it now' \
	check --sysroot doctor-drift
pain 24-missing-device '1234:5678 (/etc/earlybind.conf:5) names no device that is present' \
	check --sysroot refused
pain 25-no-vfio-node 'vfio_iommu_type1 is not loaded, .* /dev/vfio/1 is not there' check --sysroot bound

# Each has its test above, and its line in the documentation.
all_pains() {
	for number in $(seq -w 25); do
		if ! grep -qE "^(pain |check pain-)$number-" "$here/parts/pains.sh" ||
			! grep -qE "^\\| ${number#0} \\|" "$here/../../docs/pains.md"; then
			echo "pain $number"
			return 1
		fi
	done
}
check pains-are-all-there all_pains
