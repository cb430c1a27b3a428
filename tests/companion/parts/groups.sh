# shellcheck shell=sh
# Why a group is as large as it is, what would split it, and groups that are other ones than the
# ports make.

golden groups-explain explain --sysroot groups 01:00.0
golden groups-check check --sysroot groups --only groups
golden groups-plan plan --sysroot groups
golden groups-why list --by group --why --sysroot groups 01:00.0 04:00.0
golden groups-why-chipset list --why --sysroot groups-kernel 00:14.0
# shellcheck disable=SC2016 # not for this shell
check groups-why-json sh -c '"$0" list --why --json --sysroot groups 2>/dev/null |
	jq -e ".computed_groups[1] == [\"0000:00:01.0\", \"0000:00:01.1\", \"0000:01:00.0\",
		\"0000:01:00.1\", \"0000:02:00.0\", \"0000:02:00.1\"] and
		(.groups[1].why | test(\"root port 0000:00:01.1 .* has no ACS\")) and .groups[0].why == null"' \
	"$EARLYBIND"
check groups-why-order says '--why is about groups' list --why --by topology --sysroot groups
golden groups-chipset explain --sysroot groups-kernel 00:14.0
golden groups-off check --sysroot groups-off --only groups
golden groups-override check --sysroot groups-kernel --only groups
golden groups-override-explain explain --sysroot groups-kernel 02:00.0
check groups-override-plan says 'note: The kernel has 0000:01:00.0 (IOMMU group 8) and 0000:02:00.0 (group 10) apart' \
	plan --sysroot groups-kernel

# Changes of a copy: what cannot be told, and what it takes.
groups_copy() { # TREE COPY
	rm -rf "$2"
	cp -a "$1" "$2"
	groups_port=$2/sys/devices/pci0000:00/0000:00:01.0
}

groups_copy groups groups-add
echo intel_iommu=on >groups-add/proc/cmdline
golden groups-add add --dry-run --sysroot groups-add 01:00.0 01:00.1

groups_copy groups groups-asleep
echo D3hot >"$groups_port/power_state"
golden groups-asleep check --sysroot groups-asleep --only groups

groups_copy groups groups-user
for groups_config in groups-user/sys/bus/pci/devices/*/config; do
	head -c 64 "$groups_config" >groups.config
	cat groups.config >"$groups_config"
done
# After a suspend nothing may answer from byte 256 on: 0 on some machines, ones on others.
for groups_byte in 0 255; do
	groups_copy groups "groups-slept-$groups_byte"
	for groups_config in "groups-slept-$groups_byte"/sys/bus/pci/devices/*/config; do
		/usr/bin/python3 - "$groups_config" "$groups_byte" <<-'END'
			import sys
			with open(sys.argv[1], "r+b") as config:
			    rest = len(config.read()) - 256
			    config.seek(256)
			    config.write(bytes([int(sys.argv[2])]) * max(rest, 0))
		END
	done
	check "groups-slept-$groups_byte" says '0000:00:01.1 and others, like that of every device, has nothing from byte 256 on' \
		explain --sysroot "groups-slept-$groups_byte" 01:00.0
done
# Where one answers, those that are empty have no extended capabilities.
groups_copy groups groups-bare
/usr/bin/python3 - groups-bare/sys/bus/pci/devices/0000:00:01.1/config <<-'END'
	import sys
	with open(sys.argv[1], "r+b") as config:
	    config.seek(256)
	    config.write(bytes(4))
END
check groups-bare says 'root port 0000:00:01.1 .8086:1905. has no ACS capability' explain --sysroot groups-bare 01:00.0

check groups-user says 'only root can read the config space of 0000:00:01.1 and others: run this as root' \
	explain --sysroot groups-user 01:00.0

groups_copy groups groups-fifo
rm "$groups_port/config"
mkfifo "$groups_port/config"
check groups-fifo says 'is unknown: the config space of 0000:00:01.0 cannot be read here' \
	check --sysroot groups-fifo --only groups

groups_copy groups-off groups-word
echo 'intel_iommu=on vfio-pci.ids=10ee:5000 pci=noaer,disable_acs_redir=0000:00:01.0' \
	>groups-word/proc/cmdline
check groups-word says 'command line has pci=noaer,disable_acs_redir=0000:00:01.0: without it' \
	check --sysroot groups-word --only groups

groups_copy groups-off groups-old
echo 6.1.0-18-amd64 >groups-old/proc/sys/kernel/osrelease
echo 6.1.0-18-amd64 >groups-word/proc/sys/kernel/osrelease
echo 'intel_iommu=on vfio-pci.ids=10ee:5000 pci=disable_acs_redir=0000:00:01.1' >groups-word/proc/cmdline
check groups-word-other says 'With Linux 6.12 or newer, pci=config_acs=111x1@0000:00:01.0' \
	check --sysroot groups-word --only groups

check groups-old says 'With Linux 6.12 or newer, pci=config_acs=111x1@0000:00:01.0' \
	check --sysroot groups-old --only groups

# The second port has no capability, and the first one is enough.
groups_copy groups-off groups-two
printf '\0\0' | dd of="$groups_port/0000:01:00.0/0000:02:08.0/config" bs=1 seek=256 conv=notrunc \
	status=none
check groups-two says 'ACS capability\. pci=config_acs=111x1@0000:00:01.0 on the .* splits it\. 1 FAIL' \
	check --sysroot groups-two --only groups

# The same ports, and the kernel's group is larger than they make it.
groups_copy groups-off groups-larger
printf '\35' | dd of="$groups_port/config" bs=1 seek=262 conv=notrunc status=none
check groups-larger says 'group 1 is larger than the ports make it: 0000:03:00.0 and 0000:04:00.0' \
	check --sysroot groups-larger --only groups

# The picture has the ports that merge, and only those, with a legend.
groups_picture() {
	"$EARLYBIND" export dot --sysroot groups >groups.dot && dot -Tsvg groups.dot >groups.svg &&
		[ "$(grep -c 'color=red.*PCI bridge' groups.dot)" -eq 2 ] &&
		grep -q '"0000:00:01.1" .*color=red' groups.dot && grep -q '"legend"' groups.dot &&
		! grep -q '^.*"0000:00:1b.0"' groups.dot &&
		[ "$(sed -n 's/.*label="IOMMU group \([0-9]*\)".*/\1/p' groups.dot | sort -nc 2>&1)" = "" ] &&
		"$EARLYBIND" export dot --sysroot groups 00:1b.0 | grep -q '"0000:00:1b.0"' &&
		"$EARLYBIND" export dot --sysroot groups 04:00.0 >groups.dot && ! grep -q 'red' groups.dot
}
check groups-picture groups_picture
