# shellcheck shell=sh
# Only what is on the list is in a recording: of a tree with a mark in every file, name and
# target, no mark comes out but those of models, drivers and slots.
# shellcheck disable=SC2154 # here and so on are of run.sh

marked_tree() { # TREE
	cp -a "$1" marked
	mkdir -p marked/run/earlybind/devices marked/dev/.earlybind marked/dev/vfio \
		marked/sys/class/dmi/id marked/sys/class/net marked/sys/class/block marked/sys/fs/btrfs \
		marked/sys/class/drm marked/sys/class/input marked/sys/class/graphics \
		marked/sys/bus/pci/slots/4 marked/sys/firmware/acpi/tables marked/proc/self \
		marked/proc/net marked/etc/modprobe.d marked/etc/earlybind.conf.d \
		marked/etc/dracut.conf.d marked/sys/module/vfio_pci/parameters marked/sys/power \
		marked/boot/extlinux marked/boot/EFI/Linux marked/boot/loader/entries marked/etc/default \
		marked/usr/lib/modprobe.d marked/etc/modules-load.d
	for file in run/earlybind/apply.log run/earlybind/report-first.json run/earlybind/rules \
		run/earlybind/judged dev/.earlybind/report.json proc/mounts proc/self/mountinfo proc/swaps \
		proc/net/route proc/net/ipv6_route proc/modules proc/cpuinfo etc/os-release \
		etc/modprobe.d/vfio.conf etc/earlybind.conf etc/earlybind.conf.d/vfio.conf etc/modules \
		etc/initramfs-tools/modules etc/dracut.conf etc/mkinitcpio.conf \
		sys/firmware/acpi/tables/DMAR sys/firmware/acpi/tables/FACP sys/power/resume \
		sys/module/vfio_pci/parameters/ids boot/extlinux/extlinux.conf boot/EFI/Linux/a.efi \
		boot/loader/entries/a.conf etc/default/grub etc/kernel/cmdline sys/bus/pci/slots/4/address \
		proc/interrupts proc/iomem sys/kernel/security/lockdown; do
		mkdir -p "marked/$(dirname "$file")"
		[ -e "marked/$file" ] || echo 'options vfio x=y' >"marked/$file"
	done
	for file in bios_date board_name product_name sys_vendor product_serial; do
		echo 'a' >"marked/sys/class/dmi/id/$file"
	done
	"$here/mark.py" marked >marks.txt
}
marks_told() {
	"$EARLYBIND" capture --sysroot marked --output marked.tar || return 1
	mkdir marked.captured && tar -xf marked.tar -C marked.captured || return 1
	{
		grep -rhoaE 'qz[0-9]{5}zq' marked.captured
		find marked.captured -printf '%p %l\n' | grep -oE 'qz[0-9]{5}zq'
	} | sort -u >out.marks
	grep -F -f out.marks marks.txt | cut -d ' ' -f 2- | sort >told.txt
	# Models, as the firmware has them; names of drivers and of modules that are loaded.
	grep -vE '^(marked/sys/class/dmi/id/(bios_date|board_name|product_name|sys_vendor) .first line.|sys/bus/pci/drivers .*|marked/proc/modules .*)$' \
		told.txt >too-much.txt
	cat too-much.txt
	# The list of what may come out is not empty: the marks are where they are looked for.
	[ ! -s too-much.txt ] && grep -q 'id/board_name' told.txt
}
loaders() {
	cp -a configured loaded
	mkdir -p loaded/boot/extlinux loaded/boot/EFI/Linux
	printf '%s\n' 'DEFAULT alice' 'LABEL alice' '  MENU LABEL The machine of alice' \
		'  LINUX /boot/vmlinuz-6.1.0-18-amd64' '  INITRD /boot/initrd.img' \
		'  APPEND root=UUID=9b7c1f6e-0000-4000-8000-1234567890ab intel_iommu=on db=hunter2' \
		>loaded/boot/extlinux/extlinux.conf
	echo secret >loaded/boot/EFI/Linux/0123456789abcdef0123456789abcdef-6.1.0-18-amd64.efi
	"$EARLYBIND" capture --sysroot loaded --output loaded.tar &&
		mkdir loaded.captured && tar -xf loaded.tar -C loaded.captured &&
		cat loaded.captured/boot/extlinux/extlinux.conf &&
		find loaded.captured/boot/EFI/Linux -name '*.efi' | grep -q '/x[0-9]*x*-6.1.0-18-amd64.efi$' &&
		grep -q '^append root=UUID=x[0-9]*x* intel_iommu=on x[0-9]=x[0-9]x*$' \
			loaded.captured/boot/extlinux/extlinux.conf &&
		grep -qx 'linux /boot/vmlinuz-6.1.0-18-amd64' \
			loaded.captured/boot/extlinux/extlinux.conf &&
		! grep -rE 'alice|secret|hunter|9b7c' loaded.captured
}
check capture-list-loaders loaders
# Where the firmware has tables, but none of an IOMMU, that is said.
tables() {
	cp -a no-iommu tables
	mkdir -p tables/sys/firmware/acpi/tables
	head -c 64 /dev/zero >tables/sys/firmware/acpi/tables/FACP
	"$EARLYBIND" capture --sysroot tables --output tables.tar.gz || return 1
	"$EARLYBIND" check --only iommu --sysroot tables >out.txt || :
	"$EARLYBIND" check --only iommu --sysroot tables.tar.gz >captured.txt || :
	grep -q 'no ACPI table' out.txt && diff -u out.txt captured.txt
}
check capture-list-tables tables
check capture-list-tree marked_tree configured
check capture-list-marks marks_told
mode() {
	rm -f mode.tar && (umask 0 && "$EARLYBIND" capture --sysroot alveo --output mode.tar) &&
		[ "$(stat -c %a mode.tar)" = 600 ]
}
check capture-list-mode mode
