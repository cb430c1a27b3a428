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

# Small images, so that many can be made.
echo MODULES=list >/etc/initramfs-tools/conf.d/image-tests

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
check "good: the hook says what it did" says 'I: earlybind: modules: vfio_pci vfio_iommu_type1; runs before udev'
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
before=$(sha256sum <"$image")

# ---- what ends the build, with the old image in its place ---------------------------------

set_rules 'bind 10ee:5000' 'bnd 10ee:5001'
make_image typo
check "typo: the build fails" test "$status" -ne 0
check "typo: file, line and column are named" says '/etc/earlybind.conf:2:1: '
check "typo: the remedy is named" says 'correct it, then run update-initramfs -u'
check "typo: the old image stays" is "$(sha256sum <"$image")" "$before"
set_rules 'bind 10ee:5000'

cp "$script" /image-tests/script
sed -i 's/^PREREQ=""/PREREQ="udev"/' "$script"
make_image prereq
check "prereq: the build fails" test "$status" -ne 0
check "prereq: the reason is named" says 'would run after udev'
check "prereq: the old image stays" is "$(sha256sum <"$image")" "$before"
cp /image-tests/script "$script"

sed -i 's/^PREREQ=""/PREREQ="no-such-script"/' "$script"
make_image prereq-absent
check "prereq absent: the build fails" test "$status" -ne 0
cp /image-tests/script "$script"

chmod -x "$script"
make_image not-executable
check "not executable: the build fails" test "$status" -ne 0
chmod +x "$script"

mv "$script" "${script%/*}/zz-earlybind"
make_image renamed
check "renamed: the build fails" test "$status" -ne 0
check "renamed: the reason is named" says '00-earlybind is not in the image'
mv "${script%/*}/zz-earlybind" "$script"

mv /usr/lib/earlybind/binder /image-tests/binder
make_image no-binder
check "no binder: the build fails" test "$status" -ne 0
cp /image-tests/binder /usr/lib/earlybind/binder

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
check "built in: it is said" says 'modules: vfio_pci (built in) vfio_iommu_type1 (built in);'
cp /image-tests/modules.builtin "$modules/modules.builtin"
mv /image-tests/vfio "$modules/kernel/drivers/vfio"
depmod -a "$version"

rm /etc/earlybind.conf
make_image no-configuration
unpack
check "no configuration: the image is made" is "$status" 0
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

no_script() { chmod -x "$script"; }
with_script() { chmod +x "$script"; }
check_apply "update-initramfs -u -k $version" no_script with_script
check_cmdline
