# shellcheck shell=sh
# earlybind plan: what the host loses, what stays in the group, the rules of a finished image.
# Needs: check-images

golden plan-busy plan --sysroot busy --cmdline 'intel_iommu=on rd.earlybind.bind=02:00.0,03:00.1,01:00.*'
# That machine's image, made of another configuration than it has now.
golden plan-image plan --sysroot alveo --image check-initramfs-tools.img --cmdline ''
golden plan-image-off plan --sysroot alveo --image check-initramfs-tools.img --cmdline rd.earlybind.table=0
golden plan-image-missing plan --sysroot alveo --image check-no-binder-dracut.img
golden plan-image-no-file plan --sysroot alveo --image nowhere.img
golden plan-image-and-config plan --sysroot alveo --image check-dracut.img --config typo.conf
contract plan-json-image 0 plan --sysroot configured --image check-initramfs-tools.img
golden plan-image-checksum plan --sysroot alveo --image check-table-checksum.img --cmdline ''

# Rules that only keep devices, or those of a profile, are rules: no command says that there is none.
cp -a alveo keeping
echo quiet >keeping/proc/cmdline
mkdir -p keeping/etc
printf '%s\n' 'keep 02:00.0' '[profile vm]' 'bind 01:00.0' >keeping/etc/earlybind.conf
for command in plan status 'check --only configuration'; do
	# shellcheck disable=SC2086 # words
	check "keeping-${command%% *}" says 'no rule .*binds a device' $command --sysroot keeping
done
