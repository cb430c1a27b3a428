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
# What another tool has bound comes back to the host at the next boot.
check judge-back-add ends 0 add 04:00.0 --dry-run --sysroot judge-back
check judge-back-both ends 1 add 01:00.0 04:00.0 --dry-run --sysroot judge-back
check judge-back-explain says \
	'next: nothing now, a VM can have it; for later boots: "earlybind add 04:00.0"' \
	explain 04:00.0 --sysroot judge-back
