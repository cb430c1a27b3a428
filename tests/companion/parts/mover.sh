# shellcheck shell=sh
# Who moved a device after the boot, and when.
# shellcheck disable=SC2154 # here and so on are of run.sh

touch -d @1790000000 moved/run/udev/data/+pci:0000:01:00.0
golden moved-status status --sysroot moved
golden moved-explain explain 01:00.1 --sysroot moved
golden moved-unknown status --sysroot moved-unknown
moved_json() {
	"$EARLYBIND" status --json --sysroot moved | jq -e '[.devices[].moved | length] == [3, 3]'
}
check moved-json moved_json
# What others write may be damaged.
damaged_log() {
	cp -a moved moved-damaged
	head -c 100000 /dev/urandom >moved-damaged/dev/kmsg
	rm "moved-damaged/etc/driverctl.d/pci-0000:01:00.0"
	mkfifo "moved-damaged/etc/driverctl.d/pci-0000:01:00.0"
	timeout 20 "$EARLYBIND" status --sysroot moved-damaged | grep -q 'moved: the kernel log has no line of xocl'
	rm moved-damaged/dev/kmsg
	mkfifo moved-damaged/dev/kmsg
	timeout 20 "$EARLYBIND" status --sysroot moved-damaged | grep -q 'moved: the kernel log cannot be read'
}
check moved-damaged damaged_log
