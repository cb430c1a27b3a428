# shellcheck shell=sh
# shellcheck disable=SC2154 # here comes from run.sh
# Images of each kind and with each fault, check-*.img, and what earlybind check says of them.

check_failures=0
if $update; then
	"$here/check_images.py" -u "$work" || check_failures=$?
else
	"$here/check_images.py" "$work" || check_failures=$?
fi
failures=$((failures + check_failures))
contract check-json 0 check --image check-dracut.img --sysroot configured
contract check-json-fails 1 check --image check-stale.img --sysroot configured
golden check-no-file check --image nowhere.img
golden check-folder check --image configured
damaged_image() {
	"$here/mutate.py" 5 200 check-initramfs-tools.img \
		"$EARLYBIND" check --sysroot configured --image @ &&
		"$here/mutate.py" 6 100 check-zstd.img \
			"$EARLYBIND" check --sysroot configured --image @
}
check check-survives-damaged-images damaged_image
