# shellcheck shell=sh
# Critical devices: what embed records of a machine, and that all commands know of it.
# Needs: check

golden embed-critical embed --sysroot critical --binder binder --output guarded --verbose
golden embed-critical-show embed --show guarded
golden embed-critical-no embed --sysroot critical --binder binder --output never --no-critical --verbose
golden embed-critical-elsewhere embed --sysroot alveo --binder binder --output never --verbose
golden critical-plan plan --sysroot critical
contract critical-plan-json 1 plan --sysroot critical
golden critical-plan-none plan --sysroot critical --cmdline 'intel_iommu=on rd.earlybind.critical=none'
golden critical-explain explain --sysroot critical 02:00.0
golden critical-list list --sysroot critical --by rule
golden critical-add add --sysroot critical --dry-run 03:00.0
golden critical-add-keyboard add --sysroot busy --dry-run 00:14.0
golden critical-remove remove --sysroot critical --dry-run 01:00.0
golden critical-check check --sysroot critical --only devices

# An image is not out of date since a keyboard was unplugged.
critical_image() {
	cp -a critical unplugged
	rm unplugged/sys/class/input/input4
	image_of critical 6.12.0-amd64
	"$EARLYBIND" check --sysroot unplugged --image critical/boot/initrd.img-6.12.0-amd64 >out.txt
	tr -s '\n ' ' ' <out.txt | grep -q 'pass table: it has the 7 rules of /etc/earlybind.conf' || {
		cat out.txt
		return 1
	}
}
check critical-image-is-up-to-date critical_image
