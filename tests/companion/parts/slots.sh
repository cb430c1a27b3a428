# shellcheck shell=sh
# Functions of one slot that are no card: those of the chipset and of AMD's internal slots.
# shellcheck disable=SC2154 # here and so on are of run.sh

says_not() { # PATTERN ARGUMENT...
	! says "$@"
}
slot() { # NAME COMMAND PATTERN ARGUMENT...
	name=slot-$1
	shift
	check "$name" "$@"
}

slot chipset says_not 'rest of the card' add --sysroot kind-chipset --dry-run 00:1f.3
slot chipset-check says_not 'same card\|all its functions' check --sysroot kind-chipset 00:1f.3
slot chipset-rule says_not 'is on a card that rules bind' \
	check --sysroot kind-chipset --only functions 00:1f.3
slot card says 'rest of the card: earlybind add 01:00.1' \
	add --sysroot kind-chipset --dry-run 01:00.0
slot internal says_not 'rest of the card.*05:00.[236]' \
	add --sysroot kind-internal --dry-run 05:00.0
slot internal-graphics says 'rest of the card: earlybind add 05:00.1' \
	add --sysroot kind-internal --dry-run 05:00.0
slot internal-usb says_not 'rest of the card' add --sysroot kind-internal --dry-run 05:00.3
slot internal-card says 'rest of the card: earlybind add 01:00.1' \
	add --sysroot kind-internal --dry-run 01:00.0 allow=console

# An LPC bridge is nothing that vfio-pci could not take: it stays, because the host runs on it.
slot lpc says 'it is a bridge, which stays with the host' add --sysroot kind-chipset --dry-run 00:1f.0
slot lpc-plan says 'refuse: it is a bridge, which stays with the host' \
	plan --sysroot kind-chipset --cmdline 'rd.earlybind.bind=00:1f.0'
slot lpc-explain says 'it is a bridge, which stays with the host' explain --sysroot kind-chipset 00:1f.0
