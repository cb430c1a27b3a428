# shellcheck shell=sh
# earlybind list --accel: the built-in table of accelerators, and accel= in the other commands.

golden list-accel list --sysroot alveo --accel
golden list-accel-gaudi list --sysroot gaudi --accel '18:00.*' 9a:00.0
golden list-accel-none list --sysroot hpe --accel
golden list-accel-all list --accel=all
golden list-accel-wrong list --accel=some
golden list-accel-by list --accel --by group
golden list-accel-term list --sysroot alveo accel=alveo-mgmt
golden list-accel-unknown list --sysroot alveo accel=nvidia
contract list-accel-json 0 list --sysroot alveo --accel
accel_json() {
	"$EARLYBIND" list --sysroot alveo --accel --json >out.json &&
		jq -e '[.devices[] | [.address, .accel]] ==
			[["0000:01:00.0", {"name": "Alveo U200", "role": "mgmt", "groups": ["alveo-mgmt"]}],
			 ["0000:01:00.1", {"name": "Alveo U200", "role": "user",
				"groups": ["alveo", "alveo-user"]}]]' out.json &&
		"$EARLYBIND" list --sysroot alveo --json >out.json &&
		jq -e '[.devices[] | select(.address == "0000:02:00.0").accel] == [null]' out.json &&
		"$EARLYBIND" list --accel=all --json >out.json &&
		jq -e '.schema == 1 and (.accel_groups | length) > 30 and
			(.accel_groups[] | select(.name == "gaudi").description) == "Intel Gaudi (Habana)"' out.json
}
check list-accel-json-fields accel_json

# XRT's own model: the user function only.
cp -a alveo accel-user
mkdir -p accel-user/etc
echo 'bind accel=alveo-user' >accel-user/etc/earlybind.conf
golden plan-accel plan --sysroot accel-user --cmdline intel_iommu=on
echo 'bind accel=alveo-usr' >accel-user/etc/earlybind.conf
golden plan-accel-unknown plan --sysroot accel-user --cmdline intel_iommu=on
echo intel_iommu=on >accel-user/proc/cmdline
rm accel-user/etc/earlybind.conf
golden add-accel add --sysroot accel-user --dry-run accel=alveo-user
golden completion-accel complete list accel=alv
