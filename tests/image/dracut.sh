#!/bin/sh
# The tests of dracut's module, run as root inside a root file system with earlybind installed.
#
# Usage: dracut.sh KERNEL_VERSION
#
# Prints as initramfs-tools.sh does: "pass NAME" or "fail NAME: REASON" per check.
set -u

version=$1
image=/image-tests/dracut.img
modules_d=/usr/lib/dracut/modules.d
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

# Only modules that say how the image starts: small images, so that many can be made.
systemd='systemd systemd-initrd'
plain=base

# make_image NAME MODULES [OPTION...]; never fails: checks look at $status.
make_image() {
	echo "--- $1" >&2
	mods=$2
	shift 2
	dracut --force --kver "$version" --modules "$mods" --drivers '' --no-compress \
		--no-early-microcode --stdlog 4 "$@" "$image" >"$log" 2>&1
	status=$?
	cat "$log" >&2
}

unpack() {
	rm -rf "$out"
	mkdir "$out"
	# The newest releases have no cpio, older ones no unmkinitramfs that takes any image.
	if command -v cpio >/dev/null; then
		(cd "$out" && cpio -i --quiet <"$image")
	else
		unmkinitramfs "$image" "$out"
	fi
	hook=$(cd "$out" && find . -path '*/hooks/pre-udev/00-earlybind.sh')
	unit=$(find "$out/usr/lib/systemd/system" "$out/lib/systemd/system" \
		-maxdepth 1 -name earlybind.service 2>/dev/null | head -n 1)
}

before() { sed -n 's/^Before=//p' "$unit" | tr ' ' '\n' | grep -qx "$1"; }
table() { "$out/usr/lib/earlybind/binder" --dry-run --cmdline '' 2>/dev/null | grep -q "$1"; }

# ---- good images --------------------------------------------------------------------------

set_rules 'bind  10ee:5000,10ee:5001   optional'
make_image systemd "$systemd earlybind" --no-hostonly
unpack
check "systemd: the image is made" is "$status" 0
check "systemd: the binder is in the image" test -x "$out/usr/lib/earlybind/binder"
check "systemd: it has the table" table '/etc/earlybind.conf:1'
check "systemd: the unit is there" test -n "$unit"
for service in systemd-modules-load systemd-udevd systemd-udev-trigger; do
	check "systemd: the unit is before $service" before "$service.service"
done
check "systemd: the unit is wanted" has 'sysinit.target.wants/earlybind.service'
check "systemd: the shell of on-failure=shell has a unit" \
	has 'sysinit.target.wants/earlybind-shell.service'
check "systemd: it waits for the binder" grep -qx 'After=earlybind.service' \
	"${unit%/*}/earlybind-shell.service"
check "systemd: what it runs is there" test -x "$out/usr/lib/earlybind/shell"
check "systemd: the unit has a start limit" grep -q '^TimeoutStartSec=5min$' "$unit"
check "systemd: no hook beside it" is "$hook" ""
check "systemd: vfio-pci is in the image" has 'vfio-pci.ko*'
check "systemd: vfio_iommu_type1 is in the image" has 'vfio_iommu_type1.ko*'
check "systemd: dependencies are in the image" has 'vfio.ko*'

make_image plain "$plain earlybind" --no-hostonly
unpack
check "plain: the image is made" is "$status" 0
check "plain: the module says what it proved" says '00-earlybind.sh runs before udev'
check "plain: the hook is there" test -n "$hook"
check "plain: it is the only hook there" is "$(ls "$out/${hook%/*}")" 00-earlybind.sh
check "plain: the shell of on-failure=shell is there" test -x "$out/usr/lib/earlybind/shell"
check "plain: no unit beside it" is "$unit" ""
check "plain: it has the table" table '/etc/earlybind.conf:1'
check "plain: vfio-pci is in the image" has 'vfio-pci.ko*'

for mode in sloppy strict; do
	make_image "hostonly-$mode" "$plain earlybind" --hostonly --hostonly-mode "$mode"
	unpack
	check "hostonly $mode: vfio-pci is in the image" has 'vfio-pci.ko*'
	check "hostonly $mode: the binder is in the image" has 'earlybind/binder'
done

# ---- when it comes into an image ----------------------------------------------------------

# Left to itself dracut takes every module whose check() agrees.
automatic() {
	make_image "$1" auto --no-hostonly --omit "$(cd "$modules_d" &&
		find . -mindepth 1 -maxdepth 1 ! -name '*base' ! -name '*earlybind' \
			! -name '*udev-rules' ! -name '*shell-interpreter' ! -name '*dash' \
			! -name '*bash' ! -name '*fs-lib' ! -name '*initqueue' \
			! -name '*shutdown' ! -name '*kernel-modules' -printf '%f ' |
		sed 's/[0-9][0-9]\([^ ]\)/\1/g')"
	unpack
}

automatic configured
check "configured: it is in the image" has earlybind/binder
set_rules '# bind 10ee:5000'
automatic not-configured
check "not configured: it is not in the image" has_not earlybind/binder
check "not configured: the image is made" is "$status" 0
echo 'options vfio-pci disable_vga=1 ids=10ee:5000' >/etc/modprobe.d/vfio.conf
automatic modprobe
check "ids= in modprobe.d: it is in the image" has earlybind/binder
check "ids= in modprobe.d: they are in the image" has etc/modprobe.d/vfio.conf
rm /etc/modprobe.d/vfio.conf
mkdir -p /etc/default/grub.d
echo 'GRUB_CMDLINE_LINUX_DEFAULT="intel_iommu=on vfio-pci.ids=10ee:5000"' >/etc/default/grub.d/card.cfg
automatic grub
check "vfio-pci.ids in GRUB's settings: it is in the image" has earlybind/binder
rm /etc/default/grub.d/card.cfg
make_image asked "$plain" --no-hostonly --add earlybind
unpack
check "asked for: it is in the image" has earlybind/binder

# ---- nothing of ours ends the build ---------------------------------------------------------

set_rules 'bind 10ee:5000'
make_image good "$systemd earlybind" --no-hostonly
set_rules 'bind 10ee:5000' 'bnd 10ee:5001'
make_image typo "$systemd earlybind" --no-hostonly
unpack
check "typo: the image is made" is "$status" 0
check "typo: file, line and column are named" says 'W: earlybind: /etc/earlybind.conf:2:1: '
check "typo: the remedy is named" says 'correct it, then run earlybind apply'
check "typo: the mark is in the image" has etc/earlybind.earlier
check "typo: the earlier rules count" table '/etc/earlybind.conf:1'
set_rules 'bind 10ee:5000'

cp "$modules_d/50earlybind/earlybind.service" /image-tests/unit
sed -i 's/systemd-udevd\.service//' "$modules_d/50earlybind/earlybind.service"
make_image order "$systemd earlybind" --no-hostonly
check "no order: the image is made" is "$status" 0
check "no order: the reason is named" says 'not ordered before systemd-udevd.service'
cp /image-tests/unit "$modules_d/50earlybind/earlybind.service"

mv /usr/lib/earlybind/binder /image-tests/binder
make_image no-binder "$systemd" --no-hostonly --add earlybind
check "no binder: the module is not taken" says "earlybind' \(will not\|cannot\) be installed"
cp /image-tests/binder /usr/lib/earlybind/binder

mv /usr/bin/earlybind /image-tests/earlybind
for fault in missing crashing; do
	if [ "$fault" = crashing ]; then
		printf '#!/bin/sh\nkill -SEGV $$\n' >/usr/bin/earlybind
		chmod +x /usr/bin/earlybind
	fi
	make_image "$fault-companion" "$systemd earlybind" --no-hostonly
	unpack
	check "$fault companion: the image is made" is "$status" 0
	check "$fault companion: it is said" says '^W: earlybind: .*embed failed'
	check "$fault companion: the mark is there" has etc/earlybind.earlier
	check "$fault companion: the binder is there" test -x "$out/usr/lib/earlybind/binder"
done
cp -p /image-tests/earlybind /usr/bin/earlybind
mv /usr/lib/earlybind/image-build /image-tests/image-build
make_image no-image-build "$systemd earlybind" --no-hostonly
check "no image-build: the image is made" is "$status" 0
check "no image-build: it is said" says '^W: earlybind: .*image-build is missing'
mv /image-tests/image-build /usr/lib/earlybind/image-build

# ---- what is warned about -----------------------------------------------------------------

modules=/lib/modules/$version
mv "$modules/kernel/drivers/vfio" /image-tests/vfio
depmod -a "$version"
make_image no-vfio "$plain earlybind" --no-hostonly
check "no vfio: the image is made" is "$status" 0
check "no vfio: it is warned about" says "earlybind: kernel $version has no vfio-pci"

cp "$modules/modules.builtin" /image-tests/modules.builtin
echo kernel/drivers/vfio/pci/vfio-pci.ko >>"$modules/modules.builtin"
depmod -a "$version"
make_image built-in "$plain earlybind" --no-hostonly
check "built in: the image is made" is "$status" 0
check "built in: it is said" says 'modules: vfio_pci (built in)'
cp /image-tests/modules.builtin "$modules/modules.builtin"
mv /image-tests/vfio "$modules/kernel/drivers/vfio"
depmod -a "$version"

# ---- the companion does it ----------------------------------------------------------------

# As make_image does it, by dracut's configuration; and the image where the kernel's stands.
cat >/etc/dracut.conf.d/image-tests.conf <<EOF
dracutmodules+=" $plain $systemd earlybind "
hostonly="no"
compress="cat"
early_microcode="no"
EOF
make_image apply "$plain $systemd earlybind" --no-hostonly
cp "$image" "/boot/initrd.img-$version"
image=/boot/initrd.img-$version
no_build() {
	mkdir "$modules_d/99ends"
	printf 'check() { return 0; }\ninstall() { echo the test ends the build >&2; exit 1; }\n' \
		>"$modules_d/99ends/module-setup.sh"
	echo 'add_dracutmodules+=" ends "' >/etc/dracut.conf.d/ends.conf
}
with_build() { rm -r "$modules_d/99ends" /etc/dracut.conf.d/ends.conf; }
check_apply "dracut --force --kver $version" no_build with_build
check_cmdline
