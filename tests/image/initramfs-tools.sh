#!/bin/sh
# The image tests, run as root inside a root file system with earlybind installed.
#
# Usage: initramfs-tools.sh KERNEL_VERSION
#
# Prints "pass NAME" or "fail NAME: REASON" per check; what update-initramfs says goes to
# the error output.
set -u

version=$1
image=/boot/initrd.img-$version
hook=/usr/share/initramfs-tools/hooks/earlybind
script=/usr/share/initramfs-tools/scripts/init-top/00-earlybind
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

# Makes the image; its output goes to $log. Never fails: checks look at $status.
make_image() {
	echo "--- $1" >&2
	update-initramfs -u -k "$version" >"$log" 2>&1
	status=$?
	cat "$log" >&2
}

unpack() {
	rm -rf "$out"
	unmkinitramfs "$image" "$out"
	# Early microcode, if there is any, makes a folder of its own.
	[ -d "$out/main" ] && out=$out/main
	order=$out/scripts/init-top/ORDER
}

first_script() { sed -n '1s/^"\{0,1\}\/scripts\/init-top\/\([^ "]*\).*/\1/p' "$order"; }
no_symbol() { ! grep -q . "$1"; }

# ---- a good image -----------------------------------------------------------------------

set_rules '# the card' 'bind  10ee:5000,10ee:5001   optional' 'keep 02:00.*'
mkdir -p /etc/earlybind.conf.d
echo 'bind class=0b40' >/etc/earlybind.conf.d/10-more.conf
echo 'nonsense' >/etc/earlybind.conf.d/not-a-conf-file
make_image good
unpack
check "good: the image is made" is "$status" 0
check "good: the hook says which rules" says '4 rules from'
check "good: the binder is in the image" test -x "$out/usr/lib/earlybind/binder"
check "good: the boot script comes first" is "$(first_script)" 00-earlybind
check "good: vfio-pci is in the image" has 'vfio-pci.ko*'
check "good: vfio_iommu_type1 is in the image" has 'vfio_iommu_type1.ko*'
check "good: dependencies are in the image" has 'vfio.ko*'
check "good: nothing is loaded by force" no_symbol "$out/conf/modules"
earlybind embed --show "$out/usr/lib/earlybind/binder" >/image-tests/table 2>&1
check "good: the table has the rule" grep -q '^bind 10ee:5000,10ee:5001 optional$' /image-tests/table
check "good: the table has the origin" grep -q '^#: /etc/earlybind.conf:2$' /image-tests/table
check "good: the table has the second file" grep -q '^bind class=0b40$' /image-tests/table
"$out/usr/lib/earlybind/binder" --dry-run --cmdline '' >/image-tests/report 2>&1
check "good: the binder of the image reads its table" grep -q "\"/etc/earlybind.conf:2\"" /image-tests/report
rm -r /etc/earlybind.conf.d

# ---- nothing of ours ends the build -------------------------------------------------------

state=/var/lib/earlybind
mark() { grep -q -e "$1" "$out/etc/earlybind.earlier"; }
table() { earlybind embed --show "$out/usr/lib/earlybind/binder" 2>&1 | grep -q -e "$1"; }
is_marked() { # NAME WORDS: made all the same, says WORDS, marked, and check fails
	make_image "$1"
	unpack
	check "$1: the image is made" is "$status" 0
	check "$1: it is said" says "^W: earlybind: .*$2"
	check "$1: the remedy is named" says '^W: earlybind: .*run earlybind apply'
	check "$1: the mark is in the image" test -s "$out/etc/earlybind.earlier"
	earlybind check --image "$image" --kernel "$version" >"$log" 2>&1
	check "$1: check fails it" says 'FAIL table: the image was made without the configuration'
}

set_rules 'bind 10ee:5000' 'bnd 10ee:5001'
is_marked typo '/etc/earlybind.conf:2:1: '
check "typo: the mark has the place" mark '^/etc/earlybind.conf:2:1: '
check "typo: the mark has the day" mark '^the rules of 20'
check "typo: the earlier rules count" table '^bind class=0b40$'
cp "$state/rules" /image-tests/rules
echo damage >"$state/rules"
is_marked damaged-record 'rules: it cannot be used: it is damaged'
check "damaged-record: there are no rules" mark '^no rules$'
rm -r "$state"
is_marked no-record '/etc/earlybind.conf:2:1: '
set_rules 'bind 10ee:5000'
mkdir "$state"
mount -t tmpfs -o size=4k tmpfs "$state"
make_image full-disk
check "full disk: the image is made" is "$status" 0
check "full disk: nothing is half written" test ! -e "$state/rules"
umount "$state"
mkdir -p /etc/earlybind.conf.d
echo 'nonsense' >/etc/earlybind.conf.d/10-more.conf
is_marked conf-d '/etc/earlybind.conf.d/10-more.conf:1:1: '
rm -r /etc/earlybind.conf.d

mv /usr/bin/earlybind /image-tests/earlybind
for fault in missing crashing; do
	[ "$fault" = missing ] ||
		printf '#!/bin/sh\nkill -SEGV $$\n' >/usr/bin/earlybind
	[ ! -e /usr/bin/earlybind ] || chmod +x /usr/bin/earlybind
	make_image "$fault-companion"
	unpack
	check "$fault companion: the image is made" is "$status" 0
	check "$fault companion: it is said" says '^W: earlybind: .*embed failed'
	check "$fault companion: the mark is there" mark 'embed failed'
	check "$fault companion: the binder is there" test -x "$out/usr/lib/earlybind/binder"
done
cp -p /image-tests/earlybind /usr/bin/earlybind
mv /usr/lib/earlybind/image-build /image-tests/image-build
make_image no-image-build
check "no image-build: the image is made" is "$status" 0
check "no image-build: it is said" says '^W: earlybind: .*image-build is missing'
mv /image-tests/image-build /usr/lib/earlybind/image-build

cp "$script" /image-tests/script
for prerequisite in udev no-such-script; do
	sed -i "s/^PREREQ=.*/PREREQ=\"$prerequisite\"/" "$script"
	make_image "prereq-$prerequisite"
	check "prereq $prerequisite: the image is made" is "$status" 0
	check "prereq $prerequisite: the reason is named" says '^W: earlybind: .*would run after udev'
	cp /image-tests/script "$script"
done

chmod -x "$script"
make_image not-executable
check "not executable: the image is made" is "$status" 0
check "not executable: it is said" says '^W: earlybind: .*00-earlybind \(is not in the image\|would run after udev\)'
chmod +x "$script"

mv "$script" "${script%/*}/zz-earlybind"
make_image renamed
check "renamed: the image is made" is "$status" 0
check "renamed: it is said" says '^W: earlybind: .*00-earlybind is not in the image'
mv "${script%/*}/zz-earlybind" "$script"

cp -p /usr/lib/earlybind/binder /image-tests/binder
for fault in damaged missing; do
	echo damage >/usr/lib/earlybind/binder
	[ "$fault" = damaged ] || rm /usr/lib/earlybind/binder
	make_image "$fault-binder"
	unpack
	check "$fault binder: the image is made" is "$status" 0
	check "$fault binder: it is said" says '^W: earlybind: the binder is not in this image'
	check "$fault binder: nothing half" test ! -e "$out/usr/lib/earlybind/binder"
	cp -p /image-tests/binder /usr/lib/earlybind/binder
done

# ---- what is warned about -----------------------------------------------------------------

cat >/etc/initramfs-tools/scripts/init-top/00-a-sooner-one <<'EOF'
#!/bin/sh
[ "$1" = prereqs ] && exit 0
EOF
chmod +x /etc/initramfs-tools/scripts/init-top/00-a-sooner-one
make_image sooner
check "sooner script: the image is made" is "$status" 0
check "sooner script: it is warned about" says 'W: earlybind: these run before it and may load drivers: 00-a-sooner-one'
rm /etc/initramfs-tools/scripts/init-top/00-a-sooner-one

modules=/lib/modules/$version
mv "$modules/kernel/drivers/vfio" /image-tests/vfio
depmod -a "$version"
make_image no-vfio
check "no vfio: the image is made" is "$status" 0
check "no vfio: it is warned about" says "W: earlybind: kernel $version has no vfio-pci"

cp "$modules/modules.builtin" /image-tests/modules.builtin
echo kernel/drivers/vfio/pci/vfio-pci.ko >>"$modules/modules.builtin"
echo kernel/drivers/vfio/vfio_iommu_type1.ko >>"$modules/modules.builtin"
depmod -a "$version"
make_image built-in
check "built in: the image is made" is "$status" 0
check "built in: nothing is missing" is "$(grep -c '^W: earlybind' "$log")" 0
cp /image-tests/modules.builtin "$modules/modules.builtin"
mv /image-tests/vfio "$modules/kernel/drivers/vfio"
depmod -a "$version"

rm /etc/earlybind.conf
make_image no-configuration
unpack
check "no configuration: the image is made" is "$status" 0
check "no configuration: nothing is said" is "$(grep -c earlybind "$log")" 0
earlybind embed --show "$out/usr/lib/earlybind/binder" >/image-tests/table
check "no configuration: the table is empty" no_symbol /image-tests/table

# ---- outside an initramfs -----------------------------------------------------------------

check "the script answers prereqs and does nothing" is "$("$script" prereqs)" ""
"$script" >"$log" 2>&1
check "the script does nothing on a living system" no_symbol "$log"
/usr/lib/earlybind/binder >"$log" 2>&1
status=$?
check "the binder refuses a living system" is "$status" 2
check "and says what to use instead" says 'this is not an initramfs'
check "the hook answers prereqs" is "$("$hook" prereqs)" ""

# ---- the companion does it ----------------------------------------------------------------

no_build() {
	# shellcheck disable=SC2016 # of the hook that is written
	printf '#!/bin/sh\n[ "$1" = prereqs ] && exit 0\necho the test ends the build\nexit 1\n' \
		>/etc/initramfs-tools/hooks/ends
	chmod +x /etc/initramfs-tools/hooks/ends
}
with_build() { rm /etc/initramfs-tools/hooks/ends; }
check_apply "update-initramfs -u -k $version" no_build with_build
check_cmdline
