# shellcheck shell=sh
# add, keep and remove: the configuration without an editor. Every tree that is written to is
# a copy.

copy() { # TREE NEW: without rules on the command line
	rm -rf "$2"
	cp -a "$1" "$2"
	echo 'root=/dev/sda1 intel_iommu=on' >"$2/proc/cmdline"
}
copy alveo edit
conf=edit/etc/earlybind.conf

golden add-dry-run add --sysroot edit --dry-run 01:00.0
check add-dry-run-writes-nothing test ! -e $conf
golden add add --sysroot edit 01:00.0 01:00.1
check add-makes-a-readable-file test "$(stat -c %a $conf)" = 644
golden add-then-plan plan --sysroot edit
golden add-again add --sysroot edit '01:00.*'
check add-leaves-no-temporary test "$(echo edit/etc/*)" = $conf
golden add-option add --sysroot edit --dry-run --by exact 8086:a36d optional on-failure=hold
golden add-by-id add --sysroot edit --dry-run --by id 00:14.0
golden add-by-exact add --sysroot edit --dry-run --by exact 00:14.0
golden add-by-address add --sysroot edit --dry-run --by address 02:00.1
golden add-by-serial add --sysroot edit --dry-run --by serial 02:00.1
# Cards that may share their numbers: of the first two only the ID tells them apart, if at all.
copy four-gpus numbered
number() { # SERIAL ADDRESS...
	serial=$1
	shift
	for address in "$@"; do
		echo "$serial" >"numbered/sys/bus/pci/devices/0000:$address/serial_number"
	done
}
number 00-00-48-b0-2d-00-00-01 01:00.0 01:00.1
number 00-00-48-b0-2d-00-00-02 c1:00.0 81:00.0
number 00-00-00-00-00-00-00-00 c1:00.1
golden add-serial-of-one-card add --sysroot numbered --dry-run serial=00-00-48-b0-2d-00-00-01
golden add-serial add --sysroot numbered '01:00.*'
golden add-serial-then-plan plan --sysroot numbered
golden add-shared-serial add --sysroot numbered --dry-run 'c1:00.*'
golden add-serial-of-two-cards add --sysroot numbered --dry-run serial=00-00-48-b0-2d-00-00-02
golden add-path-typed add --sysroot numbered --dry-run path=c0:01.1
golden add-on-command-line add --sysroot alveo 01:00.0
golden add-forced-from-command-line add --sysroot alveo --force --dry-run 01:00.0

# Refusals write nothing.
sum=$(cksum $conf)
golden add-bridge add --sysroot edit 00:01.0 01:00.0
golden add-console add --sysroot edit 02:00.0
golden add-console-allowed add --sysroot edit --dry-run 02:00.0 allow=console
golden add-console-forced add --sysroot edit --dry-run 02:00.0 --force
golden add-all-screens add --sysroot edit --dry-run --force --all class=03 02:00.1
golden add-each-screen add --sysroot edit --dry-run --force 00:02.0 '02:00.*'
golden add-missing add --sysroot edit 10:00.0 01:00.0
golden add-missing-id add --sysroot edit 10ee:5010
golden add-missing-forced add --sysroot edit --dry-run --force 05:00.0
golden add-other-there add --sysroot edit 01:00.0+10de:2489
golden add-many add --sysroot four-gpus 10de:2204
golden add-many-all add --sysroot four-gpus --dry-run --all 10de:2204
golden add-many-by add --sysroot four-gpus --dry-run --all --by address 10de:1aef
golden add-kept add --sysroot configured 00:02.0
golden add-covered add --sysroot configured 01:00.1
golden add-profile add --sysroot configured --dry-run --profile games 02:00.1
golden add-new-profile add --sysroot configured --dry-run --profile work 02:00.1
golden add-bad-profile add --sysroot configured --profile 'a b' 02:00.1
golden add-disk add --sysroot busy 02:00.0
golden add-disk-forced add --sysroot busy --dry-run --force 02:00.0
golden add-network add --sysroot busy 03:00.0
golden add-spare-network add --sysroot busy --dry-run 03:00.1
golden add-virtual add --sysroot busy --dry-run 03:10.0
golden add-nothing add --sysroot edit
golden add-typo add --sysroot edit 01:00.0 optinal
golden add-wrong-option add --sysroot edit 01:00.0 on-failure=explode
golden add-wrong-by add --sysroot edit --by name 01:00.0
check add-refusals-write-nothing test "$(cksum $conf)" = "$sum"

# The file: what it is and stays.
printf '# mine\r\nbind 8086:a36d # usb\r\n\r\n[profile x]\r\nkeep 00:02.0' >$conf
chmod 640 $conf
mv $conf edit/etc/real.conf
ln -s /etc/real.conf $conf
golden add-through-link add --sysroot edit 01:00.0
printf '# mine\r\nbind 8086:a36d # usb\r\nbind path=0000:00:01.0/00.0+10ee:5000\r\n\r\n[profile x]\r\nkeep 00:02.0' >want.conf
check add-keeps-the-rest cmp edit/etc/real.conf want.conf
check add-keeps-the-link test "$(readlink $conf)" = /etc/real.conf
check add-keeps-the-mode test "$(stat -c %a edit/etc/real.conf)" = 640
ln -sf nowhere.conf $conf
golden add-through-dangling-link add --sysroot edit 01:00.0
check add-makes-what-the-link-names test -f edit/etc/nowhere.conf
ln -sf earlybind.conf $conf
golden add-link-loop add --sysroot edit 01:00.0
rm $conf
mkdir $conf
golden add-folder add --sysroot edit 01:00.0
rmdir $conf
cp typo.conf $conf
golden add-into-errors add --sysroot edit 02:00.1
golden add-other-file add --sysroot edit --config mine.conf 01:00.0
check add-other-file-is-written grep -qx 'bind path=0000:00:01.0/00.0+10ee:5000' mine.conf
golden add-other-folder add --sysroot edit --config nowhere/mine.conf 01:00.0
rm $conf

golden keep keep --sysroot edit 02:00.0
golden keep-again keep --sysroot edit 02:00.0
golden keep-id keep --sysroot edit 10de:228b
golden keep-option keep --sysroot edit 02:00.0 optional
golden keep-missing keep --sysroot edit 09:00.0
cat >$conf <<'END'
bind 10ee:*
END
golden keep-one-of-many keep --sysroot edit 01:00.1
golden keep-then-plan plan --sysroot edit
golden add-part-is-kept add --sysroot edit --dry-run --all '10ee:*+class=12'
golden keep-nothing keep

cat >$conf <<'END'
# cards
bind 10ee:5000,10ee:5001   optional   # Alveo
bind 0000:02:00.*+10de:*   allow=console
keep 00:02.0
bind 06:00.0+10ee:5000 optional # gone
bind 8086:a36d,0:14.0
[profile x]
bind 00:14.0
END
before=$(cksum $conf)
golden remove-wider remove --sysroot edit 02:00.0
golden remove-kept remove --sysroot edit 00:02.0+8086:3e98
golden remove-none remove --sysroot edit 01:00.0 09:00.0
golden remove-elsewhere remove --sysroot alveo 10ee:5000 01:00.1
golden remove-dry-run remove --sysroot edit --dry-run 01:00.0
check remove-failures-write-nothing test "$(cksum $conf)" = "$before"
golden remove remove --sysroot edit 01:00.0 '02:00.*'
golden remove-gone remove --sysroot edit 06:00.0
golden remove-in-section remove --sysroot edit 00:14.0
golden remove-profile remove --sysroot edit --profile x 00:14.0
golden remove-keep remove --sysroot edit 0000:00:02.0
printf '# cards\nbind 10ee:5001   optional   # Alveo\n[profile x]\n' >want.conf
check remove-leaves-the-rest cmp $conf want.conf
golden remove-nothing remove
golden remove-option remove 01:00.0 optional
mkdir -p edit/etc/earlybind.conf.d edit/etc/modprobe.d
echo 'bind 01:00.*' >edit/etc/earlybind.conf.d/10.conf
echo 'options vfio-pci ids=10ee:5001' >edit/etc/modprobe.d/vfio.conf
golden remove-others remove --sysroot edit 01:00.1
golden remove-slot remove --sysroot edit '01:00.*'
rm -r edit/etc/earlybind.conf.d edit/etc/modprobe.d

damaged_edit() {
	# shellcheck disable=SC2154 # of run.sh
	"$here/mutate.py" 7 100 configured/etc/earlybind.conf sh -c "
		cp \$0 $conf
		'$EARLYBIND' add --sysroot edit 02:00.1 01:00.0 || exit
		'$EARLYBIND' embed --check --config $conf || exit 9" @
}
check add-survives-damaged-configurations damaged_edit
for command in add remove keep; do
	golden "help-$command" "$command" --help
done
