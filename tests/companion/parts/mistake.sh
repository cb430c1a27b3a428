# shellcheck shell=sh
# shellcheck disable=SC2154 # work is of run.sh
# A mistake in the configuration: nobody suggests what is refused until it is corrected without
# naming it.

for machine in mistake mistake-bound; do
	golden "$machine-status" status --sysroot $machine
	golden "$machine-check" check --sysroot $machine
	golden "$machine-explain" explain 01:00.0 --sysroot $machine
	golden "$machine-apply" apply --dry-run --sysroot $machine
	golden "$machine-import" import --sysroot $machine
done
cd "$work" || exit
