# shellcheck shell=sh
# Kinds of machines, and what each command says on them of the IOMMU: Xen, VMs, ARM, POWER, RISC-V.
# shellcheck disable=SC2154 # here and so on are of run.sh

kind() { # NAME PATTERN ARGUMENT...
	name=kind-$1
	shift
	check "$name" says "$@"
}

# None of the commands speaks of what this kind of machine does not have.
has_no_word() { # PATTERN TREE DEVICE
	for line in "check" "check $3" "cmdline" "cmdline --set --dry-run" \
		"plan --cmdline rd.earlybind.bind=$3" "explain $3" list \
		"add $3 --dry-run" "apply --dry-run" "status"; do
		# shellcheck disable=SC2086 # several words
		"$EARLYBIND" $line --sysroot "$2" >said.txt 2>&1 </dev/null || true
		if tr -s ' \n' ' ' <said.txt | grep -nE "$1"; then
			echo "earlybind $line: $1"
			return 1
		fi
	done
}

# The same cause in each of them.
all_say() { # PATTERN TREE DEVICE
	for line in "check --only iommu" cmdline list "add $3 --dry-run" "explain $3"; do
		# shellcheck disable=SC2086 # several words
		says "$1" $line --sysroot "$2" || return 1
	done
}
X86='VT-d|AMD-Vi|intel_iommu|amd_iommu|iommu=pt|DMAR|IVRS|BIOS'

# ---- Xen ----

XEN='Xen has it, and vfio cannot work in dom0: write driver=xen-pciback into the rule'
check kind-dom0 all_say "$XEN" kind-dom0 01:00.0
check kind-dom0-words has_no_word "$X86" kind-dom0 01:00.0
golden kind-dom0-cmdline cmdline --sysroot kind-dom0
kind dom0-set 'nothing to do: Xen uses the IOMMU' cmdline --set --sysroot kind-dom0
kind dom0-plan 'refuse: the IOMMU is off: Xen has it' \
	plan --sysroot kind-dom0 --cmdline 'rd.earlybind.bind=01:00.0'
kind dom0-rule 'recover: pciback takes over from' plan --sysroot kind-dom0-rule
golden kind-dom0-check check --sysroot kind-dom0-rule --only iommu
kind dom0-next 'earlybind add 0000:01:00.0 driver=xen-pciback"' \
	explain --sysroot kind-dom0 01:00.0
kind dom0-add 'will be bound to pciback at boot' \
	add --sysroot kind-dom0 --dry-run 01:00.0 driver=xen-pciback
# Its own line is not the kernel's: iommu=no-igfx is Xen's word.
dom0_own_line() {
	! says 'no-igfx' check --sysroot kind-dom0 && ! says 'no-igfx' import --sysroot kind-dom0
}
check kind-dom0-line dom0_own_line

# ---- VMs ----

GUEST='this VM has none, and nothing inside it turns one on: its host must give it a virtual'
for tree in kind-guest kind-guest-intel kind-domu; do
	check "$tree" all_say "$GUEST" "$tree" 00:05.0
	check "$tree-words" has_no_word 'VT-d|AMD-Vi|amd_iommu|in the firmware|setup|(add|needed:) intel_iommu' \
		"$tree" 00:05.0
done
kind guest-next 'nothing inside this system can change that' \
	explain --sysroot kind-guest 00:05.0
kind guest-set 'nothing to do: no parameter gives a VM the IOMMU' \
	cmdline --set --sysroot kind-guest
kind viommu 'needed: intel_iommu=on' cmdline --sysroot kind-viommu

# ---- other processors ----

BOARD='the device tree describes none for PCI, as on many boards, .* no parameter helps'
check kind-board all_say "$BOARD" kind-board 01:00.0
check kind-board-words has_no_word "$X86|firmware's setup" kind-board 01:00.0
kind board-other \
	'not cover this device: use a slot that it covers, if the machine has one' \
	check --sysroot kind-board-other --only groups
check kind-board-other-words has_no_word "$X86" kind-board-other 01:00.0
check kind-riscv all_say 'the firmware describes none, and no parameter turns one on' \
	kind-riscv 01:00.0
check kind-riscv-words has_no_word "$X86" kind-riscv 01:00.0
check kind-smmu all_say 'no ACPI table IORT): enable the SMMU in its setup' kind-smmu 01:00.0
check kind-smmu-words has_no_word "$X86" kind-smmu 01:00.0
golden kind-power-check check --sysroot kind-power
golden kind-power-cmdline cmdline --sysroot kind-power
check kind-power-words has_no_word "$X86|vfio_iommu_type1" kind-power 0001:01:00.0
check kind-arm-words has_no_word "$X86" arm 000d:01:00.0
kind arm-passthrough 'optional: iommu.passthrough=1: ' cmdline --sysroot arm

# ---- parameters that do nothing ----

# amd/init.c: parse_amd_iommu_options() knows no "on"; all commands say the same of it.
amd_on() {
	has_no_word '(add|or|needed:) amd_iommu=on' no-iommu 3b:00.0
}
check kind-amd-on amd_on
kind amd-import 'amd_iommu=on it has no effect: the kernel knows no' import --sysroot import-debian
kind off-import 'intel_iommu=off keeps the IOMMU off, and without it no device can be passed' \
	import --sysroot kind-off
