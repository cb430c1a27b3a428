# shellcheck shell=sh
# shellcheck disable=SC2154 # here comes from run.sh
# Known cards: what embed records of those that rules name without an ID, and what is said of
# one that was reflashed since.

golden embed-known embed --sysroot cards --binder binder --output knowing --verbose
golden embed-known-show embed --show knowing
golden embed-known-generic embed --sysroot cards --binder binder --output never --generic --verbose
known_elsewhere() {
	echo 'bind 01:00.0' >place.conf
	"$EARLYBIND" embed --sysroot alveo --config place.conf --binder binder --output never --verbose >out.txt
	grep -q 'no ID of a card is recorded: this is not the machine that the image is for' out.txt
}
check embed-known-elsewhere known_elsewhere

"$here/make_image.py" initramfs-tools knowing known.img 6.1.0-17-amd64
golden known-plan plan --sysroot reflashed --image known.img --cmdline intel_iommu=on
golden known-plan-as-it-was plan --sysroot cards --image known.img --cmdline intel_iommu=on
contract known-plan-json 0 plan --sysroot reflashed --image known.img --cmdline intel_iommu=on
known_json() {
	"$EARLYBIND" plan --sysroot reflashed --image known.img --cmdline intel_iommu=on --json >out.json
	jq -e '[.devices[] | select(.note) | [.address, .note]] == [["0000:05:00.0",
		"its ID changed: 10ee:d000 when the image was built (reflashed?)"]]' out.json
}
check known-plan-json-note known_json

# The image is no older than the configuration for that.
known_check() {
	"$EARLYBIND" check --sysroot reflashed --image known.img >out.txt
	tr -s '\n ' ' ' <out.txt | grep -q 'pass table: it has the 4 rules of /etc/earlybind.conf' || {
		cat out.txt
		return 1
	}
}
check known-image-is-up-to-date known_check

# What is recorded gives way to rules, which is said; the image is made.
known_room() {
	cp -a cards crowded
	{
		echo 'bind serial=00-0a-35-00-00-00-00-01'
		for i in $(seq 736); do
			echo "bind 06:00.0+10ee:$(printf %04x "$i") optional on-failure=hold allow=console"
		done
	} >crowded/etc/earlybind.conf
	"$EARLYBIND" embed --sysroot crowded --binder binder --output full >out.txt 2>err.txt || return
	cat out.txt err.txt
	grep -q 'not recorded: the critical devices and the IDs of cards: the rules leave no room' err.txt &&
		! "$EARLYBIND" embed --show full | grep '^known\|^critical'
}
check known-gives-way known_room
