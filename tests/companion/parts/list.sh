# shellcheck shell=sh
# earlybind list: what the host uses, the orders, filters, colours and wide terminals.
# shellcheck disable=SC2154 # here and so on are of run.sh

golden list-busy list --sysroot busy
golden list-configured list --sysroot configured
golden list-bound list --sysroot bound
golden list-verbose-busy list -v --sysroot busy
golden list-by-group list --by group --sysroot busy 03:00.0 00:00.0
golden list-verbose-no-iommu list --verbose --sysroot no-iommu
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
golden list-device-typo list --sysroot busy 05:0g
golden list-wrong-order list --by vendor
golden list-wrong-color list --color sometimes
# Its driver_override is not read: with some kernels that would wait for ever.
cp -a held stuck-override
echo vfio-pci >"stuck-override/sys/bus/pci/devices/0000:03:00.1/driver_override"
golden list-stuck list --sysroot stuck-override 03:00.1
# Whoever said it: a later run, or the boot's own one. Those of others, and of another card that was
# there before, say nothing of it.
list_stuck() { # DRIVER-OVERRIDE
	"$EARLYBIND" list --sysroot stuck-override --json 03:00.1 >out.json
	jq -e --arg want "$1" '.devices[0].driver_override == (if $want == "" then null else $want end)' \
		out.json
}
check list-json-stuck list_stuck ""
own=stuck-override/run/earlybind
mv "$own/devices/0000:03:00.1.verdict" "$own/judged"
check list-json-stuck-at-boot list_stuck ""
echo "0000:03:00.1 10de:1521 stuck" >"$own/judged"
check list-json-stuck-other-card list_stuck vfio-pci
echo "0000:03:00.1 8086:1521 bound" >"$own/judged"
echo "0000:03:00.0 8086:1521 stuck" >"$own/devices/0000:03:00.0.verdict"
check list-json-stuck-none list_stuck vfio-pci
echo "0000:03:00.1 8086:1521 stuck" >"$own/devices/0000:03:00.1.verdict"
check list-json-stuck-late list_stuck ""
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
# Lines of at most WIDTH - 1 columns, and the legend last but for the bridges.
list_terminal() { # WIDTH ARGUMENT...
	width=$1
	shift
	on_terminal TERM=xterm LC_ALL=C.UTF-8 COLUMNS="$width" "$EARLYBIND" list --sysroot "$@" >out.txt
	escape=$(printf '\033')
	grep -q "$escape\\[1m" out.txt && sed "s/$escape\\[[0-9]*m//g" out.txt >plain.txt &&
		! grep -q "$escape" plain.txt && ! grep -qE ".{$width}" plain.txt
}
for width in 60 80 120 200; do
	for tree in busy domains configured alveo; do
		check "list-terminal-$tree-$width" list_terminal "$width" "$tree"
	done
	check "list-terminal-busy-verbose-$width" list_terminal "$width" busy -v
done
# A name is cut where it does not fit, and whole where it does.
list_cut() {
	list_terminal 80 busy && grep -q '^00:14.0 8086:7ae0 .* Intel Alder Lake-S PCH USB.*…$' plain.txt &&
		grep -q '^D disk in use, N network in use, S screen in use, G group blocked, ! refused$' plain.txt &&
		grep -q '^02:00.0 144d:a80c .* D! .*(nvme0n1)$' plain.txt &&
		list_terminal 120 busy && grep -q ' Intel Alder Lake-S PCH USB 3.2 Gen 2x2 XHCI Controller$' plain.txt
}
check list-cut-on-a-terminal list_cut
list_cut_ascii() {
	on_terminal TERM=xterm LC_ALL=C COLUMNS=80 "$EARLYBIND" list --sysroot busy --color never >out.txt
	! grep -q '[^ -~]' out.txt && grep -q '\.\.$' out.txt
}
check list-cut-in-ascii list_cut_ascii
# The terminal says its width where COLUMNS does not; 80 where neither does.
list_width() {
	on_terminal TERM=xterm NO_COLOR=1 "$EARLYBIND" list --sysroot busy >out.txt
	grep -qE '.{90}' out.txt && ! grep -qE '.{120}' out.txt
}
check list-width-of-the-terminal list_width
# In a pipe nothing is cut or wrapped: the address is in the line of the ID.
list_pipe() {
	COLUMNS=60 "$EARLYBIND" list --sysroot busy 2>err.txt >out.txt
	grep '144d:a80' out.txt | grep -q '^0000:02:00.0 .*(nvme0n1: mounted on /, /boot/efi, swap)$' &&
		[ "$(grep -c '^0000:' out.txt)" -eq 9 ] && ! grep -q 'disk in use' out.txt &&
		"$EARLYBIND" list --sysroot no-iommu >out.txt 2>err.txt &&
		grep -q '^the IOMMU is off: .* intel_iommu=on to the kernel command line$' out.txt
}
check list-in-a-pipe list_pipe

# A server as large as a DGX: fewer lines than lspci has.
dgx() {
	echo 'iommu dmar0'
	awk 'BEGIN {
		group = 0
		for (bus = 0; bus < 240; bus += 2) {
			printf "device 0000:%02x:00.0 1000:c030 060400 group=%d driver=pcieport bridge=%02x\n",
				bus, group++, bus + 1
			printf "device 0000:%02x:00.0 10de:20b0 030200 group=%d driver=nvidia\n", bus + 1, group++
		}
		for (i = 0; i < 41; i++)
			printf "device 0001:%02x:00.0 1022:1480 060000 group=%d\n", i, group++
	}'
}
list_dgx() {
	dgx >dgx.tree && "$here/mktree.py" dgx.tree dgx && functions=$(find dgx/sys/bus/pci/devices -type l | wc -l) &&
		[ "$functions" -eq 281 ] && [ "$("$EARLYBIND" list --sysroot dgx 2>/dev/null | wc -l)" -eq 122 ] &&
		[ "$("$EARLYBIND" list -v --sysroot dgx 2>/dev/null | wc -l)" -gt "$functions" ]
}
check list-is-shorter-than-lspci list_dgx
list_no_color() {
	for variable in NO_COLOR=1 TERM=dumb; do
		on_terminal TERM=xterm $variable "$EARLYBIND" list --sysroot busy >out.txt
		grep -q '^ADDRESS' out.txt && ! grep -q "$(printf '\033')" out.txt || return 1
	done
	on_terminal TERM=xterm COLUMNS=60 "$EARLYBIND" list --sysroot busy --color never >out.txt
	grep -q '^ADDRESS' out.txt && ! grep -q "$(printf '\033')" out.txt &&
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
