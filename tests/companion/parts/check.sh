# shellcheck shell=sh
# The doctor: "earlybind check" without an image.
# shellcheck disable=SC2154 # here comes from run.sh

# An image made by initramfs-tools for the rules and a kernel of a tree.
image_of() { # TREE RELEASE [CONFIG]
	if [ $# -gt 2 ]; then
		"$EARLYBIND" embed --config "$3" --binder "$BINDER" --output carrier >/dev/null
	else
		"$EARLYBIND" embed --sysroot "$1" --binder "$BINDER" --output carrier >/dev/null
	fi
	mkdir -p "$1/boot"
	PYTHONPATH=$here python3 - carrier "$1/boot/initrd.img-$2" "$2" <<'PYTHON'
import sys
import images

with open(sys.argv[1], "rb") as binder:
    tree = images.initramfs_tools(binder.read())
tree = {name.replace(images.RELEASE, sys.argv[3]): entry for name, entry in tree.items()}
with open(sys.argv[2], "wb") as out:
    out.write(images.cpio(tree))
PYTHON
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
golden check-no-selector check --sysroot doctor 0a:00
golden check-unknown-name check --sysroot doctor --only iomu
golden check-image-and-device check --image x 01:00.0
contract check-doctor-json 0 check --sysroot doctor
contract check-doctor-json-fails 1 check --sysroot doctor-drift
