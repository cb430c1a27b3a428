# shellcheck shell=sh disable=SC2154 # of run.sh
# Cards told by where they are and by their serial numbers.

golden plan-identity plan --sysroot identity
golden plan-identity-path plan --sysroot identity --cmdline 'rd.earlybind.table=0 intel_iommu=on rd.earlybind.bind=path=00:01.1/00.0+10de:2489,path=00:1d.0+10de:*;optional'
golden plan-identity-serial plan --sysroot identity --cmdline 'rd.earlybind.table=0 intel_iommu=on rd.earlybind.bind=serial=00-0A-35-00-00-00-00-01,serial=00-0a-35-00-00-00-00-09'
golden plan-identity-malformed plan --sysroot identity --cmdline 'rd.earlybind.table=0 rd.earlybind.bind=path=00:01.1/03:00.0,serial=00-0a-35,path=00:01.1/00,slot=4/5,02:00.0;follow'

# In slots, and in other places than the rules say.
golden plan-identity-slot plan --sysroot identity --cmdline 'rd.earlybind.table=0 intel_iommu=on rd.earlybind.bind=slot=4+10ee:*,slot=4-1+10ee:5000,slot=7+10ee:5000'
golden plan-identity-moved plan --sysroot identity --cmdline 'rd.earlybind.table=0 intel_iommu=on rd.earlybind.bind=02:00.0+serial=00-0a-35-00-00-00-00-02;follow rd.earlybind.bind=04:00.0+serial=00-0a-35-00-00-00-00-01,path=00:1c.0+10ee:5001,serial=00-0a-35-00-00-00-00-01+10ee:d000'
contract plan-identity-json 1 plan --sysroot identity --json --cmdline 'rd.earlybind.table=0 intel_iommu=on rd.earlybind.bind=04:00.0+serial=00-0a-35-00-00-00-00-01'
plan_elsewhere() {
	"$EARLYBIND" plan --sysroot identity --json --cmdline 'rd.earlybind.table=0 intel_iommu=on rd.earlybind.bind=04:00.0+serial=00-0a-35-00-00-00-00-01,02:00.0+10ee:5001;follow' >out.json
	jq -e '.rules[0].elsewhere == "the card with this serial number is now at 0000:01:00.0" and
		(.rules[1] | has("elsewhere"))' out.json
}
check plan-identity-elsewhere plan_elsewhere
golden list-identity-slot list --sysroot identity slot=4

# What may not be looked at is not said to be absent.
"$here/mktree.py" "$here/trees/identity.tree" unread-identity
truncate -s 300 unread-identity/sys/bus/pci/devices/0000:01:00.0/config
truncate -s 260 unread-identity/sys/bus/pci/devices/0000:01:00.0/config
golden plan-identity-unread plan --sysroot unread-identity

# Two identical cards are told apart by everything but their ID, which takes both.
golden list-identity list --sysroot identity 10ee:5000
golden explain-identity explain --sysroot identity 03:00.0
golden plan-identical plan --sysroot identity --cmdline 'rd.earlybind.table=0 intel_iommu=on vfio-pci.ids=10ee:5000'
contract list-json-identity 0 list --sysroot identity
list_json_identity() {
	"$EARLYBIND" list --sysroot identity --json |
		jq -e '[.devices[] | select(.vendor == "10ee") | [.path, .slot, .serial]] == [
			["0000:00:01.0/00.0", "6", "00-0a-35-00-00-00-00-01"],
			["0000:00:01.0/00.1", "6", "00-0a-35-00-00-00-00-01"],
			["0000:00:01.1/00.0", "4", "00-0a-35-00-00-00-00-02"],
			["0000:00:01.1/00.1", "4", "00-0a-35-00-00-00-00-02"]] and
			([.devices[] | select(.vendor == "8086") | .serial] | unique == [null])'
}
check list-json-identity-fields list_json_identity
cp -a identity slotted
echo intel_iommu=on >slotted/proc/cmdline
rm slotted/etc/earlybind.conf
golden add-by-slot add --sysroot slotted --dry-run --by slot 03:00.0
golden add-by-no-slot add --sysroot four-gpus --dry-run --by slot c1:00.0
golden keep-by-slot keep --sysroot slotted --dry-run --by slot 02:00.0
