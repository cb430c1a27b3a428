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

# An index in which a search goes in circles: the process that follows it ends, and not the command.
circle() { # PATTERN ARGUMENT...
	rm -rf circle
	"$here/mktree.py" "$here/trees/import-debian.tree" circle
	for file in circle/lib/modules/*/modules.alias.bin circle/lib/modules/*/modules.dep.bin; do
		"$here/circle_index.py" "$file"
	done
	pattern=$1
	shift
	code=0
	timeout 60 "$EARLYBIND" "$@" --sysroot circle >circle.txt 2>&1 || code=$?
	if [ "$code" -gt 4 ] || ! grep -q -e "$pattern" circle.txt; then
		cat circle.txt
		return 1
	fi
}
damaged="depmod's indexes there may be damaged; run depmod 6.1.0-18-amd64"
check circle-list circle "$damaged" list
check circle-list-goes-on grep -q '01:00.0' circle.txt
check circle-explain circle "$damaged" explain 01:00.0
check circle-import circle "$damaged" import
echo 'bind class=0300+10de:* driver=auto' >auto.conf
check circle-embed circle "$damaged" embed --config auto.conf \
	--modules circle/lib/modules/6.1.0-18-amd64
check circle-embed-goes-on grep -qx vfio_pci circle.txt
