# shellcheck shell=sh
# Set-ups of other tools, and what import makes of them.
: "${here:?}" "${EARLYBIND:?}"

ln -s nodes/pve import-proxmox/etc/pve/local
chmod +x import-fedora/usr/bin/grubby
for tree in debian fedora proxmox unraid driverctl qubes built-in mistakes; do
	golden "import-$tree" import --sysroot "import-$tree"
done
golden import-nothing import --sysroot empty
golden help-import import --help
golden import-exclusive import --write --dry-run
# Written once; then it is there.
cp -a import-driverctl import-write
golden import-write import --sysroot import-write --write
check import-write-adds grep -qx 'bind  0000:01:00.0+10ee:5000' import-write/etc/earlybind.conf
golden import-write-again import --sysroot import-write --write
# What the boot would refuse is no rule.
cp -a import-unraid import-display
golden import-write-display import --sysroot import-display --write
import_write_display() {
	grep -qx 'bind  10de:228b' import-display/etc/earlybind.conf &&
		! grep -q 10de:2489 import-display/etc/earlybind.conf
}
check import-write-display-refused import_write_display

import_json() {
	"$EARLYBIND" import --sysroot import-driverctl --json >out.json || [ $? -eq 1 ]
	jq -e '.schema == 1 and (.found | length) == 9 and
		[.rules[].selector] == ["0000:00:14.0+8086:a36d", "0000:01:00.0+10ee:5000",
			"0000:01:00.1+10ee:5001", "0000:07:00.0", "0000:08:00.0"] and
		[.rules[].options] == ["driver=uio_pci_generic", null, null, null, "driver=pci-stub"] and
		[.rules[].optional] == [false, false, false, true, true] and
		[.findings[].lint] == ["syntax"]' out.json
}
check import-json import_json
# The rules that are proposed are a configuration.
import_is_configuration() {
	for tree in debian fedora proxmox unraid driverctl qubes built-in mistakes; do
		"$EARLYBIND" import --sysroot "import-$tree" | sed -n '/^# from/,/^$/p' >proposed.conf
		[ -s proposed.conf ] && "$EARLYBIND" embed --check --config proposed.conf || return 1
	done
}
check import-is-configuration import_is_configuration
# Nothing outside the tree, and nothing in it is changed.
import_writes_nothing() {
	find import-debian -type f -exec sha256sum {} + | sort >before.txt
	"$EARLYBIND" import --sysroot import-debian >/dev/null || [ $? -eq 1 ]
	find import-debian -type f -exec sha256sum {} + | sort | cmp before.txt -
}
check import-writes-nothing import_writes_nothing
damaged_recipes() {
	for file in etc/modprobe.d/vfio.conf etc/default/grub etc/libvirt/qemu/win11.xml; do
		cp -a import-debian import-damaged
		"$here/mutate.py" 7 50 "import-debian/$file" sh -c \
			"cp \$0 import-damaged/$file && '$EARLYBIND' import --sysroot import-damaged" @ ||
			return 1
		rm -rf import-damaged
	done
}
check import-survives-damaged-files damaged_recipes

# What a shell would not assign is no rule, and what is not understood is said.
mkdir -p import-quoted/etc/default import-unclear/etc/default
cat >import-quoted/etc/default/grub <<'END'
GRUB_CMDLINE_LINUX="quiet"
cat <<X >/dev/null
X
: "an old note:
GRUB_CMDLINE_LINUX=vfio-pci.ids=10ee:5000
"
GRUB_CMDLINE_LINUX_DEFAULT="splash" GRUB_CMDLINE_LINUX="vfio-pci.ids=10de:2489"
END
golden import-quoted import --sysroot import-quoted
cat >import-unclear/etc/default/grub <<'END'
GRUB_CMDLINE_LINUX="quiet $(cat /etc/ids)"
if [ -e /etc/passthrough ]; then
	GRUB_CMDLINE_LINUX="vfio-pci.ids=10ee:5000"
fi
GRUB_CMDLINE_LINUX_DEFAULT=“quiet”
. /etc/default/site
GRUB_CMDLINE_LINUX="vfio-pci.ids=10de:2489"
END
golden import-unclear import --sysroot import-unclear
import_as_sh() {
	ids=$(sh -c '. ./import-quoted/etc/default/grub; echo "$GRUB_CMDLINE_LINUX"') &&
		[ "$("$EARLYBIND" import --sysroot import-quoted --json |
			jq -r '"vfio-pci.ids=" + .rules[].selector')" = "$ids" ]
}
check import-as-sh import_as_sh
import_says_where() {
	"$EARLYBIND" import --sysroot import-unclear --json >out.json || [ $? -eq 1 ]
	jq -e '.rules == [] and [.findings[] | [.line, .column, .lint]] == [
		[1, 27, "not-understood"], [3, 2, "not-understood"], [5, 1, "syntax"],
		[6, 1, "not-understood"]]' out.json
}
check import-says-where import_says_where
