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
		boot/loader/entries/a.conf etc/default/grub etc/kernel/cmdline sys/bus/pci/slots/4/address; do
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
check capture-list-tree marked_tree configured
check capture-list-marks marks_told
mode() {
	rm -f mode.tar && (umask 0 && "$EARLYBIND" capture --sysroot alveo --output mode.tar) &&
		[ "$(stat -c %a mode.tar)" = 600 ]
}
check capture-list-mode mode
