# shellcheck shell=sh
# The groups that would be if a card were in another slot, or a port had its ACS enabled.

golden groups-move plan --sysroot groups --move 01:00=4
golden groups-move-slot plan --sysroot groups --move 01:00.1=5
golden groups-move-merged plan --sysroot groups --move 02:00=00:01.0
golden groups-acs plan --sysroot groups-off --acs 00:01.0

# The card of the free slot goes to a port that merges.
check groups-move-together says 'Then a VM could have it only together with: 0000:01:00.0, 0000:01:00.1' \
	plan --sysroot groups --move 04:00=00:01.1
# shellcheck disable=SC2016 # not for this shell
check groups-move-json sh -c '"$0" plan --json --move 01:00=5 --sysroot groups | jq -e ".refused == null and
	.card == \"0000:01:00.0\" and .target == \"0000:00:1d.0\" and .is_free == false and .is_alone and
	.card_group.then == [\"0000:01:00.0\", \"0000:01:00.1\"] and .all_known and
	(.groups | length) == 7"' "$EARLYBIND"
# shellcheck disable=SC2016
check groups-acs-json sh -c '"$0" plan --json --acs 00:01.0 --sysroot groups-off | jq -e ".is_alone and
	(.groups | length) == 6 and (.target_group.now | length) == 6 and (has(\"card\") | not)"' "$EARLYBIND"
# shellcheck disable=SC2016
check groups-move-refused-json sh -c '"$0" plan --json --move 00:14.0=4 --sysroot groups |
	jq -e ".refused | test(\"root bus\")"' "$EARLYBIND"


groups_no() { # PATTERN CODE ARGUMENT...
	groups_pattern=$1 groups_code=$2
	shift 2
	code=0
	"$EARLYBIND" plan "$@" >/dev/null 2>&1 || code=$?
	[ "$code" -eq "$groups_code" ] && says "$groups_pattern" plan "$@"
}
check groups-move-chipset groups_no '0000:00:14.0 is on the root bus' 1 --sysroot groups --move 00:14.0=4
check groups-move-no-port groups_no '0000:00:14.0 is no port of PCI Express' 1 --sysroot groups --move 01:00=00:14.0
check groups-move-same groups_no 'is the port that the card is behind now' 1 --sysroot groups --move 01:00=00:01.0
check groups-move-gone groups_no '0000:09:00.0 is not there' 1 --sysroot groups --move 09:00=4
check groups-move-no-slot groups_no '"../5" is no address of a port, and no slot in' 1 --sysroot groups --move 01:00=../5
check groups-move-half groups_no '\-\-move is CARD=PORT or CARD=SLOT' 2 --sysroot groups --move 01:00
check groups-move-empty groups_no '\-\-move is CARD=PORT or CARD=SLOT' 2 --sysroot groups --move 01:00=
check groups-move-alone groups_no 'go with --move or --acs' 2 --sysroot groups --move 01:00=4 --acs 00:1b.0
check groups-move-board groups_no '0000:03:00.0 is not in a slot' 1 --sysroot groups-off --move 03:00=00:01.0
# The card and the slot by name: as list takes them, and as the kernel calls the slot.
for card in alveo xilinx 10ee:5000 '10ee:*'; do
	# shellcheck disable=SC2016 # not for this shell
	check "groups-move-by-$card" sh -c '"$0" plan --sysroot groups --move 01:00=4 >by-address.txt &&
		"$0" plan --sysroot groups --move "$1=4" >by-name.txt && cmp by-address.txt by-name.txt' "$EARLYBIND" "$card"
done
check groups-move-names groups_no 'no card has the name "frobnitz"' 1 --sysroot groups --move frobnitz=4
check groups-move-many groups_no '"intel" names several cards: use the address of one of them: 0000:00' 1 --sysroot groups --move intel=4
check groups-move-path groups_no 'a VM could have it alone' 0 --sysroot groups --move path=00:01.0/00.0=4
check groups-move-no-id groups_no 'no card is 10ee:9999' 1 --sysroot groups --move 10ee:9999=4
check groups-acs-none groups_no '0000:00:01.0 has no ACS capability' 1 --sysroot groups --acs 00:01.0
check groups-acs-on groups_no '0000:00:1b.0 has all of its ACS enabled' 1 --sysroot groups --acs 00:1b.0
check groups-acs-word groups_no '\-\-acs is the address of a port' 2 --sysroot groups --acs 4
check groups-move-off groups_no 'No IOMMU is enabled' 1 --sysroot empty --move 01:00=4

# What was not read: the target, and a port that the answer depends on.
rm -rf groups-change
cp -a groups groups-change
echo D3hot >groups-change/sys/devices/pci0000:00/0000:00:1b.0/power_state
check groups-move-asleep groups_no '0000:00:1b.0 cannot be judged: reading its config space would wake it' 1 \
	--sysroot groups-change --move 01:00=00:1b.0
check groups-move-asleep-slot groups_no 'no slot in /sys/bus/pci/slots whose port could be read' 1 \
	--sysroot groups-change --move 01:00=4
check groups-move-known groups_no 'a VM could have it alone' 0 --sysroot groups-change --move 01:00=5
echo D3hot >groups-change/sys/devices/pci0000:00/0000:00:01.1/power_state
check groups-move-unknown groups_no 'The groups then are unknown: reading the config space of' 1 \
	--sysroot groups-change --move 04:00=00:01.0

# A recording of somebody's making: bridges that are behind each other.
rm -rf groups-circle
cp -a groups-off groups-circle
groups_port=groups-circle/sys/devices/pci0000:00/0000:00:01.0
mkdir "$groups_port/0000:02:10.0"
mv "$groups_port/0000:01:00.0" "$groups_port/0000:02:10.0/"
for groups_link in groups-circle/sys/bus/pci/devices/*; do
	groups_to=$(readlink "$groups_link" | sed 's,01\.0/0000:01:00\.0,01.0/0000:02:10.0/0000:01:00.0,')
	ln -sfn "$groups_to" "$groups_link"
done
groups_circle() {
	code=0
	timeout 20 "$EARLYBIND" plan --sysroot groups-circle --move 03:00=00:01.0 >out.txt 2>err.txt || code=$?
	cat err.txt
	[ "$code" -eq 1 ]
}
check groups-move-circle groups_circle
# docs/groups.md: the other way round.
check groups-move-display groups_no 'a VM could have it alone' 0 --sysroot groups --move 02:00=4
