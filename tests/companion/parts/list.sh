# shellcheck shell=sh
# earlybind list: what the host uses, the orders, filters, colours and wide terminals.

golden list-busy list --sysroot busy
golden list-topology list --sysroot busy --by topology
golden list-topology-sriov list --sysroot sriov --by topology
golden list-topology-domains list --sysroot domains --by topology
golden list-topology-one list --sysroot busy --by topology 03:00.1
golden list-rule list --sysroot configured --by rule
golden list-rule-one list --sysroot configured --by rule 01:00.0 10de:2489
golden list-rule-none list --sysroot busy --by rule 01:00.0
golden list-device list --sysroot busy '01:00.*' class=0108
golden list-device-path list --sysroot busy 'path=00:01.0/00.*'
golden list-device-absent list --sysroot busy 05:00.0 02:00.0
golden list-device-typo list --sysroot busy 05:00
golden list-wrong-order list --by vendor
golden list-wrong-color list --color sometimes
# Its driver_override is not read: with some kernels that would wait for ever.
cp -a held stuck-override
echo vfio-pci >"stuck-override/sys/bus/pci/devices/0000:03:00.1/driver_override"
golden list-stuck list --sysroot stuck-override 03:00.1
contract list-json-busy 0 list --sysroot busy
contract list-json-one 0 list --sysroot busy 02:00.0
list_json() {
	"$EARLYBIND" list --sysroot busy --json >out.json 2>err.txt
	jq -e '
		def at(a): .devices[] | select(.address == a);
		at("0000:02:00.0").used_by == [{"kind": "disk", "name": "nvme0n1",
			"what": "mounted on /, /boot/efi, swap", "in_use": true, "critical": true}] and
		at("0000:02:00.0").reset_methods == ["flr", "bus"] and
		at("0000:02:00.0").path == "0000:00:06.0/00.0" and
		at("0000:00:02.0").boot_vga and (at("0000:01:00.0").boot_vga | not) and
		at("0000:03:10.0").physical_function == "0000:03:00.0" and
		at("0000:03:00.0").virtual_functions == 1 and
		(.groups[] | select(.id == 1).blockers) == ["0000:01:00.0", "0000:01:00.1"]' out.json
}
check list-json-fields list_json

# A tree of ASCII where the locale has no more.
list_ascii() {
	LC_ALL=C "$EARLYBIND" list --sysroot busy --by topology >out.txt &&
		! grep -q '[^ -~]' out.txt && grep -q '^|- 0000:00:01.0 ' out.txt &&
		grep -q '^|  `- 0000:01:00.1 ' out.txt
}
check list-topology-ascii list_ascii

# The command on a terminal of 120 columns.
on_terminal() { # VARIABLE=VALUE... ARGUMENT...
	script -qec "stty cols 120; exec env -u NO_COLOR -u COLUMNS $* 2>/dev/null" /dev/null </dev/null | tr -d '\r'
}
list_terminal() {
	on_terminal TERM=xterm "$EARLYBIND" list --sysroot busy >out.txt
	escape=$(printf '\033')
	grep -q "$escape\\[1m" out.txt && sed "s/$escape\\[[0-9]*m//g" out.txt >plain.txt &&
		! grep -q "$escape" plain.txt && grep -qE '.{90}' plain.txt && ! grep -qE '.{120}' plain.txt
}
check list-on-a-terminal list_terminal
list_no_color() {
	for variable in NO_COLOR=1 TERM=dumb; do
		on_terminal TERM=xterm $variable "$EARLYBIND" list --sysroot busy >out.txt
		grep -q 'IOMMU group 1:' out.txt && ! grep -q "$(printf '\033')" out.txt || return 1
	done
	on_terminal TERM=xterm COLUMNS=60 "$EARLYBIND" list --sysroot busy --color never >out.txt
	grep -q 'IOMMU group 1:' out.txt && ! grep -q "$(printf '\033')" out.txt &&
		! grep -qE '.{60}' out.txt
}
check list-without-colors list_no_color
list_color() {
	"$EARLYBIND" list --sysroot busy --color always | grep -q "^$(printf '\033')\\[1m"
}
check list-colors-on-demand list_color

# Functions that stand below themselves, or below what is not there.
list_loop() {
	cp -a busy loop
	for pair in 01:00.0/02:00.0 02:00.0/01:00.0 03:00.0/7f:1f.7; do
		rm "loop/sys/bus/pci/devices/0000:${pair%/*}"
		mkdir -p "loop/sys/x/pci0000:00/0000:${pair#*/}"
		cp -a busy/sys/bus/pci/devices/0000:00:00.0/. \
			"loop/sys/x/pci0000:00/0000:${pair#*/}/0000:${pair%/*}"
		ln -s "../../../x/pci0000:00/0000:${pair#*/}/0000:${pair%/*}" \
			"loop/sys/bus/pci/devices/0000:${pair%/*}"
	done
	"$EARLYBIND" list --sysroot loop --by topology >out.txt 2>err.txt &&
		[ "$(grep -c '0000:0[12]:00.0 ' out.txt)" -eq 2 ]
}
check list-topology-loop list_loop
