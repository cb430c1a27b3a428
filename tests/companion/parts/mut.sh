# shellcheck shell=sh disable=SC2154 # of run.sh
# What libkmod and libpci read of somebody else's tree may be without an end: no command hangs, or
# takes all memory. FIFOs are in wall.sh.
huge() { # PATH WHAT-IT-SAYS ARGUMENT...
	rm -rf huge
	"$here/mktree.py" "$here/trees/import-debian.tree" huge
	for file in huge/$1; do
		rm -f "$file"
		truncate -s 64G "$file"
	done
	pattern=$2
	shift 2
	code=0
	# Sanitizers map more than they use.
	# shellcheck disable=SC3045
	([ "$SUITE" != companion ] || ulimit -v 4000000
		timeout 20 "$EARLYBIND" "$@" --sysroot huge) >huge.txt 2>&1 || code=$?
	if [ "$code" -gt 4 ] || ! grep -q -e "$pattern" huge.txt; then
		cat huge.txt
		return 1
	fi
}
for command in list check "explain 01:00.0" import status; do
	# shellcheck disable=SC2086
	check "huge-modprobe-d-${command%% *}" huge etc/modprobe.d/vfio.conf \
		'modprobe.d/vfio.conf: left out: it is larger than 64 MiB; remove it' $command
done
for file in modules.alias.bin modules.dep.bin modules.builtin.bin modules.builtin.alias.bin \
	modules.symbols.bin; do
	check "huge-$file" huge "lib/modules/*/$file" '01:00.0' list
done
check huge-pci-ids huge usr/share/misc/pci.ids 'pci.ids: left out: it is larger' list
