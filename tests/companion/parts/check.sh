# shellcheck shell=sh
# The doctor: "earlybind check" without an image.
# shellcheck disable=SC2154 # here comes from run.sh

# An image made by initramfs-tools for the rules and a kernel of a tree.
image_of() { # TREE RELEASE [CONFIG]
	if [ $# -gt 2 ]; then
		"$EARLYBIND" embed --no-critical --config "$3" --binder "$BINDER" --output carrier >/dev/null
	else
		"$EARLYBIND" embed --sysroot "$1" --binder "$BINDER" --output carrier >/dev/null
	fi
	mkdir -p "$1/boot"
	"$here/make_image.py" initramfs-tools carrier "$1/boot/initrd.img-$2" "$2"
}

for release in 6.1.0-17-amd64 6.1.0-18-amd64; do
	image_of doctor $release
	image_of doctor-drift $release doctor/etc/earlybind.conf
	image_of doctor-devices $release
done

golden check-well check --sysroot doctor
golden check-drift check --sysroot doctor-drift
golden check-firmware check --sysroot doctor-firmware
golden check-parameter check --sysroot doctor-parameter --only iommu
golden check-devices check --sysroot doctor-devices
golden check-named check --sysroot doctor 02:00.0 --only devices --only groups
golden check-kernel check --sysroot doctor-drift --kernel 6.1.0-18-amd64 --only vfio --only image
golden check-no-rules check --sysroot empty
golden check-no-bus check --sysroot alveo/etc
golden check-no-device check --sysroot doctor 0a:00.0
golden check-no-selector check --sysroot doctor 0a:00.9
golden check-unknown-name check --sysroot doctor --only iomu
golden check-image-and-device check --image x 01:00.0
contract check-doctor-json 0 check --sysroot doctor
contract check-doctor-json-fails 1 check --sysroot doctor-drift
golden check-fix-tree check --sysroot doctor --fix

# What the kernel and others write is read with care.
damaged() { # SEED FILE
	"$here/mutate.py" "$1" 60 "doctor-devices/$2" sh -c \
		"cp \$0 'damaged/$2' && '$EARLYBIND' check --sysroot damaged --only framebuffer \
		--only reserved --only interrupts --only power --only iommu --only cmdline" @
}
cp -a doctor-devices damaged
rm -rf damaged/boot
for file in proc/iomem proc/interrupts proc/cmdline sys/kernel/iommu_groups/5/reserved_regions \
	sys/bus/pci/devices/0000:02:00.0/resource etc/default/grub; do
	check "check-survives-damaged-$(basename $file)" damaged 7 $file
done
