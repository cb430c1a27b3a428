# shellcheck shell=sh
# Causes of docs/causes.md on whole machines: plan, explain and check say what a boot would say.
# shellcheck disable=SC2154 # here and so on are of run.sh

cause() { # NAME PATTERN ARGUMENT...
	name=cause-$1
	shift
	check "$name" says "$@"
}

golden plan-hpe-rmrr plan --sysroot hpe-rmrr
golden plan-no-remapping plan --sysroot no-remapping
golden plan-firmware plan --sysroot doctor-firmware
golden plan-parameter plan --sysroot doctor-parameter
contract plan-json-no-remapping 0 plan --sysroot no-remapping

cause companion-rmrr '(RMRR, .*), so no VM can have it: in the firmware.s setup exclude its slot' \
	check --sysroot hpe-rmrr --only reserved
cause companion-rmrr-explain 'refuse.*(RMRR, 0x000000007d6f6000 to 0x000000007d711fff)' \
	plan --sysroot hpe-rmrr
cause companion-rmrr-relaxed '0000:00:1a.0 .* recover: vfio-pci takes over from' \
	plan --sysroot hpe-rmrr --cmdline 'rd.earlybind.bind=00:1a.0'
cause companion-remapping 'interrupt remapping is disabled, .* the firmware does not offer it (ACPI table DMAR)' \
	check --sysroot no-remapping --only interrupts
cause companion-remapping-explain 'interrupts are not remapped: the firmware does not offer it' \
	explain --sysroot no-remapping 01:00.0
cause companion-firmware 'the IOMMU is off: the firmware offers none (no ACPI table DMAR)' \
	explain --sysroot doctor-firmware 3b:00.0
cause companion-parameter 'the IOMMU is off: the firmware offers VT-d, but this kernel leaves it off' \
	list --sysroot doctor-parameter
