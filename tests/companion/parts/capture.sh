# shellcheck shell=sh
# shellcheck disable=SC2154 # here and so on are of run.sh
# A recording is a tree on which the commands say what they say of the machine itself; and
# there is nothing in it that is nobody's business.

unpack() { # TREE: records it and unpacks that into TREE.captured
	"$EARLYBIND" capture --sysroot "$1" --output "$1.tar" &&
		mkdir -p "$1.captured" && tar -xf "$1.tar" -C "$1.captured"
}
same() { # TREE COMMAND...
	tree=$1
	shift
	code=0 captured_code=0
	"$EARLYBIND" "$@" --sysroot "$tree" >out.txt 2>err.txt || code=$?
	"$EARLYBIND" "$@" --sysroot "$tree.captured" >captured.txt 2>captured-err.txt ||
		captured_code=$?
	diff -u out.txt captured.txt && diff -u err.txt captured-err.txt &&
		[ "$code" -eq "$captured_code" ]
}
for tree in alveo configured refused bound late no-iommu empty alveo-acs hpe sriov domains arm \
	optimus four-gpus-bound amd-apu gaudi kind-dom0 kind-domu kind-guest kind-board kind-power \
	kind-riscv displays vmd by-hand no-remapping vfs; do
	check "capture-$tree" unpack "$tree"
	for command in list plan status check; do
		check "capture-$tree-$command" same "$tree" "$command"
	done
	check "capture-$tree-list-json" same "$tree" list --json
done
# The default route goes through a bridge.
check capture-busy unpack busy
check capture-busy-list same busy list
check capture-busy-check same busy check
# What the firmware's entry, or systemd-boot, started; and what check reads beside the devices.
cp -a vfs efi
words='root=/dev/sda2 ro intel_iommu=on'
echo "$words" >efi/proc/cmdline
mkdir -p efi/sys/kernel/security
echo 'none [integrity] confidentiality' >efi/sys/kernel/security/lockdown
printf '%s\n' '00000000-00000fff : Reserved' 'e0000000-efffffff : PCI Bus 0000:00' \
	'  e0000000-e0ffffff : efifb' >efi/proc/iomem
printf '0x%016x 0x%016x 0x0000000000040200\n' $((0xe0000000)) $((0xe0ffffff)) \
	>efi/sys/bus/pci/devices/0000:05:00.0/resource
echo 'bind 05:00.0' >efi/etc/earlybind.conf
"$here/make_efi.py" efi 0003 "Alice's own" 1 '\EFI\alice\vmlinuz' "$words"
printf '\006\0\0\0s\0y\0s\0t\0e\0m\0d\0-\0b\0o\0o\0t\0 \0002\0005\0007\0' \
	>efi/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
check capture-firmware unpack efi
for command in plan check import 'add 05:00.0 --dry-run' 'explain 05:00.0'; do
	# shellcheck disable=SC2086 # words
	check "capture-firmware-${command%% *}" same efi $command
done
firmware_is_told() { # so much that the answers are no empty ones; and no name
	says 'locked down (none .integrity. confidentiality)' check --sysroot efi.captured &&
		says "the firmware's framebuffer (efi-framebuffer)" check --sysroot efi.captured &&
		tr -d '\0' <efi.captured/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f |
		grep -qa 'systemd-boot$' &&
		says 'Boot0003 (name not recorded)' cmdline --sysroot efi.captured &&
		! grep -rqa -e lice -e 'a.l.i.c.e' efi.captured
}
check capture-firmware-is-told firmware_is_told
check capture-routes unpack routes
check capture-routes-whole cmp routes/proc/net/earlybind-routes routes.captured/proc/net/earlybind-routes
captured_again() {
	"$EARLYBIND" capture --sysroot alveo.captured --output - >again.tar && cmp alveo.tar again.tar
}
check capture-is-deterministic captured_again
golden capture-no-bus capture --sysroot alveo/etc --output never.tar
golden capture-no-folder capture --sysroot alveo --output nowhere/x.tar
check capture-writes-nothing test ! -e never.tar
# What is no regular file is written into, and stays what it is. Nodes of our own, in our folder.
into_pipe() { # PROGRAM... --output
	rm -f pipe && mkfifo pipe && { timeout 20 cat pipe >piped & } && "$@" pipe && wait && [ -p pipe ]
}
into_link() {
	rm -f linked link && : >linked && ln -s linked link &&
		"$EARLYBIND" capture --sysroot alveo --output link && [ -L link ] && cmp linked alveo.tar
}
into_node() {
	rm -f null && mknod null c 1 3 && "$EARLYBIND" capture --sysroot alveo --output null && [ -c null ]
}
capture_into_pipe() { into_pipe "$EARLYBIND" capture --sysroot alveo --output && cmp piped alveo.tar; }
check capture-into-a-pipe capture_into_pipe
check embed-into-a-pipe into_pipe "$EARLYBIND" embed --generic --binder "$BINDER" --config /dev/null --output
check capture-through-a-link into_link
[ "$(id -u)" -ne 0 ] || check capture-into-a-device-node into_node

cp -a alveo private
place=private/sys/devices/pci0000:00
mkdir -p "$place/0000:00:14.0/usb2/2-1/net/enx0a1b2c3d4e5f" \
	private/sys/devices/virtual/block/dm-0/dm private/sys/devices/virtual/block/dm-0/slaves \
	private/sys/class/net private/sys/class/block private/proc/self private/proc/net \
	private/sys/fs/btrfs/9b7c1f6e-0000-4000-8000-1234567890ab/devices/sda1 \
	private/etc/modprobe.d private/run/earlybind
ln -s ../../devices/pci0000:00/0000:00:14.0/usb2/2-1/net/enx0a1b2c3d4e5f \
	private/sys/class/net/enx0a1b2c3d4e5f
echo 0x1003 >"$place/0000:00:14.0/usb2/2-1/net/enx0a1b2c3d4e5f/flags"
echo 0a:1b:2c:3d:4e:5f >"$place/0000:00:14.0/usb2/2-1/net/enx0a1b2c3d4e5f/address"
ln -s ../../devices/virtual/block/dm-0 private/sys/class/block/dm-0
echo alices--host-root >private/sys/devices/virtual/block/dm-0/dm/name
echo CRYPT-LUKS2-9b7c1f6e00004000 >private/sys/devices/virtual/block/dm-0/dm/uuid
echo 'root=UUID=9b7c1f6e-0000-4000-8000-1234567890ab ip=192.0.2.7::192.0.2.1:255.255.255.0:alicehost intel_iommu=on rd.luks.uuid=9b7c1f6e-0000 db_password=hunter2 mysecretword vfio-pci.ids=10ee:5000 apikey=abcdef "note=two secretwords" -- --token sesame' \
	>private/proc/cmdline
cat >private/proc/self/mountinfo <<'END'
25 1 253:0 /@/home/alice / rw,relatime shared:1 - ext4 /dev/mapper/alices--host-root rw,prjquota
26 25 0:50 / /srv/secretproject rw - nfs4 fileserver.example.org:/export rw,addr=192.0.2.9
27 25 8:1 / /mnt/alicedisk rw - ext4 /dev/sda1 rw
END
printf 'Filename Type Size Used Priority\n/home/alice/swapfile file 1 0 -2\n' >private/proc/swaps
printf 'Iface Destination Gateway Flags RefCnt Use Metric Mask\nenx0a1b2c3d4e5f 00000000 0100A8C0 0003 0 0 100 00000000\nenx0a1b2c3d4e5f 0000A8C0 00000000 0001 0 0 100 00FFFFFF\n' \
	>private/proc/net/route
printf 'bind 10ee:5001 # the card of aliceperson\nbind serial=00-0a-35-ff-ff-00-12-34 optional\n' \
	>private/etc/earlybind.conf
printf 'options vfio-pci ids=10ee:5001 # by aliceperson\noptions wifi psk=sesame\n' \
	>private/etc/modprobe.d/vfio.conf
printf '{"schema": 1, "message": "00-0a-35-ff-ff-00-12-34 9b7c1f6e-0000-4000-8000-1234567890ab"}' \
	>private/run/earlybind/report.json
printf 'NAME="Debian"\nID=debian\nMACHINE_OWNER=aliceperson\n' >private/etc/os-release
# A configuration space of 4 KiB with a serial number at 0x150.
config_space() {
	/usr/bin/python3 - "$1" <<'END'
import struct, sys
space = bytearray(4096)
space[0:4] = bytes.fromhex("ee100050")
struct.pack_into("<I", space, 0x100, 0x0001 | 1 << 16 | 0x150 << 20)
struct.pack_into("<I", space, 0x150, 0x0003 | 1 << 16)
space[0x154:0x15c] = bytes.fromhex("34120000ffff350a")
open(sys.argv[1], "wb").write(space)
END
}
config_space "$place/0000:00:01.0/0000:01:00.0/config"
config_space "$place/0000:00:01.0/0000:01:00.1/config"
echo D3hot >"$place/0000:00:01.0/0000:01:00.1/power_state"
config_space "$place/0000:00:14.0/config"
has_serial() {
	od -An -v -tx1 | tr -d ' \n' | grep -q 34120000ffff350a
}
check capture-private unpack private
private() { # what must not be in it, in any file, name or target
	tar -tvf private.tar >private.names
	for secret in 9b7c1f6e 1234567890ab 0a1b2c3d4e5f 0a:1b:2c alice hunter2 mysecretword \
		abcdef sesame secretwords secretproject fileserver 192.0.2 0100A8C0 0000A8C0 psk \
		00-0a-35; do
		if grep -qaF -e "$secret" private.tar private.names; then
			echo "$secret is told: $(grep -rlaF -e "$secret" private.captured | head -n 1)"
			return 1
		fi
	done
	! has_serial <private.tar
}
check capture-tells-no-secrets private
told() { # and what must be
	grep -q 'intel_iommu=on' private.captured/proc/cmdline &&
		grep -q 'vfio-pci.ids=10ee:5000' private.captured/proc/cmdline &&
		[ "$(wc -c <private/proc/cmdline)" -eq "$(wc -c <private.captured/proc/cmdline)" ] &&
		grep -q '^25 1 253:0 / / rw - ext4 /dev/mapper/dm-0 rw$' \
			private.captured/proc/self/mountinfo &&
		grep -q '^27 .* /x rw - ext4 /dev/sda1 rw$' private.captured/proc/self/mountinfo &&
		nic=$(cut -f 1 private.captured/proc/net/route) &&
		grep -qx 0x1003 "private.captured/sys/class/net/$nic/flags" &&
		grep -q '^bind serial=00-00-00-00-00-00-00-0[1-9] optional' \
			private.captured/etc/earlybind.conf
}
check capture-tells-what-is-needed told
spaces() { # BYTES of the named function, of one that sleeps, of one that no rule names
	captured=private.captured/sys/bus/pci/devices
	[ "$(wc -c <"$captured/0000:01:00.0/config")" -eq 4096 ] &&
		[ ! -e "$captured/0000:01:00.1/config" ] &&
		[ "$(wc -c <"$captured/0000:00:14.0/config")" -eq 256 ]
}
check capture-config-spaces spaces
with_serial() {
	"$EARLYBIND" capture --serial --sysroot private --output - | grep -qa 00-0a-35-ff-ff-00-12-34 &&
		"$EARLYBIND" capture --serial --sysroot private --output - |
		has_serial
}
check capture-serial with_serial
# Names and targets that do not fit into the old header.
cp -a empty deep
long=$(printf 'x%.0s' $(seq 120))
mkdir -p "deep/sys/devices/$long/$long/0000:01:00.0" deep/sys/bus/pci/devices
ln -s "../../../devices/$long/$long/0000:01:00.0" deep/sys/bus/pci/devices/0000:01:00.0
echo 0x10ee >"deep/sys/bus/pci/devices/0000:01:00.0/vendor"
deep() {
	unpack deep && grep -qx 0x10ee deep.captured/sys/bus/pci/devices/0000:01:00.0/vendor
}
check capture-long-names deep
golden help-capture capture --help
